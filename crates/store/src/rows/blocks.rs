//! `article.blocks`: all blocks in their order, without storing any text twice.

use std::io;

use copydesk_article::{Block, BlockKind, CleanArticle, RuleId};
use serde::Serialize as _;
use serde_json::ser::{Formatter, Serializer};
use serde_json::{Value, json};

/// The JSON that the view `article_blocks` reads (the column's comment has the forms), to the byte as Postgres prints the column: its hash is made
/// here and there ([`crate::rows::content_hash`]).
pub(crate) fn to_json(article: &CleanArticle) -> String {
    let metadata = &article.metadata;
    let title = metadata.title.as_ref().map(|t| t.value.as_str());
    let dek = metadata.dek.as_ref().map(|t| t.value.as_str());
    let blocks: Vec<Value> = article.blocks.iter().map(|b| one(b, title, dek)).collect();
    let mut text = Vec::new();
    match blocks.serialize(&mut Serializer::with_formatter(&mut text, AsPostgres)) {
        Ok(()) => String::from_utf8(text).unwrap_or_default(),
        // Strings and numbers can be written to memory.
        Err(_) => String::new(),
    }
}

/// A space behind each comma, as Postgres prints an array of `jsonb`.
struct AsPostgres;

impl Formatter for AsPostgres {
    fn begin_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }
}

fn one(block: &Block, title: Option<&str>, dek: Option<&str>) -> Value {
    let kind = block.kind.as_str();
    if let Some(removal) = &block.removed {
        return match &removal.evidence {
            Some(evidence) => json!([kind, block.text, removal.rule.as_str(), evidence]),
            None => json!([kind, block.text, removal.rule.as_str()]),
        };
    }
    match block.kind {
        k if k.is_body() => json!([kind, block.text.chars().count()]),
        BlockKind::Caption | BlockKind::Credit => json!([kind]),
        BlockKind::Headline if title == Some(block.text.as_str()) => json!([kind]),
        BlockKind::Dek if dek == Some(block.text.as_str()) => json!([kind]),
        _ => json!([kind, block.text]),
    }
}

/// What a stored article's text is kept in, besides its blocks.
pub(crate) struct StoredText<'a> {
    pub(crate) title: Option<&'a str>,
    pub(crate) dek: Option<&'a str>,
    pub(crate) captions: &'a [String],
    pub(crate) body: &'a str,
}

/// The way back from [`to_json`]. `None`: the blocks do not fit the text, or name a kind that this program does not know.
pub(crate) fn from_json(blocks: &Value, stored: &StoredText<'_>) -> Option<Vec<Block>> {
    let mut body = stored.body.chars();
    let mut captions = stored.captions.iter();
    let mut first = true;
    let mut found = Vec::new();
    for block in blocks.as_array()? {
        let parts = block.as_array()?;
        let part = |n: usize| parts.get(n).and_then(Value::as_str);
        let kind = BlockKind::from_name(part(0)?)?;
        if let Some(rule) = part(2) {
            let evidence = part(3).map(str::to_owned);
            found.push(Block::removed(
                kind,
                part(1)?,
                RuleId::from_file(rule.to_owned()),
                evidence,
            ));
            continue;
        }
        let text = match (parts.get(1), kind) {
            (Some(Value::Number(count)), _) => {
                // A blank line stands between two paragraphs.
                if !std::mem::take(&mut first) && (body.next(), body.next()) != (Some('\n'), Some('\n')) {
                    return None;
                }
                let count = usize::try_from(count.as_u64()?).ok()?;
                let text: String = body.by_ref().take(count).collect();
                (text.chars().count() == count).then_some(text)?
            }
            (Some(Value::String(text)), _) => text.clone(),
            (None, BlockKind::Headline) => stored.title?.to_owned(),
            (None, BlockKind::Dek) => stored.dek?.to_owned(),
            (None, _) => captions.next()?.clone(),
            _ => return None,
        };
        found.push(Block::kept(kind, text));
    }
    (body.next().is_none() && captions.next().is_none()).then_some(found)
}

#[cfg(test)]
mod tests {
    use copydesk_article::{Metadata, MetadataSource, Sourced};

    use super::*;

    #[test]
    fn kept_text_is_not_stored_twice_and_removed_text_is_stored() {
        let article = CleanArticle {
            metadata: Metadata {
                title: Some(Sourced::new("Ferry sails".into(), MetadataSource::JsonLd)),
                ..Metadata::default()
            },
            blocks: vec![
                Block::kept(BlockKind::Headline, "Ferry sails"),
                Block::kept(BlockKind::Dek, "A dek that metadata does not have"),
                Block::kept(BlockKind::Body, "Größe zählt."),
                Block::removed(
                    BlockKind::Boilerplate,
                    "Check Also",
                    RuleId::of("related"),
                    Some("marker".into()),
                ),
                Block::kept(BlockKind::Caption, "The quay."),
            ],
            warnings: Vec::new(),
            rules_version: "1".into(),
        };
        assert_eq!(
            to_json(&article),
            r#"[["headline"], ["dek", "A dek that metadata does not have"], ["body", 12], ["boilerplate", "Check Also", "related", "marker"], ["caption"]]"#
        );
        let json: Value = serde_json::from_str(&to_json(&article)).unwrap();
        let captions = ["The quay.".to_owned()];
        let stored = StoredText {
            title: Some("Ferry sails"),
            dek: None,
            captions: &captions,
            body: "Größe zählt.",
        };
        assert_eq!(from_json(&json, &stored).as_ref(), Some(&article.blocks));
        for damaged in ["Größe", "Größe zählt. Mehr", ""] {
            let stored = StoredText {
                body: damaged,
                ..stored
            };
            assert_eq!(from_json(&json, &stored), None, "{damaged:?}");
        }
    }
}
