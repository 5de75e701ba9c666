//! Repeated log lines, once in a while.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How often the same trouble is logged.
const SAY_EVERY: Duration = Duration::from_secs(10);

/// Lets each kind of line through once per ten seconds and counts the rest.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    said: BTreeMap<String, (Instant, u64)>,
}

impl Throttle {
    /// `Some(left out since the last one)` if a line of this kind may be logged now. Kinds are texts of error
    /// codes, so there are few.
    pub(crate) fn admit(&mut self, kind: &str, now: Instant) -> Option<u64> {
        match self.said.get_mut(kind) {
            Some((last, left_out)) if now.duration_since(*last) < SAY_EVERY => {
                *left_out += 1;
                None
            }
            Some((last, left_out)) => {
                *last = now;
                Some(std::mem::take(left_out))
            }
            None => {
                self.said.insert(kind.to_owned(), (now, 0));
                Some(0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_said_once_and_the_rest_counted() {
        let now = Instant::now();
        let mut throttle = Throttle::default();
        assert_eq!(throttle.admit("a", now), Some(0));
        assert_eq!(throttle.admit("a", now), None);
        assert_eq!(throttle.admit("b", now), Some(0));
        assert_eq!(throttle.admit("a", now + SAY_EVERY), Some(1));
    }
}
