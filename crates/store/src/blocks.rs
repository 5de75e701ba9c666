//! `article.blocks`: all blocks in their order, without storing any text twice.

use copydesk_article::{Block, BlockKind, CleanArticle};
use serde_json::{Value, json};

/// The JSON that the view `article_blocks` reads (the column's comment has the forms).
pub(crate) fn to_json(article: &CleanArticle) -> String {
    let metadata = &article.metadata;
    let title = metadata.title.as_ref().map(|t| t.value.as_str());
    let dek = metadata.dek.as_ref().map(|t| t.value.as_str());
    let blocks: Vec<Value> = article.blocks.iter().map(|b| one(b, title, dek)).collect();
    Value::Array(blocks).to_string()
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

#[cfg(test)]
mod tests {
    use copydesk_article::{Metadata, MetadataSource, RuleId, Sourced};

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
            r#"[["headline"],["dek","A dek that metadata does not have"],["body",12],["boilerplate","Check Also","related","marker"],["caption"]]"#
        );
    }
}
