//! From a page's facts to metadata.

use copydesk_article::{Metadata, MetadataSource, Sourced};
use serde_json::{Map, Value};

use super::facts::Facts;
use super::json_ld::{is_article, objects, string};
use super::language;
use super::{byline, plain, published, title};
use crate::dates::{Order, parse_date_as};
use crate::draft::Draft;
use crate::normalise::{fold_space, key};
use crate::url::{normalise_url, same_site, site_of};

/// Fills what the envelope left open from what the page says.
pub(crate) fn page_metadata(m: &mut Metadata, facts: &Facts) {
    let mut all = Vec::new();
    for value in &facts.json_ld {
        objects(value, &mut all, 0);
    }
    let article = main_article(&all);
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

    canonical(m, facts, &meta);
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
        let names = site_names(m);
        m.title = title::title(
            facts,
            from_ld("headline"),
            meta(&["og:title", "twitter:title"]),
            &names,
        );
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
    m.image_url = meta(&["og:image", "twitter:image"]).map(|s| Sourced::new(s, MetadataSource::Meta));
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

/// rel=canonical where it is plausible: an address on the same site that is not its front page.
fn canonical(m: &mut Metadata, facts: &Facts, meta: &impl Fn(&[&str]) -> Option<String>) {
    let stated = facts
        .canonical
        .clone()
        .map(|u| (u, MetadataSource::Link))
        .or_else(|| meta(&["og:url"]).map(|u| (u, MetadataSource::Meta)));
    let Some((stated, source)) = stated else { return };
    let base = m.url.as_deref().and_then(|u| ::url::Url::parse(u).ok());
    let absolute = base.as_ref().map_or_else(
        || stated.clone(),
        |b| b.join(&stated).map_or(stated.clone(), |u| u.to_string()),
    );
    let Some(url) = normalise_url(&absolute) else {
        return;
    };
    let Some(site) = site_of(&url) else { return };
    let path_is_root = ::url::Url::parse(&url).is_ok_and(|u| u.path() == "/" && u.query().is_none());
    let own = m.url.as_deref().and_then(site_of);
    if path_is_root || own.as_deref().is_some_and(|own| !same_site(own, &site)) {
        return;
    }
    if m.site.is_none() {
        m.site = Some(Sourced::new(site, source));
    }
    m.canonical_url = Some(Sourced::new(url, source));
}

/// The keys of everything that is a name of the site rather than of an article or a person.
fn site_names(m: &Metadata) -> Vec<u64> {
    let mut names = Vec::new();
    if let Some(name) = &m.site_name {
        names.extend(key(&name.value));
    }
    if let Some(site) = &m.site {
        names.extend(key(&site.value));
        let labels: Vec<&str> = site.value.split('.').collect();
        names.extend(labels.iter().filter(|l| l.len() >= 3).filter_map(|l| key(l)));
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

/// Where on the page the article stands, once that is known.
#[derive(Debug)]
pub(crate) struct Place<'p> {
    /// The blocks between which bylines and dates of this article stand.
    pub(crate) from: usize,
    pub(crate) to: usize,
    /// Those around the headline, in order.
    pub(crate) near: Vec<&'p Draft>,
    /// Names that the lines under the headline give.
    pub(crate) head: &'p [String],
}

/// Fills in what can only be judged by its place on the page: authors and the time of publication.
pub(crate) fn placed_metadata(m: &mut Metadata, facts: &Facts, html: &str, place: &Place<'_>) {
    let mut all = Vec::new();
    for value in &facts.json_ld {
        objects(value, &mut all, 0);
    }
    let article = main_article(&all);
    let mut names = site_names(m);
    for publisher in all
        .iter()
        .filter_map(|o| o.get("publisher"))
        .filter_map(Value::as_object)
    {
        names.extend(string(publisher, "name").and_then(key));
    }
    if m.authors.is_empty() {
        let (authors, source) = byline::authors(facts, article, &names, place.from, place.to, place.head);
        m.authors = authors;
        m.authors_source = source;
    }
    if m.published_at.is_none() {
        let order = order(facts);
        let path = m.url.as_deref().and_then(published::in_path);
        m.published_at = published::stated(facts, article, order)
            .map(|t| Sourced::new(published::with_shown_day(t.value, path), t.source))
            .or_else(|| published::shown(facts, &place.near, place.from, place.to, order))
            .or_else(|| published::hidden(html, m.url.as_deref(), order));
    }
}

/// The object that is the page's article: the first of an article's type, else the first that says when it
/// was published.
fn main_article<'v>(all: &[&'v Map<String, Value>]) -> Option<&'v Map<String, Value>> {
    all.iter()
        .copied()
        .find(|o| is_article(o))
        .or_else(|| all.iter().copied().find(|o| o.contains_key("datePublished")))
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
