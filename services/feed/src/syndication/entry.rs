//! The fields of an entry of RSS, RDF or Atom.

use std::fmt::Write as _;

use quick_xml::escape::partial_escape;
use url::Url;

use super::item::{Body, Item};
use super::names::{Family, Names};
use super::plain::plain;
use super::tree::{Element, Node};
use super::xml::Channel;
use crate::outgoing::Note;

/// What is found in an entry before it is known which of it counts.
#[derive(Default)]
struct Found {
    link: Option<String>,
    original: Option<String>,
    id: Option<(String, bool)>,
    published: Vec<String>,
    updated: Vec<String>,
    content: Option<Body>,
    full_text: Option<Body>,
    /// The element that the summary is from.
    summary: String,
    /// So many of its elements hold the same thing, with another text than the first.
    second: Vec<String>,
    /// Where an address may be relative to another base than the entry's.
    url: Option<Url>,
}

/// Reads an entry.
pub(super) fn read(entry: &Element, channel: &Channel) -> Item {
    let mut item = Item {
        language: channel.language.clone(),
        ..Item::default()
    };
    let mut found = Found::default();
    for element in entry.elements() {
        field(element, channel, &mut item, &mut found);
    }
    if found.link.is_none() {
        // `<link/>https://…`, as tools write it that take a feed for a page.
        found.link = loose_address(entry);
    }
    let is_about = |name: &str| super::tree::local(name).eq_ignore_ascii_case("about");
    let about = entry
        .attributes
        .iter()
        .find(|(name, _)| is_about(name))
        .map(|(_, value)| value.as_str());
    let absolute = |text: &str| {
        Url::parse(text)
            .ok()
            .filter(|u| matches!(u.scheme(), "http" | "https"))
    };
    let id = found
        .id
        .as_ref()
        .filter(|(_, is_link)| *is_link)
        .map(|(id, _)| id.as_str());
    item.url = found
        .original
        .as_deref()
        .and_then(absolute)
        .or(found.url)
        .or_else(|| channel.resolve(found.link.as_deref()?))
        // An identifier is an address only if it says so by itself.
        .or_else(|| absolute(id?))
        .or_else(|| absolute(about?));
    item.link = found.link;
    item.id = found.id.map(|(id, _)| id);
    item.dates = found.published;
    item.dates.append(&mut found.updated);
    item.content = found.full_text.or(found.content);
    let note = |name: String| Note {
        kind: "the entry holds a second article, which is not sent: the end of the first may be damaged",
        detail: name,
    };
    item.notes = found.second.into_iter().take(1).map(note).collect();
    item
}

fn field(element: &Element, channel: &Channel, item: &mut Item, found: &mut Found) {
    let (family, name) = channel.names.of(element);
    let fill = |slot: &mut Option<String>, value: String| {
        if slot.is_none() && !value.trim().is_empty() {
            *slot = Some(value.trim().to_owned());
        }
    };
    let kind = element.attribute("type").unwrap_or_default();
    match (family, name.as_str()) {
        (Family::Core | Family::Dc, "title") => {
            let text = element.text();
            fill(&mut item.title, if kind == "text" { text } else { plain(&text) });
        }
        (Family::Core, "link") => link(element, channel, found),
        (Family::Core, "guid" | "id") => {
            let permalink = element.attribute("isPermaLink");
            let is_link = permalink.is_none_or(|p| p.trim().eq_ignore_ascii_case("true"));
            let text = element.text().trim().to_owned();
            if found.id.is_none() && !text.is_empty() {
                found.id = Some((text, is_link));
            }
        }
        (Family::Core, "pubdate" | "published" | "issued" | "date")
        | (Family::Dc, "date" | "issued" | "created") => {
            push(&mut found.published, &element.text());
        }
        (Family::Core, "updated" | "modified") | (Family::Dc, "modified") => {
            push(&mut found.updated, &element.text());
        }
        (Family::Core, "author") | (Family::Dc, "creator") => item.authors.extend(author(element)),
        (Family::Dc, "language") => {
            let text = element.text().trim().to_owned();
            item.language = Some(text).filter(|t| !t.is_empty()).or(item.language.take());
        }
        (Family::Content | Family::Unbound, "encoded") => {
            full(element, kind, &channel.names, found, |f| &mut f.full_text);
        }
        (Family::Xhtml, "body" | "div") => {
            full(element, "xhtml", &channel.names, found, |f| &mut f.full_text);
        }
        // Yandex's own element for the whole article.
        (Family::Other | Family::Unbound, "full-text") => {
            full(element, kind, &channel.names, found, |f| &mut f.full_text);
        }
        (Family::Core, "content") => full(element, kind, &channel.names, found, |f| &mut f.content),
        (Family::Core, "description" | "summary") | (Family::Dc, "description") => {
            let said = markup(element, kind, &channel.names);
            let same = item.summary.as_ref().is_none_or(|first| *first == said.trim());
            if !same && family == Family::Core && name == found.summary {
                found.second.push(element.name.clone());
            }
            if item.summary.is_none() {
                found.summary.clone_from(&name);
            }
            fill(&mut item.summary, said);
        }
        (Family::Other | Family::Unbound, "origlink") => fill(&mut found.original, element.text()),
        _ => {}
    }
}

fn push(dates: &mut Vec<String>, text: &str) {
    let text = text.trim();
    if !text.is_empty() {
        dates.push(text.to_owned());
    }
}

/// RSS's link is text. Atom's links are attributes; the one to the article has no `rel`, or `alternate`.
fn link(element: &Element, channel: &Channel, found: &mut Found) {
    let text = match element.attribute("href") {
        None => element.text(),
        Some(_) if !matches!(element.attribute("rel"), None | Some("alternate")) => return,
        Some(href) => href.to_owned(),
    };
    let text = text.trim();
    if text.is_empty() || found.link.is_some() {
        return;
    }
    found.link = Some(text.to_owned());
    let mut own = channel.clone();
    if own.enter(element) {
        found.url = own.resolve(text);
    }
}

fn loose_address(entry: &Element) -> Option<String> {
    let words = entry.children.iter().filter_map(|node| match node {
        Node::Text(text) => Some(text.trim()),
        Node::Element(_) => None,
    });
    let mut addresses = words.filter(|w| w.starts_with("http://") || w.starts_with("https://"));
    addresses
        .next()
        .filter(|w| !w.contains(char::is_whitespace))
        .map(str::to_owned)
}

fn full(
    element: &Element,
    kind: &str,
    names: &Names,
    found: &mut Found,
    slot: impl Fn(&mut Found) -> &mut Option<Body>,
) {
    // Media RSS and others have an empty element of this name that points elsewhere.
    let said = markup(element, kind, names);
    if said.trim().is_empty() {
        return;
    }
    let text = matches!(kind, "text" | "text/plain");
    match slot(found) {
        Some(Body::Html(first) | Body::Text(first)) if *first == said => {}
        Some(_) => found.second.push(element.name.clone()),
        empty => *empty = Some(if text { Body::Text(said) } else { Body::Html(said) }),
    }
}

/// What is in an element, as a fragment of HTML: its text, or, where it has elements, those with their tags.
fn markup(element: &Element, kind: &str, names: &Names) -> String {
    if element.elements().next().is_none() {
        let text = element.text();
        return if kind == "xhtml" {
            partial_escape(&text).into_owned()
        } else {
            text
        };
    }
    // Escaped markup with a stray tag beside it: its text is markup already.
    let texts = element.children.iter().filter_map(|node| match node {
        Node::Text(text) => Some(text.as_str()),
        Node::Element(_) => None,
    });
    let escaped = kind != "xhtml" && texts.into_iter().any(has_tag);
    let mut out = String::new();
    push_markup(element, escaped, &names.within(element), &mut out);
    out
}

fn has_tag(text: &str) -> bool {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('<') {
        if after.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/') && after.contains('>') {
            return true;
        }
        rest = after;
    }
    false
}

fn push_markup(element: &Element, escaped: bool, names: &Names, out: &mut String) {
    for node in &element.children {
        match node {
            Node::Text(text) if escaped => out.push_str(text),
            Node::Text(text) => out.push_str(&partial_escape(text)),
            Node::Element(inner) => {
                // Browsers know the elements of HTML without a prefix.
                let name = match names.of(inner) {
                    (Family::Xhtml, local) => local,
                    _ => inner.name.clone(),
                };
                out.push('<');
                out.push_str(&name);
                for (key, value) in &inner.attributes {
                    let value = partial_escape(value).replace('"', "&quot;");
                    let _ = write!(out, " {key}=\"{value}\"");
                }
                if inner.children.is_empty() {
                    out.push_str("/>");
                } else {
                    out.push('>');
                    push_markup(inner, escaped, &names.within(inner), out);
                    out.extend(["</", &name, ">"]);
                }
            }
        }
    }
}

/// A person: Atom's `<name>`, or RSS' `mail@site (Name)`, or just the name.
fn author(element: &Element) -> Option<String> {
    let is_name = |e: &&Element| super::tree::local(&e.name).eq_ignore_ascii_case("name");
    let said = match element.elements().find(is_name) {
        Some(name) => name.text(),
        None => element.text(),
    };
    let said = said.trim();
    let name = match said.split_once('(') {
        Some((mail, rest)) if mail.contains('@') => rest.trim_end_matches(')').trim(),
        _ => said,
    };
    // An address of mail alone is no byline.
    (!name.is_empty() && !name.contains('@')).then(|| name.to_owned())
}
