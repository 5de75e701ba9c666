//! `article_text.markup`: what blocks are besides their text. The views make Markdown, links and pictures of it (migrations/0003_create_markup.sql).

use copydesk_article::{CleanArticle, PartKind};
use serde_json::{Map, Value, json};

/// The JSON of the column (its comment has the form). What other blocks are taken out later changes nothing about it.
pub(crate) fn to_json(article: &CleanArticle) -> String {
    let mut all = Map::new();
    let parts = article.markdown_parts().into_iter();
    let other: Map<String, Value> = parts
        .filter(|p| p.kind != PartKind::Image)
        .filter(|p| article.blocks.get(p.position).is_some_and(|b| b.text != p.text))
        .map(|p| (p.position.to_string(), p.text.into()))
        .collect();
    let links: Vec<Value> = article
        .links()
        .map(|(at, text, url)| json!([at, text, url]))
        .collect();
    let images: Vec<Value> = article
        .images()
        .map(|(at, i)| json!([at, i.url, i.alt, i.caption]))
        .collect();
    for (key, value, is_empty) in [
        ("i", Value::from(images.as_slice()), images.is_empty()),
        ("l", Value::from(links.as_slice()), links.is_empty()),
    ] {
        if !is_empty {
            all.insert(key.to_owned(), value);
        }
    }
    if !other.is_empty() {
        all.insert("b".to_owned(), other.into());
    }
    Value::Object(all).to_string()
}
