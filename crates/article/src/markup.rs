//! What blocks were on their page besides their text, and the Markdown (CommonMark, with tables) that is made of them.
//!
//! Text and addresses are a stranger's: whatever Markdown would take for a sign is escaped, and addresses are
//! of the web and hold nothing that ends one.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::clean::{Block, BlockKind, CleanArticle};

/// What a block was on its page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Markup {
    /// The level of a heading, 1 to 6. 0: it is none, or nobody said.
    pub level: u8,
    /// It is the row of a table: its cells stand apart by " | ".
    pub is_row: bool,
    /// Its links, in order; none overlaps another.
    pub links: Vec<Link>,
    /// Pictures of the article that stand before its text.
    pub images: Vec<Image>,
}

/// A link in a block's text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The first byte of its text.
    pub start: usize,
    /// The first byte behind its text.
    pub end: usize,
    /// Where it leads: [`safe_address`].
    pub url: String,
}

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Its address: [`safe_address`].
    pub url: String,
    /// What it says to those who do not see it.
    pub alt: Option<String>,
    /// The text under it.
    pub caption: Option<String>,
}

/// An address as links and pictures have it: of the web, and without what Markdown would take for its end.
/// `None`: it is no absolute address of the web.
pub fn safe_address(url: &str) -> Option<String> {
    let web = url.starts_with("https://") || url.starts_with("http://");
    if !web || url.chars().any(char::is_control) {
        return None;
    }
    // "&copy;" would be read as the sign that it names.
    let names = url.contains('&');
    let mut out = String::with_capacity(url.len());
    for c in url.chars() {
        match c {
            '(' | ')' | '`' | '\\' | '|' | '"' | '<' | '>' | ' ' | '[' | ']' => {
                out.push_str(&format!("%{:02X}", u32::from(c)));
            }
            ';' if names => out.push_str("%3B"),
            c => out.push(c),
        }
    }
    Some(out)
}

/// A piece of Markdown and the block that it is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarkdownPart<'a> {
    /// The block's position among all blocks.
    pub position: usize,
    /// What it is.
    pub kind: PartKind,
    /// The Markdown.
    pub text: Cow<'a, str>,
}

/// What a piece of Markdown is: pieces of one list or table stand close together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartKind {
    /// A paragraph, a heading.
    Block,
    /// An item of a list.
    Item,
    /// A row of a table.
    Row,
    /// A quotation.
    Quote,
    /// A picture.
    Image,
}

impl PartKind {
    /// What stands between a piece and the one before it.
    const fn separator(self, before: Self) -> &'static str {
        match (before, self) {
            (Self::Item, Self::Item) | (Self::Row, Self::Row) => "\n",
            (Self::Quote, Self::Quote) => "\n>\n",
            _ => "\n\n",
        }
    }
}

impl CleanArticle {
    /// The body as Markdown: [`Self::markdown_parts`], put together.
    pub fn body_markdown(&self) -> String {
        let mut out = String::new();
        let mut before = None;
        for part in self.markdown_parts() {
            if let Some(before) = before {
                out.push_str(part.kind.separator(before));
            }
            out.push_str(&part.text);
            before = Some(part.kind);
        }
        out
    }

    /// The pieces of the body's Markdown, in order. A piece with the text of its block needed no sign.
    pub fn markdown_parts(&self) -> Vec<MarkdownPart<'_>> {
        let mut parts = Vec::new();
        let body: Vec<(usize, &Block)> = self.kept_body().collect();
        let mut rows_left = 0;
        let mut next = body.iter().enumerate().peekable();
        for (position, block) in self.blocks.iter().enumerate() {
            for image in block.markup.iter().flat_map(|m| &m.images) {
                parts.push(MarkdownPart {
                    position,
                    kind: PartKind::Image,
                    text: Cow::Owned(image.markdown()),
                });
            }
            let Some((n, _)) = next.next_if(|(_, (at, _))| *at == position) else {
                continue;
            };
            let (kind, text) = if is_row(block) {
                let rows = body.get(n..).unwrap_or_default();
                let rows = rows.iter().map(|(_, b)| *b).take_while(|b| is_row(b));
                let text = if rows_left == 0 {
                    let rows: Vec<&Block> = rows.collect();
                    rows_left = rows.len();
                    head(block, &rows)
                } else {
                    row(block)
                };
                rows_left -= 1;
                (PartKind::Row, Cow::Owned(text))
            } else {
                let text = inline(block, 0, block.text.len(), true);
                match block.kind {
                    BlockKind::SubHeadline => {
                        let level = block.markup.as_ref().map_or(0, |m| m.level);
                        let level = if level == 0 { 2 } else { level.min(6) };
                        let signs = "#".repeat(usize::from(level));
                        (PartKind::Block, Cow::Owned(format!("{signs} {text}")))
                    }
                    BlockKind::ListItem => (PartKind::Item, Cow::Owned(format!("- {text}"))),
                    BlockKind::Quote => (PartKind::Quote, Cow::Owned(format!("> {text}"))),
                    _ => (PartKind::Block, text),
                }
            };
            parts.push(MarkdownPart { position, kind, text });
        }
        parts
    }

    /// The links of the body: each with the position of its block, its text and its address.
    pub fn links(&self) -> impl Iterator<Item = (usize, &str, &str)> {
        self.kept_body().flat_map(|(position, block)| {
            let links = block.markup.iter().flat_map(|m| &m.links);
            links.filter_map(move |l| Some((position, block.text.get(l.start..l.end)?, l.url.as_str())))
        })
    }

    /// The pictures of the article, each with the position of the block before which it stands.
    pub fn images(&self) -> impl Iterator<Item = (usize, &Image)> {
        let blocks = self.blocks.iter().enumerate();
        blocks.flat_map(|(i, b)| {
            b.markup
                .iter()
                .flat_map(move |m| m.images.iter().map(move |image| (i, image)))
        })
    }

    fn kept_body(&self) -> impl Iterator<Item = (usize, &Block)> {
        let blocks = self.blocks.iter().enumerate();
        blocks.filter(|(_, b)| b.is_kept() && b.kind.is_body())
    }
}

impl Image {
    /// The picture as Markdown, its caption as the title.
    fn markdown(&self) -> String {
        let alt = self.alt.as_deref().map(escape_all).unwrap_or_default();
        match &self.caption {
            Some(caption) => format!("![{alt}]({} \"{}\")", self.url, escape_all(caption)),
            None => format!("![{alt}]({})", self.url),
        }
    }
}

fn is_row(block: &Block) -> bool {
    block.markup.as_ref().is_some_and(|m| m.is_row)
}

/// Between two cells of a row.
const CELLS: &str = " | ";

fn columns(block: &Block) -> usize {
    block.text.matches(CELLS).count() + 1
}

/// The first row of a table and the line under it: as wide as the widest row, or cells would be lost.
fn head(block: &Block, rows: &[&Block]) -> String {
    let most = rows.iter().map(|b| columns(b)).max().unwrap_or(1);
    let more = most - columns(block).min(most);
    format!("{}{}\n|{}", row(block), "  |".repeat(more), " --- |".repeat(most))
}

fn row(block: &Block) -> String {
    let mut out = String::from("|");
    let mut from = 0;
    let mut ends: Vec<usize> = block.text.match_indices(CELLS).map(|(i, _)| i).collect();
    ends.push(block.text.len());
    for end in ends {
        out.push(' ');
        out.push_str(&inline(block, from, end, false));
        out.push_str(" |");
        from = end + CELLS.len();
    }
    out
}

/// A part of a block's text, its links as links.
fn inline(block: &Block, from: usize, to: usize, is_start: bool) -> Cow<'_, str> {
    let links = block.markup.as_ref().map_or(&[][..], |m| m.links.as_slice());
    let within = links
        .iter()
        .filter(|l| l.start >= from && l.end <= to && l.start < l.end);
    let text = |from: usize, to: usize| block.text.get(from..to).unwrap_or_default();
    let mut out = String::new();
    let mut at = from;
    for link in within.filter(|l| block.text.get(l.start..l.end).is_some()) {
        if link.start < at {
            continue;
        }
        let is_first = is_start && at == from;
        out.push_str(&escape(text(at, link.start), is_first));
        // "Look![here]" would be a picture.
        if out.ends_with('!') {
            out.pop();
            out.push_str("\\!");
        }
        out.push_str(&format!(
            "[{}]({})",
            escape(text(link.start, link.end), false),
            link.url
        ));
        at = link.end;
    }
    if at == from {
        return escape(text(from, to), is_start);
    }
    out.push_str(&escape(text(at, to), false));
    Cow::Owned(out)
}

/// Text with a backslash before whatever Markdown would take for a sign. `is_start`: it begins a line.
fn escape(text: &str, is_start: bool) -> Cow<'_, str> {
    let sign = |c: char| {
        matches!(
            c,
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '&' | '|' | '~' | '\n' | '\r'
        )
    };
    // Every sign is ASCII, and most texts have none.
    if !(text.bytes().any(|b| sign(char::from(b))) || is_start && opens_line(text)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    let mut rest = text;
    if is_start && opens_line(text) {
        // "1986. A year": the sign is behind the number.
        let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        out.push_str(text.get(..digits).unwrap_or_default());
        out.push('\\');
        rest = text.get(digits..).unwrap_or_default();
    }
    let mut before = ' ';
    let mut chars = rest.chars().peekable();
    while let Some(c) = chars.next() {
        let next = chars.peek().copied().unwrap_or(' ');
        match c {
            '\n' | '\r' => out.push(' '),
            // Within a word it is none: "file_name".
            '_' if before.is_alphanumeric() && next.is_alphanumeric() => out.push(c),
            '&' if !(next == '#' || next.is_ascii_alphabetic()) => out.push(c),
            c if sign(c) => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
        before = c;
    }
    Cow::Owned(out)
}

/// Whether a line begins as a heading, a list or a rule does, but for what is escaped wherever it stands.
fn opens_line(text: &str) -> bool {
    if text.starts_with(['#', '+', '-', '=']) {
        return true;
    }
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = text.len() - rest.len();
    (1..=9).contains(&digits)
        && rest.starts_with(['.', ')'])
        && !rest
            .get(1..)
            .is_some_and(|r| r.starts_with(|c: char| !c.is_whitespace()))
}

/// Text within the brackets of a picture, as the function `copydesk_escaped` of the database has it.
fn escape_all(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' => out.push(' '),
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '&' | '|' | '~' | '"' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests;
