//! Canonical addresses that pages claim. A template may give the same one to different pages: then it is
//! distrusted, and the pages' own addresses count instead.
//!
//! In: a batch's articles, before their identities are claimed. Out: their identities, and in the database
//! the distrusted addresses. When the second page of a distrusted address comes, the article that was stored
//! under that address gets its own address as well.

use std::collections::{HashMap, HashSet};

use copydesk_article::{ArticleId, Fingerprint};
use copydesk_dedup::versions;
use sqlx::PgConnection;

use crate::error::StoreError;
use crate::flush::identity::{Identity, decode};
use crate::flush::pending_article::PendingArticle;
use crate::rows::{distinct, execute, fetch_all, record};

/// Two texts with a greater similarity are one page in two states, whatever their titles are.
const ALIKE: f64 = 0.9;
/// Two texts with a smaller similarity are two pages, whatever their titles are.
const UNLIKE: f64 = 0.5;

const CONTEXT: &str = "cannot look at the canonical addresses that pages claim";

/// A page that is known under a claimed address.
struct Page {
    /// Its own address. `None`: the claimed one is its own.
    own: Option<String>,
    title: Option<String>,
    fingerprint: Fingerprint,
    article: Option<ArticleId>,
}

impl Page {
    fn of(pending: &PendingArticle<'_>) -> Self {
        Self {
            own: pending.claimant().map(str::to_owned),
            title: pending.title().map(str::to_owned),
            fingerprint: pending.fingerprint().clone(),
            article: None,
        }
    }

    /// Whether the two are different pages, and not one that is reached in two ways.
    fn is_another(&self, pending: &PendingArticle<'_>) -> bool {
        if self.own.as_deref() == pending.claimant() {
            return false;
        }
        let change = versions::compare(&self.fingerprint, pending.fingerprint());
        let same_title = self.title.as_deref() == pending.title();
        !change.same_text && (change.jaccard < UNLIKE || !same_title && change.jaccard < ALIKE)
    }
}

/// Gives the pages of distrusted canonical addresses their own, and distrusts those that different pages claim.
pub(crate) async fn settle(
    connection: &mut PgConnection,
    batch: &mut [PendingArticle<'_>],
) -> Result<(), StoreError> {
    let claimed = distinct(
        batch
            .iter()
            .filter(|p| p.claimant().is_some())
            .map(|p| p.identity),
    );
    if claimed.is_empty() {
        return Ok(());
    }
    let bytes: Vec<&[u8]> = claimed.iter().map(|i| i.0.as_slice()).collect();
    let known: Vec<Identity> = fetch_all!(&mut *connection, CONTEXT;
        "SELECT identity FROM distrusted_canonical WHERE identity = ANY ($1)", &bytes
    )?;
    let mut distrusted: HashSet<Identity> = HashSet::from_iter(known);
    let mut pages = stored(connection, &bytes).await?;
    let mut found: HashMap<Identity, String> = HashMap::new();
    for pending in batch.iter() {
        let is_claimed = pending.claimant().is_some() || pages.contains_key(&pending.identity);
        if !is_claimed || distrusted.contains(&pending.identity) {
            continue;
        }
        let known = pages.entry(pending.identity).or_default();
        if let (true, Some(url)) = (known.iter().any(|p| p.is_another(pending)), pending.canonical()) {
            distrusted.insert(pending.identity);
            found.insert(pending.identity, url.to_owned());
        }
        known.push(Page::of(pending));
    }
    for (identity, url) in &found {
        mark_distrusted(connection, *identity, url, pages.get(identity)).await?;
    }
    for pending in batch {
        if distrusted.contains(&pending.identity) {
            pending.take_own_address();
        }
    }
    Ok(())
}

/// The articles that are stored under these addresses.
async fn stored(
    connection: &mut PgConnection,
    identities: &[&[u8]],
) -> Result<HashMap<Identity, Vec<Page>>, StoreError> {
    record! {
        struct Row {
            identity: Identity,
            article_id: ArticleId,
            own_url: Option<String>,
            title: Option<String>,
            evidence: Vec<u8>,
        }
    }
    let rows: Vec<Row> = fetch_all!(connection, CONTEXT;
        "SELECT i.identity, a.article_id, a.own_url, a.title, e.evidence
         FROM article_identity i JOIN article a USING (article_id) JOIN evidence e USING (article_id) WHERE i.identity = ANY ($1)",
        identities
    )?;
    let mut pages: HashMap<Identity, Vec<Page>> = HashMap::new();
    for row in rows {
        pages.entry(row.identity).or_default().push(Page {
            own: row.own_url,
            title: row.title,
            fingerprint: decode(row.article_id, &row.evidence)?,
            article: Some(row.article_id),
        });
    }
    Ok(pages)
}

/// Notes that different pages claim an address. The article that is stored under it gets its own.
async fn mark_distrusted(
    connection: &mut PgConnection,
    identity: Identity,
    url: &str,
    pages: Option<&Vec<Page>>,
) -> Result<(), StoreError> {
    execute!(&mut *connection, CONTEXT;
        "INSERT INTO distrusted_canonical (identity, canonical_url) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        identity.0.as_slice(), url
    )?;
    let holder = pages
        .into_iter()
        .flatten()
        .find_map(|p| Some((p.article?, p.own.as_deref()?)));
    let Some((article, own)) = holder else {
        return Ok(());
    };
    let own_identity = Identity::of_address(own);
    // Where its own address has an article already, it stays where it is: two articles are not made one.
    let moved = execute!(&mut *connection, CONTEXT;
        "UPDATE article_identity SET identity = $2 WHERE identity = $1 AND article_id = $3
             AND NOT EXISTS (SELECT FROM article_identity o WHERE o.identity = $2)",
        identity.0.as_slice(), own_identity.0.as_slice(), article.0
    )?;
    if moved > 0 {
        execute!(connection, CONTEXT;
            "UPDATE article SET identity = $2, canonical_url = own_url, canonical_url_source = 'envelope', own_url = NULL WHERE article_id = $1",
            article.0, own_identity.0.as_slice()
        )?;
    }
    Ok(())
}
