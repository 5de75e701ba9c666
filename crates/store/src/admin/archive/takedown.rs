//! Takedowns that the archive's files have not been looked at for yet.
//!
//! In: rows of `archive_takedown`, which `copydesk_take_down` writes where there is an archive. Out: which
//! archived articles a takedown is of, and a note that they are out of the files. Until then the row stays,
//! so that whoever rewrites the files may end at any point.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use crate::connect::config::Store;
use crate::error::{Context as _, StoreError};
use crate::flush::identity::Identity;
use crate::rows::{execute, fetch_all, record};

const CONTEXT: &str = "cannot note what was taken out of the archive (this needs the role copydesk_owner)";

record! {
    /// A takedown that files of the archive may have articles of.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct ArchiveTakedown {
        /// Names the takedown.
        pub takedown_id: i64,
        article_id: Option<i64>,
        identity: Option<Vec<u8>>,
        address_hash: Option<Vec<u8>>,
        is_exact: bool,
    }
}

/// How an archived article is the one of a takedown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TakedownMatch {
    /// Its address is another spelling of the one that was named. It goes only where nothing is at the one
    /// that was named.
    OtherSpelling,
    /// It has the number, or the address in this spelling.
    Named,
}

impl ArchiveTakedown {
    /// Whether it is of an archived article, with its canonical address and its own one in canonical form.
    pub fn is_of(&self, article: i64, canonical: Option<&str>, own: Option<&str>) -> Option<TakedownMatch> {
        if let Some(number) = self.article_id {
            return (number == article).then_some(TakedownMatch::Named);
        }
        let named = |address: Option<&str>| {
            address.is_some_and(|a| self.address_hash.as_deref() == Some(&Sha256::digest(a)[..]))
        };
        if named(canonical) || named(own) {
            return Some(TakedownMatch::Named);
        }
        let twin =
            canonical.is_some_and(|a| Some(Identity::of_address(a).0.as_slice()) == self.identity.as_deref());
        (twin && !self.is_exact).then_some(TakedownMatch::OtherSpelling)
    }

    /// What holds against the address of an article that was named by its number; an address that was named
    /// is held since.
    pub fn hold_of_address(&self, canonical: Option<&str>) -> Option<Vec<u8>> {
        self.article_id?;
        canonical.map(|address| Identity::of_address(address).0.to_vec())
    }
}

impl Store {
    /// Takedowns that the archive's files have not been looked at for.
    ///
    /// # Errors
    /// Postgres does not answer; a role that may not.
    pub async fn archive_takedowns(&self) -> Result<Vec<ArchiveTakedown>, StoreError> {
        fetch_all!(&self.pool, CONTEXT;
            "SELECT takedown_id, article_id, identity, address_hash, is_exact FROM archive_takedown ORDER BY takedown_id"
        )
    }

    /// The folders that batches were written to, each with its batches.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn archive_folders(&self) -> Result<BTreeMap<String, Vec<i64>>, StoreError> {
        let rows: Vec<(String, Vec<i64>)> = fetch_all!(&self.pool, "cannot look for the archive";
            "SELECT folder, array_agg(batch_id ORDER BY batch_id) FROM archive_batches GROUP BY folder"
        )?;
        Ok(rows.into_iter().collect())
    }

    /// Holds against what archived articles said, and where it was, coming again; where another article is by
    /// now, that one may. May be repeated.
    ///
    /// # Errors
    /// Postgres does not answer; a role that may not.
    pub async fn hold_archived(&self, takedown: i64, hashes: &[Vec<u8>]) -> Result<(), StoreError> {
        execute!(&self.pool, CONTEXT;
            "INSERT INTO takedown_hold (takedown_id, hash) SELECT DISTINCT $1, h FROM unnest($2::bytea[]) AS w (h)
             WHERE EXISTS (SELECT FROM takedown WHERE takedown_id = $1 AND lifted_at IS NULL)
                 AND NOT EXISTS (SELECT FROM article_identity i WHERE i.identity = h) ON CONFLICT DO NOTHING",
            takedown, hashes
        )?;
        Ok(())
    }

    /// Notes that the articles are in no file of the archive any more, and these takedowns are done.
    ///
    /// # Errors
    /// Postgres does not answer; a role that may not.
    pub async fn archive_taken_down(&self, takedowns: &[i64], articles: &[i64]) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        execute!(&mut *tx, CONTEXT;
            "UPDATE retired_article SET archive_day = NULL WHERE article_id = ANY ($1)", articles
        )?;
        execute!(&mut *tx, CONTEXT; "DELETE FROM archive_takedown WHERE takedown_id = ANY ($1)", takedowns)?;
        tx.commit().await.context(CONTEXT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_address(address: &str, is_exact: bool) -> ArchiveTakedown {
        ArchiveTakedown {
            takedown_id: 1,
            article_id: None,
            identity: Some(Identity::of_address(address).0.to_vec()),
            address_hash: Some(Sha256::digest(address).to_vec()),
            is_exact,
        }
    }

    #[test]
    fn an_address_names_its_spelling_before_others() {
        let (named, other) = ("https://a.example/ferry", "https://www.a.example/ferry");
        let takedown = of_address(named, false);
        assert_eq!(takedown.is_of(1, Some(named), None), Some(TakedownMatch::Named));
        assert_eq!(takedown.is_of(1, None, Some(named)), Some(TakedownMatch::Named));
        assert_eq!(
            takedown.is_of(1, Some(other), None),
            Some(TakedownMatch::OtherSpelling)
        );
        assert_eq!(takedown.is_of(1, Some("https://a.example/harbour"), None), None);
        assert_eq!(
            of_address(named, true).is_of(1, Some(other), None),
            None,
            "the page that was named was in Postgres"
        );
        assert_eq!(takedown.hold_of_address(Some(named)), None);
    }
}
