//! Who the author is, said in the last lines of an article: "Jane Doe is a reporter at The Brenmark Post."

use copydesk_article::RuleId;

use crate::draft::Draft;
use crate::normalise::fold_phrase;

const AUTHOR_NOTE: RuleId = RuleId::of("author-note");

/// The last blocks that are looked at.
const LAST: usize = 4;
/// The fewest paragraphs before a note: a portrait of the author is an article.
const LEAST_BEFORE: usize = 3;
/// The longest note, in words.
const LONGEST: usize = 130;

/// What such a note says of whoever it names.
const VERBS: [&str; 16] = [
    "is", "was", "has", "writes", "covers", "works", "reports", "teaches", "ist", "schreibt", "arbeitet",
    "est", "es", "è", "é", "jest",
];

/// Takes out the lines at the end of an article that say who its author is. `authors` signed it, so that nobody else's
/// name counts.
pub(crate) fn remove_author_notes(drafts: &mut [Draft], authors: &[String]) {
    if authors.is_empty() {
        return;
    }
    let authors: Vec<String> = authors.iter().map(|a| fold_phrase(a)).collect();
    let body: Vec<usize> = (0..drafts.len())
        .filter(|i| drafts.get(*i).is_some_and(|d| d.is_kept() && d.kind.is_body()))
        .collect();
    let is_prose = |i: &&usize| drafts.get(**i).is_some_and(Draft::is_prose);
    let notes: Vec<usize> = body
        .iter()
        .rev()
        .take(LAST)
        .filter(|i| drafts.get(**i).is_some_and(|d| is_note(d, &authors)))
        .copied()
        .collect();
    let Some(first) = notes.last() else { return };
    if body.iter().filter(|i| *i < first).filter(is_prose).count() < LEAST_BEFORE {
        return;
    }
    for i in notes {
        if let Some(draft) = drafts.get_mut(i) {
            draft.remove(&AUTHOR_NOTE, None);
        }
    }
}

fn is_note(draft: &Draft, authors: &[String]) -> bool {
    if draft.words > LONGEST || draft.words < 5 {
        return false;
    }
    let text = draft.folded().trim_start_matches(['(', ' ']);
    authors.iter().any(|author| {
        let given = author.split(' ').next().unwrap_or_default();
        let Some(rest) = text.strip_prefix(author.as_str()) else {
            // "Hi, I'm Jane! Welcome to the Quay Log": somebody greets whoever has read to the end.
            let greets = ["hi", "hey", "hello"].iter().any(|h| text.starts_with(h));
            return greets && given.len() > 2 && text.contains(&format!("i'm {given}"));
        };
        let words: Vec<&str> = rest.split(' ').filter(|w| !w.is_empty()).take(4).collect();
        // "Jane Doe, a pilot, is …", "Jane Doe is …"; in a report somebody of that name "was seen", "is said".
        rest.starts_with([' ', ',']) && words.iter().take(4).any(|w| VERBS.contains(w)) && has_office(&words)
    })
}

/// Whether the words behind a name lead to what somebody is or does.
fn has_office(words: &[&str]) -> bool {
    const LEAD_TO: [&str; 24] = [
        "a",
        "an",
        "the",
        "has",
        "writes",
        "covers",
        "works",
        "reports",
        "teaches",
        "senior",
        "adjunct",
        "professor",
        "editor",
        "founder",
        "ist",
        "schreibt",
        "arbeitet",
        "ein",
        "eine",
        "un",
        "une",
        "una",
        "um",
        "uma",
    ];
    words.iter().any(|w| LEAD_TO.contains(w))
}

#[cfg(test)]
mod tests {
    use copydesk_article::BlockKind;

    use super::*;

    #[test]
    fn a_note_at_the_end_goes_and_only_of_the_author() {
        let line =
            "Two tugs were standing by to pull the ferry clear at high water, the pilot said on Friday.";
        for (note, goes) in [
            ("Jane Doe is a reporter at The Brenmark Post.", true),
            (
                "(Jane Doe has been writing about the sea for twenty years.)",
                true,
            ),
            ("Hey, I'm Jane! Welcome to the Quay Log.", true),
            ("John Roe is a reporter at The Brenmark Post.", false),
            ("Jane Doe will be at the quay again on Monday.", false),
            ("Jane Doe was seen by nobody on the ferry that night.", false),
        ] {
            let mut drafts: Vec<Draft> = [line, line, line, note]
                .iter()
                .map(|l| Draft::new(BlockKind::Body, (*l).to_owned()))
                .collect();
            remove_author_notes(&mut drafts, &["Jane Doe".to_owned()]);
            let kept: Vec<bool> = drafts.iter().map(Draft::is_kept).collect();
            assert_eq!(kept, [true, true, true, !goes], "{note}");
        }
        // A portrait of somebody that has her name above it stays whole.
        let mut drafts = vec![
            Draft::new(BlockKind::Body, line.to_owned()),
            Draft::new(BlockKind::Body, "Jane Doe is a pilot.".to_owned()),
        ];
        remove_author_notes(&mut drafts, &["Jane Doe".to_owned()]);
        assert!(drafts.iter().all(Draft::is_kept));
    }
}
