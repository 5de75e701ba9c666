//! `copydesk search`: articles by their words.

use anyhow::bail;
use copydesk_store::{Found, MARK_END, MARK_START, SearchQuery};
use serde_json::json;

use super::{Outcome, note, print, print_json, read};
use crate::args::SearchArgs;
use crate::config::Config;
use crate::show::{Style, line, safe};

pub(crate) async fn run(config: &Config, args: &SearchArgs) -> anyhow::Result<Outcome> {
    let query = SearchQuery {
        words: args.words.join(" "),
        language: args.language.clone(),
        site: args.site.clone(),
        since: args.since,
        until: args.until,
        most: args.limit,
        every_copy: args.every_copy,
    };
    let (found, archived, status) = read(config, async |store| {
        let found = store.search(&query).await?;
        let status = match found.is_empty() {
            true => Some(store.search_status().await?),
            false => None,
        };
        Ok((found, store.archived_until().await?, status))
    })
    .await?;
    let style = Style::detect();
    for article in &found {
        if args.json {
            print_json(record(article));
        } else {
            print(&entry(article, style));
        }
    }
    if let Some((day, folder)) = archived
        && args.since.is_none_or(|since| since.date_naive() <= day)
    {
        note(&format!(
            "not searched: the archive in {}, which has articles that were stored up to {day} (docs/archive.md)",
            safe(&folder)
        ));
    }
    if let Some(status) = status {
        if !status.on {
            bail!("search is off; `copydesk janitor search on` makes what is stored searchable");
        }
        let why = if status.due > 0 {
            format!(
                "nothing found yet: about {} articles are still being made searchable",
                status.due
            )
        } else {
            "nothing found (words too common to be searched for, such as \"the\", find nothing)".into()
        };
        note(&why);
        return Ok(Outcome::Found);
    }
    Ok(Outcome::Done)
}

fn entry(a: &Found, style: Style) -> String {
    let mut about = vec![line(a.site.as_deref().unwrap_or("–"), 60)];
    about.extend(a.published_at.map(|t| t.format("%Y-%m-%d %H:%MZ").to_string()));
    about.extend(a.language.as_deref().map(|l| line(l, 10)));
    about.push(format!("article {} in story {}", a.article_id, a.story_id));
    let mut out = format!(
        "{}\n  {}\n",
        style.bold(&line(a.title.as_deref().unwrap_or("(no title)"), 120)),
        style.dim(&about.join("  "))
    );
    out.push_str("  ");
    out.push_str(&marked(&safe(&a.snippet), style));
    if let Some(url) = &a.url {
        out.push_str("\n  ");
        out.push_str(&style.dim(&line(url, 200)));
    }
    out.push('\n');
    out
}

/// The words found in bold; where there is no bold, their marks stay.
fn marked(snippet: &str, style: Style) -> String {
    if !style.is_on() {
        return snippet.to_owned();
    }
    let mut out = String::with_capacity(snippet.len());
    for (n, part) in snippet.split(MARK_START).enumerate() {
        match part.split_once(MARK_END) {
            Some((word, rest)) if n > 0 => {
                out.push_str(&style.bold(word));
                out.push_str(rest);
            }
            _ => out.push_str(part),
        }
    }
    out
}

fn record(a: &Found) -> serde_json::Value {
    json!({
        "article_id": a.article_id, "story_id": a.story_id, "rank": a.rank, "title": a.title, "site": a.site,
        "language": a.language, "published_at": a.published_at.map(|t| t.to_rfc3339()), "url": a.url, "snippet": a.snippet,
    })
}
