//! One case for every reason of a link and of a refusal.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

mod texts;

use copydesk_article::{ArticleId, Fingerprint, Relation};
use copydesk_dedup::{
    Candidate, Decision, LinkReason, Params, Recent, Refusal, Sign, Subject, Times, decide,
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
