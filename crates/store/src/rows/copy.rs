//! Rows that are certainly new, by `COPY … FROM STDIN (FORMAT binary)`.
//!
//! Where nothing is asked and nothing can conflict, `COPY` does less than `INSERT … SELECT FROM unnest(…)`: no array is taken apart, no
//! row is kept before it is written, and a page of rows is one record in the WAL instead of one for each (docs/performance.md, "What was tried"). Rows go
//! out in pieces while they are laid out, so that a batch is not in memory once more. The format: Postgres' documentation of `COPY`.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use copydesk_article::{ArticleId, StoryId};
use sqlx::Postgres;
use sqlx::encode::{Encode, IsNull};
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArgumentBuffer, PgConnection};

use crate::rows::values::{Bytes, Json, List, list};

/// Signature, no flags, no extension.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// Instead of a row's number of fields: there are no more.
const TRAILER: [u8; 2] = (-1_i16).to_be_bytes();
/// Instead of a field's length: NULL.
const NULL: [u8; 4] = (-1_i32).to_be_bytes();

/// What is sent at once.
const PIECE: usize = 64 << 10;

/// A row of so many fields on its way into a table.
#[derive(Debug, Default)]
pub(crate) struct CopyRow {
    buffer: PgArgumentBuffer,
    /// The first value that cannot be written down.
    failed: Option<BoxDynError>,
}

/// A value of one column.
pub(crate) trait CopyValue {
    /// Its length and itself, in the column's binary format.
    fn put(&self, row: &mut CopyRow);
}

/// Where rows go: some columns of a table.
#[derive(Debug)]
pub(crate) struct CopyInto {
    statement: String,
    fields: i16,
}

impl CopyInto {
    pub(crate) fn new(table: &str, columns: &[&str]) -> Self {
        Self {
            statement: format!("COPY {table} ({}) FROM STDIN (FORMAT binary)", list(columns, "")),
            fields: i16::try_from(columns.len()).unwrap_or(i16::MAX),
        }
    }
}

/// Writes rows into a table; `put` puts the values of the columns in their order.
///
/// Not to be dropped half-way: the connection would then be of no use any more, which its pool sees and closes it.
pub(crate) async fn copy<R>(
    connection: &mut PgConnection,
    into: &CopyInto,
    rows: impl IntoIterator<Item = R, IntoIter: Send> + Send,
    put: impl Fn(&R, &mut CopyRow) + Send,
) -> Result<(), sqlx::Error> {
    let mut copy = connection.copy_in_raw(&into.statement).await?;
    let mut row = CopyRow::default();
    row.buffer.extend_from_slice(HEADER);
    let mut rows = rows.into_iter();
    loop {
        let more = rows.next().map(|values| {
            row.buffer.extend_from_slice(&into.fields.to_be_bytes());
            put(&values, &mut row);
        });
        if let Some(failed) = row.failed.take() {
            copy.abort("a value cannot be written down").await?;
            return Err(sqlx::Error::Encode(failed));
        }
        if more.is_none() {
            break;
        }
        if row.buffer.len() >= PIECE {
            copy.send(row.buffer.as_slice()).await?;
            row.buffer.clear();
        }
    }
    row.buffer.extend_from_slice(&TRAILER);
    copy.send(row.buffer.as_slice()).await?;
    copy.finish().await?;
    Ok(())
}

impl CopyRow {
    fn put<'q>(&mut self, value: impl Encode<'q, Postgres>) {
        let at = self.buffer.len();
        self.buffer.extend_from_slice(&NULL);
        let from = self.buffer.len();
        match value.encode(&mut self.buffer) {
            Ok(IsNull::Yes) => {}
            Ok(IsNull::No) => match i32::try_from(self.buffer.len() - from) {
                Ok(length) => {
                    if let Some(field) = self.buffer.get_mut(at..from) {
                        field.copy_from_slice(&length.to_be_bytes());
                    }
                }
                Err(error) => self.failed = Some(error.into()),
            },
            Err(error) => self.failed = Some(error),
        }
    }
}

macro_rules! as_sqlx_writes_it {
    ($($type:ty),+) => {$(
        impl CopyValue for $type {
            fn put(&self, row: &mut CopyRow) {
                row.put(self);
            }
        }
    )+};
}

as_sqlx_writes_it!(
    i64,
    i32,
    i16,
    f32,
    bool,
    String,
    &str,
    Cow<'_, str>,
    Vec<u8>,
    &[u8],
    Bytes<'_>,
    DateTime<Utc>
);

impl CopyValue for ArticleId {
    fn put(&self, row: &mut CopyRow) {
        row.put(self.0);
    }
}

impl CopyValue for StoryId {
    fn put(&self, row: &mut CopyRow) {
        row.put(self.0);
    }
}

impl<T: CopyValue> CopyValue for Option<T> {
    fn put(&self, row: &mut CopyRow) {
        match self {
            Some(value) => value.put(row),
            None => row.buffer.extend_from_slice(&NULL),
        }
    }
}

impl CopyValue for List {
    fn put(&self, row: &mut CopyRow) {
        row.put(self.values());
    }
}

/// The only version of the binary format of `jsonb` that there is: text follows.
const JSONB_VERSION: u8 = 1;

impl CopyValue for Json<'_> {
    fn put(&self, row: &mut CopyRow) {
        struct Versioned<'a>(&'a str);
        impl Encode<'_, Postgres> for Versioned<'_> {
            fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
                buffer.push(JSONB_VERSION);
                self.0.encode_by_ref(buffer)
            }
        }
        row.put(Versioned(&self.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(value: &impl CopyValue) -> Vec<u8> {
        let mut row = CopyRow::default();
        value.put(&mut row);
        assert!(row.failed.is_none());
        row.buffer.to_vec()
    }

    #[test]
    fn a_field_is_its_length_and_its_bytes() {
        assert_eq!(written(&"né"), [0, 0, 0, 3, b'n', 0xc3, 0xa9]);
        assert_eq!(written(&Some(258_i16)), [0, 0, 0, 2, 1, 2]);
        assert_eq!(written(&None::<i64>), [255; 4]);
        assert_eq!(written(&""), [0; 4], "empty is not NULL");
        assert_eq!(written(&Json("[]".into())), [0, 0, 0, 3, 1, b'[', b']']);
    }
}
