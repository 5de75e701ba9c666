//! Search by words.

use std::sync::Arc;

use copydesk_store::{Found, MARK_END, MARK_START, SearchQuery};
use maud::{Markup, html};
use serde::Serialize;

use crate::answer::Page;
use crate::app::App;
use crate::ask::Ask;
use crate::layout::Section;
use crate::problem::Problem;
use crate::text::{lang, site, title, when};

/// Results of a page. The best come first, so that there is no second one: more words find better ones. Each
/// costs a passage of its text.
const RESULTS: u32 = 20;

#[derive(Serialize)]
struct Results {
    words: Option<String>,
    results: Vec<Hit>,
    /// The last day of which articles are in the archive, which was not searched. Null: nothing is.
    archived_until: Option<chrono::NaiveDate>,
}

#[derive(Serialize)]
struct Hit {
    rank: f32,
    article_id: i64,
    story_id: i64,
    title: Option<String>,
    site: Option<String>,
    language: Option<String>,
    published_at: Option<chrono::DateTime<chrono::Utc>>,
    url: Option<String>,
    /// Passages with the words found between ⟦ and ⟧.
    snippet: String,
}

impl From<Found> for Hit {
    fn from(f: Found) -> Self {
        Self {
            rank: f.rank,
            article_id: f.article_id.0,
            story_id: f.story_id.0,
            title: f.title,
            site: f.site,
            language: f.language,
            published_at: f.published_at,
            url: f.url,
            snippet: f.snippet,
        }
    }
}

pub(crate) async fn show(app: Arc<App>, ask: Ask) -> Result<Page, Problem> {
    let words = ask.get("q").map(str::to_owned);
    let mut results = Vec::new();
    let mut archived_until = None;
    if let Some(words) = &words {
        let query = SearchQuery {
            words: words.clone(),
            language: ask.get("language").map(str::to_lowercase),
            site: ask.get("site").map(str::to_owned),
            since: ask.time("since")?,
            until: ask.time("until")?,
            most: RESULTS,
            every_copy: ask.get("every_copy").is_some(),
        };
        let store = app.reads().await?;
        let found = store.search(&query).await?;
        archived_until = store.archived_until().await?.map(|(day, _)| day);
        results.extend(found.into_iter().map(Hit::from));
    }
    let data = Results {
        words,
        results,
        archived_until,
    };
    ask.page(Section::Search, "Search", &data, || draw(&ask, &data))
}

fn draw(ask: &Ask, data: &Results) -> Markup {
    let value = |name| ask.get(name).unwrap_or_default();
    html! {
        h1 { "Search" }
        form.filters method="get" action="/search" role="search" {
            label { "Words " input type="search" name="q" value=(value("q")) size="32" dir="auto"; }
            label { "Site " input name="site" value=(value("site")) size="18"; }
            label { "Language " input name="language" value=(value("language")) size="4"; }
            label { "Published from " input name="since" value=(value("since")) size="11"
                placeholder="2026-11-24"; }
            label { "before " input name="until" value=(value("until")) size="11"; }
            label { input type="checkbox" name="every_copy" value="1"
                checked[ask.get("every_copy").is_some()]; " every copy" }
            button { "Search" }
        }
        p.quiet { "Words as for a web search engine: " code { "\"a phrase\"" } ", " code { "or" } ", " code {
            "-not" } ". Each story shows its best article." }
        @if data.words.is_some() && data.results.is_empty() {
            p { "Nothing found. Words that every article has, such as “the”, find nothing; new articles are \
                searchable within moments, unless search is off (" code { "copydesk janitor search
                on" } ")." }
        }
        @if let Some(day) = data.archived_until { p.quiet { "The archive was not searched: it has articles that were \
            stored up to " (day.to_string()) "." } }
        ol.rows { @for hit in &data.results { (row(hit)) } }
        @if data.results.len() >= RESULTS as usize { p.quiet { "These are the best " (RESULTS)
            ". More words narrow the search." } }
    }
}

fn row(hit: &Hit) -> Markup {
    html! {
        li {
            a.title href={ "/articles/" (hit.article_id) } { (title(hit.title.as_deref(),
                hit.language.as_deref())) }
            p.snippet dir="auto" lang=[lang(hit.language.as_deref())] { (marked(&hit.snippet)) }
            span.about {
                (site(hit.site.as_deref()))
                @if let Some(time) = hit.published_at { " · " (when(time)) }
                " · in " a href={ "/stories/" (hit.story_id) } { "story " (hit.story_id) }
            }
        }
    }
}

/// The words found in `<mark>`.
fn marked(snippet: &str) -> Markup {
    html! {
        @for (number, part) in snippet.split(MARK_START).enumerate() {
            @match part.split_once(MARK_END) {
                Some((word, rest)) if number > 0 => { mark { (word) } (rest) },
                _ => (part),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_ours_and_all_else_is_text() {
        let drawn = marked("a ⟦ferry⟧ <b>x</b> ⟦boat⟧ ⟧ end").into_string();
        assert_eq!(
            drawn,
            "a <mark>ferry</mark> &lt;b&gt;x&lt;/b&gt; <mark>boat</mark> ⟧ end"
        );
    }
}
