//! Why a message went to quarantine: a stage and a reason from a closed list.

use std::fmt;
use std::str::FromStr;

/// The stage that refused a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Bytes and headers to a raw article.
    Decode,
    /// Raw article to blocks and metadata.
    Clean,
    /// Text to hashes.
    Fingerprint,
    /// Rows to Postgres.
    Store,
}

impl Stage {
    /// Every value, in order.
    pub const ALL: [Self; 4] = [Self::Decode, Self::Clean, Self::Fingerprint, Self::Store];

    /// The name stored in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Decode => "decode",
            Self::Clean => "clean",
            Self::Fingerprint => "fingerprint",
            Self::Store => "store",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

macro_rules! reasons {
    ($( $(#[$doc:meta])* $name:ident = $text:literal ),+ $(,)?) => {
        /// Why a message was refused. Closed; each value has its entry in docs/quarantine.md.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason { $( $(#[$doc])* $name ),+ }

        impl Reason {
            /// Every value, in order.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The name stored in the database.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }
        }
    };
}

reasons! {
    /// No payload at all (a tombstone), or nothing but white space.
    Empty = "empty",
    /// A word that serialisers write for nothing: `null`, `None`, `undefined`, `[object Object]`, or a lone number.
    NullText = "null_text",
    /// The value names a schema that the registry does not have, or that cannot be used.
    UnknownSchema = "unknown_schema",
    /// The value cannot be read by the schema that it names.
    SchemaMismatch = "schema_mismatch",
    /// The record, or what it decompresses to, is over the size limit.
    TooLarge = "too_large",
    /// It decompresses to suspiciously many times its size.
    CompressionBomb = "compression_bomb",
    /// The named compression or its data is broken.
    BadCompression = "bad_compression",
    /// Not valid UTF-8 where UTF-8 is required (JSON envelopes, text bodies).
    NotUtf8 = "not_utf8",
    /// The bytes are no text in any charset: binary content such as an image or a PDF.
    NotText = "not_text",
    /// The envelope is no valid JSON.
    BadJson = "bad_json",
    /// JSON nested deeper than the limit.
    JsonTooDeep = "json_too_deep",
    /// JSON, but not an object of the documented shape (a field with a wrong type, …).
    BadEnvelope = "bad_envelope",
    /// The envelope has neither `html` nor `text`.
    NoBody = "no_body",
    /// The envelope has both `html` and `text`, or says contradictory things about its body.
    AmbiguousBody = "ambiguous_body",
    /// A string holds half of a surrogate pair (`\ud800` alone), which is no text.
    LoneSurrogate = "lone_surrogate",
    /// The content-type header names something that is neither HTML, text nor JSON.
    UnknownContentType = "unknown_content_type",
    /// The URL cannot be read as one, or is no http(s) address.
    BadUrl = "bad_url",
    /// More elements than a page may have.
    TooManyNodes = "too_many_nodes",
    /// Elements nested deeper than a page may be.
    TooDeep = "too_deep",
    /// Cleaning took longer than a page may take.
    TooSlow = "too_slow",
    /// A stage panicked on this message.
    Panicked = "panicked",
    /// Preparing it alone, in a process of its own, ended that process twice, after a worker had died while
    /// it worked on it.
    KillsWorker = "kills_worker",
    /// Cleaning left no body: no article was found in it.
    NoArticle = "no_article",
    /// An error page that was sent with status 200.
    ErrorPage = "error_page",
    /// A page that tells the visitor that access is denied.
    BlockedPage = "blocked_page",
    /// A page that tests whether the visitor is a person.
    BotCheck = "bot_check",
    /// A page that asks for consent before it shows the article.
    ConsentPage = "consent_page",
    /// A page that says that the site is down for maintenance.
    MaintenancePage = "maintenance_page",
    /// A page that asks the visitor to log in.
    LoginPage = "login_page",
    /// Postgres refused the row (SQLSTATE in the detail).
    RefusedByDatabase = "refused_by_database",
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no quarantine reason: docs/quarantine.md lists them")]
pub struct ParseReasonError(String);

impl FromStr for Reason {
    type Err = ParseReasonError;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .iter()
            .copied()
            .find(|r| r.as_str() == s)
            .ok_or_else(|| ParseReasonError(s.to_owned()))
    }
}

/// A refusal: where, why, and a sentence for the person who looks at it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{stage}: {reason}: {detail}")]
pub struct Reject {
    /// The stage that refused.
    pub stage: Stage,
    /// The reason.
    pub reason: Reason,
    /// What was wrong, in a sentence, with numbers and positions. Never the text itself.
    pub detail: String,
}

impl Reject {
    /// A refusal.
    pub fn new(stage: Stage, reason: Reason, detail: impl Into<String>) -> Self {
        Self {
            stage,
            reason,
            detail: detail.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_round_trip_and_are_snake_case() {
        for reason in Reason::ALL {
            let name = reason.as_str();
            assert_eq!(name.parse(), Ok(*reason));
            assert!(
                name.chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'),
                "{name}"
            );
        }
    }
}
