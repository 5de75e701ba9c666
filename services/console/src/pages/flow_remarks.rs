//! What deserves a look, worked out from what the page Flow reads, with the name of the alert that says the same.

use chrono::{DateTime, TimeDelta, Utc};
use copydesk_store::ReplicaStatus;
use copydesk_store::reads::{FlowHour, OutputRow, UnusualSource};
use serde::Serialize;

use super::flow::Partition;
use crate::ends::TopicEnd;
use crate::text::{counted, number, span};

/// Seconds without a flush while messages wait, and of a message that waits to be published.
const STILL: i64 = 600;
/// Messages that wait: from here on it is worth a look, as in the alert.
const LAG: i64 = 10_000;
/// One refused message in so many is worth a look, as in the alert.
const REFUSED_OF: i64 = 20;
/// Messages of two hours from which on a share says something.
const ENOUGH: i64 = 100;

/// Something that deserves a look.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Remark {
    /// The alert of deploy/prometheus/copydesk.rules.yml that says the same. Null: there is none.
    pub(super) alert: Option<&'static str>,
    pub(super) says: String,
}

/// Seconds that a replica may be behind.
const REPLICA_BEHIND: f64 = 60.0;

/// What deserves a look about the replica that pages are read from.
pub(super) fn replica_remark(away: bool, replica: Option<&ReplicaStatus>) -> Vec<Remark> {
    let late = |r: &&ReplicaStatus| !r.receiving || r.behind_seconds.is_some_and(|s| s > REPLICA_BEHIND);
    let says = match replica.filter(late) {
        None if !away => return Vec::new(),
        None => "the replica (database.read_url) is away: pages are read from the primary".to_owned(),
        Some(replica) => format!("the replica that pages are read from is {replica}"),
    };
    vec![Remark { alert: None, says }]
}

/// All of them, the partitions first.
pub(super) fn remarks(
    partitions: &[Partition],
    ends: Option<&[TopicEnd]>,
    outputs: &[OutputRow],
    hours: Option<&[FlowHour]>,
    unusual: Option<&[UnusualSource]>,
    now: DateTime<Utc>,
) -> Vec<Remark> {
    let mut all = of_partitions(partitions, now);
    all.extend(of_ends(ends.unwrap_or_default(), partitions));
    all.extend(hours.and_then(|hours| refused(hours, now)).map(|says| Remark {
        alert: Some("CopydeskQuarantineShareHigh"),
        says,
    }));
    all.extend(of_outputs(outputs, now));
    all.extend(of_sources(unusual.unwrap_or_default()));
    all
}

/// Partitions where messages wait or were skipped.
fn of_partitions(partitions: &[Partition], now: DateTime<Utc>) -> Vec<Remark> {
    let mut all = Vec::new();
    let mut say = |alert, says| all.push(Remark { alert, says });
    for p in partitions {
        let name = format!("{}[{}]", p.row.topic, p.row.partition);
        let still = (now - p.row.updated_at).num_seconds();
        match p.lag {
            Some(lag) if lag > 0 && still > STILL => {
                let wait = counted(lag, "message waits", "messages wait");
                say(
                    Some("CopydeskStalled"),
                    format!("{name}: {wait}, and nothing was stored for {}", span(still)),
                );
            }
            Some(lag) if lag > LAG => {
                say(
                    Some("CopydeskLagGrows"),
                    format!("{name}: {} messages wait", number(lag)),
                );
            }
            None if still > STILL => {
                let says = format!(
                    "{name}: nothing was stored for {}: no new messages, or no worker",
                    span(still)
                );
                say(None, says);
            }
            _ => {}
        }
        if p.row.skipped > 0 {
            let skipped = counted(p.row.skipped, "offset brought", "offsets brought");
            say(
                None,
                format!("{name}: {skipped} no message (the view gaps says why)"),
            );
        }
    }
    all
}

/// Ends of the topic that no worker reads up to.
fn of_ends(ends: &[TopicEnd], partitions: &[Partition]) -> Vec<Remark> {
    let mut all = Vec::new();
    let mut say = |alert, says| all.push(Remark { alert, says });
    for end in ends {
        let name = format!("{}[{}]", end.topic, end.partition);
        let claimed = partitions
            .iter()
            .any(|p| p.row.topic == end.topic && p.row.partition == end.partition);
        if !claimed && end.end > end.low {
            let wait = counted(end.end - end.low, "message waits", "messages wait");
            say(
                Some("CopydeskPartitionsWithoutOwner"),
                format!("{name}: {wait}, and no worker has ever read it"),
            );
        }
        if end.behind_transaction > 0 {
            let wait = counted(end.behind_transaction, "message stands", "messages stand");
            say(
                Some("CopydeskBehindTransaction"),
                format!("{name}: {wait} behind a transaction that a producer leaves open"),
            );
        }
    }
    all
}

/// Outputs whose messages wait.
fn of_outputs(outputs: &[OutputRow], now: DateTime<Utc>) -> Vec<Remark> {
    let mut all = Vec::new();
    let mut say = |alert, says| all.push(Remark { alert, says });
    for o in outputs {
        let old = o.oldest.map_or(0, |t| (now - t).num_seconds());
        if old > STILL {
            let wait = counted(o.waiting, "message waits", "messages wait");
            say(
                Some("CopydeskOutboxStands"),
                format!("output {}: {wait}, the oldest for {}", o.output, span(old)),
            );
        }
    }
    all
}

/// Sites and languages that are not as usual.
fn of_sources(unusual: &[UnusualSource]) -> Vec<Remark> {
    let mut all = Vec::new();
    let mut say = |alert, says| all.push(Remark { alert, says });
    let of = |is: fn(&UnusualSource) -> bool| {
        let sources = unusual.iter().filter(|s| is(s)).count();
        i64::try_from(sources).unwrap_or(i64::MAX)
    };
    for (alert, sources, what) in [
        ("CopydeskSourceSilent", of(|s| s.is_silent), "silent for a day"),
        (
            "CopydeskSourceChanged",
            of(|s| s.has_other_length || s.is_refused),
            "not as usual",
        ),
    ] {
        if sources > 0 {
            let counted = counted(sources, "site or language is", "sites or languages are");
            say(Some(alert), format!("{counted} {what} (below)"));
        }
    }
    all
}

/// Whether too many of the messages of this hour and the one before were refused.
fn refused(hours: &[FlowHour], now: DateTime<Utc>) -> Option<String> {
    let since = now - TimeDelta::try_hours(2)?;
    let (mut bad, mut messages) = (0, 0);
    for hour in hours.iter().filter(|h| h.hour > since) {
        bad += hour.refused;
        messages += hour.refused + hour.originals + hour.copies;
    }
    (messages >= ENOUGH && bad * REFUSED_OF > messages).then(|| {
        format!(
            "{} of the last {} messages went to quarantine",
            number(bad),
            number(messages)
        )
    })
}

#[cfg(test)]
mod tests {
    use copydesk_store::reads::PartitionRow;

    use super::*;

    fn partition(lag: Option<i64>, updated_at: &str) -> Partition {
        let at: DateTime<Utc> = updated_at.parse().unwrap();
        Partition {
            row: PartitionRow {
                topic: "t".to_owned(),
                partition: 0,
                first_offset: 0,
                next_offset: 7,
                stored: 7,
                quarantined: 0,
                skipped: 0,
                epoch: 1,
                owner: "w".to_owned(),
                claimed_at: at,
                updated_at: at,
                messages_per_second: 1.0,
            },
            end: lag.map(|l| 7 + l),
            lag,
            last_refusal: None,
        }
    }

    #[test]
    fn each_remark_names_its_alert() {
        let now: DateTime<Utc> = "2026-11-24T12:00:00Z".parse().unwrap();
        let (fresh, old) = ("2026-11-24T11:59:00Z", "2026-11-24T10:00:00Z");
        let alerts = |partitions: &[Partition], ends: &[TopicEnd], hours: &[FlowHour]| -> Vec<Option<&str>> {
            let found = remarks(partitions, Some(ends), &[], Some(hours), None, now);
            found.into_iter().map(|r| r.alert).collect()
        };
        assert_eq!(alerts(&[partition(Some(0), old)], &[], &[]), []);
        assert_eq!(alerts(&[partition(Some(9), fresh)], &[], &[]), []);
        assert_eq!(
            alerts(&[partition(Some(9), old)], &[], &[]),
            [Some("CopydeskStalled")]
        );
        assert_eq!(
            alerts(&[partition(Some(20_000), fresh)], &[], &[]),
            [Some("CopydeskLagGrows")]
        );
        assert_eq!(alerts(&[partition(None, old)], &[], &[]), [None]);
        let end = TopicEnd {
            topic: "t".to_owned(),
            partition: 1,
            low: 3,
            end: 9,
            behind_transaction: 2,
        };
        assert_eq!(
            alerts(&[], &[end], &[]),
            [
                Some("CopydeskPartitionsWithoutOwner"),
                Some("CopydeskBehindTransaction")
            ]
        );
        let hour = |refused| FlowHour {
            hour: "2026-11-24T11:00:00Z".parse().unwrap(),
            originals: 90,
            copies: 10,
            refused,
        };
        assert_eq!(alerts(&[], &[], &[hour(4)]), []);
        assert_eq!(
            alerts(&[], &[], &[hour(9)]),
            [Some("CopydeskQuarantineShareHigh")]
        );
    }
}
