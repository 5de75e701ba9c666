//! `copydesk janitor reclean --rules`: raw input that was kept goes through clean and fingerprint again, with
//! the rules of now.

use std::sync::Arc;

use anyhow::Result;
use copydesk_article::ArticleId;
use copydesk_store::{CleanedAgain, Content, Store, try_again};
use tracing::info;

use crate::prepare::{self, Stages};
use crate::replay::ReplayStages;
use crate::workspace::Workspace;

/// Messages read at once: pages are large.
const PAGE: i64 = 50;

/// What cleaning again did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RecleanReport {
    /// Articles with a new version, whose cause is `rules`.
    pub changed: u64,
    /// Articles whose text is the same.
    pub unchanged: u64,
    /// Messages that the rules refuse now, or make another article of. Their articles stay as they were.
    pub left: u64,
}

/// Cleans again what was last cleaned with other rules, of one site or of all.
///
/// # Errors
/// Postgres is away, or a bug; what was done stays done, and a second call goes on.
pub async fn reclean(store: &Store, stages: ReplayStages, site: Option<&str>) -> Result<RecleanReport> {
    prepare::quiet_panics();
    let rules = stages.cleaner.rules().version().to_owned();
    let stages = Arc::new(Stages::new(
        stages.limits,
        stages.cleaner,
        stages.registry,
        false,
        None,
    ));
    let mut report = RecleanReport::default();
    let mut after = ArticleId(i64::MIN);
    loop {
        let page = store.raw_inputs(&rules, site, after, PAGE).await?;
        let Some((last, _)) = page.last() else {
            return Ok(report);
        };
        after = *last;
        for (article, message) in page {
            let stages = Arc::clone(&stages);
            // Not on a thread that drives connections.
            let prepare = move || stages.prepare(message, &mut Workspace::unbounded().space()).0;
            let item = tokio::task::spawn_blocking(prepare).await?;
            let Ok(Content::Article(prepared)) = &item.outcome else {
                store.note_rules(article, &rules).await?;
                report.left += 1;
                continue;
            };
            match try_again(|| store.clean_by_rules(article, &item.message, prepared)).await? {
                CleanedAgain::Changed => report.changed += 1,
                CleanedAgain::Unchanged => report.unchanged += 1,
                CleanedAgain::Another => report.left += 1,
            }
        }
        info!(
            changed = report.changed,
            unchanged = report.unchanged,
            "cleaning again"
        );
    }
}
