//! `copydesk janitor`: upkeep, once or for ever, and the jobs that a person starts.

use std::time::Duration;

use copydesk_janitor::JanitorOptions;
use copydesk_store::Store;

use super::{Outcome, print, stop_on_signal, store};
use crate::args::{CommonCommand, JanitorArgs, JanitorCommand};
use crate::config::Config;

/// Articles in one transaction of `refingerprint`: short enough not to hold up a worker.
const STEP: i64 = 200;

pub(crate) async fn run(config: &Config, args: &JanitorArgs) -> anyhow::Result<Outcome> {
    let store = store(config).await?;
    match &args.command {
        Some(JanitorCommand::Refingerprint) => return refingerprint(&store).await,
        Some(JanitorCommand::Common(command)) => return common(&store, command).await,
        None => {}
    }
    let options = JanitorOptions {
        every: Duration::from_secs(config.janitor.every_minutes * 60),
        keep_windows: config.janitor.keep_windows,
    };
    if args.once {
        let round = copydesk_janitor::run_once(&store, &options).await?;
        print(&format!(
            "windows: {} created, {} dropped; stories: {} merged; articles: {} cleaned again",
            round.windows_created, round.windows_dropped, round.stories_merged, round.articles_recleaned
        ));
    } else {
        copydesk_janitor::run(&store, &options, stop_on_signal()?).await?;
    }
    Ok(Outcome::Done)
}

async fn refingerprint(store: &Store) -> anyhow::Result<Outcome> {
    let mut stop = stop_on_signal()?;
    let all = store.outdated_fingerprints().await?;
    print(&format!("{all} articles have fingerprints of another recipe"));
    let (mut after, mut done) = (i64::MIN, 0);
    while let Some(step) = store.refingerprint(after, STEP).await? {
        after = step.after;
        done += step.articles;
        tracing::info!(done, of = all, "making fingerprints again");
        if *stop.borrow_and_update() {
            print(&format!(
                "stopped after {done} articles; the same command goes on"
            ));
            return Ok(Outcome::Found);
        }
    }
    print(&format!("{done} articles gone over"));
    Ok(Outcome::Done)
}

async fn common(store: &Store, command: &CommonCommand) -> anyhow::Result<Outcome> {
    match command {
        CommonCommand::Build { articles, keep_aside } => {
            let list = store.build_common_list(*articles).await?;
            print(&format!(
                "list {}: {} shingles from {} articles",
                list.version, list.shingles, list.articles
            ));
            if !keep_aside {
                store.use_common_list(list.version).await?;
                print("in use from the next flush of every worker on");
            }
        }
        CommonCommand::Use { version } => {
            store.use_common_list(*version).await?;
            print(&format!(
                "list {version} is in use from the next flush of every worker on"
            ));
        }
        CommonCommand::Off => {
            store.use_common_list(0).await?;
            print("no list is in use any more");
        }
    }
    Ok(Outcome::Done)
}
