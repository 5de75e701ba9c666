//! HTML: a page to blocks.

pub(crate) mod engine;
pub(crate) mod page;
pub(crate) mod tags;
mod votes;

use copydesk_article::{BlockKind, Reason, Reject, RuleId, Stage};
use dom_query::Document;

use crate::budget::{Budget, Clock};
use crate::draft::Draft;
use crate::metadata::facts::Facts;
use crate::rules::Rules;
use crate::text;
use engine::{Engine, Outcome, Smoothie, Trafilatura};
use page::{PageError, read_page};
use votes::Voter;

const OUTSIDE_ARTICLE: RuleId = RuleId::of("outside-article");

/// What HTML mode found.
#[derive(Debug)]
pub(crate) struct HtmlResult {
    pub(crate) drafts: Vec<Draft>,
    pub(crate) facts: Facts,
    pub(crate) warnings: Vec<String>,
}

/// Cleans a page.
pub(crate) fn clean_html(
    html: &str,
    title: Option<&str>,
    rules: &Rules,
    budget: &Budget,
) -> Result<HtmlResult, Reject> {
    let clock = Clock::start(budget.cpu_time);
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
    let page = read_page(&doc, budget.max_nodes, budget.max_depth).map_err(|e| match e {
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
    let mut voters = Vec::new();
    for engine in [&Trafilatura as &dyn Engine, &Smoothie] {
        if !voters.is_empty() {
            continue;
        }
        if clock.is_over() {
            warnings.push("engine-budget".to_owned());
            break;
        }
        match engine::run(engine, html) {
            Outcome::Text(text) => voters.push(Voter::new(&text)),
            Outcome::Nothing => {}
            Outcome::Panicked => warnings.push(format!("engine-panic-{}", engine.name())),
        }
    }
    let mut drafts = Vec::with_capacity(page.blocks.len());
    for block in page.blocks {
        let mut draft = block.draft;
        let kept = voters.first().is_none_or(|v| v.share(&draft.text) >= 0.6);
        if !kept && draft.kind != BlockKind::Caption {
            draft.remove(&OUTSIDE_ARTICLE, None);
        }
        drafts.push(draft);
    }
    text::settle_captions(&mut drafts, rules);
    let _ = text::read_head(&mut drafts, title, rules);
    text::apply_rules(&mut drafts, rules);
    text::remove_repeats(&mut drafts);
    Ok(HtmlResult {
        drafts,
        facts: page.facts,
        warnings,
    })
}

fn reject(reason: Reason, detail: String) -> Reject {
    Reject::new(Stage::Clean, reason, detail)
}
