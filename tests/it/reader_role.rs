//! A login with copydesk_reader alone reads every view, writes nothing, and holds up nothing.

use copydesk_testkit::ScratchTopic;
use copydesk_tests::Pipeline;

use crate::roles::{Login, refused, relations};

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
    refused(&db, "UPDATE article SET title = 'x'").await;
    refused(&db, "INSERT INTO gaps DEFAULT VALUES").await;
    for table in relations(&pipeline.db, "rp").await {
        refused(&db, &format!("SELECT FROM {table}")).await;
        refused(&db, &format!("INSERT INTO {table} DEFAULT VALUES")).await;
    }
    sqlx::query("SELECT copydesk_snippet_html(snippet) FROM search_articles('harbour')")
        .execute(&db)
        .await
        .unwrap();
    refused(&db, "SELECT FROM articles FOR KEY SHARE").await;
    refused(&db, "LOCK TABLE articles IN ROW EXCLUSIVE MODE").await;
    refused(&db, "SELECT nextval('article_id_seq')").await;
    refused(&db, "CREATE TABLE mine (x integer)").await;
    db.close().await;
    login.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_function_lends_a_reader_the_rights_of_its_owner() {
    let pipeline = Pipeline::new("functions", 1).await;
    // Name, whether it runs as its owner, its path, who may call it: everybody, readers.
    let functions: Vec<(String, bool, Option<String>, bool, bool)> = sqlx::query_as(
        "SELECT oid::regprocedure::text, prosecdef,
                (SELECT substr(c, 13) FROM unnest(proconfig) c WHERE c LIKE 'search\\_path=%'),
                has_function_privilege('public', oid, 'EXECUTE'), has_function_privilege('copydesk_reader', oid, 'EXECUTE')
         FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1",
    )
    .fetch_all(&pipeline.db)
    .await
    .unwrap();
    assert!(functions.len() >= 15, "the query finds too little");
    for (name, runs_as_owner, path, by_public, by_reader) in &functions {
        assert!(!by_public, "{name}: everybody may call it");
        if *runs_as_owner {
            // Not "$user", which may be a schema that somebody else made; temporary tables last.
            assert_eq!(
                path.as_deref(),
                Some("public, pg_temp"),
                "{name} runs as its owner"
            );
            assert!(!by_reader, "{name}: readers may call it, as its owner");
        }
    }
    let by_reader: Vec<&str> = functions
        .iter()
        .filter(|(.., by_reader)| *by_reader)
        .filter_map(|(name, ..)| name.split('(').next())
        .collect();
    assert_eq!(
        by_reader,
        [
            "copydesk_escaped",
            "copydesk_images",
            "copydesk_key_site",
            "copydesk_links",
            "copydesk_markdown",
            "copydesk_search_config",
            "copydesk_snippet",
            "copydesk_snippet_html",
            "copydesk_spaced",
            "copydesk_unspaced",
            "copydesk_words_of_range",
            "search_articles",
        ]
    );
    let anybody_creates: bool =
        sqlx::query_scalar("SELECT has_schema_privilege('public', 'public', 'CREATE')")
            .fetch_one(&pipeline.db)
            .await
            .unwrap();
    assert!(!anybody_creates);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_stays_a_reader() {
    let pipeline = Pipeline::new("stays", 1).await;
    pipeline.produce_articles(9, 10, 1).await;
    pipeline.run_to_end();
    let login = Login::create(&pipeline, "copydesk_reader").await;
    let db = login.connect().await;
    let mut session = db.acquire().await.unwrap();
    // What search looks into, by the names of the session's own tables: a function there would run as whoever looks.
    sqlx::raw_sql(
        "CREATE TEMP TABLE ran_as (who name);
         CREATE FUNCTION pg_temp.note() RETURNS text LANGUAGE plpgsql AS $$
         BEGIN
             INSERT INTO pg_temp.ran_as VALUES (current_user);
             RETURN 'simple';
         END $$;
         CREATE TEMP VIEW article_words AS
             SELECT article_id, pg_temp.note() AS config, to_tsvector('simple', 'harbour') AS words FROM public.articles;
         CREATE TEMP VIEW search_words AS SELECT * FROM pg_temp.article_words;
         CREATE TEMP VIEW article AS SELECT *, pg_temp.note() AS noted FROM public.articles;
         GRANT ALL ON ran_as, article_words, search_words, article TO PUBLIC",
    )
    .execute(&mut *session)
    .await
    .unwrap();
    sqlx::query("SELECT count(*) FROM search_articles('harbour')")
        .execute(&mut *session)
        .await
        .unwrap();
    let ran: Vec<String> =
        sqlx::query_scalar("SELECT who::text FROM pg_temp.ran_as WHERE who <> session_user")
            .fetch_all(&mut *session)
            .await
            .unwrap();
    assert!(ran.is_empty(), "ran as {ran:?}");
    sqlx::query("DISCARD TEMP").execute(&mut *session).await.unwrap();
    drop(session);
    db.close().await;
    login.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_holds_up_nothing() {
    let pipeline = Pipeline::new("holds", 2).await;
    let login = Login::create(&pipeline, "copydesk_reader").await;
    let db = login.connect().await;
    let mut session = db.acquire().await.unwrap();
    // Any login may take any advisory lock: those that copydesk took once, and that of sqlx's migrations. And
    // it may leave a transaction open in which it read everything.
    sqlx::raw_sql(
        "SELECT pg_advisory_lock(6582114, n) FROM generate_series(1, 2) n;
         SELECT pg_advisory_lock(1667527790, -1);
         SELECT pg_advisory_lock(1667527790, n) FROM generate_series(txid_current()::int4, txid_current()::int4 + 2000) n;
         SELECT pg_advisory_lock(oid::bigint) FROM pg_class WHERE relname = 'article_words';
         BEGIN;
         SELECT count(*) FROM articles;
         SELECT count(*) FROM search_articles('harbour')",
    )
    .execute(&mut *session)
    .await
    .unwrap();
    let (clean, dead) = (
        ScratchTopic::create("holds-clean", 1).await,
        ScratchTopic::create("holds-dead", 1).await,
    );
    let copydesk = pipeline
        .copydesk
        .clone()
        .with("COPYDESK_OUTPUTS_ARTICLES_TOPIC", clean.name())
        .with("COPYDESK_OUTPUTS_DEAD_LETTER_TOPIC", dead.name());
    copydesk.ok(&["migrate"]);
    pipeline.produce_articles(10, 60, 2).await;
    copydesk.ok(&["feed", "--samples"]);
    // Two workers, so that their flushes wait for each other.
    let mut other = copydesk.start(&["worker"]);
    copydesk.ok(&["worker", "--until-end"]);
    other.stop(std::time::Duration::from_secs(30));
    pipeline.assert_every_offset_once(78).await;
    assert_eq!(pipeline.count("SELECT count(*) FROM outbox").await, 0);
    assert_eq!(pipeline.count("SELECT count(*) FROM article_words_due").await, 0);
    assert!(clean.messages().await > 60 && dead.messages().await > 0);
    let ours = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid <> (
                    SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = 6582114 AND objid = 1
                        AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
                    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    assert_eq!(pipeline.count(ours).await, 0);
    drop(session);
    db.close().await;
    login.drop().await;
}
