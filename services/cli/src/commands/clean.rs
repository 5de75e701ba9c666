//! `copydesk clean`: the article as it would be stored, with what was removed beside its rule.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use anyhow::Context as _;
use copydesk_article::{
    Block, BlockKind, CleanArticle, Coordinates, Header, Message, Offset, Partition, Reject, Topic,
    TopicPartition,
};
use copydesk_clean::Cleaner;
use copydesk_decode::{Limits, decode};
use copydesk_terminal::counted;

use super::{Outcome, cleaner, print, print_json};
use crate::args::CleanArgs;
use crate::config::Config;
use crate::show::{Style, line, safe};

pub(crate) fn run(config: &Config, args: &CleanArgs) -> anyhow::Result<Outcome> {
    let cleaner = cleaner(config)?;
    let limits = Limits::default();
    let mut stats = Stats::default();
    let mut refused = false;
    let style = Style::detect();
    for_each_message(&args.file, args.url.as_deref(), &limits, |message| {
        match clean_one(&cleaner, &limits, &message) {
            Ok(article) => {
                stats.add(&article);
                if args.json {
                    print_json(as_json(&article)?);
                } else if !args.stats {
                    print(&as_text(&article, style));
                }
            }
            Err(reject) => {
                refused = true;
                *stats.refused.entry(reject.reason.as_str()).or_default() += 1;
                if args.json {
                    let record = serde_json::json!({"refused": {
                        "stage": reject.stage.as_str(), "reason": reject.reason.as_str(), "detail": reject.detail}});
                    print_json(record);
                } else if !args.stats {
                    print(&style.bad(&format!("would go to quarantine: {}", safe(&reject.to_string()))));
                }
            }
        }
        Ok(())
    })?;
    if args.stats {
        print(stats.as_text().trim_end());
    }
    Ok(if refused { Outcome::Found } else { Outcome::Done })
}

fn clean_one(cleaner: &Cleaner, limits: &Limits, message: &Message) -> Result<CleanArticle, Reject> {
    cleaner.clean(&decode(message, limits)?)
}

/// Reads the file as the pipeline would get it: a line a message for JSON Lines, else one message.
fn for_each_message(
    file: &Path,
    url: Option<&str>,
    limits: &Limits,
    mut each: impl FnMut(Message) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let shown = file.display();
    let input: Box<dyn Read> = if file.as_os_str() == "-" {
        Box::new(std::io::stdin().lock())
    } else {
        Box::new(std::fs::File::open(file).with_context(|| format!("cannot open {shown}"))?)
    };
    let mut input = BufReader::new(input);
    let extension = file
        .extension()
        .map(|e| e.to_string_lossy().to_lowercase())
        .unwrap_or_default();
    let read = || format!("cannot read {shown}");
    if matches!(extension.as_str(), "jsonl" | "ndjson") {
        let mut line = Vec::new();
        let mut number = 0;
        while input.read_until(b'\n', &mut line).with_context(read)? > 0 {
            if !line.trim_ascii().is_empty() {
                each(message(line.trim_ascii(), None, url, number))?;
            }
            line.clear();
            number += 1;
        }
        return Ok(());
    }
    // One byte over the limit is enough to be refused with the right reason.
    let mut bytes = Vec::new();
    input
        .take(limits.max_record_bytes as u64 + 1)
        .read_to_end(&mut bytes)
        .with_context(read)?;
    let content_type = match extension.as_str() {
        "html" | "htm" | "xhtml" => Some("text/html"),
        "txt" | "text" => Some("text/plain"),
        "json" => Some("application/json"),
        _ => None,
    };
    each(message(&bytes, content_type, url, 0))
}

fn message(payload: &[u8], content_type: Option<&str>, url: Option<&str>, offset: i64) -> Message {
    let header = |name: &str, value: Option<&str>| {
        value.map(|v| Header {
            name: name.to_owned(),
            value: v.as_bytes().to_vec(),
        })
    };
    Message {
        coordinates: Coordinates {
            source: TopicPartition {
                topic: Topic::new("file"),
                partition: Partition::new(0),
            },
            offset: Offset::new(offset),
        },
        timestamp: None,
        key: None,
        payload: Some(payload.to_vec()),
        headers: header("content-type", content_type)
            .into_iter()
            .chain(header("url", url))
            .collect(),
    }
}

/// The record that `--json` prints: the article as stored, and its blocks with what was removed.
fn as_json(article: &CleanArticle) -> anyhow::Result<String> {
    let mut record = serde_json::to_value(article)?;
    if let Some(object) = record.as_object_mut() {
        object.insert("body".into(), article.body().into());
        object.insert("body_markdown".into(), article.body_markdown().into());
        object.insert("captions".into(), article.captions().collect::<Vec<_>>().into());
    }
    Ok(record.to_string())
}

/// The article for reading: metadata, then every block in its place.
fn as_text(article: &CleanArticle, style: Style) -> String {
    let mut out = metadata_lines(article, style);
    out.push(String::new());
    for block in &article.blocks {
        out.push(as_paragraph(block, style));
        out.push(String::new());
    }
    let removed = article.removed().count();
    out.push(style.dim(&format!(
        "{} blocks kept, {removed} removed, {} words in the body, rules {}",
        article.blocks.len() - removed,
        article.body().split_whitespace().count(),
        article.rules_version
    )));
    out.join("\n")
}

/// A line for each field that is known, with its source.
fn metadata_lines(article: &CleanArticle, style: Style) -> Vec<String> {
    let mut out = Vec::new();
    let m = &article.metadata;
    let mut field = |name: &str, value: Option<(String, &str)>| {
        if let Some((value, source)) = value.filter(|(v, _)| !v.is_empty()) {
            let source = if source.is_empty() {
                String::new()
            } else {
                format!("  ({source})")
            };
            out.push(format!(
                "{:<12} {}{}",
                format!("{name}:"),
                if name == "title" {
                    style.bold(&line(&value, 300))
                } else {
                    line(&value, 300)
                },
                style.dim(&source)
            ));
        }
    };
    field(
        "title",
        m.title.as_ref().map(|s| (s.value.clone(), s.source.as_str())),
    );
    field(
        "dek",
        m.dek.as_ref().map(|s| (s.value.clone(), s.source.as_str())),
    );
    field(
        "authors",
        Some((m.authors.join(", "), m.authors_source.map_or("", |s| s.as_str()))),
    );
    let time = |t: &copydesk_article::Sourced<copydesk_article::Timestamp>| {
        let shown = match t.value {
            copydesk_article::Timestamp::Zoned(z) => z.to_rfc3339(),
            copydesk_article::Timestamp::Day(d) => d.to_string(),
        };
        (shown, t.source.as_str())
    };
    field("published", m.published_at.as_ref().map(time));
    field("modified", m.modified_at.as_ref().map(time));
    field(
        "language",
        m.language.as_ref().map(|s| (s.value.clone(), s.source.as_str())),
    );
    field(
        "site",
        m.site.as_ref().map(|s| (s.value.clone(), s.source.as_str())),
    );
    field(
        "url",
        m.canonical_url
            .as_ref()
            .map(|s| (s.value.clone(), s.source.as_str())),
    );
    field(
        "section",
        m.section.as_ref().map(|s| (s.value.clone(), s.source.as_str())),
    );
    field("tags", Some((m.tags.join(", "), "")));
    field(
        "agency",
        m.agency.as_ref().map(|s| (s.value.clone(), s.source.as_str())),
    );
    field("warnings", Some((article.warnings.join(", "), "")));
    out
}

fn as_paragraph(block: &Block, style: Style) -> String {
    let text = safe(&block.text);
    match (&block.removed, block.kind) {
        (Some(removal), _) => {
            let evidence = removal
                .evidence
                .as_deref()
                .map(|e| format!(": {}", line(e, 60)))
                .unwrap_or_default();
            let label = style.bad(&format!("[{}{evidence}]", removal.rule));
            // Without styles a removed block must still be told from a kept one.
            let text = if style.is_on() {
                style.removed(&text)
            } else {
                format!("--- {text}")
            };
            format!("{label} {text}")
        }
        (None, BlockKind::Headline) => style.bold(&format!("# {text}")),
        (None, BlockKind::SubHeadline) => style.bold(&format!("## {text}")),
        (None, BlockKind::Quote) => format!("> {text}"),
        (None, BlockKind::ListItem) => format!("• {text}"),
        (None, BlockKind::Body) => text,
        (None, kind) => format!("{} {text}", style.good(&format!("[{}]", kind.as_str()))),
    }
}

/// What `--stats` counts.
#[derive(Debug, Default)]
struct Stats {
    articles: u64,
    words: u64,
    rules: BTreeMap<String, (u64, u64)>,
    refused: BTreeMap<&'static str, u64>,
}

impl Stats {
    fn add(&mut self, article: &CleanArticle) {
        self.articles += 1;
        self.words += article.body().split_whitespace().count() as u64;
        for (_, block, removal) in article.removed() {
            let (blocks, words) = self.rules.entry(removal.rule.to_string()).or_default();
            *blocks += 1;
            *words += block.text.split_whitespace().count() as u64;
        }
    }

    fn as_text(&self) -> String {
        let mut out = format!(
            "{}, {} in their bodies\n",
            counted(self.articles, "article", "articles"),
            counted(self.words, "word", "words")
        );
        out.push_str(&format!(
            "{:<32} {:>8} {:>8}\n",
            "removed by rule", "blocks", "words"
        ));
        let mut rules: Vec<_> = self.rules.iter().collect();
        rules.sort_by_key(|(name, (_, words))| (std::cmp::Reverse(*words), (*name).clone()));
        for (rule, (blocks, words)) in rules {
            out.push_str(&format!("{rule:<32} {blocks:>8} {words:>8}\n"));
        }
        for (reason, count) in &self.refused {
            out.push_str(&format!("refused: {reason:<23} {count:>8}\n"));
        }
        out
    }
}
