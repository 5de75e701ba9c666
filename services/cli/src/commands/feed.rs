//! `copydesk feed`: arguments to the feed library's options.

use copydesk_feed::{FeedOptions, Source};

use super::{Outcome, print, stop_on_signal};
use crate::args::FeedArgs;
use crate::config::Config;
use crate::show::safe;

pub(crate) async fn run(config: &Config, args: FeedArgs) -> anyhow::Result<Outcome> {
    let sources = if args.samples {
        vec![Source::Samples]
    } else {
        args.sources.into_iter().map(Source::from_argument).collect()
    };
    let options = FeedOptions {
        partitions: config.kafka.partitions,
        properties: config.kafka.properties.clone(),
        base_url: args.base_url,
        dry_run: args.dry_run,
        limit: args.limit,
        rate: args.rate,
        ..FeedOptions::new(&config.kafka.brokers, &config.kafka.topic, sources)
    };
    let report = copydesk_feed::run(options, stop_on_signal()?).await?;
    print(&safe(&report.to_string()));
    Ok(if report.is_complete() {
        Outcome::Done
    } else {
        Outcome::Found
    })
}
