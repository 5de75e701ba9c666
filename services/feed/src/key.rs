//! The site of an article: the key of its record.

use copydesk_decode::address_of;
use serde::Deserialize;
use serde_json::{Map, Value};
use url::Url;

/// What a glance at an envelope tells.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Peek {
    /// The host of its URL, or its site.
    pub(crate) site: Option<String>,
    /// It is one whole JSON object, in UTF-8.
    pub(crate) is_object: bool,
    /// Whether it has an address.
    pub(crate) address: Address,
}

/// Whether an envelope has the address of its article.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Address {
    /// In its field `url` or one that is read for it, in a header; or it is no envelope, and nobody expects one there.
    #[default]
    Known,
    /// In none.
    Missing,
    /// Under a name that is not read: this one.
    Elsewhere(&'static str),
}

#[derive(Deserialize)]
struct Envelope {
    url: Option<String>,
    site: Option<String>,
}

/// The address of an envelope without url: by another name that the pipeline reads, or under one that it does not.
fn address_elsewhere(json: &str) -> (Option<String>, Address) {
    let Ok(fields) = serde_json::from_str::<Map<String, Value>>(json) else {
        return (None, Address::Missing);
    };
    // Kafka Connect's JSON converter wraps the article.
    let wrapped = fields.get("payload").and_then(Value::as_object);
    let article = wrapped
        .filter(|_| fields.contains_key("schema"))
        .unwrap_or(&fields);
    if let Some(url) = address_of(article) {
        return (Some(url), Address::Known);
    }
    let unread = article.get("href").and_then(Value::as_str);
    let is_web = unread.is_some_and(|s| s.starts_with("http://") || s.starts_with("https://"));
    let address = if is_web {
        Address::Elsewhere("href")
    } else {
        Address::Missing
    };
    (None, address)
}

/// Reads the two fields that matter here and passes over the rest, without building it.
pub(crate) fn peek(json: &[u8]) -> Peek {
    // Files are joined with their byte order marks, and the pipeline looks past one.
    // Serde would take an array for a struct as well.
    let json = json.strip_prefix(b"\xef\xbb\xbf").unwrap_or(json);
    let is_braced = json.trim_ascii_start().first() == Some(&b'{');
    let text = std::str::from_utf8(json).ok().filter(|_| is_braced);
    let envelope = text.and_then(|t| Some((t, serde_json::from_str(t).ok()?)));
    let Some((text, Envelope { url, site })) = envelope else {
        return Peek::default();
    };
    let (url, address) = if url.as_deref().is_some_and(|u| !u.trim().is_empty()) {
        (url, Address::Known)
    } else {
        address_elsewhere(text)
    };
    let host = url.and_then(|u| of_url(&Url::parse(&u).ok()?));
    let site = host.or_else(|| site.and_then(|s| name(&s)));
    Peek {
        site,
        is_object: true,
        address,
    }
}

/// The host of a URL, without `www.`.
pub(crate) fn of_url(url: &Url) -> Option<String> {
    name(url.host_str()?)
}

/// One spelling for all: a site's articles must meet in one partition.
pub(crate) fn name(site: &str) -> Option<String> {
    let lower = site.trim().trim_end_matches('.').to_lowercase();
    let bare = lower.strip_prefix("www.").unwrap_or(&lower);
    (!bare.is_empty() && bare.len() <= 255).then(|| bare.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_the_host_or_the_site() {
        for (json, site) in [
            (
                r#"{"x":[1,{"url":"https://no.example/"}],"url":"https://WWW.News.Example.:8080/a?b#c","site":"x"}"#,
                Some("news.example"),
            ),
            (
                r#"{"url":"nonsense","site":" The Example Times "}"#,
                Some("the example times"),
            ),
            (r#"{"url":null,"text":"a"}"#, None),
            (r#"{"link":"https://www.news.example/1"}"#, Some("news.example")),
            (r#"{"url":"https://日本.example/"}"#, Some("xn--wgv71a.example")),
        ] {
            let peek = peek(json.as_bytes());
            assert_eq!((peek.site.as_deref(), peek.is_object), (site, true), "{json}");
        }
        for (json, address) in [
            (r#"{"url":"https://a.example/"}"#, Address::Known),
            (r#"{"text":"a"}"#, Address::Missing),
            (r#"{"url":" ","link":5,"href":["x"]}"#, Address::Missing),
            (r#"{"link":"https://a.example/1","text":"a"}"#, Address::Known),
            (
                r#"{"schema":{},"payload":{"url":"https://a.example/1"}}"#,
                Address::Known,
            ),
            (
                r#"{"href":"https://a.example/1","url":null}"#,
                Address::Elsewhere("href"),
            ),
        ] {
            assert_eq!(peek(json.as_bytes()).address, address, "{json}");
        }
        for odd in [
            &b""[..],
            b"[\"https://a.example/\",\"b\"]",
            b"{\"url\":5}",
            b"{oops",
            b"{}{}",
            b"{\"text\":\"\xe9\"}",
        ] {
            assert_eq!(peek(odd), Peek::default(), "{}", String::from_utf8_lossy(odd));
        }
    }
}
