//! Opens a file or standard input, decompressed and counted.

use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::watch;

const BUFFER: usize = 128 * 1024;

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
        [0x1f, 0x8b, ..] => Box::new(BufReader::with_capacity(
            BUFFER,
            flate2::bufread::MultiGzDecoder::new(raw),
        )),
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
