//! The HTTP response that a WARC record holds.

use std::borrow::Cow;
use std::io::{self, Read};

use copydesk_decode::CappedReader;
use httparse::Status;

/// Status line and header fields at the most.
const HEAD_BYTES: usize = 256 * 1024;
/// Compressions over one another; a real page has one, and there are files that decompress to themselves.
const ENCODINGS: usize = 3;
/// zstd frames that ask for a larger window (as a power of two) are not opened.
const ZSTD_WINDOW_LOG: u32 = 24;

/// A response: its head, and its body as it was stored.
pub(super) struct Response<'a> {
    pub(super) status: u16,
    fields: Vec<(String, String)>,
    stored: &'a [u8],
}

/// Why a body cannot be had.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoBody {
    /// More than allowed comes out of it.
    TooLarge,
    /// Its compression is damaged.
    Damaged(String),
    /// Its compression is none that is known here.
    UnknownEncoding,
}

impl<'a> Response<'a> {
    /// Reads the head; `None` where there is none.
    pub(super) fn read(block: &'a [u8]) -> Option<Self> {
        let (mut fields, mut rest, mut status) = (Vec::new(), block, None);
        loop {
            let end = rest.iter().take(HEAD_BYTES).position(|b| *b == b'\n')?;
            let (line, after) = rest.split_at_checked(end + 1)?;
            if block.len() - after.len() > HEAD_BYTES {
                return None;
            }
            rest = after;
            match status {
                None => status = Some(status_of(line)?),
                Some(status) if line.trim_ascii().is_empty() => {
                    return Some(Self {
                        status,
                        fields,
                        stored: rest,
                    });
                }
                Some(_) => super::push_field(&mut fields, line),
            }
        }
    }

    /// The value of a header field.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        super::field(&self.fields, name)
    }

    /// The body without chunks and compression, at most `max` bytes.
    ///
    /// Crawlers keep the header and store the body decoded as often as not, so what is not encoded as the header says
    /// is taken as it is.
    pub(super) fn body(&self, max: usize) -> Result<Body<'a>, NoBody> {
        let mut body = Body {
            bytes: Cow::Borrowed(self.stored),
            cut: false,
        };
        if list(self.field("transfer-encoding")).any(|e| e.eq_ignore_ascii_case("chunked"))
            && let Some(joined) = unchunk(self.stored)
        {
            body = joined;
        }
        // The last one that was put on is the first to come off.
        let encodings: Vec<_> = list(self.field("content-encoding")).collect();
        if encodings.len() > ENCODINGS {
            return Err(NoBody::UnknownEncoding);
        }
        for encoding in encodings.into_iter().rev() {
            body.bytes = decoded(body.bytes, encoding, max)?;
        }
        if body.bytes.len() > max {
            return Err(NoBody::TooLarge);
        }
        Ok(body)
    }
}

/// A body as a browser would have it.
#[derive(Debug)]
pub(super) struct Body<'a> {
    pub(super) bytes: Cow<'a, [u8]>,
    /// Its chunks break off: there was more of it.
    pub(super) cut: bool,
}

fn status_of(line: &[u8]) -> Option<u16> {
    let line = std::str::from_utf8(line).ok()?;
    let mut words = line.split_ascii_whitespace();
    let version = words.next()?;
    if !version.starts_with("HTTP/") {
        return None;
    }
    words.next()?.parse().ok()
}

fn list(value: Option<&str>) -> impl Iterator<Item = &str> {
    value
        .into_iter()
        .flat_map(|v| v.split(','))
        .map(str::trim)
        .filter(|v| !v.is_empty())
}

/// The body out of its chunks, up to where they break off; `None` where it is not chunked.
fn unchunk<'a>(stored: &[u8]) -> Option<Body<'a>> {
    let mut whole = Vec::new();
    let mut rest = stored;
    let cut = loop {
        let Ok(Status::Complete((line, size))) = httparse::parse_chunk_size(rest) else {
            if rest.len() == stored.len() {
                return None;
            }
            // Many servers close the connection in place of the last chunk; anything else is less than there was.
            break !rest.trim_ascii().is_empty();
        };
        let after = rest.get(line..)?;
        if size == 0 {
            break false;
        }
        let Some((chunk, after)) = usize::try_from(size)
            .ok()
            .and_then(|size| after.split_at_checked(size))
        else {
            // A line of digits may as well begin a text that was stored without its chunks.
            if rest.len() == stored.len() && after.trim_ascii_start().first() != Some(&b'<') {
                return None;
            }
            whole.extend_from_slice(after);
            break true;
        };
        whole.extend_from_slice(chunk);
        rest = after.strip_prefix(b"\r\n").unwrap_or(after);
    };
    Some(Body {
        bytes: Cow::Owned(whole),
        cut,
    })
}

fn decoded<'a>(body: Cow<'a, [u8]>, encoding: &str, max: usize) -> Result<Cow<'a, [u8]>, NoBody> {
    let is = |known: &[&str]| known.iter().any(|k| encoding.eq_ignore_ascii_case(k));
    let bytes: &[u8] = &body;
    let out = if is(&["identity", "none", "utf-8", "UTF-8"]) {
        return Ok(body);
    } else if is(&["gzip", "x-gzip"]) && bytes.starts_with(&[0x1f, 0x8b]) {
        read_all(flate2::bufread::MultiGzDecoder::new(bytes), max)
    } else if is(&["deflate"]) && is_zlib(bytes) {
        read_all(flate2::bufread::ZlibDecoder::new(bytes), max)
    } else if is(&["zstd"]) && bytes.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        let decoder = zstd::stream::read::Decoder::with_buffer(bytes).and_then(|mut d| {
            d.window_log_max(ZSTD_WINDOW_LOG)?;
            Ok(d)
        });
        match decoder {
            Ok(decoder) => read_all(decoder, max),
            Err(e) => Err(NoBody::Damaged(e.to_string())),
        }
    } else if looks_plain(bytes) {
        return Ok(body);
    } else if is(&["deflate"]) {
        // Some servers send the bare stream without its zlib frame.
        read_all(flate2::bufread::DeflateDecoder::new(bytes), max)
    } else if is(&["gzip", "x-gzip", "zstd"]) {
        Err(NoBody::Damaged(format!("it does not start as {encoding} does")))
    } else {
        Err(NoBody::UnknownEncoding)
    };
    out.map(Cow::Owned)
}

fn is_zlib(bytes: &[u8]) -> bool {
    matches!(bytes, [cmf, flg, ..] if cmf & 0x0f == 8 && (u16::from(*cmf) << 8 | u16::from(*flg)).is_multiple_of(31))
}

/// Markup that was stored decoded: what comes first is a tag.
fn looks_plain(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    bytes.is_empty() || bytes.trim_ascii_start().first() == Some(&b'<')
}

fn read_all(decoder: impl Read, max: usize) -> Result<Vec<u8>, NoBody> {
    let mut out = Vec::new();
    match CappedReader::new(decoder, max as u64).read_to_end(&mut out) {
        Ok(_) => Ok(out),
        Err(e) if e.kind() == io::ErrorKind::FileTooLarge => Err(NoBody::TooLarge),
        Err(e) => Err(NoBody::Damaged(e.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(head: &str, stored: &[u8]) -> Result<Vec<u8>, NoBody> {
        let block = [format!("HTTP/1.1 200 OK\r\n{head}\r\n").as_bytes(), stored].concat();
        Response::read(&block)
            .unwrap()
            .body(1_000)
            .map(|b| b.bytes.into_owned())
    }

    #[test]
    fn chunks_are_put_together_and_what_is_not_chunked_stays() {
        let head = "Transfer-Encoding: chunked\r\n";
        assert_eq!(
            body(head, b"4;x=y\r\n<p>S\r\n5\r\nhips.\r\n0\r\n\r\n").unwrap(),
            b"<p>Ships."
        );
        for stored in [
            &b"<p>Ships."[..],
            b"2026\r\nA year in ships.",
            b"fffffffffffffffff\r\n",
            b"",
            b"4",
        ] {
            assert_eq!(body(head, stored).unwrap(), stored);
        }
    }

    #[test]
    fn chunks_that_break_off_give_what_there_is() {
        for (stored, body, cut) in [
            (&b"4\r\n<p>S\r\n5\r\nhips.\r\n"[..], &b"<p>Ships."[..], false),
            (b"4\r\n<p>S\r\n5\r\nhip", b"<p>Ship", true),
            (b"fff\r\n<p>Ships", b"<p>Ships", true),
            (b"4\r\n<p>S\r\n5", b"<p>S", true),
            (b"4\r\n<p>S\r\noops\r\n", b"<p>S", true),
        ] {
            let block = [
                &b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"[..],
                stored,
            ]
            .concat();
            let found = Response::read(&block).unwrap().body(1_000).unwrap();
            assert_eq!(
                (&*found.bytes, found.cut),
                (body, cut),
                "{}",
                String::from_utf8_lossy(stored)
            );
        }
    }

    #[test]
    fn bombs_and_damage_are_refused() {
        use std::io::Write as _;
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(&[b'x'; 1_001]).unwrap();
        let gz = gz.finish().unwrap();
        let head = "content-encoding: gzip\r\n";
        assert_eq!(body(head, &gz), Err(NoBody::TooLarge));
        assert!(matches!(body(head, &gz[..gz.len() - 9]), Err(NoBody::Damaged(_))));
        assert!(matches!(body(head, b"xx"), Err(NoBody::Damaged(_))));
        let many = format!("content-encoding: {}\r\n", ["gzip"; 4].join(","));
        assert_eq!(body(&many, b"<p>"), Err(NoBody::UnknownEncoding));
        assert_eq!(
            body("content-encoding: br\r\n", b"\x1b\x02"),
            Err(NoBody::UnknownEncoding)
        );
        assert_eq!(
            body("content-encoding: br\r\n", b"<p>plain").unwrap(),
            b"<p>plain"
        );
    }

    #[test]
    fn what_is_no_response_is_none() {
        for block in [
            &b""[..],
            b"HTTP/1.1 200 OK",
            b"GET / HTTP/1.1\r\n\r\n",
            b"HTTP/1.1 two\r\n\r\n",
        ] {
            assert!(Response::read(block).is_none());
        }
        assert_eq!(Response::read(b"HTTP/2 204\n\n").unwrap().status, 204);
    }
}
