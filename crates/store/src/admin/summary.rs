//! What came out, for people: the newest stories, what was removed, what was refused.

use copydesk_article::{ArticleId, StoryId};

use crate::connect::config::Store;
use crate::error::StoreError;
use crate::rows::{fetch_all, fetch_one, record};

const CONTEXT: &str = "cannot read the summary";

/// An article of a story.
#[derive(Debug, Clone, PartialEq)]
pub struct ArticleSummary {
    /// Names the article.
    pub article_id: ArticleId,
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
    pub story_id: StoryId,
    /// Its articles.
    pub articles: Vec<ArticleSummary>,
}

record! {
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
}

/// The outcome of [`Store::summary`].
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// The newest stories, the oldest of them first.
    pub stories: Vec<StorySummary>,
    /// The newest messages in quarantine.
    pub held: Vec<HeldMessage>,
    /// All that there is.
    pub totals: Totals,
}

record! {
    /// How much there is.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Totals {
        /// Stories.
        pub stories: i64,
        /// Articles.
        pub articles: i64,
        /// Messages that are articles.
        pub messages: i64,
        /// Messages held in quarantine.
        pub held: i64,
    }
}

record! {
    struct Row {
        story_id: StoryId,
        article_id: ArticleId,
        site: Option<String>,
        title: Option<String>,
        relation: String,
        similarity: Option<f32>,
        version: i32,
        language: Option<String>,
        word_count: i32,
        rules: Vec<String>,
        counts: Vec<i64>,
        samples: Vec<String>,
    }
}

impl Store {
    /// Reads the newest stories and the quarantine, at most `stories` and as many held messages.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn summary(&self, stories: u32) -> Result<Summary, StoreError> {
        let rows: Vec<Row> = fetch_all!(&self.pool, CONTEXT;
            "SELECT a.story_id, a.article_id, a.site, a.title, a.relation, a.similarity, a.version, a.language, a.word_count,
                    coalesce(r.rules, '{}') AS rules, coalesce(r.counts, '{}') AS counts, coalesce(r.samples, '{}') AS samples
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
            i64::from(stories)
        )?;
        let mut found: Vec<StorySummary> = Vec::new();
        for row in rows {
            let removed = row.rules.into_iter().zip(row.counts).zip(row.samples);
            let story_id = row.story_id;
            let article = ArticleSummary {
                article_id: row.article_id,
                site: row.site,
                title: row.title,
                relation: row.relation,
                similarity: row.similarity,
                versions: row.version,
                language: row.language,
                words: row.word_count,
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
            held: fetch_all!(&self.pool, CONTEXT;
                "SELECT topic || '[' || partition || ']@' || \"offset\" AS message, stage, reason, detail
                 FROM quarantined WHERE state = 'held' ORDER BY first_seen DESC, topic, partition, \"offset\" LIMIT $1",
                i64::from(stories)
            )?,
            totals: fetch_one!(&self.pool, CONTEXT;
                "SELECT (SELECT count(DISTINCT story_id) FROM articles) AS stories, (SELECT count(*) FROM articles) AS articles,
                        (SELECT count(*) FROM sightings) AS messages,
                        (SELECT count(*) FROM quarantined WHERE state = 'held') AS held"
            )?,
        })
    }
}
