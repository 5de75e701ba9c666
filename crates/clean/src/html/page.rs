//! The page as it is read: one walk over the parsed document gives its blocks, its elements and the facts
//! that metadata is made of. Everything after this works on these flat lists.

use copydesk_article::{BlockKind, Link};
use dom_query::{Document, NodeId};
use dom_query::{Element, NodeData};

use crate::budget::Clock;
use crate::draft::Draft;
use crate::html::inner::{is_line, text_of};
use crate::html::line::Line;
use crate::html::parse::Over;
use crate::html::pictures::{MOST_IMAGES, PageImage, is_link, picture};
use crate::html::tags::{Flags, Tag, attr, flags_of, is_clipped, is_hidden};
use crate::metadata::facts::Facts;
use crate::rules::{Attribute, NameHints, Names, Rules, Scratch};

/// One element of the page's body, in document order.
#[derive(Debug)]
pub(crate) struct Elem {
    pub(crate) tag: Tag,
    pub(crate) parent: Option<usize>,
    /// What its id and classes say.
    pub(crate) hints: NameHints,
    /// What it is; once [`super::claims`] has settled it, what its ancestors are as well.
    pub(crate) flags: Flags,
    /// The widget that it is or stands in: index into the rules' widgets.
    pub(crate) widget: Option<u16>,
    /// Whether the widget's name stands for nothing else.
    pub(crate) sure: bool,
    /// Its blocks: `first_block..end_block`.
    pub(crate) first_block: usize,
    pub(crate) end_block: usize,
}

/// One block of the page.
#[derive(Debug)]
pub(crate) struct PageBlock {
    pub(crate) draft: Draft,
    /// The block element that it stands in.
    pub(crate) elem: usize,
    pub(crate) tag: Tag,
    pub(crate) flags: Flags,
    pub(crate) widget: Option<u16>,
    /// Whether the widget's name stands for nothing else.
    pub(crate) sure: bool,
    /// Its links, with addresses as the page has them.
    pub(crate) links: Vec<Link>,
}

/// The page.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) elems: Vec<Elem>,
    pub(crate) blocks: Vec<PageBlock>,
    pub(crate) images: Vec<PageImage>,
    pub(crate) facts: Facts,
}

/// How many nodes are read between two looks at the clock: reading one may go through all that it holds.
const NODES_BETWEEN_LOOKS: usize = 64;

/// A `noscript` with more text than this, in bytes, holds more than a notice.
const LONG_NOSCRIPT: usize = 1_000;
/// An element within a line that is not shown and has more text than this, in bytes, is looked at like any other: the
/// page may be shown later.
const LONGEST_UNSEEN: usize = 600;

struct Reader<'d> {
    doc: &'d Document,
    names: &'d Names,
    scratch: Scratch,
    page: Page,
    line: Line,
    /// Open elements: index into `elems`, or `None` for one that is not recorded.
    open: Vec<usize>,
    breaks: usize,
    /// The row of a table that is read as one line: its element.
    row: Option<usize>,
    /// The element that owns the block being read.
    owner: usize,
}

/// Reads the page.
///
/// # Errors
/// The page is nested too deep (some elements are no levels to the parser), or out of time.
pub(crate) fn read_page(
    doc: &Document,
    rules: &Rules,
    max_depth: usize,
    clock: &Clock,
) -> Result<Page, Over> {
    let mut reader = Reader {
        doc,
        names: &rules.names,
        scratch: Scratch::default(),
        page: Page::default(),
        line: Line::default(),
        open: Vec::new(),
        breaks: 0,
        row: None,
        owner: 0,
    };
    reader.walk(max_depth, clock)?;
    Ok(reader.page)
}

/// What the walk needs of a node, copied out so that the tree is not borrowed while it moves on.
struct Step {
    first_child: Option<NodeId>,
    next_sibling: Option<NodeId>,
    parent: Option<NodeId>,
}

impl Reader<'_> {
    /// Depth first, without recursion: pages can be nested deeper than a stack.
    fn walk(&mut self, max_depth: usize, clock: &Clock) -> Result<(), Over> {
        let root = self.doc.root().id;
        let mut id = root;
        let mut depth = 0;
        let mut nodes = 0_usize;
        loop {
            nodes += 1;
            if nodes.is_multiple_of(NODES_BETWEEN_LOOKS) && clock.is_over() {
                return Err(Over::Time);
            }
            let descend = self.enter(id);
            let step = self.step(id);
            if descend && let Some(child) = step.first_child {
                depth += 1;
                if depth > max_depth {
                    return Err(Over::Depth(depth));
                }
                id = child;
                continue;
            }
            if descend {
                self.leave(id);
            }
            let mut next = step.next_sibling;
            let mut parent = step.parent;
            while next.is_none() {
                let Some(up) = parent else {
                    self.flush();
                    return Ok(());
                };
                depth = depth.saturating_sub(1);
                self.leave(up);
                let step = self.step(up);
                next = step.next_sibling;
                parent = step.parent;
            }
            if let Some(next) = next {
                id = next;
            }
        }
    }

    fn step(&self, id: NodeId) -> Step {
        self.doc
            .tree
            .query_node(&id, |n| Step {
                first_child: n.first_child,
                next_sibling: n.next_sibling,
                parent: n.parent,
            })
            .unwrap_or(Step {
                first_child: None,
                next_sibling: None,
                parent: None,
            })
    }

    /// Opens a node. `false`: its children are not walked (and it is not left).
    fn enter(&mut self, id: NodeId) -> bool {
        let doc = self.doc;
        doc.tree
            .query_node(&id, |node| match &node.data {
                NodeData::Text { contents } => {
                    self.push_text(contents);
                    false
                }
                NodeData::Element(element) => self.enter_element(element, id),
                NodeData::Document | NodeData::Fragment => true,
                _ => false,
            })
            .unwrap_or(false)
    }

    fn push_text(&mut self, contents: &str) {
        if self.line.text().is_empty() {
            self.owner = self.row.or_else(|| self.open.last().copied()).unwrap_or(0);
        }
        if self.line.push(contents) {
            self.breaks = 0;
        }
    }

    fn enter_element(&mut self, element: &Element, id: NodeId) -> bool {
        let tag = Tag::of(&element.name.local);
        match tag {
            Tag::Head | Tag::Script | Tag::Meta | Tag::Title | Tag::Link | Tag::Base => {
                self.page.facts.read_head(tag, element, || {
                    self.doc.tree.get_unchecked(&id).text().to_string()
                });
                return tag == Tag::Head;
            }
            Tag::Skip => return false,
            Tag::Noscript if text_of(self.doc, id, " ").len() < LONG_NOSCRIPT => return false,
            Tag::Br => {
                self.breaks += 1;
                if self.breaks >= 2 && self.row.is_none() {
                    self.flush();
                } else {
                    self.line.space();
                }
                return false;
            }
            Tag::Html => self.page.facts.read_html(element),
            _ => {}
        }
        let mut hints = NameHints::default();
        for a in &element.attrs {
            match &*a.name.local {
                "class" => self
                    .names
                    .read(&a.value, Attribute::Class, &mut self.scratch, &mut hints),
                "id" => {
                    let kind = if matches!(tag, Tag::H(_)) {
                        Attribute::HeadingId
                    } else {
                        Attribute::Id
                    };
                    self.names.read(&a.value, kind, &mut self.scratch, &mut hints);
                }
                "itemprop" if a.value.split(' ').any(|p| p.eq_ignore_ascii_case("articleBody")) => {
                    hints.body = true;
                }
                _ => {}
            }
        }
        if !tag.is_block()
            && (is_clipped(element) || self.names.is_unseen(hints))
            && text_of(self.doc, id, " ").len() <= LONGEST_UNSEEN
        {
            return false;
        }
        if matches!(tag, Tag::Row | Tag::Cell) {
            // A row may be called "player" or "weather": it is what the table is about.
            hints.claim = None;
        }
        if tag.is_block() {
            self.end_block(tag);
        }
        if tag == Tag::A {
            self.line.open_link(attr(element, "href").filter(|h| is_link(h)));
        }
        let parent = self.open.last().copied();
        let mut flags = flags_of(tag, hints, element);
        if is_hidden(element) {
            flags = flags.union(Flags::HIDDEN);
        }
        let index = self.page.elems.len();
        let at = self.page.blocks.len();
        let before = self.line.text();
        let text = || text_of(self.doc, id, if matches!(tag, Tag::H(_)) { " " } else { " | " });
        self.page
            .facts
            .read_element(tag, element, hints.author, at, before, text);
        self.page.elems.push(Elem {
            tag,
            parent,
            hints,
            flags,
            widget: None,
            sure: false,
            first_block: self.page.blocks.len(),
            end_block: self.page.blocks.len(),
        });
        self.open.push(index);
        if tag == Tag::Inline
            && &*element.name.local == "img"
            && self.page.images.len() < MOST_IMAGES
            && let Some((url, alt)) = picture(element)
        {
            self.page.images.push(PageImage {
                elem: index,
                at,
                url,
                alt,
            });
        }
        if tag == Tag::Row && self.row.is_none() && is_line(self.doc, id) {
            self.row = Some(index);
        }
        true
    }

    /// A block element begins or ends. Within a row of a table that only sets its cells apart.
    fn end_block(&mut self, tag: Tag) {
        if self.row.is_none() {
            self.flush();
            return;
        }
        if tag == Tag::Cell {
            self.line.end_cell();
        } else {
            self.line.space();
        }
    }

    fn leave(&mut self, id: NodeId) {
        let tag = self
            .doc
            .tree
            .query_node(&id, |n| n.as_element().map(|e| Tag::of(&e.name.local)))
            .flatten();
        let Some(tag) = tag else { return };
        if matches!(
            tag,
            Tag::Head | Tag::Script | Tag::Meta | Tag::Title | Tag::Link | Tag::Base | Tag::Skip | Tag::Br
        ) {
            return;
        }
        if tag.is_block() && self.row.is_none() {
            self.flush();
        }
        if tag == Tag::A {
            self.line.close_link();
        }
        if self.row.is_some() && self.row == self.open.last().copied() {
            self.row = None;
            self.flush();
        }
        if let Some(index) = self.open.pop()
            && let Some(elem) = self.page.elems.get_mut(index)
        {
            elem.end_block = self.page.blocks.len();
            if tag == Tag::A && elem.end_block > elem.first_block {
                elem.flags = elem.flags.union(Flags::CARD);
            }
        }
    }

    /// Ends the block being read.
    fn flush(&mut self) {
        self.breaks = 0;
        let Some((text, linked, links)) = self.line.take() else {
            return;
        };
        let (elem, tag) = self.block_owner();
        let mut draft = Draft::new(BlockKind::Body, text);
        draft.linked = linked.min(draft.chars);
        self.page.blocks.push(PageBlock {
            draft,
            elem,
            tag,
            flags: Flags::default(),
            widget: None,
            sure: false,
            links,
        });
    }

    /// The nearest block element around the block's first text.
    fn block_owner(&self) -> (usize, Tag) {
        let mut at = Some(self.owner);
        while let Some(i) = at {
            let Some(elem) = self.page.elems.get(i) else { break };
            if elem.tag.is_block() {
                return (i, elem.tag);
            }
            at = elem.parent;
        }
        (0, Tag::Body)
    }
}
