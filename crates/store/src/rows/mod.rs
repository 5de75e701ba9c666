//! Rows to Postgres and back: values, columns, `COPY`, blocks, headers, hashes of content.

pub(crate) mod blocks;
pub(crate) mod columns;
pub(crate) mod content_hash;
pub(crate) mod copy;
pub(crate) mod headers;
pub(crate) mod ids;
pub(crate) mod markup;
pub(crate) mod values;
