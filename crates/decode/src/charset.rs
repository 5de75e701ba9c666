//! Bytes to text: which charset a body is in.
//!
//! For HTML, in this order: a byte order mark; UTF-8 if the bytes are valid UTF-8, whatever is declared (no
//! other charset's text is valid UTF-8 by accident for long, and wrong declarations are common); the charset
//! of the content-type header; the page's own `<meta>`; a guess from the bytes and the URL's top-level
//! domain (chardetng, the detector of Firefox). Labels mean what the WHATWG Encoding Standard says:
//! "iso-8859-1" is windows-1252. JSON and plain text are UTF-8, unless a header names a charset.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use copydesk_article::{Reason, Reject};
use encoding_rs::{Encoding, ISO_2022_JP, UTF_8, UTF_16BE, UTF_16LE};

use crate::repair::is_control;
use crate::warnings::{CHARSET_ERRORS, CHARSET_GUESSED, CHARSET_MISMATCH, Warnings};
use crate::{Limits, prescan, reject};

/// The bytes without a byte order mark. UTF-16, which only its mark makes known, becomes UTF-8.
pub(crate) fn without_bom<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Cow<'a, [u8]>, Reject> {
    match Encoding::for_bom(bytes) {
        None => Ok(Cow::Borrowed(bytes)),
        Some((encoding, mark)) => {
            let bytes = bytes.get(mark..).unwrap_or_default();
            if encoding == UTF_8 {
                return Ok(Cow::Borrowed(bytes));
            }
            let text = utf16(bytes, encoding)?.into_bytes();
            limits.check("the record, in UTF-8,", text.len(), limits.max_decompressed_bytes)?;
            Ok(Cow::Owned(text))
        }
    }
}

/// A JSON envelope as text.
pub(crate) fn json<'a>(bytes: &'a [u8], declared: Option<&str>) -> Result<Cow<'a, str>, Reject> {
    let error = match std::str::from_utf8(bytes) {
        Ok(json) => return Ok(Cow::Borrowed(json)),
        Err(e) => e,
    };
    declared
        .and_then(encoding_of)
        .filter(|e| *e != UTF_8)
        .and_then(|e| e.decode_without_bom_handling_and_without_replacement(bytes))
        .ok_or_else(|| not_utf8("the JSON envelope", &error))
}

/// A bare text.
pub(crate) fn text(bytes: &[u8], declared: Option<&str>, warnings: &mut Warnings) -> Result<String, Reject> {
    let declared = declared.and_then(encoding_of).filter(|e| *e != UTF_8);
    if let Some(encoding) = declared.filter(|e| is_utf16(e)) {
        return utf16(bytes, encoding);
    }
    refuse_binary(bytes)?;
    match (std::str::from_utf8(bytes), declared) {
        (Ok(text), None) => Ok(text.to_owned()),
        (Ok(text), Some(encoding)) if encoding != ISO_2022_JP => {
            if !text.is_ascii() {
                warnings.add(CHARSET_MISMATCH);
            }
            Ok(text.to_owned())
        }
        (Err(e), None) => Err(not_utf8("the text", &e)),
        (_, Some(encoding)) => {
            let decoded = Decoded::new(bytes, encoding);
            if decoded.is_good() {
                decoded.finish(warnings)
            } else {
                Err(decoded.refuse())
            }
        }
    }
}

/// A bare HTML page. `tld` is the top-level domain that it comes from, if known.
pub(crate) fn html(
    bytes: &[u8],
    declared: Option<&str>,
    tld: Option<&str>,
    warnings: &mut Warnings,
) -> Result<String, Reject> {
    let header = declared.and_then(encoding_of);
    let valid = std::str::from_utf8(bytes);
    if let Some(encoding) = header.filter(|e| is_utf16(e) && (valid.is_err() || bytes.contains(&0))) {
        return utf16(bytes, encoding);
    }
    refuse_binary(bytes)?;
    if let Ok(page) = valid {
        // Written in ASCII with escapes, ISO-2022-JP is the one charset whose texts are all valid UTF-8.
        let japanese = bytes.contains(&0x1b) && guess(bytes, tld) == ISO_2022_JP;
        if !japanese {
            let other = |e: &'static Encoding| e != UTF_8;
            if !page.is_ascii() && header.or_else(|| prescan::charset(bytes)).is_some_and(other) {
                warnings.add(CHARSET_MISMATCH);
            }
            return Ok(page.to_owned());
        }
    }
    let declared = header.or_else(|| prescan::charset(bytes));
    if declared.is_none_or(|e| e == UTF_8) && is_mostly_utf8(bytes) {
        return Decoded::new(bytes, UTF_8).finish(warnings);
    }
    if let Some(encoding) = declared {
        let decoded = Decoded::new(bytes, encoding);
        if decoded.is_good() {
            return decoded.finish(warnings);
        }
        warnings.add(CHARSET_MISMATCH);
    } else {
        warnings.add(CHARSET_GUESSED);
    }
    Decoded::new(bytes, guess(bytes, tld)).finish(warnings)
}

/// Text decoded with replacements, and how many there are.
struct Decoded {
    text: String,
    encoding: &'static Encoding,
    errors: usize,
    non_ascii: usize,
}

impl Decoded {
    fn new(bytes: &[u8], encoding: &'static Encoding) -> Self {
        let (text, failed) = encoding.decode_without_bom_handling(bytes);
        let errors = if failed {
            text.chars().filter(|c| *c == '\u{fffd}').count()
        } else {
            0
        };
        let non_ascii = bytes.iter().filter(|b| !b.is_ascii()).count();
        Self {
            text: text.into_owned(),
            encoding,
            errors,
            non_ascii,
        }
    }

    /// One character lost here and there is a damaged text of this charset; more than one in twenty bytes that
    /// are not ASCII is another charset.
    fn is_good(&self) -> bool {
        self.errors * 20 <= self.non_ascii
    }

    fn finish(self, warnings: &mut Warnings) -> Result<String, Reject> {
        if self.errors == 0 {
            return Ok(self.text);
        }
        if self.errors * 10 > self.text.len() {
            return Err(self.refuse());
        }
        warnings.add(CHARSET_ERRORS);
        Ok(self.text)
    }

    fn refuse(&self) -> Reject {
        let detail = format!(
            "{} of {} bytes mean nothing in {}",
            self.errors,
            self.text.len(),
            self.encoding.name()
        );
        reject(Reason::NotText, detail)
    }
}

fn encoding_of(label: &str) -> Option<&'static Encoding> {
    Encoding::for_label_no_replacement(label.as_bytes())
}

fn is_utf16(encoding: &'static Encoding) -> bool {
    encoding == UTF_16LE || encoding == UTF_16BE
}

fn utf16(bytes: &[u8], encoding: &'static Encoding) -> Result<String, Reject> {
    encoding
        .decode_without_bom_handling_and_without_replacement(bytes)
        .map(Cow::into_owned)
        .ok_or_else(|| {
            reject(
                Reason::NotText,
                format!("said to be {}, but is not valid", encoding.name()),
            )
        })
}

fn guess(bytes: &[u8], tld: Option<&str>) -> &'static Encoding {
    // The detector asserts what it wants of the domain; anything else is no hint.
    let tld = tld.filter(|t| {
        t.bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    });
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(bytes, true);
    detector.guess(tld.map(str::as_bytes), Utf8Detection::Allow)
}

/// Damaged UTF-8: among what is not ASCII, valid sequences are at least twice as many as broken ones. In
/// other charsets valid sequences come up by accident only.
fn is_mostly_utf8(bytes: &[u8]) -> bool {
    let (mut valid, mut broken) = (0_usize, 0_usize);
    for chunk in bytes.utf8_chunks() {
        valid += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        broken += usize::from(!chunk.invalid().is_empty());
    }
    valid > 0 && valid >= broken * 2
}

/// First bytes of formats that end up on topics of articles by mistake.
const MAGIC: [(&[u8], &str); 10] = [
    (b"%PDF-", "a PDF"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF87a", "a GIF image"),
    (b"GIF89a", "a GIF image"),
    (b"PK\x03\x04", "a ZIP archive or an office document"),
    (b"\xd0\xcf\x11\xe0", "an office document"),
    (b"wOF", "a web font"),
    (b"\x1f\x8b", "gzip data: set the header content-encoding to gzip"),
    (
        b"\x28\xb5\x2f\xfd",
        "zstd data: set the header content-encoding to zstd",
    ),
];

fn refuse_binary(bytes: &[u8]) -> Result<(), Reject> {
    if let Some((_, name)) = MAGIC.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Err(reject(Reason::NotText, format!("the value is {name}")));
    }
    // In text a control character is an accident; of random bytes every ninth is one.
    let sample = bytes.get(..4096).unwrap_or(bytes);
    let is_odd = |b: &&u8| is_control(**b) && !matches!(**b, b'\r' | 0x0c | 0x1b);
    let odd = sample.iter().filter(is_odd).count();
    if odd >= 4 && odd * 50 > sample.len() {
        let detail = format!("{odd} of the first {} bytes are control characters", sample.len());
        return Err(reject(Reason::NotText, detail));
    }
    Ok(())
}

fn not_utf8(what: &str, error: &std::str::Utf8Error) -> Reject {
    reject(
        Reason::NotUtf8,
        format!("{what} is not valid UTF-8 at byte {}", error.valid_up_to()),
    )
}
