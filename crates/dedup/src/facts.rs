//! What can be said of two texts side by side: counts and shares, before anything is weighed.

use copydesk_article::{BlockHash, Fingerprint, MarkKind, ParagraphMark};

use crate::overlap::{Indexed, Overlap};
use crate::parts::{Paragraphs, Part, other_digits, share};

/// How many of some marks the other text has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Agreement {
    /// So many are in the other text as well, as marks of the same kind.
    pub agree: u32,
    /// Of so many.
    pub of: u32,
}

impl Agreement {
    /// Those that the other text does not have.
    pub const fn differ(self) -> u32 {
        self.of - self.agree
    }
}

/// Two titles side by side; both are known.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Titles {
    /// Words that both have.
    pub shared: u32,
    /// Distinct words of the shorter and of the longer one.
    pub words: (u32, u32),
    /// Numbers and dates of the one with fewer of them that the other title has, too.
    pub dates: Agreement,
    /// Names that a title and its own text have, and that the other article has nowhere: of the shorter text and of the
    /// longer one.
    pub subjects: (u32, u32),
    /// Words that a title and its own lead have, and that neither the other title nor the other lead has: of the shorter text and of
    /// the longer one.
    pub news: (u32, u32),
    /// Words of the longer text's title that its own lead or the other title has, out of all.
    pub told: Agreement,
}

impl Titles {
    /// Jaccard similarity of their words, 0 to 1.
    pub fn likeness(&self) -> f64 {
        share(self.shared, self.words.0 + self.words.1 - self.shared)
    }
}

/// What two texts have in common, and what not. Shares are 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Facts {
    /// Shared shingles, without weights; scaled up where a set is a sample.
    pub shared: u32,
    /// Jaccard similarity of the two sets.
    pub jaccard: f64,
    /// Share of the article that is in the candidate.
    pub in_candidate: f64,
    /// Share of the candidate that is in the article.
    pub of_candidate: f64,
    /// Shingles of the shorter and of the longer text.
    pub sizes: (u32, u32),
    /// Share of the shorter and of the longer text that lies in paragraphs which share something.
    pub extent: (f64, f64),
    /// Paragraphs of the shorter and of the longer text that share something …
    pub shared_paragraphs: (u32, u32),
    /// … out of so many.
    pub paragraphs: (u32, u32),
    /// Share of the shorter and of the longer text that lies between such paragraphs and shares nothing.
    pub between: (f64, f64),
    /// Shingles of the shorter text that differ in digits alone, in paragraphs that are the same in both but for their digits. 0 where
    /// a set is a sample.
    pub other_digits: u32,
    /// The two texts are not the same, but are without their digits, as far as their paragraphs are long
    /// enough to be known.
    pub only_digits_differ: bool,
    /// Hours between the two; `None`: not known.
    pub hours: Option<f64>,
    /// Numbers of the shorter text in the paragraphs that share something.
    pub numbers: Agreement,
    /// Names there.
    pub names: Agreement,
    /// Numbers of the longer text in its paragraphs that share something.
    pub numbers_of_longer: Agreement,
    /// Names there.
    pub names_of_longer: Agreement,
    /// Distinct numbers of the whole shorter text.
    pub all_numbers: Agreement,
    /// Its distinct names.
    pub all_names: Agreement,
    /// The titles, if both are known.
    pub titles: Option<Titles>,
    /// Share of the shingles that the first paragraph of the article, and of the candidate, has in common with the other.
    pub first_paragraph: (f64, f64),
    /// Words of the one lead that the other has, if both are known.
    pub lead: Option<Agreement>,
    /// Both are of one site.
    pub same_site: bool,
    /// Both are of one site that is too new to have a memory.
    pub few_siblings: bool,
    /// Share of the shared shingles that an article of another story shares, too.
    pub elsewhere: f64,
    /// Share of the weight of the shared shingles that the list of common shingles takes away; 0 without a list.
    pub common: f64,
    /// Either set is a sample.
    pub sampled: bool,
}

/// What is known of a pair besides the two texts.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Around {
    pub(crate) hours: Option<f64>,
    pub(crate) same_site: bool,
    pub(crate) few_siblings: bool,
    pub(crate) elsewhere: f64,
}

impl Facts {
    /// Share of the longer text's first paragraph that is in the shorter one.
    pub(crate) const fn first_of_longer(&self) -> f64 {
        if self.of_candidate <= self.in_candidate {
            self.first_paragraph.1
        } else {
            self.first_paragraph.0
        }
    }

    pub(crate) fn of(a: &Indexed<'_>, b: &Fingerprint, overlap: &Overlap, around: &Around) -> Self {
        let a_is_shorter = overlap.a_is_shorter();
        let paragraphs_of_b = Paragraphs::of(b);
        let sides = [
            (a.text, &overlap.in_a, &a.paragraphs),
            (b, &overlap.in_b, &paragraphs_of_b),
        ];
        let [shorter, longer] = if a_is_shorter { sides } else { [sides[1], sides[0]] };
        let least = overlap.least_in_paragraph();
        let (part, other_part) = (
            Part::of(shorter.2, shorter.1, least),
            Part::of(longer.2, longer.1, least),
        );
        let (mut numbers, mut names) = (Agreement::default(), Agreement::default());
        let (mut all_numbers, mut all_names) = (Agreement::default(), Agreement::default());
        let (mut numbers_of_longer, mut names_of_longer) = (Agreement::default(), Agreement::default());
        let known = (names_are_known(shorter.0), names_are_known(longer.0));
        let names_known = known.0 && known.1;
        each_word(&shorter.0.marks, &longer.0.marks, |kind, found, marks| {
            if kind == MarkKind::Name && !names_known {
                return;
            }
            let is_shared = marks.iter().any(|m| shorter.1[m.paragraph as usize] >= least);
            let (shared, all) = match kind {
                MarkKind::Number => (&mut numbers, &mut all_numbers),
                MarkKind::Name => (&mut names, &mut all_names),
            };
            all.of += 1;
            all.agree += u32::from(found);
            shared.of += u32::from(is_shared);
            shared.agree += u32::from(is_shared && found);
        });
        each_word(&longer.0.marks, &shorter.0.marks, |kind, found, marks| {
            if kind == MarkKind::Name && !names_known {
                return;
            }
            let is_shared = marks.iter().any(|m| longer.1[m.paragraph as usize] >= least);
            let shared = match kind {
                MarkKind::Number => &mut numbers_of_longer,
                MarkKind::Name => &mut names_of_longer,
            };
            shared.of += u32::from(is_shared);
            shared.agree += u32::from(is_shared && found);
        });
        let first = (part.first_paragraph, other_part.first_paragraph);
        Self {
            shared: overlap.shared,
            jaccard: overlap.jaccard(),
            in_candidate: overlap.a_in_b(),
            of_candidate: overlap.b_in_a(),
            sizes: (shorter.0.shingles.len() as u32, longer.0.shingles.len() as u32),
            extent: (part.extent, other_part.extent),
            shared_paragraphs: (part.shared, other_part.shared),
            paragraphs: (part.paragraphs, other_part.paragraphs),
            between: (part.between, other_part.between),
            other_digits: if overlap.is_sampled() {
                0
            } else {
                other_digits(shorter.2, &shorter.0.blocks, shorter.1, longer.0)
            },
            only_digits_differ: only_digits_differ(a.text, b),
            hours: around.hours,
            numbers,
            names,
            numbers_of_longer,
            names_of_longer,
            all_numbers,
            all_names,
            titles: titles(shorter.0, longer.0, known),
            first_paragraph: if a_is_shorter { first } else { (first.1, first.0) },
            lead: lead(a.text, b),
            same_site: around.same_site,
            few_siblings: around.few_siblings,
            elsewhere: around.elsewhere,
            common: overlap.common_share(),
            sampled: overlap.is_sampled(),
        }
    }
}

/// Whether two texts that are not the same are so without their digits, which a block hash does not see.
fn only_digits_differ(a: &Fingerprint, b: &Fingerprint) -> bool {
    let known = |text: &Fingerprint| -> Vec<BlockHash> {
        text.blocks.iter().copied().filter(|block| block.0 != 0).collect()
    };
    // Nearly all pairs are of unlike lengths.
    a.word_count == b.word_count && a.body_hash != b.body_hash && {
        let (a, b) = (known(a), known(b));
        !a.is_empty() && a == b
    }
}

/// Calls `each` for every distinct word of `marks`, by kind, with whether the others have it. Both are ascending.
fn each_word(
    marks: &[ParagraphMark],
    others: &[ParagraphMark],
    mut each: impl FnMut(MarkKind, bool, &[ParagraphMark]),
) {
    let mut rest = others;
    for same in marks.chunk_by(|a, b| a.hash == b.hash) {
        let Some(hash) = same.first().map(|m| m.hash) else {
            continue;
        };
        while let Some((first, after)) = rest.split_first()
            && first.hash < hash
        {
            rest = after;
        }
        // One word is a number or a name, but a name may be the same word as another text's number only by chance.
        for kind in [MarkKind::Number, MarkKind::Name] {
            if same.iter().any(|m| m.kind == kind) {
                let found = rest.iter().take_while(|m| m.hash == hash).any(|m| m.kind == kind);
                each(kind, found, same);
            }
        }
    }
}

/// `known`: whether capitals tell names in the shorter and in the longer text.
fn titles(shorter: &Fingerprint, longer: &Fingerprint, known: (bool, bool)) -> Option<Titles> {
    if shorter.title_words.is_empty() || longer.title_words.is_empty() {
        return None;
    }
    let (fewer, more) = if shorter.title_dates.len() <= longer.title_dates.len() {
        (&shorter.title_dates, &longer.title_dates)
    } else {
        (&longer.title_dates, &shorter.title_dates)
    };
    let (one, two) = (shorter.title_words.len() as u32, longer.title_words.len() as u32);
    Some(Titles {
        shared: in_both(&shorter.title_words, &longer.title_words),
        words: (one.min(two), one.max(two)),
        dates: Agreement {
            agree: in_both(fewer, more),
            of: fewer.len() as u32,
        },
        subjects: (
            subjects(shorter, longer, known.0),
            subjects(longer, shorter, known.1),
        ),
        news: (news(shorter, longer), news(longer, shorter)),
        told: told(longer, shorter),
    })
}

/// How many words of a title are names of its own text and stand nowhere in the other article, as far as its words are known: not
/// in its title, not among its names and numbers, not in its lead. Numbers do not count: a death toll rises.
fn subjects(of: &Fingerprint, other: &Fingerprint, names_known: bool) -> u32 {
    if !names_known {
        return 0;
    }
    let is_missing = |word: &&u32| {
        is_name(of, **word)
            && other.title_words.binary_search(word).is_err()
            && other.marks.binary_search_by_key(*word, |mark| mark.hash).is_err()
            && !is_in_lead(other, **word)
    };
    of.title_words.iter().filter(is_missing).count() as u32
}

/// How many words of a title stand in its own lead, and neither in the other title nor in the other lead.
fn news(of: &Fingerprint, other: &Fingerprint) -> u32 {
    let is_news = |word: &&u32| {
        is_in_lead(of, **word) && other.title_words.binary_search(word).is_err() && !is_in_lead(other, **word)
    };
    of.title_words.iter().filter(is_news).count() as u32
}

/// How many words of a title stand in its own lead or in the other title.
fn told(of: &Fingerprint, other: &Fingerprint) -> Agreement {
    let is_told = |word: &&u32| is_in_lead(of, **word) || other.title_words.binary_search(word).is_ok();
    Agreement {
        agree: of.title_words.iter().filter(is_told).count() as u32,
        of: of.title_words.len() as u32,
    }
}

/// Whether a word is in the lead of the text.
fn is_in_lead(text: &Fingerprint, word: u32) -> bool {
    text.lead_words.binary_search(&((word >> 16) as u16)).is_ok()
}

/// Whether capitals tell names in the text. Where every other word has one, the text is set in capitals, and all its words look like names.
fn names_are_known(text: &Fingerprint) -> bool {
    let names = text.marks.iter().filter(|m| m.kind == MarkKind::Name).count();
    2 * names <= text.shingles.len()
}

/// Whether a word is a name in the text.
fn is_name(text: &Fingerprint, word: u32) -> bool {
    let from = text.marks.partition_point(|mark| mark.hash < word);
    let marks = text.marks.get(from..).unwrap_or_default();
    marks
        .iter()
        .take_while(|mark| mark.hash == word)
        .any(|mark| mark.kind == MarkKind::Name)
}

fn lead(a: &Fingerprint, b: &Fingerprint) -> Option<Agreement> {
    if a.lead_words.is_empty() || b.lead_words.is_empty() {
        return None;
    }
    Some(Agreement {
        agree: in_both(&a.lead_words, &b.lead_words),
        of: a.lead_words.len().min(b.lead_words.len()) as u32,
    })
}

/// Numbers that are in both lists; both are ascending and distinct.
fn in_both<T: Ord>(a: &[T], b: &[T]) -> u32 {
    let (mut i, mut j, mut shared) = (0, 0, 0);
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        shared += u32::from(x == y);
        i += usize::from(x <= y);
        j += usize::from(y <= x);
    }
    shared
}
