//! What a worker asks of Postgres before it starts: a connection, and a schema that is up to date. While
//! Postgres is away, it waits.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use copydesk_store::{RetryClass, Schema, Store, StoreError};
use tokio::sync::watch;
use tracing::warn;

use crate::backoff::backoff;

/// Asks Postgres for something, again and again while it is away, as it may be at any later time. `None`:
/// `stop` turned true.
///
/// # Errors
/// What no waiting mends.
pub async fn while_away<T>(
    stop: &mut watch::Receiver<bool>,
    ask: impl AsyncFn() -> Result<T>,
) -> Result<Option<T>> {
    let who = RandomState::new().hash_one(0);
    let mut tries = 0;
    loop {
        let error = match ask().await {
            Ok(answer) => return Ok(Some(answer)),
            Err(error) => error,
        };
        let class = error.downcast_ref().map(StoreError::class);
        if !matches!(class, Some(RetryClass::RetryNow | RetryClass::WaitForDatabase)) {
            return Err(error);
        }
        tries += 1;
        let pause = backoff(&who, tries, Duration::from_millis(500), Duration::from_secs(10));
        warn!(
            error = format!("{error:#}"),
            wait_ms = pause.as_millis() as u64,
            "postgres is away or refuses; the worker waits for it before it starts"
        );
        tokio::select! {
            _ = stop.wait_for(|s| *s) => return Ok(None),
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Reads the schema's version. `false`: `stop` turned true.
///
/// # Errors
/// A schema that is not up to date; a refusal by Postgres that no waiting mends.
pub(crate) async fn is_up_to_date(store: &Store, stop: &mut watch::Receiver<bool>) -> Result<bool> {
    let read = async || store.schema().await.context("cannot read the schema's version");
    let Some(schema) = while_away(stop, read).await? else {
        return Ok(false);
    };
    check(&schema)?;
    Ok(true)
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
