//! The command line: what can be said, and the help that people read.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

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
    /// Put articles on the topic: JSON Lines, HTML and text, WARC, RSS and Atom, folders
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
    /// Upkeep: key windows, late merges, cleaning again, new fingerprints, the list of common shingles
    Janitor(JanitorArgs),
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

#[derive(Debug, Args)]
pub(crate) struct IsolatedArgs {
    /// As `clean.rules_file`
    #[arg(long, value_name = "FILE")]
    pub(crate) rules_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "Example: copydesk worker --until-end\n\n\
Any number of workers may run at once; partitions are shared out among them. SIGTERM or Ctrl-C stops gracefully: \
what was read is stored first. kill -9 is safe as well.")]
pub(crate) struct WorkerArgs {
    /// Stop when everything that was on the topic at the start is stored
    #[arg(long)]
    pub(crate) until_end: bool,
    /// Cleaning threads; 0 is one per core [setting: worker.threads]
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<usize>,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  copydesk feed articles.jsonl.gz\n  copydesk feed --base-url https://news.example/ crawl/\n  \
copydesk feed --resume crawl.state CC-NEWS-20261124.warc.gz\n  copydesk feed news.rss\n  \
zcat dump.jsonl.gz | copydesk feed -\n  curl -s https://news.example/feed | copydesk feed --format feed -\n\n\
A traceparent in the environment variable TRACEPARENT is passed on as the flag is.\n\
What a message may look like: docs/messages.md"
)]
pub(crate) struct FeedArgs {
    /// Files or folders (.jsonl .ndjson .json .html .xhtml .txt .warc .rss .atom .xml; also .gz and .zst), or - for
    /// standard input
    #[arg(value_name = "SOURCE", required_unless_present = "samples")]
    pub(crate) sources: Vec<PathBuf>,
    /// Feed the bundled sample articles
    #[arg(long, conflicts_with = "sources")]
    pub(crate) samples: bool,
    /// Address of the folder on the web: gives HTML and text files their url
    #[arg(long, value_name = "URL")]
    pub(crate) base_url: Option<String>,
    /// What standard input or a named file is, where its name does not tell [standard input: jsonl]
    #[arg(long, value_name = "FORM", value_parser = forms())]
    pub(crate) format: Option<copydesk_feed::Form>,
    /// Follow symbolic links in folders wherever they lead, also to folders; without it those that lead out are passed over
    #[arg(long)]
    pub(crate) follow_links: bool,
    /// State file: go on where the last run with it ended, however it ended
    #[arg(long, value_name = "STATEFILE", conflicts_with = "dry_run")]
    pub(crate) resume: Option<PathBuf>,
    /// W3C trace context, sent along as the header traceparent
    #[arg(long, value_name = "TRACEPARENT")]
    pub(crate) traceparent: Option<String>,
    /// Read everything, send nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Stop after N articles
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u64>,
    /// At most N articles a second
    #[arg(long, value_name = "N")]
    pub(crate) rate: Option<u32>,
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

/// The forms by their names.
fn forms() -> impl clap::builder::TypedValueParser<Value = copydesk_feed::Form> {
    use clap::builder::TypedValueParser as _;
    clap::builder::PossibleValuesParser::new(copydesk_feed::Form::NAMES.map(|(name, _)| name))
        .try_map(|name| name.parse::<copydesk_feed::Form>())
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example: copydesk clean page.html\n\nThis is the tool to report a bad page with: send the page and the output."
)]
pub(crate) struct CleanArgs {
    /// An HTML page, a text, a JSON envelope or JSON Lines; - for standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// One JSON record a line instead of the article for reading
    #[arg(long)]
    pub(crate) json: bool,
    /// Count what was removed by which rule
    #[arg(long)]
    pub(crate) stats: bool,
    /// Address of the page
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "Example: copydesk summary --stories 20")]
pub(crate) struct SummaryArgs {
    /// Newest stories to show
    #[arg(long, value_name = "N", default_value_t = 30)]
    pub(crate) stories: u32,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  copydesk search ferry\n  copydesk search --language en --since 2026-11-01T00:00:00Z '\"harbour wall\" -museum'\n\n\
Words are read in each article's own language: ferry finds ferries in an English one. Of each story the best article is shown. \
Words that begin with - come in quotes with others, as above, or after --. Exit 3 where nothing is found. In SQL: SELECT * FROM search_articles('ferry'); docs/queries.md says more."
)]
pub(crate) struct SearchArgs {
    /// Words as for a web search engine: \"a phrase\", or, -not
    #[arg(value_name = "WORDS", required = true)]
    pub(crate) words: Vec<String>,
    /// Only this language, such as en
    #[arg(long, value_name = "CODE")]
    pub(crate) language: Option<String>,
    /// Only this site, such as news.example
    #[arg(long, value_name = "SITE")]
    pub(crate) site: Option<String>,
    /// Published at this time or later, as 2026-11-24T03:00:00Z
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) since: Option<chrono::DateTime<chrono::Utc>>,
    /// Published before this time
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) until: Option<chrono::DateTime<chrono::Utc>>,
    /// Articles at the most
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) limit: u32,
    /// Every copy of a story, not the best one alone
    #[arg(long)]
    pub(crate) every_copy: bool,
    /// One JSON record a line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  copydesk export articles --since 2026-11-01T00:00:00Z --output november.parquet\n  \
copydesk export stories --language en --output stories.jsonl.zst\n  copydesk export articles --site news.example | jq .title\n\n\
All rows are of one moment. The file appears when it is whole; a file of that name is replaced then, and left alone if \
anything goes wrong. The columns are those of the views articles and stories (docs/schema.md)."
)]
pub(crate) struct ExportArgs {
    /// What to export
    #[arg(value_name = "WHAT", value_parser = ["articles", "stories"])]
    pub(crate) what: String,
    /// The file: .jsonl, .jsonl.gz, .jsonl.zst or .parquet; - is standard output
    #[arg(long, short, value_name = "FILE", default_value = "-")]
    pub(crate) output: PathBuf,
    /// What kind of file, where its name does not tell [standard output: jsonl]
    #[arg(long, value_name = "FORMAT", value_parser = ["jsonl", "jsonl.gz", "jsonl.zst", "parquet"])]
    pub(crate) format: Option<String>,
    /// From this time on, as 2026-11-24T03:00:00Z
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) since: Option<chrono::DateTime<chrono::Utc>>,
    /// Before this time
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) until: Option<chrono::DateTime<chrono::Utc>>,
    /// The time that --since and --until are of: when it was stored, or published
    #[arg(long, value_name = "TIME", value_parser = ["ingested", "published"], default_value = "ingested")]
    pub(crate) by: String,
    /// Only this site, such as news.example; of a story, that of its canonical article
    #[arg(long, value_name = "SITE")]
    pub(crate) site: Option<String>,
    /// Only this language, such as en; of a story, that of its canonical article
    #[arg(long, value_name = "CODE")]
    pub(crate) language: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "Example: copydesk migrate --check")]
pub(crate) struct MigrateArgs {
    /// Only say what is pending; exit 3 if anything is
    #[arg(long)]
    pub(crate) check: bool,
    /// Days in a window of near-copy keys; only before the first article is stored (docs/near-copies.md)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..=3660))]
    pub(crate) window_days: Option<i32>,
}

#[derive(Debug, Args)]
#[command(after_help = "Example: copydesk doctor --fix")]
pub(crate) struct DoctorArgs {
    /// Mend what can be mended: create the topic, run the migrations
    #[arg(long)]
    pub(crate) fix: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example: copydesk audit && echo all accounted for\n\nExit 3 where the law is broken."
)]
pub(crate) struct AuditArgs {
    /// The findings as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum QuarantineCommand {
    /// List messages, the oldest first
    #[command(
        after_help = "Example: copydesk quarantine list --reason bad_json --since 2026-11-01T00:00:00Z"
    )]
    List {
        #[command(flatten)]
        filter: QuarantineArgs,
        /// Messages at the most
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: u32,
        /// One JSON record a line
        #[arg(long)]
        json: bool,
    },
    /// Show one message with its headers and bytes
    #[command(
        after_help = "Example: copydesk quarantine show 'articles.raw[3]@1207'\n\n--raw writes the value's bytes and nothing else (on a terminal, without \
what would steer it): copydesk quarantine show --raw 'articles.raw[3]@1207' > message"
    )]
    Show {
        /// The message, as topic[partition]@offset
        #[arg(value_name = "MESSAGE")]
        message: String,
        /// Write the bytes of the value and nothing else
        #[arg(long)]
        raw: bool,
    },
    /// Run messages through the pipeline again and store what succeeds under its own offset
    #[command(
        after_help = "Example: copydesk quarantine replay --reason panicked\n\nSafe to repeat: a message is stored once. \
What is refused again stays, with the new reason."
    )]
    Replay {
        #[command(flatten)]
        filter: QuarantineArgs,
    },
    /// Give messages up: their bytes are dropped, their rows stay and are no longer listed as held
    #[command(after_help = "Example: copydesk quarantine discard --reason empty")]
    Discard {
        #[command(flatten)]
        filter: QuarantineArgs,
        /// Discard everything that matches, also where nothing narrows it down
        #[arg(long)]
        all: bool,
    },
}

/// Which messages are meant.
#[derive(Debug, Args)]
pub(crate) struct QuarantineArgs {
    /// One message, as topic[partition]@offset
    #[arg(long, value_name = "MESSAGE")]
    pub(crate) message: Option<String>,
    /// The reason, such as bad_json (docs/quarantine.md lists them)
    #[arg(long, value_name = "REASON")]
    pub(crate) reason: Option<copydesk_article::Reason>,
    /// The stage: decode, clean, fingerprint or store
    #[arg(long, value_name = "STAGE", value_parser = ["decode", "clean", "fingerprint", "store"])]
    pub(crate) stage: Option<String>,
    /// Refused at this time or later, as 2026-11-24T03:00:00Z
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) since: Option<chrono::DateTime<chrono::Utc>>,
    /// Partition of the topic
    #[arg(long, value_name = "N")]
    pub(crate) partition: Option<i32>,
    /// held, replayed or discarded
    #[arg(long, value_name = "STATE", value_parser = ["held", "replayed", "discarded"], default_value = "held")]
    pub(crate) state: String,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("position").required(true).args(["to", "time"]))]
#[command(
    after_help = "Examples:\n  copydesk rewind --partition 3 --to 120000 --dry-run\n  copydesk rewind --time 2026-11-24T03:00:00Z\n\n\
The rows of sighting and quarantine behind the new position are taken back, the articles stay: what is read again is a sighting \
of its own article. Running workers notice it within some seconds. docs/delivery.md says more."
)]
pub(crate) struct RewindArgs {
    /// The first offset to read again
    #[arg(long, value_name = "OFFSET", requires = "partition")]
    pub(crate) to: Option<i64>,
    /// Read again what has this time (the message's own in Kafka) or a later one
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) time: Option<chrono::DateTime<chrono::Utc>>,
    /// Only this partition of the topic
    #[arg(long, value_name = "N")]
    pub(crate) partition: Option<i32>,
    /// Say what would be taken back, change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example: copydesk janitor --once\n\nRun it beside the workers, or --once from a timer. The settings are under [janitor]."
)]
pub(crate) struct JanitorArgs {
    /// One round, then stop
    #[arg(long)]
    pub(crate) once: bool,
    /// Say what retention (janitor.retention_days) would drop, change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(subcommand)]
    pub(crate) command: Option<JanitorCommand>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum JanitorCommand {
    /// Make keys and evidence again where another program's recipe made them; workers go on meanwhile
    #[command(
        after_help = "Example: copydesk janitor refingerprint\n\nSafe to stop and to repeat. Run it after an update whose \
CHANGELOG names a new fingerprint version."
    )]
    Refingerprint,
    /// The list of common shingles: what stands in many stories weighs less in decisions
    #[command(subcommand)]
    Common(CommonCommand),
    /// Search by words: switch it on or off, or make searchable what is due
    #[command(subcommand)]
    Search(SearchCommand),
}

#[derive(Debug, Subcommand)]
pub(crate) enum SearchCommand {
    /// Switch it on: everything that is stored is made searchable, by the workers or by this command
    #[command(after_help = "Example: copydesk janitor search on")]
    On,
    /// Switch it off: the words of all articles are dropped, and no work is done for it any more
    #[command(after_help = "Example: copydesk janitor search off")]
    Off,
    /// Make searchable what is due now
    #[command(after_help = "Example: copydesk janitor search catch-up")]
    CatchUp,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CommonCommand {
    /// Build a list from the latest articles, and use it
    #[command(after_help = "Example: copydesk janitor common build")]
    Build {
        /// Articles to count
        #[arg(long, value_name = "N", default_value_t = 100_000)]
        articles: i64,
        /// Only store it
        #[arg(long)]
        keep_aside: bool,
    },
    /// Use a list that is there
    #[command(after_help = "Example: copydesk janitor common use 3")]
    Use {
        /// Its number
        version: i32,
    },
    /// Use none
    #[command(after_help = "Example: copydesk janitor common off")]
    Off,
}

#[derive(Debug, Subcommand)]
pub(crate) enum StoryCommand {
    /// Show a story: its articles, what ties them together, what changed it
    #[command(
        after_help = "Example: copydesk story show 4711\n\nThe number is a story_id, or the article_id of any article in it."
    )]
    Show {
        /// The story, or an article of it
        story: i64,
        /// As one JSON record
        #[arg(long)]
        json: bool,
    },
    /// Show why an article is in its story, and decide again from the stored evidence
    #[command(
        after_help = "Example: copydesk story explain 4712\n\nExit 3 where the decision comes out otherwise than it was recorded."
    )]
    Explain {
        /// The article
        article: i64,
        /// As one JSON record
        #[arg(long)]
        json: bool,
    },
    /// Make two stories one
    #[command(after_help = "Example: copydesk story merge 4720 4711 --why 'same speech, two wires'")]
    Merge {
        /// The story that ends
        from: i64,
        /// The story that its articles join
        into: i64,
        /// The reason, kept with the event
        #[arg(long, value_name = "TEXT", default_value = "")]
        why: String,
    },
    /// Take articles out of their story, with everything that is linked to them
    #[command(after_help = "Example: copydesk story split 4712 4713 --why 'another speech'")]
    Split {
        /// The articles; the lowest number names the new story
        #[arg(required = true)]
        articles: Vec<i64>,
        /// The reason, kept with the event
        #[arg(long, value_name = "TEXT", default_value = "")]
        why: String,
    },
    /// Take a merge, split or re-link back
    #[command(after_help = "Example: copydesk story undo 17")]
    Undo {
        /// Number of the event, as `story show` lists it
        event: i64,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum SiteCommand {
    /// List the blocks that a site repeats: how often, where on the page, what became of them
    #[command(after_help = "Example: copydesk site show times.example --articles 200\n\n\
Zones: head, within and tail are where rules removed the block; kept is the article as the rules left it.")]
    Show {
        /// The site, as in `articles.site`
        site: String,
        /// The latest articles that are looked at
        #[arg(long, value_name = "N", default_value_t = 50)]
        articles: i64,
        /// As one JSON record
        #[arg(long)]
        json: bool,
    },
    /// Show what site memory took out of an article, and decide again from the stored evidence
    #[command(
        after_help = "Example: copydesk site explain 4712\n\nExit 3 where the decision comes out otherwise than it was recorded."
    )]
    Explain {
        /// The article
        article: i64,
        /// As one JSON record
        #[arg(long)]
        json: bool,
    },
    /// Insist: this block is never the article
    #[command(
        after_help = "Examples:\n  copydesk site pin times.example 502eed46 --why 'house advert'\n  \
copydesk site pin times.example 'Read the paper that sees the sea'\n\n\
It counts from the next flush on; `copydesk site reclean` applies it to stored articles."
    )]
    Pin(SayArgs),
    /// Object: this block stays, whoever shows it
    #[command(
        after_help = "Example: copydesk site forget times.example 502eed46 --why 'a column of its own'\n\n\
It counts from the next flush on; `copydesk site reclean` applies it to stored articles."
    )]
    Forget(SayArgs),
    /// Take a pin or a forget back
    #[command(after_help = "Example: copydesk site clear times.example 502eed46")]
    Clear {
        /// The site
        site: String,
        /// The block: eight hexadecimal digits as `site show` prints them, or its text
        block: String,
    },
    /// Write pins and forgets as JSON Lines to standard output
    #[command(after_help = "Example: copydesk site export > said.jsonl")]
    Export {
        /// Of this site only
        site: Option<String>,
    },
    /// Read pins and forgets from a file that `export` wrote
    #[command(after_help = "Example: copydesk site import said.jsonl")]
    Import {
        /// The file; `-` is standard input
        file: PathBuf,
    },
    /// Clean all stored articles of a site again, from their stored blocks
    #[command(
        after_help = "Example: copydesk site reclean times.example\n\nEach change is an event; `copydesk site undo` takes it back."
    )]
    Reclean {
        /// The site
        site: String,
    },
    /// Take a cleaning event back
    #[command(
        after_help = "Example: copydesk site undo 17\n\nThe events of an article: SELECT * FROM clean_events WHERE article_id = 4712"
    )]
    Undo {
        /// Number of the event
        event: i64,
    },
}

#[derive(Debug, Args)]
pub(crate) struct SayArgs {
    /// The site, as in `articles.site`
    pub(crate) site: String,
    /// The block: eight hexadecimal digits as `site show` prints them, or its text
    pub(crate) block: String,
    /// The reason, kept with it
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) why: String,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  copydesk completions bash > ~/.local/share/bash-completion/completions/copydesk\n  \
copydesk completions fish > ~/.config/fish/completions/copydesk.fish\n  \
copydesk completions zsh > ~/.zfunc/_copydesk"
)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  copydesk man | man -l -\n  copydesk man --into ~/.local/share/man/man1")]
pub(crate) struct ManArgs {
    /// Write a page for each command into this folder, instead of the first page to standard output
    #[arg(long, value_name = "FOLDER")]
    pub(crate) into: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print every setting as it is now, secrets blotted out
    #[command(after_help = "Example: copydesk config print > copydesk.toml")]
    Print,
    /// Check the settings and the files they name; prints nothing if all is well
    #[command(
        after_help = "Example: copydesk --config /etc/copydesk/copydesk.toml config check && systemctl restart 'copydesk-worker@*'\n\n\
Connects to nothing; `copydesk doctor` does."
    )]
    Check,
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
