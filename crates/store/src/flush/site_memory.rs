//! What the sites say about a batch's articles, in the order of offsets: what near-copies are decided without, and what site memory takes out.
//!
//! It depends on the articles and their sites alone, and on no decision: a flush does it before it locks keys. Keys and links are of the
//! text as the rules left it. What this changes is what people read: the blocks, the body and the count of its words.

use std::collections::HashMap;
use std::sync::Arc;

use copydesk_article::{ArticleId, CleanArticle};
use copydesk_dedup::{RECENTS, Recent, SiteEvidence, fingerprint_parts};
use copydesk_site::{
    BlockKeys, Decision, Instructions, Params, SIBLINGS, Sibling, Subject, apply, decide_keyed,
};
use sqlx::PgConnection;

use crate::caches::sites_at_hand::SiteArticle;
use crate::error::{Doing as _, StoreError};
use crate::flush::dispositions::Disposition;
use crate::flush::evidence::Sites;
use crate::flush::work::Work;

/// An article that was cleaned with fewer other articles of its site in view is cleaned again when there are twice as many: the
/// thresholds need four, and twice that is enough for what stands on every second page.
pub(crate) const SETTLED: i16 = 8;

/// What its site says about one article or version.
#[derive(Default)]
pub(crate) struct Outcome {
    /// What the decision on near-copies leaves out.
    pub(crate) evidence: SiteEvidence,
    /// Articles of the site that were looked at for it.
    pub(crate) recents: i16,
    /// Texts that site memory looked at. `None`: it is off.
    pub(crate) stories: Option<i16>,
    /// Its blocks, as stored.
    pub(crate) page: Vec<u8>,
    /// The articles that were looked at, as stored. `None`: nothing was taken out or spared.
    pub(crate) view: Option<Vec<u8>>,
    /// The article without what was taken out, and the words of its body. `None`: nothing was.
    pub(crate) changed: Option<(CleanArticle, i32)>,
}

/// The outcome for each work in order; `None` for a repeat.
pub(crate) struct Cleaned {
    pub(crate) of_work: Vec<Option<Outcome>>,
    /// Blocks that go, and their words.
    pub(crate) taken_out: (u64, u64),
    young: HashMap<(i64, i64), i16>,
}

/// Goes through a batch: an article sees those before it. With `on` false nothing is taken out, and the evidence is recorded all the same.
pub(crate) fn clean(
    works: &[Work<'_>],
    dispositions: &[Disposition],
    sites: &mut Sites,
    params: &copydesk_dedup::Params<'_>,
    on: bool,
) -> Cleaned {
    let mut cleaned = Cleaned {
        of_work: Vec::with_capacity(works.len()),
        taken_out: (0, 0),
        young: HashMap::new(),
    };
    for (work, disposition) in works.iter().zip(dispositions) {
        let outcome = match disposition {
            Disposition::Unchanged { .. } => None,
            // It is kept as it came: the site's present articles say nothing about it, nor it about them.
            Disposition::Older { .. } => Some(Outcome::default()),
            Disposition::New { .. } | Disposition::Version { .. } => {
                let id = disposition.article(work.fresh);
                let outcome = cleaned.one(work, id, sites, params, on);
                remember(work, id, sites);
                Some(outcome)
            }
        };
        cleaned.of_work.push(outcome);
    }
    cleaned
}

/// The articles behind see this one as if it had been read from the database.
fn remember(work: &Work<'_>, id: i64, sites: &mut Sites) {
    let Some(site) = work.site_hash else { return };
    let fingerprint = work.fingerprint();
    let article = SiteArticle {
        id: ArticleId(id),
        url_hash: work.url_hash,
        blocks: fingerprint.blocks.clone(),
        title_words: fingerprint.title_words.clone(),
        page: Some(work.article.ready.page.clone()),
    };
    let recents = sites.recents.entry(site).or_default();
    recents.retain(|r| r.id.0 != id);
    recents.insert(0, Arc::new(article));
    recents.truncate(RECENTS.max(SIBLINGS));
}

impl Sites {
    /// What is known about blocks of a site besides who shows them.
    pub(crate) fn instructions(&self, site: i64) -> Instructions<'_> {
        let said = self.said.get(&site);
        Instructions {
            pinned: said.map_or(&[], |(pinned, _)| pinned),
            forgotten: said.map_or(&[], |(_, forgotten)| forgotten),
            protected: &self.travelling,
        }
    }
}

/// What the last articles of its site say for the decision on near-copies.
fn evidence_of(
    work: &Work<'_>,
    id: i64,
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
    SiteEvidence::of(&work.subject(id), &recents, params)
}

/// The decision from stored articles of the site. Those without stored blocks say nothing.
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

/// `evidence.site_view`: what a decision that took out or spared something looked at.
pub(crate) fn view(decision: &Decision, recents: &[Arc<SiteArticle>]) -> Option<Vec<u8>> {
    (!decision.removed.is_empty() || !decision.spared.is_empty()).then(|| {
        recents
            .iter()
            .filter(|r| r.page.is_some())
            .flat_map(|r| r.id.0.to_le_bytes())
            .collect()
    })
}

/// The article without what was decided on, and the words of its body. `None`: it stays as it is.
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
        work: &Work<'_>,
        id: i64,
        sites: &Sites,
        params: &copydesk_dedup::Params<'_>,
        on: bool,
    ) -> Outcome {
        let recents = work.site_hash.and_then(|site| sites.recents.get(&site));
        let recents = recents.map_or(&[][..], Vec::as_slice);
        let mut outcome = Outcome {
            evidence: evidence_of(work, id, recents, params),
            recents: i16::try_from(recents.len().min(RECENTS)).unwrap_or(i16::MAX),
            page: work.article.ready.page.encode(),
            ..Outcome::default()
        };
        let Some(site) = work.site_hash.filter(|_| on) else {
            return outcome;
        };
        let subject = Subject {
            id: ArticleId(id),
            url_hash: work.url_hash,
            title_words: &work.fingerprint().title_words,
        };
        let (clean, keys) = (&work.article.clean, &work.article.ready.block_keys);
        let decision = decide_from(clean, keys, &subject, recents, sites.instructions(site));
        outcome.stories = Some(i16::try_from(decision.stories).unwrap_or(i16::MAX));
        outcome.view = view(&decision, recents);
        outcome.changed = changed(clean, &decision);
        if let Some((_, left)) = &outcome.changed {
            let words = i64::from(work.fingerprint().word_count) - i64::from(*left);
            self.taken_out.0 += decision.removed.len() as u64;
            self.taken_out.1 += words.unsigned_abs();
        }
        let in_view = recents
            .iter()
            .filter(|r| r.id.0 != id && r.page.is_some())
            .count();
        let in_view = i16::try_from(in_view).unwrap_or(i16::MAX);
        if in_view < SETTLED {
            self.young.insert((site, id), in_view);
        }
        outcome
    }

    /// Notes the articles that are to be cleaned again when more is known of their sites.
    pub(crate) async fn note_young(&self, connection: &mut PgConnection) -> Result<(), StoreError> {
        if self.young.is_empty() {
            return Ok(());
        }
        let mut rows: Vec<(i64, i64, i16)> = self
            .young
            .iter()
            .map(|((site, article), articles)| (*site, *article, *articles))
            .collect();
        rows.sort_unstable();
        let sites: Vec<i64> = rows.iter().map(|r| r.0).collect();
        let articles: Vec<i64> = rows.iter().map(|r| r.1).collect();
        let in_view: Vec<i16> = rows.iter().map(|r| r.2).collect();
        sqlx::query(
            "INSERT INTO site_young (site_hash, article_id, articles)
             SELECT * FROM unnest($1::int8[], $2::int8[], $3::int2[])
             ON CONFLICT (site_hash, article_id) DO UPDATE SET articles = EXCLUDED.articles",
        )
        .bind(&sites)
        .bind(&articles)
        .bind(&in_view)
        .execute(connection)
        .await
        .doing("cannot note articles of young sites")?;
        Ok(())
    }
}
