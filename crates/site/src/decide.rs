//! The decision: which blocks of an article are its site's own.

use std::collections::HashSet;
use std::fmt::Write as _;

use copydesk_article::{ArticleId, Block, CleanArticle, StoryId};

use crate::blocks::PageBlocks;
use crate::counting::{Group, Shown, others};
use crate::key::{BlockKey, BlockKeys};
use crate::params::{Instructions, Params};
use crate::prose::{is_label, is_prose, words};

/// The article to be decided on, besides its text.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Its id.
    pub id: ArticleId,
    /// Its story, if it has one already.
    pub story: Option<StoryId>,
    /// Hash of its canonical address, if it has one.
    pub url_hash: Option<u64>,
    /// Hashes of its title's words, ascending.
    pub title_words: &'a [u32],
}

/// One of the articles of its site. What was visible is enough: they may be stale.
#[derive(Debug, Clone, Copy)]
pub struct Sibling<'a> {
    /// Its id.
    pub id: ArticleId,
    /// Its story, as far as it is known.
    pub story: Option<StoryId>,
    /// Hash of its canonical address, if it has one.
    pub url_hash: Option<u64>,
    /// Hashes of its title's words, ascending.
    pub title_words: &'a [u32],
    /// Its blocks.
    pub blocks: &'a PageBlocks,
}

/// Why a block goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// Other articles of the site show it: one article of each story, ascending, and how many stories were looked at.
    Shown {
        /// The articles.
        by: Vec<ArticleId>,
        /// Stories that were looked at.
        of: usize,
    },
    /// A label among blocks that the site repeats.
    Between,
    /// A person insists.
    Pinned,
}

/// Articles that evidence names; more are counted.
const NAMED: usize = 3;

impl Why {
    /// What is stored as the evidence of the removal, for people.
    pub fn evidence(&self) -> String {
        match self {
            Self::Shown { by, of } => {
                let mut text = format!("in {} of {of} other stories of the site: articles", by.len());
                for (n, id) in by.iter().take(NAMED).enumerate() {
                    let _ = write!(text, "{} {}", if n > 0 { "," } else { "" }, id.0);
                }
                if by.len() > NAMED {
                    text.push_str(", …");
                }
                text
            }
            Self::Between => "between blocks that the site repeats".to_owned(),
            Self::Pinned => "pinned by a person".to_owned(),
        }
    }
}

/// Why a block stays although the site repeats it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// It is the longest paragraph of the article.
    LongestProse,
    /// It travels with stories from site to site.
    Protected,
    /// A person objects.
    Forgotten,
    /// Too much of the article would go.
    TooMuch,
}

impl Guard {
    /// Every value.
    pub const ALL: [Self; 4] = [
        Self::LongestProse,
        Self::Protected,
        Self::Forgotten,
        Self::TooMuch,
    ];

    /// The name under which docs/site-memory.md explains it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LongestProse => "longest_prose",
            Self::Protected => "protected",
            Self::Forgotten => "forgotten",
            Self::TooMuch => "too_much",
        }
    }
}

/// A block that goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its place among all blocks of the article.
    pub position: usize,
    /// Its key.
    pub key: Option<BlockKey>,
    /// Why.
    pub why: Why,
}

/// A block that the site repeats and that stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spared {
    /// Its place among all blocks of the article.
    pub position: usize,
    /// Its key.
    pub key: BlockKey,
    /// What spared it.
    pub guard: Guard,
}

/// The answer, with what explains it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decision {
    /// The blocks that go, in order.
    pub removed: Vec<Found>,
    /// The blocks that the site repeats and that stay, in order.
    pub spared: Vec<Spared>,
    /// Stories of the site that were looked at.
    pub stories: usize,
}

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

/// [`decide`] with the keys of the article's blocks at hand.
pub fn decide_keyed(
    article: &CleanArticle,
    keys: &BlockKeys,
    subject: &Subject<'_>,
    siblings: &[Sibling<'_>],
    instructions: &Instructions<'_>,
    params: &Params,
) -> Decision {
    let groups = others(subject, siblings, params);
    let needed = if groups.len() < params.young_site {
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
    // Short ones that are known from bodies only, since the last block that is not repeated, and the length of that run.
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

/// Why a block would go, and whether that is enough. It is not for a short word of the article ("Why?", "No.") that stands in
/// two interviews: it counts where rules removed it, or in a row of such blocks, which is a menu.
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
