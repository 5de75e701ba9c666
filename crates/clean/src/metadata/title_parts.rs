//! The parts of a title: where it can be cut, and what is left without the names of the site and its sections.

use crate::normalise::{fold_phrase, is_dense_script, key};

/// A title is cut so many times at most.
const MOST: usize = 8;

/// What stands before and behind each separator, the last one first.
pub(super) fn cuts(text: &str) -> Vec<(&str, &str)> {
    let mut found: Vec<(&str, &str)> = text
        .char_indices()
        .filter_map(|(at, c)| {
            let (before, rest) = text.split_at_checked(at)?;
            let after = rest.strip_prefix(c)?.trim_start_matches(':');
            let spaced = before.ends_with(' ') && after.starts_with(' ');
            let cut = match c {
                '|' | '｜' | 'ㅣ' => true,
                '-' | '–' | '—' | '·' | '•' | '*' | '/' | '«' | '»' | '‹' | '›' | '>' | '~' => {
                    spaced
                }
                ':' => spaced && rest.starts_with("::"),
                _ => false,
            };
            cut.then(|| (before.trim(), after.trim()))
        })
        .filter(|(before, after)| key(before).is_some() && key(after).is_some())
        .take(MOST)
        .collect();
    found.reverse();
    found
}

/// A title without the names at its ends, and without separators that nothing stands behind.
pub(super) fn without_names(text: &str, names: &[u64]) -> String {
    let mut text = text.trim();
    for _ in 0..3 {
        let named = |part: &str| key(part).is_some_and(|k| names.contains(&k));
        let shorter = cuts(text)
            .into_iter()
            .chain(tight_cuts(text))
            .filter(|(_, after)| named(after))
            .map(|(before, _)| before)
            .min_by_key(|before| before.len())
            .or_else(|| {
                let (before, after) = cuts(text).pop()?;
                named(before).then_some(after)
            })
            .or_else(|| {
                let (before, after) = tight_cuts(text).into_iter().next()?;
                (named(before) && key(after).is_some()).then_some(after)
            })
            .or_else(|| {
                bracketed(text)
                    .filter(|(_, name)| named(name))
                    .map(|(before, _)| before)
            })
            .or_else(|| without_paper(text));
        match shorter {
            Some(shorter) => text = shorter,
            None => break,
        }
    }
    let end = text.trim_end_matches(['|', '-', '–', '—', '·', '»', '«', ' ']);
    if end.len() < text.len() && text.get(end.len()..).is_some_and(|tail| tail.starts_with(' ')) {
        text = end;
    }
    text.to_owned()
}

/// The fewest words of a title, or characters in scripts without spaces, that a section may stand behind.
const LEAST_WORDS: usize = 4;
const LEAST_DENSE: usize = 6;
/// The most words and characters of a section.
const MOST_SECTION_WORDS: usize = 2;
const MOST_SECTION_DENSE: usize = 4;

/// A title without the section at its end: "Harbour reopens after storm - Local", where the page has a name behind it with
/// the same separator, "… - Local - The Post".
pub(super) fn without_section<'t>(text: &'t str, whole: &str) -> Option<&'t str> {
    let rest = whole.trim().strip_prefix(text)?;
    let spaced = rest.starts_with(' ');
    let separator = rest.trim_start().chars().next()?;
    if !matches!(
        separator,
        '|' | '｜' | '-' | '–' | '—' | '_' | '·' | '•' | '>' | '»' | '«' | '/'
    ) {
        return None;
    }
    let (before, label) = text.rsplit_once(separator)?;
    let is_spaced = before.ends_with(' ') && label.starts_with(' ');
    let (before, label) = (before.trim_end(), label.trim());
    let dense = |t: &str| t.chars().filter(|c| is_dense_script(*c)).count();
    let words = |t: &str| t.split_whitespace().count();
    let short = if dense(label) > 0 {
        dense(before) >= LEAST_DENSE && label.chars().count() <= MOST_SECTION_DENSE
    } else {
        (is_spaced && spaced || matches!(separator, '|'))
            && words(before) >= LEAST_WORDS
            && words(label) <= MOST_SECTION_WORDS
    };
    (short && key(label).is_some() && !label.chars().any(char::is_numeric)).then_some(before)
}

/// What stands before a bracket at the end, and what stands in it.
fn bracketed(text: &str) -> Option<(&str, &str)> {
    let (before, name) = text.strip_suffix(['）', ')'])?.rsplit_once(['（', '('])?;
    Some((before.trim_end(), name)).filter(|(before, _)| key(before).is_some())
}

/// A title in a script without spaces, without the name of a paper or a channel behind the last separator: such names end
/// in one of a few words, and nothing but names stands behind an underscore.
fn without_paper(text: &str) -> Option<&str> {
    const PAPERS: [&str; 16] = [
        "报",
        "網",
        "网",
        "報",
        "新闻",
        "新聞",
        "在线",
        "频道",
        "頻道",
        "电视台",
        "電視台",
        "通讯社",
        "通訊社",
        "ニュース",
        "新聞社",
        "オンライン",
    ];
    let (before, name) = text.rsplit_once(['_', '-', '—', '–', '｜', '|', '：'])?;
    if is_spaced_paper(before, name) {
        return Some(before.trim_end());
    }
    let before = before.trim_end_matches(['_', '-', '—', ' ']);
    let dense = |c: char| is_dense_script(c);
    let paper = PAPERS.iter().any(|p| name.trim_end().ends_with(p));
    let long = before.chars().filter(|c| dense(*c)).count() >= 6;
    let cut = long && name.chars().count() <= 16 && name.chars().any(dense);
    let underscore = text.get(before.len()..).is_some_and(|rest| rest.starts_with('_'));
    (cut && (paper || underscore)).then_some(before)
}

/// Whether a paper is named behind a separator with spaces around it, in a script with spaces.
fn is_spaced_paper(before: &str, name: &str) -> bool {
    const PAPERS: [&str; 16] = [
        "일보",
        "신문",
        "뉴스",
        "방송",
        "समाचार",
        "न्यूज",
        "न्यूज़",
        "टाइम्स",
        "पत्रिका",
        "সংবাদ",
        "নিউজ",
        "பத்திரிகை",
        "நியூஸ்",
        "نیوز",
        "صحيفة",
        "خبرگزاری",
    ];
    let words = || name.split_whitespace();
    before.ends_with(' ')
        && name.starts_with(' ')
        && words().count() <= 3
        && before.split_whitespace().count() >= LEAST_WORDS
        && (words()
            .next_back()
            .is_some_and(|w| PAPERS.iter().any(|p| w.ends_with(p)))
            || words().next().is_some_and(|w| PAPERS.contains(&w)))
}

/// Cuts at separators without spaces around them, as scripts without spaces have them. They cut off nothing but names.
fn tight_cuts(text: &str) -> Vec<(&str, &str)> {
    text.char_indices()
        .filter(|(_, c)| matches!(c, '-' | '_' | '–' | '—' | '：' | ':' | '／'))
        .filter_map(|(at, c)| {
            let (before, rest) = text.split_at_checked(at)?;
            Some((before.trim(), rest.strip_prefix(c)?.trim()))
        })
        .filter(|(before, _)| key(before).is_some())
        .take(MOST)
        .collect()
}

/// A title without a word or two behind a bar: what stands there is a section, where nothing else says what the
/// title is.
pub(super) fn without_label(text: &str) -> &str {
    match text.rsplit_once(['|', '｜']) {
        Some((before, label))
            if before.split_whitespace().count() >= 4 && label.split_whitespace().count() <= 2 =>
        {
            before.trim_end()
        }
        _ => text,
    }
}

/// What stands behind a kicker: "Storm: Harbour reopens", "Storm - Harbour reopens".
pub(super) fn behind_kicker(text: &str) -> Option<&str> {
    let places = [": ", " - ", " – ", " — ", " | ", " / "]
        .iter()
        .filter_map(|s| text.split_once(s));
    places
        .max_by_key(|(_, rest)| rest.len())
        .map(|(_, rest)| rest.trim())
}

/// Whether a text ends with another one, of whole words, and says more.
pub(super) fn ends_with(text: &str, end: &str) -> bool {
    let (text, end) = (fold_phrase(text), fold_phrase(end));
    text.strip_suffix(&end)
        .is_some_and(|before| before.ends_with([' ', ':', '-']))
}

/// The share of the words of the shorter one that two texts have in common; of the letters in scripts without spaces.
pub(super) fn shared(a: &str, b: &str) -> f64 {
    let (both, shorter, _) = in_common(a, b);
    share(both, shorter)
}

/// [`shared`], as a share of the longer one.
pub(super) fn shared_of_longer(a: &str, b: &str) -> f64 {
    let (both, _, longer) = in_common(a, b);
    share(both, longer)
}

fn share(part: usize, of: usize) -> f64 {
    let float = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    if of == 0 { 0.0 } else { float(part) / float(of) }
}

/// How many words two texts have in common, and how many the shorter and the longer one have.
fn in_common(a: &str, b: &str) -> (usize, usize, usize) {
    let words = |text: &str| -> Vec<String> {
        let mut out = Vec::new();
        let mut word = String::new();
        for c in fold_phrase(text).chars() {
            if c.is_alphanumeric() && !is_dense_script(c) {
                word.push(c);
                continue;
            }
            if !word.is_empty() {
                out.push(std::mem::take(&mut word));
            }
            if is_dense_script(c) {
                out.push(c.to_string());
            }
        }
        out.extend(Some(word).filter(|w| !w.is_empty()));
        out
    };
    let (a, mut b) = (words(a), words(b));
    let (shorter, longer) = (a.len().min(b.len()), a.len().max(b.len()));
    let mut both = 0;
    for word in &a {
        if let Some(i) = b.iter().position(|w| w == word) {
            b.swap_remove(i);
            both += 1;
        }
    }
    (both, shorter, longer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_cut_at_separators() {
        let parts = cuts("Harbour – open again | Sea | The Post");
        let before: Vec<&str> = parts.iter().map(|(before, _)| *before).collect();
        assert_eq!(
            before,
            ["Harbour – open again | Sea", "Harbour – open again", "Harbour"]
        );
        assert!(cuts("A well-known harbour").is_empty());
    }

    #[test]
    fn a_section_between_title_and_site_goes() {
        for (text, whole, expected) in [
            (
                "Harbour open again after storm - Local",
                " - The Post",
                Some("Harbour open again after storm"),
            ),
            (
                "Harbour open again after storm > Local",
                " > The Post",
                Some("Harbour open again after storm"),
            ),
            ("哈尔马克石坝关闭-社会", "-日报", Some("哈尔马克石坝关闭")),
            // Another separator, a part of a series, too short a title, no name behind it.
            ("Harbour open again after storm - Local", " | The Post", None),
            ("Harbour open again after storm - Part 2", " - The Post", None),
            ("Harbour open - Local", " - The Post", None),
            ("Harbour open again after storm - Local", "", None),
        ] {
            assert_eq!(
                without_section(text, &format!("{text}{whole}")),
                expected,
                "{text}{whole}"
            );
        }
    }

    #[test]
    fn names_go_from_the_ends() {
        let names: Vec<u64> = ["The Post", "Politics", "日报"]
            .iter()
            .filter_map(|n| key(n))
            .collect();
        for (text, expected) in [
            ("Harbour open | Politics | The Post", "Harbour open"),
            ("The Post - Harbour open", "Harbour open"),
            ("石桥封闭_日报", "石桥封闭"),
            ("石桥封闭：日报", "石桥封闭"),
            ("Harbour open -", "Harbour open"),
            ("- Harbour open", "- Harbour open"),
            ("Harbour open: The Post mortem", "Harbour open: The Post mortem"),
        ] {
            assert_eq!(without_names(text, &names), expected);
        }
    }
}
