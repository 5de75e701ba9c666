//! Near-copies: which articles are the same text, in whole or in part. Stages 3 and 4 of the pipeline.
//!
//! **In:** the kept paragraphs and the title of a cleaned article; later, older articles that share an index key
//! with it and the last articles of its site. **Out:** a [`Fingerprint`](copydesk_article::Fingerprint) (index keys, shingles,
//! block hashes, numbers and names), then a [`Decision`]: new story, or linked to one older article, with the reason for the
//! link and for every candidate that was refused. **What may fail:** reading damaged stored evidence
//! ([`EvidenceError`]); nothing else. No I/O, no clock, no randomness, no state between articles.
//!
//! The way of an article through this crate:
//!
//! 1. [`fingerprint`]: fold the text (`fold`), cut it into words (`tokens`), hash runs of four (`hash`). 16 of the
//!    hashes (`keys`) and one of the whole body are its keys. Keys depend on the text alone, never on other articles.
//! 2. The store claims the keys. The first article with a key owns it; the owners are the candidates.
//! 3. [`decide`]: leave out the blocks that the site shows everywhere (`site`), measure what is shared (`overlap`), apply the
//!    guards (`guards`), take the best match.
//! 4. The store writes the link and [`evidence::encode`]s what was kept, for the next article to be held against.
//!
//! The same address again is no copy but a version: [`versions::compare`].
//! Why these steps and thresholds, and what they achieve: docs/near-copies.md.
//!
//! ```
//! use copydesk_article::{ArticleId, Relation, StoryId};
//! use copydesk_dedup::{Candidate, Params, Subject, decide, fingerprint_parts};
//!
//! let text = "The harbour of Velmora opened again on Tuesday after nine days. Forty ships had waited outside.";
//! let older = fingerprint_parts(Some("Harbour opens"), [text]);
//! let newer = fingerprint_parts(Some("Ships return"), [text.to_uppercase().as_str()]);
//! assert_eq!(older.keys, newer.keys);
//!
//! let subject = Subject { id: ArticleId(2), site: None, url_hash: None, fingerprint: &newer };
//! let candidate =
//!     Candidate { id: ArticleId(1), story: StoryId(1), site: None, url_hash: None, fingerprint: &older, link: None };
//! let decision = decide(&subject, &[candidate], &[], &Params::default());
//! assert_eq!(decision.link.map(|l| (l.to, l.relation)), Some((ArticleId(1), Relation::ExactCopy)));
//! ```

mod bits;
mod block;
mod common;
mod decide;
pub mod evidence;
mod fingerprint;
mod fold;
mod guards;
mod hash;
mod keys;
pub mod memory;
mod order;
mod overlap;
mod params;
mod site;
mod tokens;
pub mod versions;

pub use common::{COMMON_FROM, CommonBuilder, CommonShingles};
pub use decide::{
    Candidate, Decision, Link, LinkReason, PriorLink, Recent, Refusal, Relink, Subject, decide,
};
pub use evidence::EvidenceError;
pub use fingerprint::{
    FINGERPRINT_VERSION, Fingerprinter, MAX_SHINGLES, MIN_SHINGLES, SHINGLE_CHARACTERS, SHINGLE_KEYS,
    SHINGLE_WORDS, block_hash, body_key, fingerprint, fingerprint_parts, title_words,
};
pub use keys::FIRST_STRETCH;
pub use params::{Params, RECENTS, RULE_VERSION};
