//! What a person settles in the console: these messages and no others, with that person's name.

use copydesk_article::Coordinates;

use crate::connect::config::Store;
use crate::error::StoreError;
use crate::ledger::quarantine_content::{Dropped, DroppedFor};
use crate::rows::execute;

impl Store {
    /// Gives these messages up, as [`Store::quarantine_discard`] does; those that are not held any more stay as they are.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn quarantine_discard_these(&self, messages: Vec<Coordinates>) -> Result<Dropped, StoreError> {
        self.drop_content(messages, DroppedFor::Discarded).await
    }

    /// Notes who settled these messages; those that are still held stay as they are.
    ///
    /// # Errors
    /// Postgres does not answer; a role that may not write.
    pub async fn quarantine_note_settler(
        &self,
        messages: &[Coordinates],
        who: &str,
    ) -> Result<(), StoreError> {
        let topics: Vec<&str> = messages.iter().map(|m| m.source.topic.as_str()).collect();
        let partitions: Vec<i32> = messages.iter().map(|m| m.source.partition.get()).collect();
        let offsets: Vec<i64> = messages.iter().map(|m| m.offset.get()).collect();
        execute!(&self.pool, "cannot note who settled messages";
            "UPDATE quarantine q SET settled_by = $4
             FROM unnest($1::text[], $2::int4[], $3::int8[]) AS m (topic, partition, \"offset\")
             WHERE q.topic = m.topic AND q.partition = m.partition AND q.\"offset\" = m.\"offset\"
                 AND q.state <> 'held' AND q.settled_by IS NULL",
            topics, partitions, offsets, who.replace('\0', "")
        )?;
        Ok(())
    }
}
