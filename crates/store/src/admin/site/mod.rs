//! Site memory: shown and corrected by a person, and articles cleaned again.

pub(crate) mod clean_by_rules;
pub(crate) mod clean_events;
pub(crate) mod reclean;
pub(crate) mod site_by_hand;
pub(crate) mod stored_content;
pub(crate) mod syndicated;
