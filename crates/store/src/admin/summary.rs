//! What came out, for people: the newest stories, what was removed, what was refused.

use sqlx::Row as _;

use crate::connect::config::Store;
use crate::error::{Doing as _, StoreError};

const DOING: &str = "cannot read the summary";

/// An article of a story.
#[derive(Debug, Clone, PartialEq)]
pub struct ArticleSummary {
    /// Names the article.
    pub article_id: i64,
    /// The publishing site.
    pub site: Option<String>,
    /// The headline.
    pub title: Option<String>,
    /// `original`, `near_copy`, …
    pub relation: String,
    /// Jaccard similarity to the article that it is linked to.
    pub similarity: Option<f32>,
    /// Number of its versions.
    pub versions: i32,
    /// ISO 639 code.
    pub language: Option<String>,
    /// Words of the body.
    pub words: i32,
    /// What was removed from it, by rule, most first.
    pub removed: Vec<RemovedCount>,
}

/// A rule and how many blocks it took out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemovedCount {
    /// The rule.
    pub rule: String,
    /// Blocks.
    pub blocks: i64,
    /// The beginning of one of them.
    pub sample: String,
}

/// A story with its articles, the oldest first.
#[derive(Debug, Clone, PartialEq)]
pub struct StorySummary {
    /// Names the story.
    pub story_id: i64,
    /// Its articles.
    pub articles: Vec<ArticleSummary>,
}

/// A message in quarantine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldMessage {
    /// Where it stands, as `topic[partition]@offset`.
    pub message: String,
    /// The stage that refused it.
    pub stage: String,
    /// Why.
    pub reason: String,
    /// What was wrong, in a sentence.
    pub detail: String,
}

/// The outcome of [`Store::summary`].
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// The newest stories, the oldest of them first.
    pub stories: Vec<StorySummary>,
    /// The newest messages in quarantine.
    pub held: Vec<HeldMessage>,
    /// Numbers of all stories, articles, messages that are articles, and messages held in quarantine.
    pub totals: [i64; 4],
}

impl Store {
    /// Reads the newest stories and the quarantine, at most `stories` and as many held messages.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn summary(&self, stories: u32) -> Result<Summary, StoreError> {
        let rows = sqlx::query(
            "SELECT a.story_id, a.article_id, a.site, a.title, a.relation, a.similarity, a.version, a.language, a.word_count,
                    coalesce(r.rules, '{}'), coalesce(r.counts, '{}'), coalesce(r.samples, '{}')
             FROM articles a
             JOIN (SELECT DISTINCT story_id FROM articles ORDER BY story_id DESC LIMIT $1) s USING (story_id)
             LEFT JOIN LATERAL (
                 SELECT array_agg(rule ORDER BY n DESC, rule) AS rules, array_agg(n ORDER BY n DESC, rule) AS counts,
                        array_agg(sample ORDER BY n DESC, rule) AS samples
                 FROM (SELECT rule, count(*) AS n, (array_agg(left(text, 60) ORDER BY position))[1] AS sample
                       FROM removed_blocks b WHERE b.article_id = a.article_id AND b.version = a.version
                       GROUP BY rule) x
             ) r ON true
             ORDER BY a.story_id, a.article_id",
        )
        .bind(i64::from(stories))
        .fetch_all(&self.pool)
        .await
        .doing(DOING)?;
        let mut found: Vec<StorySummary> = Vec::new();
        for row in rows {
            let story_id: i64 = row.try_get(0).doing(DOING)?;
            let rules: Vec<String> = row.try_get(9).doing(DOING)?;
            let counts: Vec<i64> = row.try_get(10).doing(DOING)?;
            let samples: Vec<String> = row.try_get(11).doing(DOING)?;
            let removed = rules.into_iter().zip(counts).zip(samples);
            let article = ArticleSummary {
                article_id: row.try_get(1).doing(DOING)?,
                site: row.try_get(2).doing(DOING)?,
                title: row.try_get(3).doing(DOING)?,
                relation: row.try_get(4).doing(DOING)?,
                similarity: row.try_get(5).doing(DOING)?,
                versions: row.try_get(6).doing(DOING)?,
                language: row.try_get(7).doing(DOING)?,
                words: row.try_get(8).doing(DOING)?,
                removed: removed
                    .map(|((rule, blocks), sample)| RemovedCount { rule, blocks, sample })
                    .collect(),
            };
            match found.last_mut() {
                Some(story) if story.story_id == story_id => story.articles.push(article),
                _ => found.push(StorySummary {
                    story_id,
                    articles: vec![article],
                }),
            }
        }
        Ok(Summary {
            stories: found,
            held: self.held(stories).await?,
            totals: self.totals().await?,
        })
    }

    async fn held(&self, most: u32) -> Result<Vec<HeldMessage>, StoreError> {
        let rows = sqlx::query(
            "SELECT topic || '[' || partition || ']@' || \"offset\", stage, reason, detail
             FROM quarantined WHERE state = 'held' ORDER BY first_seen DESC, topic, partition, \"offset\" LIMIT $1",
        )
        .bind(i64::from(most))
        .fetch_all(&self.pool)
        .await
        .doing(DOING)?;
        rows.into_iter()
            .map(|row| {
                Ok(HeldMessage {
                    message: row.try_get(0)?,
                    stage: row.try_get(1)?,
                    reason: row.try_get(2)?,
                    detail: row.try_get(3)?,
                })
            })
            .collect::<Result<_, _>>()
            .doing(DOING)
    }

    async fn totals(&self) -> Result<[i64; 4], StoreError> {
        let row = sqlx::query(
            "SELECT (SELECT count(DISTINCT story_id) FROM articles), (SELECT count(*) FROM articles),
                    (SELECT count(*) FROM sightings), (SELECT count(*) FROM quarantined WHERE state = 'held')",
        )
        .fetch_one(&self.pool)
        .await
        .doing(DOING)?;
        Ok([
            row.try_get(0).doing(DOING)?,
            row.try_get(1).doing(DOING)?,
            row.try_get(2).doing(DOING)?,
            row.try_get(3).doing(DOING)?,
        ])
    }
}
