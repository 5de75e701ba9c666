//! The settings of a store: how to reach the database, how long anything there may take, what is kept and
//! published.

use std::time::Duration;

use crate::connect::database_url::DatabaseUrl;

/// What a store publishes besides storing. All of it is off by default and costs nothing then.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outputs {
    /// Refused messages are noted for the dead-letter topic.
    pub dead_letters: bool,
    /// Stored articles and versions are noted for the topic of clean articles.
    pub articles: bool,
    /// Behind a flush that stored an article or a version, the channel [`crate::CHANNEL`] is notified.
    pub notify: bool,
}

/// How to reach the database, and how long anything there may take.
#[derive(Debug, Clone)]
pub struct StoreConfig {
    /// `postgres://user:password@host:port/database`, with libpq's parameters (`sslmode`, …). Over a network the server's
    /// certificate is verified (`verify-full`) unless the URL, or `PGSSLMODE`, says otherwise.
    pub url: DatabaseUrl,
    /// Connections at most. A worker wants one per partition that flushes at the same time, and two more.
    pub connections: u32,
    /// The name in `pg_stat_activity`.
    pub application_name: String,
    /// A statement of a flush that takes longer is ended by Postgres and the flush tried again.
    pub statement_timeout: Duration,
    /// The same for waiting for a lock.
    pub lock_timeout: Duration,
    /// A transaction whose worker says nothing for so long is ended by Postgres. It bounds how long a frozen
    /// worker can hold up whoever takes over its partitions.
    pub idle_timeout: Duration,
    /// A step of a flush (all its rows, the commit) that has no answer for so long is given up, and the flush
    /// tried again on another connection: the server, or the way to it, is gone without a word. Far above the
    /// bounds that Postgres holds statements to.
    pub answer_timeout: Duration,
    /// How long to wait for a free connection.
    pub acquire_timeout: Duration,
    /// Bytes of a refused message that are kept. Keep it above the largest record of the topic, or the message
    /// cannot be replayed.
    pub quarantine_bytes: usize,
    /// Bytes of all messages in quarantine, as they are stored. Of a message for which there is no room the row alone is kept. 0: no bound.
    /// Flushes that run at the same moment do not see each other's messages, so that it may be exceeded by what they hold.
    pub quarantine_max_bytes: u64,
    /// What is published besides storing. All workers of a database should have the same.
    pub outputs: Outputs,
    /// Whether blocks that a site repeats are taken out of its articles (docs/site-memory.md). The evidence is
    /// recorded in any case. All workers and janitors of a database should have the same.
    pub site_memory: bool,
    /// Whether headings, tables, links and pictures of articles are kept: what the views make `body_markdown`, `links` and `images` of.
    pub markup: bool,
    /// Nothing is written, and every statement is bound by `statement_timeout`, not those of a flush alone: for programs that only show.
    pub read_only: bool,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self {
            url: DatabaseUrl::default(),
            connections: 8,
            application_name: "copydesk".into(),
            statement_timeout: Duration::from_secs(60),
            lock_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(15),
            answer_timeout: Duration::from_secs(600),
            acquire_timeout: Duration::from_secs(30),
            quarantine_bytes: 64 << 20,
            quarantine_max_bytes: 1 << 30,
            outputs: Outputs::default(),
            site_memory: true,
            markup: true,
            read_only: false,
        }
    }
}
