//! librdkafka's own properties, as somebody set them: which are refused, and what may be shown of them.

use std::collections::BTreeMap;

use copydesk_secret::{BLOT, Scrubber, Secret};
use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaConfRes;

use crate::StreamError;

/// Properties whose values are shown: none of them can hold a secret. Every other value is one until it is listed here.
const SHOWN: &[&str] = &[
    "acks",
    "batch.num.messages",
    "batch.size",
    "broker.address.family",
    "broker.address.ttl",
    "check.crcs",
    "client.dns.lookup",
    "client.id",
    "client.rack",
    "compression.codec",
    "compression.level",
    "compression.type",
    "connections.max.idle.ms",
    "debug",
    "delivery.timeout.ms",
    "enable.metrics.push",
    "enable.ssl.certificate.verification",
    "fetch.error.backoff.ms",
    "fetch.max.bytes",
    "fetch.message.max.bytes",
    "fetch.min.bytes",
    "fetch.queue.backoff.ms",
    "fetch.wait.max.ms",
    "heartbeat.interval.ms",
    "https.ca.location",
    "isolation.level",
    "linger.ms",
    "log.connection.close",
    "log_level",
    "max.in.flight.requests.per.connection",
    "max.partition.fetch.bytes",
    "max.poll.interval.ms",
    "message.max.bytes",
    "message.timeout.ms",
    "metadata.max.age.ms",
    "metadata.recovery.strategy",
    "partitioner",
    "queue.buffering.max.kbytes",
    "queue.buffering.max.messages",
    "queued.max.messages.kbytes",
    "queued.min.messages",
    "receive.message.max.bytes",
    "reconnect.backoff.max.ms",
    "reconnect.backoff.ms",
    "request.timeout.ms",
    "retries",
    "retry.backoff.max.ms",
    "retry.backoff.ms",
    "sasl.kerberos.service.name",
    "sasl.mechanism",
    "sasl.mechanisms",
    "sasl.oauthbearer.method",
    "sasl.username",
    "security.protocol",
    "socket.connection.setup.timeout.ms",
    "socket.keepalive.enable",
    "socket.nagle.disable",
    "socket.receive.buffer.bytes",
    "socket.send.buffer.bytes",
    "socket.timeout.ms",
    "ssl.ca.location",
    "ssl.certificate.location",
    "ssl.cipher.suites",
    "ssl.crl.location",
    "ssl.curves.list",
    "ssl.endpoint.identification.algorithm",
    "ssl.key.location",
    "ssl.keystore.location",
    "ssl.sigalgs.list",
    "statistics.interval.ms",
    "topic.metadata.refresh.interval.ms",
];

/// Further names that a misspelt one may mean.
const SECRET: &[&str] = &[
    "sasl.oauthbearer.client.id",
    "sasl.oauthbearer.client.secret",
    "sasl.oauthbearer.config",
    "sasl.oauthbearer.token.endpoint.url",
    "sasl.password",
    "ssl.ca.pem",
    "ssl.certificate.pem",
    "ssl.key.password",
    "ssl.key.pem",
    "ssl.keystore.password",
];

/// Properties that make librdkafka load a library or run a command, whatever their value.
const FOREIGN_CODE: &[&str] = &[
    "interceptors",
    "plugin.library.paths",
    "sasl.kerberos.kinit.cmd",
    "ssl.engine.id",
    "ssl.engine.location",
    "ssl.providers",
];

/// Ciphers without a certificate or without encryption, and what brings them back, in OpenSSL's words.
const WEAK_CIPHERS: &[&str] = &[
    "NULL",
    "ADH",
    "AECDH",
    "AKRSA",
    "ALL",
    "COMPLEMENTOFALL",
    "COMPLEMENTOFDEFAULT",
    "EXP",
    "EXPORT",
    "LOW",
    "@SECLEVEL=0",
];

/// What a property may do that is refused unless somebody has said that it is meant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Allowed {
    /// Talk to a broker without checking that it is the one that was named.
    pub unverified_brokers: bool,
    /// Load libraries into this process and run commands.
    pub foreign_code: bool,
}

/// Properties by their names. Values are secrets, whatever the name: a misspelt name has the password of the right one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Properties {
    values: BTreeMap<String, Secret>,
    allowed: Allowed,
}

impl Properties {
    /// Properties of which some may do what [`Allowed`] says.
    pub const fn new(values: BTreeMap<String, Secret>, allowed: Allowed) -> Self {
        Self { values, allowed }
    }

    /// Sets one.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<Secret>) {
        self.values.insert(name.into(), value.into());
    }

    /// Whether there is one of this name.
    pub fn contains(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// Refuses what turns the check of a broker off and what loads or runs code, unless it is allowed. Asks nothing of
    /// librdkafka: setting such a property may already load what it names.
    ///
    /// # Errors
    /// [`StreamError::Config`] names the property, and what allows it.
    pub fn check(&self) -> Result<(), StreamError> {
        for (name, value) in &self.values {
            if !self.allowed.foreign_code && FOREIGN_CODE.contains(&name.as_str()) {
                return Err(StreamError::Config(format!(
                    "the property {name} makes Kafka's client load a library or run a command with the \
                        rights of this process; if it \
                     is meant, set kafka.allow_foreign_code = true"
                )));
            }
            if !self.allowed.unverified_brokers && leaves_brokers_unverified(name, value.expose()) {
                return Err(StreamError::Config(format!(
                    "{name} must not turn off the check of the brokers' certificates: whoever stands between \
                        this machine and Kafka \
                     could read and change the articles; name the authority that signed them in \
                     ssl.ca.location (or, if it is \
                     meant, set kafka.allow_unverified_brokers = true)"
                )));
            }
        }
        Ok(())
    }

    /// Names with their values, those blotted out that are not known to be harmless.
    pub fn shown(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(name, value)| {
            let harmless = SHOWN.contains(&name.as_str());
            (name.as_str(), if harmless { value.expose() } else { BLOT })
        })
    }

    /// Takes the values that must not be shown out of librdkafka's texts: it quotes what it cannot read.
    pub fn scrubber(&self) -> Scrubber {
        let secret = |(name, _): &(&String, &Secret)| !SHOWN.contains(&name.as_str());
        Scrubber::new(self.values.iter().filter(secret).map(|(_, value)| value))
    }

    /// Lays the properties over `config`.
    pub fn apply(&self, config: &mut ClientConfig) {
        for (name, value) in &self.values {
            config.set(name, value.expose());
        }
    }

    /// Lets librdkafka read the properties, except those that make it load something.
    ///
    /// # Errors
    /// [`StreamError::Config`] names the property that it does not take.
    pub(crate) fn validate(&self, mut config: ClientConfig) -> Result<(), StreamError> {
        for name in FOREIGN_CODE {
            config.remove(name);
        }
        config
            .create_native_config()
            .map(drop)
            .map_err(|e| self.refused(&e))
    }

    /// What is wrong with the settings of a client, without the values: the error itself quotes them.
    pub fn refused(&self, error: &KafkaError) -> StreamError {
        let KafkaError::ClientConfig(result, reason, name, _) = error else {
            return StreamError::Config(self.scrubber().scrub(&error.to_string()));
        };
        let meant = || nearest_property(name).map_or_else(String::new, |n| format!("; is {n} meant?"));
        StreamError::Config(match result {
            RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN => format!(
                "kafka.properties: Kafka's client has no property {}{}",
                named(name),
                meant()
            ),
            _ if SHOWN.contains(&name.as_str()) => format!("kafka.properties: {reason}"),
            _ => format!(
                "kafka.properties: Kafka's client does not take the value of {}",
                named(name)
            ),
        })
    }
}

/// Whether `name` with this value lets a broker pass that has not shown a certificate for its own name.
fn leaves_brokers_unverified(name: &str, value: &str) -> bool {
    match name {
        "enable.ssl.certificate.verification" => !["true", "t", "1"]
            .iter()
            .any(|yes| value.eq_ignore_ascii_case(yes)),
        "ssl.endpoint.identification.algorithm" => !value.eq_ignore_ascii_case("https"),
        "ssl.cipher.suites" => value.split([':', ',', ' ', '+']).any(is_weak_cipher),
        _ => false,
    }
}

/// Whether an entry of OpenSSL's list brings in what has no certificate or no encryption. One that is taken
/// away is no danger.
fn is_weak_cipher(entry: &str) -> bool {
    let begins = |with: &str| {
        entry
            .get(..with.len())
            .is_some_and(|b| b.eq_ignore_ascii_case(with))
    };
    let ends = |with: &str| {
        let at = entry.len().checked_sub(with.len());
        at.and_then(|at| entry.get(at..))
            .is_some_and(|e| e.eq_ignore_ascii_case(with))
    };
    !entry.starts_with(['!', '-'])
        && (ends("NULL")
            || begins("ADH-")
            || begins("AECDH-")
            || WEAK_CIPHERS.iter().any(|weak| entry.eq_ignore_ascii_case(weak)))
}

/// Whether librdkafka has a property of this name.
pub fn is_property(name: &str) -> bool {
    if name.contains('\0') {
        return false;
    }
    // An empty value loads nothing, and no client is made of it.
    let mut config = ClientConfig::new();
    config.set(name, "");
    !matches!(
        config.create_native_config(),
        Err(KafkaError::ClientConfig(
            RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN,
            ..
        ))
    )
}

/// The usual property whose name is nearest to this one, if one is near.
pub fn nearest_property(name: &str) -> Option<&'static str> {
    let near = SHOWN
        .iter()
        .chain(SECRET)
        .map(|known| (distance(name, known), *known));
    near.filter(|(d, _)| *d <= 3).min().map(|(_, known)| known)
}

/// A name that looks like one; what does not may be part of a password.
fn named(name: &str) -> &str {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-_".contains(c);
    if name.len() <= 64 && name.contains('.') && name.chars().all(plain) {
        name
    } else {
        "of such a name"
    }
}

/// Letters to change, add or leave out to make one of the other (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut before = i;
        let mut left = i + 1;
        for (cell, cb) in row.iter_mut().skip(1).zip(&b) {
            let here = (before + usize::from(ca != *cb)).min(left + 1).min(*cell + 1);
            before = std::mem::replace(cell, here);
            left = here;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests;
