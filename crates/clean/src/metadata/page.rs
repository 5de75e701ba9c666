//! From a page's facts to metadata.

use copydesk_article::{Metadata, MetadataSource, Sourced};
use serde_json::{Map, Value};

use super::Place;
use super::facts::Facts;
use super::json_ld::{ids, is_article, is_news, objects, string, types};
use super::language;
use super::{byline, canonical, image, plain, published, title, title_parts};
use crate::dates::{Order, parse_date_as};
use crate::normalise::{fold_space, key};

/// Fills what the envelope left open from what the page says.
pub(crate) fn page_metadata(m: &mut Metadata, facts: &Facts) {
    let mut all = Vec::new();
    for value in &facts.json_ld {
        objects(value, &mut all, 0);
    }
    let article = main_article(&all, facts, m.url.as_deref());
    let meta = |names: &[&str]| -> Option<String> {
        names
            .iter()
            .find_map(|n| facts.metas.iter().find(|(k, _)| k == n))
            .map(|(_, v)| plain(v))
    };
    let from_ld = |key: &str| {
        article
            .and_then(|a| string(a, key))
            .map(plain)
            .filter(|s| !s.is_empty())
    };

    canonical::canonical(m, facts, meta(&["og:url"]).as_deref());
    m.site_name = meta(&["og:site_name"])
        .map(|s| Sourced::new(s, MetadataSource::Meta))
        .or_else(|| {
            article
                .and_then(|a| a.get("publisher"))
                .and_then(Value::as_object)
                .and_then(|p| string(p, "name"))
                .map(|s| Sourced::new(fold_space(s), MetadataSource::JsonLd))
        });
    if m.title.is_none() {
        let said = title::Said {
            h1: &facts.h1,
            h2: &facts.h2,
            og: meta(&["og:title", "twitter:title"]),
            headline: from_ld("headline"),
            title: facts.title.clone(),
            is_news: article.is_some_and(is_news),
        };
        let mut names = site_names(m);
        names.extend(sections(facts, &all, &said));
        m.title = title::title(&said, &names);
    }
    m.dek = from_ld("description")
        .map(|d| Sourced::new(d, MetadataSource::JsonLd))
        .or_else(|| {
            meta(&["og:description", "description", "twitter:description"])
                .map(|d| Sourced::new(d, MetadataSource::Meta))
        });
    let order = order(facts);
    m.modified_at = from_ld("dateModified")
        .and_then(|d| parse_date_as(&d, order))
        .map(|t| Sourced::new(t, MetadataSource::JsonLd))
        .or_else(|| {
            meta(&["article:modified_time", "og:updated_time"])
                .and_then(|d| parse_date_as(&d, order))
                .map(|t| Sourced::new(t, MetadataSource::Meta))
        });
    if m.language.is_none() {
        m.language = facts
            .lang
            .as_deref()
            .and_then(language::primary)
            .map(|l| Sourced::new(l, MetadataSource::Element))
            .or_else(|| {
                from_ld("inLanguage")
                    .as_deref()
                    .and_then(language::primary)
                    .map(|l| Sourced::new(l, MetadataSource::JsonLd))
            })
            .or_else(|| {
                meta(&["og:locale", "language", "content-language"])
                    .as_deref()
                    .and_then(language::primary)
                    .map(|l| Sourced::new(l, MetadataSource::Meta))
            });
    }
    m.section = from_ld("articleSection")
        .map(|s| Sourced::new(s, MetadataSource::JsonLd))
        .or_else(|| meta(&["article:section"]).map(|s| Sourced::new(s, MetadataSource::Meta)));
    m.tags = tags(facts, article);
    m.image_url = image::lead_image(facts, &all, article, &ids(&all));
    m.paywalled = article
        .and_then(|a| a.get("isAccessibleForFree"))
        .and_then(|v| match v {
            Value::Bool(free) => Some(!free),
            Value::String(s) if s.eq_ignore_ascii_case("true") => Some(false),
            Value::String(s) if s.eq_ignore_ascii_case("false") => Some(true),
            _ => None,
        });
}

/// The text that the page states to be its article (JSON-LD `articleBody`), the longest if there are several.
pub(crate) fn stated_body(facts: &Facts) -> Option<String> {
    let mut all = Vec::new();
    for value in &facts.json_ld {
        objects(value, &mut all, 0);
    }
    all.iter()
        .filter(|o| is_article(o))
        .filter_map(|o| string(o, "articleBody"))
        .max_by_key(|b| b.len())
        .map(str::to_owned)
}

/// The keys of the names of sections: of the article's own and of those on the way to it.
fn sections(facts: &Facts, all: &[&Map<String, Value>], said: &title::Said<'_>) -> Vec<u64> {
    let titles: Vec<u64> = [&said.og, &said.headline]
        .into_iter()
        .flatten()
        .chain(said.h1)
        .filter_map(|t| key(t))
        .collect();
    let stated = all
        .iter()
        .filter(|o| is_article(o))
        .filter_map(|o| string(o, "articleSection"));
    let metas = facts
        .metas
        .iter()
        .filter(|(k, _)| k == "article:section")
        .map(|(_, v)| v.as_str());
    let crumbs = all
        .iter()
        .filter(|o| types(o).any(|t| t == "ListItem"))
        .take(12)
        .filter_map(|o| {
            string(o, "name").or_else(|| {
                o.get("item")
                    .and_then(Value::as_object)
                    .and_then(|i| string(i, "name"))
            })
        });
    let names = stated
        .chain(metas)
        .chain(crumbs)
        .filter(|n| n.chars().count() <= 40);
    names
        .filter_map(|n| key(&plain(n)))
        .filter(|k| !titles.contains(k))
        .collect()
}

/// The articles that names of papers begin with, and their addresses do not.
const ARTICLES: [&str; 12] = [
    "the", "der", "die", "das", "le", "la", "les", "el", "il", "de", "o", "a",
];

/// The keys of everything that is a name of the site rather than of an article or a person.
fn site_names(m: &Metadata) -> Vec<u64> {
    let mut names = Vec::new();
    if let Some(name) = &m.site_name {
        names.extend(key(&name.value));
    }
    if let Some(site) = &m.site {
        names.extend(key(&site.value));
        for label in site.value.split('.').filter(|l| l.len() >= 3) {
            names.extend(key(label));
            // "The Brenmark Post" is at brenmark-post.example.
            names.extend(ARTICLES.iter().filter_map(|a| key(&format!("{a}{label}"))));
        }
    }
    names
}

/// How a date of bare numbers is read on this page.
fn order(facts: &Facts) -> Order {
    let american = facts.lang.iter().chain(
        facts
            .metas
            .iter()
            .filter(|(k, _)| k == "og:locale")
            .map(|(_, v)| v),
    );
    for tag in american {
        if tag.replace('_', "-").eq_ignore_ascii_case("en-us") {
            return Order::MonthFirst;
        }
    }
    Order::DayFirst
}

/// The article's date is no more than that of its last change.
const DATE_OF_CHANGE: &str = "published-is-date-of-change";
/// The page states no time of publication but one that nobody meant. Decoding says the same of the envelope's.
const PUBLISHED_DOUBTED: &str = "published-at-doubted";

/// Fills in what can only be judged by its place on the page: authors and the time of publication. A warning says that
/// the page states a change only.
pub(crate) fn placed_metadata(
    m: &mut Metadata,
    facts: &Facts,
    html: &str,
    place: &Place<'_>,
) -> Option<String> {
    let mut all = Vec::new();
    for value in &facts.json_ld {
        objects(value, &mut all, 0);
    }
    let article = main_article(&all, facts, m.url.as_deref());
    let mut names = site_names(m);
    for publisher in all
        .iter()
        .filter_map(|o| o.get("publisher"))
        .filter_map(Value::as_object)
    {
        names.extend(string(publisher, "name").and_then(key));
    }
    if m.authors.is_empty() {
        let (authors, source) = byline::authors(facts, article, &ids(&all), &names, place);
        m.authors = authors;
        m.authors_source = source;
    }
    let title = m.title.as_ref().map(|t| t.value.as_str());
    let found = published::published(facts, article, html, m.url.as_deref(), title, place, order(facts));
    if m.modified_at.is_none() {
        m.modified_at = found.changed;
    }
    if m.published_at.is_some() {
        return None;
    }
    m.published_at = found.published;
    if found.is_doubted {
        return Some(PUBLISHED_DOUBTED.to_owned());
    }
    found.is_change.then(|| DATE_OF_CHANGE.to_owned())
}

/// A longer headline is not compared with what the page says, in bytes.
const LONGEST_HEADLINE: usize = 800;

/// The object that is the page's article: of those of an article's type the one with the page's address or headline, else
/// the first that is not another story's; else the first object that says when it was published.
fn main_article<'v>(
    all: &[&'v Map<String, Value>],
    facts: &Facts,
    url: Option<&str>,
) -> Option<&'v Map<String, Value>> {
    let path = |u: &str| {
        let rest = u.split_once("://").map_or(u, |(_, rest)| rest);
        let path = rest.split_once('/').map_or("", |(_, path)| path);
        path.split(['?', '#'])
            .next()
            .unwrap_or_default()
            .trim_end_matches('/')
            .to_owned()
    };
    let own = url.map(path).filter(|p| !p.is_empty());
    let titles = || {
        facts.h1.iter().chain(&facts.title).map(String::as_str).chain(
            facts
                .metas
                .iter()
                .filter(|(k, _)| k == "og:title")
                .map(|(_, v)| v.as_str()),
        )
    };
    let score = |o: &Map<String, Value>| -> i32 {
        let headline = string(o, "headline").or_else(|| string(o, "name"));
        let headline = headline.filter(|h| h.len() <= LONGEST_HEADLINE);
        let like = headline.map(|h| titles().map(|t| title_parts::shared(h, t)).fold(0.0, f64::max));
        let named = like.map_or(0, |like| if like >= 0.5 { 1 } else { -1 });
        let address = string(o, "url")
            .or_else(|| string(o, "mainEntityOfPage"))
            .or_else(|| string(o, "@id"));
        let linked = match (&own, address.map(path).filter(|p| !p.is_empty())) {
            (Some(own), Some(path)) => {
                if *own == path {
                    2
                } else {
                    -1
                }
            }
            _ => 0,
        };
        named + linked
    };
    let mut best: Option<(i32, &'v Map<String, Value>)> = None;
    for object in all.iter().copied().filter(|o| is_article(o)).take(40) {
        let score = score(object);
        if score > -2 && best.is_none_or(|(most, _)| score > most) {
            best = Some((score, object));
        }
    }
    best.map(|(_, object)| object).or_else(|| {
        all.iter()
            .copied()
            .find(|o| !is_article(o) && o.contains_key("datePublished"))
    })
}

fn tags(facts: &Facts, article: Option<&Map<String, Value>>) -> Vec<String> {
    let mut tags: Vec<String> = Vec::new();
    let mut add = |text: &str| {
        for tag in text
            .split([',', ';'])
            .map(fold_space)
            .filter(|t| !t.is_empty() && t.chars().count() <= 80)
        {
            if tags.len() < 40 && !tags.contains(&tag) {
                tags.push(tag);
            }
        }
    };
    match article.and_then(|a| a.get("keywords")) {
        Some(Value::String(s)) => add(s),
        Some(Value::Array(a)) => a.iter().filter_map(Value::as_str).for_each(&mut add),
        _ => {
            for (name, value) in &facts.metas {
                if matches!(name.as_str(), "article:tag" | "news_keywords" | "keywords") {
                    add(value);
                }
            }
        }
    }
    tags
}
