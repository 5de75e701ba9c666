//! `copydesk janitor`: upkeep, once or for ever.

use std::time::Duration;

use copydesk_janitor::JanitorOptions;

use super::{Outcome, print, stop_on_signal, store};
use crate::args::JanitorArgs;
use crate::config::Config;

pub(crate) async fn run(config: &Config, args: &JanitorArgs) -> anyhow::Result<Outcome> {
    let store = store(config).await?;
    let options = JanitorOptions {
        every: Duration::from_secs(config.janitor.every_minutes * 60),
        keep_windows: config.janitor.keep_windows,
    };
    if args.once {
        let round = copydesk_janitor::run_once(&store, &options).await?;
        print(&format!(
            "windows: {} created, {} dropped",
            round.windows_created, round.windows_dropped
        ));
    } else {
        copydesk_janitor::run(&store, &options, stop_on_signal()?).await?;
    }
    Ok(Outcome::Done)
}
