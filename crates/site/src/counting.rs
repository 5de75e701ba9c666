//! Which of the site's articles count as others.

use std::cmp::Ordering;

use copydesk_article::{ArticleId, HashBits};

use crate::inputs::{Sibling, Subject};
use crate::key::BlockKey;
use crate::params::Params;

/// Articles that count as one: copies of one story, and versions at one address.
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
                Some(crate::Zone::Kept) => !short,
                found => found.is_some(),
            })
            .map(|s| s.id)
    }
}

/// Which blocks none of the groups shows, mostly: by 16 bits of their keys. Few blocks of an article are shown elsewhere, and to
/// look for each in every group is most of what a decision costs.
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

/// The other articles, one group a story.
///
/// Left out are the article itself, its own address, its own story and nearly its own title: what these share with it
/// *is* the article.
pub(crate) fn others<'a>(
    subject: &Subject<'_>,
    siblings: &'a [Sibling<'a>],
    params: &Params,
) -> Vec<Group<'a>> {
    let title = Title::of(subject.title_words);
    let itself = |s: &Sibling<'_>, t: &Title<'_>| {
        s.id == subject.id
            || (s.url_hash.is_some() && s.url_hash == subject.url_hash)
            || (s.story.is_some() && s.story == subject.story)
            || t.is_like(&title, params.same_title)
    };
    let mut counted: Vec<(&'a Sibling<'a>, Title<'a>)> = siblings
        .iter()
        .map(|s| (s, Title::of(s.title_words)))
        .filter(|(s, t)| !itself(s, t))
        .collect();
    // The oldest first: which articles stand for a story must not depend on how they were read.
    counted.sort_by_key(|(s, _)| s.id);
    counted.dedup_by_key(|(s, _)| s.id);
    let mut groups: Vec<Group<'a>> = Vec::new();
    // For each so far, the group that it is in.
    let mut group_of: Vec<usize> = Vec::with_capacity(counted.len());
    for (sibling, title) in &counted {
        let same = |(other, other_title): &(&Sibling<'_>, Title<'_>)| {
            (sibling.story.is_some() && sibling.story == other.story)
                || (sibling.url_hash.is_some() && sibling.url_hash == other.url_hash)
                || title.is_like(other_title, params.same_title)
        };
        let group = counted
            .iter()
            .zip(&group_of)
            .filter(|(other, _)| same(other))
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

/// The words of a title, with what tells most pairs apart at a glance: a flush compares every pair of a site's last articles
/// for each of the site's new ones.
struct Title<'a> {
    words: &'a [u32],
    /// One bit a word, by its highest six bits.
    bits: u64,
    /// Words that share their bit with another word of this title.
    doubled: usize,
}

impl<'a> Title<'a> {
    fn of(words: &'a [u32]) -> Self {
        let bits = words.iter().fold(0, |bits, word| bits | 1 << (word >> 26));
        Self {
            words,
            bits,
            doubled: words.len() - bits.count_ones() as usize,
        }
    }

    /// [`same_title`].
    fn is_like(&self, other: &Title<'_>, least: f64) -> bool {
        // Words that are shared share their bit: there are no more of them than common bits, but for doubled ones.
        let most = (self.bits & other.bits).count_ones() as usize + self.doubled.min(other.doubled);
        reaches(self.words, other.words, most, least) && same_title(self.words, other.words, least)
    }
}

/// Whether two sets of words with so many in common are that similar.
fn reaches(a: &[u32], b: &[u32], shared: usize, least: f64) -> bool {
    let shared = shared.min(a.len()).min(b.len());
    shared as f64 / (a.len() + b.len() - shared).max(1) as f64 >= least
}

/// Whether the Jaccard similarity of two ascending sets of words is at least `least`; never, if one is empty.
///
/// [`copydesk_article::jaccard_of_words`] that stops as soon as it cannot be reached any more.
fn same_title(a: &[u32], b: &[u32], least: f64) -> bool {
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
        if !reaches(a, b, shared + rest_a.len().min(rest_b.len()), least) {
            return false;
        }
    }
    reaches(a, b, shared, least)
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
            prop_assert_eq!(same_title(&a, &b, least), alike);
            prop_assert_eq!(Title::of(&a).is_like(&Title::of(&b), least), alike);
        }

        #[test]
        fn a_threshold_that_is_just_reached_is_reached(a in words(), b in words()) {
            let exactly = jaccard_of_words(&a, &b);
            prop_assume!(exactly > 0.0);
            prop_assert!(same_title(&a, &b, exactly));
            prop_assert!(Title::of(&a).is_like(&Title::of(&b), exactly));
        }
    }
}
