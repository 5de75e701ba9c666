//! The rows of `story`, which the view `stories` shows. They are updated in the transaction that changes a
//! story's articles.
//!
//! In: the new articles of a flush, and the stories whose articles changed otherwise. A new article is added
//! to its story's row ([`Row::add`]); any other story is counted again from its articles ([`recount`]). The
//! audit compares each row with the view `story_counted`.
//!
//! Rows are locked in ascending order and last in a transaction. A transaction that holds one waits for no
//! other lock, so two do not deadlock. A flush has locked the memberships that it links to, so the story that
//! it adds to is still the right one.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::LazyLock;

use chrono::{DateTime, SubsecRound as _, Utc};
use copydesk_article::{ArticleId, StoryId};
use sqlx::PgConnection;

use crate::error::{Context as _, StoreError};
use crate::rows::{CopyInto, List, columns, copy, execute, fetch_all, numbers, record, sql};

const CONTEXT: &str = "cannot keep the stories' rows";

/// What of an article its story's row depends on.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) article: ArticleId,
    pub(crate) site: Option<String>,
    pub(crate) title: Option<String>,
    pub(crate) url: Option<String>,
    pub(crate) language: Option<String>,
    pub(crate) words: i32,
    pub(crate) published_at: Option<DateTime<Utc>>,
    pub(crate) message_time: Option<DateTime<Utc>>,
}

columns! {
    /// A row of `story`; `first_seen` and `last_seen` are the transaction's time.
    StoryColumns of StoryRow {
        story_id: i64 = "int8",
        canonical_article: i64 = "int8",
        articles: i64 = "int8",
        copies: i64 = "int8",
        sites: i64 = "int8",
        first_published_at: Option<DateTime<Utc>> = "timestamptz",
        canonical_at: Option<DateTime<Utc>> = "timestamptz",
        longest_words: i32 = "int4",
        canonical_words: i32 = "int4",
        title: Option<String> = "text",
        site: Option<String> = "text",
        url: Option<String> = "text",
        language: Option<String> = "text",
        site_list: List = "text",
    }
}

static INTO_STORY: LazyLock<CopyInto> = LazyLock::new(|| CopyInto::new("story", StoryRow::NAMES));

static UPDATE: LazyLock<String> = LazyLock::new(|| {
    let set: Vec<String> = StoryRow::NAMES
        .iter()
        .filter(|n| **n != "story_id")
        .map(|n| match *n {
            "site_list" => "site_list = string_to_array(r.site_list, E'\\x1f')".to_owned(),
            n => format!("\"{n}\" = r.\"{n}\""),
        })
        .collect();
    format!(
        "UPDATE story s SET {}, first_seen = least(s.first_seen, now()), last_seen = greatest(s.last_seen, now())
         FROM {} WHERE s.story_id = r.story_id",
        set.join(", "),
        StoryColumns::unnest(),
    )
});

record! {
    /// A story's row while articles are added to it.
    #[derive(Debug, Clone, PartialEq)]
    struct Row {
        story_id: StoryId,
        canonical_article: ArticleId,
        articles: i64,
        copies: i64,
        first_published_at: Option<DateTime<Utc>>,
        canonical_at: Option<DateTime<Utc>>,
        longest_words: i32,
        canonical_words: i32,
        title: Option<String>,
        site: Option<String>,
        url: Option<String>,
        language: Option<String>,
        site_list: BTreeSet<String>,
    }
}

impl Row {
    /// The row of a story that this article founds.
    fn of(founder: &Member) -> Self {
        Self {
            story_id: StoryId(founder.article.0),
            canonical_article: founder.article,
            articles: 1,
            copies: 0,
            first_published_at: founder.published_at,
            canonical_at: founder.at(),
            longest_words: founder.words,
            canonical_words: founder.words,
            title: founder.title.clone(),
            site: founder.site.clone(),
            url: founder.url.clone(),
            language: founder.language.clone(),
            site_list: founder.site.clone().into_iter().collect(),
        }
    }

    /// Adds an article. False: the story must be counted again, because the row alone cannot tell which
    /// article is the canonical one now.
    #[must_use]
    fn add(&mut self, member: &Member) -> bool {
        if self.copies != self.articles - 1 {
            // The story has digests, and the row does not say how many.
            return false;
        }
        self.articles += 1;
        self.copies += 1;
        self.first_published_at = match (self.first_published_at, member.published_at) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.longest_words = self.longest_words.max(member.words);
        self.site_list.extend(member.site.clone());
        if !self.is_long_enough(self.canonical_words) {
            return false;
        }
        let own = (
            self.canonical_at.is_none(),
            self.canonical_at,
            self.canonical_article,
        );
        let other = (member.at().is_none(), member.at(), member.article);
        if self.is_long_enough(member.words) && other < own {
            self.canonical_article = member.article;
            self.canonical_at = member.at();
            self.canonical_words = member.words;
            self.title.clone_from(&member.title);
            self.site.clone_from(&member.site);
            self.url.clone_from(&member.url);
            self.language.clone_from(&member.language);
        }
        true
    }

    /// Whether an article with so many words may be the canonical one: it has at least four fifths of the
    /// longest one's words.
    fn is_long_enough(&self, words: i32) -> bool {
        i64::from(words) * 5 >= i64::from(self.longest_words) * 4
    }

    fn into_columns(self) -> StoryRow {
        StoryRow {
            story_id: self.story_id.0,
            canonical_article: self.canonical_article.0,
            articles: self.articles,
            copies: self.copies,
            sites: i64::try_from(self.site_list.len()).unwrap_or(i64::MAX),
            first_published_at: self.first_published_at,
            canonical_at: self.canonical_at,
            longest_words: self.longest_words,
            canonical_words: self.canonical_words,
            title: self.title,
            site: self.site,
            url: self.url,
            language: self.language,
            site_list: List::of(&self.site_list),
        }
    }
}

impl Member {
    /// The time of publication that it states, or else its message's time, with the precision of the
    /// database.
    fn at(&self) -> Option<DateTime<Utc>> {
        self.published_at
            .or(self.message_time)
            .map(|at| at.trunc_subsecs(6))
    }
}

/// Adds new articles to their stories, and counts the `changed` stories again. The last thing that a flush
/// does with stories: the articles are written already.
pub(crate) async fn keep(
    connection: &mut PgConnection,
    new: impl IntoIterator<Item = (StoryId, Member)>,
    mut changed: BTreeSet<StoryId>,
) -> Result<(), StoreError> {
    let mut joined: BTreeMap<StoryId, Vec<Member>> = BTreeMap::new();
    let mut founded: BTreeMap<StoryId, Row> = BTreeMap::new();
    for (story, member) in new {
        if changed.contains(&story) {
        } else if StoryId(member.article.0) == story {
            founded.insert(story, Row::of(&member));
        } else if let Some(row) = founded.get_mut(&story) {
            if !row.add(&member) {
                founded.remove(&story);
                changed.insert(story);
            }
        } else {
            joined.entry(story).or_default().push(member);
        }
    }
    let stories: Vec<StoryId> = joined.keys().chain(&changed).copied().collect();
    let mut rows = lock(connection, stories).await?;
    let mut updated = StoryColumns::default();
    let mut updates = 0;
    for (story, members) in joined {
        let row = rows.remove(&story).and_then(|mut row| {
            let added = members.iter().all(|member| row.add(member));
            added.then_some(row)
        });
        if let Some(row) = row {
            updated.push(row.into_columns());
            updates += 1;
        } else {
            changed.insert(story);
        }
    }
    if !founded.is_empty() {
        let rows: Vec<StoryRow> = founded.into_values().map(Row::into_columns).collect();
        copy(&mut *connection, &INTO_STORY, &rows, |row, into| row.put(into))
            .await
            .context(CONTEXT)?;
    }
    if updates > 0 {
        sql::run(
            updated.bind(sqlx::query(UPDATE.as_str())),
            &mut *connection,
            CONTEXT,
        )
        .await?;
    }
    count(connection, &changed.into_iter().collect::<Vec<_>>()).await
}

/// Counts stories again after their articles have changed. It comes last in a transaction.
pub(crate) async fn recount(
    connection: &mut PgConnection,
    stories: impl IntoIterator<Item = StoryId>,
) -> Result<(), StoreError> {
    let stories: Vec<StoryId> = stories.into_iter().collect();
    lock(connection, stories.clone()).await?;
    count(connection, &stories).await
}

/// Counts the stories of some articles again.
pub(crate) async fn recount_of(
    connection: &mut PgConnection,
    articles: &[ArticleId],
) -> Result<(), StoreError> {
    let stories = stories_of(connection, articles).await?;
    recount(connection, stories).await
}

/// The stories of some articles.
pub(crate) async fn stories_of(
    connection: &mut PgConnection,
    articles: &[ArticleId],
) -> Result<BTreeSet<StoryId>, StoreError> {
    if articles.is_empty() {
        return Ok(BTreeSet::new());
    }
    let stories: Vec<StoryId> = fetch_all!(connection, CONTEXT;
        "SELECT DISTINCT story_id FROM membership WHERE article_id = ANY ($1)", numbers(articles)
    )?;
    Ok(stories.into_iter().collect())
}

/// Locks the rows of stories, in one order, and reads them.
async fn lock(
    connection: &mut PgConnection,
    mut stories: Vec<StoryId>,
) -> Result<HashMap<StoryId, Row>, StoreError> {
    if stories.is_empty() {
        return Ok(HashMap::new());
    }
    stories.sort_unstable();
    let rows: Vec<Row> = fetch_all!(connection, CONTEXT;
        "SELECT * FROM story WHERE story_id = ANY ($1) ORDER BY story_id FOR NO KEY UPDATE", numbers(&stories)
    )?;
    Ok(rows.into_iter().map(|row| (row.story_id, row)).collect())
}

/// Counts stories whose rows are locked. A statement of its own: its snapshot has what the transactions
/// committed that the lock was waited for.
async fn count(connection: &mut PgConnection, stories: &[StoryId]) -> Result<(), StoreError> {
    static COUNT: LazyLock<String> = LazyLock::new(|| {
        let columns = [StoryRow::NAMES, &["first_seen", "last_seen"]].concat();
        let set: Vec<String> = columns.iter().map(|n| format!("{n} = EXCLUDED.{n}")).collect();
        let columns = columns.join(", ");
        format!(
            "INSERT INTO story ({columns}) SELECT {columns} FROM story_counted WHERE story_id = ANY ($1)
             ON CONFLICT (story_id) DO UPDATE SET {}",
            set.join(", ")
        )
        .replace("SET story_id = EXCLUDED.story_id, ", "SET ")
    });
    if stories.is_empty() {
        return Ok(());
    }
    for sql in [
        COUNT.as_str(),
        "DELETE FROM story s WHERE s.story_id = ANY ($1) AND NOT EXISTS (SELECT FROM membership m WHERE m.story_id = s.story_id)",
    ] {
        execute!(&mut *connection, CONTEXT; sql, numbers(stories))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(article: i64, words: i32, minute: Option<u32>) -> Member {
        let at = |m: u32| format!("2026-03-01T12:{m:02}:00Z").parse().unwrap();
        Member {
            article: ArticleId(article),
            site: Some(format!("s{}.example", article % 2)),
            title: Some(format!("Title {article}")),
            url: None,
            language: None,
            words,
            published_at: minute.map(at),
            message_time: None,
        }
    }

    #[test]
    fn the_canonical_article_is_the_earliest_of_the_long_ones() {
        let mut row = Row::of(&member(1, 400, Some(30)));
        // Too short; later; as early but younger; without a time.
        for other in [
            member(2, 319, Some(1)),
            member(3, 400, Some(31)),
            member(4, 400, Some(30)),
            member(5, 400, None),
        ] {
            assert!(row.add(&other));
            assert_eq!(row.canonical_article.0, 1);
        }
        assert!(row.add(&member(6, 320, Some(2))));
        assert_eq!(
            (row.canonical_article.0, row.title.as_deref()),
            (6, Some("Title 6"))
        );
        assert_eq!((row.articles, row.copies, row.site_list.len()), (6, 5, 2));
        assert_eq!(row.first_published_at, member(0, 0, Some(1)).published_at);
        // It is too short beside a longer one: who takes its place is not in the row.
        assert!(!row.add(&member(7, 401, Some(50))));
    }

    #[test]
    fn a_story_with_digests_is_counted() {
        let mut row = Row {
            copies: 0,
            articles: 2,
            ..Row::of(&member(1, 400, None))
        };
        assert!(!row.add(&member(2, 400, None)));
    }
}
