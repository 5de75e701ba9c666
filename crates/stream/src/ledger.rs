//! Which offset comes next in one partition: the guard against delivering one twice.

use copydesk_article::{NextOffset, Offset};

/// The position of one partition during one claim.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Position {
    next: NextOffset,
    told_end: Option<NextOffset>,
}

impl Position {
    pub(crate) fn starting_at(next: NextOffset) -> Self {
        Self { next, told_end: None }
    }

    /// The first offset that was not delivered.
    pub(crate) fn next(&self) -> NextOffset {
        self.next
    }

    /// Whether a message is new; if so, it counts as delivered. Gaps are normal (compaction, transactions);
    /// going back is not.
    pub(crate) fn take(&mut self, offset: Offset) -> bool {
        if self.next.is_past(offset) {
            return false;
        }
        self.next = offset.next();
        true
    }

    /// Whether the end of the partition at this offset is news; if so, everything below counts as seen.
    pub(crate) fn end(&mut self, at: NextOffset) -> bool {
        if at < self.next || self.told_end == Some(at) {
            return false;
        }
        self.next = at;
        self.told_end = Some(at);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_end_is_told_once_until_something_follows() {
        let mut position = Position::starting_at(NextOffset::new(5));
        assert!(position.end(NextOffset::new(7)));
        assert!(!position.end(NextOffset::new(7)));
        assert!(
            !position.take(Offset::new(6)),
            "skipped by Kafka, so it cannot come"
        );
        assert!(position.take(Offset::new(7)));
        assert!(
            !position.end(NextOffset::new(7)),
            "an end from before the message"
        );
        assert!(position.end(NextOffset::new(8)));
    }

    proptest! {
        /// Against the naive model: a list of everything delivered so far.
        #[test]
        fn offsets_rise_strictly_whatever_arrives(start in 0i64..20, arrivals in prop::collection::vec((any::<bool>(), 0i64..60), 0..100)) {
            let mut position = Position::starting_at(NextOffset::new(start));
            let mut delivered: Vec<i64> = Vec::new();
            let mut ends: Vec<i64> = Vec::new();
            for (is_end, at) in arrivals {
                let floor = delivered.iter().map(|o| o + 1).chain(ends.iter().copied()).fold(start, i64::max);
                if is_end {
                    let news = at >= floor && ends.last() != Some(&at);
                    prop_assert_eq!(position.end(NextOffset::new(at)), news);
                    if news { ends.push(at); }
                } else {
                    prop_assert_eq!(position.take(Offset::new(at)), at >= floor);
                    if at >= floor { delivered.push(at); }
                }
            }
            prop_assert!(delivered.windows(2).all(|w| w[0] < w[1]));
            prop_assert!(ends.windows(2).all(|w| w[0] <= w[1]));
        }
    }
}
