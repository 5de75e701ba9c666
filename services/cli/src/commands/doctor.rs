//! `copydesk doctor`: looks at everything that a worker needs and says how to mend what it finds.

use std::time::Duration;

use copydesk_store::{Fault, Schema, Store, StoreConfig};
use copydesk_stream::admin;
use copydesk_terminal::counted;

use super::{Outcome, print, stream};
use crate::args::DoctorArgs;
use crate::config::Config;
use crate::show::{Style, safe};

/// Clocks further apart than this make times in the store misleading.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(5);
/// The oldest Postgres that the schema is tested with.
const OLDEST_POSTGRES: i32 = 15;

/// What to do about a topic that is not there.
const CREATE: &str = "`copydesk doctor --fix` creates it (`copydesk feed` too, the one that it writes to); \
    or set its name: kafka.topic \
    (COPYDESK_KAFKA_TOPIC), [outputs]";

/// One thing that was looked at.
struct Finding {
    good: bool,
    what: String,
    mend: Option<String>,
}

fn good(what: impl Into<String>) -> Finding {
    Finding {
        good: true,
        what: what.into(),
        mend: None,
    }
}

fn bad(what: impl Into<String>, mend: impl Into<String>) -> Finding {
    Finding {
        good: false,
        what: what.into(),
        mend: Some(mend.into()),
    }
}

pub(crate) async fn run(config: &Config, args: &DoctorArgs) -> anyhow::Result<Outcome> {
    let mut findings = vec![good("settings: read and consistent")];
    findings.extend(kafka(config, args.fix).await?);
    findings.extend(registry(config).await?);
    findings.extend(postgres(config, args.fix).await?);
    findings.extend(replica(config).await?);
    let style = Style::detect();
    for finding in &findings {
        let mark = if finding.good {
            style.good("ok ")
        } else {
            style.bad("BAD")
        };
        print(&format!("{mark}  {}", safe(&finding.what)));
        if let Some(mend) = &finding.mend {
            print(&format!("     -> {}", safe(mend)));
        }
    }
    Ok(if findings.iter().all(|f| f.good) {
        Outcome::Done
    } else {
        Outcome::Found
    })
}

async fn kafka(config: &Config, fix: bool) -> anyhow::Result<Vec<Finding>> {
    let mut settings = stream(config);
    let partitions = config.kafka.partitions;
    // The topic that is read first, then those that are written to.
    let topics: Vec<String> = [
        &config.kafka.topic,
        &config.outputs.articles_topic,
        &config.outputs.dead_letter_topic,
    ]
    .into_iter()
    .filter(|t| !t.is_empty())
    .cloned()
    .collect();
    // librdkafka's calls block for seconds when nobody answers.
    tokio::task::spawn_blocking(move || {
        let mut findings = Vec::new();
        match admin::ping(&settings) {
            Ok(cluster) => findings.push(good(format!(
                "kafka: {} brokers answer at {}",
                cluster.brokers, settings.brokers
            ))),
            Err(error) => {
                findings.push(bad(
                    format!("kafka: nobody answers at {}: {error}", settings.brokers),
                    "is it running (`make up` here)? is kafka.brokers right (COPYDESK_KAFKA_BROKERS)? TLS \
                        and SASL go under [kafka.properties]",
                ));
                return findings;
            }
        }
        for topic in topics {
            if fix && let Err(error) = admin::ensure_topic(&settings, &topic, partitions) {
                findings.push(bad(
                    format!("topic {topic}: cannot be created: {error}"),
                    "ask whoever runs Kafka to create it",
                ));
            }
            settings.topics = vec![topic.clone()];
            match admin::watermarks(&settings) {
                Ok(marks) if marks.is_empty() => {
                    findings.push(bad(format!("topic {topic}: does not exist"), CREATE));
                }
                Ok(marks) => {
                    let held: i64 = marks.iter().map(|m| m.end.get() - m.low.get()).sum();
                    findings.push(good(format!(
                        "topic {topic}: {}, about {held} messages held",
                        counted(marks.len() as u64, "partition", "partitions")
                    )));
                    findings.extend(transactions(&topic, &marks));
                }
                Err(error) => findings.push(bad(format!("topic {topic}: {error}"), CREATE)),
            }
        }
        findings
    })
    .await
    .map_err(Into::into)
}

async fn registry(config: &Config) -> anyhow::Result<Option<Finding>> {
    let Some(registry) = config.kafka.schema_registry.registry()? else {
        return Ok(None);
    };
    let url = config.kafka.schema_registry.url.clone();
    let asked = tokio::task::spawn_blocking(move || registry.check()).await?;
    Ok(Some(match asked {
        Ok(()) => good(format!("schema registry: answers at {url}")),
        Err(why) => bad(
            format!("schema registry: {url}: {why}"),
            "is kafka.schema_registry.url its whole address? user, password or token, and the files of \
                certificates, stand beside it",
        ),
    }))
}

/// What no worker can read yet. Producers with transactions always have some open, so that it is no fault by itself.
fn transactions(topic: &str, marks: &[admin::Watermarks]) -> Option<Finding> {
    let behind: i64 = marks.iter().map(admin::Watermarks::behind_transaction).sum();
    (behind > 0).then(|| Finding {
        good: true,
        what: format!(
            "topic {topic}: about {behind} messages stand behind an open transaction of a \
            producer, and count as lag"
        ),
        mend: Some(
            "if the number stays: `kafka-transactions.sh find-hanging` names the producer; the broker ends \
                its transaction after transaction.timeout.ms"
                .into(),
        ),
    })
}

async fn postgres(config: &Config, fix: bool) -> anyhow::Result<Vec<Finding>> {
    let url = config.database_url()?;
    let shown = url.to_string();
    let mut findings: Vec<Finding> = url
        .warnings()?
        .into_iter()
        .map(|warning| Finding {
            good: true,
            what: "postgres: the settings work, but".into(),
            mend: Some(warning),
        })
        .collect();
    let store = match Store::connect(&StoreConfig {
        url,
        connections: 2,
        ..StoreConfig::default()
    })
    .await
    {
        Ok(store) => store,
        Err(error) => {
            findings.push(bad(
                format!("postgres: cannot use {shown}: {error}"),
                "is it running (`make up` here)? are database.url (COPYDESK_DATABASE_URL), role and password right?",
            ));
            return Ok(findings);
        }
    };
    let server = match store.server().await {
        Ok(server) => server,
        Err(error) => {
            findings.push(bad(
                format!("postgres: {shown} answers with: {error}"),
                "see the server's own log",
            ));
            return Ok(findings);
        }
    };
    if server.major < OLDEST_POSTGRES {
        findings.push(bad(
            format!("postgres: version {} at {shown}", server.major),
            format!("copydesk needs {OLDEST_POSTGRES} or newer"),
        ));
    } else {
        findings.push(good(format!(
            "postgres: version {} answers at {shown}",
            server.major
        )));
    }
    let faults = match store.faults(config.database.connections).await {
        Ok(faults) => faults,
        Err(error) => {
            findings.push(bad(format!("postgres: {error}"), "see the server's own log"));
            return Ok(findings);
        }
    };
    findings.extend(faults.iter().map(|f| bad(format!("postgres: {f}"), f.mend())));
    findings.push(clocks(server.now));
    // Without one no table is found, and migrating would be the wrong advice.
    if faults.contains(&Fault::NoSearchPath) {
        return Ok(findings);
    }
    if fix && let Err(error) = store.migrate().await {
        findings.push(bad(
            format!("schema: a migration failed: {error}"),
            "run it as the owner: `copydesk migrate`",
        ));
    }
    findings.push(schema(&store).await);
    Ok(findings)
}

fn clocks(database: chrono::DateTime<chrono::Utc>) -> Finding {
    let apart = (chrono::Utc::now() - database).abs().to_std().unwrap_or_default();
    if apart > CLOCK_TOLERANCE {
        bad(
            format!(
                "clocks: this machine and the database are {} s apart",
                apart.as_secs()
            ),
            "run a time service (chrony, systemd-timesyncd) on both",
        )
    } else {
        good("clocks: this machine and the database agree")
    }
}

async fn schema(store: &Store) -> Finding {
    match store.schema().await {
        Ok(Schema { pending, newer }) if pending.is_empty() => good(match newer {
            None => "schema: up to date",
            Some(_) => "schema: that of a newer release, which this one can use",
        }),
        Ok(Schema { pending, .. }) => bad(
            format!(
                "schema: {} migrations to go ({})",
                pending.len(),
                pending.join(", ")
            ),
            "`copydesk migrate` (or `copydesk doctor --fix`)",
        ),
        // The error says itself what this login may not do.
        Err(error) => bad(
            format!("schema: {error}"),
            "the login needs one of copydesk's roles: docs/operations.md, \"Roles\"",
        ),
    }
}

/// The replica that reads go to, if there is one.
async fn replica(config: &Config) -> anyhow::Result<Option<Finding>> {
    let Some(url) = config.read_url()? else {
        return Ok(None);
    };
    let shown = url.to_string();
    let settings = StoreConfig {
        url,
        connections: 1,
        ..StoreConfig::default()
    };
    let asked = async { Store::connect(&settings).await?.replica_status().await }.await;
    Ok(Some(match asked {
        Ok(Some(status)) if status.receiving => good(format!("replica: {shown} answers, {status}")),
        Ok(Some(status)) => bad(
            format!("replica: {shown} answers, {status}"),
            "see primary_conninfo and the replica's own log: reads show an old state until it follows the primary again",
        ),
        Ok(None) => bad(
            format!("replica: {shown} is no standby"),
            "database.read_url names a streaming replica of database.url; was it promoted? Without a replica leave it out",
        ),
        Err(error) => bad(
            format!("replica: cannot use {shown}: {error}"),
            "is it running? are database.read_url (COPYDESK_DATABASE_READ_URL), role and password right?",
        ),
    }))
}
