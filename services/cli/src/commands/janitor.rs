//! `copydesk janitor`: upkeep, once or for ever, and the jobs that a person starts.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::bail;
use copydesk_article::ArticleId;
use copydesk_janitor::{Archive, JanitorOptions};
use copydesk_store::{Store, try_again};
use copydesk_terminal::counted;

use super::{Outcome, note, print, read_router, stages, stop_on_signal, store};
use crate::args::{ArchiveArgs, CommonCommand, JanitorArgs, JanitorCommand, SearchCommand};
use crate::config::Config;

/// Articles in one transaction of `refingerprint`: short enough not to hold up a worker.
const STEP: i64 = 200;

/// The same when articles are made searchable.
const SEARCHABLE: u32 = 200;

pub(crate) async fn run(config: &Config, args: &JanitorArgs) -> anyhow::Result<Outcome> {
    let store = store(config).await?;
    match &args.command {
        Some(JanitorCommand::Refingerprint) => return refingerprint(&store).await,
        Some(JanitorCommand::Redecide) => return redecide(&store).await,
        Some(JanitorCommand::Reclean { rules: _, site }) => {
            return reclean(config, &store, site.as_deref()).await;
        }
        Some(JanitorCommand::Archive(args)) => {
            let Some(settings) = archive_settings(config, Some(args))? else {
                bail!(
                    "give the folder or the address of the archive: --folder, or the setting janitor.archive.folder"
                );
            };
            return archive(config, &store, &settings).await;
        }
        Some(JanitorCommand::Common(command)) => return common(&store, command).await,
        Some(JanitorCommand::Search(command)) => return search(&store, command).await,
        None => {}
    }
    let options = JanitorOptions {
        every: Duration::from_secs(config.janitor.every_minutes * 60),
        keep_windows: config.janitor.keep_windows,
        retention_days: config.janitor.retention_days,
        quarantine_days: config.quarantine.keep_days,
        quarantine_bytes: config.quarantine.max_bytes.bytes(),
        raw_days: config.worker.keep_raw_days,
        archive: archive_settings(config, None)?,
    };
    if args.dry_run {
        return dry_run(&store, options.retention_days).await;
    }
    if args.once {
        let round = copydesk_janitor::run_once(&store, &options).await?;
        print(&format!(
            "windows: {} created, {} dropped; stories: {} merged; articles: {} cleaned again, {} made searchable, {} dropped for their age, with {} whole ranges; quarantine: {} without bytes now",
            round.windows_created,
            round.windows_dropped,
            round.stories_merged,
            round.articles_recleaned,
            round.made_searchable,
            round.articles_dropped,
            round.ranges_dropped,
            counted(round.quarantine_dropped, "message", "messages")
        ));
        if let Some(settings) = &options.archive {
            return archive(config, &store, settings).await;
        }
    } else {
        copydesk_janitor::run(&store, &options, stop_on_signal()?).await?;
    }
    Ok(Outcome::Done)
}

async fn dry_run(store: &Store, days: u32) -> anyhow::Result<Outcome> {
    if days == 0 {
        print("retention is off (janitor.retention_days = 0): no article would be dropped");
        return Ok(Outcome::Done);
    }
    store.check_retention(days).await?;
    let before = copydesk_janitor::old_before(days);
    let old = store.retirable(before).await?;
    print(&format!(
        "last stored before {}: {} and {} of them would be dropped; nothing would be left of {}",
        before.format("%Y-%m-%d %H:%M:%SZ"),
        counted(old.articles, "article", "articles"),
        counted(old.versions, "older version", "older versions"),
        counted(old.stories, "story", "stories")
    ));
    Ok(Outcome::Done)
}

/// Where the settings, and these flags, say that old articles go.
fn archive_settings(config: &Config, args: Option<&ArchiveArgs>) -> anyhow::Result<Option<Archive>> {
    let settings = &config.janitor.archive;
    let folder = args
        .and_then(|a| a.folder.clone())
        .unwrap_or_else(|| settings.folder.clone());
    if folder.as_os_str().is_empty() {
        return Ok(None);
    }
    Ok(Some(Archive {
        folder,
        after_days: args.and_then(|a| a.older_than).unwrap_or(settings.after_days),
        file_bytes: settings.file_bytes.bytes(),
        reads: Arc::new(read_router(config)?),
    }))
}

async fn archive(config: &Config, store: &Store, settings: &Archive) -> anyhow::Result<Outcome> {
    let (stop, begun) = (stop_on_signal()?, Instant::now());
    let done = copydesk_janitor::archive_once(store, settings, config.janitor.keep_windows, &stop).await?;
    print(&format!(
        "{} archived in {} of {} bytes in {:.1} s, {} dropped; {} changed meanwhile and stay in Postgres; {} that were taken \
         down are out of the files",
        counted(done.articles, "article", "articles"),
        counted(done.batches, "batch", "batches"),
        done.bytes,
        begun.elapsed().as_secs_f64(),
        counted(done.ranges, "whole range", "whole ranges"),
        done.changed,
        done.taken_down
    ));
    if done.takedowns_due > 0 {
        note(&format!(
            "{} takedowns have not reached the archive's files: the log says why",
            done.takedowns_due
        ));
        return Ok(Outcome::Found);
    }
    Ok(Outcome::Done)
}

async fn reclean(config: &Config, store: &Store, site: Option<&str>) -> anyhow::Result<Outcome> {
    let report = copydesk_worker::reclean(store, stages(config)?, site).await?;
    print(&format!(
        "{} a new version by the rules, {} have the same text, {} stay as they were: the rules refuse them now, or make another article of them",
        counted(report.changed, "article has", "articles have"),
        report.unchanged,
        report.left
    ));
    if config.worker.keep_raw_days == 0 {
        note(
            "no messages are kept for this (worker.keep_raw_days = 0): only what was kept before can be cleaned again; `copydesk rewind` has Kafka's messages read again",
        );
    }
    Ok(Outcome::Done)
}

async fn refingerprint(store: &Store) -> anyhow::Result<Outcome> {
    let mut stop = stop_on_signal()?;
    let all = store.outdated_fingerprints().await?;
    print(&format!(
        "{} of another recipe",
        counted(
            all.unsigned_abs(),
            "article has a fingerprint",
            "articles have fingerprints"
        )
    ));
    let (mut after, mut done) = (ArticleId(i64::MIN), 0);
    // Workers may be storing what links to the same articles: of two that wait for each other Postgres ends one.
    while let Some(step) = try_again(|| store.refingerprint(after, STEP)).await? {
        after = step.after;
        done += step.articles;
        tracing::info!(done, of = all, "making fingerprints again");
        if *stop.borrow_and_update() {
            print(&format!(
                "stopped after {}; the same command goes on",
                counted(done, "article", "articles")
            ));
            return Ok(Outcome::Found);
        }
    }
    print(&format!("{} checked", counted(done, "article", "articles")));
    Ok(Outcome::Done)
}

async fn redecide(store: &Store) -> anyhow::Result<Outcome> {
    let mut stop = stop_on_signal()?;
    let all = store.outdated_decisions().await?;
    print(&format!(
        "{} decided on by another rule",
        counted(all.unsigned_abs(), "article was", "articles were")
    ));
    let (mut after, mut done, mut changed) = (ArticleId(i64::MIN), 0, 0);
    while let Some(step) = try_again(|| store.redecide(after, STEP)).await? {
        after = step.after;
        done += step.articles;
        changed += step.changed;
        tracing::info!(done, of = all, changed, "deciding again");
        if *stop.borrow_and_update() {
            print(&format!(
                "stopped after {}, {changed} of them changed; the same command goes on",
                counted(done, "article", "articles")
            ));
            return Ok(Outcome::Found);
        }
    }
    print(&format!(
        "{} decided on again; {changed} of them changed (`copydesk story show` lists the events of a story)",
        counted(done, "article", "articles")
    ));
    Ok(Outcome::Done)
}

async fn search(store: &Store, command: &SearchCommand) -> anyhow::Result<Outcome> {
    match command {
        SearchCommand::Off => {
            store.switch_search(false).await?;
            print("search is off; the words of all articles were dropped");
            return Ok(Outcome::Done);
        }
        SearchCommand::On => store.switch_search(true).await?,
        SearchCommand::CatchUp => {}
    }
    let status = store.search_status().await?;
    if !status.on {
        anyhow::bail!("search is off; `copydesk janitor search on` switches it on");
    }
    let mut stop = stop_on_signal()?;
    let mut made = 0;
    loop {
        let taken = store.index_search(SEARCHABLE).await?;
        made += i64::from(taken);
        if taken == 0 || *stop.borrow_and_update() {
            break;
        }
        tracing::info!(made, of = status.due, "making articles searchable");
    }
    let made = counted(made.unsigned_abs(), "article", "articles");
    match store.search_status().await?.due {
        0 => print(&format!("{made} made searchable; nothing is due")),
        due => print(&format!(
            "{made} made searchable; about {due} are due, and the workers go on with them"
        )),
    }
    Ok(Outcome::Done)
}

async fn common(store: &Store, command: &CommonCommand) -> anyhow::Result<Outcome> {
    match command {
        CommonCommand::Build { articles, keep_aside } => {
            let list = store.build_common_list(*articles).await?;
            print(&format!(
                "list {}: {} shingles from {} articles",
                list.version, list.shingles, list.articles
            ));
            if !keep_aside {
                store.use_common_list(list.version).await?;
                print("in use from the next flush of every worker on");
            }
        }
        CommonCommand::Use { version } => {
            store.use_common_list(*version).await?;
            print(&format!(
                "list {version} is in use from the next flush of every worker on"
            ));
        }
        CommonCommand::Off => {
            store.use_common_list(0).await?;
            print("no list is in use any more");
        }
    }
    Ok(Outcome::Done)
}
