//! RSS and Atom files: each entry becomes a JSON envelope.
//!
//! An entry with the whole article (`content:encoded`, Atom's `content`) gives its `html`; one with a summary alone
//! gives that as `text`, and says so in the extra field `feed_body`. A feed is read whole, up to [`MAX_BYTES`]: real
//! ones are smaller by far. No entity of a document's own is ever expanded.

mod entry;
mod plain;

use std::io::{self, BufRead, Read as _};

use quick_xml::Reader;
use quick_xml::events::Event;
use url::Url;

use crate::key::{self, Address};
use crate::outgoing::{Origin, Outgoing, Step};
use entry::Entry;

/// A feed of more bytes is none.
pub(crate) const MAX_BYTES: usize = 64 << 20;

const NO_BODY: &str = "feed entries without content or summary";

/// The steps of one file; `max` bytes of an envelope at the most.
pub(crate) fn steps(input: impl BufRead, base: Option<&Url>, origin: &Origin, max: usize) -> Vec<Step> {
    match document(input) {
        Ok(document) => read(&document, base, origin, max),
        Err(e) => vec![unreadable(origin.clone(), e.to_string())],
    }
}

fn unreadable(origin: Origin, why: String) -> Step {
    Step::Unreadable { origin, why }
}

/// The file as text, in the encoding that it names.
fn document(input: impl BufRead) -> io::Result<String> {
    let mut bytes = Vec::new();
    input.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > MAX_BYTES {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("over {MAX_BYTES} bytes; a feed is smaller"),
        ));
    }
    // A byte order mark wins over the declaration.
    let named = declared(&bytes).unwrap_or(encoding_rs::UTF_8);
    let (text, _, _) = named.decode(&bytes);
    Ok(text.into_owned())
}

/// The encoding in `<?xml … encoding="…"?>`.
fn declared(bytes: &[u8]) -> Option<&'static encoding_rs::Encoding> {
    let start = bytes.get(..bytes.len().min(200))?;
    let start = String::from_utf8_lossy(start);
    let (declaration, _) = start.strip_prefix("<?xml")?.split_once("?>")?;
    let (_, value) = declaration.split_once("encoding")?;
    let value = value.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|q| matches!(q, '"' | '\''))?;
    let label = value.split(quote).nth(1)?;
    encoding_rs::Encoding::for_label(label.as_bytes())
}

fn read(document: &str, base: Option<&Url>, origin: &Origin, max: usize) -> Vec<Step> {
    let mut reader = Reader::from_str(document);
    let config = reader.config_mut();
    // Feeds are written by hand as often as by machine: an & that stands alone costs nothing.
    config.allow_dangling_amp = true;
    let mut steps = Vec::new();
    let mut root: Option<String> = None;
    let mut language = None;
    let mut number = 0;
    loop {
        let at = |number| Origin {
            line: Some(number),
            ..origin.clone()
        };
        let event = match reader.read_event() {
            Ok(event) => event,
            Err(e) => {
                steps.push(unreadable(at(number + 1), e.to_string()));
                return steps;
            }
        };
        match event {
            Event::Start(tag) if root.is_none() => {
                let name = tag.local_name().into_inner().to_owned();
                if !matches!(name.as_str(), "rss" | "RDF" | "feed") {
                    let why = format!("no RSS or Atom feed: it begins with <{name}>");
                    steps.push(unreadable(origin.clone(), why));
                    return steps;
                }
                language = entry::attribute(&tag, "xml:lang");
                root = Some(name);
            }
            Event::Start(tag) if matches!(tag.name().into_inner(), "item" | "entry") => {
                number += 1;
                match Entry::read(&mut reader) {
                    Ok(entry) => steps.push(step(entry, language.as_deref(), base, at(number), max)),
                    Err(e) => {
                        steps.push(unreadable(at(number), e.to_string()));
                        return steps;
                    }
                }
            }
            Event::Start(tag) if tag.name().into_inner() == "language" => {
                language = entry::text(&mut reader, false).ok().or(language);
            }
            Event::Eof => {
                if root.is_none() {
                    steps.push(unreadable(
                        origin.clone(),
                        "no RSS or Atom feed: there is no XML in it".into(),
                    ));
                }
                return steps;
            }
            _ => {}
        }
    }
}

fn step(entry: Entry, language: Option<&str>, base: Option<&Url>, origin: Origin, max: usize) -> Step {
    let url = entry.url(base);
    let Some(envelope) = entry.into_envelope(url.as_ref(), language) else {
        return Step::PassedOver(NO_BODY);
    };
    let payload = envelope.to_string().into_bytes();
    if payload.len() > max {
        return Step::Refused {
            origin,
            why: format!("over the limit of {max} bytes"),
        };
    }
    Step::Article(Outgoing {
        key: url.as_ref().and_then(key::of_url),
        payload,
        headers: Vec::new(),
        origin,
        odd: false,
        address: if url.is_some() {
            Address::Known
        } else {
            Address::Missing
        },
    })
}

#[cfg(test)]
mod tests;
