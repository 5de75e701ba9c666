//! The schema explains itself: everything has a comment, and docs/schema.md is written from these comments.
//!
//! `UPDATE_DOCS=1 cargo test -p copydesk-store schema` writes the page anew.

use std::fmt::Write as _;

use sqlx::PgPool;

use crate::support::Scratch;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/schema.md");

const HEAD: &str = "# The schema

<!-- Written from the database's own comments by `UPDATE_DOCS=1 cargo test -p copydesk-store schema`; a test holds it to the migrations. -->

The **views** are the contract: a view's columns keep their name, type and meaning, and new ones come at the end (migrations/README.md). The
role `copydesk_reader` may read all of them and write nothing. Tables are listed for whoever runs copydesk; they may change with any release.

`psql` shows the same: `\\d+ articles`.
";

/// Name and comment of what `sql` selects.
async fn pairs(db: &PgPool, sql: &'static str) -> Vec<(String, Option<String>)> {
    sqlx::query_as(sql)
        .fetch_all(db)
        .await
        .unwrap_or_else(|e| panic!("{sql}: {e}"))
}

const TABLES: &str = "SELECT c.relname::text, obj_description(c.oid, 'pg_class') FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND c.relname <> '_sqlx_migrations' ORDER BY c.oid";
const VIEWS: &str = "SELECT c.relname::text, obj_description(c.oid, 'pg_class') FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('v', 'm') ORDER BY c.oid";
const FUNCTIONS: &str = "SELECT p.oid::regprocedure::text, obj_description(p.oid, 'pg_proc') FROM pg_proc p
    WHERE p.pronamespace = 'public'::regnamespace ORDER BY p.oid";
const COLUMNS: &str = "SELECT c.relname || '.' || a.attname, col_description(c.oid, a.attnum) FROM pg_attribute a
    JOIN pg_class c ON c.oid = a.attrelid
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm') AND NOT c.relispartition
      AND c.relname <> '_sqlx_migrations' AND a.attnum > 0 AND NOT a.attisdropped ORDER BY c.oid, a.attnum";

#[tokio::test(flavor = "multi_thread")]
async fn everything_in_the_schema_has_a_comment() {
    let scratch = Scratch::new("comments").await;
    let mut silent = Vec::new();
    let mut seen = 0;
    for sql in [TABLES, VIEWS, FUNCTIONS, COLUMNS] {
        for (name, comment) in pairs(&scratch.db, sql).await {
            seen += 1;
            if comment.is_none_or(|c| c.trim().is_empty()) {
                silent.push(name);
            }
        }
    }
    assert!(seen > 150, "the queries find too little: {seen}");
    assert!(silent.is_empty(), "without a COMMENT: {silent:#?}");
}

/// Text in a cell of a table.
fn cell(comment: Option<&str>) -> String {
    comment.unwrap_or_default().replace('|', "\\|").replace('\n', " ")
}

async fn page(db: &PgPool) -> String {
    let mut page = HEAD.to_owned();
    page.push_str("\n## Views\n");
    for (view, comment) in pairs(db, VIEWS).await {
        write!(
            page,
            "\n### {view}\n\n{}\n\n| column | type | meaning |\n|---|---|---|\n",
            comment.unwrap_or_default()
        )
        .unwrap();
        let columns: Vec<(String, String, Option<String>)> = sqlx::query_as(
            "SELECT attname::text, format_type(atttypid, atttypmod), col_description(attrelid, attnum)
             FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 ORDER BY attnum",
        )
        .bind(&view)
        .fetch_all(db)
        .await
        .unwrap();
        for (name, kind, comment) in columns {
            writeln!(page, "| `{name}` | {kind} | {} |", cell(comment.as_deref())).unwrap();
        }
    }
    for (title, first, sql) in [("Tables", "table", TABLES), ("Functions", "function", FUNCTIONS)] {
        write!(
            page,
            "\n## {title}\n\n| {first} | what it holds or does |\n|---|---|\n"
        )
        .unwrap();
        for (name, comment) in pairs(db, sql).await {
            writeln!(page, "| `{name}` | {} |", cell(comment.as_deref())).unwrap();
        }
    }
    page
}

#[tokio::test(flavor = "multi_thread")]
async fn the_schema_page_says_what_the_database_says() {
    let scratch = Scratch::new("schema_page").await;
    let page = page(&scratch.db).await;
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(PAGE, &page).unwrap();
    }
    let written = std::fs::read_to_string(PAGE).unwrap_or_default();
    assert!(
        written == page,
        "docs/schema.md is out of date: UPDATE_DOCS=1 cargo test -p copydesk-store schema"
    );
    for view in [
        "articles",
        "stories",
        "removed_blocks",
        "quarantined",
        "ingest_status",
    ] {
        assert!(page.contains(&format!("\n### {view}\n")), "{view} is missing");
    }
}
