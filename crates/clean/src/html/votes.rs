//! Which blocks an engine kept: found again by their letters.

/// An engine's text, reduced to letters and digits for searching.
#[derive(Debug)]
pub(crate) struct Voter {
    squeezed: String,
}

/// Length of a probe, in characters.
const PROBE: usize = 24;

impl Voter {
    pub(crate) fn new(text: &str) -> Self {
        Self {
            squeezed: squeeze(text),
        }
    }

    /// The share of a block that the engine kept, 0 to 1, by probes at even distances.
    pub(crate) fn share(&self, block: &str) -> f32 {
        let letters: Vec<char> = squeeze(block).chars().collect();
        if letters.is_empty() {
            return 0.0;
        }
        if letters.len() <= PROBE {
            let whole: String = letters.iter().collect();
            return if self.squeezed.contains(&whole) { 1.0 } else { 0.0 };
        }
        let probes = (letters.len() / (2 * PROBE)).clamp(2, 8);
        let last = letters.len() - PROBE;
        let found = (0..probes)
            .filter(|i| {
                let at = last * i / (probes - 1);
                let probe: String = letters.iter().skip(at).take(PROBE).collect();
                self.squeezed.contains(&probe)
            })
            .count();
        let (found, probes) = (
            u8::try_from(found).unwrap_or(u8::MAX),
            u8::try_from(probes).unwrap_or(u8::MAX),
        );
        f32::from(found) / f32::from(probes)
    }
}

fn squeeze(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}
