//! Articles of a site, as short as they can be.

use copydesk_article::{ArticleId, Block, BlockKind, CleanArticle, Metadata};
use copydesk_site::{Decision, Instructions, PageBlocks, Params, Sibling, Subject, decide};

pub(crate) const LETTER: &str = "Sign up for the Velmora letter and read it every morning.";
pub(crate) const AGENCY: &str = "The Velmora Press Union is an independent agency that serves ninety papers.";
pub(crate) const LONG: &str = "The ferry to Oostvale sailed again on Tuesday, after nine days in which forty ships had waited outside the \
harbour for the storm to pass and for the pilots to come back to work.";
pub(crate) const SHORTER: &str =
    "The line says that all ships are repaired and that fares stay as they were last year.";

pub(crate) fn article(paragraphs: &[&str]) -> CleanArticle {
    CleanArticle {
        metadata: Metadata::default(),
        blocks: paragraphs
            .iter()
            .map(|p| Block::kept(BlockKind::Body, *p))
            .collect(),
        warnings: Vec::new(),
        rules_version: "1".into(),
    }
}

/// An article of the site as it was stored.
pub(crate) struct Old {
    pub(crate) id: i64,
    pub(crate) url: Option<u64>,
    pub(crate) title: Vec<u32>,
    pub(crate) blocks: PageBlocks,
}

/// Number `n`: its own address, title and text, and these paragraphs besides.
pub(crate) fn old(n: i64, paragraphs: &[&str]) -> Old {
    let number = u32::try_from(n).unwrap();
    let own: Vec<String> = ["first", "second", "third", "fourth"]
        .iter()
        .map(|place| {
            format!(
                "The {place} paragraph of story {} is like no other.",
                "x".repeat(n as usize)
            )
        })
        .collect();
    let mut paragraphs = paragraphs.to_vec();
    paragraphs.extend(own.iter().map(String::as_str));
    let paragraphs = &paragraphs;
    Old {
        id: n,
        url: Some(n.unsigned_abs()),
        title: vec![number * 10, number * 10 + 1, number * 10 + 2],
        blocks: PageBlocks::of(&article(paragraphs)),
    }
}

pub(crate) fn decision_with(
    new: &CleanArticle,
    olds: &[Old],
    instructions: Instructions<'_>,
    params: &Params,
) -> Decision {
    let subject = Subject {
        id: ArticleId(1_000),
        url_hash: Some(1_000),
        title_words: &[10_000, 10_001, 10_002],
    };
    decision_on(new, &subject, olds, instructions, params)
}

/// For any article of the site.
pub(crate) fn decision_on(
    new: &CleanArticle,
    subject: &Subject<'_>,
    olds: &[Old],
    instructions: Instructions<'_>,
    params: &Params,
) -> Decision {
    let siblings: Vec<Sibling<'_>> = olds
        .iter()
        .map(|o| Sibling {
            id: ArticleId(o.id),
            url_hash: o.url,
            title_words: &o.title,
            blocks: &o.blocks,
        })
        .collect();
    let decision = decide(new, subject, &siblings, &instructions, params);
    let mut turned = siblings.clone();
    turned.reverse();
    assert_eq!(
        decide(new, subject, &turned, &instructions, params),
        decision,
        "the order of the articles matters"
    );
    decision
}

pub(crate) fn decision(new: &CleanArticle, olds: &[Old]) -> Decision {
    decision_with(new, olds, Instructions::default(), &Params::default())
}

pub(crate) fn removed(decision: &Decision) -> Vec<usize> {
    decision.removed.iter().map(|f| f.position).collect()
}

/// Six articles, of which so many carry the paragraph.
pub(crate) fn six(with: i64, paragraph: &str) -> Vec<Old> {
    (1..=6)
        .map(|n| {
            let own: &[&str] = if n <= with { &[paragraph] } else { &[] };
            old(n, own)
        })
        .collect()
}
