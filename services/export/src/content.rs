//! Parquet files read back: rows as they came from Postgres, and a hash of all that is in them.

use std::collections::HashMap;
use std::fs::File;

use anyhow::{Context as _, Result, bail};
use chrono::DateTime;
use copydesk_store::ExportColumn;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::Field;
use parquet::schema::types::Type;
use serde_json::{Map, Value};
use xxhash_rust::xxh3::Xxh3;

use crate::columns::{Column, Kind};

/// The rows of a file: how many, and a hash of all that was written of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) rows: u64,
    pub(crate) hash: u128,
}

/// Hands each row of a file to `each`, with true for the last one of a row group. `only`: no other columns
/// than these are read.
pub(crate) fn read_rows(
    file: File,
    columns: &[ExportColumn],
    only: Option<&[&str]>,
    mut each: impl FnMut(Map<String, Value>, bool) -> Result<()>,
) -> Result<()> {
    let reader = SerializedFileReader::new(file).context("it is no Parquet file")?;
    let kinds = columns
        .iter()
        .map(|c| Ok((c.name.as_str(), Kind::of(&c.kind)?)))
        .collect::<Result<HashMap<_, _>>>()?;
    let schema = reader.metadata().file_metadata().schema();
    let projection = only
        .map(|only| {
            let fields = schema.get_fields().iter().filter(|f| only.contains(&f.name()));
            Type::group_type_builder(schema.name())
                .with_fields(fields.cloned().collect())
                .build()
        })
        .transpose()?;
    for n in 0..reader.num_row_groups() {
        let group = reader.get_row_group(n)?;
        let mut rows = group.get_row_iter(projection.clone())?.peekable();
        while let Some(row) = rows.next() {
            let mut values = Map::new();
            for (name, field) in row.context("a row cannot be read")?.into_columns() {
                let kind = *kinds
                    .get(name.as_str())
                    .with_context(|| format!("it has a column {name} that is not known"))?;
                values.insert(name, value(kind, &field)?);
            }
            each(values, rows.peek().is_none())?;
        }
    }
    Ok(())
}

/// What is in a file, as it is read.
pub(crate) fn content(file: File, columns: &[ExportColumn]) -> Result<Content> {
    let mut read = columns.iter().map(Column::new).collect::<Result<Vec<_>>>()?;
    let mut hash = Xxh3::new();
    let mut rows = 0;
    read_rows(file, columns, None, |mut row, last| {
        rows += 1;
        for column in &mut read {
            column.take(&mut row);
            if last {
                column.hash_into(&mut hash);
                column.clear();
            }
        }
        Ok(())
    })?;
    Ok(Content {
        rows,
        hash: hash.digest128(),
    })
}

/// A value as it came from Postgres.
fn value(kind: Kind, field: &Field) -> Result<Value> {
    Ok(match (kind, field) {
        (_, Field::Null) => Value::Null,
        (Kind::Json, Field::Str(text)) => serde_json::from_str(text).context("a value is no JSON")?,
        (_, Field::Str(text)) => text.as_str().into(),
        (_, Field::Bool(b)) => (*b).into(),
        (_, Field::Int(n)) => (*n).into(),
        (_, Field::Long(n)) => (*n).into(),
        (_, Field::Float(n)) => f64::from(*n).into(),
        (_, Field::Double(n)) => (*n).into(),
        (_, Field::TimestampMicros(t)) => DateTime::from_timestamp_micros(*t)
            .context("a time is out of range")?
            .to_rfc3339()
            .into(),
        (_, Field::ListInternal(list)) => list
            .elements()
            .iter()
            .map(|element| value(Kind::Text, element))
            .collect::<Result<Vec<_>>>()?
            .into(),
        (_, other) => bail!("a value has a type that no column has: {other}"),
    })
}
