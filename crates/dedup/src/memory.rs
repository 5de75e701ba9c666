//! A store in memory: the whole of stage 4 for one process, without a database.
//!
//! It answers like the real store does: the first article with a key owns it, candidates are the owners, the
//! site's last articles are its recents. Tests hold the pipeline against it, the scoring example and the benches
//! run on it, and a single process could serve from it. It never forgets.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use copydesk_article::{ArticleId, Fingerprint, Relation, ShingleKey, StoryId};

use crate::common::CommonBuilder;
use crate::compare::facts;
use crate::decide::decide;
use crate::decision::{Decision, FoundDigest};
use crate::evidence::{self, Sampling};
use crate::facts::Facts;
use crate::inputs::{Candidate, Excerpt, PriorLink, Recent, Subject};
use crate::params::{COPIES, EXCERPTS, Params, RECENTS};
use crate::times::Times;

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
    times: Times,
    kept: Fingerprint,
    story: StoryId,
    link: Option<PriorLink>,
    relation: Relation,
    /// It is a part of the article that it is linked to.
    part: bool,
    linked_here: Vec<u32>,
}

/// An article that arrives.
#[derive(Debug, Clone, Copy)]
pub struct Arriving<'a> {
    /// Its site, if known.
    pub site: Option<&'a str>,
    /// Hash of its canonical address, if it has one.
    pub url_hash: Option<u64>,
    /// When it appeared.
    pub times: Times,
    /// Its fingerprint.
    pub fingerprint: &'a Fingerprint,
}

impl<'a> Arriving<'a> {
    /// An article of which nothing but the text is known.
    pub const fn of(fingerprint: &'a Fingerprint) -> Self {
        Self {
            site: None,
            url_hash: None,
            times: Times {
                published: None,
                seen: None,
            },
            fingerprint,
        }
    }
}

impl MemoryStore {
    /// Decides on an article, stores it and answers with its id (the count of articles before it) and the decision.
    pub fn insert(&mut self, article: &Arriving<'_>, params: &Params<'_>) -> (ArticleId, Decision) {
        self.insert_sampled(article, params, Sampling::Full)
    }

    /// [`Self::insert`], with the evidence stored as `sampling` says.
    pub fn insert_sampled(
        &mut self,
        article: &Arriving<'_>,
        params: &Params<'_>,
        sampling: Sampling,
    ) -> (ArticleId, Decision) {
        let number = u32::try_from(self.articles.len()).unwrap_or(u32::MAX);
        let id = ArticleId(i64::from(number));
        let decision = self.decide(article, params);
        for key in &article.fingerprint.keys {
            self.owners.entry(*key).or_insert(number);
        }
        if let Some(site) = article.site {
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
            site: article.site.map(str::to_owned),
            url_hash: article.url_hash,
            times: article.times,
            kept: evidence::stored(decision.kept(article.fingerprint), sampling),
            story: decision.link.map_or(StoryId(id.0), |l| l.story),
            link,
            relation: decision.relation(),
            part: decision.link.is_some_and(|l| l.is_part()),
            linked_here: Vec::new(),
        });
        for digest in &decision.digests {
            self.mark_digest(digest);
        }
        for merge in &decision.merges {
            self.merge(merge.from, merge.into);
        }
        (id, decision)
    }

    /// The decision on an article that would come next; nothing is stored.
    pub fn decide(&self, article: &Arriving<'_>, params: &Params<'_>) -> Decision {
        self.with_surroundings(article, &[], |subject, candidates, recents| {
            decide(subject, candidates, recents, params)
        })
    }

    /// What such a decision knows of each candidate, and of some others that it need not have as candidates.
    pub fn facts(
        &self,
        article: &Arriving<'_>,
        others: &[ArticleId],
        params: &Params<'_>,
    ) -> Vec<(ArticleId, Facts)> {
        let others: Vec<u32> = others.iter().map(|id| id.0 as u32).collect();
        self.with_surroundings(article, &others, |subject, candidates, recents| {
            facts(subject, candidates, recents, params)
        })
    }

    /// Gathers the candidates and the recent articles of the site.
    fn with_surroundings<T>(
        &self,
        article: &Arriving<'_>,
        others: &[u32],
        f: impl FnOnce(&Subject<'_>, &[Candidate<'_>], &[Recent<'_>]) -> T,
    ) -> T {
        let mut numbers: Vec<u32> = article
            .fingerprint
            .keys
            .iter()
            .filter_map(|k| self.owners.get(k).copied())
            .collect();
        let originals: Vec<u32> = numbers
            .iter()
            .filter_map(|n| self.articles.get(*n as usize)?.link.map(|l| l.to.0 as u32))
            .collect();
        numbers.extend(originals);
        numbers.extend_from_slice(others);
        numbers.sort_unstable();
        numbers.dedup();
        let linked: Vec<_> = numbers
            .iter()
            .map(|n| {
                let excerpts = self.linked(*n, |a| a.part, EXCERPTS);
                let copies = self.linked(*n, |a| a.relation == Relation::NearCopy, COPIES);
                (excerpts, copies)
            })
            .collect();
        let candidates: Vec<Candidate<'_>> = numbers
            .iter()
            .zip(&linked)
            .filter_map(|(n, (excerpts, copies))| self.candidate(*n, excerpts, copies))
            .collect();
        let recents: Vec<Recent<'_>> = article
            .site
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
        let subject = Subject {
            id: ArticleId(i64::try_from(self.articles.len()).unwrap_or(i64::MAX)),
            site: article.site,
            url_hash: article.url_hash,
            times: article.times,
            fingerprint: article.fingerprint,
        };
        f(&subject, &candidates, &recents)
    }

    /// The first `most` of the articles of a kind that are linked to one.
    fn linked(&self, number: u32, is_such: fn(&Stored) -> bool, most: usize) -> Vec<Excerpt<'_>> {
        let article = self.articles.get(number as usize);
        let linked = article.map_or([].as_slice(), |a| a.linked_here.as_slice());
        linked
            .iter()
            .filter_map(|n| Some((*n, self.articles.get(*n as usize)?)))
            .filter(|(_, a)| is_such(a))
            .take(most)
            .map(|(n, a)| Excerpt {
                id: ArticleId(i64::from(n)),
                fingerprint: &a.kept,
            })
            .collect()
    }

    fn candidate<'a>(
        &'a self,
        number: u32,
        excerpts: &'a [Excerpt<'a>],
        copies: &'a [Excerpt<'a>],
    ) -> Option<Candidate<'a>> {
        let article = self.articles.get(number as usize)?;
        Some(Candidate {
            id: ArticleId(i64::from(number)),
            story: article.story,
            site: article.site.as_deref(),
            url_hash: article.url_hash,
            times: article.times,
            fingerprint: &article.kept,
            link: article.link,
            digest: article.relation == Relation::Digest,
            excerpts,
            copies,
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
        self.unlink(article.0 as u32);
        let mut to_move = vec![article.0 as u32];
        while let Some(number) = to_move.pop() {
            if let Some(stored) = self.articles.get_mut(number as usize) {
                stored.story = story;
                to_move.extend_from_slice(&stored.linked_here);
            }
        }
    }

    fn unlink(&mut self, number: u32) {
        let Some(link) = self.articles.get_mut(number as usize).and_then(|a| {
            a.relation = Relation::Original;
            a.link.take()
        }) else {
            return;
        };
        if let Some(original) = self.articles.get_mut(link.to.0 as usize) {
            original.linked_here.retain(|n| *n != number);
        }
    }

    /// An older article turned out to be a digest.
    fn mark_digest(&mut self, digest: &FoundDigest) {
        for article in digest.released.iter().chain([&digest.article]) {
            self.move_with_followers(*article, StoryId(article.0));
        }
        if let Some(article) = self.articles.get_mut(digest.article.0 as usize) {
            article.relation = Relation::Digest;
        }
    }

    /// Makes two stories one. Links stay as they are.
    fn merge(&mut self, from: StoryId, into: StoryId) {
        for article in self.articles.iter_mut().filter(|a| a.story == from) {
            article.story = into;
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
