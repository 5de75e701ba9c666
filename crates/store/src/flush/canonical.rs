//! Canonical addresses that pages claim: one that different pages claim is a template's, and their own addresses count instead.
//!
//! In: a batch's articles, before their identities are claimed. Out: their identities, and in the database the evidence. Also in
//! hindsight: the article that was stored under the claimed address gets its own when the second page comes.

use std::collections::{HashMap, HashSet};

use copydesk_article::Fingerprint;
use copydesk_dedup::versions;
use sqlx::{PgConnection, Row as _};

use crate::error::{Doing as _, StoreError};
use crate::flush::identity::{Identity, decode};
use crate::flush::work::Work;

/// Two texts that are more alike are one page in two states, whatever their titles say.
const ALIKE: f64 = 0.9;
/// Two texts that are less alike are two pages, whatever their titles say.
const UNLIKE: f64 = 0.5;

const DOING: &str = "cannot look at the canonical addresses that pages claim";

/// A page that is known under a claimed address.
struct Page {
    /// Its own address. `None`: the claimed one is its own.
    own: Option<String>,
    title: Option<String>,
    fingerprint: Fingerprint,
    article: Option<i64>,
}

impl Page {
    fn of(work: &Work<'_>) -> Self {
        Self {
            own: work.claimant().map(str::to_owned),
            title: work.title().map(str::to_owned),
            fingerprint: work.fingerprint().clone(),
            article: None,
        }
    }

    /// Whether the two are different pages, and not one that is reached in two ways.
    fn is_another(&self, work: &Work<'_>) -> bool {
        if self.own.as_deref() == work.claimant() {
            return false;
        }
        let change = versions::compare(&self.fingerprint, work.fingerprint());
        let same_title = self.title.as_deref() == work.title();
        !change.same_text && (change.jaccard < UNLIKE || !same_title && change.jaccard < ALIKE)
    }
}

/// Gives the pages of distrusted canonical addresses their own, and distrusts those that different pages claim.
pub(crate) async fn settle(connection: &mut PgConnection, works: &mut [Work<'_>]) -> Result<(), StoreError> {
    let mut claimed: Vec<Identity> = works
        .iter()
        .filter(|w| w.claimant().is_some())
        .map(|w| w.identity)
        .collect();
    if claimed.is_empty() {
        return Ok(());
    }
    claimed.sort_unstable();
    claimed.dedup();
    let bytes: Vec<&[u8]> = claimed.iter().map(|i| i.0.as_slice()).collect();
    let mut distrusted: HashSet<Identity> =
        sqlx::query_scalar("SELECT identity FROM distrusted_canonical WHERE identity = ANY ($1)")
            .bind(&bytes)
            .fetch_all(&mut *connection)
            .await
            .doing(DOING)?
            .iter()
            .map(|bytes: &Vec<u8>| Identity::from_bytes(bytes))
            .collect::<Result<_, _>>()?;
    let mut pages = stored(connection, &bytes).await?;
    let mut found: HashMap<Identity, String> = HashMap::new();
    for work in works.iter() {
        let is_claimed = work.claimant().is_some() || pages.contains_key(&work.identity);
        if !is_claimed || distrusted.contains(&work.identity) {
            continue;
        }
        let known = pages.entry(work.identity).or_default();
        if let (true, Some(url)) = (known.iter().any(|p| p.is_another(work)), work.canonical()) {
            distrusted.insert(work.identity);
            found.insert(work.identity, url.to_owned());
        }
        known.push(Page::of(work));
    }
    for (identity, url) in &found {
        distrust(connection, *identity, url, pages.get(identity)).await?;
    }
    for work in works {
        if distrusted.contains(&work.identity) {
            work.take_own_address();
        }
    }
    Ok(())
}

/// The articles that are stored under these addresses.
async fn stored(
    connection: &mut PgConnection,
    identities: &[&[u8]],
) -> Result<HashMap<Identity, Vec<Page>>, StoreError> {
    let rows = sqlx::query(
        "SELECT i.identity, a.article_id, a.own_url, a.title, e.evidence
         FROM article_identity i JOIN article a USING (article_id) JOIN evidence e USING (article_id) WHERE i.identity = ANY ($1)",
    )
    .bind(identities)
    .fetch_all(connection)
    .await
    .doing(DOING)?;
    let mut pages: HashMap<Identity, Vec<Page>> = HashMap::new();
    for row in rows {
        let article: i64 = row.try_get(1).doing(DOING)?;
        let page = Page {
            own: row.try_get(2).doing(DOING)?,
            title: row.try_get(3).doing(DOING)?,
            fingerprint: decode(article, row.try_get(4).doing(DOING)?)?,
            article: Some(article),
        };
        let identity = Identity::from_bytes(&row.try_get::<Vec<u8>, _>(0).doing(DOING)?)?;
        pages.entry(identity).or_default().push(page);
    }
    Ok(pages)
}

/// Notes that different pages claim an address. The article that is stored under it gets its own.
async fn distrust(
    connection: &mut PgConnection,
    identity: Identity,
    url: &str,
    pages: Option<&Vec<Page>>,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO distrusted_canonical (identity, canonical_url) VALUES ($1, $2) ON CONFLICT DO NOTHING",
    )
    .bind(identity.0.as_slice())
    .bind(url)
    .execute(&mut *connection)
    .await
    .doing(DOING)?;
    let holder = pages
        .into_iter()
        .flatten()
        .find_map(|p| Some((p.article?, p.own.as_deref()?)));
    let Some((article, own)) = holder else {
        return Ok(());
    };
    let own_identity = Identity::of_address(own);
    // Where its own address has an article already, it stays where it is: two articles are not made one.
    let moved = sqlx::query(
        "UPDATE article_identity SET identity = $2 WHERE identity = $1 AND article_id = $3
             AND NOT EXISTS (SELECT FROM article_identity o WHERE o.identity = $2)",
    )
    .bind(identity.0.as_slice())
    .bind(own_identity.0.as_slice())
    .bind(article)
    .execute(&mut *connection)
    .await
    .doing(DOING)?;
    if moved.rows_affected() > 0 {
        sqlx::query(
            "UPDATE article SET identity = $2, canonical_url = own_url, canonical_url_source = 'envelope', own_url = NULL WHERE article_id = $1",
        )
        .bind(article)
        .bind(own_identity.0.as_slice())
        .execute(connection)
        .await
        .doing(DOING)?;
    }
    Ok(())
}
