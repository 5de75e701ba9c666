//! `copydesk feed`: what is put on the topic.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Default, Args)]
#[command(
    after_help = "Examples:\n  copydesk feed articles.jsonl.gz\n  copydesk feed --base-url \
        https://news.example/ crawl/\n  \
copydesk feed --resume crawl.state CC-NEWS-20261124.warc.gz\n  copydesk feed --dry-run news.rss\n  \
copydesk feed --language de --site news.example dump.jsonl\n  zcat dump.jsonl.gz | copydesk feed -\n  curl \
-s https://news.example/feed | copydesk feed --format feed -\n\n\
A traceparent in the environment variable TRACEPARENT is passed on as the flag is.\n\
Exit 3 where something was refused, or nothing in a source could be sent.\n\
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
    /// Follow symbolic links in folders wherever they lead, also to folders; without it those that lead out
    /// are passed over
    #[arg(long)]
    pub(crate) follow_links: bool,
    /// State file: go on where the last run with it ended, however it ended
    #[arg(long, value_name = "STATEFILE", conflicts_with = "dry_run")]
    pub(crate) resume: Option<PathBuf>,
    /// W3C trace context, sent along as the header traceparent
    #[arg(long, value_name = "TRACEPARENT")]
    pub(crate) traceparent: Option<String>,
    /// Only records that say that they are in this language, such as en; en takes en-GB as well
    #[arg(long, value_name = "CODE")]
    pub(crate) language: Option<String>,
    /// Only records of this site, such as news.example
    #[arg(long, value_name = "SITE")]
    pub(crate) site: Option<String>,
    /// Read everything, send nothing, show the first message and what would be refused
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Stop after N articles
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u64>,
    /// At most N articles a second
    #[arg(long, value_name = "N")]
    pub(crate) rate: Option<u32>,
}

/// The forms by their names.
fn forms() -> impl clap::builder::TypedValueParser<Value = copydesk_feed::Form> {
    use clap::builder::TypedValueParser as _;
    clap::builder::PossibleValuesParser::new(copydesk_feed::Form::NAMES.map(|(name, _)| name))
        .try_map(|name| name.parse::<copydesk_feed::Form>())
}
