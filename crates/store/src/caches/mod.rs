//! What a process caches of the database. Nothing here is needed to be right.

pub(crate) mod common_cache;
pub(crate) mod site_article_cache;
