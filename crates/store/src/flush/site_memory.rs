//! Site memory in a flush: for each article, in the order of offsets, the evidence of its site and the blocks
//! that are taken out.
//!
//! It depends on the articles and their sites alone, and not on the decision on near-copies, so a flush does
//! it before it locks keys. It changes the blocks, the body and the number of words. Keys and links are of
//! the text before that, as the cleaning rules left it.

use std::collections::BTreeMap;
use std::sync::Arc;

use copydesk_article::{ArticleId, CleanArticle};
use copydesk_dedup::{RECENTS, Recent, SiteEvidence, fingerprint_parts};
use copydesk_site::{
    BlockKeys, Decision, Instructions, Params, SIBLINGS, Sibling, Subject, apply, decide_keyed,
};
use sqlx::PgConnection;

use crate::caches::site_article_cache::SiteArticle;
use crate::error::StoreError;
use crate::flush::dispositions::Disposition;
use crate::flush::evidence::Sites;
use crate::flush::pending_article::PendingArticle;
use crate::rows::execute;

/// An article that was compared with fewer siblings (other articles of its site) is provisional: it is
/// cleaned again when there are twice as many. The thresholds need four siblings; twice that is enough for a
/// block on every second page.
pub(crate) const MIN_SIBLINGS: i16 = 8;

/// What site memory found for one article or version.
#[derive(Default)]
pub(crate) struct Outcome {
    /// Blocks that the decision on near-copies leaves out.
    pub(crate) evidence: SiteEvidence,
    /// The number of the site's articles that this was decided from.
    pub(crate) recents: i16,
    /// The number of stories among the siblings. `None`: site memory is off.
    pub(crate) stories: Option<i16>,
    /// The article's blocks, as `evidence.page_blocks` has them.
    pub(crate) page: Vec<u8>,
    /// The siblings, as `evidence.site_view` has them. `None`: no block was taken out or spared.
    pub(crate) view: Option<Vec<u8>>,
    /// The article without the blocks that were taken out, and the words of its body. `None`: none was taken
    /// out.
    pub(crate) changed: Option<(CleanArticle, i32)>,
}

/// What site memory found for a batch.
pub(crate) struct Cleaned {
    /// For each article of the batch in order; `None` for a repeat.
    pub(crate) outcomes: Vec<Option<Outcome>>,
    /// The number of blocks that were taken out, and of their words.
    pub(crate) taken_out: (u64, u64),
    provisional: BTreeMap<(i64, ArticleId), i16>,
}

/// Goes through a batch; an article sees those before it. With `on` false no block is taken out, and the
/// evidence is recorded all the same.
pub(crate) fn clean(
    batch: &[PendingArticle<'_>],
    dispositions: &[Disposition],
    sites: &mut Sites,
    params: &copydesk_dedup::Params<'_>,
    on: bool,
) -> Cleaned {
    let mut cleaned = Cleaned {
        outcomes: Vec::with_capacity(batch.len()),
        taken_out: (0, 0),
        provisional: BTreeMap::new(),
    };
    for (pending, disposition) in batch.iter().zip(dispositions) {
        let outcome = match disposition {
            Disposition::Unchanged { .. } => None,
            // It is kept as it came: the site's present articles are not evidence for it, nor it for them.
            Disposition::Older { .. } => Some(Outcome::default()),
            Disposition::New { .. } | Disposition::Version { .. } => {
                let id = disposition.article(pending.fresh);
                let outcome = cleaned.one(pending, id, sites, params, on);
                remember(pending, id, sites);
                Some(outcome)
            }
        };
        cleaned.outcomes.push(outcome);
    }
    cleaned
}

/// Adds the article to its site: the articles behind it see it as if it had been read from the database.
fn remember(pending: &PendingArticle<'_>, id: ArticleId, sites: &mut Sites) {
    let Some(site) = pending.site_hash else { return };
    let fingerprint = pending.fingerprint();
    let article = SiteArticle {
        id,
        url_hash: pending.url_hash,
        blocks: fingerprint.blocks.clone(),
        title_words: fingerprint.title_words.clone(),
        page: Some(pending.prepared.ready.page.clone()),
    };
    let recents = sites.recents.entry(site).or_default();
    recents.retain(|r| r.id != id);
    recents.insert(0, Arc::new(article));
    recents.truncate(RECENTS.max(SIBLINGS));
}

impl Sites {
    /// The blocks of a site that are decided on otherwise than by counting who shows them.
    pub(crate) fn instructions(&self, site: i64) -> Instructions<'_> {
        let overrides = self.overrides.get(&site);
        Instructions {
            pinned: overrides.map_or(&[], |o| &o.pinned),
            forgotten: overrides.map_or(&[], |o| &o.forgotten),
            protected: &self.syndicated,
        }
    }
}

/// The evidence of the site's last articles for the decision on near-copies.
fn evidence_of(
    pending: &PendingArticle<'_>,
    id: ArticleId,
    recents: &[Arc<SiteArticle>],
    params: &copydesk_dedup::Params<'_>,
) -> SiteEvidence {
    let recents: Vec<Recent<'_>> = recents
        .iter()
        .take(RECENTS)
        .map(|r| Recent {
            id: r.id,
            url_hash: r.url_hash,
            blocks: &r.blocks,
            title_words: &r.title_words,
        })
        .collect();
    SiteEvidence::of(&pending.subject(id), &recents, params)
}

/// The decision from stored articles of the site. Those without stored blocks do not count.
pub(crate) fn decide_from(
    article: &CleanArticle,
    keys: &BlockKeys,
    subject: &Subject<'_>,
    recents: &[Arc<SiteArticle>],
    instructions: Instructions<'_>,
) -> Decision {
    let siblings: Vec<Sibling<'_>> = recents
        .iter()
        .filter_map(|r| {
            Some(Sibling {
                id: r.id,
                url_hash: r.url_hash,
                title_words: &r.title_words,
                blocks: r.page.as_ref()?,
            })
        })
        .collect();
    decide_keyed(
        article,
        keys,
        subject,
        &siblings,
        &instructions,
        &Params::default(),
    )
}

/// `evidence.site_view`: the articles that a decision was made from, if it took out or spared a block.
pub(crate) fn view(decision: &Decision, recents: &[Arc<SiteArticle>]) -> Option<Vec<u8>> {
    (!decision.removed.is_empty() || !decision.spared.is_empty()).then(|| {
        recents
            .iter()
            .filter(|r| r.page.is_some())
            .flat_map(|r| r.id.0.to_le_bytes())
            .collect()
    })
}

/// The article without the blocks that the decision takes out, and the words of its body. `None`: it stays as
/// it is.
pub(crate) fn changed(article: &CleanArticle, decision: &Decision) -> Option<(CleanArticle, i32)> {
    if decision.removed.is_empty() {
        return None;
    }
    let article = apply(article, decision);
    let words = word_count(&article);
    Some((article, words))
}

/// Words of the body, counted as the fingerprint counts them.
pub(crate) fn word_count(article: &CleanArticle) -> i32 {
    let words = fingerprint_parts(None, article.paragraphs()).word_count;
    i32::try_from(words).unwrap_or(i32::MAX)
}

impl Cleaned {
    fn one(
        &mut self,
        pending: &PendingArticle<'_>,
        id: ArticleId,
        sites: &Sites,
        params: &copydesk_dedup::Params<'_>,
        on: bool,
    ) -> Outcome {
        let recents = pending.site_hash.and_then(|site| sites.recents.get(&site));
        let recents = recents.map_or(&[][..], Vec::as_slice);
        let mut outcome = Outcome {
            evidence: evidence_of(pending, id, recents, params),
            recents: i16::try_from(recents.len().min(RECENTS)).unwrap_or(i16::MAX),
            page: pending.prepared.ready.page.encode(),
            ..Outcome::default()
        };
        let Some(site) = pending.site_hash.filter(|_| on) else {
            return outcome;
        };
        let subject = Subject {
            id,
            url_hash: pending.url_hash,
            title_words: &pending.fingerprint().title_words,
        };
        let (clean, keys) = (&pending.prepared.clean, &pending.prepared.ready.block_keys);
        let decision = decide_from(clean, keys, &subject, recents, sites.instructions(site));
        outcome.stories = Some(i16::try_from(decision.stories).unwrap_or(i16::MAX));
        outcome.view = view(&decision, recents);
        outcome.changed = changed(clean, &decision);
        if let Some((_, left)) = &outcome.changed {
            let words = i64::from(pending.fingerprint().word_count) - i64::from(*left);
            self.taken_out.0 += decision.removed.len() as u64;
            self.taken_out.1 += words.unsigned_abs();
        }
        let in_view = recents.iter().filter(|r| r.id != id && r.page.is_some()).count();
        let in_view = i16::try_from(in_view).unwrap_or(i16::MAX);
        if in_view < MIN_SIBLINGS {
            self.provisional.insert((site, id), in_view);
        }
        outcome
    }

    /// Notes the articles that are to be cleaned again when more is known of their sites.
    pub(crate) async fn note_provisional(&self, connection: &mut PgConnection) -> Result<(), StoreError> {
        if self.provisional.is_empty() {
            return Ok(());
        }
        let (sites, articles): (Vec<i64>, Vec<i64>) =
            self.provisional.keys().map(|(site, id)| (*site, id.0)).unzip();
        let in_view: Vec<i16> = self.provisional.values().copied().collect();
        execute!(connection, "cannot note articles that are to be cleaned again";
            "INSERT INTO site_provisional (site_hash, article_id, articles)
             SELECT * FROM unnest($1::int8[], $2::int8[], $3::int2[])
             ON CONFLICT (site_hash, article_id) DO UPDATE SET articles = EXCLUDED.articles",
            &sites, &articles, &in_view
        )?;
        Ok(())
    }
}
