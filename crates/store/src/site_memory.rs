//! Site memory in the flush: what the sites repeat is taken out of a batch's articles, in the order of offsets.
//!
//! Keys, fingerprints and links are of the text as the rules left it and are settled before this begins. What this
//! changes is what people read: the blocks, the body and the count of its words.

use std::collections::HashMap;
use std::sync::Arc;

use copydesk_article::{ArticleId, CleanArticle, StoryId};
use copydesk_dedup::fingerprint_parts;
use copydesk_site::{
    BlockKeys, Decision, Instructions, Params, SIBLINGS, Sibling, Subject, apply, decide_keyed,
};
use sqlx::PgConnection;

use crate::dispositions::Disposition;
use crate::error::{Doing as _, StoreError};
use crate::evidence::Sites;
use crate::identity::{Identity, Known};
use crate::sites_at_hand::SiteArticle;
use crate::stories::Stories;
use crate::work::Work;

/// An article that was cleaned with fewer other articles of its site in view is cleaned again when there are twice as many: the
/// thresholds need four, and twice that is enough for what stands on every second page.
pub(crate) const SETTLED: i16 = 8;

/// What site memory made of one article or version.
#[derive(Default)]
pub(crate) struct Outcome {
    /// The story that it is in.
    pub(crate) story: i64,
    /// Stories that were looked at. `None`: site memory is off.
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

/// Cleans a batch. With `on` false nothing is taken out, and the evidence is recorded all the same.
pub(crate) fn clean(
    works: &[Work<'_>],
    dispositions: &[Disposition],
    known: &HashMap<Identity, Known>,
    stories: &Stories,
    sites: &mut Sites,
    on: bool,
) -> Cleaned {
    let mut cleaned = Cleaned {
        of_work: Vec::with_capacity(works.len()),
        taken_out: (0, 0),
        young: HashMap::new(),
    };
    for (work, disposition) in works.iter().zip(dispositions) {
        let id = disposition.article(work.fresh);
        let story = match disposition {
            Disposition::Unchanged { .. } => {
                cleaned.of_work.push(None);
                continue;
            }
            // It is kept as it came: the site's present articles say nothing about it, nor it about them.
            Disposition::Older { .. } => {
                cleaned.of_work.push(Some(Outcome::default()));
                continue;
            }
            Disposition::New { .. } => stories.of(work.fresh),
            // A version of an article that is new in this very batch is in that one's story.
            Disposition::Version { .. } => known
                .get(&work.identity)
                .filter(|k| k.article == id)
                .map_or_else(|| stories.of(id), |k| k.story),
        };
        let mut outcome = Outcome {
            story,
            stories: None,
            page: Vec::new(),
            view: None,
            changed: None,
        };
        let page = &work.article.ready.page;
        outcome.page = page.encode();
        if let Some(site) = work.site_hash {
            let title_words = &work.article.fingerprint.title_words;
            if on {
                let subject = Subject {
                    id: ArticleId(id),
                    story: Some(StoryId(story)),
                    url_hash: work.url_hash,
                    title_words,
                };
                let recents = sites.recents.get(&site).map_or(&[][..], Vec::as_slice);
                let decision = decide_from(
                    &work.article.clean,
                    &work.article.ready.block_keys,
                    &subject,
                    recents,
                    sites.instructions(site),
                );
                outcome.stories = Some(i16::try_from(decision.stories).unwrap_or(i16::MAX));
                outcome.view = view(&decision, recents);
                outcome.changed = changed(&work.article.clean, &decision);
                if let Some((_, left)) = &outcome.changed {
                    let words = i64::from(work.article.fingerprint.word_count) - i64::from(*left);
                    cleaned.taken_out.0 += decision.removed.len() as u64;
                    cleaned.taken_out.1 += words.unsigned_abs();
                }
                let in_view = recents
                    .iter()
                    .filter(|r| r.id.0 != id && r.page.is_some())
                    .count();
                let in_view = i16::try_from(in_view).unwrap_or(i16::MAX);
                if in_view < SETTLED {
                    cleaned.young.insert((site, id), in_view);
                }
            }
            let recents = sites.recents.entry(site).or_default();
            recents.retain(|r| r.id.0 != id);
            let article = SiteArticle {
                id: ArticleId(id),
                url_hash: work.url_hash,
                blocks: Vec::new(),
                title_words: title_words.clone(),
                story: Some(StoryId(story)),
                page: Some(page.clone()),
            };
            recents.insert(0, Arc::new(article));
            recents.truncate(SIBLINGS);
        }
        cleaned.of_work.push(Some(outcome));
    }
    cleaned
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
                story: r.story,
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
