//! What all pages have in common: the connections, the cleaner, the settings.

use std::net::SocketAddr;
use std::sync::Arc;

use copydesk_clean::Cleaner;
use copydesk_decode::Limits;
use copydesk_registry::Registry;
use copydesk_store::{ReadRouter, Store, StoreConfig, StoreError};
use copydesk_worker::IsolatedCommand;
use tokio::sync::{OnceCell, Semaphore};

use crate::access::Access;
use crate::ends::{Ends, TopicEnds};
use crate::pages::flow::FlowCache;
use crate::problem::{Problem, is_forbidden};

/// Makes a cleaner with the rules of the settings.
pub type MakeCleaner = Arc<dyn Fn() -> anyhow::Result<Cleaner> + Send + Sync>;

/// What a console needs.
pub struct ConsoleOptions {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Who may come.
    pub access: Access,
    /// The login that reads; nothing is written with it.
    pub reads: StoreConfig,
    /// A login that reads from a replica, which is asked first.
    pub replica: Option<StoreConfig>,
    /// Whether pages are read with `reads` while the replica is away.
    pub read_fallback: bool,
    /// The login that changes what people change. `None`: changes are off.
    pub writes: Option<StoreConfig>,
    /// For replays.
    pub cleaner: MakeCleaner,
    /// The limits of a message, as a worker has them.
    pub limits: Limits,
    /// How a process is started that tries messages before they are replayed.
    pub isolated: IsolatedCommand,
    /// Where schemas are of values that name one.
    pub registry: Option<Arc<Registry>>,
    /// Whether messages are kept with their articles, as a worker does.
    pub keep_raw: bool,
    /// How a process is started that cleans one page for a person to look at ([`copydesk_worker::serve_one`]).
    pub cleaning: IsolatedCommand,
    /// Asks Kafka where the topic ends.
    pub ends: TopicEnds,
}

/// Pages that are cleaned at the same moment: each may take a core for as long as its budget lets it.
const CLEANED_AT_ONCE: usize = 1;

/// The connection that writes. It is made when it is first needed, so that a console starts, and says what is
/// wrong, while its database is away.
struct Writes {
    config: StoreConfig,
    store: OnceCell<Store>,
}

impl Writes {
    async fn store(&self) -> Result<&Store, StoreError> {
        self.store.get_or_try_init(|| Store::connect(&self.config)).await
    }
}

/// What all pages have in common.
pub(crate) struct App {
    pub(crate) access: Access,
    pub(crate) limits: Limits,
    pub(crate) make_cleaner: MakeCleaner,
    /// Who has a permit may start a process of [`App::cleaning`].
    pub(crate) may_clean: Arc<Semaphore>,
    pub(crate) cleaning: IsolatedCommand,
    pub(crate) isolated: IsolatedCommand,
    pub(crate) registry: Option<Arc<Registry>>,
    pub(crate) keep_raw: bool,
    pub(crate) ends: Ends,
    pub(crate) flow: FlowCache,
    pub(crate) router: ReadRouter,
    writes: Option<Writes>,
}

impl App {
    pub(crate) fn new(options: ConsoleOptions) -> anyhow::Result<Self> {
        // Rules that cannot be read are an error of the start, not of the first replay.
        (options.cleaner)()?;
        Ok(Self {
            access: options.access,
            limits: options.limits,
            make_cleaner: options.cleaner,
            may_clean: Arc::new(Semaphore::new(CLEANED_AT_ONCE)),
            cleaning: options.cleaning,
            isolated: options.isolated,
            registry: options.registry,
            keep_raw: options.keep_raw,
            ends: Ends::new(options.ends),
            flow: FlowCache::default(),
            router: ReadRouter::new(
                read_only(options.reads),
                options.replica.map(read_only),
                options.read_fallback,
            ),
            writes: options.writes.map(|config| Writes {
                config,
                store: OnceCell::new(),
            }),
        })
    }

    /// The connection that reads.
    pub(crate) async fn reads(&self) -> Result<&Store, Problem> {
        Ok(self.router.store().await?)
    }

    /// The connection that writes. Whoever asks for it changes something, and wants to see that on the next
    /// page.
    pub(crate) async fn writes(&self) -> Result<&Store, Problem> {
        let Some(writes) = &self.writes else {
            return Err(Problem::ReadOnly);
        };
        self.router.changed();
        Ok(writes.store().await?)
    }

    pub(crate) const fn can_write(&self) -> bool {
        self.writes.is_some()
    }

    /// The connection for what the views do not have: evidence, the bytes of refused messages. A writer may
    /// see it; whether a reader may is for Postgres to say ([`permitted`]).
    pub(crate) async fn looks_deeper(&self) -> Result<&Store, Problem> {
        match &self.writes {
            Some(writes) => Ok(writes.store().await?),
            None => self.reads().await,
        }
    }
}

fn read_only(config: StoreConfig) -> StoreConfig {
    StoreConfig {
        read_only: true,
        ..config
    }
}

/// `None` where the login has no right to what it asked for: the page shows the rest.
pub(crate) fn permitted<T>(read: Result<T, StoreError>) -> Result<Option<T>, Problem> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(error) if is_forbidden(&error) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
