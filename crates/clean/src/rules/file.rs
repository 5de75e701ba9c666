//! The form of a rules file.

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
    pub(super) rule: Vec<RuleEntry>,
    pub(super) head: Head,
    pub(super) credit: Credit,
    pub(super) agencies: BTreeMap<String, Vec<String>>,
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
    pub(super) phrases: Vec<String>,
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

/// `[credit]`: how a picture's credit begins, and who is credited.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Credit {
    pub(super) open: Vec<String>,
    pub(super) agency: Vec<String>,
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
        self.head.byline.extend(other.head.byline);
        self.credit.open.extend(other.credit.open);
        self.credit.agency.extend(other.credit.agency);
        self.agencies.extend(other.agencies);
    }
}
