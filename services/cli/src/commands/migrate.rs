//! `copydesk migrate`: bring the schema up to date.

use copydesk_store::Schema;

use super::{Outcome, print, store};
use crate::args::MigrateArgs;
use crate::config::Config;

pub(crate) async fn run(config: &Config, args: &MigrateArgs) -> anyhow::Result<Outcome> {
    let store = store(config).await?;
    let Schema { pending, newer } = store.schema().await?;
    if let Some(migration) = newer {
        anyhow::bail!(
            "a newer copydesk has migrated this database (migration {migration}): workers and commands of this release can use it, \
             but its schema is that program's"
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
    store.migrate().await?;
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
    Ok(Outcome::Done)
}
