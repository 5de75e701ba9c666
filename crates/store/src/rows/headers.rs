//! The headers of a message as `quarantine.headers` has them.

use copydesk_article::Header;

/// Per header four bytes length (big endian) and the name, four bytes length and the value.
pub(crate) fn headers_to_bytes(headers: &[Header]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for header in headers {
        for part in [header.name.as_bytes(), header.value.as_slice()] {
            bytes.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
            bytes.extend_from_slice(part);
        }
    }
    bytes
}

/// The reverse of [`headers_to_bytes`]. `None`: it is not what that writes.
pub(crate) fn headers_from_bytes(mut bytes: &[u8]) -> Option<Vec<Header>> {
    let mut part = || {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let (part, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        bytes = rest;
        Some((part.to_vec(), rest.is_empty()))
    };
    let mut headers = Vec::new();
    let mut done = false;
    while !done {
        let Some((name, _)) = part() else { break };
        let (value, last) = part()?;
        headers.push(Header {
            name: String::from_utf8(name).ok()?,
            value,
        });
        done = last;
    }
    Some(headers)
}
