//! Candidates side by side with the subject: what each shares with it, and what others share of that.

use copydesk_article::{ArticleId, Fingerprint};

use crate::decision::Refusal;
use crate::facts::{Around, Facts};
use crate::inputs::{Candidate, Recent, Subject};
use crate::overlap::{Indexed, Overlap};
use crate::params::Params;
use crate::site::SiteEvidence;

/// A candidate that shares something with the subject.
pub(crate) struct Compared<'c, 'a> {
    pub(crate) candidate: &'c Candidate<'a>,
    pub(crate) overlap: Overlap,
    pub(crate) facts: Facts,
    /// The normalised bodies are equal.
    pub(crate) same_body: bool,
}

/// Why a candidate need not be weighed.
pub(crate) type Excluded = (ArticleId, Refusal);

/// Compares the subject, without its site's own blocks, with each candidate.
pub(crate) fn compare<'c, 'a>(
    subject: &Subject<'_>,
    kept: &Indexed<'_>,
    candidates: &'c [Candidate<'a>],
    few_siblings: bool,
    params: &Params<'_>,
) -> (Vec<Compared<'c, 'a>>, Vec<Excluded>) {
    let mut excluded = Vec::new();
    let mut overlaps = Vec::with_capacity(candidates.len());
    for candidate in candidates {
        match exclude(subject, kept.text, candidate) {
            Some(refusal) => excluded.push((candidate.id, refusal)),
            None => {
                let overlap = Overlap::of(kept, candidate.fingerprint, params.common);
                let same_body = subject.fingerprint.body_hash == candidate.fingerprint.body_hash;
                if overlap.shared < params.least_shared && !same_body {
                    excluded.push((candidate.id, Refusal::TooLittleShared));
                } else {
                    overlaps.push((candidate, overlap, same_body));
                }
            }
        }
    }
    let elsewhere: Vec<f64> = overlaps
        .iter()
        .map(|(candidate, overlap, _)| {
            let others = overlaps
                .iter()
                .filter(|(other, ..)| other.story != candidate.story && !other.digest)
                .map(|(_, other, _)| other.shared_of_a());
            shown_by_others(overlap.shared_of_a(), others)
        })
        .collect();
    let compared = overlaps
        .into_iter()
        .zip(elsewhere)
        .map(|((candidate, overlap, same_body), elsewhere)| {
            let same_site = subject.site.is_some() && subject.site == candidate.site;
            let around = Around {
                hours: subject.times.hours_between(&candidate.times),
                same_site,
                few_siblings: same_site && few_siblings,
                elsewhere,
            };
            Compared {
                candidate,
                facts: Facts::of(kept, candidate.fingerprint, &overlap, &around),
                overlap,
                same_body,
            }
        })
        .collect();
    (compared, excluded)
}

/// What is certain without weighing anything.
fn exclude(subject: &Subject<'_>, kept: &Fingerprint, candidate: &Candidate<'_>) -> Option<Refusal> {
    if candidate.id == subject.id {
        Some(Refusal::SameArticle)
    } else if subject.url_hash.is_some() && subject.url_hash == candidate.url_hash {
        Some(Refusal::SameAddress)
    } else if candidate.fingerprint.version != subject.fingerprint.version {
        Some(Refusal::OtherRecipe)
    } else if kept.shingles.is_empty() && !subject.fingerprint.shingles.is_empty() {
        Some(Refusal::OnlySiteBlocks)
    } else {
        None
    }
}

/// Share of the bits in `own` that any of the others has.
fn shown_by_others<'o>(own: &[u64], others: impl Iterator<Item = &'o [u64]>) -> f64 {
    let mut shown: Vec<u64> = Vec::new();
    for other in others {
        shown.resize(shown.len().max(other.len()), 0);
        for (sum, bits) in shown.iter_mut().zip(other) {
            *sum |= bits;
        }
    }
    let ones = |bits: u64| bits.count_ones();
    let all: u32 = own.iter().map(|bits| ones(*bits)).sum();
    let both: u32 = own.iter().zip(&shown).map(|(a, b)| ones(a & b)).sum();
    f64::from(both) / f64::from(all.max(1))
}

/// What the decision knows of each candidate that shares something with the subject, by id: for measurements and for
/// the fit of the weights. The arguments are those of [`crate::decide()`].
pub fn facts(
    subject: &Subject<'_>,
    candidates: &[Candidate<'_>],
    recents: &[Recent<'_>],
    params: &Params<'_>,
) -> Vec<(ArticleId, Facts)> {
    let site = SiteEvidence::of(subject, recents, params);
    let kept = site.kept(subject.fingerprint);
    let (compared, _) = compare(
        subject,
        &Indexed::of(&kept),
        candidates,
        site.few_siblings,
        params,
    );
    let mut facts: Vec<(ArticleId, Facts)> = compared.iter().map(|c| (c.candidate.id, c.facts)).collect();
    facts.sort_by_key(|(id, _)| *id);
    facts
}
