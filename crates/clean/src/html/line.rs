//! The text of the block that is being read, and which of it stands in links.

use copydesk_article::Link;

use super::pictures::MOST_LINKS;
use crate::normalise::fold_space_into;

/// The text of one block.
#[derive(Debug, Default)]
pub(super) struct Line {
    text: String,
    /// Characters that stand in links.
    linked: usize,
    /// Links that are open: broken pages have several.
    depth: usize,
    /// The link that is open: where its text begins, and its address.
    link: Option<(usize, String)>,
    links: Vec<Link>,
}

impl Line {
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Adds text, its white space folded. Whether there was any.
    pub(super) fn push(&mut self, contents: &str) -> bool {
        let before = self.text.len();
        // White space at the start separates it from what stands before it.
        if contents.starts_with(|c: char| c.is_whitespace()) {
            self.space();
        }
        fold_space_into(contents, &mut self.text);
        if contents.ends_with(|c: char| c.is_whitespace()) {
            self.space();
        }
        let added = self.text.get(before..).unwrap_or_default();
        if self.depth > 0 {
            self.linked += added.chars().count();
        }
        !added.is_empty()
    }

    /// Sets apart what follows.
    pub(super) fn space(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with(' ') {
            self.text.push(' ');
        }
    }

    /// A cell of a table ends.
    pub(super) fn end_cell(&mut self) {
        let end = self.text.trim_end().len();
        if end == 0 {
            return;
        }
        self.text.truncate(end);
        if !self.text.ends_with('|') {
            self.text.push_str(" |");
        }
        self.text.push(' ');
    }

    /// A link begins. `address`: where it leads, if that is another page.
    pub(super) fn open_link(&mut self, address: Option<&str>) {
        self.depth += 1;
        self.note_link();
        self.link = address.map(|a| (self.text.len(), a.to_owned()));
    }

    pub(super) fn close_link(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        self.note_link();
        self.link = None;
    }

    /// Notes the text of the open link, as far as it was read into this block.
    fn note_link(&mut self) {
        let Some((start, url)) = &self.link else { return };
        let text = self.text.get(*start..).unwrap_or_default();
        let end = start + text.trim_end().len();
        let start = start + text.len() - text.trim_start().len();
        if start < end && self.links.len() < MOST_LINKS {
            let url = url.clone();
            self.links.push(Link { start, end, url });
        }
    }

    /// Ends the block: its text, how many characters of it stand in links, and the links. `None`: there is no text.
    pub(super) fn take(&mut self) -> Option<(String, usize, Vec<Link>)> {
        self.note_link();
        if let Some((start, _)) = &mut self.link {
            *start = 0;
        }
        let mut links = std::mem::take(&mut self.links);
        let linked = std::mem::take(&mut self.linked);
        let text = self.text.trim().trim_end_matches([' ', '|']).to_owned();
        let front = self.text.len() - self.text.trim_start().len();
        self.text.clear();
        links.retain_mut(|link| {
            link.start = link.start.saturating_sub(front);
            link.end = link.end.saturating_sub(front).min(text.len());
            link.start < link.end
        });
        (!text.is_empty()).then_some((text, linked, links))
    }
}
