//! Names of months and weekdays: two titles that differ in one of them are of two instances of a series.

use std::sync::LazyLock;

use crate::hash::short;
use crate::tokens::{Reader, Tokens};

/// In the languages of most news, as folding leaves them equal (case, accents). Words that mean much else besides
/// (English "may", "sun"; French "mars" is a month and a planet, and stays) are left out.
const NAMES: &str = "january february march april june july august september october november december \
    jan feb mar apr jun jul aug sep sept oct nov dec \
    monday tuesday wednesday thursday friday saturday sunday \
    januar februar märz mai juni juli oktober dezember \
    montag dienstag mittwoch donnerstag freitag samstag sonnabend sonntag \
    janvier février mars avril juin juillet août septembre octobre novembre décembre \
    lundi mardi mercredi jeudi vendredi samedi dimanche \
    enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre \
    lunes martes miércoles jueves viernes sábado domingo \
    gennaio febbraio aprile maggio giugno luglio settembre ottobre dicembre \
    lunedì martedì mercoledì giovedì venerdì sabato domenica \
    janeiro fevereiro março maio junho julho setembro outubro dezembro \
    января февраля марта апреля мая июня июля августа сентября октября ноября декабря \
    понедельник вторник среда четверг пятница суббота воскресенье";

static HASHES: LazyLock<Vec<u32>> = LazyLock::new(|| {
    let mut tokens = Tokens::default();
    Reader::default().read(NAMES, &mut tokens);
    let mut hashes: Vec<u32> = tokens
        .hashes
        .iter()
        .map(|t| short(u64::from_le_bytes(*t)))
        .collect();
    hashes.sort_unstable();
    hashes.dedup();
    hashes
});

/// Whether this word (as in [`copydesk_article::Fingerprint::title_words`]) is the name of a month or a weekday.
pub(crate) fn names_a_date(word: u32) -> bool {
    HASHES.binary_search(&word).is_ok()
}
