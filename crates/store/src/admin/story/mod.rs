//! Stories: shown, explained, changed by a person, and decided on again.

pub(crate) mod explain;
pub(crate) mod late_merges;
pub(crate) mod redecide;
pub(crate) mod refingerprint;
pub(crate) mod story_by_hand;
