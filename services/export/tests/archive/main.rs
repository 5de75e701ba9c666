//! The archive on a real Postgres: stopped at every step, with files that break, with articles that change
//! meanwhile.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_types,
    reason = "test code: a panic with a clear message is how a test fails, and the files are our own"
)]

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::bail;
use copydesk_article::ArticleId;
use copydesk_export::archive::{Archived, Step, TakenOut, take_down};
use copydesk_store::{TakedownTarget, TakenDown};
use parquet::record::Field;
use sqlx::Executor as _;

mod bucket;
mod kills;
mod scratch;
mod server;
#[path = "../support/mod.rs"]
mod support;

use kills::kill_until_it_is_done;
use scratch::A_DAY;
use support::Scratch;

const TABLES: [&str; 4] = ["articles", "article_versions", "removed_blocks", "stories"];

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_ends_at_any_step_loses_nothing_and_has_nothing_twice() {
    let days = 10;
    let scratch = Scratch::new("archive_steps", days).await;
    let all = days * A_DAY;
    let stops = [
        Step::Begun,
        Step::Writing,
        Step::FilesWritten,
        Step::Verified,
        Step::InManifest,
        Step::Noted,
        Step::Dropping,
        Step::Rewritten,
    ];
    for stop in stops {
        let ended = scratch
            .run(|step| if step == stop { bail!("killed") } else { Ok(()) })
            .await;
        assert!(ended.is_err(), "{stop:?} was never reached");
        let archived = scratch.texts("articles", "title");
        let here: Vec<i64> = sqlx::query_scalar("SELECT article_id FROM articles")
            .fetch_all(&scratch.db)
            .await
            .unwrap();
        for id in 0..all {
            assert!(
                archived.contains_key(&id) || here.contains(&id),
                "{id} is lost at {stop:?}"
            );
        }
    }
    scratch.run(|_| Ok(())).await.unwrap();
    assert_eq!(
        scratch.run(|_| Ok(())).await.unwrap().articles,
        0,
        "nothing is left to do"
    );

    let ids: Vec<i64> = (0..all).collect();
    let titles = scratch.texts("articles", "title");
    assert_eq!(titles.keys().copied().collect::<Vec<_>>(), ids);
    assert!(titles.values().all(|t| t.len() == 1), "twice: {titles:?}");
    assert!(titles[&3][0].contains("Title \" \n 3"), "{}", titles[&3][0]);
    let versions = scratch.texts("article_versions", "body");
    assert_eq!(
        versions.values().map(Vec::len).sum::<usize>() as i64,
        all + all / 4
    );
    assert_eq!(
        versions[&4],
        ["\"Old body\"", "null"],
        "the shown body is with the article"
    );
    assert_eq!(scratch.texts("articles", "body")[&4], ["\"Body 4\""]);
    assert_eq!(scratch.texts("removed_blocks", "text")[&5], ["\"Check Also\""]);
    assert_eq!(scratch.rows("stories").len() as i64, all / 2);
    // The folder has what the manifest has, and nothing else.
    let mut files: Vec<PathBuf> = TABLES.iter().flat_map(|t| scratch.files(t)).collect();
    files.sort();
    assert_eq!(files, scratch.manifest_paths());

    assert_eq!(scratch.count("SELECT count(*) FROM articles").await, 2);
    assert_eq!(scratch.count("SELECT count(*) FROM article_text").await, 2);
    assert_eq!(scratch.count("SELECT count(*) FROM stories").await, 1);
    assert_eq!(scratch.count("SELECT count(*) FROM archive_pending").await, 0);
    let known = "SELECT count(*) FROM retired_articles WHERE archive_day = '2025-03-01'::date + (article_id / 4)::integer";
    assert_eq!(scratch.count(known).await, all);
    let noted = "SELECT sum(articles)::bigint FROM archive_batches WHERE archived_at IS NOT NULL";
    assert_eq!(scratch.count(noted).await, all);
    assert_eq!(
        scratch
            .store
            .archived_until()
            .await
            .unwrap()
            .unwrap()
            .0
            .to_string(),
        "2025-03-10"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_reads_back_otherwise_drops_nothing() {
    let scratch = Scratch::new("archive_broken", 1).await;
    let mut broken = false;
    let ended = scratch
        .run(|step| {
            if step == Step::FilesWritten && !broken {
                broken = true;
                // One version less, in a file that is whole.
                let blocks = scratch.files("removed_blocks").remove(0);
                let versions = scratch.files("article_versions").remove(0);
                std::fs::copy(versions, blocks)?;
            }
            Ok(())
        })
        .await;
    assert!(
        ended.is_err(),
        "another file was taken for the one that was written"
    );
    assert_eq!(scratch.count("SELECT count(*) FROM articles").await, A_DAY + 2);
    assert_eq!(scratch.run(|_| Ok(())).await.unwrap().articles, A_DAY as u64);
    assert_eq!(scratch.rows("removed_blocks").len() as i64, A_DAY);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_article_that_changes_while_it_is_archived_is_archived_as_it_is_then() {
    let scratch = Scratch::new("archive_changed", 1).await;
    let mut first = true;
    let done = scratch
        .run(|step| {
            if step == Step::Noted && std::mem::take(&mut first) {
                let change = scratch.db.execute(
                    "UPDATE membership SET story_id = 0, linked_to = 0 WHERE article_id = 3;
                     UPDATE article SET title = 'Another' WHERE article_id = 3;
                     UPDATE article SET version_at = now(), title = 'New' WHERE article_id = 1",
                );
                tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(change)).unwrap();
            }
            Ok(())
        })
        .await
        .unwrap();
    assert_eq!((done.articles, done.changed, done.batches), (3, 2, 2));
    let titles = scratch.texts("articles", "title");
    assert_eq!(titles.keys().copied().collect::<Vec<_>>(), [0, 2, 3]);
    assert_eq!(titles[&3], ["\"Another\""], "once, as it was when it went");
    assert_eq!(scratch.texts("removed_blocks", "text").len(), 3);
    assert_eq!(
        scratch
            .count("SELECT count(*) FROM articles WHERE title = 'New'")
            .await,
        1
    );
}

impl Scratch {
    async fn take_down(&self, target: TakedownTarget) -> TakenDown {
        self.store.take_down(&target, "asked for").await.unwrap()
    }

    async fn take_down_at(&self, address: &str) -> TakenDown {
        self.take_down(TakedownTarget::Address(address.to_owned())).await
    }

    fn articles(&self, table: &str) -> Vec<i64> {
        self.texts(table, "article_id").into_keys().collect()
    }
}

/// Articles 4 to 7 with addresses: two pages of which one's address is another spelling of the other's, one
/// that claims another page's address, one that was taken over by it.
const ADDRESSES: &str = "
    UPDATE article SET canonical_url = 'https://a.example/ferry' WHERE article_id = 4;
    UPDATE article SET canonical_url = 'https://www.a.example/ferry' WHERE article_id = 5;
    UPDATE article SET canonical_url = 'https://b.example/wire', own_url = 'https://a.example/own', url = 'https://a.example/own?utm_source=rss'
        WHERE article_id = 6;
    UPDATE article SET canonical_url = 'https://b.example/wire' WHERE article_id = 7";

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_down_goes_from_every_file() {
    let scratch = Scratch::new("archive_down", 2).await;
    scratch.db.execute(ADDRESSES).await.unwrap();
    scratch.run(|_| Ok(())).await.unwrap();
    let by_number = scratch.take_down(TakedownTarget::Article(ArticleId(0))).await;
    assert_eq!((by_number.article_id, by_number.removed), (ArticleId(0), 0));
    scratch.take_down_at("https://a.example/ferry").await;
    scratch.take_down_at("https://a.example/own").await;
    assert_eq!(
        scratch.articles("articles"),
        [0, 1, 2, 3, 4, 5, 6, 7],
        "nothing is done yet"
    );
    let out = take_down(&scratch.store).await.unwrap();
    assert_eq!((out.articles, out.files), (3, 8));
    for table in ["articles", "article_versions", "removed_blocks"] {
        assert_eq!(scratch.articles(table), [1, 2, 3, 5, 7], "{table}");
    }
    for row in scratch.rows("stories") {
        let fields: BTreeMap<String, Field> = row.into_columns().into_iter().collect();
        let shown = ![0, 4, 6].map(Field::Long).contains(&fields["canonical_article"]);
        assert_eq!(fields["title"] != Field::Null, shown);
    }
    assert_eq!(
        scratch
            .count("SELECT count(*) FROM retired_articles WHERE archive_day IS NOT NULL")
            .await,
        5
    );
    // What they said is held: the shown version of each, and no older one of a word or two.
    let held = format!(
        "SELECT count(*) FROM takedown_hold WHERE hash IN (int8send(0), int8send(4), int8send(6)) AND takedown_id >= {}",
        by_number.takedown_id
    );
    assert_eq!(scratch.count(&held).await, 3);
    assert_eq!(take_down(&scratch.store).await.unwrap(), TakenOut::default());
    assert_eq!(scratch.run(|_| Ok(())).await.unwrap(), Archived::default());
    assert!(
        scratch
            .store
            .take_down(&TakedownTarget::Article(ArticleId(4)), "")
            .await
            .is_err(),
        "once"
    );

    // Another spelling is meant where nothing is at the one that was named, and the same spelling was not in
    // Postgres.
    scratch
        .db
        .execute("UPDATE article SET canonical_url = 'https://a.example/ferry', identity = (SELECT hash FROM takedown_hold WHERE octet_length(hash) = 16 LIMIT 1) WHERE article_id = 8")
        .await
        .unwrap();
    scratch.take_down_at("http://a.example/ferry").await;
    assert_eq!(
        scratch.run(|_| Ok(())).await.unwrap().taken_down,
        0,
        "held before: nothing new"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_takedown_waits_for_all_of_the_archive_and_is_done_again() {
    let scratch = Scratch::new("archive_again", 2).await;
    scratch.db.execute(ADDRESSES).await.unwrap();
    scratch.run(|_| Ok(())).await.unwrap();
    scratch.take_down_at("https://www.a.example/ferry").await;
    // Half of the archive is elsewhere.
    let (here, away) = (
        scratch.folder.path().join("manifest/batch-1.json"),
        scratch.folder.path().join("batch-1.away"),
    );
    std::fs::rename(&here, &away).unwrap();
    assert!(take_down(&scratch.store).await.is_err());
    assert_eq!(scratch.run(|_| Ok(())).await.unwrap().takedowns_due, 1);
    std::fs::rename(&away, &here).unwrap();
    // A run that ended behind some of the files: their manifest is of before.
    let manifest = scratch.folder.path().join("manifest/batch-2.json");
    let before = std::fs::read(&manifest).unwrap();
    assert_eq!(scratch.run(|_| Ok(())).await.unwrap().taken_down, 1);
    std::fs::write(&manifest, before).unwrap();
    scratch
        .db
        .execute(
            "INSERT INTO archive_takedown SELECT takedown_id, 5, false, NULL, NULL FROM takedown;
             UPDATE retired_article SET archive_day = '2025-03-02' WHERE article_id = 5",
        )
        .await
        .unwrap();
    scratch.run(|_| Ok(())).await.unwrap();
    assert_eq!(scratch.articles("articles"), [0, 1, 2, 3, 4, 6, 7]);
    assert_eq!(scratch.count("SELECT count(*) FROM archive_takedown").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_at_any_moment_loses_nothing_and_has_nothing_twice() {
    let days = 6;
    let scratch = Scratch::new("archive_kill", days).await;
    let folder = scratch.folder.path().to_str().unwrap();
    let copydesk = scratch.copydesk().with("COPYDESK_JANITOR_ARCHIVE_FOLDER", folder);
    kill_until_it_is_done(&scratch, &copydesk, days * A_DAY).await;
}
