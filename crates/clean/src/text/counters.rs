//! Numbers that are no text: counters of share bars and comments, places in galleries.

use crate::draft::Draft;
use crate::normalise::{fold_phrase, is_edge};
use crate::rules::{Position, Rules};

/// Whether a button of a share bar stands next to a block.
pub(super) fn is_beside_share(drafts: &[Draft], i: usize, rules: &Rules) -> bool {
    let is_number = drafts
        .get(i)
        .is_some_and(|d| d.words <= 3 && d.chars <= 12 && d.text.starts_with(|c: char| c.is_ascii_digit()));
    let is_share = |d: &Draft| match &d.removed {
        Some(r) => matches!(
            r.rule.as_str(),
            "share" | "share-widget" | "comments-widget" | "share-counter"
        ),
        None => d
            .rule(rules, Position::Body)
            .is_some_and(|h| h.rule.id.as_str() == "share"),
    };
    is_number
        && drafts
            .iter()
            .skip(i.saturating_sub(2))
            .take(5)
            .any(|d| d.chars <= 60 && is_share(d))
}

/// "Image 1 of 5", "Foto 2 von 12": the place in a gallery.
pub(super) fn is_gallery_place(draft: &Draft) -> bool {
    if draft.words > 4 || !draft.text.ends_with(|c: char| c.is_ascii_digit()) {
        return false;
    }
    let mut words = draft.text.split(' ');
    let picture = words.next().is_some_and(|w| {
        matches!(
            fold_phrase(w).as_str(),
            "image"
                | "photo"
                | "picture"
                | "slide"
                | "bild"
                | "foto"
                | "imagen"
                | "imagem"
                | "immagine"
                | "zdjęcie"
                | "фото"
                | "kuva"
        )
    });
    picture && words.any(|w| w.chars().all(|c| c.is_ascii_digit()))
}

/// "1.2K Shares", "45 comments", "1,204 views": a number and at most two words. A number alone is one only beside the
/// buttons of a share bar.
pub(super) fn is_counter(draft: &Draft, shared: bool) -> bool {
    if draft.words > 3 || draft.chars > 30 {
        return false;
    }
    // Most short lines begin with a letter, and no number does (but "K" and "M" alone).
    let first = draft.text.chars().find(|c| !is_edge(*c));
    if first.is_some_and(|c| c.is_ascii_alphabetic() && !matches!(c, 'k' | 'K' | 'm' | 'M')) {
        return false;
    }
    let mut digits = 0;
    let mut letters = 0;
    let mut other = 0;
    for c in draft.text.chars() {
        if c.is_numeric() {
            digits += 1;
        } else if c.is_alphabetic() {
            letters += 1;
        } else if !matches!(
            c,
            ' ' | '.' | ',' | '+' | '/' | '|' | ':' | '(' | ')' | '•' | '·' | '-' | '–'
        ) {
            other += 1;
        }
    }
    if letters == 0 {
        return shared && digits > 0 && other == 0 && draft.chars <= 12;
    }
    let mut words = draft.folded().split(' ');
    let (Some(first), Some(second)) = (words.next(), words.next()) else {
        return false;
    };
    let number = |w: &str| {
        w.trim_end_matches(['k', 'm', '+'])
            .chars()
            .all(|c| c.is_ascii_digit() || c == '.' || c == ',')
    };
    let unit = |w: &str| {
        matches!(
            w,
            "share"
                | "shares"
                | "comment"
                | "comments"
                | "like"
                | "likes"
                | "view"
                | "views"
                | "reads"
                | "tweets"
                | "retweets"
                | "kommentare"
                | "commentaires"
                | "comentarios"
                | "comentários"
                | "commenti"
                | "reacties"
                | "komentarzy"
                | "komentarze"
                | "kommentarer"
                | "vues"
                | "vistas"
                | "visualizações"
                | "partages"
                | "compartidos"
                | "просмотров"
                | "комментариев"
        )
    };
    (number(first) && unit(second)) || (unit(first) && number(second))
}
