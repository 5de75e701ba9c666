//! "This is wrong": a file that shows the maintainers what went in, what came out and which versions did it.
//!
//! Nothing is sent anywhere: the file is saved by whoever asks for it, and says that it holds the article's text.

use std::sync::Arc;

use copydesk_article::ArticleId;
use copydesk_store::Store;
use copydesk_store::reads::{ArticleRow, BlockRow};
use copydesk_worker::CleanedAlone;
use maud::{Markup, html};
use serde::Serialize;
use serde_json::{Value, json};

use super::article::{latest_blocks, missing};
use super::{clean, signs};
use crate::answer::Page;
use crate::app::{App, permitted};
use crate::ask::Ask;
use crate::layout::Section;
use crate::problem::Problem;
use crate::text::{beginning, relation, title};

/// What a report is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum About {
    /// The block at this place was removed, or kept.
    Block(i64),
    /// The article was linked to this one, or was not.
    Link(i64),
    /// Something else: a field of the metadata, most likely.
    Article,
}

/// Messages that are named.
const MESSAGES: u32 = 50;
/// Characters of a remark.
const LONGEST_NOTE: usize = 2_000;
/// Blocks that the form offers.
const OFFERED: usize = 500;

fn about(ask: &Ask) -> Result<About, Problem> {
    Ok(match (ask.parsed("block")?, ask.parsed("link")?) {
        (Some(block), None) => About::Block(block),
        (None, Some(article)) => About::Link(article),
        (None, None) => About::Article,
        (Some(_), Some(_)) => {
            return Err(Problem::Bad("Name a block or a link, not both.".to_owned()));
        }
    })
}

async fn article_of(store: &Store, id: i64) -> Result<ArticleRow, Problem> {
    match store.read_article(id).await? {
        Some(article) => Ok(article),
        None => Err(missing(store, id).await?),
    }
}

/// The article, its blocks, and what of it the request names.
async fn named_by(store: &Store, ask: &Ask, id: i64) -> Result<(ArticleRow, Vec<BlockRow>, About), Problem> {
    let (article, about) = (article_of(store, id).await?, about(ask)?);
    let blocks = latest_blocks(store, id).await?;
    if let About::Block(place) = about {
        block_at(&blocks, place)?;
    }
    Ok((article, blocks, about))
}

/// The form: which block or link, and what is wrong about it.
pub(crate) async fn ask_for(app: Arc<App>, ask: Ask) -> Result<Page, Problem> {
    let id = ask.number("article")?;
    let (article, blocks, about) = named_by(app.reads().await?, &ask, id).await?;
    let data = json!({"article_id": id, "about": about, "report": format!("/articles/{id}/report")});
    ask.page(Section::Stories, "This is wrong", &data, || {
        html! {
            h1 { "This is wrong" }
            p { "A report for the maintainers of copydesk about "
                a href={ "/articles/" (id) } { (title(article.title.as_deref(), article.language.as_deref())) }
                ". It is a file that you save; nothing is sent." }
            form method="get" action={ "/articles/" (id) "/report" } {
                (choice(about, &blocks))
                p { label { "What is wrong, and what would be right "
                    textarea name="note" rows="4" maxlength=(LONGEST_NOTE) dir="auto" {} } }
                p { button { "Save the report" } }
            }
            p.quiet { "The file holds the whole text of the article, its metadata, the evidence of the \
                decision and the \
                versions of program and rules. See whether you may pass that on." }
        }
    })
}

fn choice(about: About, blocks: &[BlockRow]) -> Markup {
    html! {
        @match about {
            About::Link(other) => {
                input type="hidden" name="link" value=(other);
                p { "About: the link, or the lack of one, to " a href={ "/articles/" (other) } { "article " (other) } "." }
            },
            about => p { label { "About "
                select name="block" {
                    option value="" selected[about == About::Article] { "the article as a whole, or its metadata" }
                    @for block in blocks.iter().take(OFFERED) {
                        option value=(block.position) selected[about == About::Block(block.position)] {
                            (named(block))
                        }
                    }
                } } },
        }
    }
}

fn named(block: &BlockRow) -> String {
    let kept = match &block.rule {
        None => format!("kept as {}", relation(&block.kind)),
        Some(rule) => format!("removed: {rule}"),
    };
    let words = beginning(block.text.as_deref().unwrap_or_default(), 50);
    format!("{} ({kept}): {words}", block.position)
}

fn block_at(blocks: &[BlockRow], place: i64) -> Result<&BlockRow, Problem> {
    blocks
        .iter()
        .find(|b| b.position == place)
        .ok_or_else(|| Problem::NotFound(format!("The article has no block {place}.")))
}

fn note(value: Option<&str>) -> String {
    value.unwrap_or_default().chars().take(LONGEST_NOTE).collect()
}

/// The file about an article.
pub(crate) async fn of_article(app: Arc<App>, ask: Ask) -> Result<Page, Problem> {
    let id = ask.number("article")?;
    let store = app.reads().await?;
    let (article, blocks, about) = named_by(store, &ask, id).await?;
    let explained = permitted(app.looks_deeper().await?.explain(ArticleId(id)).await)?;
    let linked = match about {
        About::Link(other) => {
            json!({"article": article_of(store, other).await?, "blocks": latest_blocks(store, other).await?})
        }
        _ => Value::Null,
    };
    let rule_version = explained
        .as_ref()
        .and_then(|e| e.as_ref().and_then(|e| e.rule_version));
    let report = json!({
        "report": "copydesk: a wrong decision",
        "about": about,
        "note": note(ask.get("note")),
        "versions": {
            "copydesk": env!("CARGO_PKG_VERSION"), "rules": article.rules_version,
            "fingerprint": article.fingerprint_version, "link_rule": rule_version,
            "common_shingles": article.common_version,
        },
        "input": {
            "what": "The page itself is on the topic, for as long as that keeps it. The blocks below are all \
                that was read of it, in \
                its order.",
            "messages": store.read_sightings(id, MESSAGES).await?,
            "blocks": blocks.iter().map(|b| &b.text).collect::<Vec<_>>(),
        },
        "output": {"article": article, "blocks": blocks},
        "decision": explained.as_ref().and_then(|e| e.as_ref().map(signs::data)),
        "linked": linked,
    });
    file(&format!("copydesk-report-article-{id}.json"), &report)
}

/// The file about a page that was pasted into the form.
pub(crate) async fn of_page(app: Arc<App>, ask: Ask) -> Result<Page, Problem> {
    let Some(page) = ask.field("page") else {
        return Err(Problem::Bad("page: it is missing".to_owned()));
    };
    let (kind, url) = (ask.field("kind"), ask.field("url"));
    let outcome = clean::try_one(&app, clean::message(page, kind, url)).await?;
    let rules = match &outcome {
        CleanedAlone::Article(article) => Some(article.rules_version.clone()),
        _ => None,
    };
    let report = json!({
        "report": "copydesk: a wrong decision",
        "about": "page",
        "note": note(ask.field("note")),
        "versions": {"copydesk": env!("CARGO_PKG_VERSION"), "rules": rules},
        "input": {"page": page, "kind": kind, "url": url},
        "output": outcome,
    });
    file("copydesk-report-page.json", &report)
}

fn file(name: &str, report: &Value) -> Result<Page, Problem> {
    let text = serde_json::to_string_pretty(report).map_err(|e| Problem::Failed(e.to_string()))?;
    Ok(Page::File(name.to_owned(), text))
}

/// The form below a page that was cleaned on the spot: the page goes along, for the console keeps nothing.
pub(crate) fn form_for_page(ask: &Ask, page: &str) -> Markup {
    html! {
        details {
            summary { "Something is wrong here: write a report" }
            form method="post" action="/clean/report" {
                input type="hidden" name="page" value=(page);
                @for name in ["kind", "url"] { @if let Some(value) = ask.field(name) {
                    input type="hidden" name=(name) value=(value);
                } }
                p { label { "What is wrong, and what would be right "
                    textarea name="note" rows="4" maxlength=(LONGEST_NOTE) dir="auto" {} } }
                p { button { "Save the report" } }
            }
            p.quiet { "The file holds the page and what came of it. It is saved by your browser; nothing is sent." }
        }
    }
}
