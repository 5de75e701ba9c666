//! Why an article is in its story: the decision with its strongest signs, in words.

use copydesk_article::ArticleId;
use copydesk_store::{ExplainedCandidate, Explanation};
use maud::{Markup, html};
use serde_json::{Value, json};

use crate::text::{percent, site};

/// Candidates that are shown.
const SHOWN: usize = 12;

/// The decision as JSON.
pub(crate) fn data(explained: &Explanation) -> Value {
    let candidates: Vec<Value> = explained
        .candidates
        .iter()
        .map(|c| {
            let signs: Vec<Value> = c
                .signs
                .iter()
                .map(|(adds, words)| {
                    json!({"adds": adds, "words":
                words})
                })
                .collect();
            json!({
                "article_id": c.article_id, "site": c.site, "recorded": c.recorded, "again": c.again,
                    "jaccard": c.jaccard,
                "in_candidate": c.in_candidate, "of_candidate": c.of_candidate, "score": c.score, "signs":
                    signs,
            })
        })
        .collect();
    json!({"article_id": explained.article_id, "version": explained.version, "same": explained.same,
        "dropped": explained.dropped, "candidates": candidates})
}

/// What is shown in place of signs that this login may not see.
pub(crate) fn hidden() -> Markup {
    html! {
        p.quiet {
            "The signs for and against a link are evidence that this login may not read. Set console.write_url \
                to a login with copydesk_writer, or ask "
            code { "copydesk story explain" } "."
        }
    }
}

/// The decision, drawn.
pub(crate) fn draw(explained: &Explanation) -> Markup {
    html! {
        @if explained.candidates.is_empty() {
            p { "No older article shares a key with it, so it founded a story." }
        }
        @for candidate in explained.candidates.iter().take(SHOWN) { (one(explained.article_id, candidate)) }
        @if explained.candidates.len() > SHOWN {
            p.quiet { (explained.candidates.len() - SHOWN) " more were looked at." }
        }
        @if !explained.dropped.is_empty() {
            p { "Left out of the comparison, as its site shows them everywhere:" }
            ul { @for text in &explained.dropped { li dir="auto" { (text) } } }
        }
        @if explained.version > 1 {
            p.quiet { "The article has changed since it was linked (version " (explained.version)
                "): the numbers are those of its present text." }
        }
    }
}

fn one(article: ArticleId, c: &ExplainedCandidate) -> Markup {
    let linked = c.recorded.starts_with("linked");
    html! {
        section.candidate {
            h3 {
                @if linked { "Linked to " } @else { "Not linked to " }
                a href={ "/articles/" (c.article_id) } { "article " (c.article_id) }
                " of " (site(c.site.as_deref()))
            }
            p {
                "Decided: " (words(&c.recorded))
                @if c.recorded != c.again { " · from today’s evidence: " strong { (words(&c.again)) } }
                " · similarity " (format!("{:.2}", c.jaccard))
                " · " (percent(c.in_candidate)) " of its text is there · " (percent(c.of_candidate))
                    " of that text is here"
                @if let Some(score) = c.score { " · " (format!("{score:+.1}")) " from the threshold" }
                " · " a href={ "/articles/" (article) "/wrong?link=" (c.article_id) } { "This is wrong" }
            }
            @if !c.signs.is_empty() {
                table.signs {
                    thead { tr { th scope="col" { "adds" } th scope="col" { "what it saw" } } }
                    tbody { @for (adds, words) in &c.signs {
                        tr { td.number { (format!("{adds:+.1}")) } td dir="auto" { (words) } }
                    } }
                }
            }
        }
    }
}

/// `linked: same_body` as a person says it.
fn words(outcome: &str) -> String {
    outcome.replace('_', " ")
}
