//! The `content-encoding` of a record's value, undone under a cap on bytes and on the ratio.
//!
//! A bomb of 8 KB can hold gigabytes, so nothing is ever decompressed without a cap. The two caps become
//! one before the first byte is read: the ratio, times the compressed size, is a number of bytes too.

use std::borrow::Cow;
use std::io::{self, Read};

use copydesk_article::{Reason, Reject};

use crate::form;
use crate::warnings::{ENCODING_IGNORED, Warnings};
use crate::{Limits, reject};

/// The largest window that a zstd frame may ask for, as a power of two: 16 MiB of memory. `zstd -19` asks for
/// 8 MiB; only `--ultra` and `--long` ask for more.
const ZSTD_WINDOW_LOG: u32 = 24;

/// A reader that fails with [`OverCap`] where more than its cap would come out.
///
/// Wrap it around every decompressor of bytes from strangers.
#[derive(Debug)]
pub struct CappedReader<R> {
    inner: R,
    cap: u64,
    left: u64,
}

/// More came out of a [`CappedReader`] than it allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("more than {0} bytes")]
pub struct OverCap(
    /// The cap, in bytes.
    pub u64,
);

impl<R: Read> CappedReader<R> {
    /// At most `cap` bytes may be read from `inner`.
    pub const fn new(inner: R, cap: u64) -> Self {
        Self {
            inner,
            cap,
            left: cap,
        }
    }
}

impl<R: Read> Read for CappedReader<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            // The cap is used up: fine if this is the end, too much if one more byte comes.
            return match self.inner.read(&mut [0_u8; 1])? {
                0 => Ok(0),
                _ => Err(io::Error::new(io::ErrorKind::FileTooLarge, OverCap(self.cap))),
            };
        }
        let room = usize::try_from(self.left).unwrap_or(usize::MAX).min(buf.len());
        let Some(buf) = buf.get_mut(..room) else {
            return Ok(0);
        };
        let read = self.inner.read(buf)?;
        self.left -= read as u64;
        Ok(read)
    }
}

/// The payload without its content-encoding.
///
/// Crawlers copy HTTP's header though their client has decompressed the body already. Where the bytes are
/// plainly not of the named encoding but look like JSON or HTML, they are taken as they are, with a warning.
pub(crate) fn unpack<'a>(
    payload: &'a [u8],
    encoding: Option<&str>,
    limits: &Limits,
    warnings: &mut Warnings,
) -> Result<Cow<'a, [u8]>, Reject> {
    let name = encoding.unwrap_or_default().trim();
    let is = |known: &[&str]| known.iter().any(|k| name.eq_ignore_ascii_case(k));
    if is(&["", "identity", "none"]) {
        return Ok(Cow::Borrowed(payload));
    }
    let unpacked = if is(&["gzip", "x-gzip"]) && payload.starts_with(&[0x1f, 0x8b]) {
        // MultiGzDecoder reads all members of a file that was put together from several, as RFC 1952 wants.
        inflate(
            payload,
            "gzip",
            flate2::bufread::MultiGzDecoder::new(payload),
            limits,
        )
    } else if is(&["deflate"]) && is_zlib(payload) {
        inflate(payload, "deflate", Zlib::new(payload), limits)
    } else if is(&["zstd"]) && payload.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        let decoder = zstd::stream::read::Decoder::with_buffer(payload).and_then(|mut d| {
            d.window_log_max(ZSTD_WINDOW_LOG)?;
            Ok(d)
        });
        let decoder =
            decoder.map_err(|e| reject(Reason::BadCompression, format!("zstd cannot start: {e}")))?;
        inflate(payload, "zstd", decoder, limits)
    } else if form::looks_like_json(payload) || form::looks_like_html(payload) {
        warnings.add(ENCODING_IGNORED);
        return Ok(Cow::Borrowed(payload));
    } else if is(&["gzip", "x-gzip", "deflate", "zstd"]) {
        return Err(reject(
            Reason::BadCompression,
            format!("the value does not start as {name} does"),
        ));
    } else {
        let detail = "the content-encoding header names none of gzip, deflate, zstd, identity";
        return Err(reject(Reason::BadCompression, detail));
    };
    unpacked.map(Cow::Owned)
}

fn inflate(payload: &[u8], name: &str, decoder: impl Read, limits: &Limits) -> Result<Vec<u8>, Reject> {
    let by_ratio = payload
        .len()
        .saturating_mul(limits.max_ratio)
        .max(limits.ratio_free_bytes);
    let cap = by_ratio.min(limits.max_decompressed_bytes);
    let mut out = Vec::with_capacity(payload.len().saturating_mul(4).min(cap));
    let Err(error) = CappedReader::new(decoder, cap as u64).read_to_end(&mut out) else {
        return Ok(out);
    };
    let over = error
        .get_ref()
        .and_then(|e| e.downcast_ref::<OverCap>())
        .is_some();
    Err(match over {
        true if by_ratio < limits.max_decompressed_bytes => reject(
            Reason::CompressionBomb,
            format!(
                "{} bytes of {name} decompress to more than {} times that",
                payload.len(),
                limits.max_ratio
            ),
        ),
        true => reject(
            Reason::TooLarge,
            format!(
                "{} bytes of {name} decompress to more than the limit of {cap}",
                payload.len()
            ),
        ),
        // zstd refuses before it allocates; its error has no code of its own by the time it gets here.
        false if error.to_string().contains("too much memory") => reject(
            Reason::TooLarge,
            format!(
                "the zstd frame asks for a window of more than {} MiB",
                (1 << ZSTD_WINDOW_LOG) >> 20
            ),
        ),
        false => reject(
            Reason::BadCompression,
            format!("the {name} data is broken after {} bytes: {error}", out.len()),
        ),
    })
}

/// The two bytes of a zlib header (RFC 1950): method 8 and a check sum.
fn is_zlib(payload: &[u8]) -> bool {
    matches!(payload, [a, b, ..] if a & 0x0f == 8 && (u16::from(*a) << 8 | u16::from(*b)) % 31 == 0)
}

/// A zlib reader that does not take a cut stream for a finished one, as flate2's own does.
struct Zlib<'a> {
    left: &'a [u8],
    inflater: flate2::Decompress,
    ended: bool,
}

impl<'a> Zlib<'a> {
    fn new(left: &'a [u8]) -> Self {
        Self {
            left,
            inflater: flate2::Decompress::new(true),
            ended: false,
        }
    }
}

impl Read for Zlib<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.ended || buf.is_empty() {
            return Ok(0);
        }
        let (read, written) = (self.inflater.total_in(), self.inflater.total_out());
        let status = self
            .inflater
            .decompress(self.left, buf, flate2::FlushDecompress::None)
            .map_err(io::Error::other)?;
        let read = usize::try_from(self.inflater.total_in() - read).unwrap_or(usize::MAX);
        let written = usize::try_from(self.inflater.total_out() - written).unwrap_or(usize::MAX);
        self.left = self.left.get(read..).unwrap_or_default();
        self.ended = status == flate2::Status::StreamEnd;
        if written == 0 && !self.ended {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the stream is cut"));
        }
        Ok(written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capped_reader_allows_its_cap_and_not_a_byte_more() {
        let mut out = Vec::new();
        CappedReader::new(&[7_u8; 10][..], 10)
            .read_to_end(&mut out)
            .unwrap();
        assert_eq!(out.len(), 10);
        let error = CappedReader::new(&[7_u8; 11][..], 10)
            .read_to_end(&mut out)
            .unwrap_err();
        assert_eq!(error.get_ref().unwrap().downcast_ref(), Some(&OverCap(10)));
    }
}
