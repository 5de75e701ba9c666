//! Lines that say again what another line said.

use std::collections::HashMap;

use copydesk_article::{BlockKind, RuleId};

use crate::draft::Draft;

const REPEATED_LINE: RuleId = RuleId::of("repeated-line");
const REPEATED_TITLE: RuleId = RuleId::of("repeated-title");

/// Takes out blocks whose letters and digits were seen before: the first stays. Very short lines may
/// repeat in lists and interviews ("No.", a speaker's name), so they count only next to each other.
pub(crate) fn remove_repeats(drafts: &mut [Draft]) {
    let (kept, again) = count_repeats(drafts);
    if again == 0 {
        return;
    }
    // A text that repeats itself throughout is made so: recipes, tables of results.
    let made_so = again * 5 > kept && again >= 5;
    let mut seen: HashMap<u64, BlockKind> = HashMap::with_capacity(kept);
    let mut previous = 0;
    for draft in drafts.iter_mut() {
        if !draft.is_kept() || draft.letters == 0 {
            continue;
        }
        let short = draft.words < 6;
        if short {
            if draft.key() == previous {
                draft.remove(&REPEATED_LINE, None);
                continue;
            }
            if seen.get(&draft.key()) == Some(&BlockKind::Headline) {
                draft.remove(&REPEATED_TITLE, None);
                continue;
            }
        }
        previous = draft.key();
        match seen.get(&draft.key()) {
            Some(BlockKind::Headline) => draft.remove(&REPEATED_TITLE, None),
            Some(_) if !short && !made_so => draft.remove(&REPEATED_LINE, None),
            Some(_) => {}
            None => {
                seen.insert(draft.key(), draft.kind);
            }
        }
    }
}

/// How many kept blocks say anything, and how many of them say what one before said. Most blocks differ in length
/// already: only those that do not are read.
fn count_repeats(drafts: &[Draft]) -> (usize, usize) {
    let says = |d: &&Draft| d.is_kept() && d.letters > 0;
    let mut blocks: Vec<&Draft> = Vec::with_capacity(drafts.len());
    blocks.extend(drafts.iter().filter(says));
    blocks.sort_unstable_by_key(|d| d.letters);
    let mut again = 0;
    for alike in blocks
        .chunk_by(|a, b| a.letters == b.letters)
        .filter(|b| b.len() > 1)
    {
        let mut keys: Vec<u64> = alike.iter().map(|d| d.key()).collect();
        keys.sort_unstable();
        keys.dedup();
        again += alike.len() - keys.len();
    }
    (blocks.len(), again)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_a_repeat_stays() {
        let line = "Two tugs were standing by to pull the ferry clear at high water.";
        let mut drafts: Vec<Draft> = [line, "No.", "Why?", "No.", "No.", line]
            .iter()
            .map(|l| Draft::new(BlockKind::Body, (*l).to_owned()))
            .collect();
        remove_repeats(&mut drafts);
        let kept: Vec<bool> = drafts.iter().map(Draft::is_kept).collect();
        assert_eq!(kept, [true, true, true, true, false, false]);
    }
}
