//! The decision: is this article a copy of one of these candidates, and of which?

use std::borrow::Cow;

use copydesk_article::{ArticleId, BlockHash, Fingerprint, Relation, StoryId};

use crate::guards;
use crate::overlap::Overlap;
use crate::params::Params;
use crate::site;

/// The article to be decided on.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Its id.
    pub id: ArticleId,
    /// Its site, if known.
    pub site: Option<&'a str>,
    /// Hash of its canonical address, if it has one.
    pub url_hash: Option<u64>,
    /// Its fingerprint, of the whole cleaned text.
    pub fingerprint: &'a Fingerprint,
}

/// An older article that owns one of the subject's keys.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// Its id.
    pub id: ArticleId,
    /// The story that it is in.
    pub story: StoryId,
    /// Its site, if known.
    pub site: Option<&'a str>,
    /// Hash of its canonical address, if it has one.
    pub url_hash: Option<u64>,
    /// Its evidence as stored, that is without the blocks that were dropped when it came.
    pub fingerprint: &'a Fingerprint,
    /// Its own link, if it is not the original of its story.
    pub link: Option<PriorLink>,
}

/// The link that a candidate has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PriorLink {
    /// The article it is linked to.
    pub to: ArticleId,
    /// Shingles that the two share, as recorded in [`Link::shared`].
    pub shared: u32,
}

/// One of the last articles of the subject's site. What was visible is enough: they may be stale.
#[derive(Debug, Clone, Copy)]
pub struct Recent<'a> {
    /// Its id.
    pub id: ArticleId,
    /// Hash of its canonical address, if it has one.
    pub url_hash: Option<u64>,
    /// All its block hashes, the dropped ones among them.
    pub blocks: &'a [BlockHash],
    /// Hashes of its title's words, ascending.
    pub title_words: &'a [u32],
}

/// Why a link was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkReason {
    /// The normalised bodies are equal.
    SameBody,
    /// Enough of both texts together is shared (Jaccard).
    Jaccard,
    /// Enough of the shorter text is in the longer one (containment), or less of it but all over.
    Containment,
}

impl LinkReason {
    /// Every value.
    pub const ALL: [Self; 3] = [Self::SameBody, Self::Jaccard, Self::Containment];

    /// The name under which docs/near-copies.md explains it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SameBody => "same_body",
            Self::Jaccard => "jaccard",
            Self::Containment => "containment",
        }
    }
}

/// Why a candidate was not linked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It is the subject itself.
    SameArticle,
    /// It has the same address: a version, not a copy.
    SameAddress,
    /// Its fingerprint was made by another recipe.
    OtherRecipe,
    /// Everything in the subject is what its site shows everywhere.
    OnlySiteBlocks,
    /// Neither Jaccard similarity nor containment reaches its threshold.
    TooLittleShared,
    /// All that is shared lies in one paragraph of one of the texts, and their titles differ: a quotation or a
    /// pasted block.
    OneParagraph,
    /// What is shared runs through too little of the shorter text, and the titles have nothing in common:
    /// pasted paragraphs.
    SmallPart,
    /// The words agree where the numbers and names do not: one template filled in twice.
    NumbersDiffer,
    /// Both are of a site that is too new to know its own blocks.
    YoungSite,
    /// Both are of one site, their titles have nothing in common, and what they share is not most of both:
    /// furniture of the site that changes from page to page.
    UnlikeTitle,
    /// It matches, but another one matches better.
    NotBest,
}

impl Refusal {
    /// Every value, in the order in which they are tried.
    pub const ALL: [Self; 11] = [
        Self::SameArticle,
        Self::SameAddress,
        Self::OtherRecipe,
        Self::OnlySiteBlocks,
        Self::TooLittleShared,
        Self::OneParagraph,
        Self::SmallPart,
        Self::NumbersDiffer,
        Self::YoungSite,
        Self::UnlikeTitle,
        Self::NotBest,
    ];

    /// The name under which docs/near-copies.md explains it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SameArticle => "same_article",
            Self::SameAddress => "same_address",
            Self::OtherRecipe => "other_recipe",
            Self::OnlySiteBlocks => "only_site_blocks",
            Self::TooLittleShared => "too_little_shared",
            Self::OneParagraph => "one_paragraph",
            Self::SmallPart => "small_part",
            Self::NumbersDiffer => "numbers_differ",
            Self::YoungSite => "young_site",
            Self::UnlikeTitle => "unlike_title",
            Self::NotBest => "not_best",
        }
    }
}

/// How the subject came to its story.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Link {
    /// The article that it is linked to.
    pub to: ArticleId,
    /// The story that it joins. After a re-link the story of `to` itself.
    pub story: StoryId,
    /// What it is to the linked article.
    pub relation: Relation,
    /// Jaccard similarity of the two sets, 0 to 1; 1 for equal bodies.
    pub similarity: f64,
    /// Share of the subject that is in the linked article, 0 to 1.
    pub in_linked: f64,
    /// Share of the linked article that is in the subject, 0 to 1.
    pub of_linked: f64,
    /// Shared shingles, counted without weights.
    pub shared: u32,
    /// Why.
    pub reason: LinkReason,
}

/// The linked article leaves its old story: what it shares with the subject is more than what tied it there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Relink {
    /// The article that leaves. It founds a story of its own, with everything that is linked to it.
    pub article: ArticleId,
    /// The article that it was linked to.
    pub from: ArticleId,
    /// The story that it leaves.
    pub old_story: StoryId,
    /// The story that it founds, named after it.
    pub new_story: StoryId,
}

/// The answer, with everything that explains it.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The link; `None`: the article founds a story.
    pub link: Option<Link>,
    /// The candidates that were not linked to, by id, each with its reason.
    pub refusals: Vec<(ArticleId, Refusal)>,
    /// The subject's blocks that were ignored as its site's own. Ascending, distinct.
    pub dropped: Vec<BlockHash>,
    /// A change to an older article that this one brought about.
    pub relink: Option<Relink>,
}

impl Decision {
    /// The evidence to store: the fingerprint without what was dropped.
    pub fn kept<'f>(&self, fingerprint: &'f Fingerprint) -> Cow<'f, Fingerprint> {
        site::without(fingerprint, &self.dropped)
    }
}

struct Match<'c, 'a> {
    candidate: &'c Candidate<'a>,
    overlap: Overlap,
    reason: LinkReason,
}

/// Decides on one article. Pure: the same arguments give the same answer, and the order of `candidates` and
/// `recents` does not matter.
///
/// `candidates` are the owners of the subject's keys, in any order, each once. A candidate's own original may be
/// among them or not; it is looked at for a re-link. `recents` are the last [`crate::RECENTS`] articles of the
/// subject's site, as far as they are visible; none if the site is unknown.
pub fn decide(
    subject: &Subject<'_>,
    candidates: &[Candidate<'_>],
    recents: &[Recent<'_>],
    params: &Params<'_>,
) -> Decision {
    let dropped = site::own_blocks(subject, recents, params);
    let kept = site::without(subject.fingerprint, &dropped);
    let young = recents.iter().filter(|r| r.id != subject.id).count() < params.young_site;
    let mut refusals = Vec::new();
    let mut best: Option<Match<'_, '_>> = None;
    for candidate in candidates {
        match judge(subject, &kept, candidate, young, params) {
            Err(refusal) => refusals.push((candidate.id, refusal)),
            Ok(found) => match best.take() {
                None => best = Some(found),
                Some(old) => {
                    let (winner, loser) = if found.beats(&old) {
                        (found, old)
                    } else {
                        (old, found)
                    };
                    refusals.push((loser.candidate.id, Refusal::NotBest));
                    best = Some(winner);
                }
            },
        }
    }
    refusals.sort_unstable_by_key(|(id, _)| *id);
    let relink = best.as_ref().and_then(|b| relink(&kept, b, candidates, params));
    let link = best.map(|b| b.link(relink));
    Decision {
        link,
        refusals,
        dropped,
        relink,
    }
}

fn judge<'c, 'a>(
    subject: &Subject<'_>,
    kept: &Fingerprint,
    candidate: &'c Candidate<'a>,
    young: bool,
    params: &Params<'_>,
) -> Result<Match<'c, 'a>, Refusal> {
    let other = candidate.fingerprint;
    if candidate.id == subject.id {
        return Err(Refusal::SameArticle);
    }
    if subject.url_hash.is_some() && subject.url_hash == candidate.url_hash {
        return Err(Refusal::SameAddress);
    }
    if other.version != subject.fingerprint.version {
        return Err(Refusal::OtherRecipe);
    }
    if kept.shingles.is_empty() && !subject.fingerprint.shingles.is_empty() {
        return Err(Refusal::OnlySiteBlocks);
    }
    let overlap = Overlap::of(kept, other, params.common);
    if subject.fingerprint.body_hash == other.body_hash {
        return Ok(Match {
            candidate,
            overlap,
            reason: LinkReason::SameBody,
        });
    }
    let reason = if overlap.jaccard() >= params.min_jaccard {
        LinkReason::Jaccard
    } else if overlap.shared >= params.min_shared
        && (overlap.containment() >= params.min_containment || guards::is_even(kept, other, &overlap, params))
    {
        LinkReason::Containment
    } else {
        return Err(Refusal::TooLittleShared);
    };
    if !guards::is_spread(kept, other, &overlap, params) {
        return Err(Refusal::OneParagraph);
    }
    if !guards::is_extensive(kept, other, &overlap, params) {
        return Err(Refusal::SmallPart);
    }
    if !guards::marks_agree(kept, other, &overlap, params) {
        return Err(Refusal::NumbersDiffer);
    }
    if subject.site.is_some()
        && subject.site == candidate.site
        && let Some(refusal) = guards::same_site(kept, other, &overlap, young, params)
    {
        return Err(refusal);
    }
    Ok(Match {
        candidate,
        overlap,
        reason,
    })
}

impl Match<'_, '_> {
    /// Equal bodies first, then the most shared shingles, then the closer text, then the older article.
    fn beats(&self, other: &Self) -> bool {
        let same_body = |m: &Self| m.reason == LinkReason::SameBody;
        same_body(self)
            .cmp(&same_body(other))
            .then_with(|| {
                if same_body(self) {
                    std::cmp::Ordering::Equal
                } else {
                    self.overlap
                        .shared
                        .cmp(&other.overlap.shared)
                        .then(self.overlap.jaccard().total_cmp(&other.overlap.jaccard()))
                }
            })
            .then(other.candidate.id.cmp(&self.candidate.id))
            .is_gt()
    }

    fn link(&self, relink: Option<Relink>) -> Link {
        let exact = self.reason == LinkReason::SameBody;
        let share = |value: f64| if exact { 1.0 } else { value };
        Link {
            to: self.candidate.id,
            story: relink.map_or(self.candidate.story, |r| r.new_story),
            relation: if exact {
                Relation::ExactCopy
            } else {
                guards::relation(self.overlap.a_in_b(), self.overlap.b_in_a())
            },
            similarity: share(self.overlap.jaccard()),
            in_linked: share(self.overlap.a_in_b()),
            of_linked: share(self.overlap.b_in_a()),
            shared: self.overlap.shared,
            reason: self.reason,
        }
    }
}

/// Whether the best match leaves its own original for the subject's sake.
///
/// An excerpt of a weak kind (some paragraphs of `p` in `j`) ties `j` to `p`; then the subject comes, shares more
/// with `j` and next to nothing with `p`: `j` was never of `p`'s story. Without this the subject's story and
/// `p`'s become one.
fn relink(
    kept: &Fingerprint,
    best: &Match<'_, '_>,
    candidates: &[Candidate<'_>],
    params: &Params<'_>,
) -> Option<Relink> {
    let prior = best.candidate.link?;
    if prior.shared >= best.overlap.shared {
        return None;
    }
    let original = candidates.iter().find(|c| c.id == prior.to)?;
    let with_original = Overlap::of(kept, original.fingerprint, params.common);
    (with_original.containment() < params.relink_containment).then_some(Relink {
        article: best.candidate.id,
        from: prior.to,
        old_story: best.candidate.story,
        new_story: StoryId(best.candidate.id.0),
    })
}
