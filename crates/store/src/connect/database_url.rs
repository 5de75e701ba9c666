//! The database's address: what may be shown of it, and what it becomes for the driver.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr as _;

use copydesk_secret::{BLOT, Secret};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use url::Url;

use crate::StoreError;

/// Parameters that the driver reads and whose values are no secrets.
const SHOWN: &str = "application_name dbname host hostaddr port ssl-ca ssl-cert ssl-key ssl-mode ssl-root-cert sslcert \
    sslkey sslmode sslrootcert statement-cache-capacity user";

/// Further parameters that the driver reads.
const HIDDEN: &str = "options password";

/// Parameters of libpq that the driver does not know. Named, so that whoever set one learns that it does nothing.
const LIBPQ: &str = "channel_binding client_encoding connect_timeout fallback_application_name gssencmode gsslib \
    keepalives keepalives_count keepalives_idle keepalives_interval krbsrvname load_balance_hosts \
    passfile replication require_auth requirepeer requiressl service ssl_max_protocol_version \
    ssl_min_protocol_version sslcertmode sslcompression sslcrl sslcrldir sslnegotiation sslpassword \
    sslsni target_session_attrs tcp_user_timeout";

/// `postgres://user:password@host:port/database?…`, or whatever else stands where one should be.
///
/// `Debug`, `Display` and serde show it without what is or may be a secret: the password, the values of parameters that
/// are not known to be harmless, and all of a text that is no such URL.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct DatabaseUrl(Secret);

/// What the driver is told.
pub(crate) struct Target {
    pub(crate) options: PgConnectOptions,
    /// What somebody should know before relying on it. Empty: nothing.
    pub(crate) warnings: Vec<String>,
}

impl DatabaseUrl {
    /// Says what is wrong with it, if anything is. Connects to nothing.
    ///
    /// # Errors
    /// [`StoreError::BadUrl`].
    pub fn check(&self) -> Result<(), StoreError> {
        self.target(None)?;
        Ok(())
    }

    /// What somebody should know who relies on it: a server that is not verified, parameters that do nothing. Reads `PGSSLMODE`.
    ///
    /// # Errors
    /// [`StoreError::BadUrl`].
    pub fn warnings(&self) -> Result<Vec<String>, StoreError> {
        self.target(mode_of_environment()).map(|t| t.warnings)
    }

    /// The options of a connection; `mode` is that of the environment.
    ///
    /// Without a word on TLS the driver would try it and take any certificate, or none: good enough on the way to
    /// oneself, and nowhere else.
    pub(crate) fn target(&self, mode: Option<PgSslMode>) -> Result<Target, StoreError> {
        let url = self.parse()?;
        let mut warnings = Vec::new();
        let mut passed_on = url.clone();
        let mut says_mode = false;
        let mut pairs = Vec::new();
        for (number, (name, value)) in url.query_pairs().enumerate() {
            says_mode |= matches!(&*name, "sslmode" | "ssl-mode");
            if is_read(&name) {
                pairs.push((name, value));
            } else if lists(LIBPQ, &name) {
                warnings.push(format!("{name} in the database's URL does nothing here"));
            } else {
                warnings.push(format!(
                    "parameter number {} of the database's URL is not known, and does nothing",
                    number + 1
                ));
            }
        }
        // The driver logs the parameters that it does not know, with their values.
        if pairs.is_empty() {
            passed_on.set_query(None);
        } else {
            passed_on.query_pairs_mut().clear().extend_pairs(pairs);
        }
        let mut options = PgConnectOptions::from_str(passed_on.as_str()).map_err(|_| {
            bad("a parameter has a value that it cannot have; sslmode is disable, allow, prefer, require, verify-ca or verify-full")
        })?;
        if is_local(&options) {
            return Ok(Target { options, warnings });
        }
        if !says_mode {
            options = options.ssl_mode(mode.unwrap_or(PgSslMode::VerifyFull));
        }
        if !matches!(options.get_ssl_mode(), PgSslMode::VerifyFull) {
            warnings.push(format!(
                "the connection to Postgres leaves this machine and the server is not verified (sslmode below verify-full, in {}): \
                 whoever stands between can read and change the articles",
                if says_mode { "the database's URL" } else { "PGSSLMODE" }
            ));
        }
        Ok(Target { options, warnings })
    }

    fn parse(&self) -> Result<Url, StoreError> {
        let text = self.0.expose();
        if text.trim().is_empty() {
            return Err(bad("it is empty"));
        }
        if text
            .trim_start()
            .get(..5)
            .is_some_and(|t| t.eq_ignore_ascii_case("jdbc:"))
        {
            return Err(bad(
                "it is one of JDBC; leave out jdbc:, and write user:password@ before the host",
            ));
        }
        // Before the address is read: of several with ports it would be said that the port is none.
        if names_several_hosts(text) {
            return Err(bad(SEVERAL_HOSTS));
        }
        let url = Url::parse(text).map_err(|e| match e {
            url::ParseError::RelativeUrlWithoutBase if text.contains('=') => {
                bad("it is a list of keywords and values; write them as a URL")
            }
            e => StoreError::BadUrl(e.to_string()),
        })?;
        if !matches!(url.scheme(), "postgres" | "postgresql") || url.cannot_be_a_base() {
            return Err(bad("it does not begin with postgres://"));
        }
        let mut pairs = url.query_pairs();
        if pairs.any(|(name, value)| matches!(&*name, "host" | "hostaddr" | "port") && value.contains(',')) {
            return Err(bad(SEVERAL_HOSTS));
        }
        if has_stray_login(&url) {
            return Err(bad(
                "it has an @ behind the host; write @, /, ?, # and : within user and password as %40, %2F, %3F, %23 and %3A",
            ));
        }
        Ok(url)
    }
}

/// Whether the name is in a list with a space between two names.
fn lists(list: &str, name: &str) -> bool {
    list.split(' ').any(|listed| listed == name)
}

/// Whether the driver reads this parameter.
fn is_read(name: &str) -> bool {
    lists(SHOWN, name) || lists(HIDDEN, name) || (name.starts_with("options[") && name.ends_with(']'))
}

fn bad(why: &str) -> StoreError {
    StoreError::BadUrl(why.to_owned())
}

const SEVERAL_HOSTS: &str = "it names several hosts, and the driver connects to one: name an address that leads to the primary \
     (docs/operations.md, \"A primary that fails over\")";

/// As libpq allows: `postgres://me@one,two/x`, with ports or without.
fn names_several_hosts(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let login_and_host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = login_and_host.rsplit('@').next().unwrap_or_default();
    host.contains(',')
}

/// Whether the end of the password was taken for the end of the host: `postgres://me:1/2@host/x` has the host `me`.
fn has_stray_login(url: &Url) -> bool {
    url.path().contains('@') || url.fragment().is_some_and(|f| f.contains('@'))
}

/// The mode that libpq's variable asks for. What is none is left out, and the safest one taken.
pub(crate) fn mode_of_environment() -> Option<PgSslMode> {
    std::env::var("PGSSLMODE").ok()?.parse().ok()
}

fn is_local(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    options.get_socket().is_some()
        || host.starts_with('/')
        || host.eq_ignore_ascii_case("localhost")
        || address.parse::<IpAddr>().is_ok_and(|a| a.is_loopback())
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = self
            .parse()
            .ok()
            .filter(|u| !u.query().unwrap_or_default().contains('@'));
        let Some(url) = url else {
            return f.write_str(BLOT);
        };
        write!(f, "{}://{}", url.scheme(), url.username())?;
        if url.password().is_some() {
            write!(f, ":{BLOT}")?;
        }
        if url.password().is_some() || !url.username().is_empty() {
            f.write_str("@")?;
        }
        f.write_str(url.host_str().unwrap_or_default())?;
        if let Some(port) = url.port() {
            write!(f, ":{port}")?;
        }
        f.write_str(url.path())?;
        for (number, (name, value)) in url.query_pairs().enumerate() {
            f.write_str(if number == 0 { "?" } else { "&" })?;
            let known = is_read(&name) || lists(LIBPQ, &name);
            let name = if known { name } else { Cow::Borrowed(BLOT) };
            let value = if lists(SHOWN, &name) {
                value
            } else {
                Cow::Borrowed(BLOT)
            };
            write!(f, "{name}={value}")?;
        }
        if url.fragment().is_some() {
            write!(f, "#{BLOT}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

impl From<&str> for DatabaseUrl {
    fn from(text: &str) -> Self {
        Self(Secret::new(text))
    }
}

impl From<String> for DatabaseUrl {
    fn from(text: String) -> Self {
        Self(Secret::new(text))
    }
}

impl Serialize for DatabaseUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DatabaseUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Secret::deserialize(deserializer).map(Self)
    }
}

#[cfg(test)]
mod tests;
