//! Shows how a run gets on: a bar on a terminal, a log line every few seconds elsewhere.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::sources::Reader;
use crate::{FeedOptions, Links, Source, walk};

/// Between two log lines.
const REPORT_EVERY: Duration = Duration::from_secs(5);
/// Between two looks at the clock's consequences.
const DRAW_EVERY: Duration = Duration::from_millis(100);

/// The display of one run.
pub(crate) struct Progress<'r> {
    reader: &'r Reader,
    bar: Option<ProgressBar>,
    started: Instant,
    shown: Instant,
    /// Records at the last log line.
    before: u64,
    records: u64,
}

impl<'r> Progress<'r> {
    pub(crate) fn start(options: &FeedOptions, reader: &'r Reader) -> Self {
        let bar = options.bar.then(|| bar(options));
        let now = Instant::now();
        Self {
            reader,
            bar,
            started: now,
            shown: now,
            before: 0,
            records: 0,
        }
    }

    /// Another record has been read. Cheap enough to call for each.
    pub(crate) fn tick(&mut self, records: u64, acknowledged: u64) {
        self.records = records;
        let since = self.shown.elapsed();
        match &self.bar {
            Some(bar) if since >= DRAW_EVERY => {
                bar.set_position(self.reader.bytes());
                bar.set_message(format!(
                    "{records} records, {:.0}/s",
                    rate(records, self.started.elapsed())
                ));
                self.shown = Instant::now();
            }
            None if since >= REPORT_EVERY => {
                let per_second = rate(records - self.before, since) as u64;
                tracing::info!(records, acknowledged, per_second, "feeding");
                self.before = records;
                self.shown = Instant::now();
            }
            _ => {}
        }
    }

    /// All is read; the last acknowledgements are awaited.
    pub(crate) fn flushing(&mut self, acknowledged: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(self.reader.bytes());
            bar.set_message(format!("{acknowledged} of {} acknowledged", self.records));
        } else {
            self.tick(self.records, acknowledged);
        }
    }

    /// Clears the bar: the report says the rest.
    pub(crate) fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

fn rate(count: u64, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64().max(0.001)
}

/// Bytes of all sources, if all of them are files.
fn total_bytes(sources: &[Source], links: Links) -> Option<u64> {
    sources
        .iter()
        .map(|source| match source {
            Source::Path(path) => Some(walk::size(path, links)),
            Source::Stdin | Source::Samples => None,
        })
        .sum()
}

/// A bar that learns its length on the way: looking at every file of a large folder takes its time, and is
/// nothing to wait for.
fn bar(options: &FeedOptions) -> ProgressBar {
    let bar = ProgressBar::no_length();
    bar.set_draw_target(ProgressDrawTarget::stderr());
    bar.set_style(style("{spinner} {bytes} in {elapsed}  {msg}"));
    let (sources, links, longer) = (options.sources.clone(), options.links, bar.clone());
    let measure = move || {
        if let Some(total) = total_bytes(&sources, links) {
            longer.set_style(style("{spinner} [{bar:30}] {percent:>3} %  {msg}  {eta} left"));
            longer.set_length(total);
        }
    };
    // Without that thread the bar has no length, which does no harm.
    let _ = std::thread::Builder::new()
        .name("feed-size".into())
        .spawn(measure);
    bar
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
}
