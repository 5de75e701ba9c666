//! Ids at the border to SQL: numbers there, types everywhere else. No I/O.

use copydesk_article::{ArticleId, StoryId};

/// The number that Postgres keeps of an id.
pub(crate) trait Id: Copy {
    fn number(self) -> i64;
}

impl Id for ArticleId {
    fn number(self) -> i64 {
        self.0
    }
}

impl Id for StoryId {
    fn number(self) -> i64 {
        self.0
    }
}

/// Ids as an array of a query.
pub(crate) fn numbers<I: Id>(ids: &[I]) -> Vec<i64> {
    ids.iter().copied().map(Id::number).collect()
}

/// Articles that a query answered with.
pub(crate) fn articles(numbers: Vec<i64>) -> Vec<ArticleId> {
    numbers.into_iter().map(ArticleId).collect()
}

/// Stories that a query answered with.
pub(crate) fn stories(numbers: Vec<i64>) -> Vec<StoryId> {
    numbers.into_iter().map(StoryId).collect()
}
