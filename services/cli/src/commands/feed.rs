//! `copydesk feed`: arguments to the feed library's options.

use copydesk_feed::{FeedOptions, Source};

use super::{Outcome, print};
use crate::args::FeedArgs;
use crate::config::Config;

pub(crate) async fn run(config: &Config, args: FeedArgs) -> anyhow::Result<Outcome> {
    let _ = (config, args);
    Ok(Outcome::Done)
}
