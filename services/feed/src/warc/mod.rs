//! WARC files as Common Crawl News publishes them: the HTML pages among their HTTP responses.
//!
//! A page goes out as it was served, without chunks and compression: `content-type` as the server said it (the charset
//! in it is the decoder's business), WARC-Target-URI as `url`, WARC-Date as `fetched_at`. Everything else in the
//! file is passed over and counted by its reason; what is damaged is named, and reading goes on behind it.

mod http;
mod records;

use std::io::{self, BufRead};

use url::Url;

use crate::key::{self, Address};
use crate::outgoing::{Note, Origin, Outgoing, Step};
use http::{NoBody, Response};
use records::{Next, Record, Records};

/// HTTP's header, chunks and poor compression beside a body of the greatest size.
const OVERHEAD: usize = 1 << 20;

/// Reasons to pass over a record that is whole.
mod reasons {
    pub(super) const KIND: &str = "WARC records that are no responses (requests, metadata, …)";
    pub(super) const REVISIT: &str = "WARC records that only say that a page had not changed";
    pub(super) const NO_HTTP: &str = "WARC responses that are not HTTP";
    pub(super) const STATUS: &str = "HTTP responses with a status other than 2xx";
    pub(super) const NOT_HTML: &str = "HTTP responses that are not HTML";
    pub(super) const NO_URL: &str = "HTTP responses without an http or https address";
    pub(super) const EMPTY: &str = "HTTP responses without a body";
    pub(super) const ENCODING: &str = "HTTP responses in a compression other than gzip, deflate, zstd";
}

/// The steps of a file; `max` bytes of a page at the most.
pub(crate) fn steps(
    input: Box<dyn BufRead>,
    origin: Origin,
    max: usize,
) -> io::Result<impl Iterator<Item = Step>> {
    let mut number = 0;
    Ok(
        Records::new(input, max.saturating_add(OVERHEAD))?.map(move |next| {
            number += 1;
            let origin = Origin {
                line: Some(number),
                ..origin.clone()
            };
            match next {
                Next::Record(record) => page(&record, origin, max),
                Next::Damaged(why) => Step::Refused { origin, why },
                Next::Broken(e) => Step::Unreadable {
                    origin,
                    why: e.to_string(),
                },
            }
        }),
    )
}

fn page(record: &Record, origin: Origin, max: usize) -> Step {
    let kind = record.field("warc-type").unwrap_or_default();
    if !kind.eq_ignore_ascii_case("response") {
        let revisit = kind.eq_ignore_ascii_case("revisit");
        return Step::PassedOver(if revisit { reasons::REVISIT } else { reasons::KIND });
    }
    let address = record.field("warc-target-uri").unwrap_or_default().trim();
    let address = address.trim_start_matches('<').trim_end_matches('>');
    let Some(url) = Url::parse(address)
        .ok()
        .filter(|u| matches!(u.scheme(), "http" | "https"))
    else {
        return Step::PassedOver(reasons::NO_URL);
    };
    let too_large = |origin| Step::Refused {
        origin,
        why: format!("{url} is over the limit of {max} bytes"),
    };
    let Some(block) = &record.block else {
        return too_large(origin);
    };
    let Some(response) = Response::read(block) else {
        return Step::PassedOver(reasons::NO_HTTP);
    };
    if !(200..300).contains(&response.status) {
        return Step::PassedOver(reasons::STATUS);
    }
    let content_type = response.field("content-type").unwrap_or_default().trim();
    let media = content_type.split(';').next().unwrap_or_default().trim();
    if !["text/html", "application/xhtml+xml"]
        .iter()
        .any(|t| t.eq_ignore_ascii_case(media))
    {
        return Step::PassedOver(reasons::NOT_HTML);
    }
    let body = match response.body(max) {
        Ok(body) => body,
        Err(NoBody::TooLarge) => return too_large(origin),
        Err(NoBody::UnknownEncoding) => return Step::PassedOver(reasons::ENCODING),
        Err(NoBody::Damaged(why)) => {
            return Step::Refused {
                origin,
                why: format!("the body of {url} is damaged: {why}"),
            };
        }
    };
    let payload = body.bytes.into_owned();
    if payload.trim_ascii().is_empty() {
        return Step::PassedOver(reasons::EMPTY);
    }
    let mut headers = vec![
        ("content-type", content_type.to_owned()),
        ("url", address.to_owned()),
    ];
    if let Some(date) = record.field("warc-date") {
        headers.push(("fetched_at", date.trim().to_owned()));
    }
    // A crawler's own limit: the page is not whole, and whoever reads it later should know.
    if let Some(why) = record.field("warc-truncated") {
        headers.push(("extra-warc_truncated", why.trim().to_owned()));
    } else if body.cut {
        headers.push(("extra-warc_truncated", "chunks".to_owned()));
    }
    let mut notes = Vec::new();
    if body.cut {
        notes.push(Note {
            kind: "pages break off within a chunk: what there is of them is sent",
            detail: url.to_string(),
        });
    }
    Step::Article(Outgoing {
        key: key::of_url(&url),
        payload,
        headers,
        origin,
        odd: false,
        address: Address::Known,
        notes,
    })
}

/// The first field of this name.
fn field<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found = fields.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}

/// Adds a header line: a new field, or the continuation of the last one.
fn push_field(fields: &mut Vec<(String, String)>, line: &[u8]) {
    let text = String::from_utf8_lossy(line);
    if line.first().is_some_and(|b| matches!(b, b' ' | b'\t')) {
        if let Some((_, value)) = fields.last_mut() {
            value.push(' ');
            value.push_str(text.trim());
        }
    } else if let Some((name, value)) = text.split_once(':') {
        fields.push((name.trim().to_owned(), value.trim().to_owned()));
    }
}

#[cfg(test)]
mod tests;
