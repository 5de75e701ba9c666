//! From a page's facts to metadata.

use copydesk_article::{Metadata, MetadataSource, Sourced, Timestamp};
use serde_json::{Map, Value};

use super::authors::clean_names;
use super::facts::Facts;
use super::json_ld::{is_article, objects, string};
use super::language;
use crate::dates::parse_date;
use crate::normalise::fold_space;
use crate::url::{normalise_url, same_site, site_of};

/// Fills what the envelope left open from what the page says.
pub(crate) fn page_metadata(m: &mut Metadata, facts: &Facts) {
    let mut all = Vec::new();
    for value in &facts.json_ld {
        objects(value, &mut all, 0);
    }
    let article = all.iter().copied().find(|o| is_article(o));
    let meta = |names: &[&str]| -> Option<String> {
        names
            .iter()
            .find_map(|n| facts.metas.iter().find(|(k, _)| k == n))
            .map(|(_, v)| v.clone())
    };
    let from_ld = |key: &str| {
        article
            .and_then(|a| string(a, key))
            .map(fold_space)
            .filter(|s| !s.is_empty())
    };

    canonical(m, facts, &meta);
    if m.title.is_none() {
        m.title = title(facts, from_ld("headline"), meta(&["og:title", "twitter:title"]));
    }
    m.dek = from_ld("description")
        .map(|d| Sourced::new(d, MetadataSource::JsonLd))
        .or_else(|| {
            meta(&["og:description", "description", "twitter:description"])
                .map(|d| Sourced::new(d, MetadataSource::Meta))
        });
    m.site_name = meta(&["og:site_name"])
        .map(|s| Sourced::new(s, MetadataSource::Meta))
        .or_else(|| {
            article
                .and_then(|a| a.get("publisher"))
                .and_then(Value::as_object)
                .and_then(|p| string(p, "name"))
                .map(|s| Sourced::new(fold_space(s), MetadataSource::JsonLd))
        });
    if m.authors.is_empty() {
        set_authors(m, facts, article, &meta);
    }
    if m.published_at.is_none() {
        m.published_at = published(facts, article, &meta);
    }
    m.modified_at = from_ld("dateModified")
        .and_then(|d| parse_date(&d))
        .map(|t| Sourced::new(t, MetadataSource::JsonLd))
        .or_else(|| {
            meta(&["article:modified_time", "og:updated_time"])
                .and_then(|d| parse_date(&d))
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

fn title(facts: &Facts, headline: Option<String>, og: Option<String>) -> Option<Sourced<String>> {
    let h1 = facts.h1.first().cloned();
    headline
        .map(|t| Sourced::new(t, MetadataSource::JsonLd))
        .or_else(|| h1.map(|t| Sourced::new(t, MetadataSource::Element)))
        .or_else(|| og.map(|t| Sourced::new(t, MetadataSource::Meta)))
        .or_else(|| {
            facts
                .title
                .clone()
                .map(|t| Sourced::new(t, MetadataSource::Element))
        })
}

fn set_authors(
    m: &mut Metadata,
    facts: &Facts,
    article: Option<&Map<String, Value>>,
    meta: &impl Fn(&[&str]) -> Option<String>,
) {
    let ld = article
        .and_then(|a| a.get("author"))
        .map(author_names)
        .unwrap_or_default();
    if !ld.is_empty() {
        m.authors = ld;
        m.authors_source = Some(MetadataSource::JsonLd);
        return;
    }
    let by_meta = meta(&[
        "author",
        "article:author",
        "parsely-author",
        "sailthru.author",
        "dc.creator",
        "byl",
    ])
    .map(|a| clean_names(&a))
    .unwrap_or_default();
    if !by_meta.is_empty() {
        m.authors = by_meta;
        m.authors_source = Some(MetadataSource::Meta);
        return;
    }
    if let Some((text, _)) = facts.bylines.iter().max_by_key(|(_, sure)| *sure) {
        m.authors = clean_names(text);
        m.authors_source = (!m.authors.is_empty()).then_some(MetadataSource::Element);
    }
}

fn author_names(value: &Value) -> Vec<String> {
    match value {
        Value::String(s) => clean_names(s),
        Value::Object(o) => match o.get("name") {
            Some(name) => author_names(name),
            None => Vec::new(),
        },
        Value::Array(a) => {
            let mut names: Vec<String> = Vec::new();
            for name in a.iter().flat_map(author_names) {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
            names
        }
        _ => Vec::new(),
    }
}

fn published(
    facts: &Facts,
    article: Option<&Map<String, Value>>,
    meta: &impl Fn(&[&str]) -> Option<String>,
) -> Option<Sourced<Timestamp>> {
    let ld = article
        .and_then(|a| string(a, "datePublished").or_else(|| string(a, "dateCreated")))
        .and_then(parse_date);
    if let Some(t) = ld {
        return Some(Sourced::new(t, MetadataSource::JsonLd));
    }
    let by_meta = meta(&[
        "article:published_time",
        "og:published_time",
        "datepublished",
        "date",
        "pubdate",
        "publishdate",
        "publish-date",
        "parsely-pub-date",
        "sailthru.date",
        "dc.date",
        "dc.date.issued",
        "dcterms.created",
        "cxenseparse:recs:publishtime",
    ])
    .and_then(|d| parse_date(&d));
    if let Some(t) = by_meta {
        return Some(Sourced::new(t, MetadataSource::Meta));
    }
    facts
        .times
        .iter()
        .find_map(|t| parse_date(&t.value))
        .map(|t| Sourced::new(t, MetadataSource::TimeElement))
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
