//! One case for every guard of the decision and every reason of a refusal.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

mod texts;

use copydesk_article::{ArticleId, Fingerprint, Relation, StoryId};
use copydesk_dedup::{Candidate, Decision, Params, PriorLink, Recent, Refusal, Subject, decide};
use texts::{paragraph, paragraphs, print};

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
