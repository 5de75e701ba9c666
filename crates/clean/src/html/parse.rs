//! The parser: HTML to a tree, within limits that hold while the tree is built.
//!
//! **In** comes a page, or a piece of HTML out of a value of metadata. **Out** goes the tree that
//! [`dom_query`] would have built. What **may fail** is [`Over`]: the page is over a limit, and the rest of it
//! was not parsed.
//!
//! A small page can make a large tree (each paragraph opens every formatting element again that was left
//! open), and a slow one (each tag looks through the elements that are open, each attribute through the
//! others of its tag). So [`Guard`] stands between the tokenizer and the tree builder: it counts what each
//! token made, and lets nothing through after a limit. Parsing in pieces ([`PIECE`]) lets it look at the
//! clock within a tag as well.

use std::cell::{Cell, RefCell};

use dom_query::{Document, NodeId};
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};
use html5ever::tree_builder::{Tracer, TreeBuilder, TreeBuilderOpts, TreeSink, create_element};
use html5ever::{QualName, TokenizerResult, local_name, ns};

use crate::budget::Clock;

/// What a parsed page may be. See [`crate::Budget`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Nodes of the tree.
    pub(crate) nodes: usize,
    /// Levels of the tree.
    pub(crate) depth: usize,
}

/// The limit that a page is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Over {
    /// More nodes.
    Nodes(usize),
    /// More attributes, all elements together, than twice the nodes that are allowed.
    Attributes(usize),
    /// Nested deeper.
    Depth(usize),
    /// Out of CPU time.
    Time,
}

/// How much is parsed between two looks at the clock, in bytes.
const PIECE: usize = 4 << 10;
/// How many tokens are. Even the dearest token takes some milliseconds only.
const TOKENS: u32 = 16;
/// The attributes of a tag that are read; the others are dropped. What a tag has more comes from a quotation
/// mark that was never closed, or is meant to be slow.
const MOST_ATTRIBUTES: usize = 256;
/// Attributes of the whole page, for each node that is allowed.
pub(crate) const ATTRIBUTES_PER_NODE: usize = 2;
/// After so many new nodes the open elements are counted again.
const NEW_NODES: usize = 64;

/// Parses a page.
///
/// # Errors
/// The limit that the page is over.
pub(crate) fn parse(html: &str, limits: Limits, clock: &Clock) -> Result<Document, Over> {
    let sink = Document::default();
    run(html, TreeBuilder::new(sink, options()), limits, clock)
}

/// Parses a piece of HTML as the content of a `body`.
///
/// # Errors
/// The limit that the piece is over.
pub(crate) fn parse_fragment(html: &str, limits: Limits, clock: &Clock) -> Result<Document, Over> {
    let sink = Document::fragment_sink();
    let body = QualName::new(None, ns!(html), local_name!("body"));
    let body = create_element(&sink, body, Vec::new());
    let options = TreeBuilderOpts {
        drop_doctype: true,
        ..options()
    };
    run(
        html,
        TreeBuilder::new_for_fragment(sink, body, None, options),
        limits,
        clock,
    )
}

fn options() -> TreeBuilderOpts {
    TreeBuilderOpts {
        scripting_enabled: false,
        ..TreeBuilderOpts::default()
    }
}

fn run(
    html: &str,
    builder: TreeBuilder<NodeId, Document>,
    limits: Limits,
    clock: &Clock,
) -> Result<Document, Over> {
    let guard = Guard {
        builder,
        limits,
        clock,
        over: Cell::new(None),
        tokens: Cell::new(0),
        counted: Cell::new(0),
        attributes: Cell::new(0),
        widest: Cell::new(0),
        of_root: Cell::new(0),
    };
    let tokenizer = Tokenizer::new(guard, TokenizerOpts::default());
    let input = BufferQueue::default();
    for piece in Pieces::of(html) {
        input.push_back(piece);
        // A script or a charset that is met suspends the tokenizer; neither matters here.
        while !matches!(tokenizer.feed(&input), TokenizerResult::Done) {}
        tokenizer.sink.between_pieces()?;
    }
    tokenizer.end();
    tokenizer.sink.between_pieces()?;
    Ok(tokenizer.sink.builder.sink.finish())
}

/// A page in pieces that share its bytes.
struct Pieces<'h> {
    html: &'h str,
    whole: StrTendril,
    at: usize,
}

impl<'h> Pieces<'h> {
    fn of(html: &'h str) -> Self {
        Self {
            html,
            whole: StrTendril::from(html),
            at: 0,
        }
    }
}

impl Iterator for Pieces<'_> {
    type Item = StrTendril;

    fn next(&mut self) -> Option<StrTendril> {
        let start = self.at;
        let mut end = self.html.floor_char_boundary(start + PIECE);
        // The tokenizer drops a byte order mark wherever it begins to read.
        while self
            .html
            .get(end..)
            .is_some_and(|rest| rest.starts_with('\u{feff}'))
        {
            end += '\u{feff}'.len_utf8();
        }
        if start == end {
            return None;
        }
        self.at = end;
        let (start, end) = (u32::try_from(start).ok()?, u32::try_from(end).ok()?);
        self.whole.try_subtendril(start, end - start).ok()
    }
}

/// Stands between the tokenizer and the tree builder.
struct Guard<'c> {
    builder: TreeBuilder<NodeId, Document>,
    limits: Limits,
    clock: &'c Clock,
    over: Cell<Option<Over>>,
    /// Tokens since the last look at the clock.
    tokens: Cell<u32>,
    /// How many nodes there were when the open elements were counted.
    counted: Cell<usize>,
    /// Attributes of all elements.
    attributes: Cell<usize>,
    /// The most attributes that a tag of formatting had.
    widest: Cell<usize>,
    /// Attributes of all tags of `html` and `body`: each adds to the one element, and looks through it for
    /// each of its own.
    of_root: Cell<usize>,
}

impl Guard<'_> {
    /// After each piece: whether parsing goes on.
    fn between_pieces(&self) -> Result<(), Over> {
        // Errors of the page's author are of no use here, and there may be one for each character.
        self.errors().borrow_mut().clear();
        if self.clock.is_over() {
            self.over.set(self.over.get().or(Some(Over::Time)));
        }
        self.over.get().map_or(Ok(()), Err)
    }

    fn errors(&self) -> &RefCell<Vec<std::borrow::Cow<'static, str>>> {
        &self.builder.sink.errors
    }

    fn nodes(&self) -> usize {
        self.builder.sink.tree.len()
    }

    /// Drops attributes beyond those that are read.
    fn trim(&self, tag: &mut Tag) {
        let mut most = MOST_ATTRIBUTES;
        if matches!(tag.name, local_name!("html") | local_name!("body")) {
            most -= self.of_root.get();
            self.of_root.set(self.of_root.get() + tag.attrs.len().min(most));
        }
        tag.attrs.truncate(most);
        if tag.attrs.len() > self.widest.get() && is_formatting(tag) {
            self.widest.set(tag.attrs.len());
        }
    }

    /// Looks at what a token made. `before`: the nodes before it.
    fn check(&self, before: usize, attributes: usize) -> Option<Over> {
        let nodes = self.nodes();
        if nodes > self.limits.nodes {
            return Some(Over::Nodes(nodes));
        }
        // What a token makes beside its own element are copies of formatting elements, with their attributes: as
        // many, at the most, as any of them had.
        let copies = (nodes - before).saturating_sub(2);
        let attributes = self.attributes.get() + attributes + copies * self.widest.get();
        self.attributes.set(attributes);
        if attributes > ATTRIBUTES_PER_NODE * self.limits.nodes {
            return Some(Over::Attributes(attributes));
        }
        if nodes >= self.counted.get() + NEW_NODES {
            self.counted.set(nodes);
            let open = self.open();
            // Formatting elements count twice, as open and as such.
            if open > 2 * self.limits.depth {
                return Some(Over::Depth(open));
            }
        }
        let tokens = self.tokens.get() + 1;
        self.tokens.set(tokens % TOKENS);
        (tokens == TOKENS && self.clock.is_over()).then_some(Over::Time)
    }

    /// The elements that are open, and those of formatting that will be opened again.
    fn open(&self) -> usize {
        let count = Count(Cell::new(0));
        self.builder.trace_handles(&count);
        count.0.get()
    }
}

impl TokenSink for Guard<'_> {
    type Handle = NodeId;

    fn process_token(&self, mut token: Token, line: u64) -> TokenSinkResult<NodeId> {
        if self.over.get().is_some() || matches!(token, Token::ParseError(_)) {
            return TokenSinkResult::Continue;
        }
        let mut attributes = 0;
        if let Token::TagToken(tag) = &mut token {
            self.trim(tag);
            attributes = tag.attrs.len();
        }
        let before = self.nodes();
        let result = self.builder.process_token(token, line);
        self.over.set(self.check(before, attributes));
        result
    }

    fn end(&self) {
        self.builder.end();
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&self) -> bool {
        self.builder
            .adjusted_current_node_present_but_not_in_html_namespace()
    }
}

/// Whether a tag opens an element that HTML opens again by itself.
fn is_formatting(tag: &Tag) -> bool {
    tag.kind == TagKind::StartTag
        && matches!(
            tag.name,
            local_name!("a")
                | local_name!("b")
                | local_name!("big")
                | local_name!("code")
                | local_name!("em")
                | local_name!("font")
                | local_name!("i")
                | local_name!("nobr")
                | local_name!("s")
                | local_name!("small")
                | local_name!("strike")
                | local_name!("strong")
                | local_name!("tt")
                | local_name!("u")
        )
}

/// Counts what the tree builder holds on to.
struct Count(Cell<usize>);

impl Tracer for Count {
    type Handle = NodeId;

    fn trace_handle(&self, _: &NodeId) {
        self.0.set(self.0.get() + 1);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    const LIMITS: Limits = Limits {
        nodes: 10_000,
        depth: 100,
    };

    fn over(html: &str) -> Option<Over> {
        parse(html, LIMITS, &Clock::endless()).err()
    }

    proptest! {
        /// Pieces and limits change nothing about a page within them.
        #[test]
        fn the_tree_is_the_one_without_limits(
            tags in "(<(/?(p|b|i|a|div|table|td|tr|li|ul|h1|script|svg|math|template|select|pre|body)( c=\"[<>&;a ]{0,4}\")?)>|<!--a|-->|&amp;|&am|\r\n?|x é|\u{feff}|<|\"){0,60}",
            before in 0..=PIECE,
        ) {
            // Somewhere in it a piece ends.
            let html = format!("{}{tags}", "y".repeat(PIECE - before.min(PIECE).min(200)));
            let plainly = Document::from(html.as_str()).html();
            let guarded = parse(&html, LIMITS, &Clock::endless()).ok().map(|doc| doc.html());
            prop_assert_eq!(guarded.as_ref(), Some(&plainly));
            let plainly = Document::fragment(html.as_str()).html();
            let guarded = parse_fragment(&html, LIMITS, &Clock::endless()).ok().map(|doc| doc.html());
            prop_assert_eq!(guarded.as_ref(), Some(&plainly));
        }
    }

    #[test]
    fn a_small_page_does_not_make_a_large_tree() {
        // Each paragraph opens every formatting element again.
        let fonts: String = (0..90).map(|n| format!("<font size={n}>")).collect();
        let page = format!("<p>{fonts}{}", "<p>x".repeat(5_000));
        assert!(matches!(over(&page), Some(Over::Nodes(10_001..=10_200))));
        let wide: String = (0..200).map(|n| format!(" a{n}")).collect();
        let page = format!("<p><b{wide}><i{wide}>{}", "<p>x".repeat(5_000));
        assert!(matches!(over(&page), Some(Over::Attributes(_))));
    }

    #[test]
    fn what_is_open_is_bounded() {
        let fonts: String = (0..3_000).map(|n| format!("<font size={n}>")).collect();
        let kinds = [
            "<div>".repeat(3_000),
            "<b><div>".repeat(1_500),
            "<svg>".repeat(3_000),
            "<template>".repeat(3_000),
            "<frameset>".repeat(3_000),
            "<table><tr><td>".repeat(1_000),
            fonts.clone(),
            format!("<p>{fonts}{}", "<p>x".repeat(100_000)),
        ];
        for kind in kinds {
            let found = over(&kind);
            assert!(matches!(found, Some(Over::Depth(201..=400))), "{found:?}");
        }
    }

    #[test]
    fn attributes_of_a_tag_are_bounded() {
        let attributes: String = (0..1_000).map(|n| format!(" a{n}")).collect();
        let many: String = (0..2_000).map(|n| format!("<body b{n}><html c{n}>")).collect();
        for page in [format!("<p{attributes}>x"), many] {
            let doc = parse(&page, LIMITS, &Clock::endless()).ok().unwrap();
            assert_eq!(doc.html().matches('=').count(), MOST_ATTRIBUTES);
        }
    }

    #[test]
    fn the_clock_stops_it_within_a_tag() {
        let clock = Clock::start(Duration::ZERO);
        let attributes: String = (0..10_000).map(|n| format!(" a{n}")).collect();
        let found = parse(&format!("<p{attributes}"), LIMITS, &clock).err();
        assert_eq!(found, Some(Over::Time));
    }
}
