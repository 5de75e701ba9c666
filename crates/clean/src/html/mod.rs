//! HTML: a page to blocks.

mod attach;
mod claims;
mod code;
mod embedded;
mod inner;
mod lead;
mod line;
mod linked;
pub(crate) mod page;
pub(crate) mod parse;
mod pictures;
mod prose;
mod scripts;
mod select;
pub(crate) mod tags;
mod talk;
mod votes;
mod weigh;

use chrono::{DateTime, Utc};
use copydesk_article::{Metadata, Reason, Reject, Stage};

use crate::budget::{Budget, Clock};
use crate::draft::Draft;
use crate::metadata;
use crate::rules::{Position, Rules};
use crate::text;
use page::{Page, read_page};
use parse::{ATTRIBUTES_PER_NODE, Limits, Over, parse};
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
    seen_at: Option<DateTime<Utc>>,
    rules: &Rules,
    budget: &Budget,
    clock: &Clock,
) -> Result<HtmlResult, Reject> {
    if html.len() > budget.max_html_bytes {
        let most = budget.max_html_bytes;
        let detail = format!("{} bytes of HTML, at most {most} are cleaned", html.len());
        return Err(Reject::new(Stage::Clean, Reason::TooLarge, detail));
    }
    let opened = embedded::open_shadow_roots(html);
    let html = opened.as_ref();
    let mut page = read(html, rules, budget, clock).map_err(|over| refuse(over, budget))?;
    let mut warnings = Vec::new();
    if words_of(&page) < FEWEST_WORDS
        && let Some(inner) =
            embedded::find(html, clock).or_else(|| scripts::find(html, &page.facts, words_of(&page)))
        && let Ok(found) = read(&inner, rules, budget, clock)
    {
        page.elems = found.elems;
        page.blocks = found.blocks;
        page.images = found.images;
        warnings.push("article-in-script".to_owned());
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
    let Page {
        elems,
        blocks,
        images,
        facts,
    } = page;
    let (first, behind) = elems
        .get(region.elem)
        .map_or((0, 0), |e| (e.first_block, e.end_block));
    let mut marked = Vec::with_capacity(blocks.len());
    let mut drafts: Vec<Draft> = Vec::with_capacity(blocks.len());
    for block in blocks {
        marked.push((block.tag, block.links));
        drafts.push(block.draft);
    }
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
        headline: region.headline.unwrap_or(from),
        prose: prose.max(region.headline.unwrap_or(0)),
        blocks: &drafts,
        head: &head.authors,
        head_says_by: head.says_by,
        others_from: others_from(&drafts, rules),
        latest: seen_at.map(|t| t.date_naive()),
    };
    warnings.extend(metadata::placed_metadata(metadata, &facts, html, &place));
    let base = attach::base(facts.base.as_deref(), metadata.url.as_deref());
    for (draft, (tag, links)) in drafts.iter_mut().zip(marked) {
        attach::mark_up(draft, tag, links, base.as_ref());
    }
    let within = region.headline.unwrap_or(first).min(first)..behind + 1;
    attach::place_images(&mut drafts, images, &elems, within, base.as_ref());
    Ok(HtmlResult { drafts, warnings })
}

/// The longest heading of comments or of other stories, in characters.
const LONGEST_HEADING: usize = 60;

/// The first heading behind the text that says that comments or other stories follow; the number of blocks, if none does.
fn others_from(drafts: &[Draft], rules: &Rules) -> usize {
    let last = drafts.iter().rposition(|d| d.is_kept() && d.kind.is_body());
    let heads = |d: &Draft| {
        let hit = d.rule(rules, Position::Tail);
        hit.is_some_and(|h| h.is_cut() && matches!(h.rule.id.as_str(), "comments" | "related-marker"))
    };
    let behind = drafts.iter().enumerate().skip(last.map_or(0, |i| i + 1));
    let mut short = behind.filter(|(_, d)| d.chars <= LONGEST_HEADING);
    short.find(|(_, d)| heads(d)).map_or(drafts.len(), |(i, _)| i)
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

/// Parses and reads a page. Parsing may take half of the time, so that what comes after it has as much.
fn read(html: &str, rules: &Rules, budget: &Budget, clock: &Clock) -> Result<Page, Over> {
    let limits = Limits {
        nodes: budget.max_nodes,
        depth: budget.max_depth,
    };
    let doc = parse(html, limits, &clock.half())?;
    read_page(&doc, rules, budget.max_depth, clock)
}

fn refuse(over: Over, budget: &Budget) -> Reject {
    let (reason, detail) = match over {
        Over::Nodes(n) => (
            Reason::TooManyNodes,
            format!("{n} nodes, at most {} are cleaned", budget.max_nodes),
        ),
        Over::Attributes(n) => (
            Reason::TooManyNodes,
            format!(
                "{n} attributes, at most {} are cleaned",
                ATTRIBUTES_PER_NODE * budget.max_nodes
            ),
        ),
        Over::Depth(n) => (
            Reason::TooDeep,
            format!(
                "{n} elements within each other or left open, at most {} are cleaned",
                budget.max_depth
            ),
        ),
        Over::Time => (
            Reason::TooSlow,
            format!(
                "parsing took more than {:?} of CPU time, or all of it more than {:?}",
                budget.cpu_time / 2,
                budget.cpu_time
            ),
        ),
    };
    Reject::new(Stage::Clean, reason, detail)
}
