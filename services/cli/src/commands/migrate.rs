//! `copydesk migrate`: bring the schema up to date.

use super::{Outcome, print, store};
use crate::args::MigrateArgs;
use crate::config::Config;

pub(crate) async fn run(config: &Config, args: &MigrateArgs) -> anyhow::Result<Outcome> {
    let store = store(config).await?;
    let pending = store.pending_migrations().await?;
    if pending.is_empty() {
        print("the schema is up to date");
        return Ok(Outcome::Done);
    }
    if args.check {
        for name in &pending {
            print(&format!("pending: {name}"));
        }
        return Ok(Outcome::Found);
    }
    store.migrate().await?;
    for name in &pending {
        print(&format!("applied: {name}"));
    }
    Ok(Outcome::Done)
}
