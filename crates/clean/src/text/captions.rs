//! Captions and credits: which lines belong to pictures.
//!
//! A line is a caption if it ends in a picture credit ("(AP Photo/…)", "Photo: …"), or if another line
//! repeats it with one. Of a caption that stands there twice the one with the credit is kept.

use copydesk_article::{BlockKind, RuleId};

use crate::draft::Draft;
use crate::normalise::{fold_phrase, is_edge};
use crate::rules::{Position, Rules};

const REPEATED_CAPTION: RuleId = RuleId::of("repeated-caption");

/// Captions that are compared with each other: more are no pictures of an article.
const MOST_CAPTIONS: usize = 300;
/// The longest line that is looked at as a caption, in characters.
const LONGEST_CAPTION: usize = 700;

/// Finds captions and credits among body blocks and sorts out repeated captions.
pub(crate) fn settle_captions(drafts: &mut [Draft], rules: &Rules) {
    for i in 0..drafts.len() {
        let Some(draft) = drafts.get(i) else { break };
        if !draft.is_kept() || draft.chars > LONGEST_CAPTION {
            continue;
        }
        match draft.kind {
            BlockKind::Caption => {}
            BlockKind::Body | BlockKind::ListItem => {
                if draft.is_credit(|| is_credit(draft, rules)) {
                    if let Some(d) = drafts.get_mut(i) {
                        d.kind = BlockKind::Credit;
                    }
                    continue;
                }
                let caption = draft.is_caption(|| {
                    has_trailing_credit(&draft.text, rules)
                        || ends_in_credit(&draft.text, rules)
                        || opens_caption(draft, rules)
                }) || twin_has_credit(drafts, i, rules);
                if !caption {
                    continue;
                }
            }
            _ => continue,
        }
        if let Some(d) = drafts.get_mut(i) {
            d.kind = BlockKind::Caption;
        }
    }
    drop_repeated(drafts);
}

/// Whether the next or previous line is this line and a credit after it, or the other way round.
fn twin_has_credit(drafts: &[Draft], i: usize, rules: &Rules) -> bool {
    let Some(draft) = drafts.get(i) else { return false };
    if draft.words < 5 {
        return false;
    }
    let mut after = drafts.iter().skip(i + 1).filter(|d| d.is_kept());
    let next = after.next();
    // The same line again, and its credit as a line of its own.
    if next.is_some_and(|n| n.says_what(draft))
        && after
            .next()
            .is_some_and(|c| c.kind == BlockKind::Credit || c.is_credit(|| is_credit(c, rules)))
    {
        return true;
    }
    next.is_some_and(|n| {
        n.text.len() > draft.text.len()
            && n.text.starts_with(&draft.text)
            && looks_like_credit_tail(n.text.get(draft.text.len()..).unwrap_or(""))
    })
}

/// Whether what follows a repeated caption is a credit: in brackets, or short.
fn looks_like_credit_tail(rest: &str) -> bool {
    let rest = rest.trim();
    (rest.starts_with(['(', '[', '（', '|', '©', '/', '-', '–', '—']) && rest.chars().count() <= 120)
        || (rest.chars().count() <= 60 && rest.split(' ').count() <= 6)
}

/// Of captions that say the same, the longest (the one with the credit) stays.
fn drop_repeated(drafts: &mut [Draft]) {
    let captions: Vec<usize> = (0..drafts.len())
        .filter(|&i| {
            drafts
                .get(i)
                .is_some_and(|d| d.is_kept() && d.kind == BlockKind::Caption)
        })
        .take(MOST_CAPTIONS)
        .collect();
    for &i in &captions {
        for &j in &captions {
            let (Some(a), Some(b)) = (drafts.get(i), drafts.get(j)) else {
                continue;
            };
            if i == j || !a.is_kept() || !b.is_kept() {
                continue;
            }
            let same = a.says_what(b);
            let within =
                b.chars > a.chars && a.words >= 4 && b.text.starts_with(a.text.trim_end_matches(['.', ' ']));
            if within || (same && i > j) {
                let evidence = (!same).then(|| "kept with its credit".to_owned());
                if let Some(d) = drafts.get_mut(i) {
                    d.remove(&REPEATED_CAPTION, evidence);
                }
                break;
            }
        }
    }
}

/// Whether a whole line is nothing but a credit: "Photo: Jane Doe", "© Reuters", "(AP)", "Getty Images".
fn is_credit(draft: &Draft, rules: &Rules) -> bool {
    // A notice of rights is none.
    if draft.chars > 120 || draft.rule(rules, Position::Tail).is_some() {
        return false;
    }
    let folded = draft.folded();
    let words = spaces(folded.as_bytes()) + 1;
    if words <= 14 && rules.opens_credit(folded) && !ends_as_sentence(&draft.text) {
        return true;
    }
    let bare = folded.trim_matches(['(', ')', ' ']);
    words <= 10 && names_credit(bare, rules, true)
}

fn ends_as_sentence(text: &str) -> bool {
    text.ends_with('.') && spaces(text.as_bytes()) >= 9
}

/// Spaces in a line, or in its front if these are many.
fn spaces(line: &[u8]) -> usize {
    let (fronts, rest) = line.as_chunks::<128>();
    // A sum that fits into a byte is made of many bytes at once.
    let of = |front: &[u8]| {
        front
            .iter()
            .fold(0_u8, |n, b| n.wrapping_add(u8::from(*b == b' ')))
    };
    match fronts.first().map(|front| usize::from(of(front))) {
        Some(many @ 20..) => many,
        _ => fronts.iter().map(|f| usize::from(of(f))).sum::<usize>() + usize::from(of(rest)),
    }
}

fn has_trailing_credit(text: &str, rules: &Rules) -> bool {
    let trimmed = text.trim_end_matches(['.', ' ']);
    let mut chars = trimmed.chars();
    let open = match chars.next_back() {
        Some(')') => '(',
        Some(']') => '[',
        Some('）') => '（',
        _ => return false,
    };
    let Some((before, inside)) = chars.as_str().rsplit_once(open) else {
        return false;
    };
    if before.trim().is_empty() {
        return false;
    }
    let folded = fold_phrase(inside);
    // "(AP)" alone may as well close an agency's story; a picture's credit says more.
    inside.chars().count() <= 100 && (rules.opens_credit(&folded) || names_credit(&folded, rules, false))
}

/// Whether a line is the text under a picture by its beginning ("Pictured from left, …", "Figure 3: …").
fn opens_caption(draft: &Draft, rules: &Rules) -> bool {
    let begins = draft.text.chars().next().is_some_and(|c| !c.is_lowercase());
    begins
        && draft.chars <= 400
        && rules.may_open_caption(&draft.text)
        && rules.opens_caption(&fold_opening(&draft.text, rules.longest_caption_open))
}

/// [`fold_phrase`] of the beginning of a line, with at least so many bytes if the line has them.
fn fold_opening(text: &str, bytes: usize) -> String {
    let text = text.trim_start_matches(is_edge);
    // Characters may fold to fewer bytes, never to a quarter of them; one more says whether a word ends.
    let end = text
        .char_indices()
        .nth(4 * bytes + 4)
        .map_or(text.len(), |(i, _)| i);
    fold_phrase(text.get(..end).unwrap_or(text))
}

/// Whether a line ends in a credit without brackets: "The ferry at dawn. Photo: Jane Doe / Agency",
/// "The ferry at dawn | © Agency".
fn ends_in_credit(text: &str, rules: &Rules) -> bool {
    if ends_as_sentence(text) {
        return false;
    }
    let mut seen = 0;
    // Where the last words begin that may be the credit: at a sign, or after a full stop.
    for (i, c) in text.char_indices().rev() {
        seen += 1;
        if seen > 90 {
            return false;
        }
        let sign = matches!(c, '©' | '|');
        let after_stop = matches!(c, '.' | '!' | '?' | '”' | '"' | '»');
        if !sign && !after_stop {
            continue;
        }
        let from = if c == '©' { i } else { i + c.len_utf8() };
        let (Some(before), Some(tail)) = (text.get(..i), text.get(from..)) else {
            return false;
        };
        if before.trim().is_empty() || tail.trim().is_empty() {
            continue;
        }
        let folded = fold_phrase(tail);
        if rules.opens_credit(&folded) && folded.split(' ').count() <= 12 {
            return true;
        }
    }
    false
}

/// Whether a credit names a credited party. `alone` accepts a single bare name ("reuters").
fn names_credit(folded: &str, rules: &Rules, alone: bool) -> bool {
    let signs = ['/', '|', ',', '-', '–'];
    let credited = |part: &str| rules.is_credited(part.trim());
    let via = memchr::memmem::find(folded.as_bytes(), b" via ").is_some();
    let found = if via {
        folded.split(signs).flat_map(|p| p.split(" via ")).any(credited)
    } else {
        folded.split(signs).any(credited)
    };
    if !found {
        return false;
    }
    let more = via
        || folded.contains(signs)
        || folded.contains("photo")
        || folded.contains("foto")
        || folded.contains("getty");
    more || (alone && rules.is_credited(folded))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(lines: &[&str]) -> Vec<(BlockKind, bool)> {
        let mut drafts: Vec<Draft> = lines
            .iter()
            .map(|l| Draft::new(BlockKind::Body, (*l).to_owned()))
            .collect();
        settle_captions(&mut drafts, &Rules::builtin());
        drafts.iter().map(|d| (d.kind, d.is_kept())).collect()
    }

    #[test]
    fn of_a_caption_twice_the_credited_one_stays() {
        let caption = "The president arrives at the Customs House in Port Aurel, March 15, 2026.";
        let credited = format!("{caption} (Meridian/Anneke Solberg/Pool via NORTHWIRE)");
        assert_eq!(
            settled(&[caption, &credited]),
            [(BlockKind::Caption, false), (BlockKind::Caption, true)]
        );
    }

    #[test]
    fn credits_are_told_from_sentences() {
        assert_eq!(
            settled(&["Photo: Coastguard Brenmark"]),
            [(BlockKind::Credit, true)]
        );
        assert_eq!(
            settled(&["The Grey Petrel on the bank. (AP Photo/Maren Toft)"]),
            [(BlockKind::Caption, true)]
        );
        let sentence = "Photo by photo, the archive of the old harbour is being put on line by volunteers.";
        assert_eq!(settled(&[sentence]), [(BlockKind::Body, true)]);
        assert_eq!(
            settled(&["The talks end on Friday, a spokesman said. (AFP)"]),
            [(BlockKind::Body, true)]
        );
    }
}
