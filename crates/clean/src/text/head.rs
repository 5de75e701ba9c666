//! The head of a text: headline, byline, dateline.

use copydesk_article::{BlockKind, RuleId, Timestamp};

use crate::dates::Order;
use crate::draft::{Draft, End};
use crate::metadata::authors::{behind_date, clean_names};
use crate::metadata::date_line as date_line_of;
use crate::metadata::is_name_alone;
use crate::metadata::roles::{is_full_name, is_role};
use crate::normalise::{fold_phrase, is_dense_script, key};
use crate::rules::{Position, Rules};

const BYLINE: RuleId = RuleId::of("byline");
const DATE_LINE: RuleId = RuleId::of("date-line");

/// A longer first line is a paragraph without a full stop, in words.
const LONGEST_HEADLINE: usize = 22;

/// Lines at the start that are looked at.
const HEAD_LINES: usize = 12;

/// What the head of a text says about the article.
#[derive(Debug, Default, Clone)]
pub(crate) struct Head {
    pub(crate) title: Option<String>,
    pub(crate) authors: Vec<String>,
    /// `authors` stand behind a word that says so: "By Jane Doe".
    pub(crate) says_by: bool,
    pub(crate) published: Option<Timestamp>,
}

/// Reads the head and marks its blocks. `title` is the title that is known already, if any.
pub(crate) fn read_head(drafts: &mut [Draft], title: Option<&str>, rules: &Rules) -> Head {
    let mut head = Head::default();
    find_headline(drafts, title, rules, &mut head);
    read_byline(drafts, rules, &mut head);
    head
}

/// Reads the lines before the first paragraph: names of authors and a date go into `head`.
pub(crate) fn read_byline(drafts: &mut [Draft], rules: &Rules, head: &mut Head) {
    let first_prose = drafts
        .iter()
        .position(|d| d.is_kept() && d.kind == BlockKind::Body && d.is_prose());
    // Lines that are gone do not count: a text that was cleaned once has the same head.
    let before = drafts.get_mut(..first_prose.unwrap_or(0)).unwrap_or_default();
    for draft in before.iter_mut().filter(|d| d.is_kept()).take(HEAD_LINES) {
        if draft.kind != BlockKind::Body || draft.chars > 120 {
            continue;
        }
        // The same byline again, as pages have it above and below their picture, says nothing new.
        if let Some(byline) = byline(&draft.text, rules)
            && (head.authors.is_empty() || head.authors == byline.names)
        {
            head.authors = byline.names;
            head.says_by = byline.says_by;
            head.published = head.published.or_else(|| date_line(draft).flatten());
            draft.remove(&BYLINE, None);
        } else if let Some(date) = date_line(draft) {
            head.published = head.published.or(date);
            draft.remove(&DATE_LINE, None);
        }
    }
    if head.authors.is_empty()
        && let Some(first) = first_prose
        && let Some(draft) = drafts
            .get_mut(..first)
            .and_then(|before| before.iter_mut().rev().find(|d| d.is_kept()))
        && is_name_line(draft)
        && draft.rule(rules, Position::Head).is_none()
    {
        head.authors = clean_names(&draft.text);
        draft.remove(&BYLINE, None);
    }
}

/// Whether a line directly before the first paragraph is nothing but names, as small papers sign:
/// "Jane Doe", "Jane Doe/John Roe".
fn is_name_line(draft: &Draft) -> bool {
    let body = matches!(draft.kind, BlockKind::Body | BlockKind::Dek);
    body && draft.end == End::Open && draft.words <= 8 && draft.text.split('/').all(is_name_alone)
}

/// What lines around a headline say, whether they were taken out or not; nothing is marked.
pub(crate) fn scan<'d>(drafts: impl Iterator<Item = &'d Draft>, rules: &Rules, head: &mut Head) {
    for draft in drafts.filter(|d| d.chars <= 140 && d.words <= 20) {
        if head.authors.is_empty()
            && let Some(byline) = byline(&draft.text, rules)
        {
            head.authors = byline.names;
            head.says_by = byline.says_by;
        }
        if head.published.is_none() {
            head.published = date_line(draft).flatten();
        }
    }
}

/// The headline: the line that says the known title, else the first line if it looks like one and
/// paragraphs follow.
fn find_headline(drafts: &mut [Draft], title: Option<&str>, rules: &Rules, head: &mut Head) {
    if let Some(wanted) = title.and_then(key) {
        let found = drafts
            .iter_mut()
            .filter(|d| d.is_kept())
            .take(HEAD_LINES)
            .find(|d| d.key() == wanted);
        if let Some(draft) = found {
            draft.kind = BlockKind::Headline;
        }
        return;
    }
    let Some(i) = drafts.iter().position(Draft::is_kept) else {
        return;
    };
    let follows = drafts
        .iter()
        .skip(i + 1)
        .filter(|d| d.is_kept())
        .take(6)
        .any(Draft::is_prose);
    let Some(draft) = drafts.get_mut(i) else { return };
    let headline = draft.words >= 2
        && draft.words <= LONGEST_HEADLINE
        && draft.chars <= 160
        && draft.chars >= 8
        && draft.text.matches(": ").count() < 2
        && matches!(draft.end, End::Open | End::Sentence)
        && (draft.end == End::Open
            || draft.text.ends_with(['?', '!', '？', '！'])
            || draft.text.ends_with(['’', '”', '"', '\'', '»', '」']) && !draft.is_prose());
    if !headline || !follows {
        return;
    }
    let boilerplate = draft.rule(rules, Position::Head).is_some();
    if boilerplate || byline(&draft.text, rules).is_some() || date_line(draft).is_some() {
        return;
    }
    draft.kind = BlockKind::Headline;
    head.title = Some(draft.text.clone());
}

/// A line that says who wrote the article.
struct Byline {
    names: Vec<String>,
    /// They stand behind a word that says so.
    says_by: bool,
}

/// The names in a byline, if the line is one: "By Jane Doe and John Roe, Staff Writers", "Jane Doe, Staff Writer", "19 March
/// 2026 by Jane Doe".
fn byline(text: &str, rules: &Rules) -> Option<Byline> {
    let said = |names, says_by| Byline { names, says_by };
    if let Some(names) = opened_byline(text, rules) {
        return Some(said(names, true));
    }
    let names = dated_byline(text).or_else(|| name_and_role(text))?;
    Some(said(names, false))
}

/// The names behind a date: "Posted on 19 March 2026 by Jane Doe".
fn dated_byline(text: &str) -> Option<Vec<String>> {
    let names = clean_names(behind_date(text)?);
    let plausible = !names.is_empty() && names.iter().all(|n| is_name_like(n));
    plausible.then_some(names)
}

/// The longest line of a name and a role, in bytes.
const LONGEST_SIGNED: usize = 100;

/// A name and what its bearer does: "Jane Doe, Staff Writer", "홍길동 기자".
fn name_and_role(text: &str) -> Option<Vec<String>> {
    if text.len() > LONGEST_SIGNED {
        return None;
    }
    let korean = text.ends_with("기자") && text.chars().count() <= 10;
    (korean || is_signed(text))
        .then(|| clean_names(text))
        .filter(|names| !names.is_empty())
}

/// Whether a line is a name, a separator, and a role.
fn is_signed(text: &str) -> bool {
    let Some((name, rest)) = text.split_once([',', '|', '•', '·', '–', '—']) else {
        return false;
    };
    let name = name.trim();
    let capital = |w: &str| w.chars().next().is_some_and(char::is_uppercase);
    if !name.split(' ').all(capital) || !(2..=4).contains(&name.split(' ').count()) {
        return false;
    }
    let parts = || {
        let parts = rest.split([',', '|', '•', '·', '–', '—']).map(str::trim);
        parts.filter(|p| !p.is_empty())
    };
    let short = parts().all(|p| p.split(' ').count() <= 6 && !p.ends_with(['.', '!', '?']));
    short && parts().any(is_role) && is_full_name(name)
}

/// The names behind words that open a byline.
fn opened_byline(line: &str, rules: &Rules) -> Option<Vec<String>> {
    let line = if line.is_ascii() {
        line.split('|').next().unwrap_or(line)
    } else {
        line.split(['|', '•', '·']).next().unwrap_or(line)
    };
    let text = match line.bytes().position(|b| b.is_ascii_digit()) {
        Some(i) => line.get(..i).unwrap_or(line),
        None => line,
    };
    if text.bytes().filter(|b| *b == b' ').count() > 16 {
        return None;
    }
    let folded = fold_phrase(text);
    if folded.bytes().filter(|b| *b == b' ').count() > 13 {
        return None;
    }
    let (opening, colon) = rules.byline_opening(&folded)?;
    let opening_chars = folded.get(..opening)?.chars().count();
    let start = line.chars().position(char::is_alphanumeric).unwrap_or(0);
    // The names end before a date: that is easier told where the date is there.
    let rest: String = line.chars().skip(start + opening_chars).collect();
    let rest = rest.trim_matches([' ', ':', '：', '/', '-', '|', '·', '•']);
    let names = clean_names(rest);
    let capital = rest.chars().next().is_some_and(|c| !c.is_lowercase());
    if names.is_empty() || !capital {
        return None;
    }
    // Without a colon the words after "by" must be names: every name capitalised, no verb after them, and no sentence.
    let sentence = text.trim_end().ends_with(['。', '！', '？']);
    let plausible = colon || !sentence && names.iter().all(|n| is_name_like(n));
    plausible.then_some(names)
}

/// A name in a script without spaces has so many characters at most.
const LONGEST_DENSE_NAME: usize = 6;

/// Two to four capitalised words, or letters of a script without case.
fn is_name_like(name: &str) -> bool {
    let words: Vec<&str> = name.split(' ').collect();
    // Scripts without spaces: "记者从市交通局获悉" is the beginning of a sentence.
    let long = |w: &&str| w.chars().filter(|c| is_dense_script(*c)).count() > LONGEST_DENSE_NAME;
    if words.iter().any(long) {
        return false;
    }
    let capitals = words
        .iter()
        .filter(|w| {
            w.chars()
                .next()
                .is_some_and(|c| c.is_uppercase() || (c.is_alphabetic() && !c.is_lowercase()))
        })
        .count();
    words.len() <= 5
        && capitals >= 1
        && capitals + 2 >= words.len()
        && !name.chars().any(|c| c.is_ascii_digit())
}

/// A line that is nothing but a date ("March 20, 2026", "Published: 20 March 2026 18:05"): the day of publication, or
/// that of a change.
fn date_line(draft: &Draft) -> Option<Option<Timestamp>> {
    let short = draft.chars <= 80 && draft.text.chars().any(char::is_numeric);
    if !short || draft.text.split_whitespace().count() > 12 {
        return None;
    }
    date_line_of(draft, Order::DayFirst).map(|line| line.published)
}
