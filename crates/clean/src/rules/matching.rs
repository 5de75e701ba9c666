//! Looking a line up in the rules.

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use super::{Action, Rule, Rules, RulesError, Zone, bucket};
use crate::normalise::{is_dense_script, is_edge, takes_endings};

/// Where a line stands: what a rule with a zone wants to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Position {
    /// Before the first paragraph of the article.
    Head,
    /// Among the paragraphs.
    Body,
    /// After the last paragraph.
    Tail,
    /// Not said: rules of any zone are looked up.
    Anywhere,
}

/// A rule that matched.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hit<'r> {
    pub(crate) rule: &'r Rule,
    /// The phrase that matched: the evidence.
    pub(crate) phrase: &'r str,
}

/// Phrases that may stand anywhere in a line, with their rules.
#[derive(Debug)]
pub(super) struct Within {
    automaton: AhoCorasick,
    rules: Vec<usize>,
}

impl Within {
    pub(super) fn new(phrases: Vec<(String, usize)>, kind: AhoCorasickKind) -> Result<Self, RulesError> {
        let (phrases, rules): (Vec<String>, Vec<usize>) = phrases.into_iter().unzip();
        let automaton = AhoCorasick::builder().kind(Some(kind)).build(phrases)?;
        Ok(Self { automaton, rules })
    }

    pub(super) fn none() -> Self {
        Self {
            automaton: AhoCorasick::new::<_, &str>([]).unwrap_or_else(|_| unreachable!("an empty automaton")),
            rules: Vec::new(),
        }
    }
}

/// Whether a character stands between a heading and the headline behind it.
const fn is_separator(c: char) -> bool {
    matches!(
        c,
        ':' | '：' | '-' | '/' | '|' | '=' | '>' | '＞' | '→' | '►' | '▶' | '؛' | '｜' | ']' | '】'
    )
}

/// So many of them are looked at, in so many bytes.
const MOST_SEPARATORS: usize = 3;
const LONGEST_HEADING: usize = 120;

impl Hit<'_> {
    pub(crate) fn is_cut(&self) -> bool {
        matches!(self.rule.action, Action::Cut | Action::End)
    }
}

impl Rules {
    /// The first rule that a folded line of so many characters matches at a position: whole lines first,
    /// then beginnings, then what it holds.
    pub(crate) fn find(&self, folded: &str, chars: usize, position: Position) -> Option<Hit<'_>> {
        if chars > self.longest || folded.is_empty() {
            return None;
        }
        let fits = |rule: &Rule| chars <= rule.longest && allows(rule.zone, position);
        if chars <= 90
            && let Some((phrase, rules)) = self.lines.get_key_value(folded)
            && let Some(rule) = self.first_of(rules, fits)
        {
            return Some(Hit { rule, phrase });
        }
        for start in self.starts_of(folded) {
            let rule = self.rules.get(start.rule)?;
            if fits(rule) && begins_with(folded, &start.phrase, start.colon) {
                return Some(Hit {
                    rule,
                    phrase: &start.phrase,
                });
            }
        }
        if let Some(hit) = self.heading_and_headline(folded, chars) {
            return Some(hit);
        }
        let others = (!folded.is_ascii()).then_some(&self.within_other);
        [&self.within].into_iter().chain(others).find_map(|within| {
            // Most lines hold none of them: that question alone is answered twice as fast.
            if !within.automaton.is_match(folded) {
                return None;
            }
            within.automaton.find_overlapping_iter(folded).find_map(|found| {
                let index = within.rules.get(found.pattern().as_usize())?;
                let rule = self.rules.get(*index)?;
                let known = fits(rule) && is_whole_word(folded, found.start(), found.end());
                known.then_some(Hit { rule, phrase: "" })
            })
        })
    }

    /// The first of some rules that fits; what heads something goes before the buttons of share bars.
    fn first_of(&self, rules: &[usize], fits: impl Fn(&Rule) -> bool) -> Option<&Rule> {
        let all = || {
            rules
                .iter()
                .filter_map(|&i| self.rules.get(i))
                .filter(|r| fits(r))
        };
        all().find(|r| r.action != Action::Line).or_else(|| all().next())
    }

    /// The rule of lines that send readers on, if a folded line is a heading of teasers, something that sets it apart, and a
    /// headline: "More from the region: Ferry runs until midnight".
    fn heading_and_headline(&self, folded: &str, chars: usize) -> Option<Hit<'_>> {
        let rule = self
            .rules
            .get(self.related_line?)
            .filter(|r| chars <= r.longest)?;
        let front = folded.char_indices().take_while(|(at, _)| *at <= LONGEST_HEADING);
        let separators = front.filter(|(_, c)| is_separator(*c));
        for (at, _) in separators.take(MOST_SEPARATORS) {
            let heading = folded.get(..at)?.trim_end();
            let Some((phrase, rules)) = self.lines.get_key_value(heading) else {
                continue;
            };
            // One word may be the label of anything.
            let words = phrase.contains(' ') || phrase.chars().filter(|c| takes_endings(*c)).count() >= 4;
            let heads_teasers = |i: &usize| self.rules.get(*i).is_some_and(|r| r.action == Action::Cut);
            if words && rules.iter().any(heads_teasers) {
                return Some(Hit { rule, phrase });
            }
        }
        None
    }

    /// Whether [`Self::find`] may know a line at any position. Asks neither for the line's length nor for its folded form,
    /// but that it [is a phrase](crate::ascii::Facts::is_phrase) but for its ends and its case.
    pub(crate) fn may_know(&self, line: &str) -> bool {
        self.quick.may_know(line)
    }

    /// The rule of a heading of teasers that a folded line opens with, of two words or more: for texts without
    /// line ends, where heading and teasers are one piece.
    pub(crate) fn opens_with_heading(&self, folded: &str) -> Option<Hit<'_>> {
        let spaces = folded.char_indices().filter(|(_, c)| *c == ' ').map(|(i, _)| i);
        let ends: Vec<usize> = spaces.take(6).skip(1).collect();
        ends.iter().rev().find_map(|end| {
            let (phrase, rules) = self.lines.get_key_value(folded.get(..*end)?)?;
            let rule = rules
                .iter()
                .filter_map(|&i| self.rules.get(i))
                .find(|r| r.action == Action::Cut)?;
            Some(Hit { rule, phrase })
        })
    }

    fn starts_of(&self, folded: &str) -> impl Iterator<Item = &super::Start> {
        let [first, second] = bucket(folded);
        self.starts
            .get(&[first, second])
            .into_iter()
            .chain(self.starts.get(&[first, '\0']))
            .flatten()
    }

    /// Whether a folded line opens as a picture's credit does ("photo:", "© ", …).
    pub(crate) fn opens_credit(&self, folded: &str) -> bool {
        opens(&self.credit_open, folded)
    }

    /// Whether a folded line opens as the text under a picture does ("pictured", "figure 3", …).
    pub(crate) fn opens_caption(&self, folded: &str) -> bool {
        opens(&self.caption_open, folded)
    }

    /// Whether a line that is not folded yet begins with two letters that some caption opens with: most do not, and need
    /// not be folded to know it.
    pub(crate) fn may_open_caption(&self, line: &str) -> bool {
        match line.trim_start_matches(is_edge).as_bytes() {
            [first, second, ..] if first.is_ascii_alphanumeric() && second.is_ascii_alphanumeric() => {
                let [first, second] = [first, second].map(u8::to_ascii_lowercase).map(usize::from);
                self.caption_pairs
                    .get(first * 0x80 + second)
                    .is_none_or(|may| *may)
            }
            _ => true,
        }
    }

    /// Whether a folded name is credited under pictures (an agency, "file photo", …).
    pub(crate) fn is_credited(&self, folded: &str) -> bool {
        self.credit_agency.contains_key(folded)
    }

    /// The stored name of a news agency, by a folded form of its name.
    pub(crate) fn agency(&self, folded: &str) -> Option<&str> {
        self.agencies.get(folded).map(String::as_str)
    }

    /// What follows the opening of a byline, if the folded line opens as one: bytes of the opening.
    pub(crate) fn byline_opening(&self, folded: &str) -> Option<(usize, bool)> {
        self.bylines
            .iter()
            .filter(|(phrase, _)| !phrase.is_empty() && phrase.bytes().next() == folded.bytes().next())
            .find(|(phrase, colon)| begins_with(folded, phrase, *colon))
            .map(|(phrase, colon)| (phrase.len(), *colon))
    }
}

fn opens(
    openings: &std::collections::HashMap<[char; 2], Vec<super::Start>, super::Fast>,
    folded: &str,
) -> bool {
    let [first, second] = bucket(folded);
    openings
        .get(&[first, second])
        .into_iter()
        .chain(openings.get(&[first, '\0']))
        .flatten()
        .any(|s| begins_with(folded, &s.phrase, s.colon))
}

const fn allows(zone: Zone, position: Position) -> bool {
    if matches!(position, Position::Anywhere) {
        return true;
    }
    match zone {
        Zone::Any => true,
        Zone::Head => matches!(position, Position::Head),
        Zone::Tail => matches!(position, Position::Tail),
    }
}

/// Whether a line begins with a phrase, at a word boundary; with a colon behind it if the phrase wants one.
fn begins_with(line: &str, phrase: &str, colon: bool) -> bool {
    let Some(rest) = line.strip_prefix(phrase) else {
        return false;
    };
    if rest.is_empty() {
        return true;
    }
    if colon {
        return rest.trim_start().starts_with(is_separator);
    }
    let last = phrase.chars().next_back();
    let boundary = rest.chars().next().is_none_or(|c| !c.is_alphanumeric());
    boundary || last.is_some_and(|c| takes_endings(c) || !c.is_alphanumeric())
}

/// Whether `start..end` of a line begins and ends at word boundaries.
fn is_whole_word(line: &str, start: usize, end: usize) -> bool {
    let before = line.get(..start).and_then(|s| s.chars().next_back());
    let after = line.get(end..).and_then(|s| s.chars().next());
    let inside = |c: char| c.is_alphanumeric() && !is_dense_script(c);
    !before.is_some_and(inside) && !after.is_some_and(|c| inside(c) && !takes_endings(c))
}
