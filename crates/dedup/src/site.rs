//! Site memory: the blocks that a site shows in one article after the other are not the article.

use std::borrow::Cow;

use copydesk_article::{BlockHash, Fingerprint, HashBits, jaccard_of_words};

use crate::inputs::{Recent, Subject};
use crate::params::Params;

/// What the last articles of the subject's site say about it: it depends on no candidate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SiteEvidence {
    /// The subject's blocks that are ignored as its site's own. Ascending, distinct.
    pub dropped: Vec<BlockHash>,
    /// Its site has shown too few other articles to have a memory.
    pub(crate) few_siblings: bool,
}

impl SiteEvidence {
    /// `recents` are the last [`crate::RECENTS`] articles of the subject's site, as far as they are visible; none if the site is unknown.
    pub fn of(subject: &Subject<'_>, recents: &[Recent<'_>], params: &Params<'_>) -> Self {
        Self {
            dropped: own_blocks(subject, recents, params),
            few_siblings: has_few_siblings(subject, recents, params),
        }
    }

    /// The evidence to store: the fingerprint without what is ignored.
    pub fn kept<'f>(&self, fingerprint: &'f Fingerprint) -> Cow<'f, Fingerprint> {
        without(fingerprint, &self.dropped)
    }
}

/// The subject's blocks that enough of the site's other recent articles have. Ascending, distinct.
///
/// Articles with the same address or nearly the same title are left out of the count: they are versions of
/// this article, and what versions share is the article.
pub(crate) fn own_blocks(
    subject: &Subject<'_>,
    recents: &[Recent<'_>],
    params: &Params<'_>,
) -> Vec<BlockHash> {
    let mut blocks: Vec<BlockHash> = subject
        .fingerprint
        .blocks
        .iter()
        .copied()
        .filter(|b| b.0 != 0)
        .collect();
    blocks.sort_unstable();
    blocks.dedup();
    let mut bits = HashBits::<16>::default();
    blocks.iter().for_each(|b| bits.insert(b.0.cast_unsigned()));
    let is_shown = |b: &BlockHash| bits.may_have(b.0.cast_unsigned()) && blocks.binary_search(b).is_ok();
    // Few others have any of its blocks: the rest need not be looked at closer.
    let others: Vec<&Recent<'_>> = recents
        .iter()
        .filter(|recent| {
            recent.blocks.iter().any(is_shown)
                && recent.id != subject.id
                && !(recent.url_hash.is_some() && recent.url_hash == subject.url_hash)
                && jaccard_of_words(recent.title_words, &subject.fingerprint.title_words) < params.same_title
        })
        .collect();
    if others.len() < params.site_repeats {
        return Vec::new();
    }
    blocks.retain(|block| others.iter().filter(|r| r.blocks.contains(block)).count() >= params.site_repeats);
    blocks
}

/// Whether the subject's site has shown too few other articles to have a memory.
pub(crate) fn has_few_siblings(subject: &Subject<'_>, recents: &[Recent<'_>], params: &Params<'_>) -> bool {
    recents.iter().filter(|r| r.id != subject.id).count() < params.min_siblings
}

/// The fingerprint without the shingles and marks of dropped blocks. `dropped` is ascending.
pub(crate) fn without<'f>(fingerprint: &'f Fingerprint, dropped: &[BlockHash]) -> Cow<'f, Fingerprint> {
    if dropped.is_empty() {
        return Cow::Borrowed(fingerprint);
    }
    // Number 255 stands for several paragraphs: it goes only if they all go.
    let mut gone = [false; 256];
    for (number, flag) in gone.iter_mut().enumerate().take(255) {
        *flag = fingerprint
            .blocks
            .get(number)
            .is_some_and(|b| dropped.binary_search(b).is_ok());
    }
    gone[255] = fingerprint.blocks.len() > 255
        && fingerprint
            .blocks
            .iter()
            .skip(255)
            .all(|b| dropped.binary_search(b).is_ok());
    let mut kept = fingerprint.clone();
    kept.shingles.retain(|s| !gone[s.paragraph as usize]);
    kept.marks.retain(|m| !gone[m.paragraph as usize]);
    Cow::Owned(kept)
}

#[cfg(test)]
mod tests {
    use copydesk_article::{ArticleId, BodyHash, FingerprintVersion};
    use proptest::prelude::*;

    use super::*;
    use crate::times::Times;

    fn fingerprint(blocks: &[i64]) -> Fingerprint {
        Fingerprint {
            version: FingerprintVersion(1),
            body_hash: BodyHash(0),
            keys: Vec::new(),
            shingles: Vec::new(),
            sampling: 0,
            blocks: blocks.iter().copied().map(BlockHash).collect(),
            marks: Vec::new(),
            title_words: vec![1, 2, 3],
            title_dates: Vec::new(),
            lead_words: Vec::new(),
            word_count: 0,
        }
    }

    proptest! {
        #[test]
        fn own_blocks_are_those_that_enough_others_have(
            own in prop::collection::vec(0..12_i64, 0..6),
            others in prop::collection::vec((0..4_i64, prop::collection::vec(0..12_i64, 0..6), any::<bool>()), 0..6),
            site_repeats in 0..4_usize,
        ) {
            let fingerprint = fingerprint(&own);
            let subject = Subject { id: ArticleId(0), site: None, url_hash: Some(7), times: Times::default(), fingerprint: &fingerprint };
            let blocks: Vec<Vec<BlockHash>> =
                others.iter().map(|(_, b, _)| b.iter().copied().map(BlockHash).collect()).collect();
            let recents: Vec<Recent<'_>> = others
                .iter()
                .zip(&blocks)
                .map(|((id, _, same_title), blocks)| Recent {
                    id: ArticleId(*id),
                    url_hash: Some(if *id == 1 { 7 } else { 8 }),
                    blocks,
                    title_words: if *same_title { &[1, 2, 3] } else { &[4, 5, 6] },
                })
                .collect();
            let params = Params { site_repeats, ..Params::default() };
            // By the definition: of each block how many have it, itself, its address and its title left out.
            let count = |block: &i64| {
                let counts = |(id, blocks, same): &&(i64, Vec<i64>, bool)| *id > 1 && !same && blocks.contains(block);
                others.iter().filter(counts).count()
            };
            let enough = others.iter().filter(|(id, _, same)| *id > 1 && !same).count() >= site_repeats;
            let mut expected: Vec<BlockHash> = own
                .iter()
                .filter(|b| **b != 0 && enough && count(b) >= site_repeats)
                .copied()
                .map(BlockHash)
                .collect();
            expected.sort_unstable();
            expected.dedup();
            prop_assert_eq!(own_blocks(&subject, &recents, &params), expected);
        }
    }
}
