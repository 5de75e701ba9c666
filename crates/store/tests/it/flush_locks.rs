//! Who waits for a flush while it holds the lock of its key window, and what is written before that lock.

use copydesk_article::StoryId;
use copydesk_store::{Claimed, Store};

use crate::race::another_worker;
use crate::support::{Scratch, Text, babble, batch, prose};

/// A store where a flush with an article under the title "Slow" stays in the middle, its keys claimed, until
/// [`SlowFlush::go_on`].
async fn slow_store(label: &str) -> Scratch {
    let scratch = Scratch::new(label).await;
    sqlx::raw_sql(
        "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN
             IF (SELECT title FROM article WHERE article_id = NEW.article_id) = 'Slow' THEN
                 PERFORM pg_advisory_xact_lock_shared(4711);
             END IF;
             RETURN NEW;
         END $$;
         CREATE TRIGGER dawdle BEFORE INSERT ON membership FOR EACH ROW EXECUTE FUNCTION dawdle()",
    )
    .execute(&scratch.db)
    .await
    .unwrap();
    scratch
}

/// A flush that stays in the middle.
struct SlowFlush {
    flush: tokio::task::JoinHandle<()>,
    /// Holds the lock that it waits for.
    gate: sqlx::Transaction<'static, sqlx::Postgres>,
}

impl SlowFlush {
    /// Starts a flush of these articles on partition 0, and answers when its keys are claimed.
    async fn begin(scratch: &Scratch, texts: &[Text<'_>]) -> Self {
        let (store, claimed) = (scratch.store.clone(), scratch.claim(0).await);
        let mut gate = scratch.db.begin().await.unwrap();
        sqlx::query("SELECT pg_advisory_xact_lock(4711)")
            .execute(&mut *gate)
            .await
            .unwrap();
        let items = texts.iter().zip(0..).map(|(text, n)| text.item(0, n)).collect();
        let batch = batch(0, items);
        let flush = tokio::spawn(async move {
            store.flush(&claimed, &batch).await.unwrap();
        });
        scratch.until(IN_THE_MIDDLE, |flushes| flushes == 1).await;
        Self { flush, gate }
    }

    /// Lets it go on when so many others wait for the lock of its window.
    async fn go_on(self, scratch: &Scratch, waiting: i64) {
        scratch.until(WAITING, |sessions| sessions == waiting).await;
        self.gate.commit().await.unwrap();
        self.flush.await.unwrap();
    }
}

/// Sessions that stay in the middle of a flush.
const IN_THE_MIDDLE: &str =
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'";

/// Sessions that wait for the lock of a window.
const WAITING: &str =
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
                           AND query LIKE '%near_key_window%'";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_articles_say_is_written_before_the_lock_and_what_was_decided_behind_it() {
    let scratch = slow_store("race_order").await;
    let body = prose(1, 4);
    let slow = SlowFlush::begin(&scratch, &[Text::of_site("a.example", "Slow", &body)]).await;
    let second = (scratch.store.clone(), scratch.claim(1).await);
    let texts = [Text::of_site("b.example", "Other", &body)];
    let written = async {
        scratch.until(WAITING, |sessions| sessions == 1).await;
        let written: Vec<String> = sqlx::query_scalar(
            "SELECT relation::regclass::text FROM pg_locks JOIN pg_stat_activity USING (pid)
             WHERE wait_event_type = 'Lock' AND query LIKE '%near_key_window%' AND mode = 'RowExclusiveLock' AND locktype = 'relation'
                 AND relation IN ('article'::regclass, 'article_text'::regclass, 'evidence'::regclass, 'near_key'::regclass,
                                  'membership'::regclass, 'story'::regclass, 'sighting'::regclass) ORDER BY 1",
        )
        .fetch_all(&scratch.db)
        .await
        .unwrap();
        slow.go_on(&scratch, 1).await;
        written
    };
    let (written, ()) = tokio::join!(written, flush(&second, 0, &texts));
    assert_eq!(written, ["article", "article_text", "evidence"]);
    assert_eq!(scratch.stories().await, 1);
    scratch.assert_law().await;
}

async fn flush((store, claimed): &(Store, Claimed), from: i64, texts: &[Text<'_>]) {
    let partition = claimed.source.partition.get();
    let items = texts.iter().zip(from..).map(|(text, n)| text.item(partition, n));
    let batch = batch(from, items.collect());
    store.flush(claimed, &batch).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_claims_in_a_window_waits_for_the_flush_before_and_sees_all_of_it() {
    let scratch = slow_store("race_window").await;
    let second = (scratch.store.clone(), scratch.claim(1).await);
    waits_and_sees(&scratch, &second).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_claims_in_a_window_waits_for_another_workers_flush_and_sees_all_of_it() {
    let scratch = slow_store("race_window_workers").await;
    let second = another_worker(&scratch, "another", 1).await;
    waits_and_sees(&scratch, &second).await;
}

/// `second` has claimed partition 1.
async fn waits_and_sees(scratch: &Scratch, second: &(Store, Claimed)) {
    let (original, own, alone) = (babble(5), babble(2), babble(3));
    let (joined, other) = (format!("{original}\n\n{own}"), babble(4));
    // Enough of the first version for another version of it, too little for one of its keys.
    let (_, end) = original
        .match_indices("\n\n")
        .nth(3)
        .map(|(at, _)| original.split_at(at))
        .unwrap();
    let changed = format!("{}{end}", babble(6));
    let url = Some("https://e.example/1");
    let keys = |text: &str| copydesk_dedup::fingerprint_parts(None, text.split("\n\n")).keys;
    let has = [keys(&original), keys(&joined)].concat();
    assert!(
        !keys(&changed).iter().any(|key| has.contains(key)),
        "nothing but the address ties it to the first version"
    );
    let slow = SlowFlush::begin(scratch, &[Text::of_site("a.example", "Slow", &original)]).await;
    let texts = [
        // Wants the keys of the slow one, with a part of its own …
        Text::of_site("b.example", "Joined", &joined),
        // … that alone is in this one.
        Text::of_site("c.example", "Its end", &own),
        Text::of_site("d.example", "Apart", &alone),
        Text::of_site("d2.example", "Apart", &alone),
        // A copy of the slow one, and the next version of the same article, which is of another text.
        Text {
            url,
            ..Text::of_site("e.example", "First", &original)
        },
        Text {
            url,
            ..Text::of_site("e.example", "Second", &changed)
        },
        Text::of_site("f.example", "Other", &other),
    ];
    tokio::join!(flush(second, 0, &texts), slow.go_on(scratch, 1));
    let stories: Vec<(String, i32, String)> = sqlx::query_as(
        "SELECT a.site, a.version, f.site FROM articles a JOIN article f ON f.article_id = a.story_id ORDER BY a.site",
    )
    .fetch_all(&scratch.db)
    .await
    .unwrap();
    let stories: Vec<(&str, i32, &str)> = stories
        .iter()
        .map(|(s, v, f)| (s.as_str(), *v, f.as_str()))
        .collect();
    assert_eq!(
        stories,
        [
            ("a.example", 1, "a.example"),
            // The joined text joined the slow one; its end showed that it holds two articles whole, so that
            // it is a digest.
            ("b.example", 1, "b.example"),
            ("c.example", 1, "c.example"),
            ("d.example", 1, "d.example"),
            ("d2.example", 1, "d.example"),
            ("e.example", 2, "a.example"),
            ("f.example", 1, "f.example"),
        ]
    );
    let seen = "SELECT count(*) FROM article c JOIN membership m USING (article_id) JOIN article b ON b.site = 'b.example'
                WHERE c.site = 'c.example' AND m.refusals ->> b.article_id::text = 'digest'";
    assert_eq!(
        scratch.count(seen).await,
        1,
        "it was decided on after the joined one"
    );
    let digest = "SELECT count(*) FROM articles WHERE site = 'b.example' AND relation = 'digest'";
    assert_eq!(scratch.count(digest).await, 1);
    let order = "SELECT count(*) FROM (SELECT article_id < lag(article_id) OVER (ORDER BY \"offset\") AS back
                                      FROM sighting WHERE partition = 1) s WHERE back";
    assert_eq!(scratch.count(order).await, 0, "ids are in the order of offsets");
    scratch.assert_law().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_flush_of_another_window_does_not_wait_and_a_merge_does() {
    let scratch = slow_store("race_other_window").await;
    let second = another_worker(&scratch, "another", 1).await;
    let (old, new, one, another) = (prose(1, 6), babble(2), babble(3), babble(4));
    let before = [
        Text::of_site("a.example", "One", &one),
        Text::of_site("b.example", "Another", &another),
    ];
    flush(&second, 0, &before).await;
    let slow = SlowFlush::begin(&scratch, &[Text::of_site("c.example", "Slow", &new)]).await;
    // If it waited, it would wait for ever.
    let items = ["d.example", "e.example"].into_iter().zip(2..);
    let items = items.map(|(site, n)| Text::of_site(site, "Old", &old).item_at(1, n, "2021-03-01T12:00:00Z"));
    second
        .0
        .flush(&second.1, &batch(2, items.collect()))
        .await
        .unwrap();
    assert_eq!(scratch.stories().await, 3, "the slow one is not committed");
    let stories: Vec<i64> = sqlx::query_scalar("SELECT story_id FROM story ORDER BY story_id LIMIT 2")
        .fetch_all(&scratch.db)
        .await
        .unwrap();
    let merge = async {
        let merged = second
            .0
            .merge_stories(StoryId(stories[1]), StoryId(stories[0]), "a test")
            .await;
        merged.unwrap();
    };
    tokio::join!(merge, slow.go_on(&scratch, 1));
    assert_eq!(scratch.stories().await, 3);
    scratch.assert_law().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_copy_of_what_another_flush_moves_goes_along() {
    let scratch = slow_store("race_relink").await;
    let (second, third) = (scratch.claim(1).await, scratch.claim(2).await);
    let (second, third) = ((scratch.store.clone(), second), (scratch.store.clone(), third));
    relinked_meanwhile(&scratch, &second, &third, "copy.example").await;
    let copy = "SELECT count(*) FROM articles c JOIN articles b ON b.article_id = c.linked_to AND b.story_id = c.story_id
                WHERE c.site = 'copy.example' AND b.site = 'between.example' AND b.story_id = b.article_id";
    assert_eq!(scratch.count(copy).await, 1, "it goes where its original went");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_version_of_what_another_worker_moves_stays_in_its_story() {
    let scratch = slow_store("race_relink_workers").await;
    let (second, third) = (
        another_worker(&scratch, "another", 1).await,
        another_worker(&scratch, "a third", 2).await,
    );
    relinked_meanwhile(&scratch, &second, &third, "between.example").await;
    let version = "SELECT count(*) FROM articles WHERE site = 'between.example' AND version = 2 AND story_id = article_id";
    assert_eq!(scratch.count(version).await, 1);
}

/// The flush of `second` waits for a slow one, and then takes the article of between.example out of its
/// story. The flush of `third`, which waits for that of `second`, has that article's text, but for its end,
/// as an article of this site.
async fn relinked_meanwhile(
    scratch: &Scratch,
    second: &(Store, Claimed),
    third: &(Store, Claimed),
    site: &str,
) {
    let babble = |seed, n| copydesk_testkit::ArticleGenerator::new(seed).babble(n);
    let (ours, theirs, slow, apart, last) = (
        babble(81, 8),
        babble(82, 4),
        babble(84, 1),
        babble(86, 3),
        babble(87, 3),
    );
    let three: Vec<&str> = ours.split("\n\n").take(3).collect();
    let between = format!("{}\n\n{theirs}", three.join("\n\n"));
    let again = format!("{between}\n\nAnd a last word.");
    let of_both = format!("{slow}\n\n{theirs}\n\n{}", babble(83, 1));
    let url = |site| format!("https://{site}/1");
    let (url_between, url_again) = (url("between.example"), url(site));
    let text = |site, body| Text::of_site(site, "Harbour news of the day", body);
    let before = [
        text("ours.example", &ours),
        Text {
            url: Some(&url_between),
            ..text("between.example", &between)
        },
    ];
    flush(second, 0, &before).await;
    let of_slow = format!("{slow}\n\n{}", babble(85, 4));
    let slow = SlowFlush::begin(scratch, &[Text::of_site("slow.example", "Slow", &of_slow)]).await;
    let of_second = [text("apart.example", &apart), text("both.example", &of_both)];
    let of_third = [
        Text {
            url: Some(&url_again),
            ..text(site, &again)
        },
        text("last.example", &last),
        text("both2.example", &of_both),
    ];
    let in_turn = async {
        // Whoever waits first goes first.
        scratch.until(WAITING, |sessions| sessions == 1).await;
        tokio::join!(flush(third, 0, &of_third), slow.go_on(scratch, 2));
    };
    tokio::join!(flush(second, 2, &of_second), in_turn);
    let new_articles = "SELECT count(*) FROM articles n JOIN articles b ON b.story_id = n.story_id AND b.story_id = b.article_id
                     WHERE n.site LIKE 'both%' AND b.site = 'between.example'";
    assert_eq!(
        scratch.count(new_articles).await,
        2,
        "the article between was moved"
    );
    let events = "SELECT count(*) FROM story_event WHERE kind = 'relink'";
    assert_eq!(scratch.count(events).await, 1);
    scratch.assert_law().await;
}
