//! What a process keeps of the database so that it need not ask again. Nothing here is needed to be right.

pub(crate) mod common_cache;
pub(crate) mod sites_at_hand;
