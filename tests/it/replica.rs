//! Reads from a replica (docs/operations.md, "Reading from a replica"): a real standby that lags, ends
//! queries, goes away and comes back.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::Output;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use copydesk_testkit::{Copydesk, PrivatePostgres, kafka_brokers};
use copydesk_tests::{Pipeline, free_address};
use sqlx::{Executor as _, PgPool};

const PATIENCE: Duration = Duration::from_secs(60);

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A page of the console as JSON.
fn page(address: SocketAddr, path: &str) -> Option<(u16, serde_json::Value)> {
    let mut stream = TcpStream::connect(address).ok()?;
    let port = address.port();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nAccept: application/json\r\nConnection: close\r\n\r\n"
    )
    .ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let body = body.find('{').and_then(|at| body.get(at..))?;
    let json = serde_json::Deserializer::from_str(body)
        .into_iter()
        .next()?
        .ok()?;
    Some((head.split(' ').nth(1)?.parse().ok()?, json))
}

/// Waits until the standby has replayed what the primary has committed.
async fn caught_up(primary: &PgPool, standby: &PgPool) {
    let position: String = sqlx::query_scalar("SELECT pg_current_wal_lsn()::text")
        .fetch_one(primary)
        .await
        .unwrap();
    let until = Instant::now() + PATIENCE;
    loop {
        let there: bool = sqlx::query_scalar("SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn")
            .bind(&position)
            .fetch_one(standby)
            .await
            .unwrap();
        if there {
            return;
        }
        assert!(Instant::now() < until, "the standby does not catch up");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Has each search take so many seconds.
async fn slow_searches(db: &PgPool, seconds: f64) {
    let slow = format!(
        "DO $do$ BEGIN EXECUTE regexp_replace(
             pg_get_functiondef('search_articles'::regproc), '\\mBEGIN\\M', 'BEGIN PERFORM pg_sleep({seconds});'); END $do$"
    );
    db.execute(slow.as_str()).await.unwrap();
}

/// Removes rows on the primary that a query on the standby, begun before, may still want to read.
async fn remove_rows(db: &PgPool) {
    // VACUUM cannot run within a transaction, as statements of one call would.
    for sql in [
        "INSERT INTO ballast SELECT generate_series(1, 100)",
        "DELETE FROM ballast",
        "VACUUM ballast",
    ] {
        db.execute(sql).await.unwrap();
    }
}

/// Searches in another process, and waits until the standby is at it.
async fn begin_search(copydesk: &Copydesk, standby: &PgPool) -> JoinHandle<Output> {
    let copydesk = copydesk.clone();
    let searching = std::thread::spawn(move || copydesk.run(&["search", "harbour"]));
    let until = Instant::now() + PATIENCE;
    let active = "SELECT EXISTS (SELECT FROM pg_stat_activity
                  WHERE query LIKE '%search_articles%' AND state = 'active' AND pid <> pg_backend_pid())";
    while !sqlx::query_scalar::<_, bool>(active)
        .fetch_one(standby)
        .await
        .unwrap()
    {
        assert!(Instant::now() < until, "nobody searches");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    searching
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_go_to_the_replica_and_back_to_the_primary() {
    let primary = PrivatePostgres::start().await;
    let pipeline = Pipeline::on(&kafka_brokers(), &primary.url(), "replica", 1).await;
    pipeline.copydesk.ok(&["feed", "--samples"]);
    pipeline.run_to_end();
    pipeline.copydesk.ok(&["janitor", "search", "catch-up"]);
    let mut standby = primary.standby().await;
    let on_standby = PgPool::connect(&standby.url()).await.unwrap();
    let copydesk = pipeline
        .copydesk
        .clone()
        .with("COPYDESK_DATABASE_READ_URL", &standby.url());
    caught_up(&pipeline.db, &on_standby).await;

    let found = copydesk.run(&["search", "harbour"]);
    assert!(found.status.success(), "{}", said(&found));
    assert!(
        said(&found).contains("read from a replica, 0.0 s behind"),
        "{}",
        said(&found)
    );
    assert!(copydesk.ok(&["doctor"]).contains("replica: "));

    // The first commit that it replays: since then it knows how far it is behind.
    pipeline
        .db
        .execute("CREATE TABLE ballast (n integer)")
        .await
        .unwrap();
    caught_up(&pipeline.db, &on_standby).await;

    // It lags: what is new is not found, and the answer says how old it is.
    sqlx::query("SELECT pg_wal_replay_pause()")
        .execute(&on_standby)
        .await
        .unwrap();
    let count = pipeline.count("SELECT count(*) FROM articles").await;
    pipeline.produce_articles(690, 3, 1).await;
    pipeline.run_to_end();
    let more = pipeline.count("SELECT count(*) FROM articles").await;
    assert_eq!(more, count + 3);
    let exported = copydesk.run(&["export", "articles"]);
    let lines = exported.stdout.iter().filter(|b| **b == b'\n').count();
    assert_eq!(lines as i64, count, "what was not replayed is not there");
    let behind = said(&exported);
    assert!(
        behind.contains(" s behind") && !behind.contains(" 0.0 s"),
        "{behind}"
    );
    sqlx::query("SELECT pg_wal_replay_resume()")
        .execute(&on_standby)
        .await
        .unwrap();

    // It ends a query that is in the way of replaying: once more helps, if that is all.
    slow_searches(&pipeline.db, 1.5).await;
    caught_up(&pipeline.db, &on_standby).await;
    let searching = begin_search(&copydesk, &on_standby).await;
    remove_rows(&pipeline.db).await;
    let found = searching.join().unwrap();
    assert!(
        found.status.success() && !found.stdout.is_empty(),
        "{}",
        said(&found)
    );
    assert!(said(&found).contains("reading once more"), "{}", said(&found));
    let searching = begin_search(&copydesk, &on_standby).await;
    while !searching.is_finished() {
        remove_rows(&pipeline.db).await;
    }
    let ended = searching.join().unwrap();
    assert_eq!(ended.status.code(), Some(1));
    assert!(
        said(&ended).contains("set hot_standby_feedback = on there"),
        "{}",
        said(&ended)
    );

    // It goes away in the middle of a search.
    let searching = begin_search(&copydesk, &on_standby).await;
    standby.stop_immediate();
    let found = searching.join().unwrap();
    assert!(
        found.status.success() && !found.stdout.is_empty(),
        "{}",
        said(&found)
    );
    assert!(
        said(&found).contains("cannot be used: reads go to the primary"),
        "{}",
        said(&found)
    );
    let strict = copydesk.clone().with("COPYDESK_DATABASE_READ_FALLBACK", "false");
    let refused = strict.run(&["search", "harbour"]);
    assert_eq!(refused.status.code(), Some(4), "{}", said(&refused));
    assert_eq!(copydesk.run(&["doctor"]).status.code(), Some(3));

    // A console starts without it, and finds it again.
    let address = free_address();
    let console = copydesk
        .clone()
        .with("COPYDESK_CONSOLE_URL", &primary.url())
        .with("COPYDESK_CONSOLE_LISTEN", &address.to_string())
        .start(&["console"]);
    let flow = |wanted: fn(&serde_json::Value) -> bool| {
        let until = Instant::now() + PATIENCE;
        loop {
            let got = page(address, "/flow");
            if let Some((status, flow)) = &got {
                assert_eq!(*status, 200, "{flow}");
                if wanted(flow) {
                    return;
                }
            }
            assert!(Instant::now() < until, "{got:?}\n{}", console.log());
        }
    };
    flow(|f| {
        f["replica"].is_null()
            && f["remarks"]
                .to_string()
                .contains("the replica (database.read_url) is away")
    });
    standby.start_again().await;
    flow(|f| f["replica"]["receiving"] == true);
    standby.stop_immediate();
    flow(|f| f["replica"].is_null());
    assert_eq!(
        console.log().matches("reads go to the primary").count(),
        2,
        "{}",
        console.log()
    );
}
