//! `copydesk feed`: arguments to the feed library's options.

use copydesk_feed::{FeedOptions, Links, Source};

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
        properties: config.kafka.properties(),
        form: args.format,
        links: if args.follow_links {
            Links::Follow
        } else {
            Links::Inside
        },
        base_url: args.base_url,
        resume: args.resume,
        traceparent: args.traceparent.or_else(inherited),
        language: args.language,
        site: args.site,
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

/// The trace that whoever started this program is part of. What is none is left alone: it was not meant for us alone.
fn inherited() -> Option<String> {
    let text = std::env::var("TRACEPARENT").ok().filter(|t| !t.is_empty())?;
    copydesk_feed::traceparent(&text)
        .inspect_err(|error| tracing::warn!(%error, "TRACEPARENT is not passed on"))
        .ok()
}
