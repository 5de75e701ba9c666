//! Series: articles that fill in one frame, each in its own way.
//!
//! A horoscope under one title, or a firm's release, looks like a copy in which a sentence was rewritten: two
//! articles cannot tell which it is. Three can. Copies are edited in different places, and where one was
//! edited the two others agree. Where each of three has words of its own in the place that what all three
//! share leaves open, the frame is filled in anew each time, and another filling is another article, even
//! where half of its words are the same.

use copydesk_article::{ArticleId, Fingerprint, ShingleAt};

use crate::compare::Compared;
use crate::inputs::Candidate;
use crate::overlap::sample;

/// How many others are looked at beside a candidate.
const OTHERS: usize = 10;
/// Share of the shortest text that three fillings have in common: their frame. Less of it is shared by
/// articles which each desk wrote anew around the same quotations.
const FRAME: f64 = 0.6;
/// Share of the frame that another filling of it has, at least.
const IN_FRAME: f64 = 0.8;
/// Shingles of its own that each of the three has within the frame: three other words make six. Of sampled
/// sets only the sample counts, so that a filling must be longer there.
const FILLING: u32 = 6;
/// The shortest of the three fillings is so many times as long as what any two share without the third. What
/// two have in common there was written for both: they are copies, and the third one was edited.
const CLEAR: f64 = 1.5;
/// Share of a filling that a copy of it has.
const COPY: f64 = 0.8;
/// Shingles that two fillings each have of their own: one other word makes four.
const OWN: u32 = 4;
/// Shingles of the frame from which a paragraph belongs to it.
const IN_PARAGRAPH: u16 = 2;

/// Whether the subject fills in the candidate's frame in another way, as other candidates and their copies
/// show it.
pub(crate) fn is_other_filling(
    subject: ArticleId,
    kept: &Fingerprint,
    compared: &Compared<'_, '_>,
    all: &[Compared<'_, '_>],
) -> bool {
    let candidate = compared.candidate;
    let others = copies(candidate)
        .chain(all.iter().map(|c| (c.candidate.id, c.candidate.fingerprint)))
        .chain(all.iter().flat_map(|c| copies(c.candidate)));
    let mut seen = vec![subject, candidate.id];
    let others: Vec<&Fingerprint> = others
        .filter(|(id, _)| {
            let is_new = !seen.contains(id);
            seen.push(*id);
            is_new
        })
        .map(|(_, text)| text)
        .take(OTHERS)
        .collect();
    !others.is_empty() && fills_in_otherwise(kept, candidate.fingerprint, &others)
}

fn copies<'a>(of: &Candidate<'a>) -> impl Iterator<Item = (ArticleId, &'a Fingerprint)> + use<'a> {
    of.copies.iter().map(|copy| (copy.id, copy.fingerprint))
}

/// Whether `subject` is another filling than `candidate` of a frame that the two share with one of `others`,
/// or that two of these share with the candidate.
fn fills_in_otherwise(subject: &Fingerprint, candidate: &Fingerprint, others: &[&Fingerprint]) -> bool {
    let texts = || [candidate, subject].into_iter().chain(others.iter().copied());
    let sampling = texts().map(|t| t.sampling).max().unwrap_or(0);
    let mut sets = texts().map(|text| sample(text, sampling));
    let (Some(candidate), Some(subject)) = (sets.next(), sets.next()) else {
        return false;
    };
    let of_subject = shared(candidate, subject);
    let both = count(&of_subject) as usize;
    if [candidate, subject]
        .iter()
        .any(|set| set.len() - both < OWN as usize)
    {
        return false;
    }
    let others = sets.map(|set| (set, shared(candidate, set)));
    let sets: Vec<(&[ShingleAt], Vec<u64>)> = [(subject, of_subject.clone())]
        .into_iter()
        .chain(others)
        .collect();
    sets.iter().enumerate().any(|(n, one)| {
        sets.iter().skip(n + 1).any(|two| {
            frame_and_filling(candidate, one, two).is_some_and(|own| own.is_filled_in_otherwise(&of_subject))
        })
    })
}

/// The part of a text in a frame that it fills in as two others do, each in its own way; `None`: they do not.
/// What the text shares with the others comes with them.
fn frame_and_filling(
    text: &[ShingleAt],
    one: &(&[ShingleAt], Vec<u64>),
    two: &(&[ShingleAt], Vec<u64>),
) -> Option<Side> {
    let ((one, in_one), (two, in_two)) = (one, two);
    let shortest = text.len().min(one.len()).min(two.len());
    let of_both = |f: fn(u64, u64) -> u64| {
        in_one
            .iter()
            .zip(in_two)
            .map(|(a, b)| f(*a, *b).count_ones())
            .sum::<u32>()
    };
    // Nearly all fall here, before anything is looked at closer.
    if f64::from(of_both(|a, b| a & b)) < FRAME * shortest as f64
        || (text.len() as u32 - of_both(|a, b| a | b)) < FILLING
    {
        return None;
    }
    let own = Side::of(text, in_one, in_two);
    if !own.is_clear(own.shared) {
        return None;
    }
    let of_one = Side::of(one, &shared(one, text), &shared(one, two));
    let of_two = Side::of(two, &shared(two, text), &shared(two, one));
    let most = own.shared.max(of_one.shared).max(of_two.shared);
    [&own, &of_one, &of_two]
        .iter()
        .all(|side| side.is_clear(most))
        .then_some(own)
}

/// One of three texts beside the two others: which of its shingles are what, a bit for each.
struct Side {
    /// Both others have them.
    frame: Vec<u64>,
    /// Neither has them, and they lie from the first to the last paragraph of the frame.
    filling: Vec<u64>,
    /// How many one of the others has, and the other has not; the larger number of the two.
    shared: u32,
}

impl Side {
    /// `one`, `two`: which shingles of the text the others have.
    fn of(text: &[ShingleAt], one: &[u64], two: &[u64]) -> Self {
        let (mut frame, mut filling) = (Vec::with_capacity(one.len()), Vec::with_capacity(one.len()));
        let (mut with_one, mut with_two) = (0, 0);
        let mut in_paragraph = [0_u16; 256];
        for ((some, a), b) in text.chunks(64).zip(one).zip(two) {
            with_one += (a & !b).count_ones();
            with_two += (b & !a).count_ones();
            frame.push(a & b);
            for (n, shingle) in some.iter().enumerate() {
                in_paragraph[shingle.paragraph as usize] += u16::from((a & b) >> n & 1 == 1);
            }
        }
        let is_of_frame = |n: &u16| *n >= IN_PARAGRAPH;
        let first = in_paragraph.iter().position(is_of_frame).unwrap_or(256);
        let last = in_paragraph.iter().rposition(is_of_frame).unwrap_or(0);
        for ((some, a), b) in text.chunks(64).zip(one).zip(two) {
            let within = |s: &ShingleAt| (first..=last).contains(&usize::from(s.paragraph));
            let bits = some.iter().enumerate().map(|(n, s)| u64::from(within(s)) << n);
            filling.push(bits.fold(0, |all, bit| all | bit) & !(a | b));
        }
        Self {
            frame,
            filling,
            shared: with_one.max(with_two),
        }
    }

    /// Whether the filling is long, and longer than what two of the three `shared` without the third.
    fn is_clear(&self, shared: u32) -> bool {
        let filling = count(&self.filling);
        filling >= FILLING && f64::from(filling) >= CLEAR * f64::from(shared)
    }

    /// Whether a text with these shingles of this one has its frame and not its filling.
    fn is_filled_in_otherwise(&self, shingles: &[u64]) -> bool {
        let share = |of: &[u64]| {
            let both: u32 = of.iter().zip(shingles).map(|(a, b)| (a & b).count_ones()).sum();
            f64::from(both) / f64::from(count(of).max(1))
        };
        share(&self.frame) >= IN_FRAME && share(&self.filling) < COPY
    }
}

/// Which shingles of a text another one has. Both are ascending.
fn shared(of: &[ShingleAt], other: &[ShingleAt]) -> Vec<u64> {
    let mut bits = vec![0; of.len().div_ceil(64)];
    // Without a branch on what is random: this is most of the time that series take.
    let (mut i, mut j) = (0, 0);
    while let (Some(x), Some(y)) = (of.get(i), other.get(j)) {
        if let Some(bits) = bits.get_mut(i / 64) {
            *bits |= u64::from(x.hash == y.hash) << (i % 64);
        }
        i += usize::from(x.hash <= y.hash);
        j += usize::from(y.hash <= x.hash);
    }
    bits
}

fn count(bits: &[u64]) -> u32 {
    bits.iter().map(|bits| bits.count_ones()).sum()
}
