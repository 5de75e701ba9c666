//! Rows to Postgres and back: values, columns, `COPY`, blocks, headers, hashes of content.

pub(crate) mod blocks;
pub(crate) mod columns;
pub(crate) mod content_hash;
pub(crate) mod copy;
pub(crate) mod headers;
pub(crate) mod ids;
pub(crate) mod markup;
pub(crate) mod named;
pub(crate) mod sql;
pub(crate) mod values;

pub(crate) use columns::{columns, row};
pub(crate) use content_hash::ContentHash;
pub(crate) use copy::{CopyInto, CopyValue, copy};
pub(crate) use headers::{headers_from_bytes, headers_to_bytes};
pub(crate) use ids::{distinct, numbers};
pub(crate) use named::named;
pub(crate) use sql::{Column, FromRow, execute, fetch_all, fetch_one, fetch_optional, record};
pub(crate) use values::{Bytes, Json, List, list};
