//! WARC records, one after the other, out of a file that may be damaged.
//!
//! Common Crawl writes each record as a gzip member of its own, so that a damaged record costs itself alone: reading
//! goes on at the next member. Plain files, zstd, and gzip over the whole file are read as well; there, reading
//! goes on at the next line that begins a record.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::GzDecoder;

/// Header lines of one record at the most.
const HEAD_BYTES: usize = 64 * 1024;
const BUFFER: usize = 64 * 1024;

/// One record.
#[derive(Debug, Default)]
pub(super) struct Record {
    /// Its fields, as they stand.
    pub(super) fields: Vec<(String, String)>,
    /// Its block. `None`: over the limit, and passed over.
    pub(super) block: Option<Vec<u8>>,
}

impl Record {
    /// The value of a field, whatever the case of its name.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        super::field(&self.fields, name)
    }
}

/// What comes next.
#[derive(Debug)]
pub(super) enum Next {
    /// A record, read to its end.
    Record(Record),
    /// Something damaged was passed over.
    Damaged(String),
    /// Reading failed; nothing follows.
    Broken(io::Error),
}

/// How a gzip member begins.
const MAGIC: [u8; 3] = [0x1f, 0x8b, 0x08];

/// The file as it is. The start of a member that was come upon in a search can be read again.
struct Raw {
    file: Box<dyn BufRead>,
    /// So many of the last bytes of [`MAGIC`] come before what is left of the file.
    again: usize,
}

impl Read for Raw {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buf)?;
        self.consume(read);
        Ok(read)
    }
}

impl BufRead for Raw {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.again > 0 {
            return Ok(MAGIC.get(MAGIC.len() - self.again..).unwrap_or_default());
        }
        self.file.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        if self.again > 0 {
            self.again = self.again.saturating_sub(amount);
        } else {
            self.file.consume(amount);
        }
    }
}

enum Input {
    /// No members to go by: plain, or what another decompressor gives.
    Plain(Box<dyn BufRead>),
    /// Before a gzip member.
    Between(Raw),
    /// Within one.
    Member(Box<BufReader<GzDecoder<Raw>>>),
    Ended,
}

/// Why no record came out.
enum Trouble {
    /// The record's own text is wrong.
    Bad(String),
    /// The input or its compression failed.
    Io(io::Error),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Reads records, holding one at a time.
pub(super) struct Records {
    input: Input,
    max: usize,
    /// Looking for the next record after damage that has been reported.
    lost: bool,
}

impl Records {
    /// `input` is the file as it is; blocks of more than `max` bytes are passed over.
    pub(super) fn new(mut input: Box<dyn BufRead>, max: usize) -> io::Result<Self> {
        let input = match input.fill_buf()? {
            [0x1f, 0x8b, ..] => Input::Between(Raw {
                file: input,
                again: 0,
            }),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Input::Plain(Box::new(BufReader::with_capacity(
                BUFFER,
                zstd::stream::read::Decoder::with_buffer(input)?,
            ))),
            _ => Input::Plain(input),
        };
        Ok(Self {
            input,
            max,
            lost: false,
        })
    }

    /// Puts the input before a member into the member; `false` at the end.
    fn enter(&mut self) -> io::Result<bool> {
        match std::mem::replace(&mut self.input, Input::Ended) {
            Input::Between(mut raw) => {
                // Some writers pad the file with zeros.
                if !skip_zeros(&mut raw)? {
                    return Ok(false);
                }
                let member = BufReader::with_capacity(BUFFER, GzDecoder::new(raw));
                self.input = Input::Member(Box::new(member));
            }
            Input::Ended => return Ok(false),
            other => self.input = other,
        }
        Ok(true)
    }

    /// Leaves a member for what comes after it.
    fn leave(&mut self) -> bool {
        match std::mem::replace(&mut self.input, Input::Ended) {
            Input::Member(member) => {
                self.input = Input::Between(member.into_inner().into_inner());
                true
            }
            Input::Plain(_) | Input::Ended => false,
            Input::Between(raw) => {
                self.input = Input::Between(raw);
                true
            }
        }
    }

    fn read(&mut self) -> Result<Option<Record>, Trouble> {
        let lost = self.lost;
        let reader: &mut dyn BufRead = match &mut self.input {
            Input::Plain(raw) => raw,
            Input::Member(member) => member,
            Input::Between(_) | Input::Ended => return Ok(None),
        };
        let Some(version) = version_line(reader, lost)? else {
            return Ok(None);
        };
        if !version.starts_with(b"WARC/") {
            return Err(Trouble::Bad("no WARC record begins here".into()));
        }
        // The way is found again: what is wrong from here on is another damage, and another record.
        self.lost = false;
        let fields = fields(reader)?;
        let length = super::field(&fields, "content-length").and_then(|l| l.trim().parse::<u64>().ok());
        let Some(length) = length else {
            return Err(Trouble::Bad("the record does not say how long it is".into()));
        };
        let fits = usize::try_from(length).is_ok_and(|l| l <= self.max);
        let block = if fits {
            let mut block = Vec::new();
            reader.take(length).read_to_end(&mut block)?;
            if (block.len() as u64) < length {
                return Err(Trouble::Bad(format!(
                    "the record breaks off after {} of {length} bytes",
                    block.len()
                )));
            }
            Some(block)
        } else {
            let passed = io::copy(&mut reader.take(length), &mut io::sink())?;
            if passed < length {
                return Err(Trouble::Bad(format!(
                    "the record breaks off after {passed} of {length} bytes"
                )));
            }
            None
        };
        // In a member of its own, the checksum stands at the end: a damaged record must not pass for a whole one.
        if let Input::Member(member) = &mut self.input {
            skip_blank_lines(member)?;
        }
        Ok(Some(Record { fields, block }))
    }
}

impl Iterator for Records {
    type Item = Next;

    fn next(&mut self) -> Option<Next> {
        loop {
            match self.enter() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(e) => return Some(Next::Broken(e)),
            }
            let why = match self.read() {
                Ok(Some(record)) => return Some(Next::Record(record)),
                Ok(None) => {
                    if self.leave() {
                        continue;
                    }
                    return None;
                }
                Err(Trouble::Bad(why)) => why,
                Err(Trouble::Io(e)) => {
                    if !self.leave() {
                        return Some(Next::Broken(e));
                    }
                    if let Input::Between(raw) = &mut self.input
                        && let Err(e) = to_next_member(raw)
                    {
                        self.input = Input::Ended;
                        return Some(Next::Broken(e));
                    }
                    format!("the compressed data is damaged or breaks off ({e})")
                }
            };
            // One report for one damage, however many tries it takes to find the way again.
            if !std::mem::replace(&mut self.lost, true) {
                return Some(Next::Damaged(why));
            }
        }
    }
}

/// The first line that is not blank; when `lost`, the first that begins a record. `None` at the end.
fn version_line(reader: &mut dyn BufRead, lost: bool) -> io::Result<Option<Vec<u8>>> {
    loop {
        let Some(line) = line(reader, HEAD_BYTES)? else {
            return Ok(None);
        };
        if line.starts_with(b"WARC/") || (!lost && !line.trim_ascii().is_empty()) {
            return Ok(Some(line));
        }
    }
}

/// Named fields up to the blank line.
fn fields(reader: &mut dyn BufRead) -> Result<Vec<(String, String)>, Trouble> {
    let mut fields: Vec<(String, String)> = Vec::new();
    let mut left = HEAD_BYTES;
    loop {
        let Some(line) = line(reader, left)? else {
            return Err(Trouble::Bad("the record breaks off in its header".into()));
        };
        left = left.saturating_sub(line.len() + 1);
        if left == 0 {
            return Err(Trouble::Bad("the record's header is too long".into()));
        }
        if line.trim_ascii().is_empty() {
            return Ok(fields);
        }
        super::push_field(&mut fields, &line);
    }
}

/// A line without its end, cut at `max` bytes. `None` at the end of the input.
fn line(reader: &mut dyn BufRead, max: usize) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let mut any = false;
    loop {
        let buffer = match reader.fill_buf() {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        };
        if buffer.is_empty() {
            return Ok(any.then_some(line));
        }
        any = true;
        let end = buffer.iter().position(|b| *b == b'\n');
        let part = buffer.get(..end.unwrap_or(buffer.len())).unwrap_or_default();
        let room = max.saturating_sub(line.len()).min(part.len());
        line.extend_from_slice(part.get(..room).unwrap_or_default());
        let used = part.len() + usize::from(end.is_some());
        reader.consume(used);
        if end.is_some() {
            return Ok(Some(line));
        }
    }
}

fn skip_blank_lines(reader: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = reader.fill_buf()?;
        let blank = buffer.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
        let all = blank == buffer.len();
        if buffer.is_empty() || blank == 0 {
            return Ok(());
        }
        reader.consume(blank);
        if !all {
            return Ok(());
        }
    }
}

/// Passes over padding; `false` at the end of the input.
fn skip_zeros(raw: &mut Raw) -> io::Result<bool> {
    loop {
        let buffer = raw.fill_buf()?;
        let zeros = buffer.iter().take_while(|b| **b == 0).count();
        if buffer.is_empty() {
            return Ok(false);
        }
        if zeros < buffer.len() {
            raw.consume(zeros);
            return Ok(true);
        }
        raw.consume(zeros);
    }
}

/// Reads on to what looks like the start of a gzip member. The first bytes of it may be split over two buffers, so it
/// is looked for byte by byte and read again.
fn to_next_member(raw: &mut Raw) -> io::Result<()> {
    let mut seen = 0;
    while seen < MAGIC.len() {
        let buffer = raw.fill_buf()?;
        if buffer.is_empty() {
            return Ok(());
        }
        let mut used = 0;
        for byte in buffer {
            used += 1;
            seen = match (MAGIC.get(seen) == Some(byte), *byte == 0x1f) {
                (true, _) => seen + 1,
                (false, true) => 1,
                (false, false) => 0,
            };
            if seen == MAGIC.len() {
                break;
            }
        }
        raw.consume(used);
    }
    raw.again = MAGIC.len();
    Ok(())
}
