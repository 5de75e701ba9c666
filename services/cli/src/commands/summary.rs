//! `copydesk summary`: what came out, as a table for people.

use comfy_table::{ContentArrangement, Table, presets};
use copydesk_store::{ArticleSummary, Summary, Totals};
use copydesk_terminal::counted;

use super::{Outcome, print, store};
use crate::args::SummaryArgs;
use crate::config::Config;
use crate::show::{Style, line};

/// Columns where nothing says how wide the terminal is.
const WIDTH: u16 = 150;
/// Rules named for one article.
const RULES: usize = 3;

pub(crate) async fn run(config: &Config, args: &SummaryArgs) -> anyhow::Result<Outcome> {
    let summary = store(config).await?.summary(args.stories).await?;
    let style = Style::detect();
    print(&totals(&summary, style));
    if !summary.stories.is_empty() {
        print(&stories(&summary).to_string());
    }
    if !summary.held.is_empty() {
        print(&style.bold("In quarantine"));
        print(&held(&summary).to_string());
    }
    print(&hints(config, style));
    Ok(Outcome::Done)
}

fn totals(summary: &Summary, style: Style) -> String {
    let Totals {
        stories,
        articles,
        messages,
        held,
    } = summary.totals;
    style.bold(&format!(
        "{} in {}, from {}; {held} in quarantine",
        counted(articles.unsigned_abs(), "article", "articles"),
        counted(stories.unsigned_abs(), "story", "stories"),
        counted(messages.unsigned_abs(), "message", "messages")
    ))
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(header.to_vec());
    table.set_width(terminal_size::terminal_size().map_or(WIDTH, |(width, _)| width.0.max(80)));
    table
}

fn stories(summary: &Summary) -> Table {
    let mut table = table(&[
        "story",
        "copies",
        "site",
        "title",
        "what it is",
        "removed, by rule",
    ]);
    for story in &summary.stories {
        for (n, article) in story.articles.iter().enumerate() {
            let first = n == 0;
            table.add_row(vec![
                if first {
                    story.story_id.to_string()
                } else {
                    String::new()
                },
                if first {
                    (story.articles.len() - 1).to_string()
                } else {
                    String::new()
                },
                line(article.site.as_deref().unwrap_or("–"), 40),
                line(article.title.as_deref().unwrap_or("–"), 60),
                what_it_is(article),
                removed(article),
            ]);
        }
    }
    table
}

fn what_it_is(article: &ArticleSummary) -> String {
    let mut said = article.relation.clone();
    if let Some(similarity) = article.similarity {
        said.push_str(&format!(" {similarity:.2}"));
    }
    if article.versions > 1 {
        said.push_str(&format!(", version {}", article.versions));
    }
    if let Some(language) = &article.language {
        said.push_str(&format!(" [{}]", line(language, 8)));
    }
    said
}

fn removed(article: &ArticleSummary) -> String {
    let mut named: Vec<String> = article
        .removed
        .iter()
        .take(RULES)
        .map(|r| format!("{} ×{}: {}", r.rule, r.blocks, line(&r.sample, 32)))
        .collect();
    let more = article.removed.len().saturating_sub(RULES);
    if more > 0 {
        named.push(format!("and {more} more rules"));
    }
    named.join("\n")
}

fn held(summary: &Summary) -> Table {
    let mut table = table(&["message", "stage", "reason", "what was wrong"]);
    for held in &summary.held {
        table.add_row([
            line(&held.message, 60),
            held.stage.clone(),
            held.reason.clone(),
            line(&held.detail, 90),
        ]);
    }
    table
}

fn hints(config: &Config, style: Style) -> String {
    let url = config
        .database_url()
        .map_or_else(|_| "…".to_owned(), |url| url.to_string());
    let program = std::env::args().next().unwrap_or_else(|| "copydesk".into());
    [
        style.bold("Query it"),
        format!("  psql '{url}' -c 'SELECT story_id, title, articles, sites FROM stories ORDER BY story_id \
            DESC LIMIT 20'"),
        format!("  psql '{url}' -c 'SELECT article_id, rule, text FROM removed_blocks ORDER BY article_id, position'"),
        style.bold("Feed your own"),
        format!("  {program} feed my-articles.jsonl.gz     # a line each: {{\"url\": …, \"html\": … or \"text\": …}}"),
        format!("  {program} feed --base-url https://news.example/ folder-of-pages/"),
        format!("  {program} worker                        # any number of them, until Ctrl-C"),
    ]
    .join("\n")
}
