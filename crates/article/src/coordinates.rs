//! Where a message came from: topic, partition, offset, and the epoch of whoever reads it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The name of a Kafka topic. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Topic(Arc<str>);

impl Topic {
    /// Wraps a topic's name. Kafka itself judges whether it is a legal one.
    pub fn new(name: impl AsRef<str>) -> Self {
        Self(Arc::from(name.as_ref()))
    }

    /// The name as Kafka knows it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

macro_rules! number {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name($inner);

        impl $name {
            /// Wraps the number as Kafka or Postgres gave it.
            pub const fn new(value: $inner) -> Self {
                Self(value)
            }

            /// The plain number, for Kafka's and Postgres' borders.
            pub const fn get(self) -> $inner {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number! {
    /// The number of a partition within its topic, from 0.
    Partition(i32)
}
number! {
    /// The offset of one message: "this message".
    Offset(i64)
}
number! {
    /// The first offset that is not yet done: "continue here". One more than the last finished [`Offset`].
    NextOffset(i64)
}
number! {
    /// How often a partition has been claimed. A flush under an older epoch is refused (a zombie's).
    Epoch(i64)
}

impl Offset {
    /// The position after this message.
    pub const fn next(self) -> NextOffset {
        NextOffset(self.0 + 1)
    }
}

impl NextOffset {
    /// Whether the message at `offset` was finished before this position.
    pub const fn is_past(self, offset: Offset) -> bool {
        offset.get() < self.0
    }
}

/// One partition of one topic.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicPartition {
    /// The topic.
    pub topic: Topic,
    /// The partition within it.
    pub partition: Partition,
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]", self.topic, self.partition)
    }
}

/// The address of one message. Unique for ever within one incarnation of a topic.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Coordinates {
    /// Topic and partition.
    pub source: TopicPartition,
    /// The message within the partition.
    pub offset: Offset,
}

impl fmt::Display for Coordinates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.source, self.offset)
    }
}

/// The text names no message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not of the form topic[partition]@offset")]
pub struct ParseCoordinatesError(String);

impl FromStr for Coordinates {
    type Err = ParseCoordinatesError;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let parts = || {
            let (source, offset) = s.rsplit_once('@')?;
            let (topic, partition) = source.strip_suffix(']')?.rsplit_once('[')?;
            let (partition, offset) = (partition.parse::<i32>().ok()?, offset.parse::<i64>().ok()?);
            (!topic.is_empty() && partition >= 0 && offset >= 0).then(|| Self {
                source: TopicPartition {
                    topic: Topic::new(topic),
                    partition: Partition(partition),
                },
                offset: Offset(offset),
            })
        };
        parts().ok_or_else(|| ParseCoordinatesError(s.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_offset_is_past_the_finished_message_only() {
        let next = Offset::new(41).next();
        assert_eq!(next, NextOffset::new(42));
        assert!(next.is_past(Offset::new(41)));
        assert!(!next.is_past(Offset::new(42)));
    }

    #[test]
    fn coordinates_read_like_a_log_line() {
        let at = Coordinates {
            source: TopicPartition {
                topic: Topic::new("articles.raw"),
                partition: Partition::new(3),
            },
            offset: Offset::new(7),
        };
        assert_eq!(at.to_string(), "articles.raw[3]@7");
        assert_eq!("articles.raw[3]@7".parse(), Ok(at));
        for wrong in ["", "a[1]", "a@1", "[1]@2", "a[-1]@2", "a[1]@-2", "a[x]@2"] {
            assert!(wrong.parse::<Coordinates>().is_err(), "{wrong}");
        }
    }
}
