//! Properties of the decision: what must not matter does not, what must hold holds.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

mod texts;

use copydesk_article::{ArticleId, Fingerprint, Relation, StoryId};
use copydesk_dedup::memory::MemoryStore;
use copydesk_dedup::{
    Candidate, CommonShingles, Decision, LinkReason, Params, PriorLink, Recent, Refusal, Subject, decide,
};
use proptest::prelude::*;
use texts::{article, paragraph, paragraphs, print};

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
            id: ArticleId(n as i64),
            story: StoryId(n as i64),
            site: piece.site,
            url_hash: piece.url_hash,
            fingerprint: &piece.fingerprint,
            link: piece.linked_to.filter(|to| *to < n).map(|to| PriorLink {
                to: ArticleId(to as i64),
                shared: 20,
            }),
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

fn subject(piece: &Piece) -> Subject<'_> {
    Subject {
        id: ArticleId(5_000),
        site: piece.site,
        url_hash: piece.url_hash,
        fingerprint: &piece.fingerprint,
    }
}

fn decide_alone(subject_: &Fingerprint, other: &Fingerprint) -> Decision {
    let new = Subject {
        id: ArticleId(2),
        site: None,
        url_hash: None,
        fingerprint: subject_,
    };
    let old = Candidate {
        id: ArticleId(1),
        story: StoryId(1),
        site: None,
        url_hash: None,
        fingerprint: other,
        link: None,
    };
    decide(&new, &[old], &[], &Params::default())
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
            decide(&subject(&new), &some, &last, &params),
            decide(&subject(&new), &others, &others_last, &params)
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
        more.push(Candidate {
            id, story: StoryId(900), site: Some("c.example"), url_hash: None, fingerprint: &strange, link: None,
        });
        let params = Params::default();
        let before = decide(&subject(&new), &some, &[], &params);
        let mut after = decide(&subject(&new), &more, &[], &params);
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
        let before = decide(&subject(&new), &candidates(&olds), &last, &params);
        last.push(Recent { id: ArticleId(900), url_hash: None, blocks: &strange.blocks, title_words: &[] });
        prop_assert_eq!(before, decide(&subject(&new), &candidates(&olds), &last, &params));
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
        let decision = decide(&subject(&new), &some, &[], &params);
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
            let (id, decision) = store.insert(piece.site, piece.url_hash, &piece.fingerprint, &params);
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

#[test]
fn nothing_meets_nothing() {
    let empty = print(None, &[]);
    assert!(empty.keys.is_empty());
    let decision = decide_alone(&empty, &print(None, &paragraphs(0..3)));
    assert_eq!(decision.link, None);
}

#[test]
fn a_cut_copy_is_an_excerpt_and_the_whole_contains_it() {
    let (whole, cut) = (print(None, &paragraphs(0..10)), print(None, &paragraphs(0..3)));
    let link = decide_alone(&cut, &whole).link.unwrap();
    assert_eq!((link.relation, link.in_linked > 0.95), (Relation::Excerpt, true));
    let link = decide_alone(&whole, &cut).link.unwrap();
    assert_eq!((link.relation, link.of_linked > 0.95), (Relation::Contains, true));
}

fn refusal(subject_: &Fingerprint, other: &Fingerprint) -> Option<Refusal> {
    let decision = decide_alone(subject_, other);
    assert_eq!(decision.link.is_none(), decision.refusals.len() == 1);
    decision.refusals.first().map(|(_, r)| *r)
}

#[test]
fn one_pasted_paragraph_is_no_copy_but_a_lead_under_the_same_title_is() {
    let long: String = (0..4).map(paragraph).collect::<Vec<_>>().join(" ");
    let host = [vec![long.clone()], paragraphs(10..13)].concat();
    let donor = [vec![long], paragraphs(20..23)].concat();
    assert_eq!(
        refusal(&print(Some("Storm"), &host), &print(Some("Vote"), &donor)),
        Some(Refusal::OneParagraph)
    );
    let title = Some("Storm closes harbour");
    assert_eq!(refusal(&print(title, &host), &print(title, &donor)), None);
}

#[test]
fn several_pasted_paragraphs_are_no_copy_unless_the_titles_are_alike() {
    let host = paragraphs((0..4).chain(10..14));
    let donor = paragraphs((0..4).chain(20..24));
    assert_eq!(
        refusal(&print(Some("Storm"), &host), &print(Some("Vote"), &donor)),
        Some(Refusal::SmallPart)
    );
    let (one, other) = (Some("Storm closes the harbour"), Some("Harbour shut"));
    assert_eq!(refusal(&print(one, &host), &print(other, &donor)), None);
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
    let link = decide_alone(&print(Some("Vote"), &edited), &print(Some("Trial"), &original))
        .link
        .unwrap();
    assert!(link.in_linked < 0.6, "{link:?}");
}

#[test]
fn a_template_filled_in_twice_is_no_copy() {
    let report = |n: u64, city: &str, mayor: &str| {
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
    };
    let (a, b) = (
        report(4, "Velmora", "Ilsa Brandt"),
        report(11, "Tarnow", "Jon Kepler"),
    );
    assert_eq!(
        refusal(&print(None, &a), &print(None, &b)),
        Some(Refusal::NumbersDiffer)
    );
    assert_eq!(refusal(&print(None, &a), &print(None, &a)), None);
}

#[test]
fn what_is_no_candidate_is_refused_as_such() {
    let text = print(None, &paragraphs(0..4));
    let mut older_recipe = text.clone();
    older_recipe.version.0 -= 1;
    let id = |n| ArticleId(n);
    let of = |id, url_hash, fingerprint| Candidate {
        id,
        story: StoryId(0),
        site: None,
        url_hash,
        fingerprint,
        link: None,
    };
    let new = Subject {
        id: id(9),
        site: None,
        url_hash: Some(7),
        fingerprint: &text,
    };
    let some = [
        of(id(9), None, &text),
        of(id(1), Some(7), &text),
        of(id(2), None, &older_recipe),
    ];
    let decision = decide(&new, &some, &[], &Params::default());
    assert_eq!(
        decision.refusals,
        [
            (id(1), Refusal::SameAddress),
            (id(2), Refusal::OtherRecipe),
            (id(9), Refusal::SameArticle)
        ]
    );
}

#[test]
fn a_sites_own_blocks_tie_nothing_together() {
    let furniture = paragraphs(100..106);
    let page = |n: u64| [furniture.clone(), paragraphs(n * 10..n * 10 + 2)].concat();
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
        id: ArticleId(3),
        story: StoryId(3),
        site: Some("a.example"),
        url_hash: None,
        fingerprint: &pages[3],
        link: None,
    };
    let new = Subject {
        id: ArticleId(4),
        site: Some("a.example"),
        url_hash: None,
        fingerprint: &pages[4],
    };
    let decision = decide(&new, &[old], &of_site, &Params::default());
    assert_eq!((decision.link, decision.dropped.len()), (None, 6));
    assert_eq!(decision.refusals[0].1, Refusal::TooLittleShared);
    assert!(decision.kept(&pages[4]).shingles.len() < pages[4].shingles.len() / 2);

    // Nothing but furniture.
    let bare = print(None, &furniture);
    let new = Subject {
        fingerprint: &bare,
        ..new
    };
    assert_eq!(
        decide(&new, &[old], &of_site, &Params::default()).refusals[0].1,
        Refusal::OnlySiteBlocks
    );
    // Without memory the same pages need more than that, and after it their titles must be alike.
    let new = Subject {
        fingerprint: &pages[4],
        ..new
    };
    let params = Params {
        same_site_jaccard: 0.9,
        ..Params::default()
    };
    assert_eq!(
        decide(&new, &[old], &[], &params).refusals[0].1,
        Refusal::YoungSite
    );
    let titled = [print(Some("Storm"), &page(7)), print(Some("Vote"), &page(8))];
    let old = Candidate {
        fingerprint: &titled[0],
        ..old
    };
    let new = Subject {
        fingerprint: &titled[1],
        ..new
    };
    let strangers: Vec<Recent<'_>> = of_site.iter().map(|r| Recent { blocks: &[], ..*r }).collect();
    assert_eq!(
        decide(&new, &[old], &strangers, &params).refusals[0].1,
        Refusal::UnlikeTitle
    );
}

#[test]
fn the_best_of_two_wins_and_a_false_tie_is_undone() {
    let p = print(None, &paragraphs(0..8));
    let j = print(None, &paragraphs((6..8).chain(20..30)));
    let new = print(None, &paragraphs(20..30));
    let params = Params {
        extent: 0.0,
        ..Params::default()
    };
    let original = Candidate {
        id: ArticleId(1),
        story: StoryId(1),
        site: None,
        url_hash: None,
        fingerprint: &p,
        link: None,
    };
    let prior = PriorLink {
        to: ArticleId(1),
        shared: 60,
    };
    let copy = Candidate {
        id: ArticleId(2),
        fingerprint: &j,
        link: Some(prior),
        ..original
    };
    let subject_ = Subject {
        id: ArticleId(3),
        site: None,
        url_hash: None,
        fingerprint: &new,
    };
    let decision = decide(&subject_, &[original, copy], &[], &params);
    let relink = decision.relink.unwrap();
    assert_eq!(
        (relink.article, relink.from, relink.new_story),
        (ArticleId(2), ArticleId(1), StoryId(2))
    );
    assert_eq!(decision.link.unwrap().story, StoryId(2));
    assert_eq!(decision.refusals, [(ArticleId(1), Refusal::TooLittleShared)]);
}
