//! The hash of what a version of an article says, kept with its sighting: rows that workers add and never change.
//!
//! In: title, dek, captions, body and blocks as they go into the database. Out: the hash that `copydesk_content_hash` makes of the
//! stored row. Nothing fails. `copydesk audit` compares the two: a text that changed without a new version and without an event is found.

use sha2::{Digest as _, Sha256};

use crate::rows::values::List;

/// Bytes of the hash that are kept: nobody finds a second text for these, and a sighting stays small.
const KEPT: usize = 16;

/// The first bytes of a SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ContentHash([u8; KEPT]);

impl ContentHash {
    /// `blocks`: as [`crate::rows::blocks::to_json`] writes them, which is how Postgres prints them.
    pub(crate) fn of(
        title: Option<&str>,
        dek: Option<&str>,
        captions: &List,
        body: &str,
        blocks: &str,
    ) -> Self {
        let length = |text: Option<&str>| text.map(|t| t.len().to_string()).unwrap_or_default();
        let captions = captions.joined();
        let mut hasher = Sha256::new();
        // Lengths first: no byte can move from one to the next.
        hasher.update(format!(
            "{} {} {} {} ",
            length(title),
            length(dek),
            captions.len(),
            body.len()
        ));
        for part in [
            title.unwrap_or_default(),
            dek.unwrap_or_default(),
            captions,
            body,
            blocks,
        ] {
            hasher.update(part);
        }
        Self(kept(hasher))
    }

    pub(crate) fn to_bytes(self) -> Vec<u8> {
        self.0.to_vec()
    }
}

/// The hash of bytes that are stored as they are.
pub(crate) fn of_bytes(bytes: &[u8]) -> Vec<u8> {
    kept(Sha256::new_with_prefix(bytes)).to_vec()
}

fn kept(hasher: Sha256) -> [u8; KEPT] {
    let hash: [u8; 32] = hasher.finalize().into();
    hash.first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_and_every_border_counts() {
        let of = |title, dek, captions: &[&str], body, blocks| {
            ContentHash::of(title, dek, &List::of(captions), body, blocks)
        };
        let one = of(Some("T"), Some("D"), &["c", "d"], "body", "[]");
        for other in [
            of(Some("TD"), None, &["c", "d"], "body", "[]"),
            of(None, Some("TD"), &["c", "d"], "body", "[]"),
            of(Some("T"), Some("D"), &["cd"], "body", "[]"),
            of(Some("T"), Some("D"), &["c"], "dbody", "[]"),
            of(Some("T"), Some("D"), &["c", "d"], "bod", "y[]"),
            of(Some("T"), Some("D"), &["c", "d"], "body", "[1]"),
        ] {
            assert_ne!(one, other);
        }
        assert_eq!(one, of(Some("T"), Some("D"), &["c", "d"], "body", "[]"));
    }
}
