//! The site of an article: the key of its record.

use serde::Deserialize;
use url::Url;

/// What a glance at an envelope tells.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Peek {
    /// The host of its URL, or its site.
    pub(crate) site: Option<String>,
    /// It is one whole JSON object, in UTF-8.
    pub(crate) is_object: bool,
}

#[derive(Deserialize)]
struct Envelope {
    url: Option<String>,
    site: Option<String>,
}

/// Reads the two fields that matter here and passes over the rest, without building it.
pub(crate) fn peek(json: &[u8]) -> Peek {
    // Serde would take an array for a struct as well.
    let is_braced = json.trim_ascii_start().first() == Some(&b'{');
    let envelope = std::str::from_utf8(json)
        .ok()
        .filter(|_| is_braced)
        .and_then(|j| serde_json::from_str(j).ok());
    let Some(Envelope { url, site }) = envelope else {
        return Peek::default();
    };
    let host = url.and_then(|u| of_url(&Url::parse(&u).ok()?));
    let site = host.or_else(|| site.and_then(|s| name(&s)));
    Peek {
        site,
        is_object: true,
    }
}

/// The host of a URL, without `www.`.
pub(crate) fn of_url(url: &Url) -> Option<String> {
    name(url.host_str()?)
}

/// One spelling for all: a site's articles must meet in one partition.
fn name(site: &str) -> Option<String> {
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
            (r#"{"url":"https://日本.example/"}"#, Some("xn--wgv71a.example")),
        ] {
            assert_eq!(
                peek(json.as_bytes()),
                Peek {
                    site: site.map(str::to_owned),
                    is_object: true
                },
                "{json}"
            );
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
