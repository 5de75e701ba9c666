//! What the id and classes of an element say: widget, body, dek, caption, credit, embed.

use std::collections::HashMap;

use crate::fast::Fast;

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
    /// Whether the name stands for nothing but the widget ("disqus"): one is enough to take out a sentence.
    pub(crate) sure: bool,
    /// Whether it is believed even of most of a page.
    pub(crate) wide: bool,
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
    /// The widgets that hold text for screen readers only: indexes into the rules' widgets.
    pub(crate) unseen: Vec<u16>,
}

/// Where a name is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attribute {
    Class,
    Id,
    /// The id of a heading: made of its words.
    HeadingId,
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
    /// Which parts begin or end where case changes.
    by_case: Vec<bool>,
    seen: HashMap<String, NameHints, Fast>,
}

impl Names {
    pub(super) fn add_widget(&mut self, part: &str, widget: u16, sure: bool, wide: bool) {
        let Ok(index) = u16::try_from(self.claims.len()) else {
            return;
        };
        self.claims.push(Claim { widget, sure, wide });
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

    /// Whether an element holds text for screen readers only.
    pub(crate) fn is_unseen(&self, hints: NameHints) -> bool {
        hints
            .claim
            .and_then(|c| self.claims.get(usize::from(c)))
            .is_some_and(|c| self.unseen.contains(&c.widget))
    }

    /// The first of two claims, unless the second one only is sure.
    fn surer(&self, first: Option<u16>, second: Option<u16>) -> Option<u16> {
        let sure = |c: Option<u16>| {
            c.and_then(|c| self.claims.get(usize::from(c)))
                .is_some_and(|c| c.sure)
        };
        if sure(second) && !sure(first) {
            second
        } else {
            first.or(second)
        }
    }

    /// What one id or class attribute says. The first widget named wins, a sure one before others; hints add up.
    pub(crate) fn read(
        &self,
        attribute: &str,
        kind: Attribute,
        scratch: &mut Scratch,
        hints: &mut NameHints,
    ) {
        if attribute.trim().is_empty() {
            return;
        }
        // Ids are met once.
        let cached = kind == Attribute::Class;
        let found = if let Some(known) = scratch.seen.get(attribute).filter(|_| cached) {
            *known
        } else {
            let mut found = NameHints::default();
            for name in attribute.split_ascii_whitespace().take(40) {
                self.read_name(name, kind, scratch, &mut found);
            }
            if cached && scratch.seen.len() < 4_000 && attribute.len() < 400 {
                scratch.seen.insert(attribute.to_owned(), found);
            }
            found
        };
        hints.claim = self.surer(hints.claim, found.claim);
        hints.body |= found.body;
        hints.dek |= found.dek;
        hints.caption |= found.caption;
        hints.credit |= found.credit;
        hints.author = hints.author.max(found.author);
    }

    fn read_name(&self, name: &str, kind: Attribute, scratch: &mut Scratch, hints: &mut NameHints) {
        split(name, scratch);
        let parts = &scratch.ends;
        let component = component_parts(name, kind, scratch);
        let (mut author, mut name, mut other) = (false, false, false);
        for from in 0..parts.len() {
            for to in from..parts.len().min(from + LONGEST_ENTRY) {
                let (Some((start, _)), Some((_, end))) = (parts.get(from), parts.get(to)) else {
                    break;
                };
                let run = scratch.joined.get(*start..*end).unwrap_or_default();
                for says in self.parts.get(run).into_iter().flatten() {
                    match says {
                        Says::Claim(claim) => {
                            let names_it = to < component && !is_chance(scratch, from, to);
                            if names_it {
                                hints.claim = self.surer(hints.claim, Some(*claim));
                            }
                        }
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

/// How many of a name's parts, from the front, name a component. Modifiers ("card--with-ad") say how a component looks,
/// utility classes ("has-large-font-size", "md:hidden") how any element does, and ids made of headings name nothing.
fn component_parts(name: &str, kind: Attribute, scratch: &Scratch) -> usize {
    let parts = &scratch.ends;
    let part = |i: usize| {
        parts
            .get(i)
            .and_then(|(a, b)| scratch.joined.get(*a..*b))
            .unwrap_or_default()
    };
    if kind == Attribute::HeadingId || name.contains([':', '[']) {
        return 0;
    }
    let spelt = |i: &usize| part(*i).bytes().all(|b| b.is_ascii_alphabetic());
    if kind == Attribute::Id
        && !name.contains("__")
        && !name.bytes().any(|b| b.is_ascii_uppercase())
        && (0..parts.len()).filter(spelt).count() >= WORDS_OF_HEADING
    {
        return 0;
    }
    // How an element behaves: "ad-free", "lightbox-enabled".
    let is_state = |p| matches!(p, "free" | "enabled" | "disabled" | "friendly" | "ready");
    if parts.len() > 1 && is_state(part(parts.len() - 1)) {
        return 0;
    }
    let mut end = parts.len();
    // Modifiers of what holds the article's text say how it looks: "text--promo". Those of a box say what it is: "box--related".
    if let Some((base, _)) = name.split_once("--") {
        let letters = base.bytes().filter(u8::is_ascii_alphanumeric).count();
        let mut seen = 0;
        let is_base = |(a, b): &&(usize, usize)| {
            seen += b - a;
            seen <= letters
        };
        let of_base = parts.iter().take_while(is_base).count();
        if (0..of_base).any(|i| TEXT_PARTS.contains(&part(i))) {
            end = of_base;
        }
    }
    let modifier = (0..end).find(|i| matches!(part(*i), "has" | "no" | "not" | "non" | "with" | "without"));
    modifier.unwrap_or(end)
}

/// Parts of names of what holds the text of an article, or all of the page.
const TEXT_PARTS: [&str; 14] = [
    "article",
    "body",
    "content",
    "grid",
    "layout",
    "main",
    "p",
    "page",
    "paragraph",
    "post",
    "section",
    "story",
    "text",
    "wrapper",
];
/// The id of a heading has so many words.
const WORDS_OF_HEADING: usize = 4;

/// Whether a short part may have come about by chance, as in ids of random letters ("xAdKq"): cut out by case, beside
/// parts that are no words.
fn is_chance(scratch: &Scratch, from: usize, to: usize) -> bool {
    let length = |i: usize| scratch.ends.get(i).map_or(0, |(a, b)| b - a);
    let by_case = |i: usize| scratch.by_case.get(i).copied().unwrap_or(false);
    from == to
        && length(from) <= 3
        && by_case(from)
        && (0..scratch.ends.len()).any(|i| i != from && by_case(i) && length(i) < 3)
}

/// The parts of a name in lower case, joined with hyphens, and where each begins and ends: cut at anything
/// but letters and digits and where case changes.
fn split(name: &str, scratch: &mut Scratch) {
    let Scratch {
        joined,
        ends,
        by_case,
        ..
    } = scratch;
    joined.clear();
    ends.clear();
    by_case.clear();
    let mut start = 0;
    let mut was_lower = false;
    let mut opened_by_case = false;
    for c in name.chars().take(120) {
        if !c.is_ascii_alphanumeric() {
            end_part(joined, ends, &mut start, by_case, opened_by_case);
            was_lower = false;
            opened_by_case = false;
            continue;
        }
        if c.is_ascii_uppercase() && was_lower {
            end_part(joined, ends, &mut start, by_case, true);
            opened_by_case = true;
        }
        was_lower = c.is_ascii_lowercase();
        joined.push(c.to_ascii_lowercase());
    }
    end_part(joined, ends, &mut start, by_case, opened_by_case);
}

fn end_part(
    joined: &mut String,
    ends: &mut Vec<(usize, usize)>,
    start: &mut usize,
    by_case: &mut Vec<bool>,
    case: bool,
) {
    if joined.len() > *start && ends.len() < MOST_PARTS {
        ends.push((*start, joined.len()));
        by_case.push(case);
        joined.push('-');
        *start = joined.len();
    }
}

#[cfg(test)]
mod tests;
