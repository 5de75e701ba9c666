//! The bytes of a feed as text.

use std::io::{self, BufRead, Read as _};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::MAX_BYTES;

/// How far into a file its XML declaration may be: some servers send lines of their own before it.
const DECLARED_WITHIN: usize = 1024;

/// The file as text, in the encoding that it names, or is in.
pub(super) fn read(input: impl BufRead) -> io::Result<String> {
    let mut bytes = Vec::new();
    input.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > MAX_BYTES {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("over {MAX_BYTES} bytes; a feed is smaller"),
        ));
    }
    Ok(decoded(&bytes))
}

fn decoded(bytes: &[u8]) -> String {
    // A byte order mark wins over the declaration.
    if let Some((encoding, _)) = Encoding::for_bom(bytes) {
        return encoding.decode(bytes).0.into_owned();
    }
    let encoding = match bytes {
        [b'<' | b'{', 0, ..] => UTF_16LE,
        [0, b'<' | b'{', ..] => UTF_16BE,
        _ => declared(bytes).unwrap_or(UTF_8),
    };
    match encoding.decode_without_bom_handling_and_without_replacement(bytes) {
        Some(text) => text.into_owned(),
        None => doubted(encoding, bytes)
            .decode_without_bom_handling(bytes)
            .0
            .into_owned(),
    }
}

/// The encoding of bytes that are not in the one that they claim. A few broken letters among many whole ones
/// are damage; anything else is another encoding: valid sequences come up by accident only.
fn doubted(claimed: &'static Encoding, bytes: &[u8]) -> &'static Encoding {
    let (mut whole, mut broken) = (0_usize, 0_usize);
    for chunk in bytes.utf8_chunks() {
        whole += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        broken += usize::from(!chunk.invalid().is_empty());
    }
    if whole >= broken.saturating_mul(2) {
        return UTF_8;
    }
    if claimed != UTF_8 {
        return claimed;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(bytes, true);
    detector.guess(None, Utf8Detection::Deny)
}

/// The encoding in `<?xml … encoding="…"?>`.
fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let start = bytes.get(..bytes.len().min(DECLARED_WITHIN))?;
    let start = String::from_utf8_lossy(start);
    let (_, rest) = start.split_once("<?xml")?;
    let (declaration, _) = rest.split_once("?>")?;
    let (_, value) = declaration.split_once("encoding")?;
    let value = value.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|q| matches!(q, '"' | '\''))?;
    let label = value.split(quote).nth(1)?;
    // A declaration that can be read as ASCII is not in UTF-16, whatever it says.
    let named = Encoding::for_label(label.trim().as_bytes())?;
    Some(if named == UTF_16LE || named == UTF_16BE {
        UTF_8
    } else {
        named
    })
}
