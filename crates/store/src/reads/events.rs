//! Who changed what and when: the events that are stored anyway, as one list.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{all, ask, read_all, read_first};
use crate::connect::config::Store;
use crate::error::StoreError;

/// The view that has an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventSource {
    /// `story_events`.
    Story,
    /// `clean_events`.
    Clean,
    /// `site_blocks`: of each block what was said of it last.
    Site,
    /// `quarantined`: messages that were replayed or discarded.
    Quarantine,
    /// `takedowns`: articles that were taken down. `event_id` is the number of the takedown.
    Takedown,
}

/// A change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventRow {
    /// Where it is stored.
    pub source: EventSource,
    /// Its number there, if it has one.
    pub event_id: Option<i64>,
    /// What was done: merge, split, relink, undo, reclean, pin, forget, replayed, discarded, takedown, lifted.
    pub kind: String,
    /// When.
    pub at: DateTime<Utc>,
    /// The article that it is about.
    pub article_id: Option<i64>,
    /// The story that was left.
    pub from_story: Option<i64>,
    /// The story that was joined or founded.
    pub to_story: Option<i64>,
    /// How many articles moved.
    pub moved: Option<i64>,
    /// What it is about where it is no article: a site's block, a message.
    pub subject: Option<String>,
    /// Who did it, if a person is on record.
    pub who: Option<String>,
    /// Why, in that person's words.
    pub why: Option<String>,
    /// What else is stored of it.
    pub detail: Option<Value>,
}

/// What each source has, in columns of the same names; those that a source lacks are null.
const STORY: &str =
    "SELECT 'story' AS source, event_id, kind, happened_at AS at, article_id, from_story, to_story,
        cardinality(moved) AS moved, NULL::text AS subject, NULL::text AS who, detail ->> 'why' AS why,
        detail - ARRAY['why', 'links'] AS detail
    FROM story_events";
const CLEAN: &str = "SELECT 'clean' AS source, event_id, kind, happened_at AS at, article_id, NULL::int8 AS from_story,
        NULL::int8 AS to_story, NULL::int4 AS moved, NULL::text AS subject, NULL::text AS who, NULL::text AS why, detail
    FROM clean_events";
const SITE: &str = "SELECT 'site' AS source, NULL::int8 AS event_id, decision AS kind, decided_at AS at, NULL::int8 AS article_id,
        NULL::int8 AS from_story, NULL::int8 AS to_story, NULL::int4 AS moved,
        concat(site, ' ', block, ': ', left(sample, 200)) AS subject, decided_by AS who, why, NULL::jsonb AS detail
    FROM site_blocks";
const QUARANTINE: &str = "SELECT 'quarantine' AS source, NULL::int8 AS event_id, state AS kind, settled_at AS at,
        NULL::int8 AS article_id, NULL::int8 AS from_story, NULL::int8 AS to_story, NULL::int4 AS moved,
        concat(topic, '[', partition, ']@', \"offset\") AS subject, settled_by AS who, reason AS why, NULL::jsonb AS detail
    FROM quarantined";
/// A takedown that was lifted is of both times: here of the first, below of the second.
const TAKEDOWN: &str = "SELECT 'takedown' AS source, takedown_id AS event_id, 'takedown' AS kind, taken_down_at AS at, article_id,
        NULL::int8 AS from_story, NULL::int8 AS to_story, NULL::int4 AS moved,
        CASE WHEN lifted_at IS NULL THEN 'holds' ELSE 'lifted since' END AS subject, NULL::text AS who, why, NULL::jsonb AS detail
    FROM takedowns";
const LIFTED: &str = "SELECT 'takedown' AS source, takedown_id AS event_id, 'lifted' AS kind, lifted_at AS at, article_id,
        NULL::int8 AS from_story, NULL::int8 AS to_story, NULL::int4 AS moved, NULL::text AS subject, NULL::text AS who,
        NULL::text AS why, NULL::jsonb AS detail
    FROM takedowns";

impl Store {
    /// The last changes before a time, the last first; more than `most` where the last of them happened at the same moment: what one
    /// transaction did is never cut, so that the time of the last one is a key to go on behind.
    ///
    /// # Errors
    /// Postgres does not answer, or not in time.
    pub async fn read_events(
        &self,
        before: Option<DateTime<Utc>>,
        most: u32,
    ) -> Result<Vec<EventRow>, StoreError> {
        let mut query = ask("SELECT * FROM (");
        for (number, (select, time)) in [
            (STORY, "happened_at"),
            (CLEAN, "happened_at"),
            (SITE, "decided_at"),
            (QUARANTINE, "settled_at"),
            (TAKEDOWN, "taken_down_at"),
            (LIFTED, "lifted_at"),
        ]
        .into_iter()
        .enumerate()
        {
            query.push(if number == 0 { "(" } else { " UNION ALL (" });
            query.push(format!("{select} WHERE {time} IS NOT NULL"));
            if let Some(before) = before {
                query.push(format!(" AND {time} < ")).push_bind(before);
            }
            query.push(format!(
                " ORDER BY {time} DESC FETCH FIRST {most} ROWS WITH TIES)"
            ));
        }
        query.push(format!(
            ") AS event ORDER BY at DESC FETCH FIRST {most} ROWS WITH TIES"
        ));
        all(self, query, "cannot read the log of changes").await
    }

    /// The takedown of an article that holds, if there is one.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn read_takedown(&self, article: i64) -> Result<Option<EventRow>, StoreError> {
        read_first!(self, "cannot look for a takedown";
            &format!("{TAKEDOWN} WHERE lifted_at IS NULL AND article_id = $1 ORDER BY takedown_id DESC LIMIT 1"), article
        )
    }

    /// What changed a story, the first change first.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn read_story_events(&self, story: i64, most: u32) -> Result<Vec<EventRow>, StoreError> {
        read_all!(self, "cannot read what changed the story";
            &format!("{STORY} WHERE from_story = $1 OR to_story = $1 ORDER BY event_id LIMIT $2"), story, i64::from(most)
        )
    }
}
