//! The text that a page states in JSON-LD.

use serde_json::Value;

use super::facts::Facts;
use super::json_ld::{is_article, objects, string, types};

/// The paragraphs of the page's `articleBody`; of a live blog those of all its posts, each with its headline.
pub(crate) fn stated_paragraphs(facts: &Facts) -> Vec<String> {
    let mut all = Vec::new();
    for value in &facts.json_ld {
        objects(value, &mut all, 0);
    }
    let mut posts = Vec::new();
    for blog in all.iter().filter(|o| types(o).any(|t| t == "LiveBlogPosting")) {
        let Some(Value::Array(updates)) = blog.get("liveBlogUpdate") else {
            continue;
        };
        for update in updates.iter().filter_map(Value::as_object) {
            for key in ["headline", "articleBody"] {
                posts.extend(string(update, key).map(str::to_owned));
            }
        }
    }
    if !posts.is_empty() {
        return posts;
    }
    all.iter()
        .filter(|o| is_article(o))
        .filter_map(|o| string(o, "articleBody"))
        .max_by_key(|b| b.len())
        .map(str::to_owned)
        .into_iter()
        .collect()
}
