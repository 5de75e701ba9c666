//! `copydesk quarantine list|show|replay|discard`.

use std::io::{IsTerminal as _, Write as _};

use anyhow::{Context as _, bail};
use copydesk_article::{Coordinates, Message};
use copydesk_store::{QuarantineEntry, QuarantineFilter, Store};
use copydesk_terminal::counted;

use super::{Outcome, print, print_json, stages, store};
use crate::args::{QuarantineArgs, QuarantineCommand};
use crate::config::Config;
use crate::show::{Style, line, safe};

/// Characters of a value that `show` prints.
const SHOWN: usize = 4_000;

pub(crate) async fn run(config: &Config, command: &QuarantineCommand) -> anyhow::Result<Outcome> {
    match command {
        QuarantineCommand::List { filter, limit, json } => list(config, filter, *limit, *json).await,
        QuarantineCommand::Show { message, raw } => show(config, message, *raw).await,
        QuarantineCommand::Replay { filter } => replay(config, filter).await,
        QuarantineCommand::Discard { filter, all } => discard(config, filter, *all).await,
    }
}

fn filter(args: &QuarantineArgs) -> anyhow::Result<QuarantineFilter> {
    let base = match &args.message {
        None => QuarantineFilter::default(),
        Some(message) => QuarantineFilter::of(&parse(message)?),
    };
    Ok(QuarantineFilter {
        state: Some(args.state.clone()),
        stage: args.stage.clone(),
        reason: args.reason.map(|r| r.as_str().to_owned()),
        partition: args.partition.or(base.partition),
        since: args.since,
        ..base
    })
}

fn parse(message: &str) -> anyhow::Result<Coordinates> {
    message
        .parse()
        .with_context(|| format!("{message:?} is no message; write it as articles.raw[3]@1207"))
}

async fn list(config: &Config, args: &QuarantineArgs, limit: u32, json: bool) -> anyhow::Result<Outcome> {
    let entries = store(config)
        .await?
        .quarantine_list(&filter(args)?, None, limit)
        .await?;
    if json {
        for entry in &entries {
            print_json(as_json(entry));
        }
        return Ok(Outcome::Done);
    }
    if entries.is_empty() {
        print(&format!("nothing is {} that matches", args.state));
    }
    for entry in &entries {
        print(&format!(
            "{}  {}  {}: {}  ({} bytes{}, tried {}, since {})",
            safe(&entry.coordinates.to_string()),
            entry.state,
            entry.reason,
            line(&entry.detail, 120),
            entry.raw_size.unwrap_or(0),
            if entry.content_dropped_at.is_some() {
                ", dropped"
            } else {
                ""
            },
            counted(entry.attempts.unsigned_abs().into(), "time", "times"),
            entry.first_seen.format("%Y-%m-%d %H:%M:%SZ"),
        ));
    }
    if entries.len() >= limit as usize {
        print(&format!("the first {limit}; --limit shows more"));
    }
    Ok(Outcome::Done)
}

fn as_json(entry: &QuarantineEntry) -> serde_json::Value {
    serde_json::json!({
        "message": entry.coordinates.to_string(),
        "state": entry.state,
        "stage": entry.stage,
        "reason": entry.reason,
        "detail": entry.detail,
        "attempts": entry.attempts,
        "first_seen": entry.first_seen.to_rfc3339(),
        "raw_size": entry.raw_size,
        "truncated": entry.truncated,
        "raw_hash": entry.raw_hash.as_deref().map(hex),
        "content_dropped_at": entry.content_dropped_at.map(|at| at.to_rfc3339()),
        "content_dropped_for": entry.content_dropped_for,
    })
}

async fn show(config: &Config, message: &str, raw: bool) -> anyhow::Result<Outcome> {
    let store = store(config).await?;
    let at = parse(message)?;
    let entry = entry(&store, &at).await?;
    let found = store.quarantine_message(&at).await?;
    if raw {
        let Some(found) = found else {
            bail!(without_bytes(&entry));
        };
        if std::io::stdout().is_terminal() {
            print(&String::from_utf8_lossy(
                found.payload.as_deref().unwrap_or_default(),
            ));
            return Ok(Outcome::Done);
        }
        std::io::stdout()
            .lock()
            .write_all(found.payload.as_deref().unwrap_or_default())?;
        return Ok(Outcome::Done);
    }
    print(&format!(
        "{at}  {} since {}",
        entry.state,
        entry.first_seen.to_rfc3339()
    ));
    print(&format!(
        "{} refused it: {}: {}",
        entry.stage,
        entry.reason,
        safe(&entry.detail)
    ));
    if let Some(hash) = &entry.raw_hash {
        let bytes = entry.raw_size.unwrap_or(0);
        print(&format!("value: {bytes} bytes, SHA-256 {}", hex(hash)));
    }
    match found {
        Some(found) => print(&as_text(&found)),
        None => print(&format!("\n{}", without_bytes(&entry))),
    }
    Ok(Outcome::Done)
}

/// The row of one message, whatever its state.
async fn entry(store: &Store, at: &Coordinates) -> anyhow::Result<QuarantineEntry> {
    for state in ["held", "discarded", "replayed"] {
        let filter = QuarantineFilter {
            state: Some(state.into()),
            ..QuarantineFilter::of(at)
        };
        if let Some(entry) = store.quarantine_list(&filter, None, 1).await?.pop() {
            return Ok(entry);
        }
    }
    bail!("{at} is not in quarantine; `copydesk quarantine list` shows what is")
}

fn without_bytes(entry: &QuarantineEntry) -> String {
    let at = &entry.coordinates;
    let (Some(when), Some(why)) = (entry.content_dropped_at, &entry.content_dropped_for) else {
        return format!("{at} has just been settled by somebody else");
    };
    let when = when.format("%Y-%m-%d %H:%M:%SZ");
    let why = match why.as_str() {
        "replayed" => "it was replayed and is an article now",
        "discarded" => "it was discarded",
        "age" => "it was older than quarantine.keep_days",
        _ => "the quarantine was full (quarantine.max_bytes)",
    };
    format!("its bytes were dropped on {when}: {why}")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn as_text(message: &Message) -> String {
    let style = Style::detect();
    let mut out = Vec::new();
    if let Some(time) = message.timestamp {
        out.push(format!("message time: {}", time.to_rfc3339()));
    }
    if let Some(key) = &message.key {
        out.push(format!("key: {}", line(&String::from_utf8_lossy(key), 200)));
    }
    for header in &message.headers {
        out.push(format!(
            "{}: {}",
            line(&header.name, 60),
            line(&String::from_utf8_lossy(&header.value), 200)
        ));
    }
    match &message.payload {
        None => out.push("(no value: a tombstone)".into()),
        Some(payload) => {
            let text = String::from_utf8_lossy(payload);
            out.push(String::new());
            out.push(safe(&text.chars().take(SHOWN).collect::<String>()));
            if text.chars().nth(SHOWN).is_some() {
                out.push(style.dim(&format!("… {} bytes in all; --raw writes them", payload.len())));
            }
        }
    }
    out.join("\n")
}

async fn replay(config: &Config, args: &QuarantineArgs) -> anyhow::Result<Outcome> {
    let store = store(config).await?;
    let stages = stages(config)?;
    let report = copydesk_worker::replay(&store, stages, &filter(args)?).await?;
    print(&format!(
        "{} stored, {} refused again, {} settled by somebody else, {} not whole, {} without bytes",
        report.stored, report.refused_again, report.settled_meanwhile, report.truncated, report.dropped
    ));
    if report.dropped > 0 {
        print(
            "without bytes: they were dropped for their age or because the quarantine was full. While Kafka \
                has the messages, \
             `copydesk rewind` has them read again; else their producer must send them again \
             (docs/quarantine.md, \"How much is kept\")",
        );
    }
    Ok(if report.refused_again + report.truncated + report.dropped == 0 {
        Outcome::Done
    } else {
        Outcome::Found
    })
}

async fn discard(config: &Config, args: &QuarantineArgs, all: bool) -> anyhow::Result<Outcome> {
    let filter = filter(args)?;
    let everything = QuarantineFilter {
        state: filter.state.clone(),
        ..QuarantineFilter::default()
    };
    if filter == everything && !all {
        bail!(
            "this would give up everything that is held; narrow it down (--reason, --message, …) or say --all"
        );
    }
    if args.state != "held" {
        bail!("only held messages can be discarded");
    }
    let discarded = store(config).await?.quarantine_discard(&filter).await?;
    print(&format!(
        "{} discarded, {} bytes freed",
        discarded.messages, discarded.bytes
    ));
    Ok(Outcome::Done)
}
