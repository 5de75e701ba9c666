//! Least privilege: a login with copydesk_writer alone runs the pipeline and can do no more; one with
//! copydesk_reader reads every view and writes nothing (`reader_role.rs`).

use std::str::FromStr as _;
use std::sync::atomic::{AtomicU32, Ordering};

use copydesk_article::{ArticleId, StoryId};
use copydesk_store::{Store, StoreConfig};
use copydesk_testkit::{Copydesk, ScratchTopic};
use copydesk_tests::Pipeline;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, PgPool};

/// A role that may log in and is a member of one group, gone at the end of the test.
pub(crate) struct Login {
    pub(crate) name: String,
    pub(crate) url: String,
    admin: PgPool,
}

impl Login {
    pub(crate) async fn create(pipeline: &Pipeline, group: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{group}_{}_{number}", std::process::id());
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

    pub(crate) async fn connect(&self) -> PgPool {
        PgPool::connect(&self.url).await.unwrap()
    }

    pub(crate) async fn drop(self) {
        let sql = format!("DROP ROLE {}", self.name);
        sqlx::query(&sql).execute(&self.admin).await.unwrap();
    }
}

/// Objects of the schema of these kinds, without partitions.
pub(crate) async fn relations(db: &PgPool, kinds: &str) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace
         AND relkind::text = ANY (string_to_array($1, NULL)) AND NOT relispartition ORDER BY 1",
    )
    .bind(kinds)
    .fetch_all(db)
    .await
    .unwrap()
}

/// `sql` is refused because a privilege is missing, not for any other reason.
pub(crate) async fn refused(db: &PgPool, sql: &str) {
    let mut tx = db.begin().await.unwrap();
    let error = sqlx::query(sql)
        .execute(&mut *tx)
        .await
        .expect_err(&format!("allowed: {sql}"));
    tx.rollback().await.unwrap();
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
    // It takes down what a tombstone names, through a function of the owner's, and does not undo that.
    copydesk.ok(&["takedown", "https://site0.example/nowhere"]);
    let lifted = copydesk.run(&["takedown", "--lift", "1"]);
    assert!(String::from_utf8_lossy(&lifted.stderr).contains("copydesk_owner"));
    copydesk.ok(&["janitor", "search", "off"]);
    copydesk.ok(&["janitor", "search", "on"]);
    retention(&pipeline, &copydesk).await;

    let db = login.connect().await;
    let found = changeable(&pipeline.db, &login.name).await;
    let found: Vec<(&str, &str)> = found.iter().map(|(t, c)| (t.as_str(), c.as_str())).collect();
    assert_eq!(found, CHANGEABLE);
    what_the_writer_changes_is_found(&pipeline, &copydesk, &db).await;
    for table in relations(&pipeline.db, "rp").await {
        // What was delivered is deleted, what is worked out anew, and what a person takes back; of nothing
        // that came over the topic may a worker make less.
        if ![
            "outbox",
            "raw_input",
            "site_block",
            "site_provisional",
            "story",
            "syndicated_block",
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
    sqlx::query("SELECT number, version FROM near_key_window")
        .execute(&db)
        .await
        .unwrap();
    for sql in [
        "UPDATE near_key_window SET number = 1",
        "SELECT FROM pipeline_lock FOR UPDATE",
        "LOCK TABLE pipeline_lock IN SHARE ROW EXCLUSIVE MODE",
        "UPDATE sighting SET content_hash = ''",
        "UPDATE clean_event SET content_hash = ''",
        "UPDATE article_version SET body = ''",
        "UPDATE quarantine SET kept_hash = ''",
    ] {
        refused(&db, sql).await;
    }
    db.close().await;
    login.drop().await;
}

/// What a writer may change of rows that are there: tables, and their columns that it may not change. Of all other tables it changes
/// nothing.
const CHANGEABLE: [(&str, &str); 14] = [
    ("article", "article_id, ingested_at, replaces"),
    ("article_identity", ""),
    ("article_text", "article_id"),
    ("evidence", "article_id"),
    ("membership", "article_id, common_version"),
    ("near_key_window", "number"),
    ("partition_progress", "first_offset, partition, topic"),
    (
        "quarantine",
        "first_seen, kept_hash, message_time, offset, partition, raw_hash, raw_size, topic, truncated",
    ),
    ("raw_input", "article_id"),
    ("setting", "one_row, search"),
    ("site_block", "block, site, site_hash"),
    ("site_provisional", "article_id, site_hash"),
    ("story", "story_id"),
    ("syndicated_block", "block"),
];

/// Tables of which a role may change rows, each with the columns that it may not change.
async fn changeable(db: &PgPool, role: &str) -> Vec<(String, String)> {
    sqlx::query_as(
        "SELECT c.relname::text, coalesce(string_agg(a.attname, ', ' ORDER BY a.attname COLLATE \"C\")
                    FILTER (WHERE NOT has_column_privilege($1, c.oid, a.attnum, 'UPDATE')), '')
         FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
         WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'f')
         GROUP BY c.relname HAVING bool_or(has_column_privilege($1, c.oid, a.attnum, 'UPDATE')) ORDER BY c.relname COLLATE \"C\"",
    )
    .bind(role)
    .fetch_all(db)
    .await
    .unwrap()
}

/// A writer must be able to write a new version over an old one, and to free the bytes of what was replayed.
/// Doing so without the event that belongs to it is found.
async fn what_the_writer_changes_is_found(pipeline: &Pipeline, copydesk: &Copydesk, writer: &PgPool) {
    sqlx::raw_sql(
        "CREATE TABLE kept AS SELECT article_id, body FROM article_text; CREATE TABLE kept_raw AS SELECT * FROM quarantine;
         UPDATE quarantine SET state = 'held' WHERE state = 'discarded'",
    )
    .execute(&pipeline.db)
    .await
    .unwrap();
    copydesk.ok(&["audit"]);
    for (damage, expected) in [
        (
            "UPDATE article_text SET body = '' WHERE article_id = (SELECT max(article_id) FROM article)",
            "another text",
        ),
        (
            "UPDATE quarantine SET raw = '' WHERE state = 'held'",
            "other bytes",
        ),
    ] {
        let done = sqlx::query(damage).execute(writer).await.unwrap();
        assert!(done.rows_affected() > 0, "{damage}");
        let output = copydesk.run(&["audit"]);
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(3), "{damage}: {said}");
        assert!(said.contains(expected), "{damage}: {said}");
        sqlx::raw_sql(
            "UPDATE article_text a SET body = k.body FROM kept k WHERE k.article_id = a.article_id AND k.body <> a.body;
             UPDATE quarantine q SET raw = k.raw FROM kept_raw k WHERE k.partition = q.partition AND k.\"offset\" = q.\"offset\"",
        )
        .execute(&pipeline.db)
        .await
        .unwrap();
        copydesk.ok(&["audit"]);
    }
    sqlx::raw_sql("DROP TABLE kept; DROP TABLE kept_raw")
        .execute(&pipeline.db)
        .await
        .unwrap();
}

/// The writer may not drop articles, and the error names who may; the owner may.
async fn retention(pipeline: &Pipeline, writer: &Copydesk) {
    sqlx::raw_sql(
        "UPDATE article SET ingested_at = now() - interval '99 days', version_at = now() - interval '99 days',
             message_time = now() - interval '99 days' WHERE article_id % 2 = 0",
    )
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
    let shown = owner.ok(&["janitor", "--dry-run"]);
    assert!(shown.contains(&format!("{old} articles")), "{shown}");
    let done = owner.ok(&["janitor", "--once"]);
    assert!(done.contains(&format!("{old} dropped for their age")), "{done}");
    owner.ok(&["audit"]);
    login.drop().await;
}

/// What `story` and `janitor` do in the database, as that role.
async fn stories(pipeline: &Pipeline, url: &str) {
    let store = Store::connect(&StoreConfig {
        url: url.into(),
        ..StoreConfig::default()
    })
    .await
    .unwrap();
    let two: Vec<i64> =
        sqlx::query_scalar("SELECT story_id FROM membership WHERE article_id = story_id ORDER BY 1 LIMIT 2")
            .fetch_all(&pipeline.db)
            .await
            .unwrap();
    let (older, younger) = (StoryId(two[0]), StoryId(two[1]));
    let merged = store.merge_stories(younger, older, "a test").await.unwrap();
    store.undo_story_event(merged.event_id).await.unwrap();
    store.merge_stories(younger, older, "a test").await.unwrap();
    store.split_story(&[ArticleId(two[1])], "a test").await.unwrap();
    assert!(store.story(two[0]).await.unwrap().is_some());
    assert!(store.explain(ArticleId(two[0])).await.unwrap().is_some());
    sqlx::query("UPDATE membership SET between_stories = true WHERE article_id = $1")
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
    assert!(store.refingerprint(ArticleId(0), 100).await.unwrap().is_some());
    sqlx::query("UPDATE membership SET link_rule_version = 1")
        .execute(&pipeline.db)
        .await
        .unwrap();
    assert!(store.redecide(ArticleId(i64::MIN), 100).await.unwrap().is_some());
}
