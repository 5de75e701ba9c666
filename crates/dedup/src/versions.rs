//! The same address again: a new version of the article, or another article at a used address?

use copydesk_article::Fingerprint;

use crate::overlap::{Indexed, Overlap};

/// Below this similarity to every stored version an address has been used again for another article.
pub const URL_REUSED_BELOW: f64 = 0.1;

/// What changed between two texts at one address.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VersionChange {
    /// Jaccard similarity of the whole texts, 0 to 1.
    pub jaccard: f64,
    /// The normalised bodies are equal: nothing to store but a sighting.
    pub same_text: bool,
    /// The two share next to nothing: a new article starts ("/weather", a live page of the day).
    pub url_reused: bool,
    /// Share of the old text that is still there, 0 to 1.
    pub old_kept: f64,
    /// Share of the new text that was there before, 0 to 1.
    pub new_known: f64,
}

/// Compares the stored text of an address with the one that came now.
///
/// Texts without shingles (under four words) and texts whose fingerprints were made by two recipes cannot be
/// compared: they count as the same article.
pub fn compare(old: &Fingerprint, new: &Fingerprint) -> VersionChange {
    let same_text = old.version == new.version && old.body_hash == new.body_hash;
    let overlap = Overlap::of(&Indexed::of(new), old, None);
    let exact = |value: f64| if same_text { 1.0 } else { value };
    let jaccard = exact(overlap.jaccard());
    VersionChange {
        jaccard,
        same_text,
        url_reused: jaccard < URL_REUSED_BELOW
            && old.version == new.version
            && !old.shingles.is_empty()
            && !new.shingles.is_empty(),
        old_kept: exact(overlap.b_in_a()),
        new_known: exact(overlap.a_in_b()),
    }
}
