//! The archive killed at moments that are spread over a run.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use copydesk_testkit::Copydesk;

use crate::TABLES;
use crate::support::Scratch;

/// The moments spread over a run, whatever the machine: each is a sixth later than the one before, until a run
/// is whole. `all`: articles that are archived then.
pub(super) async fn kill_until_it_is_done(scratch: &Scratch, copydesk: &Copydesk, all: i64) {
    let (mut kills, mut under_way) = (0, 0);
    let mut after = Duration::from_millis(60);
    loop {
        let mut run = copydesk.start(&["janitor", "archive"]);
        let until = Instant::now() + after;
        while Instant::now() < until && run.ended().is_none() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        if let Some(status) = run.ended() {
            assert!(status.success(), "{}", run.log());
            break;
        }
        run.kill_9();
        kills += 1;
        after += after / 6;
        let left = scratch.count("SELECT count(*) FROM articles").await - 2;
        under_way += i64::from(scratch.count("SELECT count(*) FROM archive_batch").await > 0);
        let archived = scratch.texts("articles", "title").len() as i64;
        assert!(left + archived >= all, "{} are lost", all - left - archived);
    }
    assert!(
        under_way >= 3,
        "only {under_way} of {kills} kills met a run at work"
    );
    let ids: Vec<i64> = (0..all).collect();
    let titles = scratch.texts("articles", "title");
    assert_eq!(titles.keys().copied().collect::<Vec<_>>(), ids);
    assert!(titles.values().all(|t| t.len() == 1), "twice: {titles:?}");
    assert_eq!(scratch.rows("stories").len() as i64, all / 2);
    assert_eq!(scratch.count("SELECT count(*) FROM articles").await, 2);
    let mut files: Vec<PathBuf> = TABLES.iter().flat_map(|t| scratch.files(t)).collect();
    files.sort();
    assert_eq!(files, scratch.manifest_paths(), "nothing half written is left");
}
