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

/// Items in ascending order, each once.
pub(crate) fn distinct<T: Ord>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut items = Vec::from_iter(items);
    items.sort_unstable();
    items.dedup();
    items
}
