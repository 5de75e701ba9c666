//! What a name of a byline is: a person's, or that of a role, a place, a staff or an organisation.

use super::author_words::{
    AGENCIES, AGENCIES_IN_GENERAL, COLLECTIVES, ORGANISATIONS, PLACEHOLDERS, PLACES, ROLE_MODIFIERS, ROLES,
    WordSet,
};
use crate::normalise::{fold_phrase, is_dense_script};

/// Whether a folded word is in a list.
pub(super) fn any(list: &WordSet, word: &str) -> bool {
    list.contains(word)
}

/// Two words or more that are written as names are, none of them of a role or an organisation.
pub(crate) fn is_full_name(name: &str) -> bool {
    let words: Vec<&str> = name.split(' ').collect();
    // Names are not written in Katakana alone: "コラム" is a section.
    let katakana = |c: char| ('\u{30a0}'..='\u{30ff}').contains(&c);
    let dense = name.chars().all(is_dense_script)
        && (2..=4).contains(&name.chars().count())
        && !name.chars().all(katakana);
    (dense || words.len() >= 2)
        && !is_role(name)
        && !is_rank(name)
        && !is_place(name)
        && !is_organisation(name)
}

pub(super) fn is_place(name: &str) -> bool {
    any(&PLACES, &fold_phrase(name))
}

pub(super) fn is_organisation(name: &str) -> bool {
    is_agency(name) || fold_phrase(name).split(' ').any(|w| any(&ORGANISATIONS, w))
}

/// Whether a name is that of a news agency, or of agencies in general.
pub(super) fn is_agency(name: &str) -> bool {
    let folded = fold_phrase(name);
    any(&AGENCIES, &folded) || any(&AGENCIES_IN_GENERAL, &folded)
}

/// Whether a name says what somebody does rather than who it is: "Transport Correspondent".
pub(crate) fn is_role(name: &str) -> bool {
    let folded = fold_phrase(name);
    // "Lifestyle Desk" signs as people do.
    let team = folded.split(' ').count() >= 2 && folded.rsplit(' ').next().is_some_and(is_collective);
    !team && folded.split([' ', '-']).any(is_role_word)
}

pub(super) fn is_role_word(word: &str) -> bool {
    const ENDINGS: [&str; 11] = [
        "redakteur",
        "redakteurin",
        "korrespondent",
        "korrespondentin",
        "reporter",
        "reporterin",
        "journalist",
        "journalistin",
        "autorin",
        "redaktor",
        "redaktør",
    ];
    any(&ROLES, word) || ENDINGS.iter().any(|e| word.ends_with(e)) || is_collective(word)
}

/// Whether a word names a staff as a whole: "Lifestyle Desk" is not a person called Lifestyle.
pub(super) fn is_collective(word: &str) -> bool {
    any(&COLLECTIVES, word) || word.ends_with("redaktion")
}

/// Whether a name says nothing but what somebody does, or stands where nobody filled one in: "Staff
/// Reporter", "undefined". A staff as a whole is somebody: "Lifestyle Desk", "Our Editors".
pub(crate) fn is_nobody(name: &str) -> bool {
    let folded = fold_phrase(name);
    let words = || folded.split([' ', '-']).filter(|w| !w.is_empty());
    let last = words().next_back().unwrap_or_default();
    any(&PLACEHOLDERS, &folded)
        || is_role_word(last)
            && !is_collective(last)
            && !last.ends_with('s')
            && words().all(|w| is_role_word(w) || any(&ROLE_MODIFIERS, w))
}

/// "Head Winemaker", "Senior Fellow": what somebody does, whatever it is.
pub(super) fn is_rank(name: &str) -> bool {
    let folded = fold_phrase(name);
    let first = folded.split(' ').next().unwrap_or_default();
    matches!(
        first,
        "head"
            | "senior"
            | "chief"
            | "lead"
            | "deputy"
            | "assistant"
            | "associate"
            | "managing"
            | "executive"
            | "principal"
            | "former"
    )
}
