//! `copydesk quarantine`: messages that were refused.
#![allow(
    rustdoc::broken_intra_doc_links,
    reason = "--help shows these comments: topic[partition]@offset is no link"
)]

use clap::{Args, Subcommand};

use super::time;

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
        after_help = "Example: copydesk quarantine show 'articles.raw[3]@1207'\n\n--raw writes the value's \
            bytes and nothing else (on a terminal, without \
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
        after_help = "Example: copydesk quarantine replay --reason panicked\n\nSafe to repeat: a message is \
            stored once. \
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
