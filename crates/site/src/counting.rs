//! Which of the site's articles count as others.

use std::cmp::Ordering;
use std::collections::HashSet;

use copydesk_article::ArticleId;

use crate::decide::{Sibling, Subject};
use crate::key::BlockKey;
use crate::params::Params;

/// Articles that count as one: copies of one story, and versions at one address.
pub(crate) struct Group<'a> {
    members: Vec<&'a Sibling<'a>>,
}

impl Group<'_> {
    /// The oldest of its articles that shows the block. `short`: where it is a paragraph there, it does not count.
    pub(crate) fn shows(&self, key: BlockKey, short: bool) -> Option<ArticleId> {
        self.members
            .iter()
            .find(|s| match s.blocks.find(key) {
                Some(crate::Zone::Kept) => !short,
                found => found.is_some(),
            })
            .map(|s| s.id)
    }
}

/// Which blocks none of the groups shows, mostly: one bit a block, by 16 bits of its key. Few blocks of an article are shown
/// elsewhere, and to look for each in every group is most of what a decision costs.
pub(crate) struct Shown(Vec<u64>);

impl Shown {
    pub(crate) fn by(groups: &[Group<'_>]) -> Self {
        let mut shown = Self(vec![0; 1 << 10]);
        let members = groups.iter().flat_map(|g| &g.members);
        for key in members.flat_map(|s| s.blocks.keys()) {
            let (word, bit) = Self::place(*key);
            if let Some(word) = shown.0.get_mut(word) {
                *word |= bit;
            }
        }
        shown
    }

    /// False: no group shows it.
    pub(crate) fn maybe(&self, key: BlockKey) -> bool {
        let (word, bit) = Self::place(key);
        self.0.get(word).is_some_and(|word| word & bit != 0)
    }

    const fn place(key: BlockKey) -> (usize, u64) {
        ((key.0 as usize >> 6) & 0x3ff, 1 << (key.0 & 63))
    }
}

/// The other articles, one group a story.
///
/// Left out are the article itself, its own address, its own story and nearly its own title: what these share with it
/// *is* the article.
pub(crate) fn others<'a>(
    subject: &Subject<'_>,
    siblings: &'a [Sibling<'a>],
    params: &Params,
) -> Vec<Group<'a>> {
    let itself = |s: &Sibling<'_>| {
        s.id == subject.id
            || (s.url_hash.is_some() && s.url_hash == subject.url_hash)
            || (s.story.is_some() && s.story == subject.story)
            || same_title(s.title_words, subject.title_words, params.same_title)
    };
    let mut groups: Vec<Group<'a>> = Vec::new();
    let mut seen: HashSet<ArticleId> = HashSet::new();
    // The oldest first: which articles stand for a story must not depend on how they were read.
    let mut counted: Vec<&'a Sibling<'a>> = siblings.iter().filter(|s| !itself(s)).collect();
    counted.sort_by_key(|s| s.id);
    for sibling in counted {
        if !seen.insert(sibling.id) {
            continue;
        }
        let same = |other: &&Sibling<'_>| {
            (sibling.story.is_some() && sibling.story == other.story)
                || (sibling.url_hash.is_some() && sibling.url_hash == other.url_hash)
                || same_title(sibling.title_words, other.title_words, params.same_title)
        };
        match groups.iter_mut().find(|g| g.members.iter().any(same)) {
            Some(group) => group.members.push(sibling),
            None => groups.push(Group {
                members: vec![sibling],
            }),
        }
    }
    groups
}

/// Whether the Jaccard similarity of two ascending sets of words is at least `least`; never, if one is empty.
///
/// [`copydesk_article::jaccard_of_words`] that stops as soon as it cannot be reached any more: a flush asks this of every pair
/// of a site's last articles.
fn same_title(a: &[u32], b: &[u32], least: f64) -> bool {
    let (mut rest_a, mut rest_b, mut shared) = (a, b, 0_usize);
    // What is reached if all that is left of the shorter one is shared.
    let reaches = |shared: usize, more: usize| {
        let shared = shared + more;
        shared as f64 / (a.len() + b.len() - shared).max(1) as f64 >= least
    };
    while let (Some((x, behind_x)), Some((y, behind_y))) = (rest_a.split_first(), rest_b.split_first()) {
        match x.cmp(y) {
            Ordering::Equal => {
                shared += 1;
                (rest_a, rest_b) = (behind_x, behind_y);
                continue;
            }
            Ordering::Less => rest_a = behind_x,
            Ordering::Greater => rest_b = behind_y,
        }
        if !reaches(shared, rest_a.len().min(rest_b.len())) {
            return false;
        }
    }
    reaches(shared, 0)
}

#[cfg(test)]
mod tests {
    use copydesk_article::jaccard_of_words;
    use proptest::prelude::*;

    use super::*;

    fn words() -> impl Strategy<Value = Vec<u32>> {
        prop::collection::btree_set(0_u32..14, 0..12).prop_map(|set| set.into_iter().collect())
    }

    proptest! {
        #[test]
        fn stopping_early_changes_nothing(a in words(), b in words(), least in 0.05_f64..1.0) {
            prop_assert_eq!(same_title(&a, &b, least), jaccard_of_words(&a, &b) >= least);
        }

        #[test]
        fn a_threshold_that_is_just_reached_is_reached(a in words(), b in words()) {
            let exactly = jaccard_of_words(&a, &b);
            prop_assume!(exactly > 0.0);
            prop_assert!(same_title(&a, &b, exactly));
        }
    }
}
