//! What a sign saw, in words for a person.

use crate::facts::{Agreement, Facts};
use crate::signs::Sign;

/// What was seen, without what it counts.
pub(crate) fn of(sign: Sign, f: &Facts) -> String {
    let percent = |share: f64| format!("{:.0} %", share * 100.0);
    let agreement = |a: Agreement, what: &str| format!("{} of {} {what} agree", a.agree, a.of);
    let contained = f.in_candidate.max(f.of_candidate);
    let paragraphs = f.paragraphs.0.min(f.paragraphs.1);
    let shared_paragraphs = f.shared_paragraphs.0.min(f.shared_paragraphs.1);
    match sign {
        Sign::Shared | Sign::SharedMany => format!("{} of {} shingles shared", f.shared, f.sizes.0),
        Sign::Contained | Sign::ContainedWhole => {
            format!("{} of the shorter text is in the other", percent(contained))
        }
        Sign::Jaccard => format!("{} of both texts together is shared", percent(f.jaccard)),
        Sign::Extent => format!(
            "paragraphs that share something make up {} of the shorter text",
            percent(f.extent.0)
        ),
        Sign::ExtentOfLonger => format!(
            "paragraphs that share something make up {} of the longer text",
            percent(f.extent.1)
        ),
        Sign::Paragraphs | Sign::ParagraphShare => {
            format!("{shared_paragraphs} of {paragraphs} paragraphs share something")
        }
        Sign::OneParagraph => "all that is shared lies in one paragraph".to_owned(),
        Sign::OtherFilling => format!(
            "{} and {} of the texts lie between shared paragraphs and share nothing",
            percent(f.between.0),
            percent(f.between.1)
        ),
        Sign::OtherDigits if f.only_digits_differ => "the texts differ in digits alone".to_owned(),
        Sign::OtherDigits => format!(
            "{} of {} shingles differ in digits alone",
            f.other_digits, f.sizes.0
        ),
        Sign::Late | Sign::VeryLate | Sign::LateAndChanged | Sign::LateAndOtherNews | Sign::Soon => {
            match f.hours {
                Some(hours) if hours < 72.0 => format!("{hours:.0} hours apart"),
                Some(hours) => format!("{:.0} days apart", hours / 24.0),
                None => "times not known".to_owned(),
            }
        }
        Sign::NumbersAgree | Sign::NumbersChanged | Sign::MoreNumbersDiffer => {
            agreement(f.numbers, "numbers in what is shared")
        }
        Sign::NamesAgree | Sign::NamesChanged => agreement(f.names, "names in what is shared"),
        Sign::NumbersChangedBack | Sign::MoreNumbersDifferBack => agreement(
            f.numbers_of_longer,
            "numbers of the longer text in what is shared",
        ),
        Sign::NamesChangedBack => agreement(f.names_of_longer, "names of the longer text in what is shared"),
        Sign::AllNumbers | Sign::AllNumbersDiffer | Sign::ManyNumbersDiffer => {
            agreement(f.all_numbers, "numbers of the shorter text")
        }
        Sign::AllNamesAgree => agreement(f.all_names, "names of the shorter text"),
        Sign::Title | Sign::TitleFrame | Sign::BriefFrame => f.titles.map_or_else(
            || "a title is not known".to_owned(),
            |t| format!("{} of {} words of the shorter title agree", t.shared, t.words.0),
        ),
        Sign::TitleDatesDiffer | Sign::TitleDatesAgree => f.titles.map_or_else(
            || "a title is not known".to_owned(),
            |t| agreement(t.dates, "numbers and dates of the titles"),
        ),
        Sign::SubjectsDiffer | Sign::SubjectMissing | Sign::SubjectOfLongerMissing => f.titles.map_or_else(
            || "a title is not known".to_owned(),
            |t| {
                let (shorter, longer) = t.subjects;
                format!("{shorter} and {longer} names of the titles are missing from the other article")
            },
        ),
        Sign::NothingDiffers => "every number and name of the shorter text is in the other".to_owned(),
        Sign::FirstParagraph => format!(
            "{} of a first paragraph is in the other text",
            percent(f.first_paragraph.0.max(f.first_paragraph.1))
        ),
        Sign::FromWithin => format!(
            "{} of the longer text's first paragraph is in the shorter one",
            percent(f.first_of_longer())
        ),
        Sign::CollectionTitle => f.titles.map_or_else(
            || "a title is not known".to_owned(),
            |t| {
                let what = "words of the longer text's title that its lead or the other title has";
                format!("{} of {} {what}", t.told.agree, t.told.of)
            },
        ),
        Sign::Lead => f.lead.map_or_else(
            || "a lead is not known".to_owned(),
            |l| agreement(l, "words of the leads"),
        ),
        Sign::Length | Sign::Brief => format!("{} shingles in the shorter text", f.sizes.0),
        Sign::Ratio => format!("{} and {} shingles long", f.sizes.0, f.sizes.1),
        Sign::SameSite => "both are of one site".to_owned(),
        Sign::SameSiteAndTitle => "both are of one site, under nearly the same title".to_owned(),
        Sign::FewSiblings => "their site is too new to know its own blocks".to_owned(),
        Sign::Elsewhere => format!(
            "{} of what is shared stands in other stories, too",
            percent(f.elsewhere)
        ),
        Sign::Common => format!("{} of what is shared is common", percent(f.common)),
    }
}
