//! The rules: what a line of boilerplate looks like, as data (`builtin.toml`), compiled for speed.
//!
//! A phrase is looked up, never searched for: whole lines in a hash map, beginnings by their first two
//! letters, and the few phrases that may stand anywhere in one Aho-Corasick automaton. A line that is longer
//! than its rule allows is not looked at at all, so that a long paragraph costs nothing.

mod file;
mod known;
mod matching;
mod names;
mod quick;

use matching::Within;
pub(crate) use matching::{Hit, Position};

pub(crate) use names::{Attribute, NameHints, Names, Scratch};

use std::collections::HashMap;

use aho_corasick::AhoCorasickKind;
use copydesk_article::RuleId;

use crate::fast::Fast;
use crate::normalise::fold_phrase;
use crate::signs::Weights;
use file::{File, RuleEntry, with_networks};
use quick::Quick;

/// What can be wrong with a rules file.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// It is not TOML, or not of the documented shape.
    #[error("the rules file cannot be read: {0}")]
    Toml(#[from] toml::de::Error),
    /// A rule's name is empty or not kebab-case.
    #[error("rule {0:?}: a name is lower-case letters, digits and hyphens")]
    Name(String),
    /// A rule has no phrases.
    #[error("rule {0:?} has no phrases: name it under `disable` to drop it")]
    NoPhrases(String),
    /// A phrase has no letter or digit in it, so that it would match nothing or everything.
    #[error("rule {rule:?}: the phrase {phrase:?} has no letter or digit")]
    EmptyPhrase {
        /// The rule.
        rule: String,
        /// The phrase.
        phrase: String,
    },
    /// `disable` names something that there is not.
    #[error("there is no rule or sign {name:?} to disable; the nearest is {nearest:?}")]
    Unknown {
        /// What the file names.
        name: String,
        /// The rule or sign whose name is most like it.
        nearest: String,
    },
    /// Too many phrases for the automaton.
    #[error("the phrases cannot be compiled: {0}")]
    Compile(#[from] aho_corasick::BuildError),
}

/// How the phrases of a rule are compared with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Match {
    /// The whole line is the phrase.
    Line,
    /// The line begins with it.
    Start,
    /// It stands anywhere in the line.
    Within,
}

/// What a match does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Action {
    /// The line goes.
    Line,
    /// The line heads a list of teasers, which go with it.
    Cut,
    /// The line ends the article: on a whole page everything after it goes, elsewhere as `cut`.
    End,
}

/// Where a rule holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Zone {
    /// Everywhere.
    #[default]
    Any,
    /// Before the first paragraph.
    Head,
    /// After the last paragraph, or in the last lines.
    Tail,
}

/// One compiled rule.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) id: RuleId,
    pub(crate) action: Action,
    pub(crate) zone: Zone,
    pub(crate) longest: usize,
    /// One phrase of it is enough to take out a sentence.
    pub(crate) sure: bool,
}

/// A beginning of a line.
#[derive(Debug)]
pub(crate) struct Start {
    pub(crate) phrase: String,
    pub(crate) colon: bool,
    pub(crate) rule: usize,
}

/// The cleaning rules, compiled. Shared by all threads, never changed.
#[derive(Debug)]
pub struct Rules {
    version: String,
    pub(crate) rules: Vec<Rule>,
    /// The longest line that any rule looks at, in characters.
    pub(crate) longest: usize,
    lines: HashMap<String, Vec<usize>, Fast>,
    starts: HashMap<[char; 2], Vec<Start>, Fast>,
    /// Phrases that may stand anywhere: those of ASCII, which most lines are searched for, and all others.
    within: Within,
    within_other: Within,
    quick: Quick,
    /// The rule of lines that send readers on.
    related_line: Option<usize>,
    bylines: Vec<(String, bool)>,
    /// The longest phrase in `caption_open`, in bytes.
    pub(crate) longest_caption_open: usize,
    /// Which two bytes of ASCII some phrase in `caption_open` begins with: the first one times 0x80 and the second.
    caption_pairs: Vec<bool>,
    caption_open: HashMap<[char; 2], Vec<Start>, Fast>,
    credit_open: HashMap<[char; 2], Vec<Start>, Fast>,
    credit_agency: HashMap<String, (), Fast>,
    agencies: HashMap<String, String, Fast>,
    pub(crate) names: Names,
    pub(crate) widgets: Vec<RuleId>,
    pub(crate) weights: Weights,
    /// Rules of the code that the user switched off.
    disabled: Vec<String>,
}

const BUILTIN: &str = include_str!("builtin.toml");

impl Rules {
    /// The rules that come with copydesk.
    ///
    /// They are part of the program and tested with it, so that this cannot fail at run time; a build
    /// with broken rules cleans without them and its tests fail.
    pub fn builtin() -> Self {
        Self::compile(&[BUILTIN]).unwrap_or_else(|_| Self::none())
    }

    /// The built-in rules, extended or replaced by a file of the same form: a rule of the same name
    /// replaces a built-in one, `disable = ["name"]` drops rules, `replace = true` drops all of them.
    ///
    /// # Errors
    /// [`RulesError`] says which rule is wrong and why.
    pub fn from_toml(text: &str) -> Result<Self, RulesError> {
        Self::compile(&[BUILTIN, text])
    }

    /// Names these rules in `rules_version`: a number for the code and a hash of the files. Articles with
    /// the same version and the same input have the same result.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Whether the user switched off a rule of the code.
    pub(crate) fn is_disabled(&self, rule: &RuleId) -> bool {
        !self.disabled.is_empty() && self.disabled.iter().any(|d| d == rule.as_str())
    }

    fn none() -> Self {
        Self {
            version: "none".to_owned(),
            rules: Vec::new(),
            longest: 0,
            lines: HashMap::default(),
            starts: HashMap::default(),
            within: Within::none(),
            within_other: Within::none(),
            quick: Quick::default(),
            related_line: None,
            bylines: Vec::new(),
            longest_caption_open: 0,
            caption_pairs: Vec::new(),
            caption_open: HashMap::default(),
            credit_open: HashMap::default(),
            credit_agency: HashMap::default(),
            agencies: HashMap::default(),
            names: Names::default(),
            widgets: Vec::new(),
            weights: Weights::builtin(),
            disabled: Vec::new(),
        }
    }

    fn compile(texts: &[&str]) -> Result<Self, RulesError> {
        let mut all = File::default();
        let mut disabled = Vec::new();
        for text in texts {
            let file = toml::from_str::<File>(text)?;
            known::check(&file.disable, &all)?;
            disabled.extend(file.disable.iter().cloned());
            all.merge(file);
        }
        let mut rules = Self::none();
        for name in &disabled {
            rules.weights.disable(name);
        }
        rules.disabled = disabled;
        rules
            .weights
            .add_words(&all.signs.address, &all.signs.request, &all.signs.reported);
        rules.version = version(texts, rules.weights.version);
        let mut patterns = Vec::new();
        for entry in &all.rule {
            rules.add(entry, &all.networks, &mut patterns)?;
        }
        let starts = rules.starts.values().flatten().map(|s| s.phrase.as_str());
        let (ascii, other): (Vec<_>, Vec<_>) = patterns.into_iter().partition(|(p, _)| p.is_ascii());
        let of_ascii: Vec<&str> = ascii.iter().map(|(p, _)| p.as_str()).collect();
        rules.quick = Quick::new(rules.lines.keys().map(String::as_str), starts, &of_ascii);
        // A table of a few hundred KB, made once, that takes one step a byte. That of the others would have many MB.
        rules.within = Within::new(ascii, AhoCorasickKind::DFA)?;
        rules.within_other = Within::new(other, AhoCorasickKind::ContiguousNFA)?;
        for widget in &all.widget {
            check_name(&widget.name)?;
            let Ok(index) = u16::try_from(rules.widgets.len()) else {
                break;
            };
            rules.widgets.push(RuleId::from_file(widget.name.clone()));
            if widget.name == "unseen" {
                rules.names.unseen.push(index);
            }
            for part in &widget.parts {
                rules.names.add_widget(part, index, widget.sure, widget.wide);
            }
        }
        rules.names.add_hints(&all.hint);
        for prefix in &all.head.byline {
            rules
                .bylines
                .push((fold_phrase(prefix), prefix.trim_end().ends_with([':', '/'])));
        }
        // The longest first, so that "written by" is tried before "by".
        rules.bylines.sort_by(|a, b| {
            b.0.chars()
                .count()
                .cmp(&a.0.chars().count())
                .then_with(|| a.0.cmp(&b.0))
        });
        rules.caption_open = openings(&all.caption.open);
        let longest = rules.caption_open.values().flatten().map(|s| s.phrase.len());
        rules.longest_caption_open = longest.max().unwrap_or(0);
        rules.caption_pairs = (0..0x80_u8)
            .flat_map(|first| (0..0x80_u8).map(move |second| [first, second].map(char::from)))
            .map(|[first, second]| {
                let open = &rules.caption_open;
                open.contains_key(&[first, second]) || open.contains_key(&[first, '\0'])
            })
            .collect();
        rules.credit_open = openings(&all.credit.open);
        rules.credit_agency = all.credit.agency.iter().map(|a| (fold_phrase(a), ())).collect();
        for (name, forms) in all.agencies {
            for form in forms {
                rules.agencies.insert(fold_phrase(&form), name.clone());
            }
        }
        Ok(rules)
    }

    fn add(
        &mut self,
        entry: &RuleEntry,
        networks: &[String],
        patterns: &mut Vec<(String, usize)>,
    ) -> Result<(), RulesError> {
        let name = entry.name.clone();
        let kebab = name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if !kebab || name.is_empty() {
            return Err(RulesError::Name(name));
        }
        if entry.phrases.is_empty() {
            return Err(RulesError::NoPhrases(name));
        }
        let index = self.rules.len();
        if name == "related-line" {
            self.related_line.get_or_insert(index);
        }
        for phrase in entry.phrases.iter().flat_map(|p| with_networks(p, networks)) {
            let folded = fold_phrase(&phrase);
            if !folded.chars().any(|c| c.is_alphanumeric() || c == '©') {
                return Err(RulesError::EmptyPhrase {
                    rule: name,
                    phrase: phrase.into_owned(),
                });
            }
            match entry.matching {
                Match::Line => self.lines.entry(folded).or_default().push(index),
                Match::Start => {
                    let start = Start {
                        phrase: folded,
                        colon: ends_in_colon(&phrase),
                        rule: index,
                    };
                    self.starts.entry(bucket(&start.phrase)).or_default().push(start);
                }
                Match::Within => {
                    patterns.push((folded, index));
                }
            }
        }
        self.longest = self.longest.max(entry.longest);
        self.rules.push(Rule {
            id: RuleId::from_file(name),
            action: entry.action,
            zone: entry.zone,
            longest: entry.longest,
            sure: entry.sure,
        });
        Ok(())
    }
}

/// Beginnings, filed by their first two letters.
fn openings(phrases: &[String]) -> HashMap<[char; 2], Vec<Start>, Fast> {
    let mut out: HashMap<[char; 2], Vec<Start>, Fast> = HashMap::default();
    for open in phrases {
        let start = Start {
            phrase: fold_phrase(open),
            colon: ends_in_colon(open),
            rule: 0,
        };
        out.entry(bucket(&start.phrase)).or_default().push(start);
    }
    out
}

fn check_name(name: &str) -> Result<(), RulesError> {
    let kebab = name
        .chars()
        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if kebab && !name.is_empty() {
        Ok(())
    } else {
        Err(RulesError::Name(name.to_owned()))
    }
}

/// The first two characters of a phrase: what beginnings are filed under.
fn bucket(phrase: &str) -> [char; 2] {
    let mut chars = phrase.chars();
    [chars.next().unwrap_or('\0'), chars.next().unwrap_or('\0')]
}

fn ends_in_colon(phrase: &str) -> bool {
    phrase.trim_end().ends_with([':', '：'])
}

/// The version of the code's own part of the rules. Count it up when a change of code changes results.
const CODE_VERSION: u32 = 9;

fn version(texts: &[&str], weights: u32) -> String {
    let mut all = format!("{weights}\0");
    for text in texts {
        all.push_str(text);
        all.push('\0');
    }
    let hash = xxhash_rust::xxh3::xxh3_64(all.as_bytes());
    format!("{CODE_VERSION}-{:08x}", hash >> 32)
}

#[cfg(test)]
mod tests;
