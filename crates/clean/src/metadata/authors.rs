//! Names of authors, cleaned.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};

use super::author_words::{AGENCIES_IN_GENERAL, DEGREES};
use super::name::{WEEKDAYS, clean_name, did_else, names_others, opens_byline, without_brackets};
use super::roles::{
    any, is_collective, is_full_name, is_organisation, is_place, is_rank, is_role, is_role_word,
};
use crate::dates::{Order, labelled};
use crate::normalise::{fold_phrase, is_dense_script};

/// The most names that a byline has.
const MOST: usize = 20;

/// Splits what a page calls its author into names. Titles, places, agencies beside a name and addresses are dropped; the
/// order of the byline is kept; nothing is made up.
pub(crate) fn clean_names(text: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    if text.contains("://") {
        return names;
    }
    let text = behind_date(text).unwrap_or(text);
    let text = without_others(text);
    // "Edited by Jane Doe and John Roe": neither of them wrote it.
    let (mut others, mut is_dateline) = (false, false);
    for Part { text: part, is_apart } in split(&without_brackets(text)) {
        if names.len() > MOST {
            break;
        }
        let folded = fold_phrase(&part);
        let is_role_of_name = !names.is_empty() && ends_in_role(&folded);
        others = !is_role_of_name && (names_others(&folded) || others && !is_apart && !opens_byline(&folded));
        // "Jane Doe, da redação": for whom, and nobody more.
        let is_of_staff = !names.is_empty()
            && part.starts_with(char::is_lowercase)
            && folded.rsplit(' ').next().is_some_and(is_collective);
        if others
            || is_of_staff
            || did_else(&part)
            || is_apart && !names.is_empty() && is_place_of_report(&part)
        {
            continue;
        }
        is_dateline |= is_weekday(&folded);
        if let Some(last) = names.last_mut()
            && any(&DEGREES, &folded.replace(['.', '®'], ""))
        {
            last.push_str(", ");
            last.push_str(&part);
        } else if is_role_of_name {
            // "Jane Doe, Content Marketing Coordinator".
        } else if let Some(name) = clean_name(&part, &folded)
            && (names.is_empty() || {
                let folded = fold_phrase(&name);
                !names.iter().any(|n| fold_phrase(n) == folded)
            })
        {
            names.push(name);
        }
    }
    if names.len() > 1 {
        if names.iter().any(|n| is_full_name(n)) {
            names.retain(|n| is_full_name(n) || !is_beside_names(n));
        } else {
            names.retain(|n| !any(&AGENCIES_IN_GENERAL, &fold_phrase(n)));
        }
    }
    // "Brenmark, Thursday" says where and when.
    if is_dateline && !names.iter().any(|n| is_full_name(n)) {
        names.clear();
    }
    names.retain(|n| !is_weekday(&fold_phrase(n)));
    names.truncate(MOST);
    names
}

/// Whether a folded part of a byline is a day of the week and nothing else. That is nobody's name.
fn is_weekday(folded: &str) -> bool {
    WEEKDAYS.contains(&folded) || GERMAN_WEEKDAYS.contains(&folded)
}

const GERMAN_WEEKDAYS: [&str; 7] = [
    "montag",
    "dienstag",
    "mittwoch",
    "donnerstag",
    "freitag",
    "samstag",
    "sonntag",
];

/// Whether a part of a byline says from where somebody reports: "台北報導" behind a name.
fn is_place_of_report(part: &str) -> bool {
    ["報導", "报导", "報道", "报道"]
        .iter()
        .any(|end| part.trim_end_matches(['］', ']', '】']).ends_with(end))
}

/// The longest line of a date and a name, in bytes.
const LONGEST_DATED: usize = 160;

/// What follows "by" behind a date: "Posted on 19 March 2026 by Jane Doe", "19.03.2026 18:40 von Jane Doe".
pub(crate) fn behind_date(text: &str) -> Option<&str> {
    const BY: [&str; 14] = [
        " by ", " By ", " von ", " par ", " por ", " door ", " av ", " af ", " di ", " przez ", " от ",
        " від ", " oleh ", " - By ",
    ];
    if text.len() > LONGEST_DATED || !text.bytes().any(|b| b.is_ascii_digit()) {
        return None;
    }
    let (before, rest) = BY
        .iter()
        .filter_map(|by| text.split_once(by))
        .min_by_key(|(before, _)| before.len())?;
    let dates = labelled(before, Order::DayFirst);
    let only = dates.len() == 1 && dates.iter().all(|d| d.label.split(' ').count() <= 3);
    let name = rest.chars().next().is_some_and(|c| !c.is_lowercase());
    let last = before.rsplit(' ').next().unwrap_or_default();
    let dated = last.bytes().any(|b| b.is_ascii_digit())
        || matches!(
            last,
            "Uhr" | "am" | "pm" | "AM" | "PM" | "a.m." | "p.m." | "|" | "-" | "–" | "•" | "·"
        );
    (only && name && dated).then_some(rest)
}

/// Whether a folded part of a byline says at its end what somebody does.
fn ends_in_role(folded: &str) -> bool {
    let last = folded.rsplit(' ').next().unwrap_or_default();
    folded.contains(' ') && is_role_word(last) && !is_collective(last)
}

/// What stands between two names.
const SEPARATORS: [&str; 36] = [
    ";", ",", " and ", " und ", " & ", " et ", " y ", " e ", " en ", " och ", " og ", " i ", " ve ", " и ",
    " та ", " και ", "|", "/", " · ", " • ", "、", "، ", "，", " و ", " dan ", " és ", " ja ", " with ",
    " mit ", "∙", "／", " avec ", " con ", " com ", " met ", " med ",
];

/// All of them at once, whatever their case.
static ANY_SEPARATOR: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    AhoCorasick::builder()
        .match_kind(MatchKind::LeftmostFirst)
        .ascii_case_insensitive(true)
        .build(SEPARATORS)
        .ok()
});

/// A part of a byline.
struct Part {
    text: String,
    /// It stands behind a sign that sets more apart than two names: a bar, a slash, a dot.
    is_apart: bool,
}

/// `text` has its white space folded already.
fn split(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let (mut from, mut is_apart) = (0, true);
    let found = ANY_SEPARATOR.as_ref().map(|s| s.find_iter(text));
    for found in found.into_iter().flatten() {
        // The space behind a word may be the one before the next.
        let part = text.get(from..found.start()).unwrap_or_default();
        parts.push(Part {
            text: part.trim().to_owned(),
            is_apart,
        });
        let separator = text.get(found.range()).unwrap_or_default().trim();
        is_apart = matches!(separator, ";" | "|" | "/" | "／" | "·" | "•" | "∙");
        from = found.end();
    }
    parts.push(Part {
        text: text.get(from..).unwrap_or_default().trim().to_owned(),
        is_apart,
    });
    parts.retain(|p| !p.text.is_empty());
    parts
}

/// A byline without the people behind it who did not write: "Jane Doe, MD. Medically reviewed by John Roe".
fn without_others(text: &str) -> &str {
    const OTHERS: [&str; 12] = [
        " medically reviewed by ",
        " Medically reviewed by ",
        " fact checked by ",
        " Fact checked by ",
        " fact-checked by ",
        " reviewed by ",
        " Reviewed by ",
        " edited by ",
        " Edited by ",
        " translated by ",
        " photos by ",
        " Photos by ",
    ];
    if !text.contains(" by ") {
        return text;
    }
    let end = OTHERS.iter().filter_map(|o| text.find(o)).min();
    end.and_then(|end| text.get(..end))
        .map_or(text, |before| before.trim_end_matches([' ', '.', ',', '|']))
}

/// What stands beside the names of a byline and is none: a role, a place, an agency, a single word.
fn is_beside_names(name: &str) -> bool {
    let single = !name.contains(' ') && !name.chars().any(is_dense_script);
    single || is_role(name) || is_rank(name) || is_place(name) || is_organisation(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bylines_become_names() {
        for (text, expected) in [
            ("By Jane Doe and John Roe", &["Jane Doe", "John Roe"][..]),
            (
                "Von Ilse Marrick, Dorin Halvek",
                &["Ilse Marrick", "Dorin Halvek"],
            ),
            ("Jane Doe; jane doe", &["Jane Doe"]),
            ("https://news.example/author/7", &[]),
            ("Jane Doe, Transport Correspondent", &["Jane Doe"]),
            ("Jane Doe Senior Political Editor", &["Jane Doe"]),
            ("Staff writer Jane Doe", &["Jane Doe"]),
            ("Jane Doe in Brenmark", &["Jane Doe"]),
            ("Jane Doe for The Brenmark Post", &["Jane Doe"]),
            ("Jane Doe and agencies", &["Jane Doe"]),
            ("Jane Doe with Reuters", &["Jane Doe"]),
            (
                "Von Ilse Marrick und Dorin Halvek, Brenmark",
                &["Ilse Marrick", "Dorin Halvek"],
            ),
            ("By Jane Doe, New York", &["Jane Doe"]),
            ("By Jane Doe (she/her)", &["Jane Doe"]),
            ("Jane Doe (jdo)", &["Jane Doe"]),
            ("By Jane Doe @janed Published 6:40 p.m.", &["Jane Doe"]),
            ("Jane Doe March 20, 2026", &["Jane Doe"]),
            ("Jane Doe am 20. März 2026", &["Jane Doe"]),
            ("Text: Jane Doe", &["Jane Doe"]),
            ("Foto: Jane Doe", &[]),
            ("Jane Doe (Text) und John Roe (Fotos)", &["Jane Doe"]),
            ("Words: Jane Doe Pictures: John Roe", &["Jane Doe"]),
            ("By Jane Doe jane@news.example", &["Jane Doe"]),
            ("Par Jane Doe avec AFP", &["Jane Doe"]),
            ("記者王小明／台北報導", &["王小明"]),
            ("記者コラム", &[]),
            ("@harbourpost", &[]),
            ("Brenmark, Thursday", &[]),
            ("All the news from the harbour and the coast", &[]),
            ("Edited by Jane Doe", &[]),
            ("Reviewed by Jane Doe, Trial Attorney at Doe & Roe", &[]),
            ("Photos by John Roe and Ann Poe | Text: Jane Doe", &["Jane Doe"]),
            ("By Jane Doe, DVM. Reviewed by John Roe, DVM", &["Jane Doe, DVM"]),
            ("Jane Doe, Head Winemaker", &["Jane Doe"]),
            (
                "Jane Doe, Home and Harbour Security Expert & John Roe, Home Security Expert",
                &["Jane Doe", "John Roe"],
            ),
            ("JaneD on Friday December 19, 2025", &["JaneD"]),
            ("Articles by Jane Doe", &["Jane Doe"]),
            ("content: Harbour Press, design: Jane Doe", &[]),
            (
                "Jane Doe, a writer on technology. Based in Halmark",
                &["Jane Doe"],
            ),
            ("A. J. Doe View all posts", &["A. J. Doe"]),
            ("Personal finance", &[]),
            ("作者：张三", &["张三"]),
            ("本报记者 张三 李四", &["张三 李四"]),
            ("记者张三", &["张三"]),
            ("홍길동 기자", &["홍길동"]),
            ("责任编辑：张三", &[]),
            (
                "Ludwig van Beethoven, María de la Cruz",
                &["Ludwig van Beethoven", "María de la Cruz"],
            ),
            (
                "Jane Doe, MS, RD and John Roe, Ph.D.",
                &["Jane Doe, MS, RD", "John Roe, Ph.D."],
            ),
            ("Lifestyle Desk", &["Lifestyle Desk"]),
            ("July 20", &[]),
            ("Sarah", &["Sarah"]),
            ("jsteinhardt", &["jsteinhardt"]),
            ("dpa", &["dpa"]),
            ("Senior Reporter", &["Senior Reporter"]),
            ("Read more about how the harbour works", &[]),
            ("The council said that ships may enter", &[]),
            ("page.head.extra.author", &[]),
            ("{{ author }}", &[]),
        ] {
            assert_eq!(clean_names(text), expected, "{text}");
        }
    }
}
