//! Candidates that the subject is a copy of: why, and what the link says.

use copydesk_article::Relation;

use crate::compare::Compared;
use crate::decision::{Link, LinkReason, Relink};
use crate::facts::Agreement;

/// Jaccard similarity from which two texts are nearly whole in each other: nine tenths of each.
const NEARLY_WHOLE: f64 = 0.8;
/// "Most of it": the containment from which a text counts as taken from another.
const MOST: f64 = 0.6;
/// An excerpt is at most this fraction as long as what it was taken from.
const PART: f64 = 0.6;

/// A candidate that the subject is a copy of.
pub(crate) struct Match<'m, 'c, 'a> {
    pub(crate) compared: &'m Compared<'c, 'a>,
    pub(crate) score: f64,
    pub(crate) reason: LinkReason,
}

impl Match<'_, '_, '_> {
    /// The link to it; `relink`: the change that it brings about.
    pub(crate) fn link(&self, relink: Option<Relink>) -> Link {
        let exact = self.reason == LinkReason::SameBody;
        let share = |value: f64| if exact { 1.0 } else { value };
        let overlap = &self.compared.overlap;
        let candidate = self.compared.candidate;
        Link {
            to: candidate.id,
            story: relink.map_or(candidate.story, |r| r.new_story),
            relation: if exact {
                Relation::ExactCopy
            } else {
                relation(overlap.a_in_b(), overlap.b_in_a())
            },
            similarity: share(overlap.jaccard()),
            in_linked: share(overlap.a_in_b()),
            of_linked: share(overlap.b_in_a()),
            shared: overlap.shared,
            score: self.score,
            reason: self.reason,
        }
    }
}

/// Why the pair is one, if it is.
///
/// Equal bodies are certain. So are texts that are nearly whole in each other, without a number or a name that
/// was replaced: they join whenever they come and whatever their titles are.
pub(crate) fn reason(compared: &Compared<'_, '_>, score: f64) -> Option<LinkReason> {
    let facts = &compared.facts;
    let agree = |marks: [Agreement; 2]| marks.iter().all(|m| m.agree == m.of);
    // A number or name that was replaced differs on both sides; one that was added (an agency's tag) on one
    // side only.
    let marks_agree =
        agree([facts.numbers, facts.names]) || agree([facts.numbers_of_longer, facts.names_of_longer]);
    if compared.same_body {
        Some(LinkReason::SameBody)
    } else if facts.jaccard >= NEARLY_WHOLE && marks_agree {
        Some(LinkReason::NearlyWhole)
    } else if score > 0.0 {
        Some(LinkReason::Weighed)
    } else {
        None
    }
}

/// Names the relation by the two containments (subject in original, original in subject).
fn relation(in_linked: f64, of_linked: f64) -> Relation {
    if in_linked >= MOST && of_linked <= PART * in_linked {
        Relation::Excerpt
    } else if of_linked >= MOST && in_linked <= PART * of_linked {
        Relation::Contains
    } else {
        Relation::NearCopy
    }
}
