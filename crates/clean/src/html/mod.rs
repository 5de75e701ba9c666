//! HTML: a page to blocks.

mod claims;
mod embedded;
pub(crate) mod page;
mod prose;
mod select;
pub(crate) mod tags;
mod votes;

use copydesk_article::{Metadata, Reason, Reject, Stage};
use dom_query::Document;

use crate::budget::Budget;
use crate::draft::Draft;
use crate::metadata;
use crate::rules::Rules;
use crate::text;
use page::{Page, PageError, read_page};
use select::Known;

/// What HTML mode found.
#[derive(Debug)]
pub(crate) struct HtmlResult {
    pub(crate) drafts: Vec<Draft>,
    pub(crate) warnings: Vec<String>,
}

/// Cleans a page.
pub(crate) fn clean_html(
    html: &str,
    metadata: &mut Metadata,
    rules: &Rules,
    budget: &Budget,
) -> Result<HtmlResult, Reject> {
    if html.len() > budget.max_html_bytes {
        return Err(reject(
            Reason::TooLarge,
            format!(
                "{} bytes of HTML, at most {} are cleaned",
                html.len(),
                budget.max_html_bytes
            ),
        ));
    }
    let doc = Document::from(html);
    let mut page = read_page(&doc, rules, budget.max_nodes, budget.max_depth).map_err(|e| match e {
        PageError::TooDeep(d) => reject(
            Reason::TooDeep,
            format!(
                "elements nested {d} deep, at most {} are cleaned",
                budget.max_depth
            ),
        ),
        PageError::TooManyNodes(n) => reject(
            Reason::TooManyNodes,
            format!("{n} nodes, at most {} are cleaned", budget.max_nodes),
        ),
    })?;
    let mut warnings = Vec::new();
    if words_of(&page) < FEWEST_WORDS
        && let Some(inner) = embedded::find(html)
    {
        let inner = Document::from(inner.as_str());
        if let Ok(found) = read_page(&inner, rules, budget.max_nodes, budget.max_depth) {
            page.elems = found.elems;
            page.blocks = found.blocks;
            warnings.push("article-in-script".to_owned());
        }
    }
    metadata::page_metadata(metadata, &page.facts);
    let title = metadata.title.as_ref().map(|t| t.value.clone());
    let dek = metadata.dek.as_ref().map(|t| t.value.clone());
    let known = Known {
        title: title.as_deref(),
        dek: dek.as_deref(),
    };
    let region = select::select(&mut page, known, rules);
    if let Some(stated) = metadata::stated_body(&page.facts) {
        votes::follow_stated(&mut page.blocks, &stated);
    }
    let Page { elems, blocks, facts } = page;
    let first = elems.get(region.elem).map_or(0, |e| e.first_block);
    let mut drafts: Vec<Draft> = blocks.into_iter().map(|b| b.draft).collect();
    let mut head = text::Head::default();
    text::settle(&mut drafts, rules, &mut head);
    let from = region.headline.unwrap_or(first).min(first).saturating_sub(8);
    let prose = drafts
        .iter()
        .enumerate()
        .skip(first)
        .find(|(_, d)| d.is_kept() && d.kind.is_body() && d.is_prose())
        .map_or(first, |(i, _)| i);
    text::scan(drafts.iter().take(prose + 1).skip(from), rules, &mut head);
    let place = metadata::Place {
        from,
        to: prose.max(region.headline.unwrap_or(0)) + 6,
        near: drafts.iter().take(prose + 2).skip(from).collect(),
        head: &head.authors,
    };
    metadata::placed_metadata(metadata, &facts, html, &place);
    Ok(HtmlResult { drafts, warnings })
}

/// A page with fewer words of text than this draws its article in the browser.
const FEWEST_WORDS: usize = 60;

fn words_of(page: &Page) -> usize {
    page.blocks
        .iter()
        .filter(|b| b.draft.is_prose())
        .map(|b| b.draft.words)
        .sum()
}

fn reject(reason: Reason, detail: String) -> Reject {
    Reject::new(Stage::Clean, reason, detail)
}
