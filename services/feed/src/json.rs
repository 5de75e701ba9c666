//! Envelopes in files: JSON Lines, an array of them, or one over any number of lines.

use std::io::{self, BufRead};

use url::Url;

use crate::elements::{Element, Elements};
use crate::lines::{Line, Lines};
use crate::outgoing::{Origin, Outgoing, Step};
use crate::sources::{Steps, once, too_large, whole};
use crate::{input, key, syndication};

/// A file of JSON Lines; or of an array, whatever it is called.
pub(crate) fn lines(input: Box<dyn BufRead>, origin: Origin, max: usize) -> io::Result<Steps<'static>> {
    let mut input = input::json(input)?;
    Ok(if first_byte(&mut input)? == Some(b'[') {
        Box::new(elements(input, origin, max))
    } else {
        Box::new(steps(Lines::new(input, max), origin, max))
    })
}

/// A .json file: an array of envelopes, a JSON Feed, one envelope over any number of lines; or JSON Lines
/// after all, where the first line is a whole object.
pub(crate) fn json(
    input: Box<dyn BufRead>,
    base: Option<&Url>,
    origin: Origin,
    max: usize,
) -> io::Result<Steps<'static>> {
    let mut input = input::json(input)?;
    if first_byte(&mut input)? == Some(b'[') {
        return Ok(Box::new(elements(input, origin, max)));
    }
    if syndication::begins_like_one(input.fill_buf()?) {
        return Ok(syndication::steps(input, base, &origin, max));
    }
    let feed = |json: &[u8]| syndication::steps(json, base, &origin, max);
    let mut lines = Lines::new(input, max);
    Ok(match lines.next() {
        None => Box::new(std::iter::empty()),
        Some(Line::Whole(number, first)) if key::peek(&first).is_object => {
            if syndication::is_feed(&first) {
                return Ok(feed(&first));
            }
            let at = Origin {
                line: Some(number),
                ..origin.clone()
            };
            Box::new(once(Step::Article(envelope(first, at))).chain(steps(lines, origin, max)))
        }
        Some(Line::Whole(_, mut first)) => {
            first.push(b'\n');
            match whole(first, lines.into_rest(), origin.clone(), max, envelope) {
                Step::Article(a) if syndication::is_feed(&a.payload) => feed(&a.payload),
                step => once(step),
            }
        }
        Some(Line::TooLong(_)) => once(too_large(origin, max)),
        Some(Line::Broken(_, e)) => once(Step::Unreadable {
            origin,
            why: e.to_string(),
        }),
    })
}

/// The first byte that is no white space; what comes before it is passed over only where it is read again later anyway.
fn first_byte(input: &mut Box<dyn BufRead>) -> io::Result<Option<u8>> {
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok(None);
        }
        // Lines are counted: what is blank stays, unless there is too much of it to look past.
        if let Some(byte) = buffer.iter().find(|b| !b.is_ascii_whitespace()) {
            return Ok(Some(*byte));
        }
        let blank = buffer.len();
        input.consume(blank);
    }
}

fn elements(input: Box<dyn BufRead>, origin: Origin, max: usize) -> impl Iterator<Item = Step> {
    Elements::new(input, max).map(move |element| {
        let at = |number| Origin {
            line: Some(number),
            ..origin.clone()
        };
        match element {
            Element::Whole(number, payload) => Step::Article(envelope(payload, at(number))),
            Element::TooLong(number) => too_large(at(number), max),
            Element::Broken(number, e) => Step::Unreadable {
                origin: at(number),
                why: e.to_string(),
            },
        }
    })
}

fn steps(lines: Lines, origin: Origin, max: usize) -> impl Iterator<Item = Step> {
    lines.map(move |line| {
        let at = |number| Origin {
            line: Some(number),
            ..origin.clone()
        };
        match line {
            Line::Whole(number, payload) => Step::Article(envelope(payload, at(number))),
            Line::TooLong(number) => too_large(at(number), max),
            Line::Broken(number, e) => Step::Unreadable {
                origin: at(number),
                why: e.to_string(),
            },
        }
    })
}

fn envelope(payload: Vec<u8>, origin: Origin) -> Outgoing {
    let peek = key::peek(&payload);
    Outgoing {
        key: peek.site,
        payload,
        headers: Vec::new(),
        origin,
        odd: !peek.is_object,
        address: peek.address,
        notes: Vec::new(),
    }
}
