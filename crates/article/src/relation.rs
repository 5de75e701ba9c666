//! What an article is to its story.

use std::fmt;
use std::str::FromStr;

/// How an article came to its story. Stored in `membership.relation`; see docs/near-copies.md.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Relation {
    /// The first of its story: nothing older matched.
    Original,
    /// The same text, word for word after normalisation, at another address.
    ExactCopy,
    /// Most of either text is in the other.
    NearCopy,
    /// Most of this article is in an older, longer one.
    Excerpt,
    /// Most of an older, shorter article is in this one.
    Contains,
    /// It holds several other articles and is a copy of none: a round-up. The first of a story of its own.
    Digest,
}

impl Relation {
    /// Every value, in order.
    pub const ALL: [Self; 6] = [
        Self::Original,
        Self::ExactCopy,
        Self::NearCopy,
        Self::Excerpt,
        Self::Contains,
        Self::Digest,
    ];

    /// The name stored in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Original => "original",
            Self::ExactCopy => "exact_copy",
            Self::NearCopy => "near_copy",
            Self::Excerpt => "excerpt",
            Self::Contains => "contains",
            Self::Digest => "digest",
        }
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no relation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no relation: expected original, exact_copy, near_copy, excerpt, contains or digest")]
pub struct ParseRelationError(String);

impl FromStr for Relation {
    type Err = ParseRelationError;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|r| r.as_str() == s)
            .ok_or_else(|| ParseRelationError(s.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for relation in Relation::ALL {
            assert_eq!(relation.as_str().parse(), Ok(relation));
        }
        assert!("copy".parse::<Relation>().is_err());
    }
}
