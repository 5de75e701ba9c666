//! The charset that a page itself declares, found before the page can be read.
//!
//! The method is the WHATWG's "prescan a byte stream to determine its encoding" (HTML, section 13.2.3.2), with
//! the XML declaration added, as browsers do by now. It walks tags instead of searching for "charset=", so
//! that a comment or a script does not decide.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252, X_USER_DEFINED};

/// How far to look. The standard says 1,024 bytes; pages with long heads put it later.
const DEPTH: usize = 4_096;

/// The declared charset, as the standard maps it: UTF-16 in a readable declaration can only be UTF-8.
pub(crate) fn charset(page: &[u8]) -> Option<&'static Encoding> {
    let mut scan = Scan {
        rest: page.get(..DEPTH).unwrap_or(page),
    };
    let label = scan.declared()?;
    let encoding = Encoding::for_label_no_replacement(label)?;
    Some(match encoding {
        e if e == UTF_16BE || e == UTF_16LE => UTF_8,
        e if e == X_USER_DEFINED => WINDOWS_1252,
        e => e,
    })
}

struct Scan<'a> {
    rest: &'a [u8],
}

impl<'a> Scan<'a> {
    fn declared(&mut self) -> Option<&'a [u8]> {
        if starts_with(self.rest, b"<?xml") {
            let end = find(self.rest, b"?>").unwrap_or(self.rest.len());
            if let Some(label) = self
                .rest
                .get(..end)
                .and_then(|d| after_word(d, b"encoding"))
                .and_then(value)
            {
                return Some(label);
            }
        }
        loop {
            let at = self.rest.iter().position(|b| *b == b'<')?;
            self.skip(at);
            match self.rest {
                [_, b'!', b'-', b'-', ..] => {
                    // The two dashes of "<!-->" may be those of the end.
                    self.skip(2);
                    let end = find(self.rest, b"-->")?;
                    self.skip(end + 3);
                }
                [_, b'm' | b'M', b'e' | b'E', b't' | b'T', b'a' | b'A', after, ..]
                    if after.is_ascii_whitespace() || *after == b'/' =>
                {
                    self.skip(6);
                    if let Some(label) = self.meta() {
                        return Some(label);
                    }
                }
                [_, b'a'..=b'z' | b'A'..=b'Z', ..] | [_, b'/', b'a'..=b'z' | b'A'..=b'Z', ..] => {
                    let end = self
                        .rest
                        .iter()
                        .position(|b| b.is_ascii_whitespace() || *b == b'>')?;
                    self.skip(end);
                    while self.attribute().is_some() {}
                }
                [_, b'!' | b'/' | b'?', ..] => {
                    let end = self.rest.iter().position(|b| *b == b'>')?;
                    self.skip(end + 1);
                }
                _ => self.skip(1),
            }
        }
    }

    /// The charset of a `<meta>` whose attributes come next.
    fn meta(&mut self) -> Option<&'a [u8]> {
        let (mut direct, mut content, mut is_content_type) = (None, None, false);
        while let Some((name, value)) = self.attribute() {
            // The first attribute of a name counts.
            if name.eq_ignore_ascii_case(b"charset") {
                direct = direct.or(Some(value));
            } else if name.eq_ignore_ascii_case(b"content") {
                content = content.or(Some(value));
            } else if name.eq_ignore_ascii_case(b"http-equiv") {
                is_content_type |= value.eq_ignore_ascii_case(b"content-type");
            }
        }
        direct.or_else(|| {
            content
                .filter(|_| is_content_type)
                .and_then(|c| after_word(c, b"charset"))
                .and_then(value)
        })
    }

    /// The next attribute of a tag, or `None` at the tag's end.
    fn attribute(&mut self) -> Option<(&'a [u8], &'a [u8])> {
        self.skip_while(|b| b.is_ascii_whitespace() || b == b'/');
        if matches!(self.rest.first(), None | Some(b'>')) {
            return None;
        }
        let first = self.rest.first().copied();
        let name = self.take_while(|i, b| {
            // An equals sign at the very start is part of the name, says the standard.
            (b != b'=' || (i == 0 && first == Some(b'=')))
                && !b.is_ascii_whitespace()
                && b != b'/'
                && b != b'>'
        });
        self.skip_while(|b| b.is_ascii_whitespace());
        if self.rest.first() != Some(&b'=') {
            return Some((name, &[]));
        }
        self.skip(1);
        self.skip_while(|b| b.is_ascii_whitespace());
        let value = match self.rest.first() {
            Some(quote @ (b'"' | b'\'')) => {
                self.skip(1);
                let value = self.take_while(|_, b| b != *quote);
                self.skip(1);
                value
            }
            _ => self.take_while(|_, b| !b.is_ascii_whitespace() && b != b'>'),
        };
        Some((name, value))
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    fn skip_while(&mut self, test: impl Fn(u8) -> bool) {
        self.take_while(|_, b| test(b));
    }

    fn take_while(&mut self, test: impl Fn(usize, u8) -> bool) -> &'a [u8] {
        let end = self
            .rest
            .iter()
            .enumerate()
            .position(|(i, b)| !test(i, *b))
            .unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }
}

fn starts_with(bytes: &[u8], start: &[u8]) -> bool {
    bytes
        .get(..start.len())
        .is_some_and(|b| b.eq_ignore_ascii_case(start))
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes
        .windows(part.len())
        .position(|w| w.eq_ignore_ascii_case(part))
}

/// What follows `word`, white space and an equals sign; further occurrences are tried if the sign is missing.
fn after_word<'a>(mut bytes: &'a [u8], word: &[u8]) -> Option<&'a [u8]> {
    loop {
        bytes = bytes.get(find(bytes, word)? + word.len()..)?;
        if let Some(value) = bytes.trim_ascii_start().strip_prefix(b"=") {
            return Some(value.trim_ascii_start());
        }
    }
}

/// A quoted value, or an unquoted one up to white space or a semicolon.
fn value(bytes: &[u8]) -> Option<&[u8]> {
    match bytes {
        [quote @ (b'"' | b'\''), rest @ ..] => rest.get(..rest.iter().position(|b| b == quote)?),
        _ => bytes.split(|b| b.is_ascii_whitespace() || *b == b';').next(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(page: &str) -> Option<&'static str> {
        charset(page.as_bytes()).map(Encoding::name)
    }

    #[test]
    fn declarations_of_every_kind_are_found() {
        for (page, expected) in [
            ("<meta charset=utf-8>", "UTF-8"),
            (
                "<!doctype html><html lang=ru><head><meta charset='koi8-r'/>",
                "KOI8-R",
            ),
            (
                "<META HTTP-EQUIV=\"Content-Type\" CONTENT=\"text/html; charset=iso-8859-1\">",
                "windows-1252",
            ),
            (
                "<meta content='text/html;charset = \"shift_jis\"' http-equiv=content-type>",
                "Shift_JIS",
            ),
            ("<?xml version=\"1.0\" encoding=\"gb2312\"?><html>", "GBK"),
            ("<!-- <meta charset=koi8-r> --><meta charset=big5>", "Big5"),
            (
                "<a title='<meta charset=koi8-r>' x><meta charset=euc-kr>",
                "EUC-KR",
            ),
            (
                "<meta name=x content='charset=koi8-r'><meta charset=windows-1251>",
                "windows-1251",
            ),
            ("<meta charset=utf-16>", "UTF-8"),
            ("<meta charset=nonsense><p><meta charset=gbk>", ""),
        ] {
            assert_eq!(name(page).unwrap_or_default(), expected, "{page}");
        }
    }

    #[test]
    fn nothing_is_found_where_nothing_is() {
        for page in [
            "",
            "<",
            "<meta",
            "<meta charset",
            "<meta charset=",
            "<!--",
            "<a b='",
            "<?xml encoding=",
            "text",
        ] {
            assert_eq!(name(page), None, "{page}");
        }
        let late = format!("{}<meta charset=koi8-r>", " ".repeat(DEPTH));
        assert_eq!(name(&late), None);
    }
}
