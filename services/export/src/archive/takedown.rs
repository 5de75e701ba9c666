//! Takedowns reach the files: what a person or a tombstone took down after it was archived.
//!
//! In: the takedowns that Postgres has noted for this, and all folders that batches were written to. Out: the
//! articles are in no file, and what they said, and where it was, is held against coming again. Ended at any
//! point, it is done again from the beginning.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Result, ensure};
use chrono::NaiveDate;
use copydesk_clean::normalise_url;
use copydesk_store::{ArchiveTable, ArchiveTakedown, Store, TakedownMatch};
use serde_json::{Map, Value};

use super::manifest::Manifest;
use super::place::{self, Place};
use super::take_out::take_out;
use super::{Columns, lock};

/// Words from which on an older version holds against its text, as for articles in Postgres: fewer may be
/// anybody's.
const WORDS_TO_HOLD: i64 = 20;

/// What was taken out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TakenOut {
    /// Articles.
    pub articles: u64,
    /// Files that were written anew.
    pub files: u64,
}

/// Takes all articles out of the archive that were taken down since its files were looked at last.
///
/// # Errors
/// A folder of the archive is not here or lacks a batch, another run is under way in it, Postgres, the disk. What is not done is done by the
/// next call, or the next run of the archive.
pub async fn take_down(store: &Store) -> Result<TakenOut> {
    reach_files(store, None).await
}

/// An article of the archive that a takedown is of.
struct Found {
    article: i64,
    canonical: Option<String>,
    day: NaiveDate,
    how: TakedownMatch,
}

/// A place of the archive with all that is in it.
struct Part {
    place: Box<dyn Place>,
    manifests: Vec<Manifest>,
}

/// The same; `locked`: the name of an archive that this process has locked.
pub(super) async fn reach_files(store: &Store, locked: Option<&str>) -> Result<TakenOut> {
    let due = store.archive_takedowns().await?;
    if due.is_empty() {
        return Ok(TakenOut::default());
    }
    let mut locks = Vec::new();
    let mut parts = Vec::new();
    for (name, batches) in store.archive_folders().await? {
        let place = place::existing(Path::new(&name))?;
        if locked != Some(&name) {
            locks.push(lock(store, place.as_ref()).await?);
        }
        let manifests = Manifest::all(place.as_ref())?;
        for batch in batches {
            ensure!(
                manifests.iter().any(|m| m.batch_id == batch),
                "{name} lacks manifest/batch-{batch}.json: is it the whole archive? An article of this batch may have been taken down"
            );
        }
        parts.push(Part { place, manifests });
    }
    let columns = Columns::read(store).await?;
    let found = find(&parts, &columns, &due)?;
    let articles: BTreeSet<i64> = found.iter().flatten().map(|f| f.article).collect();
    let days: BTreeSet<NaiveDate> = found.iter().flatten().map(|f| f.day).collect();
    let texts = hashes_of_texts(&parts, &columns, &articles, &days)?;
    for (takedown, found) in due.iter().zip(&found) {
        let mut holds: Vec<Vec<u8>> = found
            .iter()
            .filter_map(|f| takedown.hold_of_address(f.canonical.as_deref()))
            .collect();
        for article in found.iter().map(|f| f.article) {
            holds.extend(texts.get(&article).into_iter().flatten().cloned());
        }
        store.hold_archived(takedown.takedown_id, &holds).await?;
    }
    let mut files = 0;
    if !articles.is_empty() {
        for part in parts {
            for manifest in part.manifests {
                files += take_out(part.place.as_ref(), &columns, manifest, &articles, Some(&days))?;
            }
        }
    }
    let done: Vec<i64> = due.iter().map(|t| t.takedown_id).collect();
    let gone: Vec<i64> = articles.iter().copied().collect();
    store.archive_taken_down(&done, &gone).await?;
    Ok(TakenOut {
        articles: gone.len() as u64,
        files,
    })
}

/// The articles of each takedown. Where none is at the address as it was named, those that were stored last
/// at another spelling of it.
fn find(parts: &[Part], columns: &Columns, due: &[ArchiveTakedown]) -> Result<Vec<Vec<Found>>> {
    let mut all: Vec<Vec<Found>> = due.iter().map(|_| Vec::new()).collect();
    let only = ["article_id", "canonical_url", "url"];
    each_row(parts, columns, ArchiveTable::Articles, None, &only, |day, row| {
        let text = |name: &str| row.get(name).and_then(Value::as_str);
        let Some(article) = row.get("article_id").and_then(Value::as_i64) else {
            return;
        };
        let (canonical, own) = (text("canonical_url"), text("url").and_then(normalise_url));
        for (takedown, found) in due.iter().zip(&mut all) {
            if let Some(how) = takedown.is_of(article, canonical, own.as_deref()) {
                let canonical = canonical.map(str::to_owned);
                found.push(Found {
                    article,
                    canonical,
                    day,
                    how,
                });
            }
        }
    })?;
    for found in &mut all {
        if found.iter().any(|f| f.how == TakedownMatch::Named) {
            found.retain(|f| f.how == TakedownMatch::Named);
        } else if let Some(last) = found.iter().max_by_key(|f| f.article) {
            let spelling = last.canonical.clone();
            found.retain(|f| f.canonical == spelling);
        }
    }
    Ok(all)
}

/// Of each of these articles the hashes of what its versions said.
fn hashes_of_texts(
    parts: &[Part],
    columns: &Columns,
    articles: &BTreeSet<i64>,
    days: &BTreeSet<NaiveDate>,
) -> Result<BTreeMap<i64, Vec<Vec<u8>>>> {
    let mut hashes = BTreeMap::<i64, Vec<Vec<u8>>>::new();
    let only = ["article_id", "latest", "word_count", "body_hash"];
    let table = ArchiveTable::ArticleVersions;
    each_row(parts, columns, table, Some(days), &only, |_, row| {
        let number = |name: &str| row.get(name).and_then(Value::as_i64);
        let latest = row.get("latest").and_then(Value::as_bool) == Some(true);
        if (latest || number("word_count").unwrap_or(0) >= WORDS_TO_HOLD)
            && let Some(article) = number("article_id").filter(|id| articles.contains(id))
            && let Some(hash) = row.get("body_hash").and_then(Value::as_str).and_then(bytes)
        {
            hashes.entry(article).or_default().push(hash);
        }
    })?;
    Ok(hashes)
}

/// Hands these columns of all rows of a table, or of some days of it, to `each`, with their day.
fn each_row(
    parts: &[Part],
    columns: &Columns,
    table: ArchiveTable,
    days: Option<&BTreeSet<NaiveDate>>,
    only: &[&str],
    mut each: impl FnMut(NaiveDate, &Map<String, Value>),
) -> Result<()> {
    for part in parts {
        let wanted = |m: &&Manifest| days.is_none_or(|days| days.contains(&m.day));
        for manifest in part.manifests.iter().filter(wanted) {
            for file in manifest.files.iter().filter(|f| f.table == table) {
                file.scan(part.place.as_ref(), columns.of(table), only, |row| {
                    each(manifest.day, &row);
                })?;
            }
        }
    }
    Ok(())
}

/// Bytes as Postgres writes them in JSON: `\x` and two digits for each.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<char> = text.strip_prefix("\\x")?.chars().collect();
    let (pairs, rest) = digits.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs
        .iter()
        .map(|pair| u8::from_str_radix(&String::from_iter(pair), 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_as_postgres_writes_them() {
        assert_eq!(bytes("\\x00ff1a"), Some(vec![0, 255, 26]));
        for text in ["00ff", "\\x0", "\\xzz"] {
            assert_eq!(bytes(text), None, "{text}");
        }
    }
}
