//! What a page says about itself, as it says it. Judged elsewhere.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use dom_query::Element;
use serde_json::Value;

use super::json_ld::{MOST_MEMORY, memory_of};
use super::name::{ends_with_others, is_name_alone};
use crate::html::tags::Tag;
use crate::html::tags::attr;
use crate::normalise::{fold_phrase, fold_space};

/// The most that is kept of each kind of fact: pages with more are broken or hostile.
const MOST: usize = 200;
/// The longest value that is kept, in bytes.
const LONGEST_VALUE: usize = 4_000;
/// The most JSON-LD of a page that is read, in bytes.
const MOST_JSON: usize = 1 << 20;

/// Raw facts, in document order.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// `<html lang>`.
    pub(crate) lang: Option<String>,
    pub(crate) title: Option<String>,
    /// `<meta>`: name or property in lower case, content.
    pub(crate) metas: Vec<(String, String)>,
    pub(crate) json_ld: Vec<Value>,
    /// Bytes of scripts that they were read from, and about how much memory they take.
    pub(crate) json_read: (usize, usize),
    pub(crate) canonical: Option<String>,
    /// `<base href>`.
    pub(crate) base: Option<String>,
    pub(crate) h1: Vec<String>,
    /// The first few `<h2>`.
    pub(crate) h2: Vec<String>,
    /// `<time>` elements, and others whose attribute has the time that they show.
    pub(crate) times: Vec<TimeFact>,
    /// Texts of elements that name authors.
    pub(crate) bylines: Vec<BylineFact>,
    /// `itemprop`: name and value of microdata.
    pub(crate) items: Vec<(String, String)>,
    /// What short texts of pictures say, folded: portraits have their bearer's name.
    pub(crate) portraits: Vec<String>,
}

/// One `<time>` element, or another one whose attribute has the time that it shows.
#[derive(Debug)]
pub(crate) struct TimeFact {
    /// The attribute that has the time, else the text.
    pub(crate) value: String,
    pub(crate) text: String,
    /// Its classes and `itemprop`: they may speak of publication or of a change.
    pub(crate) names: String,
    /// The block before which it stands.
    pub(crate) at: usize,
}

/// An element that names authors.
#[derive(Debug)]
pub(crate) struct BylineFact {
    pub(crate) text: String,
    /// How surely: 3 by markup made for it, 2 by a name that says so, 1 by a name that may.
    pub(crate) sure: u8,
    /// The block before which it stands.
    pub(crate) at: usize,
}

impl Facts {
    pub(crate) fn read_html(&mut self, element: &Element) {
        self.lang = attr(element, "lang")
            .or_else(|| attr(element, "xml:lang"))
            .filter(|l| !l.trim().is_empty())
            .map(str::to_owned);
    }

    pub(crate) fn read_head(&mut self, tag: Tag, element: &Element, text: impl Fn() -> String) {
        match tag {
            Tag::Title if self.title.is_none() => {
                self.title = Some(fold_space(&text())).filter(|t| !t.is_empty() && t.len() <= LONGEST_VALUE);
            }
            Tag::Meta => self.read_meta(element),
            Tag::Base if self.base.is_none() => {
                self.base = attr(element, "href").map(str::to_owned);
            }
            Tag::Link => {
                let rel = attr(element, "rel").unwrap_or_default();
                if rel.eq_ignore_ascii_case("canonical") && self.canonical.is_none() {
                    self.canonical = attr(element, "href").map(str::to_owned);
                }
            }
            Tag::Script => {
                let json = attr(element, "type").is_some_and(|t| t.contains("ld+json"));
                if json && self.json_ld.len() < MOST {
                    let text = text();
                    let (bytes, memory) = self.json_read;
                    let (bytes, memory) = (bytes + text.len(), memory + memory_of(&text));
                    if bytes <= MOST_JSON && memory <= MOST_MEMORY {
                        self.json_read = (bytes, memory);
                        self.json_ld.extend(super::json_ld::parse(&text));
                    }
                }
            }
            _ => {}
        }
    }

    fn read_meta(&mut self, element: &Element) {
        let Some(content) = attr(element, "content") else {
            return;
        };
        let content = fold_space(content);
        if content.is_empty() || content.len() > LONGEST_VALUE || self.metas.len() >= MOST {
            return;
        }
        for key in ["property", "name", "itemprop", "http-equiv"] {
            if let Some(name) = attr(element, key) {
                self.metas.push((
                    name.trim().chars().flat_map(char::to_lowercase).collect(),
                    content,
                ));
                return;
            }
        }
    }

    /// Reads an element of the body. `author`: how surely its names say that it names authors; `at`: the block
    /// before which it stands, or in which `before` stands before it.
    pub(crate) fn read_element(
        &mut self,
        tag: Tag,
        element: &Element,
        author: u8,
        at: usize,
        before: &str,
        text: impl Fn() -> String,
    ) {
        if tag == Tag::Inline && &*element.name.local == "img" {
            self.read_portrait(element);
            return;
        }
        if tag == Tag::H(1) && self.h1.len() < 8 {
            let text = fold_space(&text());
            if !text.is_empty() && text.len() <= 600 {
                self.h1.push(text);
            }
        }
        if tag == Tag::H(2) && self.h2.len() < 4 {
            let text = fold_space(&text());
            if !text.is_empty() && text.len() <= 600 {
                self.h2.push(text);
            }
        }
        self.read_time(tag, element, at, &text);
        let mut sure = if author == 1 && matches!(tag, Tag::A | Tag::Inline) {
            2
        } else {
            author
        };
        let mut itemprop = None;
        for a in &element.attrs {
            match &*a.name.local {
                "itemprop" => {
                    itemprop = Some(&*a.value);
                    if a.value.split(' ').any(|p| p == "author") {
                        sure = 3;
                    }
                }
                "rel" if tag == Tag::A && a.value.split(' ').any(|w| w == "author") => sure = 3,
                "href" if tag == Tag::A && sure < 2 && is_author_path(&a.value) => {
                    sure = 2;
                }
                _ => {}
            }
        }
        if let Some(itemprop) = itemprop
            && self.items.len() < MOST
        {
            self.read_item(itemprop, element, &text);
        }
        // "Reviewed by <a rel=author>": who is named there did not write.
        if sure > 0 && self.bylines.len() < 60 && !ends_with_others(before) {
            let text = fold_space(&text());
            // A box with a name and a text that begins with it: no other person is presented so.
            let text = match name_told_of(&text) {
                Some(name) => {
                    sure = sure.max(2);
                    name.to_owned()
                }
                None => byline_of(&text),
            };
            if !text.is_empty() {
                self.bylines.push(BylineFact { text, sure, at });
            }
        }
    }

    /// `<img alt="Jane Doe">`, `<img alt="Portrait of Jane Doe">`.
    fn read_portrait(&mut self, element: &Element) {
        let alt = attr(element, "alt").map(str::trim).unwrap_or_default();
        if (4..=LONGEST_PORTRAIT).contains(&alt.len()) && alt.contains(' ') && self.portraits.len() < MOST {
            self.portraits.push(fold_phrase(alt));
        }
    }

    /// `<time datetime>`, `<abbr title="2026-03-20T18:05">`, `<span data-timestamp="1774029900">`.
    fn read_time(&mut self, tag: Tag, element: &Element, at: usize, text: impl Fn() -> String) {
        if self.times.len() >= MOST_TIMES {
            return;
        }
        let attribute = match tag {
            Tag::Time => attr(element, "datetime"),
            Tag::Inline => element
                .attrs
                .iter()
                .filter(|a| a.value.starts_with(|c: char| c.is_ascii_digit()) && a.value.len() >= 8)
                .find(|a| is_time_attribute(&a.name.local))
                .map(|a| &*a.value),
            _ => None,
        };
        let attribute = attribute.filter(|v| !v.trim().is_empty());
        let names = attr(element, "class").unwrap_or_default();
        if tag != Tag::Time && attribute.is_none() && !has_time_name(names) {
            return;
        }
        let text = fold_space(&text());
        // What holds more than a date is no element of one.
        if text.chars().count() > LONGEST_TIME || attribute.is_none() && !text.chars().any(char::is_numeric) {
            return;
        }
        let itemprop = attr(element, "itemprop").unwrap_or_default();
        // `<time pubdate>` is called the time of publication as well.
        let pubdate = attr(element, "pubdate").map_or("", |_| " published");
        self.times.push(TimeFact {
            value: attribute.map_or_else(|| text.clone(), str::to_owned),
            text,
            names: format!("{names} {itemprop}{pubdate}"),
            at,
        });
    }

    fn read_item(&mut self, itemprop: &str, element: &Element, text: impl Fn() -> String) {
        let value = match attr(element, "content").or_else(|| attr(element, "datetime")) {
            Some(value) => value.to_owned(),
            None if matches!(
                itemprop,
                "articleBody" | "description" | "text" | "mainEntityOfPage"
            ) =>
            {
                String::new()
            }
            None => fold_space(&text()),
        };
        if !value.is_empty() && value.len() <= 600 {
            self.items
                .push((itemprop.chars().flat_map(char::to_lowercase).collect(), value));
        }
    }
}

/// The longest byline, in bytes.
const LONGEST_BYLINE: usize = 300;

/// The name in a text that is a name and what its bearer does: "Jane Doe | Jane Doe is a reporter at …".
fn name_told_of(text: &str) -> Option<&str> {
    let (name, rest) = text.split_once(" | ")?;
    let mut again = rest.split(" | ").filter_map(|part| part.strip_prefix(name));
    let told = is_name_alone(name) && again.any(|rest| rest.starts_with(" is ") || rest.starts_with(" has "));
    told.then_some(name)
}

/// What a box about an author says first: the name, where it goes on with more; or behind "written by".
fn byline_of(text: &str) -> String {
    if let Some((_, rest)) = text.split_once("written by ") {
        let end = rest.find([',', '.', '|', '(']).unwrap_or(rest.len());
        return rest.get(..end).unwrap_or_default().to_owned();
    }
    // "Jane Doe is a reporter": the name alone, if it is short.
    const IS: [&str; 6] = [" is a ", " is an ", " is the ", " ist ", " est un", " es un"];
    let name = IS
        .iter()
        .filter_map(|is| text.split_once(is))
        .map(|(name, _)| name);
    if let Some(name) = name.min_by_key(|n| n.len()).filter(|n| {
        (2..=4).contains(&n.split(' ').count()) && n.chars().next().is_some_and(char::is_uppercase)
    }) {
        return name.to_owned();
    }
    if text.len() <= LONGEST_BYLINE {
        return text.to_owned();
    }
    let first = text.split(" | ").next().unwrap_or_default();
    Some(first)
        .filter(|f| f.len() <= LONGEST_BYLINE / 4)
        .unwrap_or_default()
        .to_owned()
}

/// The most elements with a time that are kept.
const MOST_TIMES: usize = 40;
/// Attributes of other elements that have the time that they show.
fn is_time_attribute(name: &str) -> bool {
    matches!(
        name,
        "title"
            | "datetime"
            | "data-timestamp"
            | "data-time"
            | "data-date"
            | "data-datetime"
            | "data-published"
    )
}

/// The longest text of an element that shows a time, in characters.
const LONGEST_TIME: usize = 120;
/// Classes of other elements that show a time and nothing else.
fn has_time_name(names: &str) -> bool {
    let is_one = |name: &[u8]| {
        matches!(
            name,
            b"date"
                | b"datetime"
                | b"timestamp"
                | b"published"
                | b"pubdate"
                | b"pub-date"
                | b"publish-date"
                | b"published-date"
                | b"date-published"
                | b"post-date"
                | b"post_date"
                | b"entry-date"
                | b"article-date"
                | b"article__date"
                | b"date-posted"
                | b"posted-on"
                | b"created"
                | b"dateline"
        )
    };
    names.as_bytes().split(|b| *b == b' ').any(is_one)
}

/// Parts of addresses of pages about authors.
static AUTHOR_PATHS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    AhoCorasick::new([
        "/author/",
        "/authors/",
        "/autor/",
        "/autoren/",
        "/autores/",
        "/auteur/",
        "/auteurs/",
        "/autori/",
        "/journalist/",
        "/journalisten/",
        "/reporter/",
        "/profile/author",
        "/by/",
        "/redakteur/",
        "/zurnalist/",
        "/yazar/",
    ])
    .ok()
});

fn is_author_path(address: &str) -> bool {
    AUTHOR_PATHS.as_ref().is_some_and(|paths| paths.is_match(address))
}

/// The longest text of a picture that may be a portrait's, in bytes.
const LONGEST_PORTRAIT: usize = 80;
