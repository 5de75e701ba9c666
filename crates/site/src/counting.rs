//! Which of the site's articles count as others.

use std::collections::HashSet;

use copydesk_article::{ArticleId, jaccard_of_words};

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

/// The other articles, one group a story.
///
/// Left out are the article itself, its own address, its own story and nearly its own title: what these share with it
/// *is* the article.
pub(crate) fn others<'a>(
    subject: &Subject<'_>,
    siblings: &'a [Sibling<'a>],
    params: &Params,
) -> Vec<Group<'a>> {
    let counts = |s: &Sibling<'_>| {
        s.id != subject.id
            && !(s.url_hash.is_some() && s.url_hash == subject.url_hash)
            && !(s.story.is_some() && s.story == subject.story)
            && jaccard_of_words(s.title_words, subject.title_words) < params.same_title
    };
    let mut groups: Vec<Group<'a>> = Vec::new();
    let mut seen: HashSet<ArticleId> = HashSet::new();
    // The oldest first: which articles stand for a story must not depend on how they were read.
    let mut counted: Vec<&'a Sibling<'a>> = siblings.iter().filter(|s| counts(s)).collect();
    counted.sort_by_key(|s| s.id);
    for sibling in counted {
        if !seen.insert(sibling.id) {
            continue;
        }
        let same = |other: &&Sibling<'_>| {
            (sibling.story.is_some() && sibling.story == other.story)
                || (sibling.url_hash.is_some() && sibling.url_hash == other.url_hash)
                || jaccard_of_words(sibling.title_words, other.title_words) >= params.same_title
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
