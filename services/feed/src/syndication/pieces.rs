//! A feed cut at its entries, so that what is broken in one costs no other.

use super::names::{Family, Names};

const CDATA: &str = "<![CDATA[";
const COMMENT: &str = "<!--";

/// Finds entries. What was searched for once is kept, so that a document without ends costs one search and
/// not one for each beginning.
#[derive(Default)]
pub(super) struct Cutter {
    cdata_end: Next,
    comment_end: Next,
}

/// Where something is next.
#[derive(Default)]
struct Next(Option<usize>);

impl Next {
    fn find(&mut self, document: &str, from: usize, pattern: &str) -> Option<usize> {
        const NOWHERE: usize = usize::MAX;
        if self.0.is_none_or(|at| at < from) {
            let found = document.get(from..).and_then(|rest| rest.find(pattern));
            self.0 = Some(found.map_or(NOWHERE, |at| from + at));
        }
        self.0.filter(|at| *at != NOWHERE)
    }
}

impl Cutter {
    /// Where the next entry begins at or behind `from`; `names` tells which prefixes are the feed's own.
    pub(super) fn next_entry(&mut self, document: &str, from: usize, names: Option<&Names>) -> Option<usize> {
        let mut at = from;
        loop {
            at += document.get(at..)?.find('<')?;
            let rest = document.get(at..)?;
            if let Some(behind) = self.behind(document, at) {
                at = behind;
            } else if is_entry(rest, names) {
                return Some(at);
            } else {
                at += 1;
            }
        }
    }

    /// Where the text goes on behind a CDATA section or a comment that begins here and has an end of its own.
    fn behind(&mut self, document: &str, at: usize) -> Option<usize> {
        let rest = document.get(at..)?;
        if rest.starts_with(COMMENT) {
            let end = self.comment_end.find(document, at + COMMENT.len(), "-->")?;
            return Some(end + "-->".len());
        }
        let inside = rest.strip_prefix(CDATA)?;
        let end = self.cdata_end.find(document, at + CDATA.len(), "]]>")?;
        // Another one that begins before that end, behind the bounds of an entry: this one was never closed.
        let own = inside.get(..end - at - CDATA.len())?;
        let lost = own
            .split_once(CDATA)
            .is_some_and(|(before, _)| has_end(before) || has_beginning(before));
        (!lost).then_some(end + "]]>".len())
    }
}

fn has_beginning(piece: &str) -> bool {
    ["<item>", "<entry>", ":item ", ":entry>"]
        .iter()
        .any(|start| piece.contains(start))
}

/// Whether the end of an entry is in a piece.
pub(super) fn has_end(piece: &str) -> bool {
    ["</item", "</entry", ":item>", ":entry>"]
        .iter()
        .any(|end| piece.contains(end))
}

fn is_entry(rest: &str, names: Option<&Names>) -> bool {
    let tag = rest.strip_prefix('<').unwrap_or_default();
    let end = tag.find(|c: char| c.is_ascii_whitespace() || matches!(c, '>' | '/' | '<'));
    let Some(name) = end.and_then(|end| tag.get(..end)) else {
        return false;
    };
    let (prefix, local) = name.rsplit_once(':').unwrap_or(("", name));
    if !local.eq_ignore_ascii_case("item") && !local.eq_ignore_ascii_case("entry") {
        return false;
    }
    // The first one tells where the head ends, before any declaration is read.
    let Some(names) = names else {
        return !is_foreign(prefix);
    };
    names.family(name) == Family::Core || declares_itself(prefix, tag)
}

/// Prefixes of modules that have elements called item or entry of their own.
fn is_foreign(prefix: &str) -> bool {
    matches!(prefix, "media" | "itunes" | "g" | "podcast")
}

/// Whether the tag declares its own prefix to be of RSS or Atom.
fn declares_itself(prefix: &str, tag: &str) -> bool {
    let head = tag.split('>').next().unwrap_or_default();
    let Some((_, value)) = head.split_once(&format!("xmlns:{prefix}=")) else {
        return false;
    };
    value.get(1..).is_some_and(|uri| {
        uri.starts_with("http://www.w3.org/2005/Atom") || uri.starts_with("http://purl.org/rss/1.0/")
    })
}
