//! Digests: pages that hold several other articles whole, or large parts of them. They tie no stories together.

use copydesk_article::{ArticleId, Fingerprint, jaccard_of_words};

use crate::compare::Compared;
use crate::decision::FoundDigest;
use crate::inputs::{Candidate, Subject};
use crate::overlap::{Indexed, Overlap};
use crate::params::Params;

/// Share of an article that a digest must hold …
const HELD: f64 = 0.5;
/// … or this share beside another article that it holds whole: a copy that was edited much, or a bad scan.
const HELD_BESIDE: f64 = 0.4;
/// Shared shingles below which an article is not held: a sentence in common is no article.
const HELD_SHINGLES: u32 = 16;
/// A page of which one article makes up this share is a copy of it with something added, unless it holds another one whole.
const MAIN: f64 = 0.75;
/// Share of an article from which a page holds it whole …
const WHOLE: f64 = 0.9;
/// … if it has so many shingles: a line that a site adds is no article.
const WHOLE_SHINGLES: u32 = 30;
/// A copy of a digest holds this share of it. No article in it does: it would leave no room for another.
const COPY: f64 = 0.85;
/// Two parts are different ones if they have at most this share of the smaller part in common.
const COMMON: f64 = 0.2;
/// Titles are alike from this Jaccard similarity: an excerpt under the title of the whole was taken from it.
const SAME_TITLE: f64 = 0.5;

/// What is known of digests around one subject.
#[derive(Debug, Default)]
pub(crate) struct Digests {
    /// The subject is one.
    pub(crate) subject_is_one: bool,
    /// Candidates that turn out to be one.
    pub(crate) digests: Vec<FoundDigest>,
    /// Candidates that must not be linked to.
    apart: Vec<ArticleId>,
}

impl Digests {
    /// Whether the candidate is a digest that holds the subject, or one of the articles that the subject holds.
    pub(crate) fn holds_or_is_held(&self, candidate: ArticleId) -> bool {
        self.apart.contains(&candidate)
    }
}

/// Looks for digests: the subject, and candidates that hold it.
pub(crate) fn among(
    subject: &Subject<'_>,
    kept: &Fingerprint,
    compared: &[Compared<'_, '_>],
    candidates: &[Candidate<'_>],
    params: &Params<'_>,
) -> Digests {
    let mut digests = Digests::default();
    let title = &subject.fingerprint.title_words;
    let held: Vec<&Compared<'_, '_>> = compared
        .iter()
        .filter(|c| {
            c.overlap.shared >= HELD_SHINGLES
                && c.overlap.b_in_a() >= HELD_BESIDE
                && !alike(title, &c.candidate.fingerprint.title_words)
        })
        .collect();
    let mains: Vec<&Compared<'_, '_>> = compared
        .iter()
        .filter(|c| c.overlap.a_in_b() >= MAIN && !c.candidate.digest)
        .collect();
    digests.subject_is_one = if mains.is_empty() {
        hold_two_stories(&held)
    } else {
        hold_another_than(&mains, &held)
    };
    if digests.subject_is_one {
        digests
            .apart
            .extend(held.iter().chain(&mains).map(|c| c.candidate.id));
    }
    for c in compared {
        let candidate = c.candidate;
        let (in_page, of_page) = (c.overlap.a_in_b(), c.overlap.b_in_a());
        let is_part = in_page >= HELD_BESIDE && of_page < MAIN || in_page >= WHOLE;
        if candidate.digest {
            // Copies of the digest itself are copies; the longest article in it is none.
            if of_page < COPY {
                digests.apart.push(candidate.id);
            }
        } else if is_part
            && c.overlap.shared >= HELD_SHINGLES
            && !alike(title, &candidate.fingerprint.title_words)
            && holds_another(kept, candidate, candidates, params)
        {
            digests.apart.push(candidate.id);
            let mut released: Vec<ArticleId> = candidate.excerpts.iter().map(|e| e.id).collect();
            released.sort_unstable();
            digests.digests.push(FoundDigest {
                article: candidate.id,
                released,
            });
        }
    }
    digests
}

/// Whether two of the articles that the subject holds are of different stories and lie in different places of it.
fn hold_two_stories(held: &[&Compared<'_, '_>]) -> bool {
    held.iter().enumerate().any(|(n, one)| {
        held.iter().skip(n + 1).any(|other| {
            one.candidate.story != other.candidate.story
                && are_held(&one.overlap, &other.overlap)
                && are_apart(one.overlap.shared_of_a(), other.overlap.shared_of_a())
        })
    })
}

/// Whether the subject, most of which is `mains`, holds one of these whole and another article whole behind or before it.
fn hold_another_than(mains: &[&Compared<'_, '_>], held: &[&Compared<'_, '_>]) -> bool {
    let is_held = |main: &Compared<'_, '_>| {
        main.overlap.b_in_a() >= HELD && held.iter().any(|c| c.candidate.id == main.candidate.id)
    };
    mains.iter().all(|main| is_held(main))
        && mains.iter().any(|main| is_whole(&main.overlap))
        && held.iter().any(|other| {
            is_whole(&other.overlap)
                && mains.iter().all(|main| {
                    main.candidate.story != other.candidate.story
                        && are_apart(main.overlap.shared_of_a(), other.overlap.shared_of_a())
                })
        })
}

/// Whether a page holds enough of two articles: half of both, or one whole and a large part of the other. The page is `a` of both overlaps.
fn are_held(one: &Overlap, other: &Overlap) -> bool {
    let (less, more) = (one.b_in_a().min(other.b_in_a()), is_whole(one) || is_whole(other));
    less >= HELD || more && less >= HELD_BESIDE
}

/// Whether `a` holds `b` whole.
fn is_whole(overlap: &Overlap) -> bool {
    overlap.b_in_a() >= WHOLE && overlap.shared >= WHOLE_SHINGLES
}

/// Whether a candidate that holds the subject holds another article, in another place: the one that it is linked to, or
/// one of its excerpts.
fn holds_another(
    kept: &Fingerprint,
    candidate: &Candidate<'_>,
    candidates: &[Candidate<'_>],
    params: &Params<'_>,
) -> bool {
    let linked = candidate
        .link
        .and_then(|link| candidates.iter().find(|c| c.id == link.to))
        .map(|c| c.fingerprint);
    let mut others = linked
        .into_iter()
        .chain(candidate.excerpts.iter().map(|e| e.fingerprint))
        .peekable();
    if others.peek().is_none() {
        return false;
    }
    let whole = candidate.fingerprint;
    let whole_indexed = Indexed::of(whole);
    let with_subject = Overlap::of(&whole_indexed, kept, params.common);
    others.any(|other| {
        if alike(&other.title_words, &whole.title_words) {
            return false;
        }
        let with_other = Overlap::of(&whole_indexed, other, params.common);
        let is_main = with_subject.a_in_b() >= MAIN || with_other.a_in_b() >= MAIN;
        with_other.shared >= HELD_SHINGLES
            && are_held(&with_subject, &with_other)
            && (!is_main || is_whole(&with_subject) && is_whole(&with_other))
            && are_apart(with_subject.shared_of_a(), with_other.shared_of_a())
    })
}

fn alike(one: &[u32], other: &[u32]) -> bool {
    jaccard_of_words(one, other) >= SAME_TITLE
}

/// Whether two sets of places have next to nothing in common.
fn are_apart(one: &[u64], other: &[u64]) -> bool {
    let ones = |bits: &[u64]| bits.iter().map(|b| b.count_ones()).sum::<u32>();
    let both: u32 = one.iter().zip(other).map(|(a, b)| (a & b).count_ones()).sum();
    f64::from(both) <= COMMON * f64::from(ones(one).min(ones(other)))
}
