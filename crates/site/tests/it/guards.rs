//! The traps. Each test fails if its guard is taken out.

use copydesk_article::{ArticleId, Block, BlockKind, RuleId};
use copydesk_site::{
    BlockKey, Guard, Instructions, PageBlocks, Params, SITE_MEMORY, Subject, Why, apply, block_key, restore,
};

use crate::support::{
    AGENCY, LETTER, LONG, Old, SHORTER, article, decision, decision_on, decision_with, old, removed, six,
};

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
fn one_other_story_is_enough_below_min_siblings() {
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
    assert_eq!(decision(&new, &olds).stories, 1);
    olds[0].url = Some(1_000);
    assert_eq!(decision(&new, &olds).stories, 0);
    // The same article.
    olds[0].url = Some(1);
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

/// Number `n`, with nothing but these paragraphs.
fn only(n: i64, paragraphs: &[&str]) -> Old {
    Old {
        blocks: PageBlocks::of(&article(paragraphs)),
        ..old(n, &[])
    }
}

#[test]
fn copies_of_its_own_text_say_nothing() {
    let new = article(&[LONG, SHORTER, AGENCY]);
    let copied = |own: &[&str]| removed(&decision(&new, &[only(1, &[own, &[SHORTER, AGENCY]].concat())]));
    // Two of the four blocks of both.
    assert_eq!(copied(&["Something else altogether."]), Vec::<usize>::new());
    assert_eq!(copied(&["Something else altogether.", "And more of it."]), [1, 2]);
}

#[test]
fn copies_of_one_text_count_once() {
    // A story in four versions at four addresses, and three stories more.
    let new = article(&[LONG, SHORTER, LETTER]);
    let version = |n: i64, own: &str| only(n, &["It is the same story.", "It is long.", own, LETTER]);
    let mut olds = vec![
        version(1, "First it is short."),
        version(2, "Then there is more of it."),
        version(3, "Something is corrected."),
        version(4, "It is put in order."),
    ];
    olds.extend((5..=8).map(|n| old(n, &[])));
    let found = decision(&new, &olds);
    assert_eq!((removed(&found), found.stories), (vec![], 5));
    olds[3] = old(4, &[LETTER]);
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
fn what_is_not_known_of_articles_does_not_make_them_one() {
    let new = article(&[LONG, SHORTER, LETTER]);
    let mut olds = six(6, LETTER);
    for old in &mut olds {
        old.url = None;
    }
    let subject = Subject {
        id: ArticleId(1_000),
        url_hash: None,
        title_words: &[],
    };
    let found = decision_on(&new, &subject, &olds, Instructions::default(), &Params::default());
    assert_eq!((removed(&found), found.stories), (vec![2], 6));
}

#[test]
fn an_article_that_was_read_twice_counts_once() {
    let new = article(&[LONG, SHORTER, LETTER]);
    let mut olds = six(1, LETTER);
    let mut again = six(1, LETTER).remove(0);
    for old in [&mut olds[0], &mut again] {
        old.url = None;
        old.title.clear();
    }
    olds.push(again);
    let found = decision(&new, &olds);
    assert_eq!((removed(&found), found.stories), (vec![], 6));
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
        old(
            1,
            &[
                LONG,
                SHORTER,
                second,
                "Velmora Times Plus",
                "One has this besides.",
            ],
        ),
        old(
            2,
            &[LONG, SHORTER, second, "Velmora Times Plus", "The other has that."],
        ),
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
    // However much it is, and though it is prose.
    let most = article(&[LONG, SHORTER]);
    let shorter = [block_key(SHORTER).unwrap()];
    let pinned_prose = Instructions {
        pinned: &shorter,
        ..Instructions::default()
    };
    let strict = Params {
        most_words: 0.0,
        ..Params::default()
    };
    assert_eq!(removed(&decision_with(&most, &[], pinned_prose, &strict)), [1]);
    // Not even a person empties an article.
    let only = article(&[LETTER]);
    assert_eq!(
        removed(&decision_with(&only, &[], pinned, &Params::default())),
        Vec::<usize>::new()
    );
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
