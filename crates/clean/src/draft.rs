//! A block while it is being judged: its text and the figures that rules ask for, computed once.

use std::cell::OnceCell;

use copydesk_article::{Block, BlockKind, Removal, RuleId};

use crate::normalise::{Hasher, fold_phrase, is_closer, is_dense_script, is_terminal};
use crate::rules::{Hit, Position, Rules};

/// How a block ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// As a sentence does, closing quotes and brackets aside.
    Sentence,
    /// With an ellipsis: a teaser that was cut, or a trailing thought.
    Ellipsis,
    /// With a colon.
    Colon,
    /// With anything else: headlines, names, list items.
    Open,
}

/// One block on its way.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) kind: BlockKind,
    pub(crate) text: String,
    pub(crate) removed: Option<Removal>,
    /// Characters of `text`.
    pub(crate) chars: usize,
    /// Words; in scripts without spaces two characters count as a word.
    pub(crate) words: usize,
    pub(crate) end: End,
    /// [`crate::normalise::key`] of the text; 0 for a block without letters or digits.
    pub(crate) key: u64,
    /// Characters that stand within links (HTML only).
    pub(crate) linked: usize,
    /// [`fold_phrase`] of the text, made when it is first asked for.
    folded: OnceCell<String>,
    /// Whether any rule knows the line, wherever it stands: most lines are asked about several times.
    known: OnceCell<bool>,
    /// Continues the paragraph of the block before it (sentences of a text without line ends).
    pub(crate) continues: bool,
}

impl Draft {
    /// Measures a block. `text` has its white space folded already.
    pub(crate) fn new(kind: BlockKind, text: String) -> Self {
        let mut hash = Hasher::new();
        let (mut chars, mut words, mut dense) = (0, 0, 0);
        let mut in_word = false;
        for c in text.chars() {
            chars += 1;
            hash.push(c);
            if c == ' ' {
                in_word = false;
            } else if is_dense_script(c) {
                dense += 1;
                in_word = false;
            } else if !in_word && c.is_alphanumeric() {
                in_word = true;
                words += 1;
            }
        }
        Self {
            kind,
            end: end_of(&text),
            text,
            removed: None,
            chars,
            words: words + dense / 2,
            key: hash.finish().unwrap_or(0),
            linked: 0,
            folded: OnceCell::new(),
            known: OnceCell::new(),
            continues: false,
        }
    }

    /// The form that phrases of the rules are compared in.
    pub(crate) fn folded(&self) -> &str {
        self.folded.get_or_init(|| fold_phrase(&self.text))
    }

    /// The rule that knows the line at a position.
    pub(crate) fn rule<'r>(&self, rules: &'r Rules, position: Position) -> Option<Hit<'r>> {
        if self.chars > rules.longest {
            return None;
        }
        let known = self.known.get_or_init(|| {
            rules
                .find(self.folded(), self.chars, Position::Anywhere)
                .is_some()
        });
        if *known {
            rules.find(self.folded(), self.chars, position)
        } else {
            None
        }
    }

    pub(crate) const fn is_kept(&self) -> bool {
        self.removed.is_none()
    }

    /// Whether it reads as running text: a sentence of some length, or very long.
    pub(crate) const fn is_prose(&self) -> bool {
        (self.words >= 12 && matches!(self.end, End::Sentence | End::Colon)) || self.words >= 28
    }

    /// Whether it reads as a headline or a label: not long, and no sentence.
    pub(crate) const fn is_headline_like(&self) -> bool {
        self.words <= 24 && self.chars <= 180 && !matches!(self.end, End::Sentence | End::Ellipsis)
    }

    /// Takes the block out; the first rule that does it is kept.
    pub(crate) fn remove(&mut self, rule: &RuleId, evidence: Option<String>) {
        if self.removed.is_none() {
            self.removed = Some(Removal {
                rule: rule.clone(),
                evidence,
            });
            self.kind = match self.kind {
                kind @ (BlockKind::Caption | BlockKind::Credit | BlockKind::Headline | BlockKind::Dek) => {
                    kind
                }
                _ => BlockKind::Boilerplate,
            };
        }
    }

    pub(crate) fn into_block(self) -> Block {
        Block {
            kind: self.kind,
            text: self.text,
            removed: self.removed,
        }
    }
}

fn end_of(text: &str) -> End {
    let mut chars = text.chars().rev().skip_while(|&c| is_closer(c) || c == ' ');
    match chars.next() {
        Some('…') => End::Ellipsis,
        Some('.') if chars.next() == Some('.') => End::Ellipsis,
        Some(':' | '：') => End::Colon,
        Some(c) if is_terminal(c) => End::Sentence,
        // "an ellipsis and a counter": "… not …2", "...[+1200 chars]".
        Some(c) if c.is_ascii_digit() && ends_in_counter(text) => End::Ellipsis,
        _ => End::Open,
    }
}

/// Whether a text ends in an ellipsis with a number glued to it, as scraped teasers do.
fn ends_in_counter(text: &str) -> bool {
    let before = text.trim_end_matches(|c: char| c.is_ascii_digit());
    before.ends_with('…') || before.ends_with("...")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(text: &str) -> Draft {
        Draft::new(BlockKind::Body, text.to_owned())
    }

    #[test]
    fn ends_are_told_apart() {
        assert_eq!(draft("They left.”").end, End::Sentence);
        assert_eq!(draft("They will not …2").end, End::Ellipsis);
        assert_eq!(draft("And then...").end, End::Ellipsis);
        assert_eq!(draft("He said:").end, End::Colon);
        assert_eq!(draft("Harbour reopens after storm").end, End::Open);
        assert_eq!(draft("港が再開した。").end, End::Sentence);
    }

    #[test]
    fn words_count_in_scripts_without_spaces() {
        assert_eq!(draft("Ships came in at dawn.").words, 5);
        assert_eq!(draft("港が再開した。船は夜明けに入った。").words, 7);
    }
}
