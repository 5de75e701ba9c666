//! What one article may cost.

/// The most that one article may cost. An article over a limit is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// Bytes of HTML. Over it: [`copydesk_article::Reason::TooLarge`].
    pub max_html_bytes: usize,
    /// Nodes of the parsed page. Over it: [`copydesk_article::Reason::TooManyNodes`].
    pub max_nodes: usize,
    /// Depth of the parsed page. Over it: [`copydesk_article::Reason::TooDeep`].
    pub max_depth: usize,
    /// Characters of a scraped text. Over it: [`copydesk_article::Reason::TooLarge`].
    pub max_text_chars: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            max_html_bytes: 8 << 20,
            max_nodes: 200_000,
            max_depth: 512,
            max_text_chars: 4_000_000,
        }
    }
}
