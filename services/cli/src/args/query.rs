//! Commands that show what came out.

use std::path::PathBuf;

use clap::Args;

use super::time;

#[derive(Debug, Args)]
#[command(
    after_help = "Example: copydesk clean page.html\n\nThis is the tool to report a bad page with: send the \
        page and the output."
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
    /// Words as for a web search engine: "a phrase", or, -not
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
copydesk export stories --language en --output stories.jsonl.zst\n  copydesk export articles --site \
news.example | jq .title\n\n\
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
