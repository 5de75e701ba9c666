//! How big a message and its parts may be.

use copydesk_article::{Reason, Reject};

use crate::reject;

/// The limits of one message. All sizes are in bytes (of UTF-8 where it is text).
///
/// Over a limit on the message or its body, the message is refused ([`Reason::TooLarge`]). Over a limit on
/// one field, the field is cut or set aside with a warning: a monstrous title is no reason to lose an article.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The record's value as it stands on the topic. Default 8 MiB.
    pub max_record_bytes: usize,
    /// What it may decompress to. Default 16 MiB.
    pub max_decompressed_bytes: usize,
    /// How many times its compressed size it may decompress to. HTML reaches 10 to 30. Default 200.
    pub max_ratio: usize,
    /// Up to this many bytes any ratio is harmless. Default 1 MiB.
    pub ratio_free_bytes: usize,
    /// An HTML body. Default 8 MiB.
    pub max_html_bytes: usize,
    /// A text body. Default 1 MiB, the most that Postgres' full-text index takes.
    pub max_text_bytes: usize,
    /// A URL; browsers and crawlers agree on 2,048, the default.
    pub max_url_bytes: usize,
    /// A title; a longer one is cut. Default 4,096.
    pub max_title_bytes: usize,
    /// Authors that are kept, in order. Default 64.
    pub max_authors: usize,
    /// The name of an author, of a site; a longer name is cut, a longer site set aside. Default 512.
    pub max_name_bytes: usize,
    /// JSON values in the extra fields, counting nested ones. Bounds the memory that a dense record
    /// unfolds to: a value takes 32 bytes and more, but as little as 2 in JSON. Default 65,536.
    pub max_extra_values: usize,
}

impl Default for Limits {
    fn default() -> Self {
        const MIB: usize = 1 << 20;
        Self {
            max_record_bytes: 8 * MIB,
            max_decompressed_bytes: 16 * MIB,
            max_ratio: 200,
            ratio_free_bytes: MIB,
            max_html_bytes: 8 * MIB,
            max_text_bytes: MIB,
            max_url_bytes: 2_048,
            max_title_bytes: 4_096,
            max_authors: 64,
            max_name_bytes: 512,
            max_extra_values: 65_536,
        }
    }
}

impl Limits {
    /// Refuses `what` if its `size` is over `limit`.
    pub(crate) fn check(&self, what: &str, size: usize, limit: usize) -> Result<(), Reject> {
        if size <= limit {
            return Ok(());
        }
        Err(reject(
            Reason::TooLarge,
            format!("{what} has {size} bytes, the limit is {limit}"),
        ))
    }
}
