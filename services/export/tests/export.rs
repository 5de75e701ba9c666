//! Exports from a real Postgres, read back.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_types,
    reason = "test code: a panic with a clear message is how a test fails, and the files are our own"
)]

use std::io::Read as _;
use std::path::{Path, PathBuf};

use copydesk_export::{ExportOptions, Exported, Format, run};
use copydesk_store::{ExportQuery, ExportTime, ExportView};
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use serde_json::{Map, Value, json};
use sqlx::Executor as _;
use tokio::sync::watch;

mod support;

use support::Scratch;

impl Scratch {
    async fn new(label: &str, articles: i64) -> Self {
        let sql = format!(
            "INSERT INTO article (article_id, published_at, ingested_at, version_at, version, word_count,
                 fingerprint_version, identity, body_hash, raw_hash, rules_version, site, title, language, authors, tags,
                 paywalled, extra)
             SELECT id, CASE WHEN id % 7 > 0 THEN timestamptz '2026-01-01 00:00:00.123456+00' + id * interval '1 hour' END,
                    timestamptz '2026-06-01 00:00:00+00' + id * interval '1 minute', now(), 1, 30000 + id, 1, '', '', '', 'test',
                    'site' || id % 3 || '.example', 'Title \"' || id || E'\" \\u2028 line\\nbreak \\U0001F600', CASE WHEN id % 4 > 0 THEN 'en' ELSE 'ja' END,
                    CASE WHEN id % 3 = 0 THEN '{{}}'::text[] ELSE ARRAY['Ada Pell', 'Ines, \"Q\" ' || id] END, ARRAY['港'],
                    CASE WHEN id % 5 = 0 THEN true END,
                    CASE WHEN id % 2 = 0 THEN '{{\"a\": [1, null]}}'::jsonb END
             FROM generate_series(2, {articles} + 1) id;
             INSERT INTO membership (article_id, story_id, linked_to, relation, similarity)
             SELECT article_id, article_id - article_id % 2, nullif(article_id - article_id % 2, article_id),
                    CASE WHEN article_id % 2 = 0 THEN 'original' ELSE 'near_copy' END, CASE WHEN article_id % 2 = 1 THEN 0.25 END FROM article;
             INSERT INTO article_text (article_id, blocks, body) SELECT id, '[]', repeat('Body ' || id || '. ', 400) FROM generate_series(2, {articles} + 1) id;
             INSERT INTO story SELECT * FROM story_counted"
        );
        Self::filled(label, &sql).await
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn export(&self, view: ExportView, query: ExportQuery, name: &str) -> anyhow::Result<Exported> {
        let options = ExportOptions {
            view,
            query,
            output: Some(self.path(name)),
            format: Format::of_name(name).unwrap(),
        };
        run(&self.store, &options, watch::channel(false).1).await
    }

    /// What the view itself says, as Postgres writes it.
    async fn rows(&self, sql: &'static str) -> Vec<Value> {
        sqlx::query_scalar::<_, Value>(sql)
            .fetch_all(&self.db)
            .await
            .unwrap()
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.folder.path())
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

fn lines(path: &Path) -> Vec<Value> {
    let file = std::fs::File::open(path).unwrap();
    let name = path.to_string_lossy().into_owned();
    let mut text = String::new();
    if name.ends_with(".gz") {
        flate2::read::GzDecoder::new(file)
            .read_to_string(&mut text)
            .unwrap();
    } else if name.ends_with(".zst") {
        zstd::Decoder::new(file)
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
    } else {
        std::io::BufReader::new(file).read_to_string(&mut text).unwrap();
    }
    assert!(text.is_empty() || text.ends_with('\n'));
    text.lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

/// A Parquet file as JSON objects, with instants and JSON as text.
fn parquet_rows(path: &Path) -> (Vec<Map<String, Value>>, usize) {
    use parquet::record::Field;
    fn value(field: &Field) -> Value {
        match field {
            Field::Null => Value::Null,
            Field::Bool(b) => json!(b),
            Field::Int(n) => json!(n),
            Field::Long(n) => json!(n),
            Field::Float(x) => json!(x),
            Field::Double(x) => json!(x),
            Field::Str(s) => json!(s),
            Field::Bytes(b) => json!(String::from_utf8(b.data().to_vec()).unwrap()),
            Field::TimestampMicros(t) => {
                json!(chrono::DateTime::from_timestamp_micros(*t).unwrap().to_rfc3339())
            }
            Field::ListInternal(list) => list.elements().iter().map(value).collect(),
            other => panic!("unexpected {other:?}"),
        }
    }
    let reader = SerializedFileReader::new(std::fs::File::open(path).unwrap()).unwrap();
    let groups = reader.metadata().num_row_groups();
    let rows = reader
        .get_row_iter(None)
        .unwrap()
        .map(|row| {
            row.unwrap()
                .get_column_iter()
                .map(|(name, field)| (name.clone(), value(field)))
                .collect()
        })
        .collect();
    (rows, groups)
}

/// A row of Postgres as the Parquet reader above gives it.
fn as_parquet(row: &Value) -> Map<String, Value> {
    let mut row = row.as_object().unwrap().clone();
    for (name, value) in &mut row {
        if name == "extra" && !value.is_null() {
            *value = json!(value.to_string());
        }
        if let Some(text) = value.as_str()
            && (name.ends_with("_at") || name.ends_with("_time") || name.ends_with("_seen"))
        {
            *value = json!(
                chrono::DateTime::parse_from_rfc3339(text)
                    .unwrap()
                    .to_utc()
                    .to_rfc3339()
            );
        }
    }
    row
}

const ARTICLES: &str = "SELECT to_jsonb(v) FROM articles v ORDER BY article_id";

#[tokio::test(flavor = "multi_thread")]
async fn every_format_holds_every_row_and_column() {
    let scratch = Scratch::new("export_formats", 500).await;
    let wanted = scratch.rows(ARTICLES).await;
    assert_eq!(wanted.len(), 500);
    for name in ["a.jsonl", "a.ndjson.gz", "a.jsonl.zst"] {
        let done = scratch
            .export(ExportView::Articles, ExportQuery::default(), name)
            .await
            .unwrap();
        assert_eq!(done.rows, 500);
        assert_eq!(done.bytes, std::fs::metadata(scratch.path(name)).unwrap().len());
        assert_eq!(lines(&scratch.path(name)), wanted, "{name}");
    }
    let first = std::fs::read_to_string(scratch.path("a.jsonl")).unwrap();
    assert!(
        first.starts_with("{\"article_id\":2,\"story_id\":2,\"relation\""),
        "in the view's order: {}",
        first.lines().next().unwrap()
    );
    scratch
        .export(ExportView::Articles, ExportQuery::default(), "a.parquet")
        .await
        .unwrap();
    let (rows, _) = parquet_rows(&scratch.path("a.parquet"));
    assert_eq!(rows, wanted.iter().map(as_parquet).collect::<Vec<_>>());

    for name in ["s.jsonl", "s.parquet"] {
        let done = scratch
            .export(ExportView::Stories, ExportQuery::default(), name)
            .await
            .unwrap();
        assert_eq!(done.rows, 250);
    }
    let stories = scratch
        .rows("SELECT to_jsonb(v) FROM stories v ORDER BY story_id")
        .await;
    assert_eq!(lines(&scratch.path("s.jsonl")), stories);
    assert_eq!(
        parquet_rows(&scratch.path("s.parquet")).0,
        stories.iter().map(as_parquet).collect::<Vec<_>>()
    );
    assert_eq!(
        scratch.names(),
        [
            "a.jsonl",
            "a.jsonl.zst",
            "a.ndjson.gz",
            "a.parquet",
            "s.jsonl",
            "s.parquet"
        ],
        "nothing else is left"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn conditions_and_an_empty_answer() {
    let scratch = Scratch::new("export_filter", 300).await;
    let time = |s: &str| Some(s.parse().unwrap());
    let numbers = |name: &str| -> Vec<i64> {
        lines(&scratch.path(name))
            .iter()
            .map(|r| r["article_id"].as_i64().unwrap())
            .collect()
    };
    let query = ExportQuery {
        since: time("2026-06-01T01:00:00Z"),
        until: time("2026-06-01T01:30:00Z"),
        ..ExportQuery::default()
    };
    scratch
        .export(ExportView::Articles, query, "time.jsonl")
        .await
        .unwrap();
    assert_eq!(numbers("time.jsonl"), (60..90).collect::<Vec<_>>());
    let query = ExportQuery {
        by: ExportTime::Published,
        since: time("2026-01-02T00:00:00Z"),
        until: time("2026-01-03T00:00:00Z"),
        site: Some("site1.example".into()),
        language: Some("en".into()),
    };
    scratch
        .export(ExportView::Articles, query.clone(), "all.jsonl")
        .await
        .unwrap();
    let wanted: Vec<i64> = (24..48)
        .filter(|id| id % 7 > 0 && id % 3 == 1 && id % 4 > 0)
        .collect();
    assert_eq!(numbers("all.jsonl"), wanted);
    let nothing = ExportQuery {
        site: Some("' OR true --".into()),
        ..query
    };
    for name in ["none.jsonl", "none.parquet"] {
        let done = scratch
            .export(ExportView::Articles, nothing.clone(), name)
            .await
            .unwrap();
        assert_eq!(done.rows, 0);
    }
    assert!(parquet_rows(&scratch.path("none.parquet")).0.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_off_leaves_nothing_and_touches_nothing() {
    let scratch = Scratch::new("export_break", 3_000).await;
    std::fs::write(scratch.path("a.jsonl"), "as it was\n").unwrap();
    // A row that Postgres cannot make: it comes after 2,000 good ones.
    scratch
        .db
        .execute(
            "ALTER VIEW articles RENAME TO whole;
             CREATE VIEW articles AS SELECT *, 1 / (article_id - 2500) AS broken FROM whole",
        )
        .await
        .unwrap();
    for name in ["a.jsonl", "b.jsonl.gz"] {
        let error = scratch
            .export(ExportView::Articles, ExportQuery::default(), name)
            .await
            .unwrap_err();
        assert!(format!("{error:#}").contains("broke off"), "{error:#}");
    }
    assert_eq!(scratch.names(), ["a.jsonl"]);
    assert_eq!(
        std::fs::read_to_string(scratch.path("a.jsonl")).unwrap(),
        "as it was\n"
    );
    // Told to stop: the same.
    let options = ExportOptions {
        view: ExportView::Stories,
        query: ExportQuery::default(),
        output: Some(scratch.path("c.parquet")),
        format: Format::Parquet,
    };
    let error = run(&scratch.store, &options, watch::channel(true).1)
        .await
        .unwrap_err();
    assert!(format!("{error:#}").contains("stopped"), "{error:#}");
    assert_eq!(scratch.names(), ["a.jsonl"]);
    // No such folder: said before anything is read.
    let error = scratch
        .export(ExportView::Articles, ExportQuery::default(), "no/such.jsonl")
        .await
        .unwrap_err();
    assert!(format!("{error:#}").contains("such.jsonl"), "{error:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn large_exports_come_in_several_row_groups() {
    // Bodies of 20 KB: some 40 MB of rows.
    let scratch = Scratch::new("export_groups", 2_000).await;
    scratch
        .db
        .execute("UPDATE article_text SET body = repeat('Body ' || article_id || '. ', 2000)")
        .await
        .unwrap();
    scratch
        .export(ExportView::Articles, ExportQuery::default(), "a.parquet")
        .await
        .unwrap();
    let (rows, groups) = parquet_rows(&scratch.path("a.parquet"));
    assert_eq!(rows.len(), 2_000);
    assert!(groups > 1, "{groups}");
    let ids: Vec<i64> = rows.iter().map(|r| r["article_id"].as_i64().unwrap()).collect();
    assert_eq!(ids, (2..2_002).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_odd_row_stops_no_export_and_is_counted() {
    let scratch = Scratch::new("export_odd", 40).await;
    scratch
        .db
        .execute(
            "UPDATE article SET published_at = '0044-03-15 BC' WHERE article_id = 3;
             UPDATE article SET published_at = 'infinity', modified_at = '20000-01-01' WHERE article_id = 9;",
        )
        .await
        .unwrap();
    let done = scratch
        .export(ExportView::Articles, ExportQuery::default(), "odd.parquet")
        .await
        .unwrap();
    assert_eq!((done.rows, done.odd_rows), (40, 2));
    let (rows, _) = parquet_rows(&scratch.path("odd.parquet"));
    assert_eq!(rows.len(), 40);
    let odd: Vec<&Value> = rows
        .iter()
        .filter(|r| r["article_id"] == 3 || r["article_id"] == 9)
        .map(|r| &r["published_at"])
        .collect();
    assert_eq!(odd, [&Value::Null, &Value::Null]);
    let lines = scratch
        .export(ExportView::Articles, ExportQuery::default(), "odd.jsonl")
        .await
        .unwrap();
    assert_eq!((lines.rows, lines.odd_rows), (40, 0));
}
