//! Where traces go: an address that may hold a password or a token, in which case nobody sees them.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use copydesk_secret::{BLOT, Scrubber, Secret};
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use url::Url;

use crate::TraceSetupError;

/// Paths that say nothing but what they are for.
const PLAIN_PATHS: [&str; 4] = ["", "/", "/v1/traces", "/v1/traces/"];

/// The collector's address: its base, or the whole one that ends in `/v1/traces`. Empty: none.
///
/// `Debug`, `Display` and serde show scheme, host and port; user, password, parameters and paths that may be
/// a token are blotted out.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Endpoint(Secret);

impl Endpoint {
    /// Whether none is set.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Says what is wrong with it, if anything is. Sends nothing.
    ///
    /// # Errors
    /// It is no HTTP address.
    pub fn check(&self) -> Result<(), TraceSetupError> {
        self.target().map(drop)
    }

    /// Where the spans are posted to, and the value of an `Authorization` header if the address has a user or
    /// a password.
    pub(crate) fn target(&self) -> Result<(String, Option<String>), TraceSetupError> {
        let bad = |why: &str| TraceSetupError::Endpoint(why.to_owned());
        let mut url = Url::parse(self.0.expose()).map_err(|e| bad(&e.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(bad("it begins with neither http:// nor https://"));
        }
        let path = url.path().trim_end_matches('/').to_owned();
        if path.ends_with("/v1/traces") {
            url.set_path(&path);
        } else {
            url.set_path(&format!("{path}/v1/traces"));
        }
        let decoded = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
        let login = format!(
            "{}:{}",
            decoded(url.username()),
            decoded(url.password().unwrap_or_default())
        );
        let authorization = (login != ":").then(|| format!("Basic {}", BASE64_STANDARD.encode(login)));
        // Neither fails: an HTTP address has a host.
        let _ = (url.set_username(""), url.set_password(None));
        url.set_fragment(None);
        Ok((url.into(), authorization))
    }

    /// Takes the address out of the texts of whoever sends to it.
    pub(crate) fn scrubber(&self) -> Scrubber {
        Scrubber::new([&self.0])
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return Ok(());
        }
        let url = Url::parse(self.0.expose());
        let Some(url) = url.ok().filter(|u| matches!(u.scheme(), "http" | "https")) else {
            return f.write_str(BLOT);
        };
        write!(f, "{}://", url.scheme())?;
        if !url.username().is_empty() || url.password().is_some() {
            write!(f, "{BLOT}@")?;
        }
        f.write_str(url.host_str().unwrap_or_default())?;
        if let Some(port) = url.port() {
            write!(f, ":{port}")?;
        }
        if !PLAIN_PATHS.contains(&url.path()) {
            write!(f, "/{BLOT}")?;
        } else if url.path() != "/" {
            f.write_str(url.path())?;
        }
        if url.query().is_some() || url.fragment().is_some() {
            write!(f, "?{BLOT}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

impl From<&str> for Endpoint {
    fn from(text: &str) -> Self {
        Self(Secret::new(text))
    }
}

impl Serialize for Endpoint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Endpoint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Secret::deserialize(deserializer).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tracer;

    #[test]
    fn what_is_shown_has_no_secret() {
        for (endpoint, shown) in [
            ("http://127.0.0.1:4318", "http://127.0.0.1:4318"),
            (
                "https://collector.example/v1/traces",
                "https://collector.example/v1/traces",
            ),
            (
                "https://me:hunter2@collector.example:4318/",
                "https://***@collector.example:4318",
            ),
            (
                "https://hunter2@collector.example",
                "https://***@collector.example",
            ),
            (
                "https://collector.example/hunter2/v1/traces",
                "https://collector.example/***",
            ),
            (
                "https://collector.example?key=hunter2",
                "https://collector.example?***",
            ),
            ("hunter2", "***"),
            ("me:hunter2@collector.example", "***"),
            ("", ""),
        ] {
            let endpoint = Endpoint::from(endpoint);
            assert_eq!(endpoint.to_string(), shown);
            assert!(!format!("{endpoint:?}").contains("hunter2"));
        }
    }

    #[test]
    fn an_endpoint_that_is_none_says_what_a_good_one_is_and_quotes_nothing() {
        for bad in [
            "collector-hunter2:4318",
            "hunter2",
            "http://",
            "http://a b hunter2",
            "ftp://me:hunter2@collector.example",
        ] {
            let error = Tracer::start(&Endpoint::from(bad), 0.0, "test", "0")
                .unwrap_err()
                .to_string();
            assert!(
                error.contains("a good one is") && !error.contains("hunter2"),
                "{error}"
            );
        }
    }

    #[test]
    fn a_login_is_sent_as_a_header() {
        let target = |endpoint: &str| Endpoint::from(endpoint).target().unwrap();
        let (address, header) = target("https://me:hunter%402@collector.example/otel?key=1");
        assert_eq!(address, "https://collector.example/otel/v1/traces?key=1");
        assert_eq!(header.as_deref(), Some("Basic bWU6aHVudGVyQDI="));
        for plain in ["http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces/"] {
            assert_eq!(
                target(plain),
                ("http://127.0.0.1:4318/v1/traces".to_owned(), None)
            );
        }
    }

    #[test]
    fn texts_of_the_sender_lose_the_address() {
        let endpoint = Endpoint::from("https://collector.example/hunter2");
        let said = endpoint
            .scrubber()
            .scrub("bad uri: https://collector.example/hunter2");
        assert!(!said.contains("hunter2"), "{said}");
    }
}
