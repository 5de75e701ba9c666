//! Cleaning: a raw article becomes blocks and metadata.
//!
//! **In** comes a [`RawArticle`]: an HTML page, or text that somebody already took out of its page, with
//! whatever the producer knew. **Out** goes a [`CleanArticle`]: every block in its original order, each with
//! its kind, each removed one with the rule that took it out; and metadata with the source of each value.
//! What **may fail** is a [`Reject`]: a page over a limit of the [`Budget`], or one in which no article was
//! found.
//!
//! The result depends on the input and the rules, on nothing else: no clock, no network, no memory of
//! other articles, no randomness. The one exception: a page that uses up its CPU time is refused, and how much
//! it uses depends on the machine.
//!
//! Both ways meet in the same line rules ([`text`]): position is evidence, a phrase alone is not. The
//! rules are data (`rules/builtin.toml`); [`Rules::from_toml`] lays a user's own file over them. See
//! docs/cleaning.md for every rule and what was measured.

mod ascii;
mod budget;
mod challenge;
mod dates;
mod draft;
mod fast;
mod html;
mod metadata;
mod mojibake;
mod normalise;
mod rules;
mod signs;
mod text;
mod text_signs;
mod url;

pub use budget::Budget;
pub use rules::{Rules, RulesError};
pub use url::normalise_url;

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use copydesk_article::{
    CleanArticle, Metadata, MetadataSource, RawArticle, RawBody, Reason, Reject, Sourced, Stage,
};

use budget::Clock;
use draft::{Draft, End};

/// A block that reads as prose and that a rule doubted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// Its text.
    pub text: String,
    /// The names of its signs.
    pub signs: Vec<&'static str>,
    /// Whether it was taken out, by its signs or otherwise.
    pub is_removed: bool,
}

/// Cleans articles. Made once, shared by all threads.
#[derive(Debug)]
pub struct Cleaner {
    rules: Rules,
    budget: Budget,
}

impl Cleaner {
    /// A cleaner with these rules and this budget.
    pub const fn new(rules: Rules, budget: Budget) -> Self {
        Self { rules, budget }
    }

    /// What one article may cost.
    pub const fn budget(&self) -> &Budget {
        &self.budget
    }

    /// The rules in use.
    pub const fn rules(&self) -> &Rules {
        &self.rules
    }

    /// What was decided by signs on one article: each block that reads as prose and that a rule doubted. For fitting the
    /// weights (benches/weights/fit_signs.py).
    ///
    /// # Errors
    /// As [`Self::clean`].
    pub fn doubts(&self, raw: &RawArticle) -> Result<Vec<Doubt>, Reject> {
        let (.., drafts, _) = self.judge(raw)?;
        let doubted = drafts.into_iter().filter_map(|draft| {
            let signs = draft.judged?;
            Some(Doubt {
                is_removed: draft.removed.is_some(),
                text: draft.text,
                signs: signs.iter().map(signs::Sign::name).collect(),
            })
        });
        Ok(doubted.collect())
    }

    /// The names of all signs, in their order.
    pub fn sign_names() -> Vec<&'static str> {
        signs::names().collect()
    }

    /// Cleans one article.
    ///
    /// # Errors
    /// A [`Reject`] of stage `clean`: over a limit of the budget (`too_large`, `too_many_nodes`,
    /// `too_deep`, `too_slow`), nothing that reads as an article (`no_article`), or a page that a server
    /// sends in its place (`error_page`, `blocked_page`, `bot_check`, `consent_page`, `maintenance_page`, `login_page`).
    pub fn clean(&self, raw: &RawArticle) -> Result<CleanArticle, Reject> {
        let (metadata, drafts, warnings) = self.judge(raw)?;
        self.finish(raw, metadata, drafts, warnings)
    }

    fn judge(&self, raw: &RawArticle) -> Result<(Metadata, Vec<Draft>, Vec<String>), Reject> {
        let clock = Clock::start(self.budget.cpu_time);
        let mut metadata = metadata::from_envelope(raw);
        let mut warnings = raw.warnings.clone();
        let title = metadata.title.as_ref().map(|t| t.value.clone());
        let drafts = match &raw.body {
            RawBody::Html(html) => {
                let html = mojibake::repair(html);
                warnings.extend(mended(matches!(html, Cow::Owned(_))));
                let html = text::set_apart(&html, "<br><br>");
                let seen_at = raw.seen_at();
                let found =
                    html::clean_html(&html, &mut metadata, seen_at, &self.rules, &self.budget, &clock)?;
                warnings.extend(found.warnings);
                found.drafts
            }
            RawBody::Text(text) => {
                self.check_text(text)?;
                let text = mojibake::repair(text);
                warnings.extend(mended(matches!(text, Cow::Owned(_))));
                let text = text::set_apart(&text, "\n");
                let most = self.budget.max_nodes;
                let found = text::clean_text(&text, title.as_deref(), &self.rules, most).map_err(
                    |text::TooManyLines| {
                        let detail =
                            format!("more than {most} lines of text, which are as many as are cleaned");
                        Reject::new(Stage::Clean, Reason::TooManyNodes, detail)
                    },
                )?;
                take_head(&mut metadata, found.head, raw.seen_at());
                warnings.extend(found.warnings.into_iter().map(str::to_owned));
                found.drafts
            }
        };
        Ok((metadata, drafts, warnings))
    }

    fn check_text(&self, text: &str) -> Result<(), Reject> {
        let most = self.budget.max_text_chars;
        if text.len() > most && text.chars().count() > most {
            let detail = format!(
                "{} characters of text, at most {most} are cleaned",
                text.chars().count()
            );
            return Err(Reject::new(Stage::Clean, Reason::TooLarge, detail));
        }
        Ok(())
    }

    fn finish(
        &self,
        raw: &RawArticle,
        mut metadata: Metadata,
        mut drafts: Vec<Draft>,
        warnings: Vec<String>,
    ) -> Result<CleanArticle, Reject> {
        text::remove_author_notes(&mut drafts, &metadata.authors);
        text::part_ellipsis(&mut drafts);
        for draft in &mut drafts {
            if draft
                .removed
                .as_ref()
                .is_some_and(|r| self.rules.is_disabled(&r.rule))
            {
                draft.put_back();
            }
        }
        if let Some(reject) = challenge::refuse(raw, &metadata, &drafts) {
            return Err(reject);
        }
        has_body(&drafts)?;
        metadata.agency = metadata::agency::find_agency(&drafts, &metadata.authors, &self.rules);
        if metadata.language.is_none() {
            metadata.language = metadata::body_language(&drafts);
        }
        metadata::harmless(&mut metadata);
        Ok(CleanArticle {
            metadata,
            blocks: drafts.into_iter().map(Draft::into_block).collect(),
            warnings,
            rules_version: self.rules.version().to_owned(),
        })
    }
}

/// A body below this many words is none, whatever they are; nor is one below the other that has no sentence.
const FEWEST_WORDS: usize = 4;
const FEWEST_WORDS_WITHOUT_SENTENCE: usize = 6;

/// Refuses what has no body: nothing was kept, or a label and no more.
fn has_body(drafts: &[Draft]) -> Result<(), Reject> {
    let body = || drafts.iter().filter(|d| d.is_kept() && d.kind.is_body());
    let words: usize = body().map(|d| d.words).sum();
    let detail = if body().next().is_none() {
        format!("none of {} blocks reads as the body of an article", drafts.len())
    } else if words < FEWEST_WORDS
        || words < FEWEST_WORDS_WITHOUT_SENTENCE && body().all(|d| d.end != End::Sentence)
    {
        format!("{words} words are no body of an article")
    } else {
        return Ok(());
    };
    Err(Reject::new(Stage::Clean, Reason::NoArticle, detail))
}

fn mended(is: bool) -> Option<String> {
    is.then(|| "mojibake-repaired".to_owned())
}

/// Takes over what the head of a text says, where the envelope is silent.
fn take_head(metadata: &mut Metadata, head: text::Head, seen_at: Option<DateTime<Utc>>) {
    let from = MetadataSource::TextHead;
    if metadata.title.is_none() {
        metadata.title = head.title.map(|t| Sourced::new(t, from));
    }
    let mut authors = head.authors;
    authors.retain(|name| !metadata::roles::is_nobody(name));
    if metadata.authors.is_empty() && !authors.is_empty() {
        metadata.authors = authors;
        metadata.authors_source = Some(from);
    }
    if metadata.published_at.is_none() {
        let latest = seen_at.map(|t| t.date_naive());
        let plausible = head.published.filter(|t| metadata::is_plausible(*t, latest));
        metadata.published_at = plausible.map(|t| Sourced::new(t, from));
    }
}

#[cfg(test)]
mod golden;
