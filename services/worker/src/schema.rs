//! The check of the schema before a worker starts.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use copydesk_store::{RetryClass, Schema, Store, StoreError};
use tokio::sync::watch;
use tracing::warn;

use crate::backoff::backoff;

/// Reads the schema's version, and waits while Postgres is away: a server that goes down between the first connection
/// and this question is an outage like any later one. `false`: told to stop.
///
/// # Errors
/// A schema that is not up to date; a refusal by Postgres that no waiting mends.
pub(crate) async fn is_up_to_date(store: &Store, stop: &mut watch::Receiver<bool>) -> Result<bool> {
    let who = RandomState::new().hash_one(0);
    let mut tries = 0;
    let schema = loop {
        let error = match store.schema().await {
            Ok(schema) => break schema,
            Err(error) => error,
        };
        if !waits(&error) {
            return Err(error).context("cannot read the schema's version");
        }
        tries += 1;
        let pause = backoff(&who, tries, Duration::from_millis(500), Duration::from_secs(10));
        warn!(%error, wait_ms = pause.as_millis() as u64, "postgres is away; the worker waits for it before it starts");
        tokio::select! {
            _ = stop.wait_for(|s| *s) => return Ok(false),
            () = tokio::time::sleep(pause) => {}
        }
    };
    check(&schema)?;
    Ok(true)
}

fn waits(error: &StoreError) -> bool {
    matches!(error.class(), RetryClass::RetryNow | RetryClass::WaitForDatabase)
}

fn check(schema: &Schema) -> Result<()> {
    if !schema.pending.is_empty() {
        bail!(
            "the database's schema is not up to date ({} to go): run `copydesk migrate`{} first",
            schema.pending.len(),
            schema
                .newer
                .map_or("", |_| " of the newer release that has been here")
        );
    }
    if let Some(migration) = schema.newer {
        warn!(
            migration,
            "the database's schema is that of a newer release, which this one can use until the release after that"
        );
    }
    Ok(())
}
