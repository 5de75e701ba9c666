//! The weights of the signs: a data file that the fit writes and this crate carries.

use std::sync::LazyLock;

use crate::signs::{SIGNS, Sense, Sign, Signs};

/// The file that is in use.
const FILE: &str = include_str!("../weights/4.toml");

/// What each sign counts.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    /// The version of the file.
    pub version: i16,
    /// A pair is a copy if its sum is above this.
    pub threshold: f64,
    of: Signs,
}

/// The file is no file of weights.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the weights is wrong: {reason}")]
pub struct WeightsError {
    line: usize,
    reason: &'static str,
}

impl Weights {
    /// The weights of this version of the program.
    pub fn in_use() -> &'static Self {
        // A test reads the file, so that this never is the answer.
        static WEIGHTS: LazyLock<Weights> = LazyLock::new(|| {
            Weights::parse(FILE).unwrap_or(Weights {
                version: 0,
                threshold: f64::INFINITY,
                of: [0.0; SIGNS],
            })
        });
        &WEIGHTS
    }

    /// Reads lines of `name = number`; empty ones, comments and the heading `[weights]` are passed over. Signs that are not named weigh nothing.
    ///
    /// # Errors
    /// A line is no such line, a name is unknown, a number is none, or a weight counts in the wrong direction.
    pub fn parse(text: &str) -> Result<Self, WeightsError> {
        let mut weights = Self {
            version: 0,
            threshold: 0.0,
            of: [0.0; SIGNS],
        };
        for (number, line) in text.lines().enumerate() {
            let wrong = |reason| WeightsError {
                line: number + 1,
                reason,
            };
            let line = line.split('#').next().unwrap_or_default().trim();
            if line.is_empty() || line == "[weights]" {
                continue;
            }
            let (name, value) = line.split_once('=').ok_or(wrong("it is not `name = number`"))?;
            let value: f64 = value
                .trim()
                .parse()
                .ok()
                .filter(|v: &f64| v.is_finite())
                .ok_or(wrong("its number is none"))?;
            match name.trim() {
                "version" => weights.version = value as i16,
                "threshold" => weights.threshold = value,
                name => {
                    let place = Sign::ALL
                        .iter()
                        .zip(&mut weights.of)
                        .find(|(sign, _)| sign.as_str() == name);
                    let (sign, weight) = place.ok_or(wrong("no sign has this name"))?;
                    let against_sense = match sign.sense() {
                        Sense::For => value < 0.0,
                        Sense::Against => value > 0.0,
                        Sense::Either => false,
                    };
                    if against_sense {
                        return Err(wrong("its sign cannot count in this direction"));
                    }
                    *weight = value;
                }
            }
        }
        Ok(weights)
    }

    /// The sum over all signs, less the threshold: above 0 is a copy.
    pub fn score(&self, signs: &Signs) -> f64 {
        let sum: f64 = self
            .of
            .iter()
            .zip(signs)
            .map(|(weight, sign)| weight * sign)
            .sum();
        sum - self.threshold
    }

    /// What each sign brings to the sum, the strongest first; what brings nothing is left out.
    pub fn contributions(&self, signs: &Signs) -> Vec<(Sign, f64)> {
        let mut brought: Vec<(Sign, f64)> = Sign::ALL
            .into_iter()
            .zip(self.of.iter().zip(signs).map(|(weight, sign)| weight * sign))
            .filter(|(_, brings)| brings.abs() >= 0.005)
            .collect();
        brought.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()).then(a.0.cmp(&b.0)));
        brought
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_in_use_can_be_read() {
        let weights = Weights::parse(FILE).unwrap();
        assert_eq!(&weights, Weights::in_use());
        assert!(weights.version >= 1 && weights.of.iter().filter(|w| **w != 0.0).count() >= 8);
    }

    #[test]
    fn wrong_lines_are_told() {
        let wrong = |text| Weights::parse(text).unwrap_err().line;
        assert_eq!(
            wrong("version = 1\n\nshared = -1"),
            3,
            "more shared text speaks against a copy"
        );
        assert_eq!(wrong("late = 0.5"), 1);
        assert_eq!(wrong("shared = many"), 1);
        assert_eq!(wrong("shred = 1"), 1);
        assert_eq!(wrong("# weights\nshared"), 2);
    }

    #[test]
    fn a_sum_is_made_of_its_parts() {
        let weights = Weights::parse("threshold = 1.5\nshared = 2\nlate = -0.5").unwrap();
        let mut signs = [0.0; SIGNS];
        signs[Sign::Shared as usize] = 1.0;
        signs[Sign::Late as usize] = 3.0;
        assert_eq!(weights.score(&signs), 2.0 - 1.5 - 1.5);
        assert_eq!(
            weights.contributions(&signs),
            [(Sign::Shared, 2.0), (Sign::Late, -1.5)]
        );
    }
}
