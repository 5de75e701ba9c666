//! `copydesk rewind`: a person has messages read again.

use anyhow::{Context as _, bail};
use copydesk_article::Offset;
use copydesk_store::RewindTo;
use copydesk_stream::admin;

use super::{Outcome, print, store, stream};
use crate::args::RewindArgs;
use crate::config::Config;
use crate::show::safe;

pub(crate) async fn run(config: &Config, args: &RewindArgs) -> anyhow::Result<Outcome> {
    let store = store(config).await?;
    let mut wanted = positions(config, args).await?;
    if let Some(partition) = args.partition {
        wanted.retain(|w| w.source.partition.get() == partition);
        if wanted.is_empty() {
            bail!("the topic {} has no partition {partition}", config.kafka.topic);
        }
    }
    if args.time.is_some() {
        // A time means all partitions: those that are not that far yet have nothing to be read again.
        let progress = store.progress().await?;
        wanted.retain(|w| {
            progress
                .iter()
                .any(|p| p.source == w.source && p.next_offset.is_past(w.to))
        });
    }
    if wanted.is_empty() {
        print("nothing to rewind: everything that is stored is older");
        return Ok(Outcome::Done);
    }
    let done = store.rewind(&wanted, &who(), args.dry_run).await?;
    let would = if args.dry_run { "would go" } else { "goes" };
    for one in &done {
        print(&format!(
            "{} {would} from {} back to {}: {} sightings and {} quarantined messages are taken back, {} \
                skipped offsets",
            safe(&one.source.to_string()),
            one.from,
            one.to,
            one.sightings,
            one.quarantined,
            one.skipped
        ));
    }
    if args.dry_run {
        print("nothing was changed");
    }
    Ok(Outcome::Done)
}

/// Where each partition is to go on, with what Kafka still has of it.
async fn positions(config: &Config, args: &RewindArgs) -> anyhow::Result<Vec<RewindTo>> {
    let (settings, to, time) = (stream(config), args.to, args.time);
    let found: Result<Vec<RewindTo>, copydesk_stream::StreamError> = tokio::task::spawn_blocking(move || {
        let marks = admin::watermarks(&settings)?;
        let at = match time {
            Some(time) => admin::offsets_at(&settings, time.timestamp_millis())?,
            None => Vec::new(),
        };
        Ok(marks
            .into_iter()
            .filter_map(|mark| {
                let found = at.iter().find(|(source, _)| *source == mark.source);
                let to = to.map(Offset::new).or(found.map(|(_, at)| *at))?;
                Some(RewindTo {
                    source: mark.source,
                    to,
                    low: mark.low,
                })
            })
            .collect())
    })
    .await?;
    found.context("cannot ask Kafka what it still has")
}

/// For the table `rewind`: user and process.
fn who() -> String {
    let user = std::env::var("USER").unwrap_or_else(|_| "somebody".into());
    format!("{user} (copydesk rewind, process {})", std::process::id())
}
