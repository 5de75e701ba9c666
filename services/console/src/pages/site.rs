//! A site: what it repeats, what people said about it, what cleaning took there.

use std::sync::Arc;

use copydesk_store::reads::{OverrideRow, RemovedRule};
use copydesk_store::{SiteMemoryBlock, SiteOverride, SiteOverview};
use maud::{Markup, html};
use serde::Serialize;
use serde_json::{Value, json};

use crate::answer::Page;
use crate::app::{App, permitted};
use crate::ask::{Ask, address};
use crate::changes::site::buttons;
use crate::layout::Section;
use crate::problem::Problem;
use crate::text::{beginning, number, when};

/// Articles of the site that are looked at.
const ARTICLES: u32 = 100;
/// Blocks that it repeats, and what people said, that are shown.
const SHOWN: u32 = 100;

#[derive(Serialize)]
struct Site {
    site: String,
    /// Null: this login may not see site memory.
    repeats: Option<Value>,
    said: Vec<OverrideRow>,
    removed: Vec<RemovedRule>,
}

pub(crate) async fn show(app: Arc<App>, ask: Ask) -> Result<Page, Problem> {
    let name = ask.part("site").to_owned();
    let store = app.reads().await?;
    let removed = store.read_removed(&name, ARTICLES).await?;
    let said = store.read_overrides(&name, SHOWN).await?;
    let known = store.read_sites(&name, false, 1, 1).await?;
    if said.is_empty() && known.first().is_none_or(|s| s.site != name) {
        return Err(Problem::NotFound(format!("No article is of the site {name:?}.")));
    }
    let overview = permitted(
        app.looks_deeper()
            .await?
            .site_overview(&name, ARTICLES.into())
            .await,
    )?;
    let data = Site {
        repeats: overview.as_ref().map(|o| o.as_ref().map_or(Value::Null, as_json)),
        site: name,
        said,
        removed,
    };
    ask.page(Section::Sites, &data.site, &data, || {
        draw(&ask, &data, overview.as_ref())
    })
}

fn as_json(overview: &SiteOverview) -> Value {
    let blocks: Vec<Value> = overview
        .blocks
        .iter()
        .take(SHOWN as usize)
        .map(|b| {
            json!({
                "block": b.block.to_string(), "articles": b.articles, "removed_by_memory":
                    b.removed_by_memory,
                "zones": zones(b), "syndicated": b.syndicated, "said": b.decision.map(SiteOverride::as_str), "sample": b.sample,
            })
        })
        .collect();
    json!({"articles": overview.articles, "blocks": blocks})
}

fn zones(block: &SiteMemoryBlock) -> Vec<String> {
    block
        .zones
        .iter()
        .map(|(zone, n)| format!("{} {n}", zone.as_str()))
        .collect()
}

fn draw(ask: &Ask, data: &Site, overview: Option<&Option<SiteOverview>>) -> Markup {
    html! {
        h1 dir="auto" { (data.site) }
        p.about {
            a href=(address("/stories", &[("site", &data.site)])) { "its stories" } " · "
            a href=(address("/flow", &[("site", &data.site)])) { "its flow" } " · "
            a href="/clean" { "clean a page of it" }
        }
        h2 { "What it repeats" }
        @match overview {
            None => p.quiet { "What a site repeats is evidence that this login may not read. Set \
                console.write_url to a login with copydesk_writer, or ask "
                code { "copydesk site show " (data.site) } "." },
            Some(None) => p { "Nothing is known of it yet." },
            Some(Some(overview)) => (repeats(ask, &data.site, overview)),
        }
        h2 { "What people said" }
        @if data.said.is_empty() { p { "Nothing: no block is pinned or forgotten." } }
        @for s in &data.said { (said(s)) }
        h2 { "What cleaning took" }
        p.about { "In the " (ARTICLES) " articles that were published last, by rule" }
        @if data.removed.is_empty() { p { "Nothing." } } @else { (removed(&data.removed)) }
    }
}

fn repeats(ask: &Ask, site: &str, overview: &SiteOverview) -> Markup {
    html! {
        p.about { "Blocks that at least two of its last " (overview.articles) " articles show" }
        @if overview.blocks.is_empty() { p { "None." } }
        table.stack {
            caption.hidden { "Blocks that the site repeats" }
            thead { tr { th scope="col" { "block" } th scope="col" { "articles" } th scope="col" { "where" }
                th scope="col" { "text" } @if ask.can_write { th scope="col" { "say" } } } }
            tbody { @for b in overview.blocks.iter().take(SHOWN as usize) { tr {
                td data-name="block" { code { (b.block) } }
                td.number data-name="articles" { (b.articles) @if b.removed_by_memory > 0 { ", taken out of "
                    (b.removed_by_memory) } }
                td data-name="where" { (zones(b).join(", ")) @if b.syndicated { " · syndicated, stays"
                    } @if let Some(decision) = b.decision { " · " strong { (decision.as_str()) } } }
                td data-name="text" dir="auto" { (beginning(&b.sample, 200)) }
                @if ask.can_write { td { (buttons(site, b.block, b.decision.map(SiteOverride::as_str))) } }
            } } }
        }
    }
}

fn said(s: &OverrideRow) -> Markup {
    html! {
        p {
            strong { (s.decision) } " " code { (s.block) } " "
            bdi { (beginning(s.sample.as_deref().unwrap_or_default(), 200)) }
            span.quiet {
                " · " bdi { (s.decided_by.as_deref().unwrap_or("–")) } ", " (when(s.decided_at))
                @if let Some(why) = s.why.as_deref().filter(|w| !w.is_empty()) { " · " bdi { (why) } }
            }
        }
    }
}

fn removed(rules: &[RemovedRule]) -> Markup {
    html! {
        table.stack {
            caption.hidden { "Blocks removed, by rule" }
            thead { tr { th scope="col" { "rule" } th scope="col" { "blocks" } th scope="col" { "articles" }
                th scope="col" { "for example" } } }
            tbody { @for r in rules { tr {
                td data-name="rule" { (r.rule) }
                td.number data-name="blocks" { (number(r.blocks)) }
                td.number data-name="articles" { (number(r.articles)) }
                td data-name="for example" dir="auto" { (beginning(r.sample.as_deref().unwrap_or_default(),
                    120)) " " a href={ "/articles/" (r.article_id) } { (r.article_id) } }
            } } }
        }
    }
}
