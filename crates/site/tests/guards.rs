//! The traps. Each test fails if its guard is taken out.
#![allow(clippy::unwrap_used, reason = "test code")]

use copydesk_article::{ArticleId, Block, BlockKind, CleanArticle, Metadata, RuleId, StoryId};
use copydesk_site::{
    BlockKey, Decision, Guard, Instructions, PageBlocks, Params, SITE_MEMORY, Sibling, Subject, Why, apply,
    block_key, decide, restore,
};

const LETTER: &str = "Sign up for the Velmora letter and read it every morning.";
const AGENCY: &str = "The Velmora Press Union is an independent agency that serves ninety papers.";
const LONG: &str = "The ferry to Oostvale sailed again on Tuesday, after nine days in which forty ships had waited outside the \
harbour for the storm to pass and for the pilots to come back to work.";
const SHORTER: &str = "The line says that all ships are repaired and that fares stay as they were last year.";

fn article(paragraphs: &[&str]) -> CleanArticle {
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
struct Old {
    id: i64,
    story: i64,
    url: u64,
    title: Vec<u32>,
    blocks: PageBlocks,
}

/// Number `n`: its own address, story and title.
fn old(n: i64, paragraphs: &[&str]) -> Old {
    let number = u32::try_from(n).unwrap();
    Old {
        id: n,
        story: n,
        url: n.unsigned_abs(),
        title: vec![number * 10, number * 10 + 1, number * 10 + 2],
        blocks: PageBlocks::of(&article(paragraphs)),
    }
}

fn decision_with(
    new: &CleanArticle,
    olds: &[Old],
    instructions: Instructions<'_>,
    params: &Params,
) -> Decision {
    let siblings: Vec<Sibling<'_>> = olds
        .iter()
        .map(|o| Sibling {
            id: ArticleId(o.id),
            story: Some(StoryId(o.story)),
            url_hash: Some(o.url),
            title_words: &o.title,
            blocks: &o.blocks,
        })
        .collect();
    let subject = Subject {
        id: ArticleId(1_000),
        story: Some(StoryId(1_000)),
        url_hash: Some(1_000),
        title_words: &[10_000, 10_001, 10_002],
    };
    let decision = decide(new, &subject, &siblings, &instructions, params);
    let mut turned = siblings.clone();
    turned.reverse();
    assert_eq!(
        decide(new, &subject, &turned, &instructions, params),
        decision,
        "the order of the articles matters"
    );
    decision
}

fn decision(new: &CleanArticle, olds: &[Old]) -> Decision {
    decision_with(new, olds, Instructions::default(), &Params::default())
}

fn removed(decision: &Decision) -> Vec<usize> {
    decision.removed.iter().map(|f| f.position).collect()
}

/// Six stories, of which so many carry the paragraph.
fn six(with: i64, paragraph: &str) -> Vec<Old> {
    (1..=6)
        .map(|n| {
            let own = format!(
                "Story {} of the site says something of its own.",
                "x".repeat(n as usize)
            );
            if n <= with {
                old(n, &[&own, paragraph])
            } else {
                old(n, &[&own])
            }
        })
        .collect()
}

#[test]
fn what_two_other_stories_show_goes_with_its_evidence_and_comes_back() {
    let new = article(&[LONG, SHORTER, LETTER]);
    assert_eq!(
        removed(&decision(&new, &six(1, LETTER))),
        Vec::<usize>::new(),
        "one of six is chance"
    );
    let found = decision(&new, &six(2, LETTER));
    assert_eq!(removed(&found), [2]);
    assert_eq!(
        found.removed[0].why.evidence(),
        "in 2 of 6 other stories of the site: articles 1, 2"
    );
    let cleaned = apply(&new, &found);
    assert_eq!(cleaned.body(), format!("{LONG}\n\n{SHORTER}"));
    assert_eq!(cleaned.blocks[2].removed.as_ref().unwrap().rule, SITE_MEMORY);
    assert_eq!(restore(&cleaned), new);
    assert_eq!(
        PageBlocks::of(&cleaned),
        PageBlocks::of(&new),
        "what is stored does not depend on site memory"
    );
    assert_eq!(
        decision(&cleaned, &six(2, LETTER)).removed,
        [],
        "what is gone does not go again"
    );
}

#[test]
fn on_a_young_site_one_other_story_is_enough() {
    let new = article(&[LONG, SHORTER, LETTER]);
    let olds = [old(1, &["A harbour was opened by somebody.", LETTER])];
    assert_eq!(removed(&decision(&new, &olds)), [2]);
    assert_eq!(removed(&decision(&new, &[])), Vec::<usize>::new());
}

#[test]
fn an_article_that_was_crawled_again_says_nothing_about_itself() {
    let new = article(&[LONG, SHORTER]);
    // At the same address.
    let mut olds = vec![old(1, &[LONG, SHORTER])];
    olds[0].url = 1_000;
    assert_eq!(decision(&new, &olds).stories, 0);
    // The same article.
    olds[0].url = 1;
    olds[0].id = 1_000;
    assert_eq!(decision(&new, &olds).stories, 0);
}

#[test]
fn an_article_that_was_published_again_under_its_title_says_nothing() {
    let new = article(&[LONG, SHORTER]);
    let mut olds = vec![old(1, &["Something else altogether.", SHORTER])];
    assert_eq!(removed(&decision(&new, &olds)), [1]);
    olds[0].title = vec![10_000, 10_001, 10_003];
    assert_eq!(removed(&decision(&new, &olds)), Vec::<usize>::new());
}

#[test]
fn copies_of_its_own_story_say_nothing() {
    let new = article(&[LONG, SHORTER]);
    let mut olds = vec![old(1, &["Something else altogether.", SHORTER])];
    olds[0].story = 1_000;
    assert_eq!(removed(&decision(&new, &olds)), Vec::<usize>::new());
}

#[test]
fn copies_of_one_story_count_once() {
    // A story in four versions at four addresses, and three stories more.
    let new = article(&[LONG, SHORTER, LETTER]);
    let mut olds = six(4, LETTER);
    olds.extend([old(7, &["More of the same site."]), old(8, &["And more of it."])]);
    for old in olds.iter_mut().take(4) {
        old.story = 1;
    }
    let found = decision(&new, &olds);
    assert_eq!((removed(&found), found.stories), (vec![], 5));
    olds[3].story = 4;
    assert_eq!(removed(&decision(&new, &olds)), [2]);
}

#[test]
fn versions_at_one_address_and_under_one_title_count_once() {
    let new = article(&[LONG, SHORTER, LETTER]);
    let mut olds = six(2, LETTER);
    olds[1].url = olds[0].url;
    assert_eq!(removed(&decision(&new, &olds)), Vec::<usize>::new());
    let mut olds = six(2, LETTER);
    olds[1].title = olds[0].title.clone();
    assert_eq!(removed(&decision(&new, &olds)), Vec::<usize>::new());
}

#[test]
fn the_longest_paragraph_stays() {
    let new = article(&[LETTER, "Nine words say that nothing else happened on Tuesday."]);
    let found = decision(&new, &six(6, LETTER));
    assert_eq!(removed(&found), Vec::<usize>::new());
    assert_eq!(
        found
            .spared
            .iter()
            .map(|s| (s.position, s.guard))
            .collect::<Vec<_>>(),
        [(0, Guard::LongestProse)]
    );
}

#[test]
fn if_most_of_the_article_would_go_its_paragraphs_stay_and_its_labels_go() {
    let second = "Forty people were on board, and nobody was hurt when the ship left the quay at noon.";
    let new = article(&[LONG, SHORTER, second, "Velmora Times Plus"]);
    let olds = [
        old(1, &[LONG, SHORTER, second, "Velmora Times Plus"]),
        old(2, &[LONG, SHORTER, second, "Velmora Times Plus"]),
    ];
    let found = decision(&new, &olds);
    assert_eq!(removed(&found), [3]);
    assert!(found.spared.iter().any(|s| s.guard == Guard::TooMuch));
    let eager = Params {
        most_words: 2.0,
        ..Params::default()
    };
    assert_eq!(
        removed(&decision_with(&new, &olds, Instructions::default(), &eager)),
        [1, 2, 3]
    );
}

#[test]
fn a_sentence_that_travels_from_site_to_site_stays() {
    let new = article(&[LONG, SHORTER, AGENCY]);
    let olds = six(6, AGENCY);
    assert_eq!(removed(&decision(&new, &olds)), [2]);
    let protected = [block_key(AGENCY).unwrap()];
    let instructions = Instructions {
        protected: &protected,
        ..Instructions::default()
    };
    let found = decision_with(&new, &olds, instructions, &Params::default());
    assert_eq!(removed(&found), Vec::<usize>::new());
    assert_eq!(found.spared[0].guard, Guard::Protected);
}

#[test]
fn a_person_has_the_last_word() {
    let new = article(&[LONG, SHORTER, LETTER]);
    let key = [block_key(LETTER).unwrap()];
    let forgotten = Instructions {
        forgotten: &key,
        ..Instructions::default()
    };
    let found = decision_with(&new, &six(6, LETTER), forgotten, &Params::default());
    assert_eq!(
        (removed(&found), found.spared[0].guard),
        (vec![], Guard::Forgotten)
    );
    let pinned = Instructions {
        pinned: &key,
        protected: &key,
        ..Instructions::default()
    };
    let found = decision_with(&new, &[], pinned, &Params::default());
    assert_eq!((removed(&found), &found.removed[0].why), (vec![2], &Why::Pinned));
    // Not even a person empties an article.
    let only = article(&[LETTER]);
    assert_eq!(
        removed(&decision_with(&only, &[], pinned, &Params::default())),
        Vec::<usize>::new()
    );
}

#[test]
fn lists_of_headlines_that_change_go_with_what_frames_them() {
    let menu = |text: &str| Block::removed(BlockKind::Boilerplate, text, RuleId::of("related-marker"), None);
    let mut new = article(&[LONG, SHORTER]);
    new.blocks.extend([
        menu("More from our Velmora pages"),
        Block::kept(BlockKind::ListItem, "Council rejects the new quay once more"),
        Block::kept(BlockKind::ListItem, "Library moves into the old fish hall"),
        menu("All of today's Velmora news"),
    ]);
    let frame = ["More from our Velmora pages", "All of today's Velmora news"];
    let olds: Vec<Old> = (1..=6)
        .map(|n| old(n, &["A story of the site.", frame[0], frame[1]]))
        .collect();
    let found = decision(&new, &olds);
    assert_eq!(removed(&found), [3, 4]);
    assert!(found.removed.iter().all(|f| f.why == Why::Between));
    let off = Params {
        reach: 0,
        ..Params::default()
    };
    assert_eq!(
        removed(&decision_with(&new, &olds, Instructions::default(), &off)),
        Vec::<usize>::new()
    );
    // Prose between them is the article.
    new.blocks[3] = Block::kept(BlockKind::Body, SHORTER);
    assert_eq!(removed(&decision(&new, &olds)), [4]);
}

#[test]
fn a_short_word_of_the_article_counts_only_where_rules_took_it_out() {
    let new = article(&[LONG, "Why not?", SHORTER]);
    assert_eq!(removed(&decision(&new, &six(6, "Why not?"))), Vec::<usize>::new());
    let mut olds = six(0, "");
    for old in &mut olds {
        let mut page = article(&["A story of the site, longer than the label."]);
        page.blocks.push(Block::removed(
            BlockKind::Boilerplate,
            "Why not?",
            RuleId::of("share"),
            None,
        ));
        old.blocks = PageBlocks::of(&page);
    }
    assert_eq!(removed(&decision(&new, &olds)), [1]);
}

#[test]
fn short_words_in_a_row_are_a_menu() {
    let row = ["Sport", "Culture", "Weather", "Jobs", "Cars"];
    let paragraphs = |row: &[&'static str]| -> Vec<&str> { [&[LONG, SHORTER], row].concat() };
    let olds = |row: &[&'static str]| -> Vec<Old> { (1..=6).map(|n| old(n, row)).collect() };
    let found = decision(&article(&paragraphs(&row)), &olds(&row));
    assert_eq!(removed(&found), [2, 3, 4, 5, 6]);
    assert!(matches!(&found.removed[4].why, Why::Shown { by, of: 6 } if by.len() == 6));
    // Four are an interview, and so are five with something of the article between them.
    assert_eq!(
        removed(&decision(&article(&paragraphs(&row[..4])), &olds(&row[..4]))),
        Vec::<usize>::new()
    );
    let mut between = article(&paragraphs(&row));
    between
        .blocks
        .insert(5, Block::kept(BlockKind::Body, "Fares stay."));
    assert_eq!(removed(&decision(&between, &olds(&row))), Vec::<usize>::new());
}

#[test]
fn a_table_of_results_is_not_furniture() {
    let results = |a: u32, b: u32| format!("Profit of the quarter {a} million against {b} million");
    let new = article(&[LONG, &results(12, 9)]);
    assert_eq!(
        removed(&decision(&new, &six(6, &results(7, 8)))),
        Vec::<usize>::new()
    );
    assert_eq!(removed(&decision(&new, &six(6, &results(12, 9)))), [1]);
}

#[test]
fn stale_evidence_is_harmless() {
    // Articles of the site from before it was made anew, and of one that says nothing.
    let new = article(&[LONG, SHORTER, LETTER]);
    let mut olds = six(6, "A slogan that the site gave up long ago.");
    for old in &mut olds {
        old.title.clear();
    }
    let found = decision(&new, &olds);
    assert_eq!((found.removed, found.spared), (vec![], vec![]));
    let empty: Vec<Old> = (1..=20).map(|n| old(n, &[])).collect();
    assert_eq!(decision(&new, &empty).removed, []);
}

#[test]
fn captions_and_headlines_are_left_to_their_own_columns() {
    let mut new = article(&[LONG, SHORTER]);
    new.blocks.push(Block::kept(BlockKind::Caption, LETTER));
    new.blocks.push(Block::kept(BlockKind::Headline, LETTER));
    assert_eq!(decision(&new, &six(6, LETTER)).removed, []);
}

#[test]
fn a_key_is_named_as_people_type_it() {
    let key = block_key(LETTER).unwrap();
    assert_eq!(key.to_string().parse::<BlockKey>(), Ok(key));
}
