//! A block while it is being judged: its text and the figures that rules ask for, computed once.

use std::cell::OnceCell;

use copydesk_article::{Block, BlockKind, Markup, Removal, RuleId};

use crate::ascii::Facts;
use crate::normalise::{fold_ascii_phrase, fold_phrase, is_closer, is_dense_script, is_terminal, key};
use crate::rules::{Hit, Position, Rules};
use crate::signs::Signs;

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
    /// Letters and digits. Blocks that say the same have as many.
    pub(crate) letters: usize,
    /// See [`Facts::is_phrase`].
    is_phrase: bool,
    /// [`crate::normalise::key`] of the text, made when it is first asked for.
    key: OnceCell<u64>,
    /// Characters that stand within links (HTML only).
    pub(crate) linked: usize,
    /// [`fold_phrase`] of the text, made when it is first asked for.
    folded: OnceCell<String>,
    /// Whether any rule knows the line, wherever it stands: most lines are asked about several times.
    known: OnceCell<bool>,
    /// Whether it is nothing but a picture's credit, and whether it reads as a caption on its own: asked in every
    /// round, and the answer is the text's alone.
    credit: OnceCell<bool>,
    caption: OnceCell<bool>,
    /// What the page says against the block (HTML only).
    pub(crate) signs: Signs,
    /// The signs that its last judgement was made by, if it reads as prose and a rule doubted it.
    pub(crate) judged: Option<Signs>,
    /// The kind that it had before it was taken out.
    kind_before: Option<BlockKind>,
    /// What the page says of it besides its text (HTML only).
    pub(crate) markup: Option<Box<Markup>>,
    /// Continues the paragraph of the block before it (sentences of a text without line ends).
    pub(crate) continues: bool,
}

impl Draft {
    /// Measures a block. `text` has its white space folded already.
    pub(crate) fn new(kind: BlockKind, text: String) -> Self {
        let facts = Facts::of(&text);
        Self::measured(kind, text, facts)
    }

    /// [`Self::new`] of a text that was looked at already.
    pub(crate) fn measured(kind: BlockKind, text: String, facts: Facts) -> Self {
        let size = if facts.is_ascii {
            Size::of_ascii(&text, facts)
        } else {
            Size::of_any(&text)
        };
        Self {
            kind,
            end: end_of(&text),
            text,
            removed: None,
            chars: size.chars,
            words: size.words,
            letters: size.letters,
            is_phrase: facts.is_phrase(),
            key: OnceCell::new(),
            linked: 0,
            folded: OnceCell::new(),
            known: OnceCell::new(),
            credit: OnceCell::new(),
            caption: OnceCell::new(),
            signs: Signs::default(),
            judged: None,
            kind_before: None,
            markup: None,
            continues: false,
        }
    }

    /// Adds to the text. What was measured of it stays as it was, its end aside, until [`Self::measure_again`].
    pub(crate) fn grow(&mut self, between: &str, more: &str) {
        self.text.push_str(between);
        self.text.push_str(more);
        self.end = end_of(&self.text);
    }

    /// Measures a block that has grown.
    pub(crate) fn measure_again(&mut self) {
        let continues = self.continues;
        *self = Self::new(self.kind, std::mem::take(&mut self.text));
        self.continues = continues;
    }

    /// What the text says, case and punctuation aside; 0 for a block without letters or digits.
    pub(crate) fn key(&self) -> u64 {
        *self.key.get_or_init(|| key(&self.text).unwrap_or(0))
    }

    /// Whether two blocks say the same, case and punctuation aside.
    pub(crate) fn says_what(&self, other: &Self) -> bool {
        self.letters == other.letters && self.key() == other.key()
    }

    /// The form that phrases of the rules are compared in.
    pub(crate) fn folded(&self) -> &str {
        self.folded.get_or_init(|| {
            if self.is_phrase {
                fold_ascii_phrase(&self.text)
            } else {
                fold_phrase(&self.text)
            }
        })
    }

    /// The rule that knows the line at a position.
    pub(crate) fn rule<'r>(&self, rules: &'r Rules, position: Position) -> Option<Hit<'r>> {
        if self.chars > rules.longest {
            return None;
        }
        let known = self.known.get_or_init(|| {
            let may = !self.is_phrase || rules.may_know(&self.text);
            may && rules
                .find(self.folded(), self.chars, Position::Anywhere)
                .is_some()
        });
        if *known {
            rules.find(self.folded(), self.chars, position)
        } else {
            None
        }
    }

    /// Whether it is nothing but a credit: what `judge` said the first time.
    pub(crate) fn is_credit(&self, judge: impl FnOnce() -> bool) -> bool {
        *self.credit.get_or_init(judge)
    }

    /// Whether it reads as a caption on its own: what `judge` said the first time.
    pub(crate) fn is_caption(&self, judge: impl FnOnce() -> bool) -> bool {
        *self.caption.get_or_init(judge)
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
            self.kind_before = Some(self.kind);
            self.kind = match self.kind {
                kind @ (BlockKind::Caption | BlockKind::Credit | BlockKind::Headline | BlockKind::Dek) => {
                    kind
                }
                _ => BlockKind::Boilerplate,
            };
        }
    }

    /// Puts the block back as it was before a rule took it out.
    pub(crate) fn put_back(&mut self) {
        self.removed = None;
        if let Some(kind) = self.kind_before.take() {
            self.kind = kind;
        }
    }

    pub(crate) fn into_block(self) -> Block {
        Block {
            kind: self.kind,
            text: self.text,
            removed: self.removed,
            markup: self.markup,
        }
    }
}

/// How long a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Size {
    chars: usize,
    words: usize,
    letters: usize,
}

impl Size {
    const fn of_ascii(text: &str, facts: Facts) -> Self {
        Self {
            chars: text.len(),
            words: facts.words,
            letters: facts.letters,
        }
    }

    fn of_any(text: &str) -> Self {
        let (mut chars, mut words, mut letters, mut dense) = (0, 0, 0, 0);
        let mut in_word = false;
        for c in text.chars() {
            chars += 1;
            let letter = c.is_alphanumeric();
            letters += usize::from(letter);
            if c == ' ' {
                in_word = false;
            } else if is_dense_script(c) {
                dense += 1;
                in_word = false;
            } else if !in_word && letter {
                in_word = true;
                words += 1;
            }
        }
        Self {
            chars,
            words: words + dense / 2,
            letters,
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
    use proptest::prelude::*;

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

    proptest! {
        #[test]
        fn ascii_is_measured_as_anything_else(text in "[ -~]{0,80}|([ -~]{1,3}[a-z ]{0,9}){0,40}|[ \\x00-\\x7f]{0,300}") {
            prop_assert_eq!(Size::of_ascii(&text, Facts::of(&text)), Size::of_any(&text));
        }
    }

    #[test]
    fn words_count_in_scripts_without_spaces() {
        assert_eq!(draft("Ships came in at dawn.").words, 5);
        assert_eq!(draft("港が再開した。船は夜明けに入った。").words, 7);
    }
}
