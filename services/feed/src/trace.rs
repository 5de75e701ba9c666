//! Trace context: the W3C header that joins what is fed to the trace that it is part of.

use anyhow::{Result, bail};

/// Checks a `traceparent`: version, trace, span and flags, in lower-case hexadecimal digits.
///
/// # Errors
/// Text that is none, or has a trace or span of zeros alone.
pub fn traceparent(text: &str) -> Result<String> {
    let parts: Vec<_> = text.split('-').collect();
    let hex = |part: &str, length: usize| {
        part.len() == length && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    };
    let is_some = |part: &str| part.bytes().any(|b| b != b'0');
    match parts[..] {
        [version, trace, span, flags]
            if hex(version, 2)
                && version != "ff"
                && hex(trace, 32)
                && is_some(trace)
                && hex(span, 16)
                && is_some(span)
                && hex(flags, 2) =>
        {
            Ok(text.to_owned())
        }
        _ => bail!(
            "{text:?} is no traceparent; one looks like 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::traceparent;

    #[test]
    fn only_whole_ones_pass() {
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert_eq!(traceparent(good).unwrap(), good);
        for bad in [
            "",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\nurl: x",
        ] {
            assert!(traceparent(bad).is_err(), "{bad}");
        }
    }
}
