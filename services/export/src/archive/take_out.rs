//! Articles taken out of the files of a batch.

use std::collections::BTreeSet;

use anyhow::Result;
use chrono::NaiveDate;
use copydesk_store::ArchiveTable;
use serde_json::{Map, Value};

use super::Columns;
use super::manifest::Manifest;
use super::place::Place;

/// Whether a row names one of these articles in this column.
fn names(row: &Map<String, Value>, column: &str, articles: &BTreeSet<i64>) -> bool {
    row.get(column)
        .and_then(Value::as_i64)
        .is_some_and(|id| articles.contains(&id))
}

/// Takes articles out of the files of a batch: their rows, and what its stories show of them. `of_days`:
/// where they are; a batch of another day can have them in its stories alone. May be repeated. Answers with
/// the number of files that were written anew.
pub(super) fn take_out(
    place: &dyn Place,
    columns: &Columns,
    mut manifest: Manifest,
    articles: &BTreeSet<i64>,
    of_days: Option<&BTreeSet<NaiveDate>>,
) -> Result<u64> {
    let mut rewritten = 0;
    for file in &mut manifest.files {
        let (table, columns) = (file.table, columns.of(file.table));
        let key = if table == ArchiveTable::Stories {
            "canonical_article"
        } else {
            "article_id"
        };
        if table != ArchiveTable::Stories && of_days.is_some_and(|days| !days.contains(&manifest.day)) {
            continue;
        }
        let mut has_some = false;
        file.scan(place, columns, &[key], |row| {
            has_some |= names(&row, key, articles);
        })?;
        if !has_some {
            continue;
        }
        file.rewrite(place, columns, |row| {
            let named = names(row, key, articles);
            if table != ArchiveTable::Stories {
                return !named;
            }
            if named {
                for shown in ["title", "url", "site"] {
                    row.insert(shown.to_owned(), Value::Null);
                }
            }
            true
        })?;
        rewritten += 1;
    }
    if rewritten > 0 {
        manifest.write(place)?;
    }
    Ok(rewritten)
}
