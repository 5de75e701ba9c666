//! Why an article is in its story: the decision as it was recorded, and made again from the stored evidence.

use copydesk_article::{ArticleId, BlockHash, Fingerprint};
use copydesk_dedup::{Decision, Params, Recent, Subject, decide, versions};
use sqlx::Row as _;

use crate::connect::config::Store;
use crate::error::{Doing as _, StoreError};
use crate::flush::decision_inputs::with_candidates;
use crate::flush::evidence::{Older, blocks_from_bytes, candidates};

const DOING: &str = "cannot explain the decision";

/// One older article that the decision looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct ExplainedCandidate {
    /// The older article.
    pub article_id: i64,
    /// Its site.
    pub site: Option<String>,
    /// What was decided when the article came: `linked: jaccard`, `refused: one_paragraph`, …
    pub recorded: String,
    /// What is decided now, from the stored evidence.
    pub again: String,
    /// Jaccard similarity of the two.
    pub jaccard: f64,
    /// Share of the article that is in the candidate.
    pub in_candidate: f64,
    /// Share of the candidate that is in the article.
    pub of_candidate: f64,
    /// By how much the sum of the signs is above the threshold; `None` if it need not be weighed.
    pub score: Option<f64>,
    /// The strongest signs: what each adds to the sum, and what it saw.
    pub signs: Vec<(f64, String)>,
}

/// Signs that are shown of a candidate.
const SHOWN_SIGNS: usize = 8;

/// The outcome of [`Store::explain`].
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// The article.
    pub article_id: i64,
    /// Its headline.
    pub title: Option<String>,
    /// Its story.
    pub story_id: i64,
    /// Number of its latest version: above 1 the evidence is of a later text than the decision was.
    pub version: i32,
    /// Version of the rule that decided.
    pub rule_version: Option<i16>,
    /// The list of common shingles that was in use.
    pub common_version: Option<i32>,
    /// How many of its site's last articles were looked at.
    pub site_articles: i16,
    /// The paragraphs that were left out because its site shows them everywhere.
    pub dropped: Vec<String>,
    /// The candidates, the linked one first.
    pub candidates: Vec<ExplainedCandidate>,
    /// Every candidate is decided on as it was recorded.
    pub same: bool,
}

struct Recorded {
    link: Option<(i64, String)>,
    refusals: Vec<(i64, String)>,
}

impl Store {
    /// Shows the decision on an article and makes it again. `None`: there is no such article.
    ///
    /// # Errors
    /// Postgres does not answer, or evidence cannot be read.
    pub async fn explain(&self, article_id: i64) -> Result<Option<Explanation>, StoreError> {
        let row = sqlx::query(
            "SELECT a.title, m.story_id, a.version, m.link_rule_version, m.common_version, m.linked_to, m.link_reason,
                    a.recents, e.block_hashes, e.dropped_blocks, m.refusals,
                    (SELECT coalesce(array_agg(text ORDER BY position), '{}') FROM article_blocks b
                     WHERE b.article_id = a.article_id AND b.version = a.version AND (b.kept OR b.rule = 'site-memory')
                         AND b.kind IN ('body', 'sub_headline', 'quote', 'list_item'))
             FROM article a JOIN membership m USING (article_id) JOIN evidence e USING (article_id) WHERE a.article_id = $1",
        )
        .bind(article_id)
        .fetch_optional(&self.pool)
        .await
        .doing(DOING)?;
        let Some(row) = row else { return Ok(None) };
        let linked_to: Option<i64> = row.try_get(5).doing(DOING)?;
        let reason: Option<String> = row.try_get(6).doing(DOING)?;
        let refusals: Option<serde_json::Value> = row.try_get(10).doing(DOING)?;
        let recorded = Recorded {
            link: linked_to.map(|to| (to, reason.unwrap_or_default())),
            refusals: refusals
                .as_ref()
                .and_then(serde_json::Value::as_object)
                .into_iter()
                .flatten()
                .filter_map(|(id, why)| Some((id.parse().ok()?, why.as_str()?.to_owned())))
                .collect(),
        };
        let common_version: Option<i32> = row.try_get(4).doing(DOING)?;
        let site_articles: i16 = row.try_get(7).doing(DOING)?;
        let list = self.common_list(common_version.unwrap_or(0)).await?;
        let params = Params {
            common: list.as_deref(),
            ..Params::default()
        };
        let compared = self
            .compare(article_id, &recorded, site_articles, &params)
            .await?;
        let blocks = blocks_from_bytes(row.try_get(8).doing(DOING)?);
        let dropped: Option<&[u8]> = row.try_get(9).doing(DOING)?;
        let paragraphs: Vec<String> = row.try_get(11).doing(DOING)?;
        Ok(Some(Explanation {
            article_id,
            title: row.try_get(0).doing(DOING)?,
            story_id: row.try_get(1).doing(DOING)?,
            version: row.try_get(2).doing(DOING)?,
            rule_version: row.try_get(3).doing(DOING)?,
            common_version,
            site_articles,
            dropped: texts_of(
                &blocks,
                &blocks_from_bytes(dropped.unwrap_or_default()),
                &paragraphs,
            ),
            same: compared.iter().all(|c| c.recorded == c.again),
            candidates: compared,
        }))
    }

    async fn compare(
        &self,
        article_id: i64,
        recorded: &Recorded,
        site_articles: i16,
        params: &Params<'_>,
    ) -> Result<Vec<ExplainedCandidate>, StoreError> {
        let linked = recorded.link.as_ref().map(|(to, _)| *to);
        let looked_at: Vec<i64> = linked
            .into_iter()
            .chain(recorded.refusals.iter().map(|(id, _)| *id))
            .collect();
        let mut ids = looked_at.clone();
        ids.push(article_id);
        let mut connection = self.pool.acquire().await.doing(DOING)?;
        let older = candidates(&mut connection, &ids).await?;
        let Some(own) = older.get(&article_id) else {
            return Ok(Vec::new());
        };
        let decision = again(article_id, own, &looked_at, &older, site_articles, params);
        Ok(looked_at
            .iter()
            .filter_map(|id| {
                let candidate = older.get(id)?;
                let numbers = versions::compare(&candidate.fingerprint, &own.fingerprint);
                let weighed = decision.weighed.iter().find(|w| w.id.0 == *id);
                Some(ExplainedCandidate {
                    article_id: *id,
                    site: candidate.site.as_deref().map(str::to_owned),
                    recorded: match &recorded.link {
                        Some((to, reason)) if to == id => format!("linked: {reason}"),
                        _ => recorded
                            .refusals
                            .iter()
                            .find(|(refused, _)| refused == id)
                            .map_or_else(String::new, |(_, why)| format!("refused: {why}")),
                    },
                    again: outcome(&decision, *id),
                    jaccard: numbers.jaccard,
                    in_candidate: numbers.new_known,
                    of_candidate: numbers.old_kept,
                    score: weighed.map(|w| w.score),
                    signs: weighed.map_or_else(Vec::new, |w| {
                        let reasons = w.strongest(SHOWN_SIGNS).into_iter();
                        reasons
                            .map(|r| (r.brings, format!("{}: {}", r.sign, r.words)))
                            .collect()
                    }),
                })
            })
            .collect())
    }
}

/// The decision from the stored evidence. What the site shows everywhere is left out of it already, so the site's
/// articles only count.
pub(crate) fn again(
    article_id: i64,
    own: &Older<'_>,
    looked_at: &[i64],
    older: &std::collections::HashMap<i64, Older<'_>>,
    site_articles: i16,
    params: &Params<'_>,
) -> Decision {
    let recents: Vec<Recent<'_>> = (1..=i64::from(site_articles))
        .map(|n| Recent {
            id: ArticleId(-n),
            url_hash: None,
            blocks: &[],
            title_words: &[],
        })
        .collect();
    let fingerprint: &Fingerprint = &own.fingerprint;
    let subject = Subject {
        id: ArticleId(article_id),
        site: own.site.as_deref(),
        url_hash: own.url_hash,
        times: own.times,
        fingerprint,
    };
    // Excerpts that came later were not there.
    with_candidates(
        older,
        looked_at,
        |id| id < article_id,
        |candidates| decide(&subject, candidates, &recents, params),
    )
}

fn outcome(decision: &Decision, id: i64) -> String {
    if let Some(link) = decision.link.filter(|l| l.to.0 == id) {
        return format!("linked: {}", link.reason.as_str());
    }
    let refusal = decision.refusals.iter().find(|(refused, _)| refused.0 == id);
    refusal.map_or_else(
        || "not looked at".to_owned(),
        |(_, why)| format!("refused: {}", why.as_str()),
    )
}

fn texts_of(blocks: &[BlockHash], dropped: &[BlockHash], paragraphs: &[String]) -> Vec<String> {
    blocks
        .iter()
        .zip(paragraphs)
        .filter(|(block, _)| dropped.contains(block))
        .map(|(_, text)| text.clone())
        .collect()
}
