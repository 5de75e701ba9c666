//! Positions to commit to Kafka, for lag tools only.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use copydesk_article::{NextOffset, TopicPartition};

/// How often hints are committed. Nothing depends on them, so they should cost nothing either.
pub(crate) const HINT_EVERY: Duration = Duration::from_secs(5);

/// The newest position per partition that was not committed yet.
#[derive(Debug, Default)]
pub(crate) struct Hints {
    pending: BTreeMap<TopicPartition, NextOffset>,
    last: Option<Instant>,
}

impl Hints {
    pub(crate) fn note(&mut self, source: &TopicPartition, next: NextOffset) {
        match self.pending.get_mut(source) {
            Some(known) => *known = next,
            None => {
                self.pending.insert(source.clone(), next);
            }
        }
    }

    /// Everything that is pending, at most once per [`HINT_EVERY`].
    pub(crate) fn take_due(&mut self, now: Instant) -> Vec<(TopicPartition, NextOffset)> {
        let early = self
            .last
            .is_some_and(|last| now.duration_since(last) < HINT_EVERY);
        if early || self.pending.is_empty() {
            return Vec::new();
        }
        self.last = Some(now);
        std::mem::take(&mut self.pending).into_iter().collect()
    }

    /// Drops what is pending for partitions that are given up.
    pub(crate) fn forget(&mut self, sources: &[TopicPartition]) {
        self.pending.retain(|source, _| !sources.contains(source));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use copydesk_article::{Partition, Topic};

    fn source(partition: i32) -> TopicPartition {
        TopicPartition {
            topic: Topic::new("t"),
            partition: Partition::new(partition),
        }
    }

    #[test]
    fn only_the_newest_and_not_too_often() {
        let now = Instant::now();
        let mut hints = Hints::default();
        assert!(hints.take_due(now).is_empty());
        hints.note(&source(0), NextOffset::new(1));
        hints.note(&source(0), NextOffset::new(2));
        hints.note(&source(1), NextOffset::new(9));
        hints.forget(&[source(1)]);
        assert_eq!(hints.take_due(now), [(source(0), NextOffset::new(2))]);
        hints.note(&source(0), NextOffset::new(3));
        assert!(hints.take_due(now + HINT_EVERY / 2).is_empty());
        assert_eq!(
            hints.take_due(now + HINT_EVERY),
            [(source(0), NextOffset::new(3))]
        );
    }
}
