//! The cache of the sites' last articles, so that a flush asks only for newer ones.
//!
//! A batch of 500 articles is of some 400 sites, and the last 20 articles of each are 8,000 rows at as many
//! places of a large table. Read again for every batch, they were an eighth of what a flush cost Postgres.
//! The evidence of a site may be stale (docs/near-copies.md, docs/site-memory.md). So no decision needs this
//! cache to be up to date, and a site is read whole again after [`STALE`].

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use copydesk_article::{ArticleId, BlockHash};
use copydesk_dedup::RECENTS;
use copydesk_site::PageBlocks;

/// After so long a site is read whole again: for articles that were changed or dropped, and for those that came late.
const STALE: Duration = Duration::from_secs(60);

/// Articles get their ids before their transaction commits, so one with a lower id may appear after one with
/// a higher id. Therefore a read begins so many ids before the last article that was seen. An article that
/// appears later still is missing until the site is read whole. An overlap four times as large read two
/// thirds more rows, and no difference could be measured.
const OVERLAP: i64 = 1_000;

/// Bytes of articles in one generation at the most; there are two. Some 400 bytes an article, 8 KB a site.
const GENERATION_BYTES: usize = 12 << 20;

/// One of a site's last articles.
#[derive(Debug, Clone)]
pub(crate) struct SiteArticle {
    pub(crate) id: ArticleId,
    pub(crate) url_hash: Option<u64>,
    pub(crate) blocks: Vec<BlockHash>,
    pub(crate) title_words: Vec<u32>,
    /// All its blocks. `None`: stored before there was site memory, or by a program that writes another format.
    pub(crate) page: Option<PageBlocks>,
}

impl SiteArticle {
    /// About how many bytes of memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>()
            + size_of_val(self.blocks.as_slice())
            + size_of_val(self.title_words.as_slice())
            + self.page.as_ref().map_or(0, PageBlocks::bytes)
    }
}

/// A site in the cache.
#[derive(Debug, Clone)]
struct CachedSite {
    /// The newest first.
    articles: Vec<Arc<SiteArticle>>,
    read_whole: Instant,
    /// Of all its articles, measured once: to look at each again is to fetch each from memory.
    bytes: usize,
}

/// Sites in two generations: a site that is used moves to the recent one. When that is full, the old one is
/// dropped and the recent one becomes the old one. So the sites that have not been used for the longest time
/// go, and nothing has to be kept in an order.
#[derive(Debug, Default)]
pub(crate) struct SiteArticleCache(Mutex<Generations>);

#[derive(Debug, Default)]
struct Generations {
    recent: HashMap<i64, CachedSite>,
    recent_bytes: usize,
    old: HashMap<i64, CachedSite>,
}

impl SiteArticleCache {
    /// For each site: above which id its articles are to be read.
    pub(crate) fn read_above(&self, sites: &[i64], now: Instant) -> Vec<i64> {
        let generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let above = |site| {
            let known = generations.find(site)?;
            let fresh = now.saturating_duration_since(known.read_whole) < STALE;
            let newest = known.articles.first().filter(|_| fresh)?;
            Some(newest.id.0.saturating_sub(OVERLAP))
        };
        sites
            .iter()
            .map(|site| above(*site).unwrap_or(i64::MIN))
            .collect()
    }

    /// The last articles of each site, from what was `read` of it above an id and what was known before.
    pub(crate) fn complete(
        &self,
        sites: &[i64],
        above: &[i64],
        mut read: HashMap<i64, Vec<Arc<SiteArticle>>>,
        now: Instant,
    ) -> HashMap<i64, Vec<Arc<SiteArticle>>> {
        let mut generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut recents = HashMap::with_capacity(sites.len());
        for (site, above) in sites.iter().zip(above) {
            let mut articles = read.remove(site).unwrap_or_default();
            let whole = *above == i64::MIN;
            let known = generations.find(*site).filter(|_| !whole);
            // Known articles above the border that were not read are not there any more.
            articles.extend(
                known
                    .iter()
                    .flat_map(|k| &k.articles)
                    .filter(|a| a.id.0 <= *above)
                    .cloned(),
            );
            articles.truncate(RECENTS);
            if articles.is_empty() {
                continue;
            }
            recents.insert(*site, articles.clone());
            // The entry was evicted meanwhile; what was read is partial, so it is not cached.
            if let Some(read_whole) = known.map(|k| k.read_whole).or(whole.then_some(now)) {
                generations.put(*site, CachedSite::new(articles, read_whole));
            }
        }
        recents
    }

    /// Invalidates everything: the next answer may come from another server.
    pub(crate) fn clear(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Generations::default();
    }
}

impl Generations {
    fn find(&self, site: i64) -> Option<&CachedSite> {
        self.recent.get(&site).or_else(|| self.old.get(&site))
    }

    fn put(&mut self, site: i64, known: CachedSite) {
        self.recent_bytes += known.bytes;
        if let Some(before) = self.recent.insert(site, known) {
            self.recent_bytes -= before.bytes;
        }
        if self.recent_bytes > GENERATION_BYTES {
            self.old = std::mem::take(&mut self.recent);
            self.recent_bytes = 0;
        }
    }
}

impl CachedSite {
    fn new(articles: Vec<Arc<SiteArticle>>, read_whole: Instant) -> Self {
        Self {
            bytes: Self::bytes_of(&articles),
            articles,
            read_whole,
        }
    }

    fn bytes_of(articles: &[Arc<SiteArticle>]) -> usize {
        // A site has its place in the map and in the vector.
        128 + articles.iter().map(|a| a.bytes()).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn article(id: i64, blocks: usize) -> Arc<SiteArticle> {
        Arc::new(SiteArticle {
            id: ArticleId(id),
            url_hash: None,
            blocks: vec![BlockHash(id); blocks],
            title_words: Vec::new(),
            page: None,
        })
    }

    fn read(site: i64, ids: &[i64]) -> HashMap<i64, Vec<Arc<SiteArticle>>> {
        HashMap::from([(site, ids.iter().map(|id| article(*id, 1)).collect())])
    }

    fn ids(recents: &HashMap<i64, Vec<Arc<SiteArticle>>>, site: i64) -> Vec<i64> {
        recents
            .get(&site)
            .map(|r| r.iter().map(|a| a.id.0).collect())
            .unwrap_or_default()
    }

    #[test]
    fn a_site_is_read_whole_first_and_then_from_a_little_behind_its_newest() {
        let cache = SiteArticleCache::default();
        let now = Instant::now();
        assert_eq!(cache.read_above(&[7], now), [i64::MIN]);
        let recents = cache.complete(&[7], &[i64::MIN], read(7, &[90_000, 20_000, 10_000]), now);
        assert_eq!(ids(&recents, 7), [90_000, 20_000, 10_000]);
        let above = cache.read_above(&[7, 8], now);
        assert_eq!(above, [90_000 - OVERLAP, i64::MIN]);
        // Two newer ones; one that came late; 90,000 is read again.
        let newer = read(7, &[95_000, 94_500, 90_000, 89_999]);
        let recents = cache.complete(&[7, 8], &above, newer, now);
        assert_eq!(ids(&recents, 7), [95_000, 94_500, 90_000, 89_999, 20_000, 10_000]);
        assert!(!recents.contains_key(&8));
        // What was seen above the border and is not read again is gone.
        let above = cache.read_above(&[7], now);
        assert_eq!(above, [95_000 - OVERLAP]);
        let recents = cache.complete(&[7], &above, read(7, &[95_000]), now);
        assert_eq!(ids(&recents, 7), [95_000, 90_000, 89_999, 20_000, 10_000]);
    }

    #[test]
    fn no_more_than_a_decision_looks_at_are_kept() {
        let cache = SiteArticleCache::default();
        let now = Instant::now();
        let all: Vec<i64> = (0..30).rev().collect();
        let recents = cache.complete(&[7], &[i64::MIN], read(7, &all), now);
        assert_eq!(ids(&recents, 7).len(), RECENTS);
        assert_eq!(ids(&recents, 7).first(), Some(&29));
    }

    #[test]
    fn what_is_stale_or_was_forgotten_is_read_whole() {
        let cache = SiteArticleCache::default();
        let now = Instant::now();
        cache.complete(&[7], &[i64::MIN], read(7, &[90_000]), now);
        let later = now + STALE / 2;
        let above = cache.read_above(&[7], later);
        assert_eq!(above, [90_000 - OVERLAP]);
        // Reading what is new does not make the rest recenter.
        cache.complete(&[7], &above, read(7, &[90_000]), later);
        assert_eq!(cache.read_above(&[7], now + STALE), [i64::MIN]);
        cache.clear();
        assert_eq!(cache.read_above(&[7], now), [i64::MIN]);
    }

    #[test]
    fn its_memory_is_bounded_and_what_is_used_stays() {
        let cache = SiteArticleCache::default();
        let now = Instant::now();
        for site in 1..10_000 {
            let large = HashMap::from([(site, vec![article(site * 100_000, 1_000)])]);
            cache.complete(&[site], &[i64::MIN], large, now);
            // One that is used again and again.
            let above = cache.read_above(&[0], now);
            if site > 1 {
                assert_ne!(above, [i64::MIN], "after {site} sites");
            }
            cache.complete(&[0], &above, read(0, &[5]), now);
            let generations = cache.0.lock().unwrap();
            let bytes = |g: &HashMap<i64, CachedSite>| {
                g.values()
                    .map(|k| CachedSite::bytes_of(&k.articles))
                    .sum::<usize>()
            };
            assert_eq!(bytes(&generations.recent), generations.recent_bytes);
            assert!(bytes(&generations.recent) + bytes(&generations.old) <= 2 * GENERATION_BYTES + 20_000);
        }
        assert_eq!(cache.read_above(&[1], now), [i64::MIN], "the first is long gone");
    }
}
