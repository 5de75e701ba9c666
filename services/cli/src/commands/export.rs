//! `copydesk export`: articles or stories as a file.

use std::path::Path;

use anyhow::{Context as _, bail};
use copydesk_export::{Compression, ExportOptions, Format};
use copydesk_store::{ExportQuery, ExportTime, ExportView};

use super::{Outcome, note, read, stop_on_signal};
use crate::args::ExportArgs;
use crate::config::Config;

pub(crate) async fn run(config: &Config, args: &ExportArgs) -> anyhow::Result<Outcome> {
    let to_file = args.output != Path::new("-");
    let format = match &args.format {
        Some(name) => Format::of_name(&format!("x.{name}")),
        None if to_file => Format::of_name(&args.output.to_string_lossy()),
        None => Some(Format::JsonLines(Compression::None)),
    }
    .with_context(|| {
        format!(
            "the name {} does not say what kind of file it is; end it in .jsonl, .jsonl.gz, .jsonl.zst or \
                .parquet, or give --format",
            args.output.display()
        )
    })?;
    if let (Some(since), Some(until)) = (args.since, args.until)
        && since >= until
    {
        bail!("--since ({since}) is not before --until ({until}): nothing can be between them");
    }
    let options = ExportOptions {
        view: if args.what == "stories" {
            ExportView::Stories
        } else {
            ExportView::Articles
        },
        query: ExportQuery {
            by: if args.by == "published" {
                ExportTime::Published
            } else {
                ExportTime::Ingested
            },
            since: args.since,
            until: args.until,
            site: args.site.clone(),
            language: args.language.clone(),
        },
        output: to_file.then(|| args.output.clone()),
        format,
    };
    let stop = stop_on_signal()?;
    let done = read(config, async |store| {
        copydesk_export::run(store, &options, stop.clone()).await
    })
    .await?;
    let place = if to_file {
        args.output.display().to_string()
    } else {
        "standard output".to_owned()
    };
    note(&format!(
        "{} {} exported to {place}, {} bytes",
        done.rows, args.what, done.bytes
    ));
    if done.odd_rows > 0 {
        note(&format!(
            "{} of them have a value that Parquet cannot hold, a time before year 1 or after 9999 as a rule: \
                null was written for it",
            done.odd_rows
        ));
    }
    Ok(Outcome::Done)
}
