//! The language of an article.

use copydesk_article::{MetadataSource, Sourced};

use super::stop_words::by_words;
use crate::draft::Draft;

/// The primary subtag of a BCP 47 tag: `pt-BR` is `pt`. `None` for anything that is no tag.
pub(crate) fn primary(tag: &str) -> Option<String> {
    let first = tag.trim().split(['-', '_', ',', ';', ' ']).next()?;
    let lower: String = first.chars().flat_map(char::to_lowercase).collect();
    let ok = (2..=3).contains(&lower.len()) && lower.chars().all(|c| c.is_ascii_lowercase());
    ok.then_some(lower).map(|l| match l.as_str() {
        "iw" => "he".to_owned(),
        "in" => "id".to_owned(),
        "nb" | "nn" => "no".to_owned(),
        _ => l,
    })
}

/// Characters of the body that are read.
const SAMPLE: usize = 800;
/// A sample with fewer letters than this tells nothing.
const FEWEST_LETTERS: usize = 40;

/// What the body of an article is written in.
pub(crate) fn body_language(drafts: &[Draft]) -> Option<Sourced<String>> {
    let body = || drafts.iter().filter(|d| d.is_kept() && d.kind.is_body());
    if let Some(code) = by_words(body()) {
        return Some(Sourced::new(code.to_owned(), MetadataSource::Detected));
    }
    let mut sample = String::new();
    let mut left = SAMPLE;
    for draft in body() {
        sample.extend(draft.text.chars().chain([' ']).take(left));
        left = left.saturating_sub(draft.chars + 1);
        if left == 0 {
            break;
        }
    }
    detect_language(&sample)
}

/// What a text is written in, by its letters in threes.
fn detect_language(sample: &str) -> Option<Sourced<String>> {
    if sample.chars().filter(|c| c.is_alphabetic()).count() < FEWEST_LETTERS {
        return None;
    }
    // Icelandic, which the detector does not know, has two letters that no other living language shares.
    let count = |c: char| sample.chars().filter(|&x| x == c).count();
    if count('þ') >= 3 && count('ð') >= 3 {
        return Some(Sourced::new("is".to_owned(), MetadataSource::Detected));
    }
    let info = whatlang::detect(sample)?;
    // Sister languages (Norwegian and Danish, Croatian and Serbian) are never told apart for sure: of a long
    // text the better guess is taken.
    let enough = if sample.len() > 500 { 0.03 } else { 0.5 };
    if !info.is_reliable() && info.confidence() < enough {
        return None;
    }
    Some(Sourced::new(
        iso_639_1(info.lang().code()).to_owned(),
        MetadataSource::Detected,
    ))
}

/// The two-letter code of whatlang's three-letter codes where there is one.
fn iso_639_1(code: &str) -> &str {
    match code {
        "epo" => "eo",
        "eng" => "en",
        "rus" => "ru",
        "cmn" => "zh",
        "spa" => "es",
        "por" => "pt",
        "ita" => "it",
        "ben" => "bn",
        "fra" => "fr",
        "deu" => "de",
        "ukr" => "uk",
        "kat" => "ka",
        "ara" => "ar",
        "hin" => "hi",
        "jpn" => "ja",
        "heb" => "he",
        "yid" => "yi",
        "pol" => "pl",
        "amh" => "am",
        "jav" => "jv",
        "kor" => "ko",
        "nob" => "no",
        "dan" => "da",
        "swe" => "sv",
        "fin" => "fi",
        "tur" => "tr",
        "nld" => "nl",
        "hun" => "hu",
        "ces" => "cs",
        "ell" => "el",
        "bul" => "bg",
        "bel" => "be",
        "mar" => "mr",
        "kan" => "kn",
        "ron" => "ro",
        "slv" => "sl",
        "hrv" => "hr",
        "srp" => "sr",
        "mkd" => "mk",
        "lit" => "lt",
        "lav" => "lv",
        "est" => "et",
        "tam" => "ta",
        "vie" => "vi",
        "urd" => "ur",
        "tha" => "th",
        "guj" => "gu",
        "uzb" => "uz",
        "pan" => "pa",
        "aze" => "az",
        "ind" => "id",
        "tel" => "te",
        "pes" => "fa",
        "mal" => "ml",
        "ori" => "or",
        "mya" => "my",
        "nep" => "ne",
        "sin" => "si",
        "khm" => "km",
        "tuk" => "tk",
        "aka" => "ak",
        "zul" => "zu",
        "sna" => "sn",
        "afr" => "af",
        "lat" => "la",
        "slk" => "sk",
        "cat" => "ca",
        "tgl" => "tl",
        "hye" => "hy",
        "cym" => "cy",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_cut_to_their_language() {
        assert_eq!(primary("pt-BR").as_deref(), Some("pt"));
        assert_eq!(primary("en_GB").as_deref(), Some("en"));
        assert_eq!(primary("nb-NO").as_deref(), Some("no"));
        assert_eq!(primary("english"), None);
    }

    #[test]
    fn text_tells_its_language() {
        let german = "Die Fähre lief am frühen Dienstagmorgen auf eine Sandbank, und alle Menschen an Bord wurden von Rettungsbooten an Land gebracht.";
        assert_eq!(detect_language(german).map(|l| l.value).as_deref(), Some("de"));
    }
}
