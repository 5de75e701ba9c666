//! Feeds: RSS, RDF, Atom and JSON Feed. Each entry becomes a JSON envelope.
//!
//! An entry with the whole article (`content:encoded`, Atom's `content`, `content_html`) gives its `html`;
//! one with a summary alone gives that as `text`, and says so in the extra field `feed_body`. A feed is read
//! whole, up to [`MAX_BYTES`]: real ones are smaller by far; one entry at a time is more than its text.
//!
//! `text` finds the encoding, `pieces` cuts the document at its entries, `tree` reads each of them however
//! broken it is, `names` knows namespaces by their addresses, `entry` takes the fields, `item` makes the
//! record. docs/decisions/009-feeds.md says why these are not the steps of one library.

mod entry;
mod item;
mod jsonfeed;
mod names;
mod pieces;
mod plain;
mod text;
mod tree;
mod xml;

use std::io::BufRead;

use url::Url;

use crate::outgoing::{Origin, Step};
use crate::sources::Steps;

pub(crate) use jsonfeed::{begins_like_one, is_feed};

/// A feed of more bytes is none.
pub(crate) const MAX_BYTES: usize = 64 << 20;

/// The steps of one file; `max` bytes of an envelope at the most.
pub(crate) fn steps(input: impl BufRead, base: Option<&Url>, origin: &Origin, max: usize) -> Steps<'static> {
    let document = match text::read(input) {
        Ok(document) => document,
        Err(e) => return Box::new(std::iter::once(unreadable(origin.clone(), e.to_string()))),
    };
    // Only JSON begins so; what stands before the XML of a feed has no brace at its front.
    if document
        .trim_start_matches('\u{feff}')
        .trim_start()
        .starts_with('{')
    {
        return Box::new(jsonfeed::steps(&document, base, origin, max).into_iter());
    }
    Box::new(xml::Entries::new(document, base, origin.clone(), max))
}

fn unreadable(origin: Origin, why: String) -> Step {
    Step::Unreadable { origin, why }
}

#[cfg(test)]
mod tests;
