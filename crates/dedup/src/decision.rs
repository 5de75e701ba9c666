//! What a decision says.

use std::borrow::Cow;

use copydesk_article::{ArticleId, BlockHash, Fingerprint, Relation, StoryId};

use crate::facts::Facts;
use crate::signs::{Sign, signs};
use crate::site;
use crate::weights::Weights;
use crate::words;

/// Why a link was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkReason {
    /// The normalised bodies are equal.
    SameBody,
    /// Nearly all of both texts is shared, and no number or name there differs.
    NearlyWhole,
    /// The sum of the signs is above the threshold.
    Weighed,
}

impl LinkReason {
    /// Every value.
    pub const ALL: [Self; 3] = [Self::SameBody, Self::NearlyWhole, Self::Weighed];

    /// The name under which docs/near-copies.md explains it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SameBody => "same_body",
            Self::NearlyWhole => "nearly_whole",
            Self::Weighed => "weighed",
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
    /// Next to nothing is shared, or a smaller share of the shorter text than any labelled copy has.
    TooLittleShared,
    /// The sum of the signs is not above the threshold.
    WeighedAgainst,
    /// One of the two is a digest, which holds several articles, and the other one is one of them.
    Digest,
    /// The two and a third article fill in one frame, each in its own way.
    Series,
    /// It matches, but another one matches better.
    NotBest,
}

impl Refusal {
    /// Every value, in the order in which they are tried.
    pub const ALL: [Self; 9] = [
        Self::SameArticle,
        Self::SameAddress,
        Self::OtherRecipe,
        Self::OnlySiteBlocks,
        Self::TooLittleShared,
        Self::WeighedAgainst,
        Self::Digest,
        Self::Series,
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
            Self::WeighedAgainst => "weighed_against",
            Self::Digest => "digest",
            Self::Series => "series",
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
    /// By how much the sum of the signs is above the threshold; infinite for equal bodies.
    pub score: f64,
    /// Why.
    pub reason: LinkReason,
}

/// A near copy is a part of a longer text if at least this share of it is there, and less than this share of that text is in it.
pub const PART_FROM: f64 = 0.9;

impl Link {
    /// Whether the article is a part of the one that it is linked to. Two parts in different places show that this one is a digest.
    pub fn is_part(&self) -> bool {
        match self.relation {
            Relation::Excerpt => true,
            Relation::NearCopy => self.in_linked >= PART_FROM && self.of_linked < PART_FROM,
            _ => false,
        }
    }
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

/// An older article turns out to be a digest: it holds the subject and another article, in different places.
///
/// It keeps no link and gets [`Relation::Digest`]; if it was in another article's story, it leaves that for one of its own.
/// The excerpts that were linked to it found stories of their own, with everything that is linked to them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundDigest {
    /// The digest.
    pub article: ArticleId,
    /// Excerpts that leave it, by id.
    pub released: Vec<ArticleId>,
}

/// Two stories that are one: the subject is a whole copy of articles in both.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Merge {
    /// The younger story, which goes into the other one.
    pub from: StoryId,
    /// The older story.
    pub into: StoryId,
    /// The article of the story that the subject does not join, as the candidate that ties it.
    pub tied_by: ArticleId,
}

/// A candidate that was weighed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weighed {
    /// The candidate.
    pub id: ArticleId,
    /// By how much the sum of its signs is above the threshold.
    pub score: f64,
    /// What was weighed.
    pub facts: Facts,
    /// It matches, and the two are copies of one whole, not of a part: what ties their stories together.
    pub whole_copy: bool,
}

/// What one sign brings to the sum.
#[derive(Debug, Clone, PartialEq)]
pub struct Reason {
    /// The sign.
    pub sign: Sign,
    /// What it adds to the sum: its weight times its value.
    pub brings: f64,
    /// What was seen, for a person: "44 of 120 shingles shared".
    pub words: String,
}

impl Weighed {
    /// The signs that count most here, the strongest first.
    pub fn strongest(&self, most: usize) -> Vec<Reason> {
        let mut contributions = Weights::in_use().contributions(&signs(&self.facts));
        contributions.truncate(most);
        contributions
            .into_iter()
            .map(|(sign, brings)| Reason {
                sign,
                brings,
                words: words::of(sign, &self.facts),
            })
            .collect()
    }
}

/// The answer, with everything that explains it. The default is an article without candidates.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Decision {
    /// The link; `None`: the article founds a story.
    pub link: Option<Link>,
    /// The article is a digest: it founds a story that holds no copies of what it holds.
    pub digest: bool,
    /// The candidates that were not linked to, by id, each with its reason.
    pub refusals: Vec<(ArticleId, Refusal)>,
    /// The candidates that were weighed, by id.
    pub weighed: Vec<Weighed>,
    /// The subject's blocks that were ignored as its site's own. Ascending, distinct.
    pub dropped: Vec<BlockHash>,
    /// A change to an older article that this one brought about.
    pub relink: Option<Relink>,
    /// Older articles that turn out to be digests, by id.
    pub digests: Vec<FoundDigest>,
    /// Stories that turn out to be one, to be merged when nothing else is done to them.
    pub merges: Vec<Merge>,
}

impl Decision {
    /// What the article is to its story.
    pub fn relation(&self) -> Relation {
        match &self.link {
            Some(link) => link.relation,
            None if self.digest => Relation::Digest,
            None => Relation::Original,
        }
    }

    /// The evidence to store: the fingerprint without what was dropped.
    pub fn kept<'f>(&self, fingerprint: &'f Fingerprint) -> Cow<'f, Fingerprint> {
        site::without(fingerprint, &self.dropped)
    }
}
