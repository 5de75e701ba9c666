//! Articles as the store would have them.

use std::collections::HashMap;

use copydesk_article::{ArticleId, CleanArticle, RawArticle, RawBody};
use copydesk_clean::{Budget, Cleaner, Rules};
use copydesk_dedup::memory::{Arriving, MemoryStore};
use copydesk_dedup::{Params as NearParams, fingerprint};
use copydesk_site::{Decision, Instructions, PageBlocks, Params, SIBLINGS, Sibling, Subject, decide};

/// An article that was stored.
pub(crate) struct Stored {
    pub(crate) clean: CleanArticle,
    id: ArticleId,
    site: String,
    title_words: Vec<u32>,
    blocks: PageBlocks,
}

/// A store in memory.
pub(crate) struct Store {
    cleaner: Cleaner,
    near: MemoryStore,
    pub(crate) articles: Vec<Stored>,
    sites: HashMap<String, Vec<usize>>,
}

impl Store {
    pub(crate) fn new() -> Self {
        Self {
            cleaner: Cleaner::new(Rules::builtin(), Budget::default()),
            near: MemoryStore::default(),
            articles: Vec::new(),
            sites: HashMap::new(),
        }
    }

    /// Cleans, links and stores a text. `None`: it is no article.
    pub(crate) fn insert(
        &mut self,
        site: Option<&str>,
        url: Option<&str>,
        title: Option<&str>,
        text: &str,
    ) -> Option<usize> {
        let mut raw = RawArticle::from_body(RawBody::Text(text.to_owned()));
        raw.url = url.map(str::to_owned);
        raw.title = title.map(str::to_owned);
        let clean = self.cleaner.clean(&raw).ok()?;
        let site = site
            .map(str::to_owned)
            .or_else(|| clean.metadata.site.as_ref().map(|s| s.value.clone()))
            .unwrap_or_default();
        let print = fingerprint(&clean);
        let article = Arriving {
            site: Some(&site),
            ..Arriving::of(&print)
        };
        let (id, _) = self.near.insert(&article, &NearParams::default());
        let number = self.articles.len();
        self.articles.push(Stored {
            blocks: PageBlocks::of(&clean),
            title_words: print.title_words,
            clean,
            id,
            site: site.clone(),
        });
        self.sites.entry(site).or_default().push(number);
        Some(number)
    }

    /// The decision on an article, from those before it or from all others.
    pub(crate) fn decide(&self, number: usize, all: bool, params: &Params) -> Decision {
        let article = &self.articles[number];
        let siblings: Vec<Sibling<'_>> = self.sites[&article.site]
            .iter()
            .rev()
            .filter(|n| all || **n < number)
            .take(SIBLINGS)
            .map(|n| &self.articles[*n])
            .map(|s| Sibling {
                id: s.id,
                url_hash: None,
                title_words: &s.title_words,
                blocks: &s.blocks,
            })
            .collect();
        let subject = Subject {
            id: article.id,
            url_hash: None,
            title_words: &article.title_words,
        };
        decide(
            &article.clean,
            &subject,
            &siblings,
            &Instructions::default(),
            params,
        )
    }
}
