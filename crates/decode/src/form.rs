//! What a record's value is: a JSON envelope, an HTML page, or text.

use copydesk_article::{Reason, Reject};

use crate::reject;

/// The form of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// The envelope of docs/messages.md.
    Json,
    /// A bare page.
    Html,
    /// A bare text.
    Text,
}

/// The form, and the charset that the content-type names. Without a telling header the first bytes decide.
pub(crate) fn choose<'h>(
    content_type: Option<&'h str>,
    bytes: &[u8],
) -> Result<(Form, Option<&'h str>), Reject> {
    let header = content_type.map(ContentType::read);
    let charset = header.as_ref().and_then(|h| h.charset);
    let form = match header.map_or("", |h| h.media_type) {
        t if is(t, &["", "application/octet-stream", "binary/octet-stream"]) => sniff(bytes),
        t if is(t, &["application/json", "text/json"]) || ends_with(t, "+json") => Form::Json,
        t if is(t, &["text/html", "application/xhtml+xml"]) => Form::Html,
        // XHTML is served as XML now and then; a feed or a sitemap is not.
        t if is(t, &["text/xml", "application/xml"]) && is_html_document(bytes) => Form::Html,
        t if is(t, &["text/plain"]) => Form::Text,
        t if is(
            t,
            &[
                "application/x-ndjson",
                "application/jsonl",
                "application/x-jsonlines",
            ],
        ) =>
        {
            let detail = "the content-type is JSON Lines: send each line as a record of its own";
            return Err(reject(Reason::UnknownContentType, detail));
        }
        t => {
            let shown: String = t.chars().filter(char::is_ascii_graphic).take(60).collect();
            let detail = format!(
                "the content-type {shown} is none of application/json, text/html, application/xhtml+xml, text/plain"
            );
            return Err(reject(Reason::UnknownContentType, detail));
        }
    };
    Ok((form, charset))
}

fn is(media_type: &str, known: &[&str]) -> bool {
    known.iter().any(|k| media_type.eq_ignore_ascii_case(k))
}

fn ends_with(media_type: &str, suffix: &str) -> bool {
    let at = media_type.len().saturating_sub(suffix.len());
    media_type
        .get(at..)
        .is_some_and(|end| end.eq_ignore_ascii_case(suffix))
}

/// A content-type header: `text/html; charset="utf-8"`.
struct ContentType<'h> {
    media_type: &'h str,
    charset: Option<&'h str>,
}

impl<'h> ContentType<'h> {
    fn read(header: &'h str) -> Self {
        // Spring's header mapper writes strings as JSON, quotes and all.
        let header = header.trim().trim_matches('"');
        let mut parts = header.split(';');
        let media_type = parts.next().unwrap_or_default().trim();
        let charset = parts
            .filter_map(|p| p.split_once('='))
            .find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))
            .map(|(_, value)| value.trim().trim_matches(['"', '\'', '\\']))
            .filter(|value| !value.is_empty());
        Self { media_type, charset }
    }
}

fn sniff(bytes: &[u8]) -> Form {
    if looks_like_json(without_framing(bytes)) {
        Form::Json
    } else if looks_like_html(bytes) {
        Form::Html
    } else {
        Form::Text
    }
}

/// Whether it starts as an envelope does; or as two usual mistakes do (an array of envelopes, a string of
/// JSON), which the reader of envelopes explains better than anybody.
pub(crate) fn looks_like_json(bytes: &[u8]) -> bool {
    match bytes.trim_ascii_start() {
        [b'{', ..] | [b'"', b'{', ..] => true,
        [b'[', rest @ ..] => rest.trim_ascii_start().first() == Some(&b'{'),
        _ => false,
    }
}

/// Whether it starts with something like a tag, a comment, a doctype or an XML declaration.
pub(crate) fn looks_like_html(bytes: &[u8]) -> bool {
    matches!(
        bytes.trim_ascii_start(),
        [b'<', b'a'..=b'z' | b'A'..=b'Z' | b'!' | b'?', ..]
    )
}

/// Whether the first kilobyte holds an HTML document's doctype or root element.
fn is_html_document(bytes: &[u8]) -> bool {
    let head = bytes.get(..1024).unwrap_or(bytes);
    [&b"<html"[..], b"<!doctype html"]
        .iter()
        .any(|mark| head.windows(mark.len()).any(|w| w.eq_ignore_ascii_case(mark)))
}

/// The value without the five bytes (a zero and a schema's number) that serialisers for a schema registry put
/// in front of JSON.
pub(crate) fn without_framing(bytes: &[u8]) -> &[u8] {
    match bytes {
        [0, _, _, _, _, rest @ ..] if looks_like_json(rest) => rest,
        _ => bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(content_type: Option<&str>, bytes: &[u8]) -> Option<Form> {
        choose(content_type, bytes).ok().map(|(form, _)| form)
    }

    #[test]
    fn first_bytes_tell_where_no_header_does() {
        let cases: [(&[u8], Form); 11] = [
            (b" \n{\"url\":1}", Form::Json),
            (b"[ {\"url\":1}]", Form::Json),
            (b"\"{\\\"url\\\":1}\"", Form::Json),
            (b"\x00\x00\x00\x00\x07{\"url\":1}", Form::Json),
            (b"<!DOCTYPE html>", Form::Html),
            (b"\n<?xml version=\"1.0\"?>", Form::Html),
            (b"<p>Ships came in.", Form::Html),
            (b"<3 is a heart", Form::Text),
            (b"[LONDON] Ships came in.", Form::Text),
            (b"Ships came in.", Form::Text),
            (b"\xe6\x97\xa5", Form::Text),
        ];
        for (bytes, expected) in cases {
            assert_eq!(
                form(None, bytes),
                Some(expected),
                "{}",
                String::from_utf8_lossy(bytes)
            );
            assert_eq!(form(Some("application/octet-stream"), bytes), Some(expected));
        }
    }

    #[test]
    fn the_header_wins_over_the_bytes() {
        assert_eq!(form(Some("text/plain"), b"<p>not markup</p>"), Some(Form::Text));
        assert_eq!(form(Some("TEXT/HTML;charset=x"), b"{no json}"), Some(Form::Html));
        assert_eq!(
            form(Some("\"application/vnd.news+json\""), b"x"),
            Some(Form::Json)
        );
        assert_eq!(
            form(Some("text/xml"), b"<?xml version=\"1.0\"?>\n<html>"),
            Some(Form::Html)
        );
        assert_eq!(form(Some("text/xml"), b"<?xml version=\"1.0\"?>\n<rss>"), None);
        assert_eq!(form(Some("image/png"), b"x"), None);
        assert_eq!(form(Some("x+jsoné"), b"x"), None);
    }

    #[test]
    fn charsets_come_quoted_and_unquoted() {
        for header in [
            "text/html; charset=Latin1",
            "text/html;Charset=\"Latin1\"",
            "text/html; a=b; charset = 'Latin1'",
        ] {
            assert_eq!(ContentType::read(header).charset, Some("Latin1"), "{header}");
        }
        assert_eq!(ContentType::read("text/html; charset=").charset, None);
    }
}
