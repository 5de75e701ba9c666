//! Site memory: the blocks that a site shows in one article after the other are not the article.

use std::borrow::Cow;

use copydesk_article::{BlockHash, FewHashes, Fingerprint, jaccard_of_words};

use crate::decide::{Recent, Subject};
use crate::params::Params;

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
    let few: FewHashes = blocks.iter().map(|b| b.0.cast_unsigned()).collect();
    let is_shown = |b: &BlockHash| few.may_have(b.0.cast_unsigned()) && blocks.binary_search(b).is_ok();
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
