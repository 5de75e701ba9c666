//! A message's value and headers as they are kept beside its article: compressed by the worker, on a thread of the pool.

use copydesk_article::Message;

use crate::rows::headers_to_bytes;

/// zstd's usual level: a page is written once and read seldom.
const ZSTD_LEVEL: i32 = 3;

/// A message's value and headers, ready to be kept.
#[derive(Debug, Clone)]
pub(crate) struct RawInput {
    pub(crate) size: i32,
    pub(crate) headers: Option<Vec<u8>>,
    pub(crate) compressed: Vec<u8>,
}

impl RawInput {
    /// `None`: there is nothing to keep.
    pub(crate) fn of(message: &Message) -> Option<Self> {
        let payload = message.payload.as_deref()?;
        Some(Self {
            size: i32::try_from(payload.len()).ok()?,
            headers: (!message.headers.is_empty()).then(|| headers_to_bytes(&message.headers)),
            compressed: zstd::bulk::compress(payload, ZSTD_LEVEL).ok()?,
        })
    }
}
