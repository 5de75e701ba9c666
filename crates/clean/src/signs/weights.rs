//! The weights of the signs, and the words that two of them look for.

use std::collections::{BTreeMap, HashSet};

use serde::Deserialize;

use super::{Sign, Signs};
use crate::fast::Fast;
use crate::normalise::{fold_phrase, is_combining, is_dense_script, is_edge, takes_endings};

/// `weights.toml` as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    needed: f32,
    weight: BTreeMap<String, f32>,
}

/// The weights, ready for use.
#[derive(Debug, Default)]
pub(crate) struct Weights {
    pub(crate) version: u32,
    /// A block that reads as prose goes when its signs weigh so much.
    pub(crate) needed: f32,
    each: [f32; Sign::ALL.len()],
    /// Words that speak to the reader, in lower case.
    address: HashSet<String, Fast>,
    /// The same in scripts without spaces and where they are endings (Korean): looked for anywhere.
    address_within: Vec<String>,
    /// The words that are written with a capital when they speak to the reader.
    address_capital: HashSet<String, Fast>,
    /// Words that say that somebody is quoted, folded; several together and those in scripts without spaces are looked
    /// for anywhere.
    reported: HashSet<String, Fast>,
    reported_within: Vec<String>,
    /// First words of requests.
    request: HashSet<String, Fast>,
}

/// The longest word that speaks to the reader, in bytes.
const LONGEST_ADDRESS: usize = 60;

const WEIGHTS: &str = include_str!("weights.toml");

impl Weights {
    /// The weights that come with copydesk. They are tested with the program: a build in which they cannot be read
    /// takes no prose out, and its tests fail.
    pub(crate) fn builtin() -> Self {
        let Ok(file) = toml::from_str::<File>(WEIGHTS) else {
            return Self {
                needed: f32::INFINITY,
                ..Self::default()
            };
        };
        let mut each = [0.0; Sign::ALL.len()];
        for (slot, sign) in each.iter_mut().zip(Sign::ALL) {
            *slot = file.weight.get(sign.name()).copied().unwrap_or(0.0);
        }
        Self {
            version: file.version,
            needed: file.needed,
            each,
            ..Self::default()
        }
    }

    pub(crate) fn add_words(&mut self, address: &[String], request: &[String], reported: &[String]) {
        for word in address {
            if word.chars().any(takes_endings) {
                self.address_within.push(word.clone());
            } else if word.chars().any(char::is_uppercase) {
                self.address_capital.insert(word.clone());
            } else {
                self.address.insert(word.clone());
            }
        }
        self.request.extend(request.iter().map(|w| fold_phrase(w)));
        for word in reported {
            if word.contains(' ') || word.chars().any(is_dense_script) {
                self.reported_within.push(word.clone());
            } else {
                self.reported.insert(fold_phrase(word));
            }
        }
    }

    /// Makes a sign count for nothing.
    pub(crate) fn disable(&mut self, name: &str) {
        for (slot, sign) in self.each.iter_mut().zip(Sign::ALL) {
            if sign.name() == name {
                *slot = 0.0;
            }
        }
    }

    pub(crate) fn sum(&self, signs: Signs) -> f32 {
        self.each
            .iter()
            .zip(Sign::ALL)
            .filter(|(_, sign)| signs.has(*sign))
            .map(|(weight, _)| weight)
            .sum()
    }

    /// Whether the signs are enough to take a block out that reads as prose.
    pub(crate) fn suffice(&self, signs: Signs) -> bool {
        // Weights are given with two decimals.
        self.sum(signs) + 0.001 >= self.needed
    }

    /// Whether a text speaks to the reader, or of the paper as "we".
    pub(crate) fn addresses(&self, text: &str) -> bool {
        let inside = |c: char| c.is_alphabetic() || is_combining(c);
        let mut words = text.split(|c: char| !inside(c)).filter(|w| !w.is_empty());
        let plain = words.by_ref().enumerate().any(|(i, word)| {
            (i > 0 && self.address_capital.contains(word)) || {
                // A country, and not whoever speaks.
                word != "US" && word.len() <= LONGEST_ADDRESS && self.address.contains(&word.to_lowercase())
            }
        });
        plain || self.address_within.iter().any(|w| text.contains(w.as_str()))
    }

    /// Whether a folded text says what somebody said.
    pub(crate) fn reports(&self, folded: &str) -> bool {
        let words = || folded.split(' ').map(|w| w.trim_matches(is_edge));
        words().any(|w| self.reported.contains(w))
            || self.reported_within.iter().any(|w| folded.contains(w.as_str()))
    }

    /// Whether a folded text begins with a request, or makes one of what it asked: "Found a mistake? Write to us".
    pub(crate) fn requests(&self, folded: &str) -> bool {
        folded.split(['?', '؟', '？']).any(|sentence| {
            let mut words = sentence.split([' ', ',', '!', '.']).filter(|w| !w.is_empty());
            words.next().is_some_and(|first| self.request.contains(first))
        })
    }
}

/// The names of all signs.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    Sign::ALL.into_iter().map(Sign::name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sign_has_a_weight_and_every_weight_a_sign() {
        let file: File = toml::from_str(WEIGHTS).unwrap();
        let named: Vec<&str> = file.weight.keys().map(String::as_str).collect();
        let mut signs: Vec<&str> = names().collect();
        signs.sort_unstable();
        assert_eq!(named, signs);
        assert!(file.needed > 1.0);
    }

    #[test]
    fn one_phrase_is_not_enough() {
        let weights = Weights::builtin();
        let mut signs = Signs::default();
        signs.add(Sign::Phrase);
        assert!(!weights.suffice(signs));
        signs.add(Sign::Request);
        assert!(weights.suffice(signs));
        assert_eq!(signs.names(), "phrase, request");
    }
}
