//! Takes known secrets out of the texts of others.

use std::fmt;

use crate::{BLOT, Secret};

/// Parts of a secret shorter than this are left where they are: they are words of the language, or nothing at all.
const SHORTEST_PART: usize = 4;

/// Replaces every occurrence of the secrets that it knows, and of their parts between blanks and punctuation,
/// by a blot: libraries quote a setting that they cannot read, in whole or from the place on where they
/// stopped.
#[derive(Clone, Default)]
pub struct Scrubber {
    /// The longest first, so that no part is replaced before the whole.
    parts: Vec<String>,
}

impl Scrubber {
    /// A scrubber that knows these.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> Self {
        let mut parts: Vec<String> = Vec::new();
        for secret in secrets {
            let whole = secret.expose();
            parts.push(whole.to_owned());
            parts.extend(
                whole
                    .split([' ', ',', ';', '=', '\n', '\t', '&'])
                    .map(str::to_owned),
            );
        }
        parts.retain(|p| p.chars().count() >= SHORTEST_PART);
        parts.sort_unstable_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        parts.dedup();
        Self { parts }
    }

    /// `text` without what must not be shown.
    pub fn scrub(&self, text: &str) -> String {
        let mut scrubbed = text.to_owned();
        for part in &self.parts {
            if scrubbed.contains(part) {
                scrubbed = scrubbed.replace(part, BLOT);
            }
        }
        scrubbed
    }
}

impl fmt::Debug for Scrubber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scrubber({} parts)", self.parts.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_and_their_parts_are_taken_out_of_a_text() {
        let secrets = [Secret::new("principal=me token=hunter2 x"), Secret::new("abc")];
        let scrubber = Scrubber::new(&secrets);
        let said = "unrecognised beginning at: hunter2 x (abc)";
        assert_eq!(scrubber.scrub(said), "unrecognised beginning at: *** x (abc)");
        assert!(!format!("{scrubber:?}").contains("hunter2"));
    }
}
