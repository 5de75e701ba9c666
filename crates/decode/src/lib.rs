//! Stage 1: the bytes and headers of one record become a [`RawArticle`], a [`Tombstone`], or a [`Reject`]
//! that says why not.
//!
//! **In**: a [`Message`] as Kafka gave it, and [`Limits`]. **Out**: an article whose strings are valid UTF-8
//! without NUL, within the limits, with every unknown field kept; or the address of one that is to be taken
//! down. docs/messages.md is the contract that producers read; this crate is its only reader. The steps of
//! [`read`]:
//!
//! 1. `headers`: what the record headers say: the form of the body, its charset, metadata.
//! 2. `compression`: `content-encoding` is undone under a cap on bytes and on the ratio.
//! 3. `form`: JSON envelope, HTML or text: by the content-type header, else by the first bytes.
//! 4. `envelope`: the JSON object is read in one pass into its fields; what is unknown is kept as it came.
//!    Or `charset`: the bytes of a bare body become text.
//! 5. `repair`: NULs and control characters are taken out, since Postgres stores no NUL.
//! 6. `address`: the URL is an http(s) one.
//!
//! **What may fail**: nothing panics, whatever the bytes are, and nothing allocates more than a small multiple
//! of the limits. A message that is no article is refused with a [`Reason`] from the closed list, and a
//! sentence with positions that never quotes the text. What can be mended is mended, and the article
//! carries a short code for it in [`RawArticle::warnings`]: a date that cannot be read costs the date, not
//! the article.
//!
//! The same input always gives the same output: no clock, no I/O, no state.

mod address;
mod aliases;
mod charset;
mod compression;
mod dates;
mod envelope;
mod fields;
mod form;
mod headers;
mod json_error;
mod known_values;
mod limits;
mod nothing;
mod prescan;
mod repair;
mod tombstone;
mod values;
mod warnings;
mod written_date;

use chrono::{DateTime, Utc};
use copydesk_article::sentinel::is_sentinel;
use copydesk_article::{Message, RawArticle, RawBody, Reason, Reject, Stage};

pub use aliases::address_of;
pub use compression::{CappedReader, OverCap};
pub use dates::parse_timestamp;
pub use limits::Limits;
pub use tombstone::Tombstone;
pub use written_date::{WrittenDate, read_written_date};

use envelope::Enveloped;
use form::Form;
use headers::Headers;
use warnings::Warnings;

/// What a message is.
#[derive(Debug, Clone, PartialEq)]
pub enum Decoded {
    /// An article.
    Article(Box<RawArticle>),
    /// The end of one.
    Tombstone(Tombstone),
}

/// Decodes one message that must be an article: for whoever shows what is made of one.
///
/// # Errors
/// As [`read`]; a tombstone is [`Reason::NoBody`].
pub fn decode(message: &Message, limits: &Limits) -> Result<RawArticle, Reject> {
    match read(message, limits)? {
        Decoded::Article(article) => Ok(*article),
        Decoded::Tombstone(_) => Err(reject(
            Reason::NoBody,
            "a tombstone: it takes an article down, and brings none",
        )),
    }
}

/// Decodes one message. A function of its arguments alone.
///
/// # Errors
/// A [`Reject`] of the stage `decode`; docs/quarantine.md says for each reason what to do.
pub fn read(message: &Message, limits: &Limits) -> Result<Decoded, Reject> {
    let payload = message.payload.as_deref().unwrap_or_default();
    if payload.is_empty() {
        let Some(url) = tombstone::address_in_key(message.key.as_deref()) else {
            let detail =
                "the record has no value; it would be a tombstone if its key were an http or https address";
            return Err(reject(Reason::Empty, detail));
        };
        return Tombstone::of(&url, limits).map(Decoded::Tombstone);
    }
    limits.check("the record", payload.len(), limits.max_record_bytes)?;
    let mut warnings = Warnings::default();
    let headers = Headers::read(&message.headers, limits, &mut warnings);

    let bytes = compression::unpack(
        payload,
        headers.content_encoding.as_deref(),
        limits,
        &mut warnings,
    )?;
    let bytes = charset::without_bom(&bytes, limits)?;
    if bytes.trim_ascii().is_empty() {
        return Err(reject(
            Reason::Empty,
            "the record's value is nothing but white space",
        ));
    }
    if let Some(word) = nothing::named(&bytes) {
        let detail =
            format!("the record's value is {word}, which a program writes for a value that it does not have");
        return Err(reject(Reason::NullText, detail));
    }
    let content_type = headers.content_type.as_deref();
    let (form, charset) = form::choose(content_type, &bytes)?;

    let mut article = match form {
        Form::Json => {
            let json = charset::json(form::without_framing(&bytes), charset)?;
            match envelope::read(&json, sent_at(message), limits, &mut warnings)? {
                Enveloped::Article(article) => *article,
                Enveloped::Deleted(url) => {
                    let of_key = || tombstone::address_in_key(message.key.as_deref());
                    let url = url.or(headers.fields.url).or_else(of_key).unwrap_or_default();
                    return Tombstone::of(&url, limits).map(Decoded::Tombstone);
                }
            }
        }
        Form::Html => {
            let url = headers
                .fields
                .url
                .as_deref()
                .and_then(|u| address::parse(u, limits).ok());
            let tld = url.as_ref().and_then(address::top_level_domain);
            RawArticle::from_body(RawBody::Html(charset::html(&bytes, charset, tld, &mut warnings)?))
        }
        Form::Text => RawArticle::from_body(RawBody::Text(charset::text(&bytes, charset, &mut warnings)?)),
    };
    article.sent_at = sent_at(message);
    headers.fill(&mut article, limits, &mut warnings);
    if let Some(url) = &mut article.url {
        let parsed = address::parse(url, limits)?;
        if let Some(bare) = address::without_login(parsed) {
            *url = bare;
            warnings.add(warnings::LOGIN_REMOVED);
        }
    }
    repair_body(&mut article.body, limits, &mut warnings)?;
    article.warnings = warnings.into_codes();
    Ok(Decoded::Article(Box::new(article)))
}

/// Takes out of the body what cannot be stored, and holds it to its limit.
fn repair_body(body: &mut RawBody, limits: &Limits, warnings: &mut Warnings) -> Result<(), Reject> {
    match body {
        RawBody::Html(html) => {
            repair::html(html, warnings);
            limits.check("the HTML", html.len(), limits.max_html_bytes)?;
        }
        RawBody::Text(text) => {
            repair::text(text, warnings);
            limits.check("the text", text.len(), limits.max_text_bytes)?;
        }
    }
    if body.as_str().trim().is_empty() {
        return Err(reject(
            Reason::Empty,
            "nothing is left of the body but white space",
        ));
    }
    Ok(())
}

/// The message's own time, unless it is one that nobody meant.
fn sent_at(message: &Message) -> Option<DateTime<Utc>> {
    message.timestamp.filter(|t| !is_sentinel(t.timestamp()))
}

fn reject(reason: Reason, detail: impl Into<String>) -> Reject {
    Reject::new(Stage::Decode, reason, detail)
}
