//! The signs by which a pair is weighed: numbers made of [`Facts`], each with a name and a sense.
//!
//! What is not known gives 0, as does what speaks neither for nor against: an article without a title, a time or a number
//! is not another article for that.

use std::fmt;

use crate::facts::{Agreement, Facts};

/// In which direction a sign may count, whatever the fit would like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sense {
    /// More of it never speaks against a copy.
    For,
    /// More of it never speaks for one.
    Against,
    /// Either.
    Either,
}

macro_rules! signs {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal, $sense:ident;)+) => {
        /// One sign. The name is that of the weights file and of docs/near-copies.md.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Sign { $($(#[doc = $doc])+ $variant,)+ }

        impl Sign {
            /// Every sign, in the order of [`Signs`].
            pub const ALL: [Self; SIGNS] = [$(Self::$variant,)+];

            /// Its name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// In which direction it may count.
            pub const fn sense(self) -> Sense {
                match self { $(Self::$variant => Sense::$sense,)+ }
            }
        }

        /// How many signs there are.
        pub const SIGNS: usize = [$($name,)+].len();
    };
}

signs! {
    /// Shared shingles, logarithm, up to 16 of them.
    Shared = "shared", For;
    /// Shared shingles, logarithm, up to 64.
    SharedMany = "shared_many", For;
    /// Share of the shorter text that is in the other, above half.
    Contained = "contained", For;
    /// The same above nine tenths.
    ContainedWhole = "contained_whole", For;
    /// Jaccard similarity.
    Jaccard = "jaccard", For;
    /// Share of the shorter text that lies in paragraphs which share something, less one half.
    Extent = "extent", For;
    /// Share of the longer text that lies in such paragraphs.
    ExtentOfLonger = "extent_of_longer", For;
    /// Paragraphs that share something, in the text that has fewer of them, logarithm; of eight at most.
    Paragraphs = "paragraphs", For;
    /// Share of the paragraphs that share something.
    ParagraphShare = "paragraph_share", For;
    /// Everything shared lies in one paragraph, and both texts have several.
    OneParagraph = "one_paragraph", Against;
    /// Share of a text that lies between paragraphs which share something, and shares nothing itself: one frame, filled in twice. The
    /// smaller of the two shares, half at most.
    OtherFilling = "other_filling", Against;
    /// Share of the shorter text that differs in digits alone, in paragraphs that are the same but for their
    /// digits; three tenths at most, and three tenths where the texts differ in nothing else: whoever edits a
    /// copy changes words as well.
    OtherDigits = "other_digits", Against;
    /// Hours between the two, logarithm, from 6 hours on.
    Late = "late", Against;
    /// The same from two days on.
    VeryLate = "very_late", Against;
    /// Hours between the two, as in `late`, times how much less numbers and names agree than words do.
    LateAndChanged = "late_and_changed", Against;
    /// Hours between the two, as in `late`, times the words that each title has in common with its own lead alone: the other title and
    /// lead have them nowhere. The smaller number of the two, two at most.
    LateAndOtherNews = "late_and_other_news", Against;
    /// Less than six hours between the two, logarithm.
    Soon = "soon", For;
    /// Numbers in the shared paragraphs that agree, logarithm.
    NumbersAgree = "numbers_agree", For;
    /// Names there that agree, logarithm.
    NamesAgree = "names_agree", For;
    /// How much less the numbers there agree than the words do.
    NumbersChanged = "numbers_changed", Against;
    /// How much less the names there agree than the words do.
    NamesChanged = "names_changed", Against;
    /// The same of the longer text's numbers in what it shares.
    NumbersChangedBack = "numbers_changed_back", Against;
    /// The same of its names.
    NamesChangedBack = "names_changed_back", Against;
    /// How many more numbers differ than changed words explain, logarithm.
    MoreNumbersDiffer = "more_numbers_differ", Against;
    /// The same of the longer text.
    MoreNumbersDifferBack = "more_numbers_differ_back", Against;
    /// Share of the whole shorter text's numbers that the other has, less one half.
    AllNumbers = "all_numbers", For;
    /// Numbers of the whole shorter text that the other has not, logarithm.
    AllNumbersDiffer = "all_numbers_differ", Against;
    /// How many more than 3 of 100 shingles of the shorter text are numbers that the other has not, in tens: tables of which little but
    /// the headings agrees.
    ManyNumbersDiffer = "many_numbers_differ", Against;
    /// Names of the whole shorter text that the other has, logarithm.
    AllNamesAgree = "all_names_agree", For;
    /// Share of the shorter title's words that are in the other title, less three tenths.
    Title = "title", For;
    /// Half or more of the words of both titles agree, but each title has words of its own: one frame, filled in twice.
    TitleFrame = "title_frame", Against;
    /// The same where the shorter text is brief, times how much shorter than 60 shingles it is, logarithm.
    BriefFrame = "brief_frame", Against;
    /// Numbers and dates that differ between the titles.
    TitleDatesDiffer = "title_dates_differ", Against;
    /// Numbers and dates that are in both titles.
    TitleDatesAgree = "title_dates_agree", For;
    /// Names that both titles have in common with their own texts alone: the other article has them nowhere. The smaller number
    /// of the two, two at most.
    SubjectsDiffer = "subjects_differ", Against;
    /// Such names of the shorter text, two at most.
    SubjectMissing = "subject_missing", Against;
    /// Such names of the longer text, two at most.
    SubjectOfLongerMissing = "subject_of_longer_missing", Against;
    /// Jaccard similarity, if every number and name of the shorter text is in the other, and it has two or more.
    NothingDiffers = "nothing_differs", For;
    /// Share of a first paragraph that is in the other text, the larger of the two.
    FirstParagraph = "first_paragraph", For;
    /// How much longer the longer text is, logarithm, times the share of its first paragraph that is not in the shorter one: a
    /// part from within. What is cut keeps its beginning; an article in a round-up lies somewhere in it.
    FromWithin = "from_within", Against;
    /// How much longer the longer text is, logarithm, times how little its title says of it: twice the share of the title's words below one
    /// half that its own lead or the other title has. A page that collects articles names none of them.
    CollectionTitle = "collection_title", Against;
    /// Share of one lead's words that are in the other lead, less one half.
    Lead = "lead", For;
    /// Length of the shorter text, logarithm of its shingles; of 400 at most.
    Length = "length", Either;
    /// How much shorter than 60 shingles it is, logarithm.
    Brief = "brief", Either;
    /// How much longer the longer text is, logarithm; six times at most.
    Ratio = "ratio", Either;
    /// Both are of one site, under unlike titles, and not all of both is shared.
    SameSite = "same_site", Against;
    /// Both are of one site, under nearly the same title, and not all of both is shared: two of a series. One
    /// sentence in ten is enough for another instance, so that the root of what is not shared counts.
    SameSiteAndTitle = "same_site_and_title", Against;
    /// Both are of one site that is too new to have a memory, and not all of both is shared.
    FewSiblings = "few_siblings", Against;
    /// Share of what is shared that an article of another story shows, too.
    Elsewhere = "elsewhere", Against;
    /// Share of what is shared that the list of common shingles takes away.
    Common = "common", Against;
}

/// The signs of one pair, in the order of [`Sign::ALL`].
pub type Signs = [f64; SIGNS];

/// Weighs nothing yet: the signs of a pair.
pub fn signs(f: &Facts) -> Signs {
    let contained = f.in_candidate.max(f.of_candidate);
    // A shingle of four words survives if all four do.
    let words = contained.max(1e-3).sqrt().sqrt();
    let log = |n: u32, most: u32| f64::from(1 + n.min(most)).ln();
    let shared_paragraphs = f.shared_paragraphs.0.min(f.shared_paragraphs.1);
    let paragraphs = f.paragraphs.0.min(f.paragraphs.1);
    let (shorter, longer) = (f64::from(f.sizes.0.max(8)), f64::from(f.sizes.1.max(8)));
    let titles = f.titles.filter(|t| t.words.0 > 0);
    let title = titles.map_or(0.0, |t| f64::from(t.shared) / f64::from(t.words.0) - 0.3);
    let subjects = titles.map_or((0, 0), |t| t.subjects);
    let marks = f.all_numbers.of + f.all_names.of;
    let differ = f.all_numbers.differ() + f.all_names.differ();
    let not_whole = 1.0 - f.jaccard;
    let late = f.hours.map_or(0.0, |h| (h / 6.0).max(1.0).ln());
    let brief = (60.0 / shorter).max(1.0).ln();
    // One frame, filled in twice.
    let is_frame = titles.is_some_and(|t| t.likeness() >= 0.5 && t.shared < t.words.0);
    let value = |sign: Sign| match sign {
        Sign::Shared => log(f.shared, 16),
        Sign::SharedMany => log(f.shared, 64),
        Sign::Contained => (contained - 0.5).max(0.0),
        Sign::ContainedWhole => (contained - 0.9).max(0.0),
        Sign::Jaccard => f.jaccard,
        Sign::Extent => f.extent.0 - 0.5,
        Sign::ExtentOfLonger => f.extent.1,
        // A text of one paragraph says nothing about it.
        Sign::Paragraphs if paragraphs <= 1 => log(2, 8),
        Sign::Paragraphs => log(shared_paragraphs, 8),
        Sign::ParagraphShare if paragraphs <= 1 => 0.7,
        Sign::ParagraphShare => f64::from(shared_paragraphs) / f64::from(paragraphs),
        Sign::OneParagraph => f64::from(u8::from(shared_paragraphs <= 1 && paragraphs >= 3)),
        Sign::OtherFilling => f.between.0.min(f.between.1).min(0.5),
        Sign::OtherDigits if f.only_digits_differ => 0.3,
        Sign::OtherDigits => (f64::from(f.other_digits) / shorter).min(0.3),
        Sign::Late => late,
        Sign::VeryLate => f.hours.map_or(0.0, |h| (h / 48.0).max(1.0).ln()),
        Sign::LateAndChanged => late * (changed(f.numbers, words) + changed(f.names, words)),
        Sign::LateAndOtherNews => late * titles.map_or(0.0, |t| f64::from(t.news.0.min(t.news.1).min(2))),
        Sign::Soon => f.hours.map_or(0.0, |h| (6.0 / h.max(0.1)).max(1.0).ln()),
        Sign::NumbersAgree => log(f.numbers.agree, 30),
        Sign::NamesAgree => log(f.names.agree, 30),
        Sign::NumbersChanged => changed(f.numbers, words),
        Sign::NamesChanged => changed(f.names, words),
        Sign::NumbersChangedBack => changed(f.numbers_of_longer, words),
        Sign::NamesChangedBack => changed(f.names_of_longer, words),
        Sign::MoreNumbersDiffer => more_differ(f.numbers, words),
        Sign::MoreNumbersDifferBack => more_differ(f.numbers_of_longer, words),
        Sign::AllNumbers => f64::from(f.all_numbers.agree + 1) / f64::from(f.all_numbers.of + 2) - 0.5,
        Sign::AllNumbersDiffer => log(f.all_numbers.differ(), 30),
        Sign::ManyNumbersDiffer => {
            let differing = f64::from(f.all_numbers.differ()) / shorter;
            (differing - 0.03).max(0.0) * 10.0
        }
        Sign::AllNamesAgree => log(f.all_names.agree, 30),
        Sign::Title => title,
        Sign::TitleFrame => f64::from(u8::from(is_frame)),
        Sign::BriefFrame => brief * f64::from(u8::from(is_frame)),
        Sign::TitleDatesDiffer => titles.map_or(0.0, |t| f64::from(t.dates.differ().min(2))),
        Sign::TitleDatesAgree => titles.map_or(0.0, |t| f64::from(t.dates.agree.min(2))),
        Sign::SubjectsDiffer => f64::from(subjects.0.min(subjects.1).min(2)),
        Sign::SubjectMissing => f64::from(subjects.0.min(2)),
        Sign::SubjectOfLongerMissing => f64::from(subjects.1.min(2)),
        Sign::NothingDiffers if marks < 2 || differ > 0 => 0.0,
        Sign::NothingDiffers => f.jaccard,
        Sign::FirstParagraph => f.first_paragraph.0.max(f.first_paragraph.1),
        Sign::FromWithin => (longer / shorter).min(6.0).ln() * (1.0 - f.first_of_longer()),
        Sign::Lead => f
            .lead
            .map_or(0.0, |l| f64::from(l.agree) / f64::from(l.of.max(1)) - 0.5),
        Sign::Length => shorter.min(400.0).ln(),
        Sign::Brief => brief,
        Sign::CollectionTitle => titles.map_or(0.0, |t| {
            let told = f64::from(t.told.agree) / f64::from(t.told.of.max(1));
            (longer / shorter).min(6.0).ln() * (1.0 - 2.0 * told).max(0.0)
        }),
        Sign::Ratio => (longer / shorter).min(6.0).ln(),
        Sign::SameSite if !f.same_site => 0.0,
        Sign::SameSite => not_whole * if titles.is_some() { 0.7 - title } else { 0.3 },
        Sign::SameSiteAndTitle if !f.same_site => 0.0,
        Sign::SameSiteAndTitle => {
            not_whole.sqrt() * titles.map_or(0.0, |t| (t.likeness() - 0.5).max(0.0) * 2.0)
        }
        Sign::FewSiblings => not_whole * f64::from(u8::from(f.few_siblings)),
        Sign::Elsewhere => f.elsewhere,
        Sign::Common => f.common,
    };
    Sign::ALL.map(value)
}

/// How much smaller the share of the marks that agree is than that of the words. Few marks say little.
fn changed(marks: Agreement, words: f64) -> f64 {
    let share = (f64::from(marks.agree) + 2.0 * words) / (f64::from(marks.of) + 2.0);
    (words - share).max(0.0)
}

/// The logarithm of how many more marks differ than would if they changed as often as words do.
fn more_differ(marks: Agreement, words: f64) -> f64 {
    let expected = f64::from(marks.of) * (1.0 - words);
    (1.0 + (f64::from(marks.differ()) - expected).max(0.0)).ln()
}

impl fmt::Display for Sign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
