//! The decision: which blocks of an article are its site's own.

use std::collections::HashSet;

use copydesk_article::{ArticleId, Block, CleanArticle};

use crate::blocks::stays;
use crate::counting::{Group, Shown, others};
use crate::decision::{Decision, Found, Guard, Spared, Why};
use crate::inputs::{Sibling, Subject};
use crate::key::{BlockKey, BlockKeys};
use crate::params::{Instructions, Params};
use crate::prose::{is_label, is_prose, words};

/// A block of the article, measured.
struct Paragraph<'a> {
    block: &'a Block,
    key: BlockKey,
    short: bool,
}

/// Decides on one article, as the rules left it. Pure: the order of `siblings` does not matter.
pub fn decide(
    article: &CleanArticle,
    subject: &Subject<'_>,
    siblings: &[Sibling<'_>],
    instructions: &Instructions<'_>,
    params: &Params,
) -> Decision {
    let keys = BlockKeys::of(article);
    decide_keyed(article, &keys, subject, siblings, instructions, params)
}

/// [`decide`], with the keys of the article's blocks computed already.
pub fn decide_keyed(
    article: &CleanArticle,
    keys: &BlockKeys,
    subject: &Subject<'_>,
    siblings: &[Sibling<'_>],
    instructions: &Instructions<'_>,
    params: &Params,
) -> Decision {
    let own = own_text(article, keys);
    let groups = others(subject, &own, siblings, params);
    let needed = if groups.len() < params.min_siblings {
        1
    } else {
        params.repeats
    };
    let mut decision = Decision {
        stories: groups.len(),
        ..Decision::default()
    };
    // Every block that the site repeats, the removed ones as well: they are the frame of lists that change.
    let mut repeated: HashSet<usize> = HashSet::new();
    let found = repeats(article, keys, &groups, needed, instructions, params);
    if found.is_empty() {
        return decision;
    }
    let longest = longest(article);
    for (position, key, why) in found {
        repeated.insert(position);
        if !article.blocks.get(position).is_some_and(may_go) {
            continue;
        }
        let guard = match why {
            _ if Some(position) == longest => Some(Guard::LongestProse),
            Why::Pinned => None,
            _ if has(instructions.forgotten, key) => Some(Guard::Forgotten),
            _ if has(instructions.protected, key) => Some(Guard::Protected),
            _ => None,
        };
        match guard {
            None => decision.removed.push(Found {
                position,
                key: Some(key),
                why,
            }),
            Some(guard) => {
                repeated.remove(&position);
                decision.spared.push(Spared { position, key, guard });
            }
        }
    }
    spare_prose(article, &mut decision, params);
    if !repeated.is_empty() {
        add_lists(
            article,
            keys,
            &repeated,
            instructions,
            longest,
            &mut decision,
            params,
        );
    }
    decision
}

/// The blocks that the rules left, ascending and distinct: as [`crate::PageBlocks`] has them of other articles.
fn own_text(article: &CleanArticle, keys: &BlockKeys) -> Vec<BlockKey> {
    let kept = article.blocks.iter().enumerate().filter(|(_, b)| stays(b));
    let mut own: Vec<BlockKey> = kept
        .filter_map(|(position, _)| Some(keys.get(position)?.0))
        .collect();
    own.sort_unstable();
    own.dedup();
    own
}

fn has(ascending: &[BlockKey], key: BlockKey) -> bool {
    ascending.binary_search(&key).is_ok()
}

/// The blocks that the site repeats, in order.
fn repeats(
    article: &CleanArticle,
    keys: &BlockKeys,
    groups: &[Group<'_>],
    needed: usize,
    instructions: &Instructions<'_>,
    params: &Params,
) -> Vec<(usize, BlockKey, Why)> {
    let mut found = Vec::new();
    if groups.len() < needed && instructions.pinned.is_empty() {
        return found;
    }
    let shown = Shown::by(groups);
    // Short ones that are known from bodies only, since the last block that is not repeated, and the length
    // of that run.
    let (mut doubtful, mut run) = (Vec::new(), 0_usize);
    for (position, block) in article.blocks.iter().enumerate() {
        let Some((key, short)) = keys.get(position) else {
            continue;
        };
        let p = Paragraph { block, key, short };
        let why = if shown.maybe(key) || has(instructions.pinned, key) {
            why(&p, groups, needed, instructions)
        } else {
            None
        };
        match why {
            None => {
                doubtful.clear();
                run = 0;
                continue;
            }
            Some((why, true)) => found.push((position, key, why)),
            Some((why, false)) => doubtful.push((position, key, why)),
        }
        run += 1;
        if run >= params.menu {
            found.append(&mut doubtful);
        }
    }
    found.sort_by_key(|(position, ..)| *position);
    found
}

/// Why a block would go, and whether that is enough. It is not for a short word of the article ("Why?",
/// "No.") that stands in two interviews: it counts where rules removed it, or in a row of such blocks, which
/// is a menu.
fn why(
    p: &Paragraph<'_>,
    groups: &[Group<'_>],
    needed: usize,
    instructions: &Instructions<'_>,
) -> Option<(Why, bool)> {
    if has(instructions.pinned, p.key) {
        return Some((Why::Pinned, true));
    }
    let shown = |short: bool| {
        let mut by: Vec<ArticleId> = groups.iter().filter_map(|g| g.shows(p.key, short)).collect();
        by.sort_unstable();
        (!by.is_empty() && by.len() >= needed).then_some(Why::Shown { by, of: groups.len() })
    };
    let short = p.short && may_go(p.block);
    match shown(short) {
        None if short => shown(false).map(|why| (why, false)),
        found => found.map(|why| (why, true)),
    }
}

/// Site memory takes paragraphs out of the body; captions, headlines and deks have columns of their own.
fn may_go(block: &Block) -> bool {
    block.is_kept() && block.kind.is_body()
}

/// The longest paragraph, in characters; of equal ones the first.
fn longest(article: &CleanArticle) -> Option<usize> {
    article
        .blocks
        .iter()
        .enumerate()
        .filter(|(_, b)| may_go(b))
        .max_by_key(|(position, b)| (b.text.chars().count(), std::cmp::Reverse(*position)))
        .map(|(position, _)| position)
}

/// If too much would go, paragraphs of prose stay.
fn spare_prose(article: &CleanArticle, decision: &mut Decision, params: &Params) {
    if decision.removed.is_empty() {
        return;
    }
    let words = |position: usize| article.blocks.get(position).map_or(0, |b| words(&b.text));
    let all: usize = article
        .blocks
        .iter()
        .filter(|b| may_go(b))
        .map(|b| crate::prose::words(&b.text))
        .sum();
    let go: usize = decision.removed.iter().map(|f| words(f.position)).sum();
    if go as f64 <= all as f64 * params.most_words {
        return;
    }
    let (removed, spared) = decision.removed.drain(..).partition(|f| {
        f.why == Why::Pinned || article.blocks.get(f.position).is_some_and(|b| !is_prose(&b.text))
    });
    decision.removed = removed;
    decision.spared.extend(spared.into_iter().filter_map(|f: Found| {
        Some(Spared {
            position: f.position,
            key: f.key?,
            guard: Guard::TooMuch,
        })
    }));
    decision.spared.sort_by_key(|s| s.position);
}

/// Labels among blocks that the site repeats: headlines of other articles, which change from page to page.
fn add_lists(
    article: &CleanArticle,
    keys: &BlockKeys,
    repeated: &HashSet<usize>,
    instructions: &Instructions<'_>,
    longest: Option<usize>,
    decision: &mut Decision,
    params: &Params,
) {
    let mut found = Vec::new();
    for (position, block) in article.blocks.iter().enumerate() {
        if !may_go(block)
            || repeated.contains(&position)
            || Some(position) == longest
            || !is_label(&block.text)
        {
            continue;
        }
        let before = (position.saturating_sub(params.reach)..position).any(|p| repeated.contains(&p));
        let behind = (position + 1..=position + params.reach).any(|p| repeated.contains(&p));
        let key = keys.get(position).map(|(key, _)| key);
        if before && behind && !key.is_some_and(|k| has(instructions.forgotten, k)) {
            found.push(Found {
                position,
                key,
                why: Why::Between,
            });
        }
    }
    found.retain(|f| decision.spared.iter().all(|s| s.position != f.position));
    decision.removed.extend(found);
    decision.removed.sort_by_key(|f| f.position);
}
