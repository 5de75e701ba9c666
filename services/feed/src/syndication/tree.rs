//! A piece of XML as a small tree, however broken it is.
//!
//! xml5ever cuts it into tags and text: it trades well-formedness for recovery and has no syntax error that
//! ends it. What is decided here is which element a tag closes. No entity of a document's own is ever
//! expanded.

use std::cell::RefCell;

use copydesk_article::fold_case;
use xml5ever::buffer_queue::BufferQueue;
use xml5ever::tendril::StrTendril;
use xml5ever::tokenizer::{ProcessResult, Tag, TagKind, Token, TokenSink, XmlTokenizer, XmlTokenizerOpts};
use xml5ever::{Attribute, QualName};

/// Elements within an element: enough for every real page, and no way to exhaust anything. What lies deeper
/// is flattened.
const DEPTH: usize = 512;

/// Elements of HTML that never hold anything: they need no end.
const VOID: [&str; 10] = [
    "area", "br", "col", "embed", "hr", "img", "input", "param", "track", "wbr",
];

/// Fields of an entry that hold text and nothing else.
const PLAIN: [&str; 10] = [
    "title",
    "link",
    "guid",
    "id",
    "pubdate",
    "published",
    "updated",
    "date",
    "creator",
    "issued",
];
/// Fields of an entry that hold an article.
const BODIES: [&str; 4] = ["description", "summary", "content", "encoded"];
/// Names that no element of HTML has: where one begins, a field that is still open has lost its end.
const NEVER_HTML: [&str; 8] = [
    "guid",
    "pubdate",
    "published",
    "updated",
    "creator",
    "description",
    "encoded",
    "issued",
];

/// An element with what is in it.
#[derive(Debug, Default)]
pub(super) struct Element {
    /// Its name with its prefix, as it stands.
    pub(super) name: String,
    pub(super) attributes: Vec<(String, String)>,
    pub(super) children: Vec<Node>,
}

#[derive(Debug)]
pub(super) enum Node {
    Text(String),
    Element(Element),
}

impl Element {
    /// The value of an attribute.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The elements in it.
    pub(super) fn elements(&self) -> impl Iterator<Item = &Self> {
        self.children.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    /// All text in it, without tags.
    pub(super) fn text(&self) -> String {
        let mut out = String::new();
        self.push_text(&mut out);
        out
    }

    fn push_text(&self, out: &mut String) {
        for node in &self.children {
            match node {
                Node::Text(text) => out.push_str(text),
                Node::Element(element) => element.push_text(out),
            }
        }
    }
}

/// A name without its prefix.
pub(super) fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

/// What came of a piece.
#[derive(Debug)]
pub(super) struct Parsed {
    /// What is still open at the piece's end, the outermost first; the first stands for the document and has
    /// what was closed.
    pub(super) open: Vec<Element>,
    /// The first element of the piece came to an end: by its own tag, or by that of an element around it.
    pub(super) closed: bool,
    /// The end of an entry that does not begin in the piece.
    pub(super) stray_end: bool,
}

/// Reads a piece up to the end of its first element, or all of it (`whole`). `around` are the elements that
/// it is within.
pub(super) fn parse(piece: &str, around: &[String], whole: bool) -> Parsed {
    let sink = Sink {
        state: RefCell::new(State {
            open: vec![Element::default()],
            closed: false,
            stray_end: false,
            around: around.to_vec(),
            whole,
        }),
    };
    let tokenizer = XmlTokenizer::new(sink, XmlTokenizerOpts::default());
    let input = BufferQueue::default();
    // A tendril's length is 32 bits wide; a piece is far smaller, and a document is bounded.
    input.push_back(StrTendril::from_slice(piece));
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    let state = tokenizer.sink.state.into_inner();
    Parsed {
        open: state.open,
        closed: state.closed,
        stray_end: state.stray_end,
    }
}

struct Sink {
    state: RefCell<State>,
}

struct State {
    open: Vec<Element>,
    closed: bool,
    stray_end: bool,
    around: Vec<String>,
    whole: bool,
}

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token) -> ProcessResult<()> {
        self.state.borrow_mut().take(token);
        ProcessResult::Continue
    }
}

impl State {
    fn take(&mut self, token: Token) {
        if self.closed && !self.whole {
            if let Token::Tag(tag) = &token {
                self.stray_end |= tag.kind == TagKind::EndTag && is_entry(&qualified(&tag.name));
            }
            return;
        }
        match token {
            Token::Characters(text) => self.text(&text),
            Token::Tag(tag) => match tag.kind {
                TagKind::StartTag => self.start(tag),
                TagKind::EmptyTag => self.push(element(tag)),
                TagKind::EndTag => self.end(&qualified(&tag.name)),
                TagKind::ShortTag => self.pop(),
            },
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        let Some(top) = self.open.last_mut() else { return };
        if let Some(Node::Text(before)) = top.children.last_mut() {
            before.push_str(text);
        } else {
            top.children.push(Node::Text(text.to_owned()));
        }
    }

    fn start(&mut self, tag: Tag) {
        let element = element(tag);
        let name = fold_case(local(&element.name));
        // The entry is the second of what is open, its field the third.
        if let Some(field) = self.open.get(2).map(|f| fold_case(local(&f.name))) {
            let is = |list: &[&str], name: &str| list.contains(&name);
            let lost = is(&PLAIN, &field) && (is(&PLAIN, &name) || is(&BODIES, &name));
            if !self.whole && (lost || (is(&BODIES, &field) && is(&NEVER_HTML, &name))) {
                self.close_to(2);
            }
        }
        if VOID.contains(&name.as_str()) || self.open.len() > DEPTH {
            self.push(element);
        } else {
            self.open.push(element);
        }
    }

    /// Closes the innermost element of this name and what is open within it. A tag that closes nothing is passed over.
    fn end(&mut self, name: &str) {
        let same = |e: &Element| e.name.eq_ignore_ascii_case(name);
        if let Some(at) = self.open.iter().rposition(same).filter(|at| *at > 0) {
            self.close_to(at);
        } else if self.around.iter().any(|a| a.eq_ignore_ascii_case(name)) {
            self.close_to(1);
        } else {
            self.stray_end |= is_entry(name);
        }
    }

    fn close_to(&mut self, at: usize) {
        while self.open.len() > at.max(1) {
            self.pop();
        }
    }

    fn pop(&mut self) {
        if self.open.len() > 1
            && let Some(element) = self.open.pop()
        {
            self.push(element);
        }
    }

    fn push(&mut self, element: Element) {
        if let Some(top) = self.open.last_mut() {
            top.children.push(Node::Element(element));
        }
        self.closed |= self.open.len() == 1;
    }
}

/// Whether this is the name of an entry, whatever its prefix.
fn is_entry(name: &str) -> bool {
    ["item", "entry"]
        .iter()
        .any(|entry| local(name).eq_ignore_ascii_case(entry))
}

fn element(tag: Tag) -> Element {
    let attribute = |a: Attribute| (qualified(&a.name), a.value.to_string());
    Element {
        name: qualified(&tag.name),
        attributes: tag.attrs.into_iter().map(attribute).collect(),
        children: Vec::new(),
    }
}

fn qualified(name: &QualName) -> String {
    match &name.prefix {
        Some(prefix) if !prefix.is_empty() => format!("{prefix}:{}", name.local),
        _ => name.local.to_string(),
    }
}
