//! Articles that fill in one frame, each in its own way, are told from copies by a third article.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

mod texts;

use copydesk_article::ArticleId;
use copydesk_dedup::evidence::Sampling;
use copydesk_dedup::memory::{Arriving, MemoryStore};
use copydesk_dedup::{Decision, Params, Refusal, decide};
use texts::{candidate, paragraphs, print, subject};

const TITLE: Option<&str> = Some("Thought for the day");
const FRAME: [&str; 3] = [
    "So begins a letter that a listener sent us last week, and it stayed with me all the way to the studio this morning.",
    "We hurry so much that we forget what we hurry for, although there is a quarter of an hour in every day in which nothing \
     is asked of us, and a bench that stands in the sun beside the harbour wall.",
    "The speaker lives by the harbour, and you can read what she says on the page of the programme and hear it again for a \
     week, free of charge and without a word of advertising.",
];
const WAITS: &str = "Whoever waits at the gate of a friend finds more than was lost there";
const ASKS: &str = "He who asks for bread in the rain wakes up richer than any king";
const SINGS: &str = "She that sings beside a cold stove has nothing to fear from crows";
/// The first half is that of [`WAITS`].
const WAITS_TOO: &str = "Whoever waits at the gate of a friend is there when bells are rung";

fn filled(saying: &str) -> Vec<String> {
    let [first, second, third] = FRAME;
    vec![format!("{saying}. {first}"), second.to_owned(), third.to_owned()]
}

fn insert(store: &mut MemoryStore, paragraphs: &[String]) -> Decision {
    let fingerprint = print(TITLE, paragraphs);
    let arriving = Arriving::of(&fingerprint);
    store
        .insert_sampled(&arriving, &Params::default(), Sampling::Full)
        .1
}

fn after(texts: &[Vec<String>], last: &[String]) -> Decision {
    let mut store = MemoryStore::default();
    for text in texts {
        insert(&mut store, text);
    }
    insert(&mut store, last)
}

#[test]
fn the_third_filling_of_a_frame_is_no_copy_and_no_later_one_is() {
    let mut store = MemoryStore::default();
    insert(&mut store, &filled(WAITS));
    // Two cannot tell a copy with another sentence from another filling.
    assert!(insert(&mut store, &filled(ASKS)).link.is_some());
    let third = insert(&mut store, &filled(SINGS));
    assert_eq!(third.link, None);
    assert!(
        third
            .refusals
            .iter()
            .any(|(id, why)| (id.0, *why) == (0, Refusal::Series))
    );
    assert_eq!(insert(&mut store, &filled(WAITS_TOO)).link, None);
}

#[test]
fn a_copy_of_a_filling_is_one_and_half_of_its_words_are_no_copy() {
    let fillings = [WAITS, ASKS, SINGS].map(|saying| print(TITLE, &filled(saying)));
    let candidates = [0, 1, 2].map(|n| candidate(n as i64, &fillings[n]));
    let decided = |paragraphs: &[String]| {
        decide(
            &subject(3, &print(TITLE, paragraphs)),
            &candidates,
            &[],
            &Params::default(),
        )
    };
    for (n, saying) in [WAITS, ASKS, SINGS].into_iter().enumerate() {
        let mut copy = filled(saying);
        copy[1] = copy[1].replace("beside the harbour wall", "near the old harbour wall");
        assert_eq!(decided(&copy).link.unwrap().to, ArticleId(n as i64));
    }
    let half = decided(&filled(WAITS_TOO));
    assert_eq!(half.link, None);
    assert!(half.refusals.contains(&(ArticleId(0), Refusal::Series)));
}

#[test]
fn copies_that_were_edited_in_different_places_are_copies() {
    let edited = |place: usize, by: &str| {
        let mut text = paragraphs(0..4);
        let words: Vec<&str> = text[place].split(' ').collect();
        text[place] = [&[by], &words[8..]].concat().join(" ");
        text
    };
    let whole = paragraphs(0..4);
    for older in [
        [whole.clone(), edited(1, WAITS)],
        [edited(1, WAITS), whole.clone()],
        [edited(1, WAITS), edited(2, ASKS)],
    ] {
        assert!(after(&older, &edited(3, SINGS)).link.is_some());
    }
    // In one place it cannot be told from a series, and there the story is split.
    assert_eq!(
        after(&[edited(1, WAITS), edited(1, ASKS)], &edited(1, SINGS)).link,
        None
    );
}
