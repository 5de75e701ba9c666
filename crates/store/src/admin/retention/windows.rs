//! Windows of the key table: created ahead, dropped whole.

use std::time::Instant;

use crate::connect::config::Store;
use crate::error::{Context as _, StoreError};
use crate::rows::{execute, fetch_one};

impl Store {
    /// Reads the keys of windows that flushes of this process look into and do not claim in, so that later flushes need not look for every
    /// key. Answers with the number of windows that were read. To be called every few seconds, beside the flushes; most calls find nothing
    /// to do and do not ask the database. A window with 5 million keys takes some seconds.
    ///
    /// # Errors
    /// Postgres does not answer. Nothing depends on it: flushes go on as before.
    pub async fn read_windows(&self) -> Result<u32, StoreError> {
        let mut read = 0;
        for window in self.shared.window_keys.due(Instant::now()) {
            let mut tx = self.begin_reading().await?;
            read += u32::from(self.shared.window_keys.read(&mut tx, window).await?);
            tx.rollback()
                .await
                .context("cannot end the reading of a window")?;
        }
        Ok(read)
    }

    /// Sets the length of a window and makes its partitions. Only before the first article: keys that are there would
    /// be in the wrong windows.
    ///
    /// # Errors
    /// [`StoreError::NotPossible`]: there are articles.
    pub async fn set_window_days(&self, days: i32) -> Result<(), StoreError> {
        const CONTEXT: &str = "cannot set the length of the windows";
        let mut tx = self.begin().await?;
        let changed = execute!(&mut *tx, CONTEXT;
            "UPDATE setting SET window_days = $1 WHERE window_days = $1 OR NOT EXISTS (SELECT FROM near_key)",
            days
        )?;
        if changed == 0 {
            return Err(StoreError::NotPossible(
                "the length of the windows can only be set before the first article is stored".into(),
            ));
        }
        execute!(&mut *tx, CONTEXT; "SELECT copydesk_create_windows()")?;
        tx.commit().await.context(CONTEXT)
    }

    /// Creates the partitions of `near_key` for the coming windows where they are missing; answers with the
    /// number created. Cheap if there is nothing to do.
    ///
    /// # Errors
    /// Postgres does not answer, or this role may not call the function.
    pub async fn create_windows(&self) -> Result<u32, StoreError> {
        fetch_one!(&self.pool, "cannot create the partitions of the coming windows";
            "SELECT copydesk_create_windows()"
        )
    }

    /// Windows after the present one that have a partition.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn windows_ahead(&self) -> Result<i64, StoreError> {
        fetch_one!(&self.pool, "cannot count the windows of keys";
            "SELECT count(*) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
             WHERE i.inhparent = 'near_key'::regclass AND c.relname ~ '^near_key_w[0-9]+$'
               AND substr(c.relname, 11)::integer > copydesk_window(now())"
        )
    }

    /// Drops the partitions of `near_key` older than the last `keep` windows (at least 2: articles are compared with
    /// those of their own window and its neighbours). Articles, stories and evidence stay. Answers with the number
    /// dropped.
    ///
    /// # Errors
    /// [`crate::RetryClass::RetryNow`]: workers were in the way for too long; try again. Otherwise as
    /// [`Self::create_windows`].
    pub async fn drop_windows(&self, keep: u32) -> Result<u32, StoreError> {
        const CONTEXT: &str = "cannot drop old windows";
        let mut tx = self.begin().await?;
        // It needs the table for itself for a moment. Whoever waits makes everybody behind wait: rather give up soon.
        execute!(&mut *tx, CONTEXT; "SET LOCAL lock_timeout = '2s'")?;
        let dropped = fetch_one!(&mut *tx, CONTEXT;
            "SELECT copydesk_drop_windows($1)", i32::try_from(keep).unwrap_or(i32::MAX)
        )?;
        tx.commit().await.context(CONTEXT)?;
        Ok(dropped)
    }
}
