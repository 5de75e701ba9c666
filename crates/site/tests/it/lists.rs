//! Lists that change from page to page, and menus.

use copydesk_article::{Block, BlockKind, CleanArticle, RuleId};
use copydesk_site::{Guard, Instructions, Params, Why, block_key};

use crate::support::{LONG, Old, SHORTER, article, decision, decision_with, old, removed};

const ABOVE: &str = "More from our Velmora pages";
const BELOW: &str = "All of today's Velmora news";
const COUNCIL: &str = "Council rejects the new quay once more";
const LIBRARY: &str = "Library moves into the old fish hall";

fn frame(text: &str) -> Block {
    Block::removed(BlockKind::Boilerplate, text, RuleId::of("related-marker"), None)
}

/// An article with a list of headlines behind it, and six stories of the site with the frame of that list.
fn with_list() -> (CleanArticle, Vec<Old>) {
    let mut new = article(&[LONG, SHORTER]);
    new.blocks.extend([
        frame(ABOVE),
        Block::kept(BlockKind::ListItem, COUNCIL),
        Block::kept(BlockKind::ListItem, LIBRARY),
        frame(BELOW),
    ]);
    let olds = (1..=6).map(|n| old(n, &[ABOVE, BELOW])).collect();
    (new, olds)
}

#[test]
fn lists_of_headlines_that_change_go_with_what_frames_them() {
    let (mut new, olds) = with_list();
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
fn a_frame_has_two_sides() {
    let (mut new, olds) = with_list();
    let below = new.blocks.pop().unwrap();
    assert_eq!(removed(&decision(&new, &olds)), Vec::<usize>::new());
    // Too far away is no frame.
    new.blocks
        .extend([SHORTER; 5].map(|text| Block::kept(BlockKind::Body, text)));
    new.blocks.push(below);
    assert_eq!(removed(&decision(&new, &olds)), Vec::<usize>::new());
    let (mut new, olds) = with_list();
    new.blocks.remove(2);
    assert_eq!(removed(&decision(&new, &olds)), Vec::<usize>::new());
}

#[test]
fn the_longest_paragraph_stays_though_it_is_a_label_of_a_list() {
    let (mut new, olds) = with_list();
    new.blocks.drain(..2);
    assert_eq!(
        removed(&decision(&new, &olds)),
        [2],
        "the longer headline is the article"
    );
}

#[test]
fn a_label_of_a_list_stays_if_a_person_says_so() {
    let (new, olds) = with_list();
    let key = [block_key(LIBRARY).unwrap()];
    let forgotten = Instructions {
        forgotten: &key,
        ..Instructions::default()
    };
    assert_eq!(
        removed(&decision_with(&new, &olds, forgotten, &Params::default())),
        [3]
    );
}

#[test]
fn what_was_spared_neither_goes_with_a_list_nor_frames_one() {
    let (new, mut olds) = with_list();
    // A label that travels with stories, between the frames.
    for old in &mut olds {
        *old = crate::support::old(old.id, &[ABOVE, BELOW, LIBRARY]);
    }
    let key = [block_key(LIBRARY).unwrap()];
    let protected = Instructions {
        protected: &key,
        ..Instructions::default()
    };
    let found = decision_with(&new, &olds, protected, &Params::default());
    assert_eq!(removed(&found), [3]);
    assert_eq!(found.spared[0].guard, Guard::Protected);
    // The upper frame is a paragraph that stays.
    let (mut new, olds) = with_list();
    new.blocks[2] = Block::kept(BlockKind::Body, ABOVE);
    let key = [block_key(ABOVE).unwrap()];
    let protected = Instructions {
        protected: &key,
        ..Instructions::default()
    };
    assert_eq!(removed(&decision(&new, &olds)), [2, 3, 4]);
    assert_eq!(
        removed(&decision_with(&new, &olds, protected, &Params::default())),
        Vec::<usize>::new()
    );
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
