//! Who wrote an article.
//!
//! JSON-LD, then `<meta>`, then the page's own byline near the headline. The site's own name, that of its staff or of what
//! somebody does is no author where another source names a person.

use std::collections::HashSet;
use std::sync::LazyLock;

use copydesk_article::MetadataSource;
use serde_json::{Map, Value};

use super::author_words::set;
use super::authors::clean_names;
use super::facts::Facts;
use super::json_ld::{Ids, is_news, string, types};
use super::place::{BylineZone, Place};
use super::roles::{is_agency, is_collective, is_full_name, is_nobody, is_role};
use super::signatures::{introduced, portrayed, signed};
use crate::fast::Fast;
use crate::normalise::{fold_phrase, key};

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
    "articleauthor",
    "article-author",
    "author_name",
    "author-name",
    "page-author",
    "twitter:data1",
];

/// `<meta>` names of which libraries write the family name first: "Doe, Jane".
const FAMILY_FIRST: [&str; 4] = ["citation_author", "dc.creator", "dcterms.creator", "dc:creator"];

/// The authors and their source.
pub(crate) fn authors(
    facts: &Facts,
    article: Option<&Map<String, Value>>,
    ids: &Ids<'_>,
    site_names: &[u64],
    place: &Place<'_>,
) -> (Vec<String>, Option<MetadataSource>) {
    let ld = article
        .and_then(|a| a.get("author").or_else(|| a.get("creator")))
        .map(|author| names_of(author, ids, 0))
        .unwrap_or_default();
    let metas: Vec<String> = METAS
        .iter()
        .filter(|n| **n != "twitter:data1" || says_author(facts))
        .find_map(|name| {
            let found: Vec<String> = facts
                .metas
                .iter()
                .filter(|(k, _)| k == name)
                .flat_map(|(k, v)| match v.split_once(", ") {
                    Some((family, given))
                        if FAMILY_FIRST.contains(&k.as_str()) && !given.contains([',', ';']) =>
                    {
                        clean_names(&format!("{given} {family}"))
                    }
                    _ => clean_names(v),
                })
                .collect();
            (!found.is_empty()).then_some(found)
        })
        .unwrap_or_default();
    // A page that names its staff where machines read it signs near its headline if it signs at all.
    let near_only = !ld.is_empty() || !metas.is_empty();
    let shown = shown(facts, site_names, place, near_only);
    let mut candidates = [
        (ld, MetadataSource::JsonLd),
        (metas, MetadataSource::Meta),
        (shown, MetadataSource::Element),
        (place.head.to_vec(), MetadataSource::TextHead),
    ];
    // "By Jane Doe" under a headline, and an account where machines read: readers are told who wrote.
    let stated = candidates
        .iter()
        .take(2)
        .map(|(names, _)| names.as_slice())
        .find(|n| !n.is_empty());
    let people = |n: &String| is_full_name(n) && !is_generic(n, site_names);
    let is_admin = article.is_some_and(|a| a.get("author").is_some_and(is_administrator));
    let is_account = matches!(stated, Some([one]) if is_admin || is_account(one));
    if (place.head_says_by || is_admin)
        && !place.head.is_empty()
        && place.head.iter().all(people)
        && is_account
    {
        return (place.head.to_vec(), Some(MetadataSource::TextHead));
    }
    // "By: Jane Doe" under a headline, and somebody else where machines read, whom readers are not told of: that is who
    // put the article there. Papers tell machines who wrote.
    let is_news = article.is_some_and(is_news);
    if !is_news
        && place.head_says_by
        && !place.head.is_empty()
        && place.head.iter().all(people)
        && let (Some([one]), [_, _, (shown, _), _]) = (stated, &candidates)
        && people(one)
        && !shown.iter().any(|s| key(s) == key(one))
        && !place.head.iter().any(|h| has_word_of(h, one))
    {
        return (place.head.to_vec(), Some(MetadataSource::TextHead));
    }
    // People first, then staff and agencies, then the site itself. Behind a source that names nobody in person only
    // full names count: "Berlin" is none.
    let mut first = true;
    for (names, source) in &candidates {
        let person = |n: &String| !is_generic(n, site_names) && (first || is_full_name(n));
        if names.iter().any(person) {
            let others = |n: &&String| !is_site(n, site_names) && !is_staff(n);
            return (
                unique(names.iter().filter(others).cloned().collect()),
                Some(*source),
            );
        }
        first &= names.is_empty();
    }
    let is_empty = candidates.iter().all(|(names, _)| names.is_empty());
    let mut names = signed(place);
    if names.is_empty() && is_empty {
        names = portrayed(facts, place);
    }
    if names.is_empty() && is_empty {
        names = introduced(place);
    }
    if !names.is_empty() && names.iter().all(|n| !is_generic(n, site_names)) {
        return (names, Some(MetadataSource::Element));
    }
    // A role by itself is nobody, whoever else there is.
    for (names, _) in &mut candidates {
        names.retain(|n| !is_nobody(n));
    }
    let not_site = |names: &[String]| names.iter().any(|n| !is_site(n, site_names));
    let found = candidates.iter().position(|(names, _)| not_site(names));
    let found = found.or_else(|| candidates.iter().position(|(names, _)| !names.is_empty()));
    found
        .and_then(|i| candidates.into_iter().nth(i))
        .map_or((Vec::new(), None), |(names, source)| {
            (unique(names), Some(source))
        })
}

/// Whether two names have a word in common: then they may be one name in two spellings.
fn has_word_of(name: &str, other: &str) -> bool {
    let other = fold_phrase(other);
    fold_phrase(name)
        .split(' ')
        .any(|w| other.split(' ').any(|o| o == w))
}

/// Whether a JSON-LD author is the account by which a site was set up:
/// `https://brenmarkpost.example/author/admin/`.
fn is_administrator(author: &Value) -> bool {
    let Some(author) = author.as_object() else {
        return false;
    };
    ["@id", "url", "sameAs"]
        .iter()
        .filter_map(|key| string(author, key))
        .any(|address| {
            let end = address.trim_end_matches('/').rsplit('/').next();
            matches!(end, Some("admin" | "administrator"))
        })
}

/// Whether a name is that of an account: one word with a figure, or with a capital behind a small letter.
fn is_account(name: &str) -> bool {
    let mut before = ' ';
    let mut is_joined = false;
    for c in name.chars() {
        is_joined |= c.is_numeric() || before.is_lowercase() && c.is_uppercase();
        before = c;
    }
    is_joined && !name.contains(' ')
}

/// Whether `twitter:data1` is the author, as its label says.
fn says_author(facts: &Facts) -> bool {
    const LABELS: [&str; 10] = [
        "written by",
        "author",
        "verfasst von",
        "écrit par",
        "escrito por",
        "scritto da",
        "geschreven door",
        "skriven av",
        "napisane przez",
        "написано автором",
    ];
    facts
        .metas
        .iter()
        .any(|(k, v)| k == "twitter:label1" && LABELS.iter().any(|l| key(l) == key(v)))
}

/// Names of a staff as a whole, and of accounts.
static STAFF: LazyLock<HashSet<u64, Fast>> = LazyLock::new(|| {
    let names = set(&[
        "admin|redaktion|die redaktion|redacción|redaccion|redação|redazione|rédaction|la rédaction",
        "redactie|redakcja|redakce|redakcia|staff|staff reporter|editor|news desk|newsroom|webdesk",
        "web desk|editorial team|online|guest|the editors|editors|editorial|editorial board|redaktionen",
        "toimitus|la redacción|la redazione|de redactie|von redaktion|редакция|редакція|redaktör",
        "web editor|news editor|team|our correspondent|our reporter|special correspondent|correspondent",
        "author|autor|anonymous|undefined|admin2|administrator|wordpress|site admin|user|default|unknown|none|null",
        "guest author|guest contributor|contributor|press release|agencies",
    ]);
    names.iter().filter_map(|n| key(n)).collect()
});

/// Whether a name is the site's, that of its staff or of an agency, or says what somebody does.
fn is_generic(name: &str, site_names: &[u64]) -> bool {
    is_site(name, site_names) || is_role(name) || is_agency(name) || is_staff(name) || is_team(name)
}

/// Whether a name ends as that of a team does: "Lifestyle Desk".
fn is_team(name: &str) -> bool {
    name.rsplit(' ')
        .next()
        .is_some_and(|w| is_collective(&fold_phrase(w)))
}

/// Whether a name is that of a staff as a whole, or of an account.
fn is_staff(name: &str) -> bool {
    key(name).is_some_and(|k| STAFF.contains(&k))
}

/// Whether a name is the site's.
fn is_site(name: &str, site_names: &[u64]) -> bool {
    // "MDR Nord", "The Brenmark Post with agencies": it begins with the site's name.
    let begins = name
        .char_indices()
        .filter(|(_, c)| *c == ' ')
        .filter_map(|(i, _)| name.get(..i))
        .any(|start| start.chars().count() >= 3 && key(start).is_some_and(|k| site_names.contains(&k)));
    begins || key(name).is_some_and(|k| site_names.contains(&k))
}

/// Names in the page's byline: the surest elements near the headline first, then any on the page that are
/// made for it and do not stand in something that is not the article.
fn shown(facts: &Facts, site_names: &[u64], place: &Place<'_>, near_only: bool) -> Vec<String> {
    // The staff as a whole, if nobody else is named.
    let mut staff: Vec<String> = Vec::new();
    let bylines = || facts.bylines.iter().filter(|b| !place.is_of_others(b.at));
    // Those by the headline go before those behind the first paragraph, and these before all others.
    for zone in [BylineZone::Head, BylineZone::Behind, BylineZone::Far] {
        for sure in [3_u8, 2, 1] {
            let near = zone != BylineZone::Far;
            if !near && (sure < 2 || near_only) {
                continue;
            }
            let mut names: Vec<String> = Vec::new();
            // Those behind the first paragraph, or far from the headline.
            let mut behind: Vec<(usize, String)> = Vec::new();
            let mut last = None;
            for b in bylines().filter(|b| b.sure == sure) {
                if BylineZone::of(b.at, place) != zone || names.len() >= 8 {
                    continue;
                }
                // Names that stand together are one byline; a later one is another article's.
                if last.is_some_and(|l: usize| b.at > l + 4) {
                    break;
                }
                let mut found = clean_names(&b.text);
                // A single word far from the headline is whoever comments.
                if near_only || !near {
                    found.retain(|n| is_full_name(n) || is_generic(n, site_names));
                }
                if found.iter().any(|n| !is_generic(n, site_names)) {
                    last = Some(b.at);
                }
                if zone != BylineZone::Head {
                    behind.extend(found.into_iter().map(|n| (b.at, n)));
                } else {
                    names.extend(found);
                }
            }
            if !are_of_several(&behind) {
                names.extend(behind.into_iter().map(|(_, name)| name));
            }
            if names.iter().any(|n| !is_generic(n, site_names)) {
                return unique(names);
            }
            // Far from the headline the paper or a team of it counts where an element is made for authors: "EDB Team".
            if !near {
                names.retain(|n| !is_staff(n) && (is_site(n, site_names) || is_team(n)));
                names.truncate(1);
            }
            if staff.is_empty() {
                staff = names;
            }
        }
    }
    unique(staff)
}

/// Whether names stand apart from each other, with other blocks between them: then each is the author of another story.
fn are_of_several(names: &[(usize, String)]) -> bool {
    let Some((first, name)) = names.first() else {
        return false;
    };
    names
        .iter()
        .any(|(at, other)| at - first >= 2 && key(other) != key(name) && !other.contains(name.as_str()))
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

/// The names in a JSON-LD author: a name, parts of one, a reference to an object that has it, or a list of these. An
/// organisation beside people is left out.
fn names_of(value: &Value, ids: &Ids<'_>, depth: usize) -> Vec<String> {
    if depth > 4 {
        return Vec::new();
    }
    match value {
        Value::String(s) => clean_names(&super::plain(s)),
        Value::Object(o) => names_of_object(o, ids, depth),
        Value::Array(a) => {
            let each: Vec<(bool, Vec<String>)> = a
                .iter()
                .map(|v| (is_organisation_object(v, ids), names_of(v, ids, depth + 1)))
                .collect();
            let people = each
                .iter()
                .any(|(organisation, names)| !organisation && names.iter().any(|n| is_full_name(n)));
            let wanted = each
                .into_iter()
                .filter(|(organisation, _)| !(people && *organisation));
            unique(wanted.flat_map(|(_, names)| names).collect())
        }
        _ => Vec::new(),
    }
}

fn names_of_object(object: &Map<String, Value>, ids: &Ids<'_>, depth: usize) -> Vec<String> {
    if let Some(name) = object.get("name") {
        let names = names_of(name, ids, depth + 1);
        if !names.is_empty() {
            return names;
        }
    }
    let part = |key: &str| object.get(key).and_then(Value::as_str).map_or("", str::trim);
    let parts = [part("givenName"), part("additionalName"), part("familyName")];
    let full: Vec<&str> = parts.into_iter().filter(|p| !p.is_empty()).collect();
    if !full.is_empty() {
        return clean_names(&full.join(" "));
    }
    match object
        .get("@id")
        .and_then(Value::as_str)
        .and_then(|id| ids.get(id))
    {
        Some(other) if !std::ptr::eq(*other, object) => names_of_object(other, ids, depth + 1),
        _ => Vec::new(),
    }
}

fn is_organisation_object(value: &Value, ids: &Ids<'_>) -> bool {
    let Some(object) = value.as_object() else {
        return false;
    };
    let typed = |o: &Map<String, Value>| types(o).any(|t| t.ends_with("Organization"));
    let referred = object
        .get("@id")
        .and_then(Value::as_str)
        .and_then(|id| ids.get(id));
    typed(object) || referred.is_some_and(|o| typed(o))
}
