//! Who wrote an article.
//!
//! JSON-LD, then `<meta>`, then the page's own byline near the headline. The site's own name is no author
//! where another source names a person.

use copydesk_article::MetadataSource;
use serde_json::{Map, Value};

use super::authors::clean_names;
use super::facts::Facts;
use crate::normalise::key;

/// `<meta>` names of the author, the surest first.
const METAS: &[&str] = &[
    "author",
    "article:author",
    "parsely-author",
    "sailthru.author",
    "dc.creator",
    "dcterms.creator",
    "dc:creator",
    "byl",
    "citation_author",
    "article:author_name",
    "og:article:author",
    "authors",
    "cxenseparse:author",
    "article.author",
    "rbauthors",
    "twitter:data1",
];

/// The authors and their source.
pub(crate) fn authors(
    facts: &Facts,
    article: Option<&Map<String, Value>>,
    site_names: &[u64],
    from: usize,
    to: usize,
    head: &[String],
) -> (Vec<String>, Option<MetadataSource>) {
    let ld = article
        .and_then(|a| a.get("author").or_else(|| a.get("creator")))
        .map(names_of)
        .unwrap_or_default();
    let metas: Vec<String> = METAS
        .iter()
        .filter(|n| **n != "twitter:data1" || says_author(facts))
        .find_map(|name| {
            let found: Vec<String> = facts
                .metas
                .iter()
                .filter(|(k, _)| k == name)
                .flat_map(|(_, v)| clean_names(v))
                .collect();
            (!found.is_empty()).then_some(found)
        })
        .unwrap_or_default();
    let shown = shown(facts, site_names, from, to);
    let candidates = [
        (ld, MetadataSource::JsonLd),
        (metas, MetadataSource::Meta),
        (shown, MetadataSource::Element),
        (head.to_vec(), MetadataSource::TextHead),
    ];
    let person = |names: &[String]| {
        names
            .iter()
            .filter(|n| !is_site(n, site_names))
            .cloned()
            .collect::<Vec<_>>()
    };
    for (names, source) in &candidates {
        let people = unique(person(names));
        if !people.is_empty() {
            return (people, Some(*source));
        }
    }
    candidates
        .into_iter()
        .find(|(names, _)| !names.is_empty())
        .map_or((Vec::new(), None), |(names, source)| {
            (unique(names), Some(source))
        })
}

/// Whether `twitter:data1` is the author, as its label says.
fn says_author(facts: &Facts) -> bool {
    facts.metas.iter().any(|(k, v)| {
        k == "twitter:label1" && key(v).is_some_and(|k| [key("written by"), key("author")].contains(&Some(k)))
    })
}

/// Whether a name is the site's, or that of its staff as a whole.
fn is_site(name: &str, site_names: &[u64]) -> bool {
    let staff = [
        "admin",
        "redaktion",
        "die redaktion",
        "redacción",
        "redaccion",
        "redação",
        "redazione",
        "rédaction",
        "la rédaction",
        "redactie",
        "redakcja",
        "redakce",
        "redakcia",
        "staff",
        "staff reporter",
        "editor",
        "news desk",
        "newsroom",
        "webdesk",
        "web desk",
        "editorial team",
        "online",
        "guest",
    ];
    // "MDR Nord", "The Brenmark Post with agencies": it begins with the site's name.
    let begins = name
        .char_indices()
        .filter(|(_, c)| *c == ' ')
        .filter_map(|(i, _)| name.get(..i))
        .any(|start| start.chars().count() >= 3 && key(start).is_some_and(|k| site_names.contains(&k)));
    begins || key(name).is_some_and(|k| site_names.contains(&k) || staff.iter().any(|s| key(s) == Some(k)))
}

/// Names in the page's byline: the surest elements near the headline first, then any on the page that are
/// made for it.
fn shown(facts: &Facts, site_names: &[u64], from: usize, to: usize) -> Vec<String> {
    // The staff as a whole, if nobody else is named.
    let mut staff: Vec<String> = Vec::new();
    for near in [true, false] {
        for sure in [3_u8, 2, 1] {
            if !near && sure < 2 {
                continue;
            }
            let mut names: Vec<String> = Vec::new();
            let mut last = None;
            for b in facts.bylines.iter().filter(|b| b.sure == sure) {
                let inside = (from..=to).contains(&b.at);
                if inside != near || names.len() >= 8 {
                    continue;
                }
                // Names that stand together are one byline; a later one is another article's.
                if last.is_some_and(|l: usize| b.at > l + 4) {
                    break;
                }
                let found = clean_names(&b.text);
                if found.iter().any(|n| !is_site(n, site_names)) {
                    last = Some(b.at);
                }
                names.extend(found);
            }
            if names.iter().any(|n| !is_site(n, site_names)) {
                return unique(names);
            }
            if staff.is_empty() && near {
                staff = names;
            }
        }
    }
    unique(staff)
}

/// Each name once; of "Jane Doe" and "Jane Doe Reporter" the first.
fn unique(names: Vec<String>) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for name in names {
        let same = |o: &String| key(o) == key(&name) || name.starts_with(&format!("{o} "));
        if !out.iter().any(same) && out.len() < 20 {
            out.push(name);
        }
    }
    out
}

/// The names in a JSON-LD author.
pub(crate) fn names_of(value: &Value) -> Vec<String> {
    match value {
        Value::String(s) => clean_names(&super::plain(s)),
        Value::Object(o) => o.get("name").map(names_of).unwrap_or_default(),
        Value::Array(a) => unique(a.iter().flat_map(names_of).collect()),
        _ => Vec::new(),
    }
}
