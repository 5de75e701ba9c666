//! A store in memory: the whole of stage 4 for one process, without a database.
//!
//! It answers like the real store does: the first article with a key owns it, candidates are the owners, the
//! site's last articles are its recents. Tests hold the pipeline against it, the scoring example and the benches
//! run on it, and a single process could serve from it. It never forgets.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use copydesk_article::{ArticleId, Fingerprint, ShingleKey, StoryId};

use crate::common::CommonBuilder;
use crate::decide::{Candidate, Decision, PriorLink, Recent, Subject, decide};
use crate::evidence::{self, Sampling};
use crate::params::{Params, RECENTS};

/// An index of articles in order of arrival.
#[derive(Debug, Default)]
pub struct MemoryStore {
    articles: Vec<Stored>,
    owners: HashMap<ShingleKey, u32, BuildHasherDefault<KeyHasher>>,
    sites: HashMap<String, Vec<u32>>,
}

#[derive(Debug)]
struct Stored {
    site: Option<String>,
    url_hash: Option<u64>,
    kept: Fingerprint,
    story: StoryId,
    link: Option<PriorLink>,
    linked_here: Vec<u32>,
}

impl MemoryStore {
    /// Decides on an article, stores it and answers with its id (the count of articles before it) and the decision.
    pub fn insert(
        &mut self,
        site: Option<&str>,
        url_hash: Option<u64>,
        fingerprint: &Fingerprint,
        params: &Params<'_>,
    ) -> (ArticleId, Decision) {
        self.insert_sampled(site, url_hash, fingerprint, params, Sampling::Full)
    }

    /// [`Self::insert`], with the evidence stored as `sampling` says.
    pub fn insert_sampled(
        &mut self,
        site: Option<&str>,
        url_hash: Option<u64>,
        fingerprint: &Fingerprint,
        params: &Params<'_>,
        sampling: Sampling,
    ) -> (ArticleId, Decision) {
        let number = u32::try_from(self.articles.len()).unwrap_or(u32::MAX);
        let id = ArticleId(i64::from(number));
        let decision = self.decide(id, site, url_hash, fingerprint, params);
        for key in &fingerprint.keys {
            self.owners.entry(*key).or_insert(number);
        }
        if let Some(site) = site {
            self.sites.entry(site.to_owned()).or_default().push(number);
        }
        if let Some(relink) = decision.relink {
            self.move_with_followers(relink.article, relink.new_story);
        }
        let link = decision.link.map(|l| PriorLink {
            to: l.to,
            shared: l.shared,
        });
        if let Some(target) = link.and_then(|l| self.articles.get_mut(l.to.0 as usize)) {
            target.linked_here.push(number);
        }
        self.articles.push(Stored {
            site: site.map(str::to_owned),
            url_hash,
            kept: evidence::stored(decision.kept(fingerprint), sampling),
            story: decision.link.map_or(StoryId(id.0), |l| l.story),
            link,
            linked_here: Vec::new(),
        });
        (id, decision)
    }

    /// The decision alone; nothing is stored.
    pub fn decide(
        &self,
        id: ArticleId,
        site: Option<&str>,
        url_hash: Option<u64>,
        fingerprint: &Fingerprint,
        params: &Params<'_>,
    ) -> Decision {
        let mut numbers: Vec<u32> = fingerprint
            .keys
            .iter()
            .filter_map(|k| self.owners.get(k).copied())
            .collect();
        numbers.sort_unstable();
        numbers.dedup();
        let originals: Vec<u32> = numbers
            .iter()
            .filter_map(|n| self.articles.get(*n as usize)?.link.map(|l| l.to.0 as u32))
            .filter(|n| !numbers.contains(n))
            .collect();
        numbers.extend(originals);
        numbers.sort_unstable();
        numbers.dedup();
        let candidates: Vec<Candidate<'_>> = numbers.iter().filter_map(|n| self.candidate(*n)).collect();
        let recents: Vec<Recent<'_>> = site
            .and_then(|site| self.sites.get(site))
            .map(|of_site| {
                of_site
                    .iter()
                    .rev()
                    .take(RECENTS)
                    .filter_map(|n| self.recent(*n))
                    .collect()
            })
            .unwrap_or_default();
        decide(
            &Subject {
                id,
                site,
                url_hash,
                fingerprint,
            },
            &candidates,
            &recents,
            params,
        )
    }

    fn candidate(&self, number: u32) -> Option<Candidate<'_>> {
        let article = self.articles.get(number as usize)?;
        Some(Candidate {
            id: ArticleId(i64::from(number)),
            story: article.story,
            site: article.site.as_deref(),
            url_hash: article.url_hash,
            fingerprint: &article.kept,
            link: article.link,
        })
    }

    fn recent(&self, number: u32) -> Option<Recent<'_>> {
        let article = self.articles.get(number as usize)?;
        Some(Recent {
            id: ArticleId(i64::from(number)),
            url_hash: article.url_hash,
            blocks: &article.kept.blocks,
            title_words: &article.kept.title_words,
        })
    }

    /// Carries out a re-link: the article and everything linked to it, near or far, change the story.
    fn move_with_followers(&mut self, article: ArticleId, story: StoryId) {
        let mut to_move = vec![article.0 as u32];
        let mut from = self.articles.get(article.0 as usize).and_then(|a| a.link);
        while let Some(number) = to_move.pop() {
            let Some(stored) = self.articles.get_mut(number as usize) else {
                continue;
            };
            stored.story = story;
            to_move.extend_from_slice(&stored.linked_here);
            if let Some(link) = from.take() {
                stored.link = None;
                if let Some(original) = self.articles.get_mut(link.to.0 as usize) {
                    original.linked_here.retain(|n| *n != number);
                }
            }
        }
    }

    /// The story of every article, in order of arrival.
    pub fn stories(&self) -> impl ExactSizeIterator<Item = StoryId> {
        self.articles.iter().map(|a| a.story)
    }

    /// Index rows: keys with an owner.
    pub fn key_count(&self) -> usize {
        self.owners.len()
    }

    /// Counts of common shingles over everything stored, for [`crate::CommonShingles`].
    pub fn common(&self) -> CommonBuilder {
        let mut builder = CommonBuilder::default();
        for article in &self.articles {
            builder.add(article.story, &article.kept);
        }
        builder
    }
}

/// Keys are hashes already.
#[derive(Debug, Default, Clone, Copy)]
struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn write_i64(&mut self, key: i64) {
        // The keys of an article are the small ones: their upper bits are alike.
        self.0 = (key as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}
