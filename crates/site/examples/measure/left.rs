//! What is left in that is not the article, and whether another page of the host shows it: what no other page
//! shows, site memory cannot know.

use std::collections::{BTreeMap, HashSet};

use copydesk_article::CleanArticle;
use copydesk_site::{BlockKey, block_key};

/// A page with its host, its gold text and what was made of it.
pub(crate) struct Page<'a> {
    pub(crate) host: &'a str,
    pub(crate) url: &'a str,
    pub(crate) gold: &'a str,
    pub(crate) clean: &'a CleanArticle,
}

/// Prints the words that are left in as shares of all words kept, averaged over the pages, by place and by
/// whether another page of the host (at another address) shows the block.
pub(crate) fn print(pages: &[Page<'_>]) {
    let keys = |p: &Page<'_>| -> HashSet<BlockKey> {
        p.clean.blocks.iter().filter_map(|b| block_key(&b.text)).collect()
    };
    let known: Vec<HashSet<BlockKey>> = pages.iter().map(keys).collect();
    let mut shares: BTreeMap<(&str, &str), f64> = BTreeMap::new();
    for page in pages {
        let shown = |text: &str| {
            block_key(text).is_some_and(|key| {
                let others = pages
                    .iter()
                    .zip(&known)
                    .filter(|(p, _)| p.host == page.host && p.url != page.url);
                others.into_iter().any(|(_, keys)| keys.contains(&key))
            })
        };
        let gold: HashSet<[String; 4]> = shingles(page.gold).into_iter().collect();
        let kept: Vec<&str> = page.clean.paragraphs().collect();
        let own: Vec<bool> = kept.iter().map(|text| is_gold(text, page.gold, &gold)).collect();
        let words: usize = kept.iter().map(|text| words(text).len()).sum();
        let (first, last) = (own.iter().position(|o| *o), own.iter().rposition(|o| *o));
        for (n, text) in kept.iter().enumerate().filter(|(n, _)| !own[*n]) {
            let place = match (first, last) {
                (Some(first), _) if n < first => "before the article",
                (_, Some(last)) if n > last => "behind the article",
                (None, _) => "all of it is wrong",
                _ => "within the article",
            };
            let who = if shown(text) {
                "another page shows it"
            } else {
                "no other page shows it"
            };
            let share = self::words(text).len() as f64 / words.max(1) as f64;
            *shares.entry((who, place)).or_default() += share / pages.len() as f64;
        }
    }
    println!("left in, as a share of the words kept:");
    for ((who, place), share) in &shares {
        println!("  {share:.4}  {place}, {who}");
    }
    println!("  {:.4}  in all", shares.values().sum::<f64>());
}

fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|w| !w.is_empty())
        .map(str::to_owned)
        .collect()
}

fn shingles(text: &str) -> Vec<[String; 4]> {
    words(text)
        .windows(4)
        .filter_map(|w| w.to_vec().try_into().ok())
        .collect()
}

/// Half of its runs of four words are in gold; a shorter block stands there as it is.
fn is_gold(text: &str, gold: &str, known: &HashSet<[String; 4]>) -> bool {
    let own = shingles(text);
    if own.is_empty() {
        return gold.contains(text.trim());
    }
    own.iter().filter(|s| known.contains(*s)).count() * 2 >= own.len()
}
