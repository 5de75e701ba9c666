//! When an article appeared, as far as it is known and believable, and how far two articles are apart.

use copydesk_article::sentinel::{is_doubted, is_sentinel};

/// Seconds since 1970 of one article: when its publisher says that it appeared, and when somebody saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Times {
    /// When it was published, if the page says so believably.
    pub published: Option<i64>,
    /// When it was fetched or, without that, sent.
    pub seen: Option<i64>,
}

const DAY: i64 = 86_400;

impl Times {
    /// What is believable of three times, each in seconds since 1970.
    ///
    /// `published` counts unless it is a sentinel, or more than a day after the article was seen
    /// ([`copydesk_article::sentinel`]). `fetched` counts before `message`, under the same conditions: an archive that is
    /// sent today was fetched long ago.
    pub fn believable(published: Option<i64>, fetched: Option<i64>, message: Option<i64>) -> Self {
        let message = message.filter(|t| !is_sentinel(*t));
        let seen = fetched.filter(|t| !is_doubted(*t, message)).or(message);
        Self {
            published: published.filter(|t| !is_doubted(*t, seen)),
            seen,
        }
    }

    /// Hours between two articles. `None`: not known.
    ///
    /// Times of one kind are compared: when both were published, or else when both were seen. A publication time at
    /// midnight sharp is taken for a day without a time, and the day is given to the pair.
    pub fn hours_between(&self, other: &Self) -> Option<f64> {
        let apart = |a: i64, b: i64| a.abs_diff(b) as f64 / 3_600.0;
        match (self.published, other.published) {
            (Some(a), Some(b)) => {
                let day_only = a.rem_euclid(DAY) == 0 || b.rem_euclid(DAY) == 0;
                let slack = if day_only { 24.0 } else { 0.0 };
                Some((apart(a, b) - slack).max(0.0))
            }
            _ => Some(apart(self.seen?, other.seen?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_700_000_123;

    #[test]
    fn sentinels_and_the_future_are_not_believed() {
        let of = |published| Times::believable(Some(published), None, Some(NOW)).published;
        assert_eq!(of(NOW - 5), Some(NOW - 5));
        assert_eq!(of(541_345_260), Some(541_345_260), "an archive of 1987");
        for unbelievable in [0, 3_600, -3_600, -62_135_596_800, NOW + 2 * DAY] {
            assert_eq!(of(unbelievable), None, "{unbelievable}");
        }
        assert_eq!(Times::believable(None, Some(0), Some(NOW)).seen, Some(NOW));
        assert_eq!(
            Times::believable(None, Some(NOW - DAY), Some(NOW)).seen,
            Some(NOW - DAY)
        );
        assert_eq!(
            Times::believable(None, Some(NOW + 9 * DAY), Some(NOW)).seen,
            Some(NOW)
        );
    }

    #[test]
    fn times_of_one_kind_are_compared() {
        let seen = |seen| Times {
            published: None,
            seen: Some(seen),
        };
        let published = |at: i64| Times {
            published: Some(at),
            seen: Some(NOW),
        };
        assert_eq!(seen(NOW).hours_between(&seen(NOW + 7_200)), Some(2.0));
        assert_eq!(
            published(NOW - 7_200).hours_between(&published(NOW - 3_600)),
            Some(1.0)
        );
        // One of them was published at an unknown time.
        assert_eq!(
            published(0x1000_0001).hours_between(&seen(NOW + 3_600)),
            Some(1.0)
        );
        assert_eq!(Times::default().hours_between(&seen(NOW)), None);
        // A day without a time of day.
        let day = 19_675 * DAY;
        assert_eq!(
            published(day).hours_between(&published(day + 20 * 3_600)),
            Some(0.0)
        );
        assert_eq!(
            published(day).hours_between(&published(day + 30 * 3_600)),
            Some(6.0)
        );
    }
}
