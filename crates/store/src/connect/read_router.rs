//! Where reads go: to the replica while it answers, otherwise to the primary.
//!
//! In: the settings of both. Out: a [`Store`] for the next read, and after a read failed whether to read once
//! more. What may fail: both are away, or the replica is and [`ReadRouter`] was told not to fall back.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::OnceCell;

use crate::connect::config::Store;
use crate::connect::settings::StoreConfig;
use crate::error::{RetryClass, StoreError};

/// How long reads go to the primary before the replica is tried again.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(15);
/// How long reads go to the primary after a change by the same program, so that whoever made it sees it.
const SEE_OWN_CHANGES: Duration = Duration::from_secs(10);

/// Reads go to the replica while it answers, otherwise to the primary. Connects when it is first asked.
#[derive(Debug)]
pub struct ReadRouter {
    primary: Connection,
    replica: Option<Connection>,
    fall_back: bool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The replica was away, and is tried again then.
    away_until: Option<Instant>,
    /// Something was changed.
    primary_until: Option<Instant>,
}

#[derive(Debug)]
struct Connection {
    config: StoreConfig,
    store: OnceCell<Store>,
}

impl Connection {
    fn new(config: StoreConfig) -> Self {
        Self {
            config,
            store: OnceCell::new(),
        }
    }

    async fn store(&self) -> Result<&Store, StoreError> {
        self.store.get_or_try_init(|| Store::connect(&self.config)).await
    }
}

impl ReadRouter {
    /// `fall_back`: whether reads go to the primary while the replica is away. Without a replica all reads go to the primary.
    pub fn new(primary: StoreConfig, replica: Option<StoreConfig>, fall_back: bool) -> Self {
        Self {
            primary: Connection::new(primary),
            replica: replica.map(Connection::new),
            fall_back,
            state: Mutex::default(),
        }
    }

    /// Where the next read goes. A replica that cannot be used is warned of once, and tried again after 15
    /// seconds.
    ///
    /// # Errors
    /// The primary does not answer; [`StoreError::ReplicaAway`]: the replica does not, and reads may not fall back.
    pub async fn store(&self) -> Result<&Store, StoreError> {
        let Some(replica) = self.replica.as_ref().filter(|_| self.wants_replica()) else {
            return self.primary.store().await;
        };
        let was_away = self.state().away_until.is_some();
        let tried = match replica.store().await {
            // The pool connects again by itself, so whether the server is back shows in a question alone.
            Ok(store) if was_away => store.replica_status().await.map(|_| store),
            other => other,
        };
        match tried {
            Ok(store) => {
                if self.state().away_until.take().is_some() {
                    tracing::info!("the replica is back: reads go there again");
                }
                Ok(store)
            }
            Err(error) => {
                self.is_away(&error)?;
                self.primary.store().await
            }
        }
    }

    /// Whether there is a replica that reads do not go to because it is away.
    pub fn replica_is_away(&self) -> bool {
        self.state().away_until.is_some()
    }

    /// What to do after a read failed: `Ok`: read once more, from where [`Self::store`] says. `tries` counts
    /// for one question.
    ///
    /// A replica ends a query that needs rows which the primary has removed meanwhile; once more is worth a
    /// try, as it is where the replica went away. A second failure is the answer.
    ///
    /// # Errors
    /// The error of the read, where once more is not worth a try; [`StoreError::ReplicaAway`].
    pub async fn read_again(&self, error: StoreError, tries: &mut u32) -> Result<(), StoreError> {
        let Some(replica) = self.replica.as_ref().filter(|_| self.wants_replica()) else {
            return Err(error);
        };
        let conflict = error.is_recovery_conflict();
        if *tries > 0 || !(conflict || error.class() == RetryClass::WaitForDatabase) {
            return Err(error);
        }
        *tries += 1;
        if conflict {
            tracing::info!(%error, "reading once more");
            return Ok(());
        }
        // The error may be the primary's: some pages ask both.
        let asked = match replica.store().await {
            Ok(store) => store.replica_status().await,
            Err(error) => Err(error),
        };
        match asked {
            Ok(_) => Ok(()),
            Err(error) => self.is_away(&error),
        }
    }

    /// Something was changed on the primary: for some seconds reads go there, so that whoever changed it sees
    /// it.
    pub fn changed(&self) {
        self.state().primary_until = Some(Instant::now() + SEE_OWN_CHANGES);
    }

    fn wants_replica(&self) -> bool {
        let state = self.state();
        let now = Instant::now();
        let holds = |until: Option<Instant>| until.is_some_and(|until| now < until);
        !(holds(state.primary_until) || self.fall_back && holds(state.away_until))
    }

    fn is_away(&self, error: &StoreError) -> Result<(), StoreError> {
        let known = self.state().away_until.replace(Instant::now() + TRY_AGAIN_AFTER);
        if !self.fall_back {
            return Err(StoreError::ReplicaAway(error.to_string()));
        }
        if known.is_none() {
            tracing::warn!(%error, "the replica (database.read_url) cannot be used: reads go to the primary");
        }
        Ok(())
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
