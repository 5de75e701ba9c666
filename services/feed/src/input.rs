//! Opens a file or standard input, decompressed and counted.

use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};
use encoding_rs_io::DecodeReaderBytesBuilder;
use flate2::bufread::GzDecoder;
use tokio::sync::watch;

const BUFFER: usize = 128 * 1024;
const GZIP: [u8; 2] = [0x1f, 0x8b];
const UTF_8_BOM: &[u8] = b"\xef\xbb\xbf";

/// Counts what is read, and ends the reading of a run that was stopped.
#[derive(Clone)]
pub(crate) struct Counter {
    pub(crate) bytes: Arc<AtomicU64>,
    pub(crate) stop: watch::Receiver<bool>,
}

/// A reader of what is in `file`. gzip and zstd are recognised by their first bytes, whatever the name says.
/// The bytes of the file itself are added to `counter` as they are read.
///
/// No cap on the ratio is needed: records are cut out one by one, and each of them has its limit.
pub(crate) fn open(file: impl Read + 'static, counter: &Counter) -> io::Result<Box<dyn BufRead>> {
    let mut raw = raw(file, counter);
    Ok(match raw.fill_buf()? {
        [0x1f, 0x8b, ..] => Box::new(BufReader::with_capacity(BUFFER, Members::new(raw))),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            let decoder = zstd::stream::read::Decoder::with_buffer(raw)?;
            Box::new(BufReader::with_capacity(BUFFER, decoder))
        }
        _ => raw,
    })
}

/// A reader of the bytes of `file` as they are, counted.
pub(crate) fn raw(file: impl Read + 'static, counter: &Counter) -> Box<dyn BufRead> {
    let counted = Counted {
        inner: file,
        counter: counter.clone(),
    };
    Box::new(BufReader::with_capacity(BUFFER, counted))
}

/// JSON in UTF-8 without a byte order mark, whatever Windows tools have made of it. What is in UTF-8 already
/// stays byte for byte.
pub(crate) fn json(mut input: Box<dyn BufRead>) -> io::Result<Box<dyn BufRead>> {
    // A pipe may give its first bytes one by one.
    let mut start = Vec::new();
    input.by_ref().take(4).read_to_end(&mut start)?;
    let utf_16: Option<&'static Encoding> = match start[..] {
        [0xff, 0xfe, ..] => Some(UTF_16LE),
        [0xfe, 0xff, ..] => Some(UTF_16BE),
        [b'{' | b'[', 0, ..] => Some(UTF_16LE),
        [0, b'{' | b'[', ..] => Some(UTF_16BE),
        _ => None,
    };
    let rest = start.strip_prefix(UTF_8_BOM).unwrap_or(&start).to_vec();
    let whole = Cursor::new(rest).chain(input);
    Ok(match utf_16 {
        None => Box::new(whole),
        Some(encoding) => {
            let decoder = DecodeReaderBytesBuilder::new()
                .encoding(Some(encoding))
                .build(whole);
            Box::new(BufReader::with_capacity(BUFFER, decoder))
        }
    })
}

/// All members of a gzip file. Zeros behind a member are padding, as tapes and some object stores add it;
/// what is neither is said.
struct Members {
    member: Option<GzDecoder<Box<dyn BufRead>>>,
}

impl Members {
    fn new(raw: Box<dyn BufRead>) -> Self {
        Self {
            member: Some(GzDecoder::new(raw)),
        }
    }
}

impl Read for Members {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            let read = member.read(buf)?;
            if read > 0 || buf.is_empty() {
                return Ok(read);
            }
            let Some(mut raw) = self.member.take().map(GzDecoder::into_inner) else {
                break;
            };
            skip_zeros(&mut raw)?;
            let mut start = Vec::new();
            raw.by_ref().take(GZIP.len() as u64).read_to_end(&mut start)?;
            if start == GZIP {
                let again = Cursor::new(start).chain(raw);
                self.member = Some(GzDecoder::new(Box::new(again)));
            } else if !start.is_empty() {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "behind the end of the gzip data stands something else; what comes before was read whole",
                ));
            }
        }
        Ok(0)
    }
}

fn skip_zeros(raw: &mut dyn BufRead) -> io::Result<()> {
    loop {
        let buffer = raw.fill_buf()?;
        let zeros = buffer.iter().take_while(|b| **b == 0).count();
        if zeros == 0 {
            return Ok(());
        }
        raw.consume(zeros);
    }
}

struct Counted<R> {
    inner: R,
    counter: Counter,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if *self.counter.stop.borrow() {
            return Err(io::Error::other("stopped"));
        }
        let read = self.inner.read(buf)?;
        self.counter.bytes.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
