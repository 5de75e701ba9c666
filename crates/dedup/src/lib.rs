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
//! 1. [`fingerprint()`]: fold the text (`fold`), cut it into words (`tokens`), hash runs of four (`hash`). 16 of the
//!    hashes (`keys`) and one of the whole body are its keys. Keys depend on the text alone, never on other articles.
//! 2. The store claims the keys. The first article with a key owns it; the owners are the candidates.
//! 3. [`decide()`]: leave out the blocks that the site shows everywhere (`site`), compare with each candidate (`overlap`,
//!    `compare`, `parts`, `facts`), weigh the signs (`signs`, `weights`), keep digests apart (`digest`), take the best match, and
//!    say which stories it shows to be one (`merges`).
//! 4. The store writes the link and [`evidence::encode`]s what was kept, for the next article to be held against.
//!
//! The same address again is no copy but a version: [`versions::compare`].
//! Why these steps and thresholds, and what they achieve: docs/near-copies.md.
//!
//! ```
//! use copydesk_article::{ArticleId, Relation, StoryId};
//! use copydesk_dedup::{Candidate, Params, Subject, Times, decide, fingerprint_parts};
//!
//! let text = "The harbour of Velmora opened again on Tuesday after nine days. Forty ships had waited outside.";
//! let older = fingerprint_parts(Some("Harbour opens"), [text]);
//! let newer = fingerprint_parts(Some("Ships return"), [text.to_uppercase().as_str()]);
//! assert_eq!(older.keys, newer.keys);
//!
//! let subject = Subject { id: ArticleId(2), site: None, url_hash: None, times: Times::default(), fingerprint: &newer };
//! let candidate =
//!     Candidate {
//!         id: ArticleId(1), story: StoryId(1), site: None, url_hash: None, times: Times::default(), fingerprint: &older,
//!         link: None, digest: false, excerpts: &[], copies: &[],
//!     };
//! let decision = decide(&subject, &[candidate], &[], &Params::default());
//! assert_eq!(decision.link.map(|l| (l.to, l.relation)), Some((ArticleId(1), Relation::ExactCopy)));
//! ```

mod bits;
mod block;
mod calendar;
mod common;
mod compare;
mod decide;
mod decision;
mod digest;
pub mod evidence;
mod facts;
mod fingerprint;
mod fold;
mod han;
mod hash;
mod inputs;
mod keys;
mod matches;
pub mod memory;
mod merges;
mod order;

mod overlap;
mod params;
mod parts;
mod series;
mod signs;
mod site;
mod times;
mod tokens;
pub mod versions;
mod weights;
mod words;

pub use common::{COMMON_FROM, CommonBuilder, CommonShingles};
pub use compare::facts;
pub use decide::{decide, decide_at_site};
pub use decision::{
    Decision, FoundDigest, Link, LinkReason, Merge, PART_FROM, Reason, Refusal, Relink, Weighed,
};
pub use evidence::EvidenceError;
pub use facts::{Agreement, Facts, Titles};
pub use fingerprint::{
    FINGERPRINT_VERSION, Fingerprinter, LEAD_WORDS, MAX_SHINGLES, MIN_SHINGLES, SHINGLE_CHARACTERS,
    SHINGLE_KEYS, SHINGLE_WORDS, block_hash, body_key, fingerprint, fingerprint_parts, title_words,
};
pub use inputs::{Candidate, Excerpt, PriorLink, Recent, Subject};
pub use keys::FIRST_STRETCH;
pub use params::{COPIES, EXCERPTS, Params, RECENTS, RULE_VERSION};
pub use signs::{SIGNS, Sense, Sign, Signs, signs};
pub use site::SiteEvidence;
pub use times::Times;
pub use weights::{Weights, WeightsError};
