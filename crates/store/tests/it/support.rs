//! A scratch database with the schema, and batches made of plain texts.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use copydesk_article::{
    Block, BlockKind, CleanArticle, Coordinates, Message, Metadata, MetadataSource, NextOffset, Offset,
    Partition, Reason, Reject, RuleId, Sourced, Stage, Topic, TopicPartition,
};
use copydesk_store::{Batch, Claimed, FlushReport, Item, OnLostRange, Prepared, Store, StoreConfig, Wanted};
use copydesk_testkit::{ArticleGenerator, ScratchDatabase};

pub(crate) struct Scratch {
    pub(crate) store: Store,
    pub(crate) db: sqlx::PgPool,
    database: ScratchDatabase,
}

impl Scratch {
    pub(crate) async fn new(label: &str) -> Self {
        let database = ScratchDatabase::create(label).await;
        let store = connect(&database, StoreConfig::default()).await;
        store.migrate().await.unwrap();
        let db = sqlx::PgPool::connect(database.url()).await.unwrap();
        Self { store, db, database }
    }

    /// A store beside the first one, as another worker has it.
    pub(crate) async fn another_store(&self, config: StoreConfig) -> Store {
        connect(&self.database, config).await
    }

    /// Where the database is.
    pub(crate) fn url(&self) -> &str {
        self.database.url()
    }

    pub(crate) async fn claim(&self, partition: i32) -> Claimed {
        self.claim_at(partition, 0, 1_000_000).await
    }

    pub(crate) async fn claim_at(&self, partition: i32, low: i64, high: i64) -> Claimed {
        let wanted = wanted(partition, low, high);
        self.store
            .claim("test", &[wanted], OnLostRange::Stop)
            .await
            .unwrap()
            .remove(0)
    }

    /// The middle of the present window, or of one so many windows from it: those near have a partition of their own.
    pub(crate) async fn middle_of_window(&self, from_present: i32) -> String {
        let middle: DateTime<Utc> = sqlx::query_scalar(
            "SELECT '2020-01-01Z'::timestamptz
                    + make_interval(days => (copydesk_window(now()) + $1) * window_days + window_days / 2) FROM setting",
        )
        .bind(from_present)
        .fetch_one(&self.db)
        .await
        .unwrap();
        middle.to_rfc3339()
    }

    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql)
            .fetch_one(&self.db)
            .await
            .unwrap_or_else(|e| panic!("{sql}: {e}"))
    }

    /// A transaction of another session, and its process.
    pub(crate) async fn transaction(&self) -> (sqlx::Transaction<'static, sqlx::Postgres>, i32) {
        let mut tx = self.db.begin().await.unwrap();
        let pid = sqlx::query_scalar("SELECT pg_backend_pid()")
            .fetch_one(&mut *tx)
            .await
            .unwrap();
        (tx, pid)
    }

    /// Asks until the answer is such.
    pub(crate) async fn until(&self, sql: &'static str, is_such: impl Fn(i64) -> bool) {
        let begun = Instant::now();
        while !is_such(self.count(sql).await) {
            assert!(begun.elapsed() < Duration::from_secs(20), "not yet: {sql}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// From now on whatever rewrites what an article says, or its evidence, fails: stories change without it.
    pub(crate) async fn refuse_rewrites(&self) {
        sqlx::raw_sql(
            "CREATE FUNCTION refuse_rewrite() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN RAISE EXCEPTION '% of article % is rewritten', TG_TABLE_NAME, OLD.article_id; END $$;
             CREATE TRIGGER refuse_rewrite BEFORE UPDATE OR DELETE ON article FOR EACH ROW EXECUTE FUNCTION refuse_rewrite();
             CREATE TRIGGER refuse_rewrite BEFORE UPDATE OR DELETE ON article_text FOR EACH ROW EXECUTE FUNCTION refuse_rewrite();
             CREATE TRIGGER refuse_rewrite BEFORE UPDATE OR DELETE ON evidence FOR EACH ROW EXECUTE FUNCTION refuse_rewrite()",
        )
        .execute(&self.db)
        .await
        .unwrap();
    }

    pub(crate) async fn stories(&self) -> i64 {
        self.count("SELECT count(DISTINCT story_id) FROM membership")
            .await
    }

    /// Flushes texts as the next messages of partition 0, in one batch or each in one of its own; then the law holds.
    pub(crate) async fn flush_texts(&self, texts: &[Text<'_>], together: bool) -> FlushReport {
        let from = self.claim(0).await.next_offset.get();
        let items = texts.iter().zip(from..).map(|(t, n)| t.item(0, n)).collect();
        self.flush(items, together).await
    }

    /// The same with messages that have their offsets.
    pub(crate) async fn flush(&self, items: Vec<Item>, together: bool) -> FlushReport {
        let claimed = self.claim(0).await;
        let from = claimed.next_offset.get();
        let batches = if together {
            vec![batch(from, items)]
        } else {
            let alone = items.into_iter().zip(from..).map(|(i, n)| batch(n, vec![i]));
            alone.collect()
        };
        let mut sum = FlushReport::default();
        for batch in &batches {
            sum.add(&self.store.flush(&claimed, batch).await.unwrap());
        }
        self.assert_law().await;
        sum
    }

    pub(crate) async fn assert_law(&self) {
        let report = self.store.audit().await.unwrap();
        let said: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
        assert!(report.is_clean(), "{said:#?}");
    }
}

async fn connect(database: &ScratchDatabase, config: StoreConfig) -> Store {
    let url = database.url().into();
    Store::connect(&StoreConfig { url, ..config }).await.unwrap()
}

pub(crate) fn source(partition: i32) -> TopicPartition {
    TopicPartition {
        topic: Topic::new("articles.raw"),
        partition: Partition::new(partition),
    }
}

pub(crate) fn wanted(partition: i32, low: i64, high: i64) -> Wanted {
    Wanted {
        source: source(partition),
        low: Offset::new(low),
        high: Offset::new(high),
        in_hand: IN_HAND,
    }
}

/// Messages that a claimer may have taken.
pub(crate) const IN_HAND: i64 = 10;

pub(crate) const NOON: &str = "2026-03-10T12:00:00Z";

pub(crate) fn message(partition: i32, offset: i64, at: &str) -> Message {
    Message {
        coordinates: Coordinates {
            source: source(partition),
            offset: Offset::new(offset),
        },
        timestamp: Some(at.parse::<DateTime<Utc>>().unwrap()),
        key: None,
        payload: Some(format!("payload {partition} {offset}").into_bytes()),
        headers: Vec::new(),
    }
}

/// An article of plain paragraphs.
#[derive(Clone, Default)]
pub(crate) struct Text<'a> {
    pub(crate) url: Option<&'a str>,
    /// What the page claims as its canonical address, if it is another than `url`.
    pub(crate) claims: Option<&'a str>,
    pub(crate) site: Option<&'a str>,
    pub(crate) title: Option<&'a str>,
    pub(crate) language: Option<&'a str>,
    pub(crate) body: &'a str,
    pub(crate) fetched_at: Option<DateTime<Utc>>,
    pub(crate) extra: Vec<(&'a str, serde_json::Value)>,
}

impl<'a> Text<'a> {
    pub(crate) fn of_site(site: &'a str, title: &'a str, body: &'a str) -> Self {
        Self {
            site: Some(site),
            title: Some(title),
            body,
            ..Self::default()
        }
    }
}

impl Text<'_> {
    pub(crate) fn prepare(&self) -> Prepared {
        let sourced = |s: &str| Sourced::new(s.to_owned(), MetadataSource::Envelope);
        let mut blocks: Vec<Block> = self
            .title
            .iter()
            .map(|t| Block::kept(BlockKind::Headline, *t))
            .collect();
        blocks.extend(self.body.split("\n\n").map(|p| Block::kept(BlockKind::Body, p)));
        blocks.push(Block::kept(
            BlockKind::Caption,
            "The quay at dawn. (Photo: A. Pell)",
        ));
        blocks.push(Block::removed(
            BlockKind::Boilerplate,
            "Check Also",
            RuleId::of("related-marker"),
            Some("check also".into()),
        ));
        let clean = CleanArticle {
            metadata: Metadata {
                url: self.url.map(str::to_owned),
                canonical_url: self.claims.or(self.url).map(sourced),
                own_url: self.claims.and(self.url).map(str::to_owned),
                site: self.site.map(sourced),
                title: self.title.map(sourced),
                language: self.language.map(sourced),
                authors: vec!["Ada Pell".into(), "Jonas Verhune".into()],
                ..Metadata::default()
            },
            blocks,
            warnings: Vec::new(),
            rules_version: "test".into(),
        };
        let fingerprint = copydesk_dedup::fingerprint(&clean);
        let extra = self
            .extra
            .iter()
            .map(|(k, v)| ((*k).to_owned(), v.clone()))
            .collect();
        Prepared::new(clean, fingerprint, self.fetched_at, extra)
    }

    pub(crate) fn item(&self, partition: i32, offset: i64) -> Item {
        self.item_at(partition, offset, NOON)
    }

    pub(crate) fn item_at(&self, partition: i32, offset: i64, at: &str) -> Item {
        Item {
            message: message(partition, offset, at),
            outcome: Ok(self.prepare().into()),
        }
    }
}

pub(crate) fn refused(partition: i32, offset: i64) -> Item {
    Item {
        message: message(partition, offset, NOON),
        outcome: Err(Reject::new(Stage::Decode, Reason::BadJson, "it breaks off")),
    }
}

/// All items, from the first one's offset (or `from`) to behind the last.
pub(crate) fn batch(from: i64, items: Vec<Item>) -> Batch {
    let to = items
        .last()
        .map_or(NextOffset::new(from), |i| i.message.coordinates.offset.next());
    Batch {
        from: NextOffset::new(from),
        to,
        items,
    }
}

/// A text of six paragraphs from a seed that shares no run of four words with that of another seed.
pub(crate) fn babble(seed: u64) -> String {
    ArticleGenerator::new(seed).babble(6)
}

/// A text of so many paragraphs from a seed.
pub(crate) fn prose(seed: u64, paragraphs: usize) -> String {
    ArticleGenerator::new(seed).text(paragraphs)
}
