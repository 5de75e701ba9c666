//! Properties of the decision: what must not matter does not, what must hold holds.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

mod texts;

use copydesk_article::{ArticleId, Fingerprint, Relation, StoryId};
use copydesk_dedup::memory::{Arriving, MemoryStore};
use copydesk_dedup::{
    Candidate, CommonShingles, LinkReason, Params, PriorLink, Recent, Refusal, Subject, decide,
};
use proptest::prelude::*;
use texts::{article, candidate, paragraphs, print, subject};

/// An article of a made-up site.
#[derive(Debug, Clone)]
struct Piece {
    fingerprint: Fingerprint,
    site: Option<&'static str>,
    url_hash: Option<u64>,
    linked_to: Option<usize>,
}

fn piece() -> impl Strategy<Value = Piece> {
    (
        article(),
        prop::sample::select(vec![None, Some("a.example"), Some("b.example")]),
        prop::option::of(0..20_u64),
        prop::option::weighted(0.3, 0..6_usize),
    )
        .prop_map(|((title, paragraphs), site, url_hash, linked_to)| Piece {
            fingerprint: print(title.as_deref(), &paragraphs),
            site,
            url_hash,
            linked_to,
        })
}

fn candidates(pieces: &[Piece]) -> Vec<Candidate<'_>> {
    pieces
        .iter()
        .enumerate()
        .map(|(n, piece)| Candidate {
            site: piece.site,
            url_hash: piece.url_hash,
            link: piece.linked_to.filter(|to| *to < n).map(|to| PriorLink {
                to: ArticleId(to as i64),
                shared: 20,
            }),
            ..candidate(n as i64, &piece.fingerprint)
        })
        .collect()
}

fn recents(pieces: &[Piece]) -> Vec<Recent<'_>> {
    pieces
        .iter()
        .enumerate()
        .map(|(n, piece)| Recent {
            id: ArticleId(1_000 + n as i64),
            url_hash: piece.url_hash,
            blocks: &piece.fingerprint.blocks,
            title_words: &piece.fingerprint.title_words,
        })
        .collect()
}

fn arriving(piece: &Piece) -> Subject<'_> {
    Subject {
        site: piece.site,
        url_hash: piece.url_hash,
        ..subject(5_000, &piece.fingerprint)
    }
}

proptest! {
    #[test]
    fn order_does_not_matter(
        new in piece(),
        (olds, shuffled) in prop::collection::vec(piece(), 0..8)
            .prop_flat_map(|v| { let n: Vec<usize> = (0..v.len()).collect(); (Just(v), Just(n).prop_shuffle()) }),
        (of_site, site_shuffled) in prop::collection::vec(piece(), 0..8)
            .prop_flat_map(|v| { let n: Vec<usize> = (0..v.len()).collect(); (Just(v), Just(n).prop_shuffle()) }),
    ) {
        let (some, last) = (candidates(&olds), recents(&of_site));
        let others: Vec<_> = shuffled.iter().map(|n| some[*n]).collect();
        let others_last: Vec<_> = site_shuffled.iter().map(|n| last[*n]).collect();
        let params = Params::default();
        prop_assert_eq!(
            decide(&arriving(&new), &some, &last, &params),
            decide(&arriving(&new), &others, &others_last, &params)
        );
    }

    #[test]
    fn an_unrelated_article_changes_nothing(
        new in piece(),
        olds in prop::collection::vec(piece(), 0..6),
        stranger in prop::collection::vec(1_000..2_000_u64, 1..8),
    ) {
        let some = candidates(&olds);
        let strange = print(Some("Quite another matter"), &paragraphs(stranger));
        let mut more = some.clone();
        let id = ArticleId(900);
        more.push(Candidate { site: Some("c.example"), ..candidate(900, &strange) });
        let params = Params::default();
        let before = decide(&arriving(&new), &some, &[], &params);
        let mut after = decide(&arriving(&new), &more, &[], &params);
        prop_assert!(after.refusals.contains(&(id, Refusal::TooLittleShared)));
        after.refusals.retain(|(refused, _)| *refused != id);
        prop_assert_eq!(before, after);
    }

    #[test]
    fn an_unrelated_recent_changes_nothing(
        new in piece(),
        olds in prop::collection::vec(piece(), 0..6),
        of_site in prop::collection::vec(piece(), 4..8),
        stranger in prop::collection::vec(1_000..2_000_u64, 1..8),
    ) {
        let strange = print(None, &paragraphs(stranger));
        let mut last = recents(&of_site);
        let params = Params::default();
        let before = decide(&arriving(&new), &candidates(&olds), &last, &params);
        last.push(Recent { id: ArticleId(900), url_hash: None, blocks: &strange.blocks, title_words: &[] });
        prop_assert_eq!(before, decide(&arriving(&new), &candidates(&olds), &last, &params));
    }

    #[test]
    fn figures_stay_in_their_bounds(
        new in piece(),
        olds in prop::collection::vec(piece(), 1..6),
        weighted in any::<bool>(),
    ) {
        let counts = new.fingerprint.shingles.iter().step_by(3).map(|s| (s.hash, 9));
        let list = CommonShingles::new(1, counts);
        let params = Params { common: weighted.then_some(&list), ..Params::default() };
        let some = candidates(&olds);
        let decision = decide(&arriving(&new), &some, &[], &params);
        // Every candidate is either the one that is linked to or refused, once.
        prop_assert_eq!(decision.refusals.len() + usize::from(decision.link.is_some()), some.len());
        let Some(link) = decision.link else { return Ok(()) };
        let old = &olds[link.to.0 as usize].fingerprint;
        for share in [link.similarity, link.in_linked, link.of_linked] {
            prop_assert!((0.0..=1.0).contains(&share));
        }
        prop_assert!(link.similarity <= link.in_linked.min(link.of_linked) + 1e-9);
        prop_assert!(link.shared as usize <= new.fingerprint.shingles.len().min(old.shingles.len()));
        prop_assert_eq!(link.reason == LinkReason::SameBody, link.relation == Relation::ExactCopy);
    }

    #[test]
    fn a_storys_original_is_older_than_its_copies(
        pieces in prop::collection::vec(piece(), 1..25),
    ) {
        let mut store = MemoryStore::default();
        let params = Params::default();
        for piece in &pieces {
            let article = Arriving {
                site: piece.site,
                url_hash: piece.url_hash,
                ..Arriving::of(&piece.fingerprint)
            };
            let (id, decision) = store.insert(&article, &params);
            prop_assert!(decision.link.is_none_or(|l| l.to < id));
            prop_assert!(decision.refusals.iter().all(|(refused, _)| *refused < id));
            prop_assert!(decision.relink.is_none_or(|r| r.from < r.article && r.article < id));
        }
        let stories: Vec<StoryId> = store.stories().collect();
        for (n, story) in stories.iter().enumerate() {
            prop_assert!(story.0 <= n as i64, "an article is in the story of a younger one");
            prop_assert_eq!(stories[story.0 as usize], *story, "the original left its own story");
        }
    }
}

/// Whether the newer of two texts of one site, under their titles and without times, is taken for a copy of the older.
fn joins(older: (&str, &[&str]), newer: (&str, &[&str])) -> bool {
    let prints = [older, newer].map(|(title, text)| {
        let text: Vec<String> = text.iter().map(|p| (*p).to_owned()).collect();
        print(Some(title), &text)
    });
    let [older, newer] = &prints;
    let site = Some("paper.example");
    let candidate = Candidate {
        site,
        ..candidate(1, older)
    };
    let subject = Subject {
        site,
        ..subject(2, newer)
    };
    let params = Params {
        min_siblings: 0,
        ..Params::default()
    };
    decide(&subject, &[candidate], &[], &params).link.is_some()
}

#[test]
fn two_weeks_of_one_league_are_no_copies() {
    let week = |scores: [&'static str; 2], points: &'static str| {
        [
            points,
            scores[0],
            scores[1],
            "Team sheets go to Edda Horne at the office of the league in Brackwater by Monday noon, as secretary Piet Lomax reminds all clubs.",
        ]
    };
    let one = week(
        [
            "Brackwater 2 Old Mill 1. Saltings Rovers 0 Penbury 0. Fallow Athletic 3 Greystone 2.",
            "Coldharbour 1 Nettle Vale 4. Twin Bridges 2 Marl Wanderers 2. Sorrel 0 Quarry End 1.",
        ],
        "Results of the Lowland League, sponsored by the Horne Brewery. Penbury lead with 41 points.",
    );
    let other = week(
        [
            "Brackwater 1 Old Mill 1. Saltings Rovers 2 Penbury 0. Fallow Athletic 0 Greystone 3.",
            "Coldharbour 2 Nettle Vale 4. Twin Bridges 5 Marl Wanderers 2. Sorrel 1 Quarry End 1.",
        ],
        "Results of the Lowland League, sponsored by the Horne Brewery. Penbury lead with 44 points.",
    );
    assert!(!joins(
        ("Lowland League results", &one),
        ("Lowland League results", &other)
    ));
    // The same results with a word changed here and there.
    let edited: Vec<String> = one
        .iter()
        .map(|p| {
            p.replace("reminds all", "tells all")
                .replace("lead with", "are ahead with")
        })
        .collect();
    let edited: Vec<&str> = edited.iter().map(String::as_str).collect();
    assert!(joins(
        ("Lowland League results", &one),
        ("Lowland League results", &edited)
    ));
}

#[test]
fn other_items_in_the_same_frame_are_no_copy() {
    let frame = [
        "Where do you go for a free afternoon by the water? We asked our readers, and hundreds of letters came in. These are the places that they named most often this year.",
        "Mind the tide before you set out, leave word at home, and carry water for the whole day. In summer the last bus back leaves at six, and nobody answers the telephone at the pier.",
        "Have we left out the one that you like best? Write to us, and it may be in the next list. Send a picture if you have one, with the name of whoever made it.",
    ];
    let list = |items: [&'static str; 4]| [&frame[..1], &items, &frame[1..]].concat();
    let one = list([
        "1. Heron Pool. Deep and green, with a rope that hangs from an old willow tree.",
        "2. The Mill Race. Cold even in August, and not for small children.",
        "3. Saltings Beach. A mile of sand, and a hut that sells tea until five.",
        "4. Lower Weir. Flat stones to lie on, and nobody there before noon.",
    ]);
    let other = list([
        "1. Quarry Lake. You can see the bottom at thirty feet on a still day.",
        "2. Cutler's Ford. Shallow and warm, with cows that come to drink at dusk.",
        "3. The Basin. Boats may be hired by the hour from the boathouse keeper.",
        "4. Sorrel Sands. Best when the wind is from the east and geese come in.",
    ]);
    let titles = (
        "The 4 best swims in Marl County",
        "The 4 best swims in Fallow County",
    );
    assert!(!joins((titles.0, &one), (titles.1, &other)));
    assert!(joins((titles.0, &one), (titles.0, &one[..5])));
}

#[test]
fn a_text_in_capitals_is_a_copy_of_the_same_in_letters_of_both_cases() {
    let text = paragraphs(0..5);
    let capitals: Vec<String> = text
        .iter()
        .map(|p| format!("{} (NWA)", p.to_uppercase()))
        .collect();
    let [text, capitals] = [&text, &capitals].map(|t| t.iter().map(String::as_str).collect::<Vec<_>>());
    let title = "Storm closes harbour";
    assert!(joins((title, &text), (title, &capitals)));
}

#[test]
fn a_page_that_holds_an_article_whole_and_much_of_another_is_a_digest() {
    let whole = print(Some("Vote goes on"), &paragraphs(10..14));
    let much = print(Some("Storm closes harbour"), &paragraphs(0..10));
    let page = |from_much: u64| {
        print(
            Some("The day in brief"),
            &paragraphs((10..14).chain(0..from_much).chain(30..34)),
        )
    };
    let relation = |page: &Fingerprint| {
        let candidates = [candidate(1, &whole), candidate(2, &much)];
        decide(&subject(3, page), &candidates, &[], &Params::default()).relation()
    };
    assert_eq!(relation(&page(5)), Relation::Digest);
    assert_ne!(
        relation(&page(2)),
        Relation::Digest,
        "two paragraphs of ten were pasted"
    );
}
