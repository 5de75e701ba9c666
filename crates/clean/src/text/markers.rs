//! The position-aware pass over the blocks: which of them a rule takes out.
//!
//! A phrase alone takes nothing out of the middle of an article unless it is the whole line. A heading of
//! teasers ("Check Also") takes the items after it along: headlines, dates, and a teaser under a headline.
//! It stops where prose resumes.

use copydesk_article::{BlockKind, RuleId};

use super::counters::{is_beside_share, is_counter, is_gallery_place};
use super::cut_marks::is_cut_mark;
use super::surroundings::{
    after, end_of_items, heads_end, heads_prose, introduces, is_body_prose, is_item, is_whole,
};
use crate::draft::{Draft, End};
use crate::rules::{Action, Hit, Position, Rules, Zone};
use crate::signs::Sign;
use crate::text_signs::{of_text, reads_as_prose};

const RELATED_ITEM: RuleId = RuleId::of("related-item");
const AFTER_END: RuleId = RuleId::of("after-end");
const DANGLING: RuleId = RuleId::of("dangling-heading");
const SHARE_COUNTER: RuleId = RuleId::of("share-counter");
const NOISE: RuleId = RuleId::of("no-words");
pub(super) const CUT_MARK: RuleId = RuleId::of("cut-mark");

/// Sentences at the end of a text without line ends that may be glued teasers.
const GLUED_TAIL: usize = 4;

/// Lines at the end that count as the tail even if they read as prose: of a short text a third of its lines.
const TAIL_LINES: usize = 4;

/// Words before which no heading ends an article, and those before which only a heading does that nothing else bears.
const SHORTEST_ENDED: usize = 30;
const SHORTEST_PAGE: usize = 80;

/// Words of a heading that goes on as it likes ("Latest articles in Local News").
const LONGEST_HEADING: usize = 6;

/// Labels at the end that may be headings of what was taken out: more are a list or a table.
const MOST_DANGLING: usize = 2;

/// Takes out what the rules know. Blocks that are removed already are passed over. Single lines go first, so
/// that an advert between two paragraphs is not taken for a headline of a list of teasers.
pub(crate) fn apply_rules(drafts: &mut [Draft], rules: &Rules) {
    // Where no line went and no heading of teasers stands, a second look sees what the first one saw.
    if one_pass(drafts, rules, false) {
        one_pass(drafts, rules, true);
    }
    end_article(drafts, rules);
    drop_dangling(drafts);
}

/// In a text without line ends the heading of teasers, their headlines and the cut teaser are one piece at its
/// end: "Check Also Ferry fares to rise The line says that it …".
pub(crate) fn cut_glued_tail(drafts: &mut [Draft], rules: &Rules) {
    let from = drafts.len().saturating_sub(GLUED_TAIL);
    let found = drafts.iter().enumerate().skip(from).find_map(|(i, d)| {
        let cut = d.is_kept() && d.kind == BlockKind::Body && matches!(d.end, End::Ellipsis | End::Open);
        if !cut {
            return None;
        }
        let hit = rules.opens_with_heading(d.folded())?;
        Some((i, hit.rule.id.clone(), hit.phrase.to_owned()))
    });
    if let Some((i, rule, phrase)) = found.filter(|(i, ..)| *i > 0) {
        for (n, draft) in drafts.iter_mut().skip(i).enumerate() {
            if n == 0 {
                draft.remove(&rule, Some(phrase.clone()));
            } else if draft.kind.is_body() {
                draft.remove(&RELATED_ITEM, None);
            }
        }
    }
}

/// A heading that ends articles ("Tags") takes what follows along, if that is little beside what stands before it; one that
/// nothing else bears ("Comments", "About the author"), if it is not more than that.
fn end_article(drafts: &mut [Draft], rules: &Rules) {
    let words = |d: &Draft| {
        if d.is_kept() && d.kind.is_body() {
            d.words
        } else {
            0
        }
    };
    let total: usize = drafts.iter().map(words).sum();
    let mut before = 0;
    let mut found = None;
    for (i, draft) in drafts.iter().enumerate() {
        let left = total.saturating_sub(before);
        if draft.is_kept() && draft.kind.is_body() && draft.chars <= 60 && before >= SHORTEST_ENDED {
            let little = before >= SHORTEST_PAGE && left * 4 <= before;
            let ends = |h: &Hit<'_>| {
                let is_end = h.rule.action == Action::End && (little || h.rule.sure && left <= before);
                is_end && !is_item(drafts, i) && heads_end(drafts, i, h)
            };
            if let Some(hit) = draft.rule(rules, Position::Tail).filter(ends) {
                found = Some((i, hit.rule.id.clone(), hit.phrase.to_owned()));
                break;
            }
        }
        before += words(draft);
    }
    if let Some((i, rule, phrase)) = found {
        for (n, draft) in drafts.iter_mut().skip(i).enumerate() {
            if n == 0 {
                draft.remove(&rule, Some(phrase.clone()));
            } else if draft.kind.is_body() {
                draft.remove(&AFTER_END, None);
            }
        }
    }
}

/// A heading at the very end heads nothing: what it headed was taken out, or stood elsewhere on the page.
fn drop_dangling(drafts: &mut [Draft]) {
    let bodies = drafts.iter().filter(|d| is_body_prose(d)).count();
    let end = drafts.iter().rposition(|d| d.is_kept() && d.kind.is_body());
    let behind = drafts.iter().skip(end.map_or(0, |i| i + 1));
    // Where nothing behind it was taken out it is a signature or a note: it heads nothing that there was.
    if bodies < 2 || !behind.into_iter().any(is_taken_out) {
        return;
    }
    let is_heading = |d: &Draft| (d.kind == BlockKind::SubHeadline || d.end == End::Colon) && d.words <= 20;
    let is_label = |d: &Draft| {
        d.kind == BlockKind::Body
            && d.end == End::Open
            && d.words <= 6
            && !d.text.contains(" | ")
            && !d.text.contains('@')
    };
    let last: Vec<(usize, bool)> = drafts
        .iter()
        .enumerate()
        .rev()
        .filter(|(_, d)| d.is_kept() && d.kind.is_body())
        .take_while(|(_, d)| is_heading(d) || is_label(d))
        .map(|(i, d)| (i, is_heading(d)))
        .collect();
    let labels = last.iter().filter(|(_, heading)| !heading).count();
    let dangling = last
        .into_iter()
        .take_while(|(_, heading)| *heading || labels <= MOST_DANGLING);
    for (i, _) in dangling {
        if let Some(draft) = drafts.get_mut(i) {
            draft.remove(&DANGLING, None);
        }
    }
}

/// The rule that knows a line; `behind` the last paragraph also one that begins as a heading of teasers does.
fn find_rule<'r>(draft: &Draft, rules: &'r Rules, position: Position, behind: bool) -> Option<Hit<'r>> {
    let goes_on = || behind && draft.words <= LONGEST_HEADING && !reads_as_prose(draft);
    let known = draft.rule(rules, position);
    known.or_else(|| goes_on().then(|| rules.opens_with_heading(draft.folded()))?)
}

/// Whether a heading that a rule knows is one of the article, or goes with its text if at all: [`end_article`].
fn is_of_article(drafts: &[Draft], at: usize, hit: &Hit<'_>) -> bool {
    let heads = || after(drafts, at).next().is_some_and(reads_as_prose);
    if hit.rule.action == Action::End {
        return heads() || is_item(drafts, at) || !heads_end(drafts, at, hit);
    }
    hit.is_cut() && !is_whole(drafts, at, hit) && introduces(drafts, at)
}

/// Takes out single lines, or (`cuts`) headings of teasers with their items. Whether anything went, or a heading stands there.
fn one_pass(drafts: &mut [Draft], rules: &Rules, cuts: bool) -> bool {
    let mut found = false;
    let first = drafts.iter().position(is_body_prose).unwrap_or(drafts.len());
    let last = drafts.iter().rposition(is_body_prose).unwrap_or(0);
    let kept = drafts.iter().filter(|d| d.is_kept() && d.kind.is_body()).count();
    // Of two paragraphs the second one is the tail.
    let tail = TAIL_LINES.min((kept / 3).max(usize::from(kept == 2)));
    let mut before_was_removed = false;
    let mut left = kept;
    let mut i = 0;
    while i < drafts.len() {
        let position = if i < first {
            Position::Head
        } else if i > last || left <= tail {
            Position::Tail
        } else {
            Position::Body
        };
        let shared = is_beside_share(drafts, i, rules);
        let after_was_removed = drafts.get(i + 1).is_some_and(is_taken_out);
        let Some(draft) = drafts.get_mut(i) else { break };
        i += 1;
        if !draft.is_kept() {
            before_was_removed = is_taken_out(draft);
            continue;
        }
        let beside = before_was_removed || after_was_removed;
        before_was_removed = false;
        if !draft.kind.is_body() {
            continue;
        }
        left = left.saturating_sub(1);
        if draft.letters == 0 {
            draft.remove(&NOISE, None);
            found = true;
        } else if is_cut_mark(draft) {
            draft.remove(&CUT_MARK, None);
            found = true;
        } else if draft.chars <= rules.longest {
            if is_counter(draft, shared) || is_gallery_place(draft) {
                draft.remove(&SHARE_COUNTER, None);
                found = true;
                continue;
            }
            let at = i - 1;
            let hit = find_rule(draft, rules, position, first < last && at > last);
            let Some(hit) = hit.filter(|h| !is_of_article(drafts, at, h)) else {
                continue;
            };
            found |= hit.is_cut();
            if hit.is_cut() != cuts {
                continue;
            }
            let heads_text = at > first && !is_whole(drafts, at, &hit) && heads_prose(drafts, at);
            let Some(draft) = drafts.get_mut(at) else { break };
            let phrase = (!hit.phrase.is_empty()).then(|| hit.phrase.to_owned());
            let evidence = if reads_as_prose(draft) || heads_text {
                let outside = i <= first || i > last + 1;
                let Some(signs) = weigh(draft, &hit, outside, beside, rules) else {
                    continue;
                };
                Some(phrase.map_or_else(|| signs.clone(), |p| format!("{p} ({signs})")))
            } else {
                phrase
            };
            draft.remove(&hit.rule.id, evidence);
            found = true;
            before_was_removed = true;
            if cuts {
                let end = end_of_items(drafts, i);
                for item in drafts.get_mut(i..end).unwrap_or_default() {
                    item.remove(&RELATED_ITEM, None);
                }
            }
        }
    }
    found
}

/// The names of the signs by which a sentence with a phrase goes, or `None` if they do not suffice.
fn weigh(draft: &mut Draft, hit: &Hit<'_>, outside: bool, beside: bool, rules: &Rules) -> Option<String> {
    let mut found = draft.signs.union(of_text(draft, rules));
    found.add(if hit.rule.sure {
        Sign::SurePhrase
    } else {
        Sign::Phrase
    });
    // A rule of the tail knows by its zone already where the block stands.
    found.add_if(Sign::Outside, outside && hit.rule.zone != Zone::Tail);
    found.add_if(Sign::Neighbour, beside);
    draft.judged = Some(found);
    rules.weights.suffice(found).then(|| found.names())
}

/// Whether a rule took the block out because it is no part of the article (and not because it says something again).
fn is_taken_out(draft: &Draft) -> bool {
    draft
        .removed
        .as_ref()
        .is_some_and(|r| !r.rule.as_str().starts_with("repeated"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(lines: &[&str]) -> Vec<(String, Option<String>)> {
        let mut drafts: Vec<Draft> = lines
            .iter()
            .map(|l| Draft::new(BlockKind::Body, (*l).to_owned()))
            .collect();
        apply_rules(&mut drafts, &Rules::builtin());
        drafts
            .into_iter()
            .map(|d| (d.text, d.removed.map(|r| r.rule.to_string())))
            .collect()
    }

    const PROSE: &str =
        "The harbour master said on Tuesday that the channel was clear and that ships could enter again.";
    const MORE: &str =
        "Two tugs were standing by in the afternoon to pull the ferry clear at high water, he added.";

    fn removed(lines: &[&str]) -> Vec<String> {
        cleaned(lines)
            .into_iter()
            .filter(|(_, r)| r.is_some())
            .map(|(t, _)| t)
            .collect()
    }

    #[test]
    fn a_related_block_at_the_end_goes_with_its_teaser() {
        let lines = [
            PROSE,
            MORE,
            "Check Also",
            "Crews threaten blockade over quota",
            "Fishing crews are warning that they will not …",
        ];
        assert_eq!(removed(&lines), lines[2..]);
    }

    #[test]
    fn a_related_block_in_the_middle_leaves_the_rest() {
        let lines = [
            PROSE,
            "Related Articles",
            "Crews threaten blockade over quota",
            "March 4, 2026",
            MORE,
            PROSE,
        ];
        assert_eq!(removed(&lines), lines[1..4]);
    }

    #[test]
    fn prose_after_a_marker_is_not_eaten() {
        let lines = [PROSE, "Read more", MORE, PROSE];
        assert_eq!(removed(&lines), ["Read more"]);
    }

    #[test]
    fn the_last_line_stays_where_nothing_behind_it_was_taken_out() {
        let signed = [PROSE, MORE, "Jane Doe, jane@news.example"];
        assert!(removed(&signed).is_empty());
        let heading = [PROSE, MORE, "More on this", "12 comments"];
        assert_eq!(removed(&heading), heading[2..]);
    }

    #[test]
    fn counters_go_and_figures_in_sentences_stay() {
        let lines = ["1.2K Shares", "45 comments", PROSE, "Seven ships waited.", MORE];
        assert_eq!(removed(&lines), ["1.2K Shares", "45 comments"]);
    }
}
