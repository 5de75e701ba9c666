//! Why an article is in its story: the decision as it was recorded, and made again from the stored evidence.

use std::collections::HashMap;

use copydesk_article::{ArticleId, BlockHash, Fingerprint, StoryId};
use copydesk_dedup::{Decision, Params, Recent, Subject, decide, versions};
use serde_json::Value;
use sqlx::PgConnection;

use crate::connect::config::Store;
use crate::error::{Context as _, StoreError};
use crate::flush::decision_inputs::with_candidates;
use crate::flush::evidence::{StoredArticle, blocks_from_bytes, candidates};
use crate::rows::{fetch_optional, record};

const CONTEXT: &str = "cannot explain the decision";

/// One older article that the decision looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct ExplainedCandidate {
    /// The older article.
    pub article_id: ArticleId,
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

/// The texts of `article a` that its fingerprint is made of, as a column of a query.
pub(crate) const PARAGRAPHS: &str =
    "(SELECT coalesce(array_agg(text ORDER BY position), '{}') FROM article_blocks b
     WHERE b.article_id = a.article_id AND b.version = a.version AND (b.kept OR b.rule = 'site-memory')
         AND b.kind IN ('body', 'sub_headline', 'quote', 'list_item')) AS paragraphs";

/// Signs that are shown of a candidate.
const SHOWN_SIGNS: usize = 8;

/// The outcome of [`Store::explain`].
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// The article.
    pub article_id: ArticleId,
    /// Its headline.
    pub title: Option<String>,
    /// Its story.
    pub story_id: StoryId,
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

/// The decision as it was recorded: the link with its reason, and each refusal with its own.
struct Recorded {
    link: Option<(ArticleId, String)>,
    refusals: Vec<(ArticleId, String)>,
}

record! {
    struct Row {
        title: Option<String>,
        story_id: StoryId,
        version: i32,
        link_rule_version: Option<i16>,
        common_version: Option<i32>,
        linked_to: Option<ArticleId>,
        link_reason: Option<String>,
        recents: i16,
        block_hashes: Vec<u8>,
        dropped_blocks: Vec<u8>,
        refusals: Value,
        paragraphs: Vec<String>,
    }
}

impl Store {
    /// Shows the decision on an article and makes it again. `None`: there is no such article.
    ///
    /// # Errors
    /// Postgres does not answer, or evidence cannot be read.
    pub async fn explain(&self, article: ArticleId) -> Result<Option<Explanation>, StoreError> {
        let row: Option<Row> = fetch_optional!(&self.pool, CONTEXT;
            &format!("SELECT a.title, m.story_id, a.version, m.link_rule_version, m.common_version, m.linked_to, m.link_reason,
                    a.recents, e.block_hashes, coalesce(e.dropped_blocks, '') AS dropped_blocks, coalesce(m.refusals, '{{}}') AS refusals,
                    {PARAGRAPHS}
             FROM article a JOIN membership m USING (article_id) JOIN evidence e USING (article_id) WHERE a.article_id = $1"),
            article.0
        )?;
        let Some(row) = row else { return Ok(None) };
        let refusals = row.refusals.as_object().into_iter().flatten();
        let recorded = Recorded {
            link: row.linked_to.map(|to| (to, row.link_reason.unwrap_or_default())),
            refusals: refusals
                .filter_map(|(id, why)| Some((ArticleId(id.parse().ok()?), why.as_str()?.to_owned())))
                .collect(),
        };
        let compared = self
            .compare(article, &recorded, row.recents, row.common_version)
            .await?;
        let (blocks, dropped) = (
            blocks_from_bytes(&row.block_hashes),
            blocks_from_bytes(&row.dropped_blocks),
        );
        Ok(Some(Explanation {
            article_id: article,
            title: row.title,
            story_id: row.story_id,
            version: row.version,
            rule_version: row.link_rule_version,
            common_version: row.common_version,
            site_articles: row.recents,
            dropped: texts_of(&blocks, &dropped, &row.paragraphs),
            same: compared.iter().all(|c| c.recorded == c.again),
            candidates: compared,
        }))
    }

    async fn compare(
        &self,
        article: ArticleId,
        recorded: &Recorded,
        site_articles: i16,
        common_version: Option<i32>,
    ) -> Result<Vec<ExplainedCandidate>, StoreError> {
        let linked = recorded.link.iter().map(|(to, _)| *to);
        let refused = recorded.refusals.iter().map(|(id, _)| *id);
        let looked_at: Vec<ArticleId> = linked.chain(refused).collect();
        let mut connection = self.pool.acquire().await.context(CONTEXT)?;
        let again = self.decide_again(
            &mut connection,
            article,
            &looked_at,
            site_articles,
            common_version,
        );
        let Some((older, decision)) = again.await? else {
            return Ok(Vec::new());
        };
        let Some(own) = older.get(&article) else {
            return Ok(Vec::new());
        };
        Ok(looked_at
            .iter()
            .filter_map(|id| {
                let candidate = older.get(id)?;
                let numbers = versions::compare(&candidate.fingerprint, &own.fingerprint);
                let weighed = decision.weighed.iter().find(|w| w.id == *id);
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

impl Store {
    /// Decides on an article again, from the stored evidence of the articles that the recorded decision
    /// looked at. Answers with these articles as well, and itself among them. `None`: it is gone.
    pub(crate) async fn decide_again(
        &self,
        connection: &mut PgConnection,
        article: ArticleId,
        looked_at: &[ArticleId],
        site_articles: i16,
        common_version: Option<i32>,
    ) -> Result<Option<(HashMap<ArticleId, StoredArticle<'static>>, Decision)>, StoreError> {
        let list = self.common_list(common_version.unwrap_or(0)).await?;
        let params = Params {
            common: list.as_deref(),
            ..Params::default()
        };
        let older = candidates(connection, &[looked_at, &[article]].concat()).await?;
        let decision = older
            .get(&article)
            .map(|own| again(article, own, looked_at, &older, site_articles, &params));
        Ok(decision.map(|decision| (older, decision)))
    }
}

/// The decision from the stored evidence. What the site shows everywhere is left out of it already, so the site's
/// articles only count.
fn again(
    article: ArticleId,
    own: &StoredArticle<'_>,
    looked_at: &[ArticleId],
    older: &HashMap<ArticleId, StoredArticle<'_>>,
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
        id: article,
        site: own.site.as_deref(),
        url_hash: own.url_hash,
        times: own.times,
        fingerprint,
    };
    // Excerpts and copies that came later were not there.
    with_candidates(
        older,
        looked_at,
        |id| id < article,
        |candidates| decide(&subject, candidates, &recents, params),
    )
}

fn outcome(decision: &Decision, id: ArticleId) -> String {
    if let Some(link) = decision.link.filter(|l| l.to == id) {
        return format!("linked: {}", link.reason.as_str());
    }
    let refusal = decision.refusals.iter().find(|(refused, _)| *refused == id);
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
