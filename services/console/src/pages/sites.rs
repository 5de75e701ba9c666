//! The list of sites.

use std::sync::Arc;

use copydesk_store::reads::SiteRow;
use maud::{Markup, html};
use serde::Serialize;

use super::ROWS;
use crate::answer::Page;
use crate::app::App;
use crate::ask::Ask;
use crate::layout::Section;
use crate::problem::Problem;
use crate::text::{number, site, when_ago};

/// Articles of a site that are counted.
const COUNTED: u32 = 200;

#[derive(Serialize)]
struct Sites {
    sites: Vec<SiteRow>,
    /// Articles of a site are counted no further.
    counted_up_to: u32,
    next: Option<String>,
}

pub(crate) async fn show(app: Arc<App>, ask: Ask) -> Result<Page, Problem> {
    let after = ask.get("after");
    let from = after.or_else(|| ask.get("from")).unwrap_or_default();
    let sites = app
        .reads()
        .await?
        .read_sites(from, after.is_some(), COUNTED, ROWS)
        .await?;
    let next = sites
        .last()
        .filter(|_| sites.len() >= ROWS as usize)
        .map(|last| ask.with(&[("after", &last.site)]));
    let data = Sites {
        sites,
        counted_up_to: COUNTED,
        next,
    };
    ask.page(Section::Sites, "Sites", &data, || draw(&ask, &data))
}

fn draw(ask: &Ask, data: &Sites) -> Markup {
    html! {
        h1 { "Sites" }
        form.filters method="get" action="/sites" {
            label { "From " input name="from" value=(ask.get("from").unwrap_or_default()) size="24"
                placeholder="news.example"; }
            button { "Show" }
        }
        @if data.sites.is_empty() { p { "No site comes after that name." } }
        @else { table.stack {
            caption.hidden { "Sites in alphabetical order" }
            thead { tr { th scope="col" { "site" } th scope="col" { "articles" } th scope="col" {
                "last published" } } }
            tbody { @for s in &data.sites { tr {
                td data-name="site" { (site(Some(&s.site))) }
                td.number data-name="articles" { (number(s.articles)) @if s.articles >= i64::from(COUNTED) {
                    " or more" } }
                td data-name="last published" { @if let Some(time) = s.last_published_at { (when_ago(time)) }
                    @else { "–" } }
            } } }
        } }
        @if let Some(next) = &data.next { p { a.next href=(next) rel="next" { "Next page" } } }
    }
}
