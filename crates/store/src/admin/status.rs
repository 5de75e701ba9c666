//! Short questions: the server, and how many sources are unusual.

use chrono::{DateTime, Utc};

use crate::connect::config::Store;
use crate::error::StoreError;
use crate::reads::UnusualSource;
use crate::rows::{fetch_one, record};

record! {
    /// What `copydesk doctor` wants to know of the server.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Server {
        /// Major version, such as 15.
        pub major: i32,
        /// Encoding of the database; must be UTF8.
        pub encoding: String,
        /// The server's clock.
        pub now: DateTime<Utc>,
    }
}

/// What is unusual about sites or languages, and of how many, as the view `source_health` has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnusualSources {
    /// `site` or `language`.
    pub of: &'static str,
    /// `silent`, `length` or `refusals`.
    pub what: &'static str,
    /// How many of them.
    pub sources: usize,
}

impl Store {
    /// How many sites and languages have fallen silent or are suddenly different. Reads two weeks of articles: not for every minute.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn unusual_sources(&self) -> Result<Vec<UnusualSources>, StoreError> {
        let unusual = self.read_unusual_sources(u32::MAX).await?;
        let counts = ["site", "language"].into_iter().flat_map(|of| {
            let count =
                |is: fn(&UnusualSource) -> bool| unusual.iter().filter(|u| u.of == of && is(u)).count();
            [
                ("silent", count(|u| u.is_silent)),
                ("length", count(|u| u.has_other_length)),
                ("refusals", count(|u| u.is_refused)),
            ]
            .map(|(what, sources)| UnusualSources { of, what, sources })
        });
        Ok(counts.collect())
    }

    /// The server's version, encoding and clock.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn server(&self) -> Result<Server, StoreError> {
        fetch_one!(&self.pool, "cannot ask the server for its version";
            "SELECT current_setting('server_version_num')::int4 / 10000 AS major, current_setting('server_encoding') AS encoding,
                    clock_timestamp() AS now"
        )
    }
}
