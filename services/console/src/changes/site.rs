//! Pins and forgets: what a person says about a block of a site.

use std::sync::Arc;

use copydesk_site::BlockKey;
use copydesk_store::{SiteBlock, SiteOverride};
use maud::{Markup, html};
use serde_json::json;

use super::{ask_once, is_sure, record, why};
use crate::answer::Page;
use crate::app::App;
use crate::ask::{Ask, escaped};
use crate::layout::Section;
use crate::problem::Problem;
use crate::text::beginning;

/// Blocks of the site in which the text of the named one is looked for.
const LOOKED_AT: i64 = 200;

pub(crate) async fn say(app: Arc<App>, ask: Ask) -> Result<Page, Problem> {
    let store = app.writes().await?;
    let site = ask.part("site").to_owned();
    if site.contains('\0') {
        return Err(Problem::NotFound(format!("No article is of the site {site:?}.")));
    }
    let named = ask.field("block").unwrap_or_default().to_owned();
    let block = u32::from_str_radix(&named, 16)
        .ok()
        .filter(|_| named.len() == 8)
        .map(BlockKey)
        .ok_or_else(|| Problem::Bad(format!("block: {named:?} is not eight hexadecimal digits")))?;
    let what = ask.field("what").unwrap_or_default().to_owned();
    let decision = match what.as_str() {
        "clear" => None,
        name => Some(
            SiteOverride::from_name(name)
                .ok_or_else(|| Problem::Bad("what: say pin, forget or clear".to_owned()))?,
        ),
    };
    let sample = store
        .site_overview(&site, LOOKED_AT)
        .await?
        .and_then(|o| o.blocks.into_iter().find(|b| b.block == block))
        .map(|b| b.sample);
    if !is_sure(&ask) {
        return ask_once(
            &ask,
            Section::Sites,
            "Say that about the block?",
            &would(decision, sample.as_deref(), &named),
            "Say it",
        );
    }
    match decision {
        Some(decision) => {
            let said = SiteBlock {
                site: site.clone(),
                block,
                decision,
                sample,
                why: why(&ask),
            };
            store.set_overrides(&[said], &ask.user).await?;
        }
        None => {
            store.clear_override(&site, block).await?;
        }
    }
    record(&ask, &what, &format!("block {named} of {site}"));
    ask.changed(
        &json!({"done": true, "block": named, "what": what}),
        format!("/sites/{}", escaped(&site)),
    )
}

fn would(decision: Option<SiteOverride>, sample: Option<&str>, block: &str) -> Markup {
    html! {
        p {
            @match decision {
                Some(SiteOverride::Pin) => "This block would never be the article, on any page of the site:",
                Some(SiteOverride::Forget) => "This block would stay in the article, whoever shows it:",
                None => "What was said about this block would be taken back:",
            }
        }
        blockquote dir="auto" { (sample.map_or_else(|| block.to_owned(), |s| beginning(s, 500))) }
        p.quiet { "It counts from the next flush on; " code { "copydesk site reclean" }
            " applies it to stored articles." }
    }
}

/// The buttons beside a block.
pub(crate) fn buttons(site: &str, block: BlockKey, said: Option<&str>) -> Markup {
    html! {
        form.inline method="post" action={ "/sites/" (escaped(site)) "/say" } {
            input type="hidden" name="block" value=(block);
            @if said != Some("pin") { button name="what" value="pin" { "Pin…" } }
            @if said != Some("forget") { button name="what" value="forget" { "Forget…" } }
            @if said.is_some() { button name="what" value="clear" { "Clear…" } }
        }
    }
}
