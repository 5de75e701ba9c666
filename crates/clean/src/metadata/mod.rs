//! Metadata by fixed precedence, each value with its source.

mod address_dates;
pub(crate) mod agency;
mod author_words;
pub(crate) mod authors;
mod byline;
mod canonical;
mod dateline;
pub(crate) mod facts;
mod harmless;
mod image;
pub(crate) mod json_ld;
mod language;
mod name;
mod page;
mod place;
mod published;
pub(crate) mod roles;
mod script_dates;
mod signatures;
mod stated;
mod stop_words;
mod title;
mod title_parts;

pub(crate) use dateline::date_line;
pub(crate) use harmless::{harmless, web_address};
pub(crate) use language::body_language;
pub(crate) use name::is_name_alone;
pub(crate) use page::{page_metadata, placed_metadata, stated_body};
pub(crate) use place::Place;
pub(crate) use published::is_plausible;
pub(crate) use stated::stated_paragraphs;

use copydesk_article::{Metadata, MetadataSource, RawArticle, Sourced};

use crate::budget::Clock;
use crate::html::parse::{Limits, parse_fragment};
use crate::normalise::fold_space;
use crate::url::{normalised_and_site, site_of_host};

/// The longest value in which markup is looked for, in bytes: nobody states as much in markup.
const LONGEST_MARKUP: usize = 64 << 10;
/// What the markup of a value may be. Within this and the length no value takes long.
const MARKUP: Limits = Limits {
    nodes: 10_000,
    depth: 100,
};

/// A value of JSON-LD or `<meta>` as text: sites escape twice, or leave markup in.
pub(crate) fn plain(text: &str) -> String {
    let markup = text.len() <= LONGEST_MARKUP && (text.contains('&') || text.contains('<'));
    if markup && let Ok(parsed) = parse_fragment(text, MARKUP, &Clock::endless()) {
        return fold_space(&parsed.text());
    }
    fold_space(text)
}

/// What the envelope says: it wins over everything.
pub(crate) fn from_envelope(raw: &RawArticle) -> Metadata {
    let from = |value: String| Sourced::new(value, MetadataSource::Envelope);
    let mut m = Metadata {
        url: raw.url.clone(),
        ..Metadata::default()
    };
    if let Some(url) = &raw.url {
        let (canonical, site) = normalised_and_site(url);
        m.canonical_url = canonical.map(|u| Sourced::new(u, MetadataSource::Envelope));
        m.site = site.map(|s| Sourced::new(s, MetadataSource::Url));
    }
    if let Some(site) = raw.site.as_deref().map(site_of_host).filter(|s| !s.is_empty()) {
        m.site = Some(from(site));
    }
    m.title = raw
        .title
        .as_deref()
        .map(fold_space)
        .filter(|t| !t.is_empty())
        .map(from);
    m.authors = raw.authors.iter().flat_map(|a| authors::clean_names(a)).collect();
    if !m.authors.is_empty() {
        m.authors_source = Some(MetadataSource::Envelope);
    }
    m.published_at = raw
        .published_at
        .map(|t| Sourced::new(t, MetadataSource::Envelope));
    m.language = raw.language.as_deref().and_then(language::primary).map(from);
    m
}
