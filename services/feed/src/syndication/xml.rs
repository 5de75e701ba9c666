//! RSS, RDF and Atom.

use url::Url;

use super::item::Item;
use super::names::{Family, Names};
use super::pieces::{Cutter, has_end};
use super::tree::{self, Element, local};
use super::{entry, unreadable};
use crate::outgoing::{Origin, Step};

/// What holds for all entries of a feed.
#[derive(Debug, Clone, Default)]
pub(super) struct Channel {
    /// What relative links are relative to.
    pub(super) base: Option<Url>,
    pub(super) language: Option<String>,
    pub(super) names: Names,
    /// The elements that the entries are in.
    pub(super) around: Vec<String>,
}

/// The entries of a document, one after the other.
pub(super) struct Entries {
    document: String,
    cutter: Cutter,
    channel: Channel,
    /// Where the next entry begins.
    next: Option<usize>,
    number: u64,
    origin: Origin,
    max: usize,
    /// What is wrong with the document as a whole; said once.
    trouble: Option<String>,
    /// Said before the next entry.
    pending: Option<Step>,
}

impl Entries {
    pub(super) fn new(document: String, base: Option<&Url>, origin: Origin, max: usize) -> Self {
        let mut cutter = Cutter::default();
        let first = cutter.next_entry(&document, 0, None);
        let head = document
            .get(..first.unwrap_or(document.len()))
            .unwrap_or_default();
        let tree::Parsed { open, stray_end, .. } = tree::parse(head, &[], true);
        let mut channel = Channel::default();
        let trouble = match root(&open) {
            Some(root) if is_feed(local(&root.name)) => None,
            // A document that is an entry and nothing else.
            None if first.is_some() => None,
            Some(root) => Some(format!(
                "no RSS or Atom feed: it begins with <{}>",
                local(&root.name)
            )),
            None => Some("no RSS or Atom feed: there is no XML in it".to_owned()),
        };
        if trouble.is_none() {
            let tail = document.rfind("</item>").or_else(|| document.rfind("</entry>"));
            let tail = tail.and_then(|at| document.get(at..)).unwrap_or_default();
            channel = Channel::read(&open, tail, base);
        }
        let next = first.and_then(|at| cutter.next_entry(&document, at, Some(&channel.names)));
        Self {
            next: next.filter(|_| trouble.is_none()),
            document,
            cutter,
            channel,
            number: 0,
            pending: (stray_end && trouble.is_none()).then(|| beheaded(origin.clone())),
            origin,
            max,
            trouble,
        }
    }

    fn entry(&mut self, start: usize) -> Step {
        self.number += 1;
        self.next = self
            .cutter
            .next_entry(&self.document, start + 1, Some(&self.channel.names));
        let end = self.next.unwrap_or(self.document.len());
        let piece = self.document.get(start..end).unwrap_or_default();
        let parsed = tree::parse(piece, &self.channel.around, false);
        let origin = Origin {
            line: Some(self.number),
            ..self.origin.clone()
        };
        if parsed.stray_end {
            self.pending = Some(beheaded(origin.clone()));
        }
        // One that has lost its end is whole if the next begins behind it, unless its text has swallowed that end.
        let swallowed = !parsed.closed && (self.next.is_none() || has_end(piece));
        if swallowed {
            let why = if self.next.is_none() {
                "the file breaks off within an entry"
            } else {
                "a comment or a CDATA section of the entry has no end"
            };
            return if self.next.is_none() {
                unreadable(origin, why.into())
            } else {
                Step::Refused {
                    origin,
                    why: why.into(),
                }
            };
        }
        match close(parsed.open) {
            Some(element) => item(&element, &self.channel).into_step(origin, self.max),
            None => Step::Refused {
                origin,
                why: "the entry cannot be read".into(),
            },
        }
    }
}

impl Iterator for Entries {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        if let Some(why) = self.trouble.take() {
            return Some(unreadable(self.origin.clone(), why));
        }
        let pending = self.pending.take();
        pending.or_else(|| self.next.map(|start| self.entry(start)))
    }
}

/// An entry that is there without its beginning.
fn beheaded(origin: Origin) -> Step {
    Step::Refused {
        origin,
        why: "an entry whose first tag is damaged stands before the next one".into(),
    }
}

/// The root of a head: what is open, or, where no entry follows, what was closed.
fn root(open: &[Element]) -> Option<&Element> {
    open.get(1).or_else(|| open.first()?.elements().next())
}

fn is_feed(name: &str) -> bool {
    ["rss", "rdf", "feed", "channel"]
        .iter()
        .any(|n| name.eq_ignore_ascii_case(n))
}

/// The outermost element of a piece; those that are still open within it end where the piece does.
fn close(mut open: Vec<Element>) -> Option<Element> {
    while open.len() > 1 {
        let inner = open.pop()?;
        open.last_mut()?.children.push(tree::Node::Element(inner));
    }
    open.pop()?.children.into_iter().find_map(|node| match node {
        tree::Node::Element(element) => Some(element),
        tree::Node::Text(_) => None,
    })
}

impl Channel {
    /// From the elements that are open before the first entry, and the text behind the last.
    fn read(open: &[Element], tail: &str, given: Option<&Url>) -> Self {
        let mut channel = Self {
            base: given.cloned(),
            ..Self::default()
        };
        let mut says = Says::default();
        for element in open.iter().skip(1) {
            channel.names.declare(element);
            channel.around.push(element.name.clone());
            channel.enter(element);
        }
        for element in open.iter().flat_map(Element::elements) {
            says.look_at(element, &channel.names);
            // RDF's channel stands beside its items.
            if local(&element.name).eq_ignore_ascii_case("channel") {
                for inner in element.elements() {
                    says.look_at(inner, &channel.names);
                }
            }
        }
        for element in tree::parse(tail, &channel.around, true)
            .open
            .iter()
            .flat_map(Element::elements)
        {
            says.look_at(element, &channel.names);
        }
        channel.language = says.language.or(channel.language);
        // A base that the document declares or that was given wins over what the feed says of itself.
        channel.base = channel.base.or(says.page).or(says.itself);
        channel
    }

    /// Takes over what an element says of all that is in it; `true` where that is a base.
    pub(super) fn enter(&mut self, element: &Element) -> bool {
        if let Some(language) = element.attribute("xml:lang").filter(|l| !l.trim().is_empty()) {
            self.language = Some(language.trim().to_owned());
        }
        let Some(base) = element.attribute("xml:base") else {
            return false;
        };
        let resolved = self.resolve(base);
        let found = resolved.is_some();
        self.base = resolved.or_else(|| self.base.take());
        found
    }

    /// An address, if need be relative to the base.
    pub(super) fn resolve(&self, link: &str) -> Option<Url> {
        let link = link.trim();
        let url = match Url::parse(link) {
            Ok(url) => url,
            Err(_) => self.base.as_ref()?.join(link).ok()?,
        };
        (matches!(url.scheme(), "http" | "https") && !link.is_empty()).then_some(url)
    }
}

/// What a feed says of itself.
#[derive(Default)]
struct Says {
    page: Option<Url>,
    itself: Option<Url>,
    language: Option<String>,
}

impl Says {
    fn look_at(&mut self, element: &Element, names: &Names) {
        let (family, name) = names.of(element);
        match (family, name.as_str()) {
            (Family::Core, "link") => {
                let url = |text: &str| Url::parse(text.trim()).ok().filter(Url::has_host);
                match element.attribute("href") {
                    None => self.page = self.page.take().or_else(|| url(&element.text())),
                    Some(href) => match element.attribute("rel").unwrap_or("alternate") {
                        "self" => self.itself = self.itself.take().or_else(|| url(href)),
                        "alternate" => self.page = self.page.take().or_else(|| url(href)),
                        _ => {}
                    },
                }
            }
            (Family::Core | Family::Dc, "language") => {
                let text = element.text().trim().to_owned();
                self.language = self.language.take().or(Some(text).filter(|t| !t.is_empty()));
            }
            _ => {}
        }
    }
}

fn item(element: &Element, channel: &Channel) -> Item {
    let mut own = channel.clone();
    own.names.declare(element);
    own.enter(element);
    entry::read(element, &own)
}
