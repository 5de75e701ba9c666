//! Partitions are made ahead; articles and keys past keeping are dropped.

pub(crate) mod ranges;
pub(crate) mod retire;
pub(crate) mod windows;
