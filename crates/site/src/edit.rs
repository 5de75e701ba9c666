//! The article without what was decided on, and back.

use copydesk_article::{CleanArticle, Removal};

use crate::decision::Decision;
use crate::params::SITE_MEMORY;

/// The article without the blocks of the decision. They keep their place, their text and their kind.
pub fn apply(article: &CleanArticle, decision: &Decision) -> CleanArticle {
    let mut article = article.clone();
    for found in &decision.removed {
        if let Some(block) = article.blocks.get_mut(found.position) {
            block.removed = Some(Removal {
                rule: SITE_MEMORY,
                evidence: Some(found.why.evidence()),
            });
        }
    }
    article
}

/// The article as the rules left it.
pub fn restore(article: &CleanArticle) -> CleanArticle {
    let mut article = article.clone();
    for block in &mut article.blocks {
        block.removed.take_if(|removal| removal.rule == SITE_MEMORY);
    }
    article
}
