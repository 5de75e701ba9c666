//! Where on its page an article stands: bylines and dates count by their place.

use chrono::NaiveDate;

use crate::draft::Draft;

/// Where on the page the article stands, once that is known.
#[derive(Debug)]
pub(crate) struct Place<'p> {
    /// The first block among those between headline and text in which bylines and dates of this article stand.
    pub(crate) from: usize,
    /// The headline; `from`, where there is none.
    pub(crate) headline: usize,
    /// The first paragraph.
    pub(crate) prose: usize,
    /// All blocks of the page, as they were judged.
    pub(crate) blocks: &'p [Draft],
    /// Names that the lines under the headline give.
    pub(crate) head: &'p [String],
    /// They stand behind a word that says so: "By Jane Doe".
    pub(crate) head_says_by: bool,
    /// The first block of what stands behind the text and is not of this article: comments, other stories.
    pub(crate) others_from: usize,
    /// The day on which the page was fetched, if the producer says so.
    pub(crate) latest: Option<NaiveDate>,
}

/// Rules that take out what is not of this article: a byline or a date in such a block is another story's, or that of
/// somebody who comments.
const OTHERS: [&str; 9] = [
    "comments-widget",
    "comments",
    "related-widget",
    "related-marker",
    "related-item",
    "related-start",
    "teaser-card",
    "sidebar-widget",
    "after-end",
];

impl Place<'_> {
    /// Whether a block was taken out as something that is not of this article.
    pub(super) fn is_of_others(&self, at: usize) -> bool {
        let removed = self.blocks.get(at).and_then(|d| d.removed.as_ref());
        at >= self.others_from || removed.is_some_and(|r| OTHERS.contains(&r.rule.as_str()))
    }

    /// The last block whose elements count as near the headline.
    pub(super) const fn to(&self) -> usize {
        self.prose + 6
    }

    /// The blocks around the headline, in order.
    pub(super) fn near(&self) -> impl Iterator<Item = &Draft> {
        self.blocks.iter().take(self.prose + 2).skip(self.from)
    }
}

/// Where a byline stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BylineZone {
    /// Around the headline.
    Head,
    /// Some blocks behind the first paragraph.
    Behind,
    /// Elsewhere on the page.
    Far,
}

impl BylineZone {
    pub(super) fn of(at: usize, place: &Place<'_>) -> Self {
        if !(place.from..=place.to()).contains(&at) {
            Self::Far
        } else if at > place.prose + 1 {
            Self::Behind
        } else {
            Self::Head
        }
    }
}
