//! Sources cut into records.

use std::io::{self, BufRead, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use url::Url;

use crate::lines::{Line, Lines};
use crate::outgoing::{Origin, Outgoing, Step};
use crate::samples::{SAMPLES, Sample};
use crate::source::{Form, Source};
use crate::walk::{Found, walk};
use crate::{input, key, syndication, warc};

/// How long an input may stay silent before the run looks after other things.
const SILENCE: Duration = Duration::from_millis(100);

type Steps<'a> = Box<dyn Iterator<Item = Step> + 'a>;

fn once<'a>(step: Step) -> Steps<'a> {
    Box::new(std::iter::once(step))
}

/// Reads sources. Holds what is the same for every record, and counts the bytes read.
pub(crate) struct Reader {
    base_url: Option<Url>,
    /// The form of standard input, and of files that are named as sources.
    form: Option<Form>,
    max_record_bytes: usize,
    bytes: Arc<AtomicU64>,
}

impl Reader {
    pub(crate) fn new(base_url: Option<Url>, form: Option<Form>, max_record_bytes: usize) -> Self {
        Self {
            base_url,
            form,
            max_record_bytes,
            bytes: Arc::default(),
        }
    }

    /// Bytes of files read so far, as they are on disk.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// The records of a source, one after the other. Nothing is opened before it is asked for.
    pub(crate) fn read<'a>(&'a self, source: &'a Source) -> Steps<'a> {
        match source {
            Source::Samples => Box::new(SAMPLES.iter().map(sample)),
            Source::Stdin => self.piped(io::stdin(), "standard input"),
            Source::Path(path) => Box::new(walk(path).flat_map(|found| match found {
                Found::File { path, relative } => match self.form_of(&path, source) {
                    Some(form) => self.file(&path, &relative, form),
                    None => once(Step::Skipped(path)),
                },
                Found::Unreadable(path, e) => once(Step::Unreadable {
                    origin: file_origin(&path),
                    why: e.to_string(),
                }),
            })),
        }
    }

    /// What is said of a named file wins over its name; in a folder the names decide.
    fn form_of(&self, path: &Path, source: &Source) -> Option<Form> {
        let named = matches!(source, Source::Path(p) if p == path);
        self.form.filter(|_| named).or_else(|| Form::of(path))
    }

    fn file(&self, path: &Path, relative: &Path, form: Form) -> Steps<'static> {
        let origin = file_origin(path);
        let cut = Cut {
            form,
            base: self.base_url.clone(),
            url: self.url_of(relative),
            max: self.max_record_bytes,
            origin: origin.clone(),
        };
        match std::fs::File::open(path).and_then(|file| cut.steps(file, &self.bytes)) {
            Ok(steps) => steps,
            Err(e) => once(Step::Unreadable {
                origin,
                why: e.to_string(),
            }),
        }
    }

    /// The address of a file below the base URL. Compression is how the file is kept, not how it is called.
    fn url_of(&self, relative: &Path) -> Option<Url> {
        let mut url = self.base_url.clone()?;
        let mut parts: Vec<_> = relative
            .components()
            .map(|c| c.as_os_str().to_string_lossy().into_owned())
            .collect();
        if let Some(last) = parts.last_mut()
            && let Some(bare) = last.strip_suffix(".gz").or_else(|| last.strip_suffix(".zst"))
        {
            *last = bare.to_owned();
        }
        url.path_segments_mut().ok()?.pop_if_empty().extend(parts);
        Some(url)
    }

    /// A pipe may stay silent for ever: it is read on a thread of its own, so that a run can be stopped, and what has
    /// been sent is seen to, while nothing comes.
    fn piped(&self, pipe: impl Read + Send + 'static, name: &str) -> Steps<'static> {
        let (sender, receiver) = std::sync::mpsc::sync_channel(64);
        let bytes = Arc::clone(&self.bytes);
        let origin = Origin {
            file: name.into(),
            line: None,
        };
        let cut = Cut {
            form: self.form.unwrap_or(Form::Lines),
            base: self.base_url.clone(),
            url: self.base_url.clone(),
            max: self.max_record_bytes,
            origin: origin.clone(),
        };
        let read = move || {
            let origin = cut.origin.clone();
            // Sending fails where the run has ended before the input.
            let _ = match cut.steps(pipe, &bytes) {
                Ok(mut steps) => steps.try_for_each(|s| sender.send(s)),
                Err(e) => sender.send(Step::Unreadable {
                    origin,
                    why: e.to_string(),
                }),
            };
        };
        if let Err(e) = std::thread::Builder::new().name("feed-pipe".into()).spawn(read) {
            return once(Step::Unreadable {
                origin,
                why: e.to_string(),
            });
        }
        Box::new(std::iter::from_fn(move || match receiver.recv_timeout(SILENCE) {
            Ok(step) => Some(step),
            Err(RecvTimeoutError::Timeout) => Some(Step::Waiting),
            Err(RecvTimeoutError::Disconnected) => None,
        }))
    }
}

/// How one input is cut into records.
struct Cut {
    form: Form,
    /// What relative links are relative to.
    base: Option<Url>,
    /// The address of the input itself.
    url: Option<Url>,
    max: usize,
    origin: Origin,
}

impl Cut {
    fn steps(self, file: impl Read + 'static, bytes: &Arc<AtomicU64>) -> io::Result<Steps<'static>> {
        let max = self.max;
        if self.form == Form::Warc {
            // Its members are its records: it opens them itself.
            return Ok(Box::new(warc::steps(input::raw(file, bytes), self.origin, max)?));
        }
        let input = input::open(file, bytes)?;
        Ok(match self.form {
            Form::Lines => Box::new(steps(Lines::new(input, max), self.origin, max)),
            Form::Json => json(Lines::new(input, max), self.origin, max),
            Form::Feed => {
                Box::new(syndication::steps(input, self.base.as_ref(), &self.origin, max).into_iter())
            }
            Form::Html | Form::Xhtml | Form::Text | Form::Warc => {
                once(whole(Vec::new(), input, self.origin, max, |payload, origin| {
                    let content_type = self.form.content_type().map(|t| ("content-type", t.to_owned()));
                    Outgoing {
                        key: self.url.as_ref().and_then(key::of_url),
                        payload,
                        headers: content_type
                            .into_iter()
                            .chain(self.url.map(|u| ("url", u.into())))
                            .collect(),
                        origin,
                        odd: false,
                    }
                }))
            }
        })
    }
}

/// A .json file: one envelope over any number of lines; or JSON Lines after all, where the first line is
/// a whole object.
fn json(mut lines: Lines, origin: Origin, max: usize) -> Steps<'static> {
    match lines.next() {
        None => once(Step::Article(envelope(Vec::new(), origin))),
        Some(Line::Whole(number, first)) if key::peek(&first).is_object => {
            let at = Origin {
                line: Some(number),
                ..origin.clone()
            };
            Box::new(once(Step::Article(envelope(first, at))).chain(steps(lines, origin, max)))
        }
        Some(Line::Whole(_, mut first)) => {
            first.push(b'\n');
            once(whole(first, lines.into_rest(), origin, max, envelope))
        }
        Some(Line::TooLong(_)) => once(too_large(origin, max)),
        Some(Line::Broken(_, e)) => once(Step::Unreadable {
            origin,
            why: e.to_string(),
        }),
    }
}

/// All that is left of `input`, after `start`, as one record.
fn whole(
    start: Vec<u8>,
    input: impl BufRead,
    origin: Origin,
    max: usize,
    make: impl FnOnce(Vec<u8>, Origin) -> Outgoing,
) -> Step {
    let mut payload = start;
    // One byte over the limit is enough to know.
    let room = (max + 1).saturating_sub(payload.len());
    match input.take(room as u64).read_to_end(&mut payload) {
        Err(e) => Step::Unreadable {
            origin,
            why: e.to_string(),
        },
        Ok(_) if payload.len() > max => too_large(origin, max),
        Ok(_) => Step::Article(make(payload, origin)),
    }
}

fn steps(lines: Lines, origin: Origin, max: usize) -> impl Iterator<Item = Step> {
    lines.map(move |line| {
        let at = |number| Origin {
            line: Some(number),
            ..origin.clone()
        };
        match line {
            Line::Whole(number, payload) => Step::Article(envelope(payload, at(number))),
            Line::TooLong(number) => too_large(at(number), max),
            Line::Broken(number, e) => Step::Unreadable {
                origin: at(number),
                why: e.to_string(),
            },
        }
    })
}

fn too_large(origin: Origin, max: usize) -> Step {
    Step::Refused {
        origin,
        why: format!("over the limit of {max} bytes"),
    }
}

fn file_origin(path: &Path) -> Origin {
    Origin {
        file: path.to_string_lossy().into(),
        line: None,
    }
}

fn envelope(payload: Vec<u8>, origin: Origin) -> Outgoing {
    let peek = key::peek(&payload);
    Outgoing {
        key: peek.site,
        payload,
        headers: Vec::new(),
        origin,
        odd: !peek.is_object,
    }
}

fn sample(sample: &Sample) -> Step {
    Step::Article(Outgoing {
        key: Some(sample.key.to_owned()),
        payload: sample.payload.to_vec(),
        headers: sample
            .headers
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect(),
        origin: Origin {
            file: format!("sample {}", sample.name).into(),
            line: None,
        },
        odd: sample.headers.is_empty() && !key::peek(sample.payload).is_object,
    })
}

#[cfg(test)]
mod tests;
