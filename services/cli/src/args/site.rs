//! `copydesk site`: what a site repeats in its articles.

use std::path::PathBuf;

use clap::{Args, Subcommand};

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
        after_help = "Example: copydesk site explain 4712\n\nExit 3 if the decision made again differs from \
            the recorded one."
    )]
    Explain {
        /// The article
        article: i64,
        /// As one JSON record
        #[arg(long)]
        json: bool,
    },
    /// Insist: this block is always removed
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
        after_help = "Example: copydesk site reclean times.example\n\nEach change is an event; `copydesk \
            site undo` takes it back."
    )]
    Reclean {
        /// The site
        site: String,
    },
    /// Take a cleaning event back
    #[command(
        after_help = "Example: copydesk site undo 17\n\nThe events of an article: SELECT * FROM clean_events \
            WHERE article_id = 4712"
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
