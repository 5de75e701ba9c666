//! One case for every reason of a link and of a refusal, and for what digests and ties do to stories.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

mod texts;

use copydesk_article::{ArticleId, Fingerprint, Relation, StoryId};
use copydesk_dedup::memory::{Arriving, MemoryStore};
use copydesk_dedup::{
    Candidate, Decision, Excerpt, LinkReason, Params, PriorLink, Recent, Refusal, Sign, Subject, Times,
    decide,
};
use texts::{candidate, paragraph, paragraphs, print, subject};

fn decide_alone(new: &Fingerprint, old: &Fingerprint) -> Decision {
    decide(&subject(2, new), &[candidate(1, old)], &[], &Params::default())
}

fn refusal(new: &Fingerprint, old: &Fingerprint) -> Option<Refusal> {
    let decision = decide_alone(new, old);
    assert_eq!(decision.link.is_none(), decision.refusals.len() == 1);
    decision.refusals.first().map(|(_, r)| *r)
}

#[test]
fn nothing_meets_nothing() {
    let empty = print(None, &[]);
    assert!(empty.keys.is_empty());
    let decision = decide_alone(&empty, &print(None, &paragraphs(0..3)));
    assert_eq!(decision.link, None);
    assert_eq!(decision.relation(), Relation::Original);
}

#[test]
fn a_cut_copy_is_an_excerpt_and_the_whole_contains_it() {
    let (whole, cut) = (print(None, &paragraphs(0..10)), print(None, &paragraphs(0..3)));
    let link = decide_alone(&cut, &whole).link.unwrap();
    assert_eq!((link.relation, link.in_linked > 0.95), (Relation::Excerpt, true));
    let link = decide_alone(&whole, &cut).link.unwrap();
    assert_eq!((link.relation, link.of_linked > 0.95), (Relation::Contains, true));
}

#[test]
fn pasted_paragraphs_are_no_copy() {
    let long: String = (0..4).map(paragraph).collect::<Vec<_>>().join(" ");
    let host = [vec![long.clone()], paragraphs(10..14)].concat();
    let donor = [vec![long], paragraphs(20..24)].concat();
    let (storm, vote) = (Some("Storm closes harbour"), Some("Vote goes on"));
    assert_eq!(
        refusal(&print(storm, &host), &print(vote, &donor)),
        Some(Refusal::WeighedAgainst)
    );
    let host = paragraphs((0..3).chain(10..17));
    let donor = paragraphs((0..3).chain(20..27));
    assert_eq!(
        refusal(&print(storm, &host), &print(vote, &donor)),
        Some(Refusal::WeighedAgainst)
    );
}

#[test]
fn words_changed_all_over_are_a_copy() {
    let original = paragraphs(0..6);
    let edited: Vec<String> = original
        .iter()
        .map(|p| {
            let words = p.split(' ').enumerate();
            words
                .map(|(n, w)| if n % 5 == 4 && n % 3 > 0 { "edited" } else { w })
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect();
    let link = decide_alone(&print(Some("Vote"), &edited), &print(Some("Vote"), &original))
        .link
        .unwrap();
    assert!(link.in_linked < 0.6, "{link:?}");
    assert_eq!(link.reason, LinkReason::Weighed);
}

fn report(n: u64, city: &str, mayor: &str) -> Vec<String> {
    vec![
        format!(
            "The day in {city} began with {n} degrees and light rain from the west, while the roads along the \
             coast stayed open for traffic in both directions, said {mayor}."
        ),
        format!(
            "By noon it was {} degrees in the shade, with wind of {} knots from the sea and clouds that moved \
             inland over the hills in the course of the afternoon.",
            n + 7,
            n * 3
        ),
        format!(
            "For the night {mayor} expects {} degrees and up to {} millimetres of rain, before the sky clears \
             again from the north and the wind calms down.",
            n + 2,
            n * 5
        ),
    ]
}

#[test]
fn a_template_filled_in_twice_is_no_copy_and_the_figures_say_why() {
    let (a, b) = (
        print(None, &report(4, "Velmora", "Ilsa Brandt")),
        print(None, &report(11, "Tarnow", "Jon Kepler")),
    );
    let decision = decide_alone(&a, &b);
    assert_eq!(decision.refusals, [(ArticleId(1), Refusal::WeighedAgainst)]);
    let against: Vec<Sign> = decision.weighed[0]
        .strongest(12)
        .iter()
        .filter(|r| r.brings < 0.0)
        .map(|r| r.sign)
        .collect();
    assert!(
        against.contains(&Sign::NumbersChanged) && against.contains(&Sign::NamesChanged),
        "{against:?}"
    );
    assert_eq!(refusal(&a, &a), None);
}

#[test]
fn a_nearly_whole_copy_joins_whenever_it_comes_and_a_series_does_not() {
    let at = |days: i64| Times {
        published: Some(1_700_000_000 + days * 86_400),
        seen: None,
    };
    let whole = report(4, "Velmora", "Ilsa Brandt");
    let mut edited = whole.clone();
    edited[1] = edited[1].replace("in the course of the afternoon", "after lunch");
    let (old, new) = (print(Some("Storm"), &whole), print(Some("Other words"), &edited));
    let decide_after = |new: &Fingerprint, days| {
        let older = Candidate {
            times: at(0),
            ..candidate(1, &old)
        };
        let newer = Subject {
            times: at(days),
            ..subject(2, new)
        };
        decide(&newer, &[older], &[], &Params::default()).link
    };
    for days in [0, 3, 400] {
        let link = decide_after(&new, days).unwrap();
        assert_eq!(link.reason, LinkReason::NearlyWhole, "{days} days");
    }
    // Of the same words with other figures the later one is another instance.
    let next = print(Some("Storm"), &report(5, "Velmora", "Ilsa Brandt"));
    assert_eq!(decide_after(&next, 7), None);
}

#[test]
fn what_is_no_candidate_is_refused_as_such() {
    let text = print(None, &paragraphs(0..4));
    let mut older_recipe = text.clone();
    older_recipe.version.0 -= 1;
    let stranger = print(None, &paragraphs(50..54));
    let new = Subject {
        url_hash: Some(7),
        ..subject(9, &text)
    };
    let some = [
        candidate(9, &text),
        Candidate {
            url_hash: Some(7),
            ..candidate(1, &text)
        },
        candidate(2, &older_recipe),
        candidate(3, &stranger),
    ];
    let decision = decide(&new, &some, &[], &Params::default());
    assert_eq!(
        decision.refusals,
        [
            (ArticleId(1), Refusal::SameAddress),
            (ArticleId(2), Refusal::OtherRecipe),
            (ArticleId(3), Refusal::TooLittleShared),
            (ArticleId(9), Refusal::SameArticle)
        ]
    );
}

#[test]
fn a_sites_own_blocks_tie_nothing_together() {
    let repeated = paragraphs(100..106);
    let page = |n: u64| [paragraphs(n * 10..n * 10 + 2), repeated.clone()].concat();
    let pages: Vec<Fingerprint> = (0..5).map(|n| print(None, &page(n))).collect();
    let of_site: Vec<Recent<'_>> = pages
        .iter()
        .take(4)
        .enumerate()
        .map(|(n, p)| Recent {
            id: ArticleId(n as i64),
            url_hash: None,
            blocks: &p.blocks,
            title_words: &[],
        })
        .collect();
    let old = Candidate {
        site: Some("a.example"),
        ..candidate(3, &pages[3])
    };
    let new = Subject {
        site: Some("a.example"),
        ..subject(4, &pages[4])
    };
    let decision = decide(&new, &[old], &of_site, &Params::default());
    assert_eq!((decision.link, decision.dropped.len()), (None, 6));
    assert_eq!(decision.refusals[0].1, Refusal::TooLittleShared);
    assert!(decision.kept(&pages[4]).shingles.len() < pages[4].shingles.len() / 2);

    // Nothing but repeated.
    let bare = print(None, &repeated);
    let nothing = Subject {
        fingerprint: &bare,
        ..new
    };
    let refused = |new: &Subject<'_>, recents: &[Recent<'_>]| {
        decide(new, &[old], recents, &Params::default())
            .refusals
            .first()
            .map(|r| r.1)
    };
    assert_eq!(refused(&nothing, &of_site), Some(Refusal::OnlySiteBlocks));
    // Without memory the same pages are of a site that is too new.
    assert_eq!(refused(&new, &[]), Some(Refusal::WeighedAgainst));
}

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
