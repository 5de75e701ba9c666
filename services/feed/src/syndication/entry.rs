//! One entry of a feed.

use quick_xml::Reader;
use quick_xml::errors::Error;
use quick_xml::escape::{partial_escape, resolve_html5_entity, unescape_with};
use quick_xml::events::{BytesStart, Event};
use serde_json::{Map, Value};
use url::Url;

use super::plain::plain;

/// Elements within an element: enough for every real page, and no way to exhaust anything.
const DEPTH: usize = 512;

/// What an entry says, as it stands.
#[derive(Debug, Default)]
pub(super) struct Entry {
    title: Option<String>,
    link: Option<String>,
    id: Option<String>,
    id_is_link: bool,
    published: Option<String>,
    updated: Option<String>,
    authors: Vec<String>,
    content: Option<String>,
    summary: Option<String>,
}

impl Entry {
    /// Reads up to the entry's end.
    pub(super) fn read(reader: &mut Reader<&[u8]>) -> Result<Self, Error> {
        let mut entry = Self::default();
        loop {
            match reader.read_event()? {
                Event::Start(tag) => entry.child(&tag, reader)?,
                Event::Empty(tag) => entry.link_of(&tag),
                Event::End(_) => return Ok(entry),
                Event::Eof => {
                    return Err(Error::Io(std::sync::Arc::new(std::io::Error::new(
                        std::io::ErrorKind::UnexpectedEof,
                        "the file breaks off within an entry",
                    ))));
                }
                _ => {}
            }
        }
    }

    fn child(&mut self, tag: &BytesStart<'_>, reader: &mut Reader<&[u8]>) -> Result<(), Error> {
        let kind = attribute(tag, "type").unwrap_or_default();
        let xhtml = kind == "xhtml";
        let name = tag.name().into_inner().to_owned();
        let permalink = attribute(tag, "isPermaLink");
        if matches!(name.as_str(), "author" | "dc:creator" | "contributor") {
            let author = author(reader)?;
            if name != "contributor" {
                self.authors.extend(author);
            }
            return Ok(());
        }
        self.link_of(tag);
        let said = text(reader, xhtml)?;
        let said = said.trim();
        if said.is_empty() {
            return Ok(());
        }
        let fill = |slot: &mut Option<String>, value: String| {
            slot.get_or_insert(value);
        };
        match name.as_str() {
            "title" if kind == "text" => fill(&mut self.title, said.to_owned()),
            "title" => fill(&mut self.title, plain(said)),
            "link" => fill(&mut self.link, said.to_owned()),
            "guid" | "id" => {
                self.id_is_link = permalink.is_none_or(|p| p.eq_ignore_ascii_case("true"));
                fill(&mut self.id, said.to_owned());
            }
            "pubDate" | "published" | "dc:date" | "issued" => fill(&mut self.published, said.to_owned()),
            "updated" | "modified" => fill(&mut self.updated, said.to_owned()),
            "content:encoded" | "content" => fill(&mut self.content, said.to_owned()),
            "description" | "summary" => fill(&mut self.summary, said.to_owned()),
            _ => {}
        }
        Ok(())
    }

    /// Atom's links are attributes; the one to the article has no `rel`, or `alternate`.
    fn link_of(&mut self, tag: &BytesStart<'_>) {
        if tag.name().into_inner() == "link"
            && attribute(tag, "rel").is_none_or(|rel| rel == "alternate")
            && let Some(href) = attribute(tag, "href")
        {
            self.link.get_or_insert(href);
        }
    }

    /// The article's address.
    pub(super) fn url(&self, base: Option<&Url>) -> Option<Url> {
        let link = self.link.as_deref();
        let id = self.id.as_deref().filter(|_| self.id_is_link);
        let parse = |text: &str| match (Url::parse(text), base) {
            (Ok(url), _) => Some(url),
            (Err(_), Some(base)) => base.join(text).ok(),
            (Err(_), None) => None,
        };
        // An identifier is an address only if it says so by itself.
        let url = link.and_then(parse).or_else(|| Url::parse(id?).ok())?;
        matches!(url.scheme(), "http" | "https").then_some(url)
    }

    /// The envelope; `None` where there is no body.
    pub(super) fn into_envelope(self, url: Option<&Url>, language: Option<&str>) -> Option<Value> {
        let mut envelope = Map::new();
        let mut put = |name: &str, value: Option<String>| {
            if let Some(value) = value.filter(|v| !v.trim().is_empty()) {
                envelope.insert(name.to_owned(), Value::String(value));
            }
        };
        put("url", url.map(Url::to_string));
        put("title", self.title);
        put("published_at", self.published.or(self.updated));
        put("language", language.map(|l| l.trim().to_owned()));
        put("feed_id", self.id);
        match self.content {
            Some(html) if html.contains('<') => put("html", Some(html)),
            Some(text) => put("text", Some(plain(&text))),
            None => {
                put("text", self.summary.map(|s| plain(&s)));
                put("feed_body", Some("summary".into()));
            }
        }
        if !self.authors.is_empty() {
            let authors = self.authors.into_iter().map(Value::String).collect();
            envelope.insert("authors".into(), Value::Array(authors));
        }
        let has_body = envelope.contains_key("html") || envelope.contains_key("text");
        has_body.then_some(Value::Object(envelope))
    }
}

/// The value of an attribute.
pub(super) fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    // A feed's mistakes in one attribute are no reason to lose the others.
    let found = tag
        .attributes()
        .with_checks(false)
        .flatten()
        .find(|a| a.key.into_inner() == name)?;
    let value = unescape_with(&found.value, resolve_html5_entity)
        .map_or_else(|_| found.value.to_string(), Into::into);
    Some(value)
}

/// The text up to the end of the element that was just begun; with the tags within it for `markup`.
pub(super) fn text(reader: &mut Reader<&[u8]>, markup: bool) -> Result<String, Error> {
    let mut out = String::new();
    let mut depth = 0_usize;
    let push = |out: &mut String, text: &str| {
        if markup {
            out.push_str(&partial_escape(text));
        } else {
            out.push_str(text);
        }
    };
    loop {
        match reader.read_event()? {
            Event::Start(tag) => {
                depth += 1;
                if depth > DEPTH {
                    return Err(broken("elements are nested too deeply"));
                }
                if markup {
                    out.extend(["<", &tag, ">"]);
                }
            }
            Event::Empty(tag) if markup => out.extend(["<", &tag, "/>"]),
            Event::End(_) if depth == 0 => return Ok(out),
            Event::End(tag) => {
                depth -= 1;
                if markup {
                    out.extend(["</", &tag, ">"]);
                }
            }
            Event::Text(text) => push(&mut out, &text.xml10_content()),
            Event::CData(text) => push(&mut out, &text.xml10_content()),
            Event::GeneralRef(reference) => match reference.resolve_char_ref() {
                Ok(Some(character)) => push(&mut out, character.encode_utf8(&mut [0; 4])),
                _ => match resolve_html5_entity(&reference) {
                    Some(text) => push(&mut out, text),
                    // Unknown: it stays as it stands.
                    None => out.extend(["&", &reference, ";"]),
                },
            },
            Event::Eof => return Err(broken("the file breaks off within an entry")),
            _ => {}
        }
    }
}

fn broken(why: &'static str) -> Error {
    Error::Io(std::sync::Arc::new(std::io::Error::new(
        std::io::ErrorKind::InvalidData,
        why,
    )))
}

/// A person: Atom's `<name>`, or RSS' `mail@site (Name)`, or just the name.
fn author(reader: &mut Reader<&[u8]>) -> Result<Option<String>, Error> {
    let (mut direct, mut named) = (String::new(), None);
    loop {
        match reader.read_event()? {
            Event::Start(tag) => {
                let is_name = tag.name().into_inner() == "name";
                let said = text(reader, false)?;
                if is_name {
                    named = Some(said);
                }
            }
            Event::Text(text) => direct.push_str(&text.xml10_content()),
            Event::CData(text) => direct.push_str(&text.xml10_content()),
            Event::GeneralRef(reference) => match reference.resolve_char_ref() {
                Ok(Some(character)) => direct.push(character),
                _ => direct.push_str(resolve_html5_entity(&reference).unwrap_or_default()),
            },
            Event::End(_) => break,
            Event::Eof => return Err(broken("the file breaks off within an entry")),
            _ => {}
        }
    }
    let said = named.unwrap_or(direct);
    let said = said.trim();
    let name = match said.split_once('(') {
        Some((mail, rest)) if mail.contains('@') => rest.trim_end_matches(')').trim(),
        _ => said,
    };
    // An address of mail alone is no byline.
    Ok((!name.is_empty() && !name.contains('@')).then(|| name.to_owned()))
}
