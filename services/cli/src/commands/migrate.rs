//! `copydesk migrate`: bring the schema up to date.

use anyhow::Context as _;
use copydesk_store::Schema;

use super::{Outcome, print, store};
use crate::args::MigrateArgs;
use crate::config::Config;

pub(crate) async fn run(config: &Config, args: &MigrateArgs) -> anyhow::Result<Outcome> {
    let store = store(config).await?;
    let Schema { pending, newer } = store.schema().await?;
    if let Some(migration) = newer {
        // No failure where this program can work: its job must not stand in the way of going back to it.
        if pending.is_empty() {
            print(&format!(
                "a newer copydesk has migrated this database (migration {migration}); this one can use it as it is"
            ));
            return Ok(Outcome::Done);
        }
        anyhow::bail!(
            "a newer copydesk has migrated this database (migration {migration}), and {} is missing: run \
                that program's `copydesk migrate`",
            pending.join(", ")
        );
    }
    if args.check {
        if pending.is_empty() {
            print("the schema is up to date");
            return Ok(Outcome::Done);
        }
        for name in &pending {
            print(&format!("pending: {name}"));
        }
        return Ok(Outcome::Found);
    }
    let url = config.database_url()?;
    store
        .migrate()
        .await
        .with_context(|| format!("cannot migrate {url} (migrations run as the owner of the database)"))?;
    if pending.is_empty() {
        print("the schema is up to date");
    }
    for name in &pending {
        print(&format!("applied: {name}"));
    }
    if let Some(days) = args.window_days {
        store.set_window_days(days).await?;
        print(&format!("windows of near-copy keys are {days} days long"));
    }
    if let Some(articles) = args.range_articles {
        store.set_range_articles(articles).await?;
        print(&format!(
            "ranges of articles hold {articles} from the next one on that no article has reached"
        ));
    }
    Ok(Outcome::Done)
}
