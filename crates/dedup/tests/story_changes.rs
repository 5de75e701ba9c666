//! What a decision changes about older articles and their stories: re-links, digests, merges.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

mod texts;

use copydesk_article::{ArticleId, Fingerprint, Relation, StoryId};
use copydesk_dedup::memory::{Arriving, MemoryStore};
use copydesk_dedup::{Candidate, Excerpt, Params, PriorLink, Refusal, decide};
use texts::{candidate, paragraphs, print, subject};

#[test]
fn the_best_of_two_wins_and_a_false_tie_is_undone() {
    let p = print(None, &paragraphs(0..8));
    let j = print(None, &paragraphs((6..8).chain(20..30)));
    let new = print(None, &paragraphs(20..30));
    let original = candidate(1, &p);
    let prior = PriorLink {
        to: ArticleId(1),
        shared: 60,
    };
    let copy = Candidate {
        story: StoryId(1),
        link: Some(prior),
        ..candidate(2, &j)
    };
    let decision = decide(&subject(3, &new), &[original, copy], &[], &Params::default());
    let relink = decision.relink.unwrap();
    assert_eq!(
        (relink.article, relink.from, relink.new_story),
        (ArticleId(2), ArticleId(1), StoryId(2))
    );
    assert_eq!(decision.link.unwrap().story, StoryId(2));
    assert_eq!(decision.refusals, [(ArticleId(1), Refusal::TooLittleShared)]);
}

#[test]
fn a_round_up_that_comes_last_joins_nothing() {
    let (one, two) = (
        print(Some("Storm"), &paragraphs(0..4)),
        print(Some("Vote"), &paragraphs(10..14)),
    );
    let page = print(
        Some("The day in brief"),
        &paragraphs((0..4).chain(10..14).chain(20..21)),
    );
    let decision = decide(
        &subject(3, &page),
        &[candidate(1, &one), candidate(2, &two)],
        &[],
        &Params::default(),
    );
    assert_eq!((decision.link, decision.relation()), (None, Relation::Digest));
    assert_eq!(
        decision.refusals,
        [(ArticleId(1), Refusal::Digest), (ArticleId(2), Refusal::Digest)]
    );
    // Copies of what it holds pass it by; a copy of the page itself is one.
    let known = Candidate {
        digest: true,
        ..candidate(3, &page)
    };
    assert_eq!(
        decide(&subject(4, &one), &[known], &[], &Params::default()).refusals,
        [(ArticleId(3), Refusal::Digest)]
    );
    let again = print(Some("The day"), &paragraphs((0..4).chain(10..14)));
    assert!(
        decide(&subject(4, &again), &[known], &[], &Params::default())
            .link
            .is_some()
    );
    // Most of a page may be one article, if it holds another one whole as well.
    let long = print(Some("Storm"), &paragraphs(0..10));
    let brief = print(Some("Vote"), &paragraphs(10..12));
    let page = print(Some("The day in brief"), &paragraphs(0..12));
    let decision = decide(
        &subject(3, &page),
        &[candidate(1, &long), candidate(2, &brief)],
        &[],
        &Params::default(),
    );
    assert_eq!((decision.link, decision.relation()), (None, Relation::Digest));
    let part = print(Some("Vote"), &paragraphs((10..12).chain(30..32)));
    let decision = decide(
        &subject(3, &page),
        &[candidate(1, &long), candidate(2, &part)],
        &[],
        &Params::default(),
    );
    assert_eq!(
        decision.link.map(|l| l.to),
        Some(ArticleId(1)),
        "a part of another"
    );
    // An article with another one's text within it is no round-up.
    let wrapped = print(Some("Storm"), &paragraphs((0..7).chain(10..12)));
    let longer = print(Some("Storm"), &paragraphs(0..7));
    let decision = decide(
        &subject(3, &wrapped),
        &[candidate(1, &longer), candidate(2, &two)],
        &[],
        &Params::default(),
    );
    assert_eq!(decision.link.map(|l| l.to), Some(ArticleId(1)));
}

#[test]
fn a_round_up_that_came_first_or_between_is_found_out() {
    let (one, two) = (
        print(Some("Storm"), &paragraphs(0..4)),
        print(Some("Vote"), &paragraphs(10..14)),
    );
    let page = print(Some("The day in brief"), &paragraphs((0..4).chain(10..14)));
    let excerpts = [Excerpt {
        id: ArticleId(2),
        fingerprint: &one,
    }];
    let first = Candidate {
        excerpts: &excerpts,
        copies: &[],
        ..candidate(1, &page)
    };
    let decision = decide(&subject(3, &two), &[first], &[], &Params::default());
    assert_eq!(decision.refusals, [(ArticleId(1), Refusal::Digest)]);
    assert_eq!(
        (decision.digests[0].article, &decision.digests[0].released[..]),
        (ArticleId(1), &[ArticleId(2)][..])
    );

    // Whatever the order, each is in a story of its own in the end, and copies find their articles.
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    for order in orders {
        let mut store = MemoryStore::default();
        for n in order {
            store.insert(&Arriving::of([&page, &one, &two][n]), &Params::default());
        }
        let stories: Vec<i64> = store.stories().map(|s| s.0).collect();
        assert_eq!(stories, [0, 1, 2], "{order:?}");
        for (n, text) in [(1, &one), (2, &two)] {
            let (_, decision) = store.insert(&Arriving::of(text), &Params::default());
            let place = order.iter().position(|o| *o == n).unwrap();
            assert_eq!(decision.link.map(|l| l.story.0), Some(place as i64), "{order:?}");
        }
    }
    // A page that is one article for the most part may be its copy, but never ties it to the other one.
    let (long, brief) = (
        print(Some("Storm"), &paragraphs(0..10)),
        print(Some("Vote"), &paragraphs(10..12)),
    );
    let uneven = print(Some("The day in brief"), &paragraphs(0..12));
    for order in orders {
        let mut store = MemoryStore::default();
        for n in order {
            store.insert(&Arriving::of([&uneven, &long, &brief][n]), &Params::default());
        }
        let stories: Vec<i64> = store.stories().map(|s| s.0).collect();
        let story = |n: usize| {
            order
                .iter()
                .position(|o| *o == n)
                .and_then(|place| stories.get(place))
        };
        assert_ne!(story(1), story(2), "{order:?}");
    }
}

#[test]
fn an_article_that_is_a_copy_of_two_stories_makes_them_one_but_not_by_their_parts() {
    // Two bad scans: each has other words wrong, so that little is the same in both.
    let scan = |from: usize| -> Vec<String> {
        let wrong = |p: String| {
            let words = p.split(' ').enumerate();
            let words = words.map(|(n, w)| {
                if n % 7 == from {
                    format!("x{w}")
                } else {
                    w.to_owned()
                }
            });
            words.collect::<Vec<_>>().join(" ")
        };
        paragraphs(0..8).into_iter().map(wrong).collect()
    };
    let title = Some("Storm closes harbour");
    let (one, two) = (print(title, &scan(1)), print(title, &scan(4)));
    let article = print(title, &paragraphs(0..8));
    let decide_on = |new: &Fingerprint, a: &Fingerprint, b: &Fingerprint| {
        decide(
            &subject(3, new),
            &[candidate(1, a), candidate(2, b)],
            &[],
            &Params::default(),
        )
    };
    let decision = decide_on(&article, &one, &two);
    assert!(decision.link.is_some());
    let merges: Vec<_> = decision.merges.iter().map(|m| (m.from, m.into)).collect();
    assert_eq!(merges, [(StoryId(2), StoryId(1))]);
    // Parts of it do not tie.
    let (first, second) = (print(title, &paragraphs(0..4)), print(title, &paragraphs(4..8)));
    assert_eq!(decide_on(&article, &first, &second).merges, []);
}
