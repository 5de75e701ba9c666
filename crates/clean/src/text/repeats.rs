//! Lines that say again what another line said.

use std::collections::HashMap;

use copydesk_article::{BlockKind, RuleId};

use crate::draft::Draft;
use crate::fast::Fast;

const REPEATED_LINE: RuleId = RuleId::of("repeated-line");
const REPEATED_TEXT: RuleId = RuleId::of("repeated-text");
const REPEATED_TITLE: RuleId = RuleId::of("repeated-title");

/// Takes out blocks whose letters and digits were seen before: the first stays. Very short lines may
/// repeat in lists and interviews ("No.", a speaker's name), so they count only next to each other.
pub(crate) fn remove_repeats(drafts: &mut [Draft]) {
    drop_second_copy(drafts);
    drop_repeated_deks(drafts);
    let (kept, again) = count_repeats(drafts);
    if again == 0 {
        return;
    }
    // A text that repeats itself throughout is made so: recipes, tables of results.
    let made_so = again * 5 > kept && again >= 5;
    // A page that has all of it twice, for small screens and for large ones.
    let doubled = made_so && stands_there_twice(drafts);
    let mut seen: HashMap<u64, (BlockKind, usize), Fast> =
        HashMap::with_capacity_and_hasher(kept, Fast::default());
    let mut previous = 0;
    for (at, draft) in drafts.iter_mut().enumerate() {
        if !draft.is_kept() || draft.letters == 0 {
            continue;
        }
        // A picture between two lines keeps them no further apart than they are without it.
        let picture = matches!(draft.kind, BlockKind::Caption | BlockKind::Credit);
        let short = draft.words < 6;
        if short {
            if draft.key() == previous {
                draft.remove(&REPEATED_LINE, None);
                continue;
            }
            if seen
                .get(&draft.key())
                .is_some_and(|(kind, _)| *kind == BlockKind::Headline)
            {
                draft.remove(&REPEATED_TITLE, None);
                continue;
            }
        }
        let follows_itself = draft.key() == previous;
        if !picture {
            previous = draft.key();
        }
        match seen.get(&draft.key()) {
            Some((BlockKind::Headline, _)) => draft.remove(&REPEATED_TITLE, None),
            // A single paragraph that comes again much later is one that its author repeats.
            Some((_, first)) if again == 1 && at - first >= FAR_APART && draft.is_prose() => {}
            // Tables of one kind have rows in common: a heading row, a rest day. One person is quoted twice.
            Some(_) if !follows_itself && (is_row(&draft.text) || is_attribution(draft)) => {}
            Some(_) if !short && (!made_so || follows_itself || (doubled && draft.is_prose())) => {
                draft.remove(&REPEATED_LINE, None);
            }
            Some(_) => {}
            None => {
                seen.insert(draft.key(), (draft.kind, at));
            }
        }
    }
}

/// Takes out a standfirst that says what a paragraph of the text says again: the text keeps it.
fn drop_repeated_deks(drafts: &mut [Draft]) {
    for i in 0..drafts.len() {
        let Some(dek) = drafts
            .get(i)
            .filter(|d| d.is_kept() && d.kind == BlockKind::Dek && d.is_prose())
        else {
            continue;
        };
        let key = dek.key();
        let again = |d: &Draft| d.is_kept() && d.kind == BlockKind::Body && d.key() == key;
        if drafts.iter().skip(i + 1).any(again)
            && let Some(dek) = drafts.get_mut(i)
        {
            dek.remove(&REPEATED_LINE, None);
        }
    }
}

/// Whether a line is the row of a table with three cells or more.
fn is_row(text: &str) -> bool {
    text.matches(" | ").count() >= 2
}

/// Whether a line says who said what stands above it: "— The harbour office (@quay) March 20, 2026".
fn is_attribution(draft: &Draft) -> bool {
    draft.words <= LONGEST_ATTRIBUTION && draft.text.starts_with(['—', '–'])
}

/// How far apart the two of a repeated paragraph stand whose author repeats it, in blocks.
const FAR_APART: usize = 12;

/// The longest line that says whose words stand above it, in words.
const LONGEST_ATTRIBUTION: usize = 14;

/// The fewest paragraphs that all stand there twice.
const LEAST_DOUBLED: usize = 3;
/// A text of at least so many words may be a copy of all the others.
const LEAST_COPY: usize = 60;
/// The most that is searched for parts of a copy, in bytes: each paragraph is looked for in all of it.
const MOST_SEARCHED: usize = 32 << 20;

/// Takes out a block that says again what several others say: the whole article as one piece, beside its paragraphs.
fn drop_second_copy(drafts: &mut [Draft]) {
    let body = |d: &Draft| d.is_kept() && d.kind.is_body();
    let all: usize = drafts.iter().filter(|d| body(d)).map(|d| d.letters).sum();
    let copies: Vec<usize> = drafts
        .iter()
        .enumerate()
        .filter(|(_, d)| {
            body(d) && d.words >= LEAST_COPY && d.letters * 5 >= all * 2 && d.letters * 5 <= all * 3
        })
        .map(|(i, _)| i)
        .collect();
    let paragraphs = drafts.iter().filter(|d| body(d) && d.is_prose()).count();
    for copy in copies {
        let short = |d: &&Draft| d.text.len().saturating_mul(paragraphs) <= MOST_SEARCHED;
        let Some(whole) = drafts.get(copy).filter(short).map(|d| letters_of(&d.text)) else {
            continue;
        };
        let parts = drafts
            .iter()
            .enumerate()
            .filter(|(i, d)| *i != copy && body(d) && d.is_prose() && whole.contains(&letters_of(&d.text)));
        let (count, covered) = parts.fold((0, 0), |(n, l), (_, d)| (n + 1, l + d.letters));
        if count >= 2
            && let Some(draft) = drafts.get_mut(copy)
            && covered * 5 >= draft.letters * 4
        {
            draft.remove(&REPEATED_TEXT, None);
        }
    }
}

fn letters_of(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// Whether the text stands there twice, one copy behind the other: several paragraphs come again, nearly all of them, and
/// none before all of them were said. Plans and recipes repeat theirs here and there.
fn stands_there_twice(drafts: &[Draft]) -> bool {
    let mut seen: HashMap<u64, usize, Fast> = HashMap::default();
    let (mut paragraphs, mut twice, mut last_first, mut first_again) = (0, 0, 0, usize::MAX);
    for (i, draft) in drafts
        .iter()
        .enumerate()
        .filter(|(_, d)| d.is_kept() && d.is_prose())
    {
        paragraphs += 1;
        if let Some(first) = seen.get(&draft.key()) {
            twice += 1;
            last_first = last_first.max(*first);
            first_again = first_again.min(i);
        } else {
            seen.insert(draft.key(), i);
        }
    }
    twice >= LEAST_DOUBLED && twice * 20 >= paragraphs * 9 && last_first < first_again
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

    #[test]
    fn one_person_may_be_quoted_twice() {
        let said =
            |n: usize| format!("Pier number {n} was cleared by two tugs at high water, and nobody was hurt.");
        let who = "— The harbour office of Brenmark (@quay) March 20, 2026".to_owned();
        let mut drafts: Vec<Draft> = [said(1), who.clone(), said(2), who.clone(), who]
            .into_iter()
            .map(|l| Draft::new(BlockKind::Body, l))
            .collect();
        remove_repeats(&mut drafts);
        let kept: Vec<bool> = drafts.iter().map(Draft::is_kept).collect();
        assert_eq!(kept, [true, true, true, true, false]);
    }

    #[test]
    fn a_text_that_stands_there_twice_is_read_once() {
        let line = |n: usize| {
            format!(
                "On pier number {n} two tugs were standing by all night to pull the ferry clear at high water."
            )
        };
        let texts: Vec<String> = (0..6).chain(0..6).map(line).collect();
        let mut drafts: Vec<Draft> = texts
            .into_iter()
            .map(|t| Draft::new(BlockKind::Body, t))
            .collect();
        remove_repeats(&mut drafts);
        assert_eq!(drafts.iter().filter(|d| d.is_kept()).count(), 6);
    }
}
