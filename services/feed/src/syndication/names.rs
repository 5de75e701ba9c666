//! What the elements of a feed are: by their namespaces, whatever their prefixes are.

use std::borrow::Cow;

use copydesk_article::fold_case;

use super::tree::{Element, local};

/// The family that an element is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// RSS and Atom themselves. Feeds declare all kinds of default namespaces, and none.
    Core,
    /// RSS's content module.
    Content,
    /// Dublin Core.
    Dc,
    /// HTML within the feed.
    Xhtml,
    /// A prefix that is declared nowhere and is none of those that everybody uses.
    Unbound,
    /// Anything else: Media RSS, iTunes, …
    Other,
}

/// Declarations that are kept: real feeds have a dozen.
const MOST: usize = 256;

/// The namespaces that are declared at a place.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    bound: Vec<(String, Family)>,
}

impl Names {
    /// Adds what an element declares.
    pub(super) fn declare(&mut self, element: &Element) {
        for (name, uri) in &element.attributes {
            let prefix = if name.eq_ignore_ascii_case("xmlns") {
                ""
            } else if let Some(prefix) = name.strip_prefix("xmlns:") {
                prefix
            } else {
                continue;
            };
            if self.bound.len() == MOST {
                return;
            }
            self.bound.push((prefix.to_owned(), family(prefix, uri)));
        }
    }

    /// What holds within an element.
    pub(super) fn within(&self, element: &Element) -> Cow<'_, Self> {
        if element.attributes.iter().any(|(n, _)| n.starts_with("xmlns")) {
            let mut own = self.clone();
            own.declare(element);
            Cow::Owned(own)
        } else {
            Cow::Borrowed(self)
        }
    }

    /// The family of an element and its name without a prefix, in lower case.
    pub(super) fn of(&self, element: &Element) -> (Family, String) {
        let family = self.within(element).family(&element.name);
        (family, fold_case(local(&element.name)))
    }

    /// The family of a name with its prefix.
    pub(super) fn family(&self, name: &str) -> Family {
        let prefix = name.rsplit_once(':').map_or("", |(prefix, _)| prefix);
        // The innermost declaration counts, and it was added last.
        let bound = self.bound.iter().rev().find(|(p, _)| p == prefix);
        bound.map_or_else(|| usual(prefix), |(_, family)| *family)
    }
}

/// By the prefix that everybody uses.
fn usual(prefix: &str) -> Family {
    match prefix {
        "" | "rss" | "atom" | "atom03" | "atom10" | "a10" => Family::Core,
        "content" => Family::Content,
        "dc" | "dcterms" => Family::Dc,
        "xhtml" | "html" => Family::Xhtml,
        "media" | "itunes" | "excerpt" | "wfw" | "slash" | "sy" | "georss" | "feedburner" | "podcast" => {
            Family::Other
        }
        _ => Family::Unbound,
    }
}

fn family(prefix: &str, uri: &str) -> Family {
    let uri = uri.trim().trim_end_matches(['/', '#']);
    let bare = uri
        .strip_prefix("https")
        .or_else(|| uri.strip_prefix("http"))
        .unwrap_or(uri);
    match fold_case(bare).as_str() {
        "://purl.org/rss/1.0/modules/content" => Family::Content,
        "://purl.org/dc/elements/1.1" | "://purl.org/dc/elements/1.0" | "://purl.org/dc/terms" => Family::Dc,
        "://www.w3.org/1999/xhtml" => Family::Xhtml,
        "://purl.org/rss/1.0"
        | "://www.w3.org/2005/atom"
        | "://purl.org/atom/ns"
        | "://backend.userland.com/rss2"
        | "://backend.userland.com/rss"
        | "://my.netscape.com/rdf/simple/0.9"
        | "://channel.netscape.com/rdf/simple/0.9" => Family::Core,
        // An address that nobody knows: the prefix says what was meant. So does a feed's default namespace,
        // whatever it is.
        _ => match usual(prefix) {
            Family::Unbound => Family::Other,
            usual => usual,
        },
    }
}
