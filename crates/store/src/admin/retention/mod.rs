//! Partitions made ahead, and what is past keeping dropped.

pub(crate) mod ranges;
pub(crate) mod retire;
pub(crate) mod windows;
