//! How short words are hashed.

/// Quick, and seeded anew in each process, since some of the words are a stranger's.
pub(crate) type Fast = foldhash::fast::RandomState;
