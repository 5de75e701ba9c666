//! What differs between two texts, by words.

use std::time::{Duration, Instant};

use maud::{Markup, html};
use serde::Serialize;
use similar::{Algorithm, DiffTag, capture_diff_slices_deadline};
use unicode_segmentation::UnicodeSegmentation as _;

/// After so long the rest is called different as a whole: texts of strangers can be made to take long.
const PATIENCE: Duration = Duration::from_millis(200);
/// Words and gaps of each text that are compared.
const MOST_WORDS: usize = 40_000;

/// What a piece of text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// In both texts.
    Same,
    /// In the older one alone.
    Gone,
    /// In the newer one alone.
    New,
}

/// A piece of text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Piece {
    pub(crate) kind: Kind,
    pub(crate) text: String,
}

/// The pieces of two texts, in order.
pub(crate) fn words(older: &str, newer: &str) -> Vec<Piece> {
    let split = |text| -> Vec<&str> { str::split_word_bounds(text).take(MOST_WORDS).collect() };
    let (a, b) = (split(older), split(newer));
    let ops = capture_diff_slices_deadline(Algorithm::Myers, &a, &b, Some(Instant::now() + PATIENCE));
    let mut pieces: Vec<Piece> = Vec::new();
    for op in ops {
        let (old, new) = (
            a.get(op.old_range()).unwrap_or_default().concat(),
            b.get(op.new_range()).unwrap_or_default().concat(),
        );
        match op.tag() {
            DiffTag::Equal => pieces.push(Piece {
                kind: Kind::Same,
                text: old,
            }),
            DiffTag::Delete => pieces.push(Piece {
                kind: Kind::Gone,
                text: old,
            }),
            DiffTag::Insert => pieces.push(Piece {
                kind: Kind::New,
                text: new,
            }),
            DiffTag::Replace => {
                pieces.push(Piece {
                    kind: Kind::Gone,
                    text: old,
                });
                pieces.push(Piece {
                    kind: Kind::New,
                    text: new,
                });
            }
        }
    }
    joined(pieces)
}

/// Joins changes that only a gap between words keeps apart: three words that were replaced read better as one change.
fn joined(pieces: Vec<Piece>) -> Vec<Piece> {
    let mut out: Vec<Piece> = Vec::new();
    let mut change = (String::new(), String::new());
    let mut gap = String::new();
    let flush = |out: &mut Vec<Piece>, change: &mut (String, String)| {
        for (kind, text) in [(Kind::Gone, &mut change.0), (Kind::New, &mut change.1)] {
            if !text.is_empty() {
                out.push(Piece {
                    kind,
                    text: std::mem::take(text),
                });
            }
        }
    };
    for piece in pieces {
        let changing = !(change.0.is_empty() && change.1.is_empty());
        match piece.kind {
            // A paragraph's end stays where it is.
            Kind::Same if changing && piece.text.chars().all(|c| c == ' ') => gap.push_str(&piece.text),
            Kind::Same => {
                flush(&mut out, &mut change);
                let text = std::mem::take(&mut gap) + &piece.text;
                out.push(Piece {
                    kind: Kind::Same,
                    text,
                });
            }
            Kind::Gone | Kind::New => {
                let between = std::mem::take(&mut gap);
                change.0.push_str(&between);
                change.1.push_str(&between);
                if piece.kind == Kind::Gone {
                    change.0.push_str(&piece.text);
                } else {
                    change.1.push_str(&piece.text);
                }
            }
        }
    }
    flush(&mut out, &mut change);
    if !gap.is_empty() {
        out.push(Piece {
            kind: Kind::Same,
            text: gap,
        });
    }
    out
}

/// One side of the comparison as paragraphs: the older text with what is gone, or the newer one with what is new.
pub(crate) fn side(pieces: &[Piece], shown: Kind, language: Option<&str>) -> Markup {
    let hidden = if shown == Kind::Gone {
        Kind::New
    } else {
        Kind::Gone
    };
    let mut paragraphs: Vec<Vec<(Kind, &str)>> = vec![Vec::new()];
    for piece in pieces.iter().filter(|p| p.kind != hidden) {
        for (number, part) in piece.text.split("\n\n").enumerate() {
            if number > 0 {
                paragraphs.push(Vec::new());
            }
            if let Some(last) = paragraphs.last_mut().filter(|_| !part.is_empty()) {
                last.push((piece.kind, part));
            }
        }
    }
    html! {
        div.prose lang=[crate::text::lang(language)] {
            @for paragraph in paragraphs.iter().filter(|p| !p.is_empty()) {
                p dir="auto" {
                    @for (kind, text) in paragraph {
                        @match kind {
                            Kind::Same => (text),
                            Kind::Gone => del { (text) },
                            Kind::New => ins { (text) },
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(older: &str, newer: &str) -> Vec<(Kind, String)> {
        words(older, newer)
            .into_iter()
            .map(|p| (p.kind, p.text))
            .collect()
    }

    #[test]
    fn changes_are_words_and_neighbours_are_one_change() {
        let same = |t: &str| (Kind::Same, t.to_owned());
        let gone = |t: &str| (Kind::Gone, t.to_owned());
        let new = |t: &str| (Kind::New, t.to_owned());
        assert_eq!(
            told("The ferry left at noon today.", "The old boat left at noon."),
            [
                same("The "),
                gone("ferry"),
                new("old boat"),
                same(" left at noon"),
                gone(" today"),
                same(".")
            ]
        );
        assert_eq!(told("same", "same"), [same("same")]);
        assert_eq!(told("", "new"), [new("new")]);
        assert_eq!(told("", ""), []);
    }

    #[test]
    fn both_texts_can_be_read_off_the_pieces() {
        let (older, newer) = (
            "東京都は港を閉じた。\n\nA b c d.",
            "東京都は空港を閉じた。\n\nA x y d.\n\nEnd.",
        );
        let pieces = words(older, newer);
        let without = |hidden: Kind| {
            pieces
                .iter()
                .filter(|p| p.kind != hidden)
                .map(|p| p.text.as_str())
                .collect::<String>()
        };
        assert_eq!(
            (without(Kind::New).as_str(), without(Kind::Gone).as_str()),
            (older, newer)
        );
    }

    #[test]
    fn a_side_is_escaped_and_has_its_paragraphs() {
        let pieces = words("One <b>two</b>.\n\nThree.", "One <i>two</i>.\n\nThree.");
        let drawn = side(&pieces, Kind::New, Some("en")).into_string();
        assert!(
            !drawn.contains("<i>") && !drawn.contains("<b>") && drawn.contains("&lt;"),
            "{drawn}"
        );
        assert_eq!(drawn.matches("<p ").count(), 2, "{drawn}");
        assert!(drawn.contains("<ins>") && !drawn.contains("<del>"), "{drawn}");
    }

    #[test]
    fn texts_that_share_nothing_end_in_time() {
        let text = |seed: usize| {
            (0..60_000)
                .map(|n| format!("w{} ", n * seed % 7_919))
                .collect::<String>()
        };
        let begun = Instant::now();
        let pieces = words(&text(31), &text(7));
        assert!(!pieces.is_empty() && begun.elapsed() < Duration::from_secs(20));
    }
}
