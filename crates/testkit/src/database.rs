//! Databases of a test's own on the real Postgres.

use std::str::FromStr;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Executor as _};

/// URL of the database that scratch databases are created from, as a superuser.
pub fn database_url() -> String {
    std::env::var("COPYDESK_TEST_DATABASE_URL").unwrap_or_else(|_| {
        panic!(
            "this test needs a real Postgres: run `make test`, or `make up` and then \
             export COPYDESK_TEST_DATABASE_URL=postgres://postgres@127.0.0.1:35432/postgres"
        )
    })
}

/// An empty database that is dropped when the test is done, with every connection to it.
pub struct ScratchDatabase {
    name: String,
    url: String,
}

impl ScratchDatabase {
    /// Creates a database with a name of its own.
    pub async fn create(label: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_millis();
        let name = format!("test_{label}_{}_{number}_{now}", std::process::id());
        // template0 and C.UTF-8: the same on every machine, whatever its locale.
        run(format!(
            "CREATE DATABASE \"{name}\" TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'"
        ))
        .await;
        let options =
            PgConnectOptions::from_str(&database_url()).expect("COPYDESK_TEST_DATABASE_URL is a URL");
        let url = options.database(&name).to_url_lossy().to_string();
        Self { name, url }
    }

    /// URL of the database, as a superuser.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The database's name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for ScratchDatabase {
    fn drop(&mut self) {
        // A thread of its own: this may run within a runtime, which must not be blocked on itself.
        let statement = format!("DROP DATABASE IF EXISTS \"{}\" WITH (FORCE)", self.name);
        let dropped = std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime")
                .block_on(run(statement));
        })
        .join();
        if dropped.is_err() && !std::thread::panicking() {
            panic!("the scratch database {} could not be dropped", self.name);
        }
    }
}

async fn run(statement: String) {
    let options = PgConnectOptions::from_str(&database_url())
        .expect("COPYDESK_TEST_DATABASE_URL is a URL")
        .disable_statement_logging();
    let mut connection = options.connect().await.unwrap_or_else(|e| {
        panic!("Postgres does not answer at COPYDESK_TEST_DATABASE_URL ({e}): is `make up` done?")
    });
    connection
        .execute(statement.as_str())
        .await
        .unwrap_or_else(|e| panic!("{statement}: {e}"));
    connection.close().await.ok();
}
