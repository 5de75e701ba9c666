//! A store with old days, and what is in the files of its archive.

use std::collections::BTreeMap;
use std::path::PathBuf;

use copydesk_export::archive::{ArchiveOptions, Archived, Step, run};
use copydesk_testkit::Copydesk;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::{Field, Row};
use serde_json::Value;

use crate::server::KEPT_IN;
use crate::support::Scratch;

/// Articles of each of the old days.
pub(super) const A_DAY: i64 = 4;

impl Scratch {
    /// So many old days with four articles each, two in a story, one with an older version; and two articles
    /// of today.
    pub(super) async fn new(label: &str, days: i64) -> Self {
        let last = days * A_DAY + 1;
        let sql = format!(
                "INSERT INTO article (article_id, published_at, ingested_at, version_at, version, word_count,
                     fingerprint_version, identity, body_hash, raw_hash, rules_version, site, title, language, authors, extra)
                 SELECT id, at, at, at, CASE WHEN id % 4 = 0 THEN 2 ELSE 1 END, 3, 1, int8send(id), int8send(id), '', 'test',
                        'site' || id % 3 || '.example', E'Title \" \\n ' || id, 'en',
                        CASE WHEN id % 3 = 0 THEN '{{}}'::text[] ELSE ARRAY['Ada Pell', 'Ines \"Q\"'] END,
                        CASE WHEN id % 2 = 0 THEN '{{\"a\": [1, null, 0.1]}}'::jsonb END
                 FROM generate_series(0, {last}) id CROSS JOIN LATERAL (
                     SELECT CASE WHEN id >= {days} * {A_DAY} THEN now()
                                 ELSE timestamptz '2025-03-01 12:00:00.123456Z' + id / {A_DAY} * interval '1 day' END AS at) t;
                 INSERT INTO membership (article_id, story_id, linked_to, relation, similarity)
                 SELECT article_id, article_id - article_id % 2, nullif(article_id - article_id % 2, article_id),
                        CASE WHEN article_id % 2 = 0 THEN 'original' ELSE 'near_copy' END, CASE WHEN article_id % 2 = 1 THEN 0.25 END FROM article;
                 INSERT INTO article_text (article_id, blocks, body)
                 SELECT article_id, '[[\"body\", 3], [\"boilerplate\", \"Check Also\", \"related-marker\", \"check also\"]]', 'Body ' || article_id FROM article;
                 INSERT INTO article_version (article_id, version, body, blocks, word_count, body_hash, rules_version, fingerprint_version, version_at)
                 SELECT article_id, 1, 'Old body', '[]', 2, int8send(0), 'test', 1, version_at FROM article WHERE version = 2;
                 INSERT INTO article_identity (identity, article_id) SELECT identity, article_id FROM article;
                 INSERT INTO story SELECT * FROM story_counted;
                 SELECT setval('article_id_seq', 1000)"
            );
        Self::filled(label, &sql).await
    }

    /// The program on this database, which archives after 90 days.
    pub(super) fn copydesk(&self) -> Copydesk {
        Copydesk::at("127.0.0.1:9", "none", self.database.url())
            .with("COPYDESK_JANITOR_ARCHIVE_AFTER_DAYS", "90")
    }

    /// Where the files are: in the folder, or in the bucket that a server keeps in it.
    pub(super) fn root(&self) -> PathBuf {
        let kept = self.folder.path().join(KEPT_IN);
        if kept.exists() {
            kept
        } else {
            self.folder.path().to_owned()
        }
    }

    pub(super) fn options(&self) -> ArchiveOptions {
        ArchiveOptions {
            folder: self.folder.path().to_owned(),
            before: chrono::Utc::now() - chrono::TimeDelta::days(90),
            file_bytes: 1 << 20,
        }
    }

    pub(super) async fn run(&self, at: impl FnMut(Step) -> anyhow::Result<()>) -> anyhow::Result<Archived> {
        run(&self.store, &self.reads, &self.options(), at).await
    }

    /// Files of a table, as an engine finds them.
    pub(super) fn files(&self, table: &str) -> Vec<PathBuf> {
        let Ok(days) = std::fs::read_dir(self.root().join(table)) else {
            return Vec::new();
        };
        days.flat_map(|day| std::fs::read_dir(day.unwrap().path()).unwrap())
            .map(|e| e.unwrap().path())
            .collect()
    }

    pub(super) fn rows(&self, table: &str) -> Vec<Row> {
        let of_file = |path: &PathBuf| {
            let reader = SerializedFileReader::new(std::fs::File::open(path).unwrap()).unwrap();
            let rows = reader.get_row_iter(None).unwrap();
            rows.map(Result::unwrap).collect::<Vec<_>>()
        };
        // As engines do: what begins with a dot is not there yet.
        let whole = |path: &&PathBuf| !path.file_name().unwrap().to_str().unwrap().starts_with('.');
        self.files(table).iter().filter(whole).flat_map(of_file).collect()
    }

    /// A text by article.
    pub(super) fn texts(&self, table: &str, column: &str) -> BTreeMap<i64, Vec<String>> {
        let mut all = BTreeMap::<i64, Vec<String>>::new();
        for row in self.rows(table) {
            let fields: BTreeMap<String, Field> = row.into_columns().into_iter().collect();
            let (Field::Long(id), text) = (&fields["article_id"], fields[column].to_string()) else {
                panic!("no article_id");
            };
            all.entry(*id).or_default().push(text);
        }
        all
    }

    pub(super) async fn count(&self, sql: &str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.db).await.unwrap()
    }

    pub(super) fn manifest_paths(&self) -> Vec<PathBuf> {
        let mut all = Vec::new();
        for entry in std::fs::read_dir(self.root().join("manifest")).unwrap() {
            let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
            let manifest: Value = serde_json::from_str(&text).unwrap();
            for file in manifest["files"].as_array().unwrap() {
                all.push(self.root().join(file["path"].as_str().unwrap()));
            }
        }
        all.sort();
        all
    }
}
