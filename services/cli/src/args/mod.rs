//! The command line: what can be said, and the help that people read.

mod console;
mod feed;
mod operate;
mod quarantine;
mod query;
mod site;
mod story;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub(crate) use console::ConsoleArgs;
pub(crate) use feed::FeedArgs;
pub(crate) use operate::{
    ArchiveArgs, AuditArgs, CommonCommand, CompletionsArgs, ConfigCommand, DemoArgs, DoctorArgs,
    IsolatedArgs, JanitorArgs, JanitorCommand, ManArgs, MigrateArgs, RewindArgs, SearchCommand, TakedownArgs,
    WorkerArgs,
};
pub(crate) use quarantine::{QuarantineArgs, QuarantineCommand};
pub(crate) use query::{CleanArgs, ExportArgs, SearchArgs, SummaryArgs};
pub(crate) use site::{SayArgs, SiteCommand};
pub(crate) use story::StoryCommand;

/// Clean, de-duplicated, structured news articles in Postgres, from a Kafka topic of raw ones.
///
/// Feed a topic, query Postgres: a worker in between strips the boilerplate, recognises near-copies and
/// stores each article exactly once. Settings come from a TOML file, then COPYDESK_… variables, then flags;
/// `copydesk config print` shows them all. Every setting has a default.
#[derive(Debug, Parser)]
#[command(
    name = "copydesk",
    version,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true
)]
#[command(
    after_help = "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done but something was found or refused.\n\
Start here: copydesk doctor"
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags of every command.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// Configuration file (TOML)
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "COPYDESK_CONFIG",
        help_heading = "Settings"
    )]
    pub(crate) config: Option<PathBuf>,
    /// Kafka brokers, host:port with commas between [setting: kafka.brokers]
    #[arg(long, global = true, value_name = "LIST", help_heading = "Settings")]
    pub(crate) brokers: Option<String>,
    /// Topic of raw articles [setting: kafka.topic]
    #[arg(long, global = true, value_name = "TOPIC", help_heading = "Settings")]
    pub(crate) topic: Option<String>,
    /// Log levels, such as `debug` or `info,copydesk_store=debug` [setting: log.filter]
    #[arg(long, global = true, value_name = "FILTER", help_heading = "Settings")]
    pub(crate) log: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Consume, clean, de-duplicate and store, until told to stop
    Worker(WorkerArgs),
    /// Show it on the bundled samples, with nothing but a Postgres: no Kafka is needed
    Demo(DemoArgs),
    /// Put articles on the topic: JSON, HTML and text, WARC, RSS, Atom and JSON Feed, folders
    Feed(FeedArgs),
    /// Show what would be kept of a page or text, what would be removed, and why
    Clean(CleanArgs),
    /// Show the stories that came out, what was removed from their articles, and the quarantine
    Summary(SummaryArgs),
    /// Find articles by their words
    Search(SearchArgs),
    /// Write articles or stories to a file: JSON Lines or Parquet
    Export(ExportArgs),
    /// Bring the database's schema up to date
    Migrate(MigrateArgs),
    /// Check Kafka, topic, Postgres, schema and clocks, and say how to mend what is wrong
    Doctor(DoctorArgs),
    /// Prove from SQL alone that no message was lost or stored twice
    Audit(AuditArgs),
    /// Look at the messages that were refused, try them again, or give them up
    #[command(subcommand)]
    Quarantine(QuarantineCommand),
    /// Look at stories, explain why an article is in one, merge and split them
    #[command(subcommand)]
    Story(StoryCommand),
    /// Look at what a site repeats in its articles, insist or object, clean stored articles again
    #[command(subcommand)]
    Site(SiteCommand),
    /// Have messages read again, from an offset or a time on
    Rewind(RewindArgs),
    /// Remove an article, and hold against its coming again
    Takedown(TakedownArgs),
    /// Upkeep: key windows, late merges, cleaning again, new fingerprints, the list of common shingles
    Janitor(JanitorArgs),
    /// Serve web pages over the database: stories, articles, what was removed and why, the quarantine
    Console(ConsoleArgs),
    /// Show the settings, or check them
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print completions for a shell
    Completions(CompletionsArgs),
    /// Write the manual pages, one a command
    Man(ManArgs),
    /// Try messages from standard input; a worker starts it for messages that may have ended another worker
    #[command(hide = true)]
    Isolated(IsolatedArgs),
}

/// A time as RFC 3339 has it, or a day, which begins at midnight UTC.
fn time(text: &str) -> Result<chrono::DateTime<chrono::Utc>, String> {
    let day = || {
        text.parse::<chrono::NaiveDate>()
            .ok()
            .map(|d| d.and_time(chrono::NaiveTime::MIN).and_utc())
    };
    text.parse()
        .ok()
        .or_else(day)
        .ok_or_else(|| "write it as 2026-11-24T03:00:00Z, or as a day, 2026-11-24 (midnight UTC)".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_an_example() {
        fn check(command: &clap::Command, path: &str) {
            let typed = |s: &&clap::Command| s.get_name() != "help" && !s.is_hide_set();
            for sub in command.get_subcommands().filter(typed) {
                let path = format!("{path} {}", sub.get_name());
                if sub.has_subcommands() {
                    check(sub, &path);
                } else {
                    let help = sub.get_after_help().map(ToString::to_string).unwrap_or_default();
                    assert!(help.contains("Example"), "{path} has no example in its help");
                }
            }
        }
        check(&Cli::command(), "copydesk");
    }

    fn search(arguments: &[&str]) -> SearchArgs {
        let all = ["copydesk", "search"].iter().chain(arguments);
        match Cli::try_parse_from(all).unwrap().command {
            Command::Search(args) => args,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn flags_may_follow_the_words() {
        let args = search(&["ferry", "harbour", "--limit", "3", "--json"]);
        assert_eq!(
            (args.words.join(" ").as_str(), args.limit, args.json),
            ("ferry harbour", 3, true)
        );
        assert_eq!(search(&["ferry -museum"]).words, ["ferry -museum"]);
        assert_eq!(
            search(&["--limit", "3", "--", "ferry", "-museum"]).words,
            ["ferry", "-museum"]
        );
        assert!(Cli::try_parse_from(["copydesk", "search", "ferry", "--limmit", "3"]).is_err());
    }

    #[test]
    fn times_may_be_days() {
        let since = |text: &str| search(&["ferry", "--since", text]).since.map(|t| t.to_rfc3339());
        assert_eq!(since("2026-11-28").as_deref(), Some("2026-11-28T00:00:00+00:00"));
        assert_eq!(
            since("2026-11-28T03:00:00+01:00").as_deref(),
            Some("2026-11-28T02:00:00+00:00")
        );
        let error = Cli::try_parse_from(["copydesk", "search", "x", "--since", "yesterday"]).unwrap_err();
        assert!(error.to_string().contains("2026-11-24"), "{error}");
    }
}
