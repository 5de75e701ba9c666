//! `copydesk story show|explain|merge|split|undo`.

use anyhow::bail;
use copydesk_article::{ArticleId, StoryId};
use copydesk_store::{Explanation, StoryDetail, StoryEvent};
use copydesk_terminal::counted;
use serde_json::json;

use super::{Outcome, print, print_json, store};
use crate::args::StoryCommand;
use crate::config::Config;
use crate::show::{Style, line};

pub(crate) async fn run(config: &Config, command: &StoryCommand) -> anyhow::Result<Outcome> {
    let store = store(config).await?;
    match command {
        StoryCommand::Show { story, json } => {
            let Some(found) = store.story(*story).await? else {
                bail!("there is neither a story nor an article {story}");
            };
            if *json {
                print_json(story_json(&found));
            } else {
                print(&story_text(&found));
            }
        }
        StoryCommand::Explain { article, json } => {
            let Some(found) = store.explain(ArticleId(*article)).await? else {
                bail!("there is no article {article}");
            };
            if *json {
                print_json(explanation_json(&found));
            } else {
                print(&explanation_text(&found));
            }
            if !found.same {
                return Ok(Outcome::Found);
            }
        }
        StoryCommand::Merge { from, into, why } => {
            done(&store.merge_stories(StoryId(*from), StoryId(*into), why).await?);
        }
        StoryCommand::Split { articles, why } => {
            let articles: Vec<ArticleId> = articles.iter().copied().map(ArticleId).collect();
            done(&store.split_story(&articles, why).await?);
        }
        StoryCommand::Undo { event } => done(&store.undo_story_event(*event).await?),
    }
    Ok(Outcome::Done)
}

fn done(event: &StoryEvent) {
    print(&format!(
        "event {}: {}, {} from story {} to story {}; `copydesk story undo {}` takes it back",
        event.event_id,
        event.kind,
        counted(event.moved.len() as u64, "article", "articles"),
        event.from_story,
        event.to_story,
        event.event_id
    ));
}

fn percent(share: Option<f32>) -> String {
    share.map_or_else(|| "–".into(), |s| format!("{:.0} %", s * 100.0))
}

fn story_text(story: &StoryDetail) -> String {
    let style = Style::detect();
    let mut out = vec![style.bold(&format!(
        "story {}: {}",
        story.story_id,
        counted(story.articles.len() as u64, "article", "articles")
    ))];
    for a in &story.articles {
        let mark = if a.article_id == story.canonical_article {
            "*"
        } else {
            " "
        };
        let tie = match a.linked_to {
            None => "original".to_owned(),
            Some(to) => format!(
                "{} of {to} (similarity {:.2}, {} of it is there, it has {} of that{})",
                a.relation,
                a.similarity.unwrap_or_default(),
                percent(a.containment),
                percent(a.containment_of_linked),
                a.lag_seconds
                    .map_or_else(String::new, |s| format!(", {} later", duration(s))),
            ),
        };
        out.push(format!(
            "{mark} {}  {}  {}  {} words  {tie}",
            a.article_id,
            line(a.site.as_deref().unwrap_or("–"), 40),
            line(a.title.as_deref().unwrap_or("–"), 70),
            a.word_count
        ));
    }
    out.push(style.dim(
        "* the canonical article: the first published of those with at least four fifths of the longest text",
    ));
    for e in &story.events {
        let why = e
            .detail
            .get("why")
            .and_then(|w| w.as_str())
            .filter(|w| !w.is_empty());
        out.push(format!(
            "event {}  {}  {}: {} from story {} to story {}{}",
            e.event_id,
            e.happened_at.format("%Y-%m-%d %H:%M:%SZ"),
            e.kind,
            counted(e.moved.len() as u64, "article", "articles"),
            e.from_story,
            e.to_story,
            why.map_or_else(String::new, |w| format!(": {}", line(w, 100))),
        ));
    }
    out.join("\n")
}

/// A time span for people: the two largest units that say something.
fn duration(seconds: f64) -> String {
    let sign = if seconds < 0.0 { "-" } else { "" };
    let s = seconds.abs();
    match s {
        _ if s < 120.0 => format!("{sign}{s:.0} s"),
        _ if s < 7_200.0 => format!("{sign}{:.0} min", s / 60.0),
        _ if s < 172_800.0 => format!("{sign}{:.1} h", s / 3_600.0),
        _ => format!("{sign}{:.1} days", s / 86_400.0),
    }
}

fn story_json(story: &StoryDetail) -> serde_json::Value {
    let articles: Vec<_> = story
        .articles
        .iter()
        .map(|a| {
            json!({
                "article_id": a.article_id, "site": a.site, "title": a.title, "relation": a.relation,
                "linked_to": a.linked_to, "similarity": a.similarity, "containment": a.containment,
                "containment_of_linked": a.containment_of_linked, "lag_seconds": a.lag_seconds,
                "words": a.word_count, "version": a.version, "published_at": a.published_at.map(|t| t.to_rfc3339()),
            })
        })
        .collect();
    let events: Vec<_> = story
        .events
        .iter()
        .map(|e| {
            json!({
                "event_id": e.event_id, "kind": e.kind, "article_id": e.article_id, "moved": e.moved,
                "from_story": e.from_story, "to_story": e.to_story, "cause_article": e.cause_article,
                "happened_at": e.happened_at.to_rfc3339(), "detail": e.detail,
            })
        })
        .collect();
    json!({
        "story_id": story.story_id, "canonical_article": story.canonical_article, "articles": articles, "events": events,
    })
}

fn explanation_text(e: &Explanation) -> String {
    let style = Style::detect();
    let mut out = vec![style.bold(&format!(
        "article {} is in story {}: {}",
        e.article_id,
        e.story_id,
        line(e.title.as_deref().unwrap_or("–"), 100)
    ))];
    out.push(format!(
        "decided by rule {}, list of common shingles {}, with {} articles of its site in view",
        e.rule_version.map_or_else(|| "–".into(), |v| v.to_string()),
        e.common_version
            .map_or_else(|| "not in use".into(), |v| v.to_string()),
        e.site_articles
    ));
    if e.candidates.is_empty() {
        out.push("no older article has one of its keys: it founded a story".into());
    }
    for c in &e.candidates {
        let verdict = if c.recorded == c.again {
            c.recorded.clone()
        } else {
            style.bad(&format!("{}; from today\'s evidence: {}", c.recorded, c.again))
        };
        out.push(format!(
            "  {}  {}  {verdict}  (similarity {:.2}, {:.0} % of it is there, it has {:.0} % of that)",
            c.article_id,
            line(c.site.as_deref().unwrap_or("–"), 40),
            c.jaccard,
            c.in_candidate * 100.0,
            c.of_candidate * 100.0
        ));
        if let Some(score) = c.score {
            out.push(style.dim(&format!(
                "      {score:+.1} from the threshold; what counts most:"
            )));
        }
        for (brings, words) in &c.signs {
            out.push(style.dim(&format!("      {brings:+.1}  {words}")));
        }
    }
    for text in &e.dropped {
        out.push(format!(
            "left out, its site shows it everywhere: {}",
            line(text, 100)
        ));
    }
    if e.version > 1 {
        out.push(format!(
            "the article has changed since (version {}): the numbers are those of its present text",
            e.version
        ));
    }
    out.push(style.dim("what each reason means: docs/near-copies.md"));
    out.join("\n")
}

fn explanation_json(e: &Explanation) -> serde_json::Value {
    let candidates: Vec<_> = e
        .candidates
        .iter()
        .map(|c| {
            json!({
                "article_id": c.article_id.0, "site": c.site, "recorded": c.recorded, "again": c.again,
                "jaccard": c.jaccard, "in_candidate": c.in_candidate, "of_candidate": c.of_candidate, "score": c.score,
                "signs": c.signs.iter().map(|(brings, words)| json!({ "brings": brings, "words": words })).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({
        "article_id": e.article_id.0, "title": e.title, "story_id": e.story_id.0, "version": e.version,
        "rule_version": e.rule_version, "common_version": e.common_version, "site_articles": e.site_articles,
        "dropped": e.dropped, "candidates": candidates, "same": e.same,
    })
}
