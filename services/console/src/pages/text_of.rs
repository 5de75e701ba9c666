//! The text of an article as it was read: kept blocks open, removed ones folded in their place.

use copydesk_store::reads::BlockRow;
use maud::{Markup, html};

use crate::text::{beginning, lang, relation};

/// So many removed blocks in a row are folded into one: a menu has forty, and the text would stand behind them all.
const RUN: usize = 4;
/// Rules of such a run that are named.
const NAMED: usize = 3;

/// The blocks in their order. `article`: each removed one leads to a report on it.
pub(crate) fn text(blocks: &[BlockRow], language: Option<&str>, article: Option<i64>) -> Markup {
    html! {
        article.prose lang=[lang(language)] {
            @for run in blocks.chunk_by(|a, b| a.kept == b.kept) {
                @match run.first().map(|b| b.kept) {
                    Some(false) if run.len() >= RUN => details.removed {
                        summary { span.tag lang="en" { (run.len()) " blocks removed: " (rules(run)) } }
                        @for block in run { (removed(block, article)) }
                    },
                    Some(false) => @for block in run { (removed(block, article)) },
                    _ => @for block in run { (kept(block)) },
                }
            }
        }
    }
}

/// The rules that took these, those that took most first.
fn rules(run: &[BlockRow]) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for rule in run.iter().filter_map(|b| b.rule.as_deref()) {
        match counts.iter_mut().find(|(r, _)| *r == rule) {
            Some((_, n)) => *n += 1,
            None => counts.push((rule, 1)),
        }
    }
    counts.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let mut named: Vec<&str> = counts.iter().take(NAMED).map(|(rule, _)| *rule).collect();
    if counts.len() > NAMED {
        named.push("…");
    }
    named.join(", ")
}

fn kept(block: &BlockRow) -> Markup {
    let words = block.text.as_deref().unwrap_or_default();
    html! {
        @match block.kind.as_str() {
            "headline" => p.headline dir="auto" { (words) },
            "dek" => p.dek dir="auto" { (words) },
            "sub_headline" => h3 dir="auto" { (words) },
            "quote" => blockquote dir="auto" { (words) },
            "list_item" => p.item dir="auto" { (words) },
            "body" => p dir="auto" { (words) },
            kind => p.aside dir="auto" { span.tag lang="en" { (relation(kind)) } " " (words) },
        }
    }
}

fn removed(block: &BlockRow, article: Option<i64>) -> Markup {
    let words = block.text.as_deref().unwrap_or_default();
    let saw = block.evidence.as_deref().unwrap_or("nothing more than its place");
    html! {
        details.removed {
            summary {
                span.tag lang="en" { "removed: " (block.rule.as_deref().unwrap_or("–")) } " "
                bdi { (beginning(words, 60)) }
            }
            p dir="auto" { del { (words) } }
            p.quiet lang="en" {
                "The rule saw: " bdi { (saw) } " · the block was " (relation(&block.kind)) " · place " (block.position)
                @if let Some(id) = article {
                    " · " a href={ "/articles/" (id) "/wrong?block=" (block.position) } { "This is wrong" }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(position: i64, rule: Option<&str>) -> BlockRow {
        BlockRow {
            position,
            kind: "body".to_owned(),
            kept: rule.is_none(),
            rule: rule.map(str::to_owned),
            evidence: None,
            text: Some(format!("block {position}")),
        }
    }

    #[test]
    fn a_run_of_removed_blocks_is_one_fold_and_loses_none() {
        let mut blocks: Vec<BlockRow> = (0..6)
            .map(|n| block(n, Some(if n < 4 { "menu" } else { "consent" })))
            .collect();
        blocks.push(block(6, None));
        blocks.extend((7..9).map(|n| block(n, Some("related"))));
        let drawn = text(&blocks, Some("en"), Some(7)).into_string();
        assert!(drawn.contains("/articles/7/wrong?block=8"), "{drawn}");
        assert!(drawn.contains("6 blocks removed: menu, consent"), "{drawn}");
        assert_eq!(drawn.matches("<details").count(), 1 + 6 + 2);
        for n in 0..9 {
            assert!(drawn.contains(&format!("block {n}<")), "{n}: {drawn}");
        }
    }
}
