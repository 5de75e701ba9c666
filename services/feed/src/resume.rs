//! How far a run has come, in a file: so that the next one goes on there.
//!
//! The file says for each source up to which record everything is acknowledged. It is written about every
//! second, always whole (a new file takes the old one's name), and never runs ahead of Kafka. So whatever
//! kills a run, the next one leaves nothing out; what was acknowledged after the last write is sent twice,
//! and the pipeline recognises it.

use std::collections::VecDeque;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde::{Deserialize, Serialize};

use crate::{Origin, Source};

/// Between two writes.
const EVERY: Duration = Duration::from_secs(1);
/// Of a file's beginning, so much tells whether it is still the same.
const START_BYTES: u64 = 64 * 1024;
/// A state file of more bytes is none.
const MOST_BYTES: u64 = 64 << 20;
const VERSION: u32 = 1;

/// What is in the state file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    version: u32,
    topic: String,
    sources: Vec<SourceState>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceState {
    /// As it was named on the command line.
    source: String,
    /// The file of the last acknowledged record, and how many records of this file are acknowledged.
    file: Option<String>,
    records: u64,
    /// How that file begins.
    begins: Option<Beginning>,
    /// Everything is acknowledged.
    complete: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Beginning {
    bytes: u64,
    crc32: u32,
}

impl Beginning {
    /// Of at most `bytes` of a file.
    fn of(path: &Path, bytes: u64) -> io::Result<Self> {
        let mut start = Vec::new();
        // A pipe that was named as a source has none, and opening it a second time would wait.
        copydesk_files::open_linked(path)?
            .take(bytes)
            .read_to_end(&mut start)?;
        let mut crc = flate2::Crc::new();
        crc.update(&start);
        Ok(Self {
            bytes: start.len() as u64,
            crc32: crc.sum(),
        })
    }
}

/// A record's place: the source's number, its file, its number among the file's records.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    source: usize,
    file: Arc<str>,
    record: u64,
}

/// Which records are acknowledged without a hole. Acknowledgements come in any order.
#[derive(Debug, Default)]
pub(crate) struct Tracker {
    waiting: VecDeque<(Place, bool)>,
    /// Number of the first that waits.
    first: u64,
    done: Option<Place>,
    /// A record was lost on the way: nothing behind it counts.
    stuck: bool,
}

impl Tracker {
    fn sent(&mut self, place: Place) -> u64 {
        let number = self.first + self.waiting.len() as u64;
        if self.stuck {
            return number;
        }
        self.waiting.push_back((place, false));
        number
    }

    /// The record of this number is on the topic, or never will be.
    pub(crate) fn settled(&mut self, number: u64) {
        let index = number
            .checked_sub(self.first)
            .and_then(|i| usize::try_from(i).ok());
        if let Some((_, settled)) = index.and_then(|i| self.waiting.get_mut(i)) {
            *settled = true;
        }
        while let Some((place, true)) = self.waiting.front() {
            self.done = Some(place.clone());
            self.waiting.pop_front();
            self.first += 1;
        }
    }

    /// A record was given up that might be taken another time: the next run begins with it.
    pub(crate) fn lost(&mut self) {
        self.stuck = true;
        self.waiting.clear();
    }
}

/// Passes over what is acknowledged, and writes down what comes to be.
pub(crate) struct Resume {
    path: PathBuf,
    state: State,
    names: Vec<String>,
    /// The file being read, and its records so far.
    at: Option<(Arc<str>, u64)>,
    /// What is still to be passed over of the present source: the file, and how many records of it.
    skip: Option<(String, u64)>,
    written: Instant,
    saved: Option<Place>,
}

impl Resume {
    /// Reads the state file, if there is one, and writes it, so that a place that cannot be written is known at once.
    ///
    /// # Errors
    /// A file that is no state file, is of another topic, or cannot be written.
    pub(crate) fn open(path: &Path, topic: &str, sources: &[Source]) -> Result<Self> {
        let shown = path.display();
        let state = match read(path) {
            Ok(bytes) => serde_json::from_slice::<State>(&bytes)
                .with_context(|| format!("{shown} is no state file of `copydesk feed`; name another file"))?,
            Err(e) if e.kind() == io::ErrorKind::NotFound => State {
                version: VERSION,
                topic: topic.to_owned(),
                sources: Vec::new(),
            },
            Err(e) => return Err(e).with_context(|| format!("cannot read the state file {shown}")),
        };
        ensure!(
            state.version == VERSION,
            "the state file {shown} is of another version of copydesk; delete it to feed from the start"
        );
        ensure!(
            state.topic == topic,
            "the state file {shown} is about the topic {}, not {topic}; name another file",
            state.topic
        );
        let names: Vec<_> = sources.iter().map(name).collect();
        if let Some((a, _)) = names
            .iter()
            .enumerate()
            .find(|(i, n)| names.iter().take(*i).any(|o| o == *n))
        {
            bail!(
                "{} is named twice; with --resume each source may be named once",
                names.get(a).map_or("a source", String::as_str)
            );
        }
        let resume = Self {
            path: path.to_owned(),
            state,
            names,
            at: None,
            skip: None,
            written: Instant::now(),
            saved: None,
        };
        resume.write()?;
        Ok(resume)
    }

    /// A source is begun; `false` if nothing is left to do with it.
    ///
    /// # Errors
    /// The file where the last run stood is not the same any more.
    pub(crate) fn begin(&mut self, source: usize) -> Result<bool> {
        self.at = None;
        self.skip = None;
        let Some(known) = self.known(source) else {
            return Ok(true);
        };
        if known.complete {
            return Ok(false);
        }
        let (file, records, begins) = (known.file.clone(), known.records, known.begins.clone());
        if let (Some(file), Some(begins)) = (&file, &begins) {
            let now = Beginning::of(Path::new(file), begins.bytes).ok();
            if now.as_ref() != Some(begins) {
                return Err(self.changed(file));
            }
        }
        self.skip = file.map(|file| (file, records));
        Ok(true)
    }

    /// Whether the record is on the topic already. Must be asked for every record of the source, in order.
    pub(crate) fn passes(&mut self, origin: &Origin) -> bool {
        let record = match &mut self.at {
            Some((file, record)) if *file == origin.file => {
                *record += 1;
                *record
            }
            at => {
                *at = Some((Arc::clone(&origin.file), 1));
                1
            }
        };
        let Some((file, records)) = &self.skip else {
            return false;
        };
        if **file == *origin.file && record >= *records {
            self.skip = None;
        }
        true
    }

    /// The record that was asked for last is sent; gives its number.
    pub(crate) fn sent(&self, source: usize, tracker: &mut Tracker) -> Option<u64> {
        let (file, record) = self.at.clone()?;
        Some(tracker.sent(Place { source, file, record }))
    }

    /// The source is read to its end.
    ///
    /// # Errors
    /// Fewer records than an earlier run has seen.
    pub(crate) fn end(&self) -> Result<()> {
        self.skip
            .as_ref()
            .map_or(Ok(()), |(file, _)| Err(self.changed(file)))
    }

    fn changed(&self, file: &str) -> anyhow::Error {
        anyhow::anyhow!(
            "{file} is not what it was when {} was written; delete the state file to feed from the start \
                (what is on the topic already is recognised)",
            self.path.display()
        )
    }

    /// Writes the state if it is time to.
    pub(crate) fn tick(&mut self, tracker: &Tracker) {
        if self.written.elapsed() >= EVERY && tracker.done != self.saved {
            self.note(tracker);
            self.save();
        }
    }

    /// The last write. `whole`: the sources that were read to their ends.
    pub(crate) fn finish(&mut self, tracker: &Tracker, whole: &[usize]) {
        self.note(tracker);
        if !tracker.stuck && tracker.waiting.is_empty() {
            for source in whole {
                self.entry(*source).complete = true;
            }
        }
        self.save();
    }

    fn known(&self, source: usize) -> Option<&SourceState> {
        let name = self.names.get(source)?;
        self.state.sources.iter().find(|s| s.source == *name)
    }

    fn entry(&mut self, source: usize) -> &mut SourceState {
        let name = self.names.get(source).cloned().unwrap_or_default();
        let sources = &mut self.state.sources;
        let index = sources.iter().position(|s| s.source == name).unwrap_or_else(|| {
            sources.push(SourceState {
                source: name,
                file: None,
                records: 0,
                begins: None,
                complete: false,
            });
            sources.len() - 1
        });
        &mut sources[index]
    }

    fn note(&mut self, tracker: &Tracker) {
        let Some(done) = tracker.done.clone() else { return };
        self.saved = Some(done.clone());
        let entry = self.entry(done.source);
        entry.records = done.record;
        if entry.file.as_deref() != Some(&*done.file) {
            // Standard input has no beginning that could be looked at again.
            entry.begins = Beginning::of(Path::new(&*done.file), START_BYTES).ok();
            entry.file = Some(done.file.to_string());
        }
    }

    fn save(&mut self) {
        self.written = Instant::now();
        if let Err(error) = self.write() {
            tracing::warn!(
                error = format!("{error:#}"),
                "the state is not written; a later run would send more twice"
            );
        }
    }

    fn write(&self) -> Result<()> {
        let write =
            || copydesk_files::write(&self.path, serde_json::to_string_pretty(&self.state)?.as_bytes());
        write().with_context(|| format!("cannot write the state file {}", self.path.display()))
    }
}

/// The bytes of a state file, of which more than [`MOST_BYTES`] are none.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    copydesk_files::open(path)?
        .take(MOST_BYTES)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn name(source: &Source) -> String {
    match source {
        Source::Samples => "the samples".into(),
        Source::Stdin => "-".into(),
        Source::Path(path) => path.to_string_lossy().into_owned(),
    }
}

#[cfg(test)]
mod tests;
