//! Sources cut into records.

use std::fmt;
use std::io::{BufRead, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Result, bail};
use url::Url;

use crate::lines::{Line, Lines};
use crate::samples::{SAMPLES, Sample};
use crate::walk::{Found, walk};
use crate::{input, key};

/// Where articles come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The bundled samples.
    Samples,
    /// JSON Lines on standard input, compressed or not.
    Stdin,
    /// A file, or a folder with everything below it.
    Path(PathBuf),
}

impl Source {
    /// A source as people write it: `-` is standard input.
    pub fn from_argument(argument: PathBuf) -> Self {
        if argument.as_os_str() == "-" {
            Self::Stdin
        } else {
            Self::Path(argument)
        }
    }

    /// Complains about what can be known to fail before anything is sent.
    pub(crate) fn check(&self) -> Result<()> {
        let Self::Path(path) = self else { return Ok(()) };
        let shown = path.display();
        match std::fs::metadata(path) {
            Err(e) => bail!("cannot read {shown}: {e}"),
            Ok(file) if !file.is_dir() && Form::of(path).is_none() => bail!(
                "{shown}: the name does not tell what is in it; it must end in one of {}, with or without .gz or .zst",
                Form::ENDINGS.map(|(ending, _)| format!(".{ending}")).join(" ")
            ),
            Ok(_) => Ok(()),
        }
    }
}

/// Where a record was read: a file, and the line for JSON Lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The file's path, or what stands for one.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: Option<u64>,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}", self.file),
            None => f.write_str(&self.file),
        }
    }
}

/// One record, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The site, if it is known.
    pub key: Option<String>,
    /// The record's value.
    pub payload: Vec<u8>,
    /// The record's headers.
    pub headers: Vec<(&'static str, String)>,
    /// Where it was read.
    pub origin: Origin,
    /// It should be a JSON object and is none: the pipeline will quarantine it.
    pub odd: bool,
}

/// What a source yields next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A record.
    Article(Outgoing),
    /// Something that cannot be sent: too large.
    Refused {
        /// Where it is.
        origin: Origin,
        /// What is wrong with it.
        why: String,
    },
    /// A file or the rest of it that cannot be read.
    Unreadable {
        /// Where reading ended.
        origin: Origin,
        /// The system's reason.
        why: String,
    },
    /// A file in a folder that is of none of the known forms.
    Skipped(PathBuf),
}

/// What a file holds, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Lines,
    Json,
    Html,
    Xhtml,
    Text,
}

impl Form {
    const ENDINGS: [(&'static str, Self); 8] = [
        ("jsonl", Self::Lines),
        ("ndjson", Self::Lines),
        ("json", Self::Json),
        ("html", Self::Html),
        ("htm", Self::Html),
        ("xhtml", Self::Xhtml),
        ("txt", Self::Text),
        ("text", Self::Text),
    ];

    /// By the ending, whatever its case; an ending of `.gz` or `.zst` is looked past.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let mut name = Path::new(path.file_name()?);
        let is = |name: &Path, ending: &str| name.extension().is_some_and(|e| e.eq_ignore_ascii_case(ending));
        if is(name, "gz") || is(name, "zst") {
            name = Path::new(name.file_stem()?);
        }
        Self::ENDINGS
            .into_iter()
            .find(|(ending, _)| is(name, ending))
            .map(|(_, form)| form)
    }

    const fn content_type(self) -> Option<&'static str> {
        match self {
            // Envelopes are recognised by their first byte; what is sent is what is in the file, and no more.
            Self::Lines | Self::Json => None,
            Self::Html => Some("text/html"),
            Self::Xhtml => Some("application/xhtml+xml"),
            Self::Text => Some("text/plain"),
        }
    }
}

type Steps<'a> = Box<dyn Iterator<Item = Step> + 'a>;

fn once<'a>(step: Step) -> Steps<'a> {
    Box::new(std::iter::once(step))
}

/// Reads sources. Holds what is the same for every record, and counts the bytes read.
pub(crate) struct Reader {
    base_url: Option<Url>,
    max_record_bytes: usize,
    bytes: Arc<AtomicU64>,
}

impl Reader {
    pub(crate) fn new(base_url: Option<Url>, max_record_bytes: usize) -> Self {
        Self {
            base_url,
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
            Source::Stdin => {
                let origin = Origin {
                    file: "standard input".into(),
                    line: None,
                };
                match input::open(std::io::stdin(), &self.bytes) {
                    Ok(input) => self.lines(Lines::new(input, self.max_record_bytes), origin),
                    Err(e) => once(Step::Unreadable {
                        origin,
                        why: e.to_string(),
                    }),
                }
            }
            Source::Path(path) => Box::new(walk(path).flat_map(|found| match found {
                Found::File { path, relative } => match Form::of(&path) {
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

    fn file(&self, path: &Path, relative: &Path, form: Form) -> Steps<'_> {
        let origin = file_origin(path);
        let input = match std::fs::File::open(path).and_then(|file| input::open(file, &self.bytes)) {
            Ok(input) => input,
            Err(e) => {
                return once(Step::Unreadable {
                    origin,
                    why: e.to_string(),
                });
            }
        };
        match form {
            Form::Lines => self.lines(Lines::new(input, self.max_record_bytes), origin),
            Form::Json => self.json(Lines::new(input, self.max_record_bytes), origin),
            Form::Html | Form::Xhtml | Form::Text => {
                let url = self.url_of(relative);
                once(self.whole(Vec::new(), input, origin, |payload, origin| {
                    let key = url.as_ref().and_then(key::of_url);
                    let content_type = form.content_type().map(|t| ("content-type", t.to_owned()));
                    let headers = content_type
                        .into_iter()
                        .chain(url.map(|u| ("url", u.into())))
                        .collect();
                    Outgoing {
                        key,
                        payload,
                        headers,
                        origin,
                        odd: false,
                    }
                }))
            }
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

    /// A .json file: one envelope over any number of lines; or JSON Lines after all, where the first line is
    /// a whole object.
    fn json(&self, mut lines: Lines, origin: Origin) -> Steps<'_> {
        match lines.next() {
            None => once(Step::Article(envelope(Vec::new(), origin))),
            Some(Line::Whole(number, first)) if key::peek(&first).is_object => {
                let at = Origin {
                    line: Some(number),
                    ..origin.clone()
                };
                Box::new(once(Step::Article(envelope(first, at))).chain(self.lines(lines, origin)))
            }
            Some(Line::Whole(_, mut first)) => {
                first.push(b'\n');
                once(self.whole(first, lines.into_rest(), origin, envelope))
            }
            Some(Line::TooLong(_)) => once(self.too_large(origin)),
            Some(Line::Broken(_, e)) => once(Step::Unreadable {
                origin,
                why: e.to_string(),
            }),
        }
    }

    fn lines(&self, lines: Lines, origin: Origin) -> Steps<'_> {
        Box::new(lines.map(move |line| {
            let at = |number| Origin {
                line: Some(number),
                ..origin.clone()
            };
            match line {
                Line::Whole(number, payload) => Step::Article(envelope(payload, at(number))),
                Line::TooLong(number) => self.too_large(at(number)),
                Line::Broken(number, e) => Step::Unreadable {
                    origin: at(number),
                    why: e.to_string(),
                },
            }
        }))
    }

    /// All that is left of `input`, after `start`, as one record.
    fn whole(
        &self,
        start: Vec<u8>,
        input: impl BufRead,
        origin: Origin,
        make: impl FnOnce(Vec<u8>, Origin) -> Outgoing,
    ) -> Step {
        let mut payload = start;
        // One byte over the limit is enough to know.
        let room = (self.max_record_bytes + 1).saturating_sub(payload.len());
        match input.take(room as u64).read_to_end(&mut payload) {
            Err(e) => Step::Unreadable {
                origin,
                why: e.to_string(),
            },
            Ok(_) if payload.len() > self.max_record_bytes => self.too_large(origin),
            Ok(_) => Step::Article(make(payload, origin)),
        }
    }

    fn too_large(&self, origin: Origin) -> Step {
        Step::Refused {
            origin,
            why: format!("over the limit of {} bytes", self.max_record_bytes),
        }
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
mod tests {
    use std::fs;
    use std::io::Write as _;

    use super::*;

    fn read(path: &Path, base_url: Option<&str>) -> Vec<Step> {
        let reader = Reader::new(base_url.map(|u| Url::parse(u).unwrap()), 100);
        let steps = reader.read(&Source::Path(path.to_owned())).collect();
        if path.is_file() {
            assert_eq!(reader.bytes(), fs::metadata(path).unwrap().len());
        }
        steps
    }

    fn articles(steps: &[Step]) -> Vec<&Outgoing> {
        steps
            .iter()
            .filter_map(|s| if let Step::Article(a) = s { Some(a) } else { None })
            .collect()
    }

    const LINES: &str = "{\"url\":\"https://www.A.example/1\",\"text\":\"a\",\"z\":1}\n\n \t\r\n{oops\r\n  {\"site\":\"b.example\"} ";

    #[test]
    fn lines_go_out_as_they_stand() {
        let dir = tempfile::tempdir().unwrap();
        let plain = dir.path().join("a.jsonl");
        fs::write(&plain, LINES).unwrap();
        let gz = dir.path().join("a.ndjson.gz");
        // Two members in one file, as tools that append write it.
        let pack = |part: &str| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(part.as_bytes()).unwrap();
            encoder.finish().unwrap()
        };
        let (one, two) = LINES.split_at(20);
        fs::write(&gz, [pack(one), pack(two)].concat()).unwrap();
        let zst = dir.path().join("a.JSONL.zst");
        fs::write(&zst, zstd::encode_all(LINES.as_bytes(), 1).unwrap()).unwrap();
        for path in [plain, gz, zst] {
            let steps = read(&path, None);
            let articles = articles(&steps);
            assert_eq!((articles.len(), steps.len()), (3, 3));
            let shown: Vec<_> = articles
                .iter()
                .map(|a| {
                    (
                        a.key.as_deref(),
                        a.odd,
                        a.origin.line,
                        String::from_utf8_lossy(&a.payload),
                    )
                })
                .collect();
            assert_eq!(
                shown,
                [
                    (
                        Some("a.example"),
                        false,
                        Some(1),
                        LINES.lines().next().unwrap().into()
                    ),
                    (None, true, Some(4), "{oops".into()),
                    (
                        Some("b.example"),
                        false,
                        Some(5),
                        "  {\"site\":\"b.example\"} ".into()
                    ),
                ]
            );
            assert!(articles.iter().all(|a| a.headers.is_empty()));
        }
    }

    #[test]
    fn what_is_too_large_is_named_and_the_next_line_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.jsonl");
        let long = format!("{{\"text\":\"{}\"}}", "x".repeat(90));
        fs::write(&path, format!("{{}}\n{long}\n{{}}\n")).unwrap();
        let steps = read(&path, None);
        assert!(
            matches!(&steps[1], Step::Refused { origin, .. } if origin.line == Some(2)),
            "{steps:?}"
        );
        assert_eq!((articles(&steps).len(), steps.len()), (2, 3));
        fs::write(dir.path().join("a.html"), "x".repeat(101)).unwrap();
        assert!(matches!(
            read(&dir.path().join("a.html"), None)[..],
            [Step::Refused { .. }]
        ));
        fs::write(dir.path().join("a.html"), "x".repeat(100)).unwrap();
        assert!(matches!(
            read(&dir.path().join("a.html"), None)[..],
            [Step::Article(_)]
        ));
    }

    #[test]
    fn a_json_file_is_one_envelope_or_lines_after_all() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.json");
        fs::write(
            &path,
            "{\n \"url\": \"https://a.example/\",\n \"text\": \"a\"\n}\n",
        )
        .unwrap();
        let steps = read(&path, None);
        let [Step::Article(one)] = &steps[..] else {
            panic!("{steps:?}")
        };
        assert_eq!(
            (one.key.as_deref(), one.odd, one.origin.line),
            (Some("a.example"), false, None)
        );
        assert_eq!(one.payload, fs::read(&path).unwrap());
        fs::write(&path, "{\"text\":\"a\"}\n{\"text\":\"b\"}\n").unwrap();
        let steps = read(&path, None);
        assert_eq!(
            articles(&steps).iter().map(|a| a.origin.line).collect::<Vec<_>>(),
            [Some(1), Some(2)]
        );
        fs::write(&path, "[{\"text\":\"a\"}]").unwrap();
        assert!(matches!(&read(&path, None)[..], [Step::Article(a)] if a.odd));
    }

    #[test]
    fn folders_are_read_in_order_with_addresses() {
        let dir = tempfile::tempdir().unwrap();
        for name in [
            "b/2 ä.html",
            "b/1.txt",
            "a.xhtml.gz",
            "c.png",
            ".hidden.html",
            "d/e/f.HTM",
        ] {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "<p>Ships</p>").unwrap();
        }
        let steps = read(dir.path(), Some("https://www.a.example/news/"));
        let shown: Vec<_> = articles(&steps)
            .iter()
            .map(|a| {
                a.headers
                    .iter()
                    .map(|(_, v)| v.as_str())
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .collect();
        assert_eq!(
            shown,
            [
                "application/xhtml+xml https://www.a.example/news/a.xhtml",
                "text/plain https://www.a.example/news/b/1.txt",
                "text/html https://www.a.example/news/b/2%20%C3%A4.html",
                "text/html https://www.a.example/news/d/e/f.HTM",
            ]
        );
        assert!(
            articles(&steps)
                .iter()
                .all(|a| a.key.as_deref() == Some("a.example"))
        );
        assert!(matches!(&steps[3], Step::Skipped(path) if path.ends_with("c.png")));
        assert_eq!(steps.len(), 5);
        // Without a base URL nothing is made up.
        let steps = read(&dir.path().join("b"), None);
        assert!(
            articles(&steps)
                .iter()
                .all(|a| a.key.is_none() && a.headers.len() == 1)
        );
    }

    #[test]
    fn a_file_that_breaks_off_is_named_with_the_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.jsonl.zst");
        let whole = zstd::encode_all(LINES.as_bytes(), 1).unwrap();
        fs::write(&path, &whole[..whole.len() - 3]).unwrap();
        let steps = read(&path, None);
        assert!(
            matches!(steps.last(), Some(Step::Unreadable { origin, .. }) if origin.line.is_some()),
            "{steps:?}"
        );
    }

    #[test]
    fn sources_that_cannot_work_are_refused_before_anything_is_sent() {
        let dir = tempfile::tempdir().unwrap();
        let image = dir.path().join("a.png");
        fs::write(&image, "x").unwrap();
        let error = Source::Path(image).check().unwrap_err().to_string();
        assert!(error.contains("a.png") && error.contains(".jsonl"), "{error}");
        assert!(Source::Path(dir.path().join("missing.jsonl")).check().is_err());
        assert!(Source::Path(dir.path().to_owned()).check().is_ok());
        assert_eq!(Source::from_argument("-".into()), Source::Stdin);
    }
}
