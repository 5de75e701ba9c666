//! Which of the site's articles count as others.

use std::cmp::Ordering;

use copydesk_article::{ArticleId, HashBits};

use crate::blocks::Zone;
use crate::inputs::{Sibling, Subject};
use crate::key::BlockKey;
use crate::params::Params;

/// Articles that count as one: copies of one text, and versions at one address or under one title.
pub(crate) struct Group<'a> {
    oldest: &'a Sibling<'a>,
    more: Vec<&'a Sibling<'a>>,
}

impl<'a> Group<'a> {
    fn members(&self) -> impl Iterator<Item = &'a Sibling<'a>> {
        std::iter::once(self.oldest).chain(self.more.iter().copied())
    }

    /// The oldest of its articles that shows the block. `short`: where it is a paragraph there, it does not count.
    pub(crate) fn shows(&self, key: BlockKey, short: bool) -> Option<ArticleId> {
        self.members()
            .find(|s| match s.blocks.find(key) {
                Some(Zone::Kept) => !short,
                found => found.is_some(),
            })
            .map(|s| s.id)
    }
}

/// Which blocks none of the groups shows, mostly: by 16 bits of their keys. Few blocks of an article are
/// shown elsewhere, and to look for each in every group is most of what a decision costs.
#[derive(Default)]
pub(crate) struct Shown(HashBits<1024>);

impl Shown {
    pub(crate) fn by(groups: &[Group<'_>]) -> Self {
        let mut shown = Self::default();
        // Loops, as iterators within iterators took three times as long.
        for sibling in groups.iter().flat_map(Group::members) {
            for zone in sibling.blocks.zones() {
                for key in zone {
                    shown.0.insert(u64::from(key.0));
                }
            }
        }
        shown
    }

    /// False: no group shows it.
    pub(crate) const fn maybe(&self, key: BlockKey) -> bool {
        self.0.may_have(key.0 as u64)
    }
}

/// The other articles, one group a text.
///
/// Left out are the article itself, its own address, nearly its own title and nearly its own text (`own`: its
/// blocks): what these share with it *is* the article.
pub(crate) fn others<'a>(
    subject: &Subject<'_>,
    own: &[BlockKey],
    siblings: &'a [Sibling<'a>],
    params: &Params,
) -> Vec<Group<'a>> {
    let subject_is = Looks {
        id: subject.id,
        url_hash: subject.url_hash,
        title: Set::of(subject.title_words),
        text: Set::of(own),
    };
    let mut counted: Vec<(&'a Sibling<'a>, Looks<'a>)> = siblings
        .iter()
        .map(|s| (s, Looks::of(s)))
        .filter(|(_, looks)| looks.id != subject.id && !looks.are_of_one_text(&subject_is, params))
        .collect();
    // The oldest first: which articles stand for a text must not depend on how they were read.
    counted.sort_by_key(|(s, _)| s.id);
    counted.dedup_by_key(|(s, _)| s.id);
    let mut groups: Vec<Group<'a>> = Vec::new();
    // For each so far, the group that it is in.
    let mut group_of: Vec<usize> = Vec::with_capacity(counted.len());
    for (sibling, looks) in &counted {
        let group = counted
            .iter()
            .zip(&group_of)
            .filter(|((_, other), _)| looks.are_of_one_text(other, params))
            .map(|(_, group)| *group)
            .min();
        match group.and_then(|g| groups.get_mut(g)) {
            Some(group) => group.more.push(sibling),
            None => groups.push(Group {
                oldest: sibling,
                more: Vec::new(),
            }),
        }
        group_of.push(group.unwrap_or(groups.len() - 1));
    }
    groups
}

/// What tells whether two articles of a site are one.
struct Looks<'a> {
    id: ArticleId,
    url_hash: Option<u64>,
    title: Set<'a, u32>,
    /// The blocks that the rules left.
    text: Set<'a, BlockKey>,
}

impl<'a> Looks<'a> {
    fn of(sibling: &'a Sibling<'a>) -> Self {
        Self {
            id: sibling.id,
            url_hash: sibling.url_hash,
            title: Set::of(sibling.title_words),
            text: Set::of(sibling.blocks.zone(Zone::Kept)),
        }
    }

    /// One address, nearly one title or nearly one text.
    fn are_of_one_text(&self, other: &Self, params: &Params) -> bool {
        (self.url_hash.is_some() && self.url_hash == other.url_hash)
            || self.title.is_like(&other.title, params.same_title)
            || self.text.is_like(&other.text, params.same_text)
    }
}

/// A value with bits of a hash at its upper end.
trait Hashed: Copy + Ord {
    fn hash(self) -> u32;
}

impl Hashed for u32 {
    fn hash(self) -> u32 {
        self
    }
}

impl Hashed for BlockKey {
    fn hash(self) -> u32 {
        self.0
    }
}

/// The words of a title or the blocks of a text, with what tells most pairs apart at a glance: a flush
/// compares every pair of a site's last articles for each of the site's new ones.
struct Set<'a, T> {
    /// Ascending and distinct.
    members: &'a [T],
    /// One bit a member, by the highest six bits of its hash.
    bits: u64,
    /// Members that share their bit with another one of this set.
    doubled: usize,
}

impl<'a, T: Hashed> Set<'a, T> {
    fn of(members: &'a [T]) -> Self {
        let bits = members
            .iter()
            .fold(0_u64, |bits, member| bits | 1 << (member.hash() >> 26));
        Self {
            members,
            bits,
            doubled: members.len() - bits.count_ones() as usize,
        }
    }

    /// [`are_alike`].
    fn is_like(&self, other: &Set<'_, T>, least: f64) -> bool {
        // Members that are shared share their bit: there are no more of them than common bits, but for doubled ones.
        let most = (self.bits & other.bits).count_ones() as usize + self.doubled.min(other.doubled);
        reaches(self.members.len(), other.members.len(), most, least)
            && are_alike(self.members, other.members, least)
    }
}

/// Whether two sets of so many members with so many in common are that similar.
fn reaches(a: usize, b: usize, shared: usize, least: f64) -> bool {
    let shared = shared.min(a).min(b);
    shared as f64 / (a + b - shared).max(1) as f64 >= least
}

/// Whether the Jaccard similarity of two ascending sets is at least `least`; never, if one is empty.
///
/// [`copydesk_article::jaccard_of_words`] that stops as soon as it cannot be reached any more.
fn are_alike<T: Ord>(a: &[T], b: &[T], least: f64) -> bool {
    let (mut rest_a, mut rest_b, mut shared) = (a, b, 0_usize);
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
        // What is reached if all that is left of the shorter one is shared.
        let most = shared + rest_a.len().min(rest_b.len());
        if !reaches(a.len(), b.len(), most, least) {
            return false;
        }
    }
    reaches(a.len(), b.len(), shared, least)
}

#[cfg(test)]
mod tests {
    use copydesk_article::jaccard_of_words;
    use proptest::prelude::*;

    use super::*;

    fn words() -> impl Strategy<Value = Vec<u32>> {
        // Few bits for many words, so that words share them.
        prop::collection::btree_set((0_u32..5, 0_u32..4), 0..12)
            .prop_map(|set| set.into_iter().map(|(high, low)| high << 26 | low).collect())
    }

    proptest! {
        #[test]
        fn stopping_early_changes_nothing(a in words(), b in words(), least in 0.05_f64..1.0) {
            let alike = jaccard_of_words(&a, &b) >= least;
            prop_assert_eq!(are_alike(&a, &b, least), alike);
            prop_assert_eq!(Set::of(a.as_slice()).is_like(&Set::of(b.as_slice()), least), alike);
        }

        #[test]
        fn a_threshold_that_is_just_reached_is_reached(a in words(), b in words()) {
            let exactly = jaccard_of_words(&a, &b);
            prop_assume!(exactly > 0.0);
            prop_assert!(are_alike(&a, &b, exactly));
            prop_assert!(Set::of(a.as_slice()).is_like(&Set::of(b.as_slice()), exactly));
        }
    }
}
