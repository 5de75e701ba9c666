//! Least privilege: a login with copydesk_writer alone runs the pipeline and can do no more; one with copydesk_reader reads
//! every view and writes nothing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code: a panic with a clear message is how a test fails"
)]

use std::str::FromStr as _;

use copydesk_store::{Store, StoreConfig};
use copydesk_testkit::{Copydesk, ScratchTopic};
use copydesk_tests::Pipeline;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, PgPool};

/// A role that may log in and is a member of one group, gone at the end of the test.
struct Login {
    name: String,
    url: String,
    admin: PgPool,
}

impl Login {
    async fn create(pipeline: &Pipeline, group: &str) -> Self {
        let name = format!("test_{group}_{}", std::process::id());
        // What a run with the same process number left behind when it failed.
        let sql = format!("DROP ROLE IF EXISTS {name}");
        sqlx::query(&sql).execute(&pipeline.db).await.unwrap();
        let sql = format!("CREATE ROLE {name} LOGIN PASSWORD 'test' IN ROLE {group}");
        sqlx::query(&sql).execute(&pipeline.db).await.unwrap();
        let options = PgConnectOptions::from_str(pipeline.database_url()).unwrap();
        let url = options
            .username(&name)
            .password("test")
            .to_url_lossy()
            .to_string();
        Self {
            name,
            url,
            admin: pipeline.db.clone(),
        }
    }

    async fn connect(&self) -> PgPool {
        PgPool::connect(&self.url).await.unwrap()
    }

    async fn drop(self) {
        let sql = format!("DROP ROLE {}", self.name);
        sqlx::query(&sql).execute(&self.admin).await.unwrap();
    }
}

/// Objects of the schema of these kinds, without partitions.
async fn relations(db: &PgPool, kinds: &str) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace
         AND relkind::text = ANY (string_to_array($1, NULL)) AND NOT relispartition ORDER BY 1",
    )
    .bind(kinds)
    .fetch_all(db)
    .await
    .unwrap()
}

/// `sql` is refused for want of a privilege, not for any other reason.
async fn refused(db: &PgPool, sql: &str) {
    let error = sqlx::query(sql)
        .execute(db)
        .await
        .expect_err(&format!("allowed: {sql}"));
    let code = error
        .as_database_error()
        .and_then(|e| e.code().map(std::borrow::Cow::into_owned))
        .unwrap_or_default();
    // insufficient_privilege; DROP and ALTER of what belongs to somebody else has the same code.
    assert_eq!(code, "42501", "{sql}: {error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_writer_runs_the_pipeline_and_can_do_no_more() {
    let pipeline = Pipeline::new("writer", 2).await;
    let login = Login::create(&pipeline, "copydesk_writer").await;
    // With everything switched on: publishing needs rights of its own.
    let (clean, dead) = (
        ScratchTopic::create("writer-clean", 1).await,
        ScratchTopic::create("writer-dead", 1).await,
    );
    let copydesk = Copydesk::new(pipeline.topic.name(), &login.url)
        .with("COPYDESK_OUTPUTS_ARTICLES_TOPIC", clean.name())
        .with("COPYDESK_OUTPUTS_DEAD_LETTER_TOPIC", dead.name())
        .with("COPYDESK_OUTPUTS_NOTIFY", "true");
    pipeline.produce_articles(7, 60, 2).await;
    copydesk.ok(&["feed", "--samples"]);
    copydesk.ok(&["worker", "--until-end"]);
    pipeline.assert_every_offset_once(78).await;
    assert_eq!(pipeline.count("SELECT count(*) FROM outbox").await, 0);
    assert!(clean.messages().await > 60 && dead.messages().await > 0);
    copydesk.ok(&["audit"]);
    copydesk.ok(&["summary"]);
    copydesk.ok(&["migrate", "--check"]);
    copydesk.ok(&["janitor", "--once"]);
    assert!(copydesk.ok(&["quarantine", "list"]).contains("bad_json"));
    copydesk.run(&["quarantine", "replay", "--reason", "bad_json"]);
    copydesk.ok(&["quarantine", "discard", "--reason", "no_body"]);
    assert_eq!(
        pipeline
            .count("SELECT count(*) FROM quarantine WHERE state = 'discarded'")
            .await,
        1
    );
    stories(&pipeline, &login.url).await;
    copydesk.ok(&["search", "harbour"]);
    copydesk.ok(&["janitor", "search", "off"]);
    copydesk.ok(&["janitor", "search", "on"]);
    retention(&pipeline, &copydesk).await;

    let db = login.connect().await;
    for table in relations(&pipeline.db, "rp").await {
        // What was delivered is deleted, what is worked out anew, and what a person takes back; of nothing that came over
        // the topic may a worker make less.
        if ![
            "outbox",
            "quiet_window",
            "site_block",
            "site_young",
            "travelling_block",
        ]
        .contains(&table.as_str())
        {
            refused(&db, &format!("DELETE FROM {table}")).await;
        }
        refused(&db, &format!("TRUNCATE {table}")).await;
        refused(&db, &format!("ALTER TABLE {table} ADD COLUMN x integer")).await;
        refused(&db, &format!("DROP TABLE {table}")).await;
    }
    for view in relations(&pipeline.db, "v").await {
        refused(&db, &format!("DROP VIEW {view}")).await;
    }
    for sql in [
        "CREATE TABLE mine (x integer)",
        "CREATE FUNCTION mine() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "INSERT INTO _sqlx_migrations (version) VALUES (0)",
        "INSERT INTO setting DEFAULT VALUES",
        "CREATE ROLE copydesk_mine",
    ] {
        refused(&db, sql).await;
    }
    for sql in [
        "SELECT copydesk_enter_turn(1, '')",
        "SELECT flush, keys FROM flush_turn",
    ] {
        sqlx::query(sql).execute(&db).await.unwrap();
    }
    for sql in [
        "INSERT INTO flush_turn VALUES (2, '')",
        "UPDATE flush_turn SET keys = ''",
    ] {
        refused(&db, sql).await;
    }
    db.close().await;
    login.drop().await;
}

/// The writer may not drop articles, and is told who may; the owner may.
async fn retention(pipeline: &Pipeline, writer: &Copydesk) {
    sqlx::query("UPDATE article SET ingested_at = now() - interval '99 days', version_at = now() - interval '99 days',
                                    message_time = now() - interval '99 days' WHERE article_id % 2 = 0")
        .execute(&pipeline.db)
        .await
        .unwrap();
    let old = pipeline
        .count("SELECT count(*) FROM article WHERE article_id % 2 = 0")
        .await;
    let variable = ("COPYDESK_JANITOR_RETENTION_DAYS", "90");
    let refused = writer
        .clone()
        .with(variable.0, variable.1)
        .run(&["janitor", "--once"]);
    assert!(!refused.status.success());
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("copydesk_owner"), "{said}");

    let login = Login::create(pipeline, "copydesk_owner").await;
    let owner = Copydesk::new(pipeline.topic.name(), &login.url).with(variable.0, variable.1);
    let told = owner.ok(&["janitor", "--dry-run"]);
    assert!(told.contains(&format!("{old} articles")), "{told}");
    let done = owner.ok(&["janitor", "--once"]);
    assert!(done.contains(&format!("{old} dropped for their age")), "{done}");
    owner.ok(&["audit"]);
    login.drop().await;
}

/// What `story` and `janitor` do in the database, as that role.
async fn stories(pipeline: &Pipeline, url: &str) {
    let store = Store::connect(&StoreConfig {
        url: url.to_owned(),
        ..StoreConfig::default()
    })
    .await
    .unwrap();
    let two: Vec<i64> =
        sqlx::query_scalar("SELECT story_id FROM article WHERE article_id = story_id ORDER BY 1 LIMIT 2")
            .fetch_all(&pipeline.db)
            .await
            .unwrap();
    let merged = store.merge_stories(two[1], two[0], "a test").await.unwrap();
    store.undo_story_event(merged.event_id).await.unwrap();
    store.merge_stories(two[1], two[0], "a test").await.unwrap();
    store.split_story(&[two[1]], "a test").await.unwrap();
    assert!(store.story(two[0]).await.unwrap().is_some());
    assert!(store.explain(two[0]).await.unwrap().is_some());
    sqlx::query("UPDATE evidence SET between_stories = true WHERE article_id = $1")
        .bind(two[1])
        .execute(&pipeline.db)
        .await
        .unwrap();
    assert_eq!(store.merge_late(10).await.unwrap().0, 1);
    let list = store.build_common_list(1_000).await.unwrap();
    store.use_common_list(list.version).await.unwrap();
    sqlx::query("UPDATE evidence SET fingerprint_version = fingerprint_version + 1")
        .execute(&pipeline.db)
        .await
        .unwrap();
    assert!(store.refingerprint(0, 100).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reader_reads_every_view_and_writes_nothing() {
    let pipeline = Pipeline::new("reader", 1).await;
    pipeline.produce_articles(8, 10, 1).await;
    pipeline.run_to_end();
    let login = Login::create(&pipeline, "copydesk_reader").await;
    let db = login.connect().await;
    let views = relations(&pipeline.db, "v").await;
    assert!(views.len() >= 12, "{views:?}");
    for view in &views {
        let sql = format!("SELECT count(*) FROM {view}");
        sqlx::query_scalar::<_, i64>(&sql)
            .fetch_one(&db)
            .await
            .unwrap_or_else(|e| panic!("{view}: {e}"));
        // Not by trying: a view that nobody could write to is refused for that, whoever asks.
        let writes: bool =
            sqlx::query_scalar("SELECT has_table_privilege($1, $2, 'INSERT, UPDATE, DELETE, TRUNCATE')")
                .bind(&login.name)
                .bind(view)
                .fetch_one(&pipeline.db)
                .await
                .unwrap();
        assert!(!writes, "may write {view}");
        refused(&db, &format!("DROP VIEW {view}")).await;
    }
    refused(&db, "UPDATE articles SET title = 'x'").await;
    refused(&db, "INSERT INTO gaps DEFAULT VALUES").await;
    for table in relations(&pipeline.db, "rp").await {
        refused(&db, &format!("SELECT FROM {table}")).await;
        refused(&db, &format!("INSERT INTO {table} DEFAULT VALUES")).await;
    }
    sqlx::query("SELECT copydesk_snippet_html(snippet) FROM search_articles('harbour')")
        .execute(&db)
        .await
        .unwrap();
    refused(&db, "SELECT copydesk_index_search(1)").await;
    refused(&db, "SELECT copydesk_switch_search(false)").await;
    refused(&db, "SELECT copydesk_create_windows(1)").await;
    refused(&db, "SELECT copydesk_drop_windows(2)").await;
    refused(&db, "SELECT nextval('article_id_seq')").await;
    refused(&db, "CREATE TABLE mine (x integer)").await;
    db.close().await;
    login.drop().await;
}
