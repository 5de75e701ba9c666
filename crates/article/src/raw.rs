//! What a producer sent, decoded but not yet cleaned.

use chrono::{DateTime, Utc};

use crate::Timestamp;

/// One raw article as the message contract (docs/messages.md) describes it.
///
/// Strings are valid UTF-8 without NUL and within the limits of `copydesk-decode`; nothing else is
/// promised about them: they come from strangers.
#[derive(Debug, Clone, PartialEq)]
pub struct RawArticle {
    /// Where the article was fetched, as the producer gave it. Absent for text without a known address.
    pub url: Option<String>,
    /// The page or the scraped text.
    pub body: RawBody,
    /// Title given by the producer: wins over what the page says.
    pub title: Option<String>,
    /// Authors given by the producer.
    pub authors: Vec<String>,
    /// Time of publication given by the producer.
    pub published_at: Option<Timestamp>,
    /// When the producer fetched the page.
    pub fetched_at: Option<DateTime<Utc>>,
    /// Timestamp of its message, which limits what other times can be. `None`: not known, or a sentinel.
    pub sent_at: Option<DateTime<Utc>>,
    /// BCP 47 language tag given by the producer.
    pub language: Option<String>,
    /// The site that published it (a host name, as a rule), if the producer says so.
    pub site: Option<String>,
    /// Every other field of the envelope, kept and stored as it came.
    pub extra: serde_json::Map<String, serde_json::Value>,
    /// What decoding had to mend or leave out ("nul-removed", …): short, stable codes, each explained in
    /// docs/messages.md. Cleaning carries them on to [`crate::CleanArticle::warnings`].
    pub warnings: Vec<String>,
}

impl RawArticle {
    /// An article of nothing but a body: the start for tests and for bare messages.
    pub fn from_body(body: RawBody) -> Self {
        Self {
            url: None,
            body,
            title: None,
            authors: Vec::new(),
            published_at: None,
            fetched_at: None,
            sent_at: None,
            language: None,
            site: None,
            extra: serde_json::Map::new(),
            warnings: Vec::new(),
        }
    }

    /// When it was seen: fetched or, where that is not known, sent. Nothing that it says happened much later.
    pub fn seen_at(&self) -> Option<DateTime<Utc>> {
        self.fetched_at.or(self.sent_at)
    }
}

/// The content of a raw article.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RawBody {
    /// An HTML page or fragment, decoded to UTF-8.
    Html(String),
    /// Text that somebody already took out of its page.
    Text(String),
}

impl RawBody {
    /// The content, whichever form it has.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Html(s) | Self::Text(s) => s,
        }
    }
}
