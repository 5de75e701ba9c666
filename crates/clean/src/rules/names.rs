//! What the id and classes of an element say: widget, body, dek, caption, credit, embed.

use std::collections::HashMap;

use super::Fast;

/// What an element's names say about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct NameHints {
    /// A widget: index into [`Names::claims`].
    pub(crate) claim: Option<u16>,
    pub(crate) body: bool,
    pub(crate) dek: bool,
    pub(crate) caption: bool,
    pub(crate) credit: bool,
    /// How surely it names authors: 0 not at all, 1 it may, 2 it does.
    pub(crate) author: u8,
}

/// One entry of a widget rule: every element that it names is counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Claim {
    /// Index into the rules' widgets.
    pub(crate) widget: u16,
    /// Whether the name stands for nothing but the widget ("disqus"), so that it is believed even of
    /// most of a page.
    pub(crate) sure: bool,
}

/// One part, or several that follow each other, and what they say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Says {
    Claim(u16),
    Body,
    Dek,
    Caption,
    Credit,
    /// Speaks of authors.
    Author,
    /// Speaks of their names, where another part speaks of authors.
    AuthorName,
    /// Speaks of something beside their names: a picture, a biography.
    NotAuthor,
}

/// The names that mean something, by their parts joined with hyphens.
#[derive(Debug, Default)]
pub(crate) struct Names {
    parts: HashMap<String, Vec<Says>, Fast>,
    pub(crate) claims: Vec<Claim>,
}

/// The most parts that an entry may have.
const LONGEST_ENTRY: usize = 3;
/// The most parts of a name that are looked at.
const MOST_PARTS: usize = 12;

/// Memory that reading names needs, kept from one element to the next.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    joined: String,
    ends: Vec<(usize, usize)>,
    seen: HashMap<String, NameHints, Fast>,
}

impl Names {
    pub(super) fn add_widget(&mut self, part: &str, widget: u16, sure: bool) {
        let Ok(index) = u16::try_from(self.claims.len()) else {
            return;
        };
        self.claims.push(Claim { widget, sure });
        self.parts
            .entry(part.to_owned())
            .or_default()
            .push(Says::Claim(index));
    }

    pub(super) fn add_hints(&mut self, hint: &super::file::Hint) {
        for (list, says) in [
            (&hint.body, Says::Body),
            (&hint.dek, Says::Dek),
            (&hint.caption, Says::Caption),
            (&hint.credit, Says::Credit),
            (&hint.author, Says::Author),
            (&hint.author_name, Says::AuthorName),
            (&hint.not_author, Says::NotAuthor),
        ] {
            for part in list {
                self.parts.entry(part.clone()).or_default().push(says);
            }
        }
    }

    /// What one id or class attribute says. The first widget named wins; hints add up.
    pub(crate) fn read(&self, attribute: &str, scratch: &mut Scratch, hints: &mut NameHints) {
        if attribute.trim().is_empty() {
            return;
        }
        let found = if let Some(known) = scratch.seen.get(attribute) {
            *known
        } else {
            let mut found = NameHints::default();
            for name in attribute.split_ascii_whitespace().take(40) {
                self.read_name(name, scratch, &mut found);
            }
            if scratch.seen.len() < 4_000 && attribute.len() < 400 {
                scratch.seen.insert(attribute.to_owned(), found);
            }
            found
        };
        hints.claim = hints.claim.or(found.claim);
        hints.body |= found.body;
        hints.dek |= found.dek;
        hints.caption |= found.caption;
        hints.credit |= found.credit;
        hints.author = hints.author.max(found.author);
    }

    fn read_name(&self, name: &str, scratch: &mut Scratch, hints: &mut NameHints) {
        split(name, &mut scratch.joined, &mut scratch.ends);
        let parts = &scratch.ends;
        let (mut author, mut name, mut other) = (false, false, false);
        for from in 0..parts.len() {
            for to in from..parts.len().min(from + LONGEST_ENTRY) {
                let (Some((start, _)), Some((_, end))) = (parts.get(from), parts.get(to)) else {
                    break;
                };
                let run = scratch.joined.get(*start..*end).unwrap_or_default();
                for says in self.parts.get(run).into_iter().flatten() {
                    match says {
                        Says::Claim(claim) => hints.claim = hints.claim.or(Some(*claim)),
                        Says::Body => hints.body = true,
                        Says::Dek => hints.dek = true,
                        Says::Caption => hints.caption = true,
                        Says::Credit => hints.credit = true,
                        Says::Author => author = true,
                        Says::AuthorName => name = true,
                        Says::NotAuthor => other = true,
                    }
                }
            }
        }
        if author && !other {
            hints.author = hints.author.max(if name { 2 } else { 1 });
        }
    }
}

/// The parts of a name in lower case, joined with hyphens, and where each begins and ends: cut at anything
/// but letters and digits and where case changes.
fn split(name: &str, joined: &mut String, ends: &mut Vec<(usize, usize)>) {
    joined.clear();
    ends.clear();
    let mut start = 0;
    let mut was_lower = false;
    for c in name.chars().take(120) {
        if !c.is_ascii_alphanumeric() {
            end_part(joined, ends, &mut start);
            was_lower = false;
            continue;
        }
        if c.is_ascii_uppercase() && was_lower {
            end_part(joined, ends, &mut start);
        }
        was_lower = c.is_ascii_lowercase();
        joined.push(c.to_ascii_lowercase());
    }
    end_part(joined, ends, &mut start);
}

fn end_part(joined: &mut String, ends: &mut Vec<(usize, usize)>, start: &mut usize) {
    if joined.len() > *start && ends.len() < MOST_PARTS {
        ends.push((*start, joined.len()));
        joined.push('-');
        *start = joined.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts_of(name: &str) -> Vec<String> {
        let (mut joined, mut ends) = (String::new(), Vec::new());
        split(name, &mut joined, &mut ends);
        ends.iter()
            .filter_map(|(a, b)| joined.get(*a..*b))
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn names_fall_into_parts() {
        assert_eq!(
            parts_of("relatedStories__list-2"),
            ["related", "stories", "list", "2"]
        );
        assert_eq!(parts_of("ArticleBody"), ["article", "body"]);
        assert_eq!(parts_of("--x--"), ["x"]);
    }

    #[test]
    fn parts_in_a_row_are_found() {
        let mut names = Names::default();
        names.add_widget("read-next", 3, false);
        names.add_hints(&super::super::file::Hint {
            body: vec!["article-body".to_owned()],
            ..Default::default()
        });
        let read = |text: &str| {
            let mut hints = NameHints::default();
            names.read(text, &mut Scratch::default(), &mut hints);
            hints
        };
        assert_eq!(read("box readNext-2").claim, Some(0));
        assert_eq!(read("read more next").claim, None);
        assert!(read("c-articleBody__inner").body);
    }
}
