//! The flush of a batch, from addresses to rows. Merges, splits and other changes of stories share some of
//! its steps.

pub(crate) mod article_rows;
pub(crate) mod article_text;
pub(crate) mod canonical;
pub(crate) mod decision_inputs;
pub(crate) mod dispositions;
pub(crate) mod evidence;
pub(crate) mod identity;
pub(crate) mod outbox;
pub(crate) mod pending_article;
pub(crate) mod plan;
pub(crate) mod postgres_ledger;
pub(crate) mod raw_input;
pub(crate) mod site_memory;
pub(crate) mod store_articles;
pub(crate) mod stories;
pub(crate) mod story_moves;
pub(crate) mod story_rows;
pub(crate) mod takedown;
pub(crate) mod versions;
pub(crate) mod write_articles;
