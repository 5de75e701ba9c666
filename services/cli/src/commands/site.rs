//! `copydesk site show|explain|pin|forget|clear|export|import|reclean|undo`.

use std::path::Path;

use anyhow::{Context as _, bail};
use copydesk_article::ArticleId;
use copydesk_site::{BlockKey, block_key};
use copydesk_store::{CleanEvent, SiteBlock, SiteExplanation, SiteOverride, SiteOverview, Store};
use copydesk_terminal::counted;
use serde_json::{Value, json};

use super::{Outcome, print, print_json, stop_on_signal, store};
use crate::args::{SayArgs, SiteCommand};
use crate::config::Config;
use crate::show::{Style, line, safe};

/// Articles between two looks at whether to stop.
const STEP: i64 = 200;
/// An import is a file that a person looks after.
const LONGEST_IMPORT: usize = 16 << 20;

pub(crate) async fn run(config: &Config, command: &SiteCommand) -> anyhow::Result<Outcome> {
    let store = store(config).await?;
    match command {
        SiteCommand::Show { site, articles, json } => {
            let Some(found) = store.site_overview(site, (*articles).clamp(1, 10_000)).await? else {
                bail!(
                    "there is no article of the site {}; `SELECT site FROM site_report` lists them",
                    safe(site)
                );
            };
            if *json {
                print_json(overview_json(&found));
            } else {
                print(&overview_text(&found));
            }
        }
        SiteCommand::Explain { article, json } => {
            let Some(found) = store.explain_site_memory(ArticleId(*article)).await? else {
                bail!("there is no article {article}");
            };
            if *json {
                print_json(explanation_json(&found));
            } else {
                print(&explanation_text(&found));
            }
            if !found.same {
                return Ok(Outcome::Found);
            }
        }
        SiteCommand::Pin(args) => say(&store, args, SiteOverride::Pin).await?,
        SiteCommand::Forget(args) => say(&store, args, SiteOverride::Forget).await?,
        SiteCommand::Clear { site, block } => {
            let key = key_of(block)?;
            if !store.clear_override(site, key).await? {
                bail!("nothing was said about the block {key} of {}", safe(site));
            }
            print(&format!(
                "what was said about {key} of {} is taken back",
                safe(site)
            ));
        }
        SiteCommand::Export { site } => {
            for decision in store.overrides(site.as_deref()).await? {
                print_json(decision_json(&decision));
            }
        }
        SiteCommand::Import { file } => import(&store, file).await?,
        SiteCommand::Reclean { site } => return reclean(&store, site).await,
        SiteCommand::Undo { event } => done(&store.undo_clean_event(*event).await?),
    }
    Ok(Outcome::Done)
}

/// A block by its hash or by its text.
fn key_of(block: &str) -> anyhow::Result<BlockKey> {
    let is_hash = block.len() == 8 && block.bytes().all(|b| b.is_ascii_hexdigit());
    match block.parse() {
        Ok(key) if is_hash => Ok(key),
        _ => block_key(block).context("the block has too few letters to be known by"),
    }
}

async fn say(store: &Store, args: &SayArgs, decision: SiteOverride) -> anyhow::Result<()> {
    let block = key_of(&args.block)?;
    let known = store.site_overview(&args.site, 200).await?;
    let sample = known
        .and_then(|o| o.blocks.into_iter().find(|b| b.block == block))
        .map(|b| b.sample);
    let one = SiteBlock {
        site: args.site.clone(),
        block,
        decision,
        sample: sample.clone(),
        why: args.why.clone(),
    };
    store.set_overrides(&[one], &who()).await?;
    print(&format!(
        "{}: {block} of {}{}; it counts from the next flush on, and `copydesk site reclean {}` applies it to \
            stored articles",
        decision.as_str(),
        safe(&args.site),
        sample.map_or_else(String::new, |s| format!(" (“{}”)", line(&s, 60))),
        safe(&args.site),
    ));
    Ok(())
}

/// For the column `decided_by`: user and process.
fn who() -> String {
    let user = std::env::var("USER").unwrap_or_else(|_| "somebody".into());
    format!("{user} (copydesk site, process {})", std::process::id())
}

async fn import(store: &Store, file: &Path) -> anyhow::Result<()> {
    use std::io::Read as _;
    let mut text = String::new();
    let most = LONGEST_IMPORT as u64 + 1;
    let read = if file == Path::new("-") {
        std::io::stdin().lock().take(most).read_to_string(&mut text)
    } else {
        std::fs::File::open(file).and_then(|f| f.take(most).read_to_string(&mut text))
    };
    let read = read.with_context(|| format!("cannot read {}", file.display()))?;
    if read > LONGEST_IMPORT {
        bail!("{} is larger than {} MiB", file.display(), LONGEST_IMPORT >> 20);
    }
    let mut decisions = Vec::new();
    for (number, text) in text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()) {
        let decision = decision_from(text).with_context(|| {
            format!(
                "{}, line {}: not what `copydesk site export` writes",
                file.display(),
                number + 1
            )
        })?;
        decisions.push(decision);
    }
    store.set_overrides(&decisions, &who()).await?;
    print(&format!("{} pins and forgets read", decisions.len()));
    Ok(())
}

fn decision_json(decision: &SiteBlock) -> Value {
    json!({
        "site": decision.site, "block": decision.block.to_string(), "decision": decision.decision.as_str(),
        "sample": decision.sample, "why": decision.why,
    })
}

fn decision_from(text: &str) -> anyhow::Result<SiteBlock> {
    let value: Value = serde_json::from_str(text).context("no JSON")?;
    let field = |name: &str| value.get(name).and_then(Value::as_str);
    let needed = |name: &'static str| field(name).with_context(|| format!("the field {name} is missing"));
    Ok(SiteBlock {
        site: needed("site")?.to_owned(),
        block: needed("block")?
            .parse()
            .context("block is not eight hexadecimal digits")?,
        decision: SiteOverride::from_name(needed("decision")?)
            .context("decision is neither pin nor forget")?,
        sample: field("sample").map(str::to_owned),
        why: field("why").unwrap_or_default().to_owned(),
    })
}

async fn reclean(store: &Store, site: &str) -> anyhow::Result<Outcome> {
    let mut stop = stop_on_signal()?;
    let (mut after, mut looked_at, mut changed) = (ArticleId(i64::MIN), 0_u64, 0_u64);
    loop {
        let articles = store.articles_of_site(site, after, STEP).await?;
        let Some(last) = articles.last().copied() else {
            break;
        };
        for article in articles {
            looked_at += 1;
            changed += u64::from(store.reclean(article).await?.is_some());
        }
        after = last;
        tracing::info!(looked_at, changed, "cleaning again");
        if *stop.borrow_and_update() {
            let articles = counted(looked_at, "article", "articles");
            print(&format!(
                "stopped after {articles}, {changed} changed; the same command cleans them again"
            ));
            return Ok(Outcome::Found);
        }
    }
    if looked_at == 0 {
        bail!("there is no article of the site {}", safe(site));
    }
    let articles = counted(looked_at, "article", "articles");
    print(&format!("{articles} cleaned again, {changed} changed"));
    Ok(Outcome::Done)
}

fn done(event: &CleanEvent) {
    print(&format!(
        "event {}: article {}, site memory had taken out {} blocks and has now taken out {}; `copydesk site \
            undo {}` takes it back",
        event.event_id, event.article_id, event.before, event.after, event.event_id
    ));
}

fn overview_text(overview: &SiteOverview) -> String {
    let style = Style::detect();
    let mut out = vec![style.bold(&format!(
        "{}: {} blocks in at least two of the last {} articles",
        line(&overview.site, 80),
        overview.blocks.len(),
        overview.articles
    ))];
    for block in &overview.blocks {
        let zones: Vec<String> = block
            .zones
            .iter()
            .map(|(z, n)| format!("{} {n}", z.as_str()))
            .collect();
        let mut notes = Vec::new();
        if block.removed_by_memory > 0 {
            notes.push(format!("site memory took it out of {}", block.removed_by_memory));
        }
        if block.syndicated {
            notes.push("syndicated, stays".to_owned());
        }
        if let Some(decision) = block.decision {
            notes.push(format!("a person says {}", decision.as_str()));
        }
        out.push(format!(
            "{}  {:>4}  {:<28} {}  {}",
            block.block,
            block.articles,
            zones.join(", "),
            line(&block.sample, 80),
            style.dim(&notes.join("; "))
        ));
    }
    out.push(style.dim(
        "block, articles that show it, where, its text. What to do about one: copydesk site \
        pin|forget SITE BLOCK",
    ));
    out.join("\n")
}

fn overview_json(overview: &SiteOverview) -> Value {
    let blocks: Vec<Value> = overview
        .blocks
        .iter()
        .map(|b| {
            let zones: serde_json::Map<String, Value> =
                b.zones.iter().map(|(z, n)| (z.as_str().to_owned(), (*n).into())).collect();
            json!({
                "block": b.block.to_string(), "articles": b.articles, "zones": zones,
                "removed_by_memory": b.removed_by_memory, "syndicated": b.syndicated, "said": b.decision.map(SiteOverride::as_str), "sample": b.sample,
            })
        })
        .collect();
    json!({"site": overview.site, "articles": overview.articles, "blocks": blocks})
}

fn explanation_text(e: &SiteExplanation) -> String {
    let style = Style::detect();
    let mut out = vec![style.bold(&format!(
        "article {}: {}",
        e.article_id,
        line(e.title.as_deref().unwrap_or("–"), 100)
    ))];
    if e.removed.is_empty() {
        out.push("site memory took nothing out".to_owned());
    }
    for (position, evidence, text) in &e.removed {
        out.push(format!(
            "  {position}  {}  {}",
            line(text, 80),
            style.dim(&line(evidence, 120))
        ));
    }
    for (position, guard, text) in &e.spared {
        out.push(format!(
            "  {position}  {}  {}",
            line(text, 80),
            style.dim(&format!("stays: {guard}"))
        ));
    }
    if !e.same {
        out.push(style.bad(
            "decided again, it comes out otherwise: articles that were looked at have changed, a person has \
                said something, or another \
             version of the rule decided then",
        ));
    }
    out.push(style.dim("what each guard means: docs/site-memory.md"));
    out.join("\n")
}

fn explanation_json(e: &SiteExplanation) -> Value {
    let removed: Vec<Value> = e
        .removed
        .iter()
        .map(|(position, evidence, text)| json!({"position": position, "evidence": evidence, "text": text}))
        .collect();
    let spared: Vec<Value> = e
        .spared
        .iter()
        .map(|(position, guard, text)| json!({"position": position, "guard": guard, "text": text}))
        .collect();
    json!({
        "article_id": e.article_id.0, "title": e.title, "stories": e.stories, "removed": removed, "spared": spared, "same": e.same,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_named_by_its_hash_or_its_text() {
        assert_eq!(key_of("502eed46").unwrap(), BlockKey(0x502e_ed46));
        assert_eq!(
            key_of("Subscribe to us").unwrap(),
            key_of("subscribe to US!").unwrap()
        );
        assert!(key_of("—").is_err());
    }
}
