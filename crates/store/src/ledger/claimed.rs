//! The right to flush a partition.

use crate::rows::record;
use copydesk_article::{Epoch, NextOffset, TopicPartition};

record! {
    /// A claimed partition, with its position: the right to flush it.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Claimed {
        /// The partition.
        pub source: TopicPartition,
        /// Read from here.
        pub next_offset: NextOffset,
        /// The right to flush: until somebody else claims the partition.
        pub epoch: Epoch,
        /// Claims in a row, before this one, that ended before the owner had stored the
        /// [`crate::Wanted::in_hand`] messages that it began with; the first of them without
        /// [`crate::Store::release`]. 0 in quiet times; from 1 on, one of these messages may have ended that
        /// owner's process.
        pub unfinished_claims: i32,
    }
}
