//! An article: the text as it was read with what was removed in its place, where each field came from, its
//! versions and messages.

use std::sync::Arc;

use copydesk_article::ArticleId;
use copydesk_store::reads::{ArticleRow, BlockRow, SightingRow, VersionRow};
use copydesk_store::{Explanation, Store};
use maud::{Markup, html};
use serde::Serialize;
use serde_json::Value;

use super::signs;
use super::text_of::text;
use crate::answer::Page;
use crate::app::{App, permitted};
use crate::ask::{Ask, escaped};
use crate::changes::takedown::form as takedown_form;
use crate::layout::Section;
use crate::problem::Problem;
use crate::text::{beginning, counted, link, published, relation, site, title, when, when_ago};

/// Blocks that are shown.
const BLOCKS: u32 = 2_000;
/// Versions and messages that are shown.
const SHOWN: u32 = 50;

#[derive(Serialize)]
struct Article {
    article: ArticleRow,
    blocks: Vec<BlockRow>,
    versions: Vec<VersionRow>,
    sightings: Vec<SightingRow>,
    /// Why it is in its story. Null: this login may not see the evidence.
    decision: Option<Value>,
}

pub(crate) async fn show(app: Arc<App>, ask: Ask) -> Result<Page, Problem> {
    let id = ask.number("article")?;
    let store = app.reads().await?;
    let Some(article) = store.read_article(id).await? else {
        return Err(missing(store, id).await?);
    };
    let explained = permitted(app.looks_deeper().await?.explain(ArticleId(id)).await)?;
    let data = Article {
        blocks: store.read_blocks(id, article.version, BLOCKS).await?,
        versions: store.read_versions(id, SHOWN).await?,
        sightings: store.read_sightings(id, SHOWN).await?,
        decision: explained.as_ref().and_then(|e| e.as_ref().map(signs::data)),
        article,
    };
    let heading = beginning(data.article.title.as_deref().unwrap_or("Article"), 80);
    ask.page(Section::Stories, &heading, &data, || {
        draw(&ask, &data, explained.as_ref())
    })
}

/// Why there is no such article.
pub(crate) async fn missing(store: &Store, article: i64) -> Result<Problem, Problem> {
    Ok(match store.read_takedown(article).await? {
        Some(takedown) => Problem::TakenDown {
            article,
            takedown: takedown.event_id.unwrap_or_default(),
            at: takedown.at,
        },
        None => Problem::NotFound(format!("There is no article {article}.")),
    })
}

/// The blocks of an article's latest version.
pub(crate) async fn latest_blocks(store: &Store, article: i64) -> Result<Vec<BlockRow>, Problem> {
    let Some(row) = store.read_article(article).await? else {
        return Ok(Vec::new());
    };
    Ok(store.read_blocks(article, row.version, BLOCKS).await?)
}

fn draw(ask: &Ask, data: &Article, explained: Option<&Option<Explanation>>) -> Markup {
    let a = &data.article;
    let removed = data.blocks.iter().filter(|b| !b.kept).count();
    html! {
        h1 { (title(a.title.as_deref(), a.language.as_deref())) }
        p.about {
            "Article " (a.article_id) " in " a href={ "/stories/" (a.story_id) } { "story " (a.story_id) }
            " · " (site(a.site.as_deref()))
            @if let Some(time) = a.published_at { " · published " (published(time,
                a.published_offset_minutes)) }
            " · stored " (when_ago(a.ingested_at))
        }
        @if let Some(url) = &a.url { p { (link(url)) } }
        @for warning in a.warnings.iter().flatten() { span.tag.warn dir="auto" { (warning) } " " }
        h2 { "Text" }
        p.about {
            (counted(a.word_count, "word", "words")) " · "
            (counted(i64::try_from(removed).unwrap_or(i64::MAX), "block", "blocks"))
                " removed, folded where they stood"
        }
        (text(&data.blocks, a.language.as_deref(), Some(a.article_id)))
        p { a href={ "/articles/" (a.article_id) "/wrong" } { "Something is wrong here: write a report" } }
        h2 id="why" { "Why it is in this story" }
        p { (tie(a)) }
        @match explained {
            None => (signs::hidden()),
            Some(None) => {},
            Some(Some(found)) => (signs::draw(found)),
        }
        h2 { "Metadata" }
        (metadata(a))
        h2 { "Versions" }
        (versions(a.article_id, &data.versions))
        h2 { "Messages" }
        (sightings(&data.sightings))
        @if ask.can_write { (takedown_form(a.article_id)) }
    }
}

fn tie(a: &ArticleRow) -> Markup {
    html! {
        @match a.linked_to {
            None => { "It is the " (relation(&a.relation)) " of its story." },
            Some(to) => {
                (relation(&a.relation)) " of " a href={ "/articles/" (to) } { "article " (to) }
                @if let Some(similarity) = a.similarity { ", similarity " (format!("{similarity:.2}")) }
                @if let Some(shared) = a.shared_shingles { ", " (counted(shared, "shingle", "shingles"))
                    " of four words shared" }
                @if let Some(reason) = &a.link_reason { " (" (relation(reason)) ")" }
                " · " a href={ "/compare?a=" (to) "&b=" (a.article_id) } { "compare them word by word" }
            },
        }
        @if let Some(before) = a.replaces {
            " Its address was used before by " a href={ "/articles/" (before) } { "article " (before) } "."
        }
    }
}

/// A field, its value, where it came from.
struct Field<'a>(&'static str, Markup, Option<&'a str>);

fn metadata(a: &ArticleRow) -> Markup {
    let words = |name, value: &Option<String>, source| {
        value
            .as_deref()
            .map(|v| Field(name, html! { bdi dir="auto" { (v) } }, source))
    };
    let list = |name, values: &Option<Vec<String>>, source| {
        let values = values.as_deref().filter(|v| !v.is_empty())?;
        Some(Field(
            name,
            html! { @for (n, v) in values.iter().enumerate() { @if n > 0 { ", " } bdi dir="auto" { (v) } } },
            source,
        ))
    };
    let address =
        |name, value: &Option<String>, source| value.as_deref().map(|v| Field(name, link(v), source));
    let time = |name, value: Option<chrono::DateTime<chrono::Utc>>, source| {
        value.map(|t| Field(name, when(t), source))
    };
    let fields = [
        words("title", &a.title, a.title_source.as_deref()),
        words("dek", &a.dek, a.dek_source.as_deref()),
        list("authors", &a.authors, a.authors_source.as_deref()),
        a.published_at.map(|t| {
            Field(
                "published",
                published(t, a.published_offset_minutes),
                a.published_source.as_deref(),
            )
        }),
        time("modified", a.modified_at, a.modified_source.as_deref()),
        words("site", &a.site, a.site_source.as_deref()),
        words("site name", &a.site_name, a.site_name_source.as_deref()),
        address("address", &a.url, None),
        address(
            "canonical address",
            &a.canonical_url,
            a.canonical_url_source.as_deref(),
        ),
        words("language", &a.language, a.language_source.as_deref()),
        words("section", &a.section, a.section_source.as_deref()),
        list("tags", &a.tags, None),
        words("agency", &a.agency, a.agency_source.as_deref()),
        a.paywalled
            .map(|p| Field("paywalled", html! { @if p { "yes" } @else { "no" } }, None)),
        address("image", &a.image_url, a.image_url_source.as_deref()),
        list("warnings", &a.warnings, None),
        time("fetched", a.fetched_at, None),
        time("message", a.message_time, None),
        words("rules", &a.rules_version, None),
        a.fingerprint_version
            .map(|v| Field("fingerprint", html! { "recipe " (v) }, None)),
    ];
    let extra = a
        .extra
        .as_ref()
        .filter(|e| e.as_object().is_some_and(|o| !o.is_empty()));
    html! {
        table.facts { caption.hidden { "Fields and where each came from" }
            thead.hidden { tr { th scope="col" { "field" } th scope="col" { "value" } th scope="col" {
                "source" } } }
            tbody { @for Field(name, value, source) in fields.into_iter().flatten() {
                tr { th scope="row" { (name) } td { (value) } td.quiet {
                    (source.map(relation).unwrap_or_default()) } }
            } }
        }
        @if let Some(extra) = extra {
            details { summary { "Fields of the message that copydesk does not know" }
                pre dir="auto" { (serde_json::to_string_pretty(extra).unwrap_or_default()) }
            }
        }
    }
}

fn versions(article: i64, versions: &[VersionRow]) -> Markup {
    html! {
        ul { @for v in versions {
            li {
                "Version " (v.version) @if v.latest { " (shown above)" }
                @if let Some(time) = v.version_at { " · " (when(time)) }
                " · " (counted(v.word_count, "word", "words"))
                @if let Some(similarity) = v.version_similarity { " · similarity to the one before "
                    (format!("{similarity:.2}")) }
                @if v.cause.as_deref() == Some("rules") { " · the same message, cleaned by other rules" }
                @if v.version > 1 {
                    " · " a href={ "/articles/" (article) "/versions?from=" (v.version - 1) "&to="
                        (v.version) } { "what changed" }
                }
            }
        } }
    }
}

fn sightings(all: &[SightingRow]) -> Markup {
    html! {
        table.stack {
            caption.hidden { "Messages that it came with" }
            thead { tr { th scope="col" { "message" } th scope="col" { "what became of it" } th scope="col" {
                "sent" } th scope="col" { "stored" } } }
            tbody { @for s in all {
                tr {
                    td data-name="message" { code { (s.topic) "[" (s.partition) "]@" (s.offset) } }
                    td data-name="became" { (relation(&s.verdict)) ", version " (s.version) }
                    td data-name="sent" { @if let Some(time) = s.message_time { (when(time)) } @else { "–" } }
                    td data-name="stored" { (when(s.ingested_at)) }
                }
            } }
        }
        @if all.is_empty() { p { "A rewind took its messages back; they are to be read again." } }
    }
}

/// The address of an article's message in quarantine.
pub(crate) fn message_address(topic: &str, partition: i64, offset: i64) -> String {
    format!("/quarantine/{}/{partition}/{offset}", escaped(topic))
}
