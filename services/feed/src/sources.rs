//! Sources cut into records.

use std::fs::File;
use std::io::{self, BufRead, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::watch;
use url::Url;

use crate::key::Address;
use crate::outgoing::{Origin, Outgoing, Step};
use crate::samples::{SAMPLES, Sample};
use crate::source::{Form, Source};
use crate::walk::{Found, LEADS_OUT, Links, Walk};
use crate::{aside, input, json, key, syndication, warc};

pub(crate) type Steps<'a> = Box<dyn Iterator<Item = Step> + 'a>;

const EMPTY: &str = "files with nothing in them";

pub(crate) fn once<'a>(step: Step) -> Steps<'a> {
    Box::new(std::iter::once(step))
}

/// The steps of a file; of one that has none, that.
fn said_if_empty(steps: Steps<'static>) -> Steps<'static> {
    let mut steps = steps.peekable();
    match steps.peek() {
        None => once(Step::PassedOver(EMPTY)),
        Some(_) => Box::new(steps),
    }
}

/// Reads sources. Holds what is the same for every record, and counts the bytes read. Clones count together.
#[derive(Clone)]
pub(crate) struct Reader {
    base_url: Option<Url>,
    /// The form of standard input, and of files that are named as sources.
    form: Option<Form>,
    links: Links,
    max_record_bytes: usize,
    bytes: Arc<AtomicU64>,
    stop: watch::Receiver<bool>,
}

impl Reader {
    pub(crate) fn new(
        base_url: Option<Url>,
        form: Option<Form>,
        links: Links,
        max_record_bytes: usize,
        stop: watch::Receiver<bool>,
    ) -> Self {
        Self {
            base_url,
            form,
            links,
            max_record_bytes,
            bytes: Arc::default(),
            stop,
        }
    }

    /// Bytes of files read so far, as they are on disk.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// The records of a source, one after the other, read on a thread of its own: a pipe may stay silent for
    /// ever, and a network file system may not answer, but a run can be stopped, and what has been sent is
    /// seen to.
    pub(crate) fn read_aside(&self, source: &Source) -> Steps<'static> {
        let origin = match source {
            Source::Path(path) => file_origin(path),
            Source::Stdin => named_origin("standard input"),
            Source::Samples => named_origin("samples"),
        };
        let (reader, source) = (self.clone(), source.clone());
        aside::aside(origin, move || reader.read(&source))
    }

    /// The records of a source, one after the other. Nothing is opened before it is asked for.
    pub(crate) fn read(&self, source: &Source) -> Steps<'static> {
        match source {
            Source::Samples => Box::new(SAMPLES.iter().map(sample)),
            Source::Stdin => self.piped(io::stdin(), named_origin("standard input")),
            Source::Path(path) => {
                let walk = Walk::new(path, self.links);
                let inside = walk.inside().map(Path::to_owned);
                let reader = self.clone();
                Box::new(walk.flat_map(move |found| reader.found(found, inside.as_deref())))
            }
        }
    }

    fn found(&self, found: Found, inside: Option<&Path>) -> Steps<'static> {
        match found {
            Found::Named(path) => match self.form.or_else(|| Form::of(&path)) {
                // It was asked for, so it may be a pipe, and a read may wait.
                Some(form) => {
                    let relative = path.file_name().map_or(path.as_path(), Path::new);
                    self.file(&path, relative, form, File::open(&path))
                }
                None => once(Step::Skipped(path)),
            },
            Found::File {
                path,
                relative,
                target,
            } => {
                let Some(form) = Form::of(&path) else {
                    return once(Step::Skipped(path));
                };
                let file = copydesk_files::open(target.as_ref().unwrap_or(&path));
                let is_outside = |file: &File| inside.is_some_and(|i| !copydesk_files::is_below(file, i));
                if self.links == Links::Inside && file.as_ref().is_ok_and(is_outside) {
                    return once(Step::PassedOver(LEADS_OUT));
                }
                self.file(&path, &relative, form, file)
            }
            Found::Unreadable(path, e) => once(Step::Unreadable {
                origin: file_origin(&path),
                why: e.to_string(),
            }),
            Found::PassedOver(kind) => once(Step::PassedOver(kind)),
        }
    }

    fn file(&self, path: &Path, relative: &Path, form: Form, file: io::Result<File>) -> Steps<'static> {
        self.cut(form, self.url_of(relative), file_origin(path), file)
    }

    fn piped(&self, pipe: impl Read + 'static, origin: Origin) -> Steps<'static> {
        let form = self.form.unwrap_or(Form::Lines);
        self.cut(form, self.base_url.clone(), origin, Ok(pipe))
    }

    fn cut(
        &self,
        form: Form,
        url: Option<Url>,
        origin: Origin,
        input: io::Result<impl Read + 'static>,
    ) -> Steps<'static> {
        let cut = Cut {
            form,
            base: self.base_url.clone(),
            url,
            max: self.max_record_bytes,
            origin: origin.clone(),
        };
        let counter = input::Counter {
            bytes: Arc::clone(&self.bytes),
            stop: self.stop.clone(),
        };
        match input.and_then(|input| cut.steps(input, &counter)) {
            Ok(steps) => said_if_empty(steps),
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
    fn steps(self, file: impl Read + 'static, counter: &input::Counter) -> io::Result<Steps<'static>> {
        let max = self.max;
        if self.form == Form::Warc {
            // Its members are its records: it opens them itself.
            return Ok(Box::new(warc::steps(
                input::raw(file, counter),
                self.origin,
                max,
            )?));
        }
        let input = input::open(file, counter)?;
        Ok(match self.form {
            Form::Lines => json::lines(input, self.origin, max)?,
            Form::Json => json::json(input, self.base.as_ref(), self.origin, max)?,
            Form::Feed => syndication::steps(input, self.base.as_ref(), &self.origin, max),
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
                        // Whoever feeds a page without a base URL knows.
                        address: Address::Known,
                        notes: Vec::new(),
                    }
                }))
            }
        })
    }
}

/// All that is left of `input`, after `start`, as one record.
pub(crate) fn whole(
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

pub(crate) fn too_large(origin: Origin, max: usize) -> Step {
    Step::Refused {
        origin,
        why: format!("over the limit of {max} bytes"),
    }
}

fn file_origin(path: &Path) -> Origin {
    named_origin(&path.to_string_lossy())
}

fn named_origin(name: &str) -> Origin {
    Origin {
        file: name.into(),
        line: None,
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
        address: Address::Known,
        notes: Vec::new(),
    })
}

#[cfg(test)]
mod tests;
