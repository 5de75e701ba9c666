//! What a database or a login lacks is named, and what it bounds does not end our own statements.

use std::time::Duration;

use copydesk_store::{Fault, Limit, OnLostRange, RetryClass, Store, StoreConfig};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Executor as _};

use crate::support::{Scratch, wanted};

/// A login of a test's own, dropped at its end.
struct Login {
    name: String,
    scratch: Scratch,
}

impl Login {
    async fn new(label: &str, options: &str) -> Self {
        let scratch = Scratch::new(label).await;
        let name = format!("test_{label}_{}", std::process::id());
        let login = Self { name, scratch };
        login.run("CREATE ROLE {} LOGIN PASSWORD 'test'").await;
        login.run(&format!("ALTER ROLE {{}} {options}")).await;
        login
    }

    /// Runs a statement as the superuser, `{}` being the login.
    async fn run(&self, sql: &str) {
        let sql = sql.replace("{}", &self.name);
        self.scratch.db.execute(sql.as_str()).await.unwrap();
    }

    fn options(&self) -> PgConnectOptions {
        let options = self.scratch.db.connect_options();
        (*options).clone().username(&self.name).password("test")
    }

    async fn store(&self, connections: u32) -> Store {
        let config = StoreConfig {
            url: self.options().to_url_lossy().to_string().into(),
            connections,
            acquire_timeout: Duration::from_secs(5),
            ..StoreConfig::default()
        };
        Store::connect(&config).await.unwrap()
    }

    async fn end(self, stores: Vec<Store>) {
        drop(stores);
        self.run("DROP OWNED BY {}").await;
        self.run("DROP ROLE {}").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_of_connections_is_named_and_kept() {
    let login = Login::new("connlimit", "CONNECTION LIMIT 3").await;
    login.run("GRANT copydesk_writer TO {}").await;
    let store = login.store(8).await;
    let faults = store.faults(8).await.unwrap();
    let expected = Fault::Connections {
        free: 3,
        wanted: 8,
        limit: Limit::Role,
    };
    assert_eq!(faults, [expected]);
    assert!(faults[0].to_string().contains("53300") && faults[0].mend().contains("CONNECTION LIMIT"));
    // As many questions at once as there are connections wanted: none waits for one that Postgres refuses.
    let started = std::time::Instant::now();
    let asked: Vec<_> = (0..8)
        .map(|_| {
            tokio::spawn({
                let store = store.clone();
                async move { store.progress().await }
            })
        })
        .collect();
    for answer in asked {
        answer.await.unwrap().unwrap();
    }
    assert!(
        started.elapsed() < Duration::from_secs(20),
        "{:?}",
        started.elapsed()
    );
    // With enough of them there is nothing to say.
    login.run("ALTER ROLE {} CONNECTION LIMIT 20").await;
    assert_eq!(store.faults(8).await.unwrap(), []);
    login.end(vec![store]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_that_another_program_uses_up_is_named() {
    let login = Login::new("connshare", "CONNECTION LIMIT 2").await;
    login.run("GRANT copydesk_writer TO {}").await;
    let store = login.store(2).await;
    let options = login.options();
    let other = [options.connect().await.unwrap(), options.connect().await.unwrap()];
    let wanted = wanted(0, 0, 0);
    let error = store
        .claim("worker", &[wanted], OnLostRange::Stop)
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("53300") && error.class() == RetryClass::WaitForDatabase,
        "{error}"
    );
    for connection in other {
        connection.close().await.unwrap();
    }
    login.end(vec![store]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_without_search_path_gets_no_advice_to_migrate() {
    let login = Login::new("searchpath", "SET search_path = ''").await;
    login.run("GRANT copydesk_writer TO {}").await;
    let store = login.store(2).await;
    assert_eq!(store.faults(2).await.unwrap(), [Fault::NoSearchPath]);
    let error = store.schema().await.unwrap_err();
    assert!(
        error.to_string().contains("search_path") && error.class() == RetryClass::Fatal,
        "{error}"
    );
    login.end(vec![store]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_database_and_a_login_without_rights_are_named() {
    let login = Login::new("rights", "SET default_transaction_read_only = on").await;
    let store = login.store(2).await;
    let faults = store.faults(2).await.unwrap();
    assert_eq!(
        faults,
        [
            Fault::ReadOnly { standby: false },
            Fault::NoRights {
                role: login.name.clone()
            }
        ]
    );
    assert!(
        faults[1].mend().contains("copydesk_writer") && !faults[1].mend().starts_with("`copydesk migrate`")
    );
    login.end(vec![store]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_connection_stays_read_only_once_writing_is_allowed_again() {
    let login = Login::new("writable", "SET default_transaction_read_only = on").await;
    login.run("GRANT copydesk_writer TO {}").await;
    let store = login.store(1).await;
    let claim = async || store.claim("worker", &[wanted(0, 0, 0)], OnLostRange::Stop).await;
    let error = claim().await.unwrap_err();
    assert!(
        error.to_string().contains("25006") && error.class() == RetryClass::WaitForDatabase,
        "{error}"
    );
    // New sessions may write; those that are open may not, however long they live.
    login
        .run("ALTER ROLE {} RESET default_transaction_read_only")
        .await;
    let mut tries = 0;
    while let Err(error) = claim().await {
        assert!(error.to_string().contains("25006"), "{error}");
        tries += 1;
        assert!(tries < 3, "the same connection again and again");
    }
    login.end(vec![store]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bounds_of_a_login_do_not_end_our_statements() {
    let login = Login::new("bounds", "SET statement_timeout = '1ms'").await;
    login.run("GRANT copydesk_writer TO {}").await;
    let store = login.store(2).await;
    // Longer than a millisecond, each of them.
    for _ in 0..20 {
        store.progress().await.unwrap();
        store.read_partitions(100).await.unwrap();
    }
    store.search_status().await.unwrap();
    login.end(vec![store]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encoding_without_scripts_is_named() {
    let scratch = Scratch::new("encoding").await;
    let name = format!("test_ascii_{}", std::process::id());
    let run = async |sql: String| scratch.db.execute(sql.as_str()).await.unwrap();
    run(format!(
        "CREATE DATABASE {name} TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'"
    ))
    .await;
    let options = (*scratch.db.connect_options()).clone().database(&name);
    options.connect().await.unwrap().close().await.unwrap();
    let config = StoreConfig {
        url: options.to_url_lossy().to_string().into(),
        ..StoreConfig::default()
    };
    let store = Store::connect(&config).await.unwrap();
    let faults = store.faults(2).await.unwrap();
    assert_eq!(faults, [Fault::Encoding("SQL_ASCII".into())]);
    let error = store.migrate().await.unwrap_err();
    assert!(error.to_string().contains("UTF8"), "{error}");
    drop(store);
    run(format!("DROP DATABASE {name} WITH (FORCE)")).await;
}
