//! Commands of whoever runs it.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::time;

#[derive(Debug, Args)]
pub(crate) struct IsolatedArgs {
    /// As `clean.rules_file`
    #[arg(long, value_name = "FILE")]
    pub(crate) rules_file: Option<PathBuf>,
    /// Clean one message and write what came of it as JSON, for the console
    #[arg(long)]
    pub(crate) one: bool,
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
    after_help = "Example: COPYDESK_DATABASE_URL=postgres://localhost/copydesk_demo copydesk demo\n\n\
Brings the schema up to date, and stores eighteen invented messages from a broker within this process. It \
can be repeated. \
A database that has articles of another topic is refused."
)]
pub(crate) struct DemoArgs {}

#[derive(Debug, Args)]
#[command(after_help = "Example: copydesk migrate --check")]
pub(crate) struct MigrateArgs {
    /// Only say what is pending; exit 3 if anything is
    #[arg(long)]
    pub(crate) check: bool,
    /// Days in a window of near-copy keys; only before the first article is stored (docs/near-copies.md)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..=3660))]
    pub(crate) window_days: Option<i32>,
    /// Articles in each range, from the next one on that no article has reached (docs/retention.md)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(100_000..=1_000_000_000_000))]
    pub(crate) range_articles: Option<i64>,
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

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("position").required(true).args(["to", "time"]))]
#[command(
    after_help = "Examples:\n  copydesk rewind --partition 3 --to 120000 --dry-run\n  copydesk rewind --time \
        2026-11-24T03:00:00Z\n\n\
The rows of sighting and quarantine behind the new position are taken back, the articles stay: what is read \
again is a sighting \
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
    after_help = "Examples:\n  copydesk takedown https://news.example/harbour --why 'court order 12/26'\n  \
        copydesk takedown 4711 --why 'asked for by its author'\n  copydesk takedown --lift 3\n\n\
The article goes with its versions, blocks, words, evidence and messages that wait to be published. When and \
why it went is in the view takedowns. \
Messages of the same address or with the same text are not stored from then on. Files of the archive are \
written anew at once where this machine has them, otherwise by the next `copydesk janitor archive`. Lifting \
needs the role copydesk_owner."
)]
pub(crate) struct TakedownArgs {
    /// The article's address or its number
    #[arg(value_name = "URL|ARTICLE_ID", required_unless_present = "lift")]
    pub(crate) target: Option<String>,
    /// Why, for the view takedowns
    #[arg(long, default_value = "")]
    pub(crate) why: String,
    /// Lift the takedown with this number: the same may come again
    #[arg(long, value_name = "TAKEDOWN_ID", conflicts_with = "target")]
    pub(crate) lift: Option<i64>,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example: copydesk janitor --once\n\nRun it beside the workers, or --once from a timer. The \
        settings are under [janitor]."
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
    /// Make keys and evidence again for articles of an older fingerprint version; workers go on meanwhile
    #[command(
        after_help = "Example: copydesk janitor refingerprint\n\nSafe to stop and to repeat. Run it after an \
            update whose \
CHANGELOG names a new fingerprint version."
    )]
    Refingerprint,
    /// Decide again on articles that an older rule decided on, from stored evidence; workers go on meanwhile
    #[command(
        after_help = "Example: copydesk janitor redecide\n\nSafe to stop and to repeat. Every change of a \
            story is an event: `copydesk story undo \
EVENT` takes it back. Stories that a person changed stay as they are. Run it after an update whose CHANGELOG \
names a new rule version."
    )]
    Redecide,
    /// The list of common shingles: what stands in many stories weighs less in decisions
    #[command(subcommand)]
    Common(CommonCommand),
    /// Clean stored articles again with today's rules, from the messages that were kept
    /// (worker.keep_raw_days); workers go on meanwhile
    #[command(
        after_help = "Example: copydesk janitor reclean --rules --site news.example\n\nSafe to stop and to \
            repeat: what was done with these rules \
is passed over. A changed text is a new version with the cause \"rules\"."
    )]
    Reclean {
        /// With other rules; `copydesk site reclean` is for the memory of a site
        #[arg(long, required = true)]
        rules: bool,
        /// Articles of this site alone
        #[arg(long)]
        site: Option<String>,
    },
    /// Write old articles to Parquet files and drop them from Postgres (docs/archive.md); workers go on meanwhile
    #[command(
        after_help = "Examples:\n  copydesk janitor archive --folder /srv/archive --older-than 365\n  \
copydesk janitor archive --folder s3://news/archive\n\n\
Articles go from Postgres once their files are written and read back; what was taken down goes from the files. \
Credentials of object storage come from the environment (AWS_…, GOOGLE_…, AZURE_…). \
Exit 3 where a takedown could not. Safe to stop and to repeat. Needs the role copydesk_owner."
    )]
    Archive(ArchiveArgs),
    /// Search by words: switch it on or off, or make searchable what is due
    #[command(subcommand)]
    Search(SearchCommand),
}

#[derive(Debug, Args)]
pub(crate) struct ArchiveArgs {
    /// The folder of the archive, or its address: s3://…, gs://…, az://… [setting: janitor.archive.folder]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) folder: Option<PathBuf>,
    /// Articles whose latest version was stored so many days ago [setting: janitor.archive.after_days]
    #[arg(long, value_name = "DAYS")]
    pub(crate) older_than: Option<u32>,
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
        after_help = "Example: copydesk --config /etc/copydesk/copydesk.toml config check && systemctl \
            restart 'copydesk-worker@*'\n\n\
Connects to nothing; `copydesk doctor` does."
    )]
    Check,
}
