//! The archive in object storage, by the program as it is: killed, without the server, with takedowns.

use std::process::Output;

use copydesk_testkit::Copydesk;

use crate::TABLES;
use crate::kills::kill_until_it_is_done;
use crate::scratch::A_DAY;
use crate::server::{PASSWORD, Server};
use crate::support::Scratch;

impl Scratch {
    async fn in_bucket(label: &str, days: i64) -> (Self, Server, Copydesk) {
        let scratch = Self::new(label, days).await;
        let server = Server::start(scratch.folder.path(), 0).await;
        let copydesk = server.used_by(&scratch.copydesk());
        (scratch, server, copydesk)
    }

    /// All rows of all tables, in an order of their own.
    fn content(&self) -> Vec<Vec<String>> {
        let sorted = |table: &&str| {
            let mut rows: Vec<String> = self.rows(table).iter().map(ToString::to_string).collect();
            rows.sort();
            rows
        };
        TABLES.iter().map(sorted).collect()
    }
}

fn said(output: &Output) -> String {
    let all = [output.stdout.as_slice(), &output.stderr].concat();
    let text = String::from_utf8_lossy(&all).into_owned();
    assert!(!text.contains(PASSWORD), "{text}");
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_has_after_many_kills_what_a_folder_has() {
    let days = 4;
    let (scratch, _server, copydesk) = Scratch::in_bucket("bucket_kill", days).await;
    let other = Scratch::new("bucket_not", days).await;
    kill_until_it_is_done(&scratch, &copydesk, days * A_DAY).await;
    let folder = other.folder.path().to_str().unwrap();
    let told = other.copydesk().ok(&["janitor", "archive", "--folder", folder]);
    assert!(
        told.contains("16 articles archived in 4 batches of ") && told.contains(" s, "),
        "{told}"
    );
    assert!(
        scratch.content() == other.content(),
        "other rows than in a folder"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_server_the_archive_says_so_and_changes_nothing() {
    let (scratch, mut server, copydesk) = Scratch::in_bucket("bucket_away", 1).await;
    let here = "SELECT (SELECT count(*) FROM articles) * 1000 + (SELECT count(*) FROM archive_batch)";
    // More than a part of an object: half of a hexadecimal text is left after compression.
    let long = "UPDATE article_text SET body = (SELECT string_agg(md5(n::text), '') FROM generate_series(1, 540000) n) WHERE article_id = 2";
    sqlx::query(long).execute(&scratch.db).await.unwrap();
    let before = scratch.count(here).await;
    let plain = copydesk.clone().with("AWS_ALLOW_HTTP", "false");
    let told = said(&plain.run(&["janitor", "archive"]));
    assert!(told.contains("its endpoint has no TLS"), "{told}");
    let nobody = copydesk.clone().with("AWS_SECRET_ACCESS_KEY", "another");
    let refused = nobody.run(&["janitor", "archive"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        said(&refused).contains("look at the credentials in the environment"),
        "{}",
        said(&refused)
    );
    server.stop().await;
    let away = copydesk.run(&["janitor", "archive"]);
    assert_eq!(away.status.code(), Some(1));
    assert!(
        said(&away).contains("look whether the storage can be reached"),
        "{}",
        said(&away)
    );
    assert_eq!(scratch.count(here).await, before, "something was noted");

    // Takedowns wait for it.
    let server = Server::start(scratch.folder.path(), server.at.port()).await;
    copydesk.ok(&["janitor", "archive"]);
    let largest = scratch
        .files("articles")
        .iter()
        .map(|f| f.metadata().unwrap().len())
        .max();
    assert!(
        largest.unwrap() > 8 << 20,
        "{largest:?} bytes are put in one part"
    );
    let told = copydesk.ok(&["takedown", "0"]);
    assert!(
        told.contains("out of the archive: 1; files that were written anew: 4"),
        "{told}"
    );
    let port = server.at.port();
    drop(server);
    let later = copydesk.run(&["takedown", "1"]);
    assert!(
        later.status.success() && said(&later).contains("not now"),
        "{}",
        said(&later)
    );
    assert_eq!(scratch.count("SELECT count(*) FROM archive_takedown").await, 1);
    let _server = Server::start(scratch.folder.path(), port).await;
    let told = copydesk.ok(&["janitor", "archive"]);
    assert!(
        told.contains("; 1 that were taken down are out of the files"),
        "{told}"
    );
    let left = scratch.texts("articles", "body");
    assert_eq!(left.keys().copied().collect::<Vec<_>>(), [2, 3]);
    assert_eq!(left[&2][0].len(), 540_000 * 32 + 2, "with its quotes");
    assert_eq!(scratch.count("SELECT count(*) FROM archive_takedown").await, 0);
}
