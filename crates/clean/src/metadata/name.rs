//! One name of a byline, without what stands around it.

use std::borrow::Cow;

use super::author_words::{ENDS, LINKS, NO_AUTHORS, OPENINGS, ORGANISATIONS, PARTICLES, ROLE_MODIFIERS};
use super::roles::{any, is_collective, is_organisation, is_role, is_role_word};
use crate::dates::is_month;
use crate::normalise::{fold_phrase, fold_space, is_dense_script, is_edge};

/// A longer part of a byline is no name, in bytes.
const LONGEST_PART: usize = 400;

/// One name, or `None` for something that is none. `folded` is [`fold_phrase`] of `text`.
pub(crate) fn clean_name(text: &str, folded: &str) -> Option<String> {
    if text.len() > LONGEST_PART {
        return None;
    }
    // "@harbourpost" is an account.
    if text.trim().starts_with('@') && !text.trim().contains(' ') {
        return None;
    }
    let text = text.trim().trim_start_matches('@');
    let opened = without_openings(text, folded)?;
    let (text, folded) = opened
        .as_ref()
        .map_or((text, folded), |(rest, folded)| (rest.as_str(), folded.as_str()));
    let words: Vec<&str> = text.split(' ').filter(|w| !w.is_empty()).collect();
    let words = folded_words(&words, folded);
    let words = words.get(..name_end(&words)).unwrap_or_default();
    let words: Vec<&str> = without_role(words).iter().map(|w| w.text).collect();
    let name = words.join(" ");
    let name = name.trim_matches(is_name_edge);
    let name = without_closing(name).trim_matches(is_name_edge);
    let folded = if name == text {
        Cow::Borrowed(folded)
    } else {
        Cow::Owned(fold_phrase(name))
    };
    is_name(name, &folded).then(|| name.to_owned())
}

/// A word of a name and its folded form.
#[derive(Debug)]
struct Word<'t> {
    text: &'t str,
    folded: Cow<'t, str>,
}

/// Words of a text, each with its folded form. `folded` is [`fold_phrase`] of the text: where it has as many
/// words as the text, none was dropped at the ends, and each is the form of its own.
fn folded_words<'t>(words: &[&'t str], folded: &'t str) -> Vec<Word<'t>> {
    let is_whole = folded.split(' ').count() == words.len();
    let whole = words.iter().zip(folded.split(' ')).map(|(text, folded)| Word {
        text,
        folded: Cow::Borrowed(folded.trim_matches(is_edge)),
    });
    if is_whole {
        return whole.collect();
    }
    let each = words.iter().map(|text| Word {
        text,
        folded: Cow::Owned(fold_phrase(text)),
    });
    each.collect()
}

fn is_name_edge(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '.' | ','
                | ':'
                | '：'
                | '-'
                | '–'
                | '—'
                | '|'
                | '"'
                | '“'
                | '”'
                | '*'
                | '•'
                | '·'
                | '∙'
                | '©'
                | '('
                | ')'
                | '【'
                | '】'
                | '/'
                | '／'
        )
}

/// A text without brackets that hold no part of a name: "(she/her)", "(jdo)", "(in Berlin)".
pub(super) fn without_brackets(text: &str) -> String {
    if bracket(text).is_none() {
        return fold_space(text);
    }
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, inside, after)) = bracket(rest) {
        out.push_str(before);
        let words: Vec<&str> = inside.split([' ', '/']).collect();
        let small = inside.chars().next().is_some_and(char::is_lowercase);
        let drop =
            inside.chars().count() <= 6 && after.trim().is_empty() && !NO_AUTHORS.has(&fold_phrase(inside))
                || OPENINGS.has(&fold_phrase(inside))
                || small
                || words.len() > 1 && inside.contains('/')
                || inside.contains('@')
                || is_role(inside)
                || is_organisation(inside);
        if !drop {
            out.push('(');
            out.push_str(inside);
            out.push(')');
        }
        rest = after;
    }
    out.push_str(rest);
    fold_space(&out)
}

fn bracket(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once(['(', '（', '['])?;
    let (inside, after) = rest.split_once([')', '）', ']'])?;
    Some((before, inside, after))
}

/// Whether a folded text goes on behind words that open a byline: with a space or a sign, or with a name in a script
/// without spaces.
fn goes_on(rest: &str, dense: bool) -> bool {
    rest.is_empty() || rest.starts_with([' ', ':', '：', '/', '／']) || dense && is_dense_name(rest)
}

/// Whether a folded part of a byline says that somebody follows who did not write: "Edited by Jane Doe".
pub(super) fn names_others(folded: &str) -> bool {
    NO_AUTHORS.longest(folded, goes_on).is_some()
}

/// Days of the week in English, folded: what leads up to a date behind a name.
pub(super) const WEEKDAYS: [&str; 7] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];

/// Whether a part of a byline says in brackets at its end that its bearer did not write: "Jane Doe (photos)".
pub(super) fn did_else(part: &str) -> bool {
    let inside = part
        .trim()
        .strip_suffix([')', '）'])
        .and_then(|p| p.rsplit_once(['(', '（']));
    inside.is_some_and(|(_, what)| NO_AUTHORS.has(&fold_phrase(what)))
}

/// Whether a text ends with words that somebody follows who did not write: "… Reviewed by".
pub(super) fn ends_with_others(text: &str) -> bool {
    let from = text
        .char_indices()
        .rev()
        .nth(LONGEST_OTHERS)
        .map_or(0, |(i, _)| i);
    let end = text.get(from..).unwrap_or_default().trim_end();
    let last = end
        .rsplit(['.', '|', ',', ';', '•', '·'])
        .next()
        .unwrap_or_default();
    NO_AUTHORS.has(&fold_phrase(last.trim_end_matches(':')))
}

/// The longest words that somebody follows who did not write, in characters.
const LONGEST_OTHERS: usize = 40;

/// Whether a folded part of a byline says that an author follows.
pub(super) fn opens_byline(folded: &str) -> bool {
    OPENINGS.longest(folded, goes_on).is_some()
}

/// Whether a line is nothing but a name: two to four words, each with a capital.
pub(crate) fn is_name_alone(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    let letter = |c: char| c.is_alphabetic() || matches!(c, '.' | '-' | '\'' | '’');
    (2..=4).contains(&words.len())
        && words
            .iter()
            .all(|w| w.chars().next().is_some_and(char::is_uppercase) && w.chars().all(letter))
}

/// A name without the words that open a byline, and its folded form: `None` if somebody else follows,
/// `Some(None)` if it has no such words.
#[expect(clippy::option_option, reason = "the outer one says that there is no author")]
fn without_openings(text: &str, folded: &str) -> Option<Option<(String, String)>> {
    let mut opened: Option<(String, String)> = None;
    for _ in 0..MOST_OPENINGS {
        let (name, folded) = opened
            .as_ref()
            .map_or((text, folded), |(name, folded)| (name.as_str(), folded.as_str()));
        if names_others(folded) {
            return None;
        }
        let Some(skip) = OPENINGS.longest(folded, goes_on) else {
            break;
        };
        let start = name.chars().position(char::is_alphanumeric).unwrap_or(0);
        let rest: String = name.chars().skip(start + skip).collect();
        let rest = rest.trim_start_matches([':', '：', ' ', '/', '／']).to_owned();
        let folded = fold_phrase(&rest);
        opened = Some((rest, folded));
    }
    Some(opened)
}

/// Openings of a byline that may stand before one name: "Text: by Jane Doe".
const MOST_OPENINGS: usize = 3;

/// Two to four characters, as names in scripts without spaces have.
fn is_dense_name(text: &str) -> bool {
    text.chars().all(is_dense_script) && (2..=4).contains(&text.chars().count())
}

/// How many words belong to the name: it ends before handles, dates, "Published", "in Berlin", "for The Post".
fn name_end(words: &[Word<'_>]) -> usize {
    let word = |i: usize| words.get(i).map_or("", |w| w.folded.as_ref());
    let is_number = |w: &str| w.chars().any(|c| c.is_ascii_digit()) && !w.chars().any(char::is_alphabetic);
    let capital = |i: usize| {
        let first = words.get(i).and_then(|w| w.text.chars().next());
        first.is_some_and(|c| c.is_uppercase() || c.is_numeric())
    };
    let mut end = words.len();
    for i in 0..words.len() {
        let starts_end = words
            .get(i)
            .is_some_and(|w| w.text.contains('@') || i >= 2 && w.text.ends_with(':'))
            || any(&ENDS, word(i))
            || is_number(word(i))
            || (i >= 2 || i == 1 && word(i) == "in")
                && any(&LINKS, word(i))
                && (capital(i + 1) || word(i + 1) == "the")
                && !words.iter().take(i).any(|w| any(&ORGANISATIONS, &w.folded));
        if starts_end {
            end = i;
            break;
        }
    }
    // "Jane Doe on 20", "Jane Doe March 20": what leads up to a date goes with it.
    if end < words.len() {
        while end > 0
            && (is_month(word(end - 1))
                || WEEKDAYS.contains(&word(end - 1))
                || matches!(
                    word(end - 1),
                    "on" | "am" | "vom" | "le" | "el" | "il" | "em" | "den" | "at" | "um" | "-" | "" | "|"
                ))
        {
            end -= 1;
        }
    }
    // "Jane Doe am", where the date stands elsewhere.
    while end > 1
        && matches!(
            words.get(end - 1).map(|w| w.text),
            Some("on" | "am" | "vom" | "um" | "-" | "|")
        )
    {
        end -= 1;
    }
    end
}

/// The words of a name without what its bearer does: "Reporter Jane Doe", "Jane Doe Political Editor".
fn without_role<'w, 't>(words: &'w [Word<'t>]) -> &'w [Word<'t>] {
    let role = |w: &Word<'_>| is_role_word(&w.folded) && !is_collective(&w.folded);
    let modifier = |w: &Word<'_>| any(&ROLE_MODIFIERS, &w.folded);
    let mut rest = words;
    while let [first, tail @ ..] = rest
        && tail.len() >= 2
        && (role(first) || modifier(first) && tail.first().is_some_and(role))
    {
        rest = tail;
    }
    if let [head @ .., last] = rest
        && head.len() >= 2
        && role(last)
    {
        rest = head;
        while let [head @ .., last] = rest
            && head.len() >= 2
            && (modifier(last) || role(last))
        {
            rest = head;
        }
    }
    if rest.len() == words.len() {
        return words;
    }
    // Where no name is left, a role is left as it is: it is judged as a whole.
    let names = rest.iter().filter(|w| !role(w) && !modifier(w)).count();
    if names < 2 { words } else { rest }
}

/// A name without what stands behind names in Korean, Chinese and Japanese.
fn without_closing(name: &str) -> &str {
    const CLOSINGS: [&str; 12] = [
        "기자",
        "특파원",
        "記者",
        "记者",
        "報導",
        "报道",
        "報道",
        "报导",
        "摄影报道",
        "文",
        "特派员",
        "著",
    ];
    let closed = CLOSINGS
        .iter()
        .find_map(|c| name.strip_suffix(c))
        .map(str::trim_end);
    closed.filter(|n| n.chars().count() >= 2).unwrap_or(name)
}

/// Whether what is left is a name and not a label, an address, a date or a sentence. `folded` is
/// [`fold_phrase`] of it.
fn is_name(name: &str, folded: &str) -> bool {
    let words: Vec<&str> = name.split(' ').collect();
    let letters = name.chars().filter(|c| c.is_alphabetic()).count();
    let number = |w: &str| w.chars().any(|c| c.is_ascii_digit()) && !w.chars().any(char::is_alphabetic);
    // "à Halmark", "in Berlin": where it was written, and nobody's name.
    let place = words.len() >= 2
        && words.first().is_some_and(|w| {
            matches!(
                *w,
                "à" | "in"
                    | "of"
                    | "aus"
                    | "from"
                    | "at"
                    | "für"
                    | "au"
                    | "desde"
                    | "voor"
                    | "a"
                    | "an"
                    | "the"
            )
        });
    let label = place
        || OPENINGS.has(folded)
        || NO_AUTHORS.has(folded)
        || any(&ENDS, folded)
        || any(&LINKS, folded)
        || any(&PARTICLES, folded);
    let sentence = name.contains([
        '。', '？', '！', '?', '!', '«', '»', '…', '=', '<', '>', '$', '#', '+',
    ]);
    // "design: Jane Doe": a list of who did what. "technology. Based in": two sentences.
    let credits = name.contains(": ");
    let ended = words.iter().rev().skip(1).any(|w| {
        w.ends_with('.') && w.chars().count() > 4 && w.chars().next().is_some_and(char::is_lowercase)
    });
    let template =
        name.contains(['{', '}', '%', '\\']) || name.split('.').count() >= 3 && !name.contains(' ');
    let dense = name.chars().filter(|c| is_dense_script(*c)).count();
    let small = words.iter().filter(|w| {
        let first = w.chars().next().is_some_and(char::is_lowercase);
        first && !any(&PARTICLES, &fold_phrase(w))
    });
    let small = small.count();
    // "Personal finance": a section, as names of two words have two capitals.
    let section = small == 1
        && matches!(words.as_slice(), [first, last] if first.chars().next().is_some_and(char::is_uppercase) && !last.contains('.'));
    let prose =
        (section || words.len() >= 3 && small * 2 >= words.len()) && !is_role(name) && !is_organisation(name)
            || words.len() >= 5 && small * 3 >= words.len() * 2;
    !(label
        || sentence
        || credits
        || ended
        || template
        || prose
        || letters < 2
        || words.len() > 6
        || name.chars().count() > 60
        || dense > 16
        || name.contains("http")
        || name.contains('@')
        || words.iter().any(|w| number(w))
        || name.chars().filter(char::is_ascii_digit).count() > 3)
}
