//! The form of a rules file.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Action, Match, Zone};

/// A rules file as it is written. Unknown keys are errors: a misspelt one would silently do nothing.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct File {
    /// Drop everything read before this file.
    pub(super) replace: bool,
    /// Names of rules to drop.
    pub(super) disable: Vec<String>,
    /// What `{network}` stands for in the phrases of rules.
    pub(super) networks: Vec<String>,
    pub(super) rule: Vec<RuleEntry>,
    pub(super) widget: Vec<WidgetEntry>,
    pub(super) hint: Hint,
    pub(super) head: Head,
    pub(super) caption: Caption,
    pub(super) credit: Credit,
    pub(super) agencies: BTreeMap<String, Vec<String>>,
    pub(super) signs: SignWords,
}

/// One `[[rule]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleEntry {
    pub(super) name: String,
    #[serde(rename = "match")]
    pub(super) matching: Match,
    pub(super) action: Action,
    #[serde(default)]
    pub(super) zone: Zone,
    #[serde(default = "default_longest")]
    pub(super) longest: usize,
    /// One of its phrases is enough to take out a sentence: no article says them.
    #[serde(default)]
    pub(super) sure: bool,
    pub(super) phrases: Vec<String>,
}

/// One `[[widget]]`: elements by the parts of their names.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WidgetEntry {
    pub(super) name: String,
    /// The names stand for nothing else: one is enough to take out a sentence.
    #[serde(default)]
    pub(super) sure: bool,
    /// They are believed even of most of a page.
    #[serde(default)]
    pub(super) wide: bool,
    pub(super) parts: Vec<String>,
}

/// `[hint]`: what the parts of names say of the text in an element.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Hint {
    pub(super) body: Vec<String>,
    pub(super) dek: Vec<String>,
    pub(super) caption: Vec<String>,
    pub(super) credit: Vec<String>,
    pub(super) author: Vec<String>,
    pub(super) author_name: Vec<String>,
    pub(super) not_author: Vec<String>,
}

const fn default_longest() -> usize {
    160
}

/// `[head]`: how a byline begins.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Head {
    pub(super) byline: Vec<String>,
}

/// `[caption]`: how the text under a picture begins.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Caption {
    pub(super) open: Vec<String>,
}

/// `[credit]`: how a picture's credit begins, and who is credited.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Credit {
    pub(super) open: Vec<String>,
    pub(super) agency: Vec<String>,
}

/// `[signs]`: words that speak to the reader, and first words of requests.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct SignWords {
    pub(super) address: Vec<String>,
    pub(super) request: Vec<String>,
    pub(super) reported: Vec<String>,
}

impl File {
    /// Lays another file over this one.
    pub(super) fn merge(&mut self, other: Self) {
        if other.replace {
            *self = Self::default();
        }
        self.rule
            .retain(|r| !other.disable.contains(&r.name) && !other.rule.iter().any(|o| o.name == r.name));
        self.rule.extend(other.rule);
        self.networks.extend(other.networks);
        self.widget
            .retain(|r| !other.disable.contains(&r.name) && !other.widget.iter().any(|o| o.name == r.name));
        self.widget.extend(other.widget);
        self.hint.body.extend(other.hint.body);
        self.hint.dek.extend(other.hint.dek);
        self.hint.caption.extend(other.hint.caption);
        self.hint.credit.extend(other.hint.credit);
        self.hint.author.extend(other.hint.author);
        self.hint.author_name.extend(other.hint.author_name);
        self.hint.not_author.extend(other.hint.not_author);
        self.head.byline.extend(other.head.byline);
        self.caption.open.extend(other.caption.open);
        self.credit.open.extend(other.credit.open);
        self.credit.agency.extend(other.credit.agency);
        self.agencies.extend(other.agencies);
        self.signs.address.extend(other.signs.address);
        self.signs.request.extend(other.signs.request);
        self.signs.reported.extend(other.signs.reported);
    }
}

/// A phrase, once for each network if it names one: "share on {network}".
pub(super) fn with_networks<'p>(phrase: &'p str, networks: &'p [String]) -> Vec<Cow<'p, str>> {
    if !phrase.contains(NETWORK) {
        return vec![Cow::Borrowed(phrase)];
    }
    let scripts: Vec<u32> = phrase.chars().map(script).collect();
    let fits = |n: &&String| n.is_ascii() || n.chars().any(|c| scripts.contains(&script(c)));
    let each = networks.iter().filter(fits);
    each.map(|n| Cow::Owned(phrase.replace(NETWORK, n))).collect()
}

/// What tells scripts apart: the names of networks are written in Latin letters or in those of the phrase. Chinese, Japanese
/// and Korean are one.
const fn script(c: char) -> u32 {
    match c as u32 {
        0..0x250 => 0,
        c @ 0x250..0x2e80 => c / 0x80,
        _ => 0x2e80,
    }
}

const NETWORK: &str = "{network}";
