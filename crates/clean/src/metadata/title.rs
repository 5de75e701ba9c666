//! The title, by vote.
//!
//! A page names its article in several places, and each of them errs in its own way: the first heading may
//! hold the section, `og:title` the name of the site, JSON-LD a headline for search engines. What most of
//! them say is the title; a source also speaks for what it says without the site's name at its end or a
//! kicker at its start.

use copydesk_article::{MetadataSource, Sourced};

use super::facts::Facts;
use crate::normalise::key;

/// What stands between a title and the name of its site.
const SEPARATORS: [&str; 14] = [
    " - ", " | ", " – ", " — ", " · ", " • ", " * ", " :: ", " « ", " » ", " / ", "｜", "ㅣ", " ‹ ",
];

/// What one source says.
struct Voice {
    text: String,
    source: MetadataSource,
    /// Says the same as others with a weight that settles draws: what readers see goes before what search
    /// engines are told.
    weight: u32,
    /// Keys of what it says, whole and without what separators cut off.
    forms: Vec<u64>,
}

/// The title that most sources agree on.
pub(crate) fn title(
    facts: &Facts,
    headline: Option<String>,
    og: Option<String>,
    site_names: &[u64],
) -> Option<Sourced<String>> {
    let mut voices = Vec::new();
    let mut add = |text: Option<String>, source, weight| {
        if let Some(text) = text.filter(|t| key(t).is_some_and(|k| !site_names.contains(&k))) {
            voices.push(Voice {
                forms: forms(&text),
                text,
                source,
                weight,
            });
        }
    };
    add(og, MetadataSource::Meta, 21);
    add(facts.h1.first().cloned(), MetadataSource::Element, 20);
    add(headline, MetadataSource::JsonLd, 20);
    add(facts.title.clone(), MetadataSource::Element, 16);
    let support = |text: &str| -> u32 {
        let Some(wanted) = key(text) else { return 0 };
        voices
            .iter()
            .filter(|v| v.forms.contains(&wanted))
            .map(|v| v.weight)
            .sum()
    };
    // The `<title>` alone carries the site's name more often than not: it is heard, and chosen last.
    let mut best: Option<(u32, String, MetadataSource)> = None;
    let mut consider = |text: String, source, penalty: u32| {
        let score = (support(&text) * 2).saturating_sub(penalty);
        if best.as_ref().is_none_or(|(most, ..)| score > *most) {
            best = Some((score, text, source));
        }
    };
    for voice in &voices {
        consider(voice.text.clone(), voice.source, 0);
    }
    // Further headings count where another source says the same.
    for other in facts.h1.iter().skip(1) {
        if key(other).is_some_and(|k| voices.iter().filter(|v| v.forms.contains(&k)).count() >= 2) {
            consider(other.clone(), MetadataSource::Element, 2);
        }
    }
    for voice in &voices {
        if let Some(short) = without_site(&voice.text, site_names) {
            consider(short, voice.source, 1);
        }
    }
    let (_, text, source) = best?;
    let wanted = key(&text);
    let voted = voices
        .iter()
        .filter(|v| wanted.is_some_and(|k| v.forms.contains(&k)))
        .count()
        > 1;
    let source = if voted { MetadataSource::Vote } else { source };
    let text = without_site(&text, site_names).unwrap_or(text);
    Some(Sourced::new(text, source))
}

/// The keys of a title and of what remains of it when parts are cut off at either end.
fn forms(text: &str) -> Vec<u64> {
    let mut out: Vec<u64> = key(text).into_iter().collect();
    let mut end = text;
    for _ in 0..3 {
        let Some((before, _)) = cut_last(end) else { break };
        out.extend(key(before));
        end = before;
    }
    if let Some(rest) = SEPARATORS
        .iter()
        .filter_map(|s| text.split_once(s))
        .max_by_key(|(_, rest)| rest.len())
        .map(|(_, rest)| rest)
    {
        out.extend(key(rest));
    }
    out
}

/// A title cut at its last separator.
fn cut_last(text: &str) -> Option<(&str, &str)> {
    SEPARATORS
        .iter()
        .filter_map(|s| text.rsplit_once(s))
        .max_by_key(|(before, _)| before.len())
        .filter(|(before, _)| key(before).is_some())
}

/// A title without the site's name at its end; `None` if it is not there.
fn without_site(text: &str, site_names: &[u64]) -> Option<String> {
    let (before, last) = cut_last(text)?;
    let is_site = key(last).is_some_and(|k| site_names.contains(&k));
    is_site.then(|| before.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn voted(og: &str, ld: &str, h1: &[&str], title: &str) -> String {
        let facts = Facts {
            h1: h1.iter().map(|h| (*h).to_owned()).collect(),
            title: Some(title.to_owned()),
            ..Facts::default()
        };
        let some = |t: &str| (!t.is_empty()).then(|| t.to_owned());
        let sites = [key("The Brenmark Post").unwrap_or(0)];
        super::title(&facts, some(ld), some(og), &sites).map_or(String::new(), |t| t.value)
    }

    #[test]
    fn the_majority_has_it_right() {
        assert_eq!(
            voted(
                "Harbour reopens after storm",
                "Brenmark harbour: all you need to know",
                &["Harbour reopens after storm"],
                "Harbour reopens after storm | The Brenmark Post",
            ),
            "Harbour reopens after storm"
        );
        assert_eq!(
            voted(
                "Harbour reopens after storm - Coast Weekly",
                "",
                &["Harbour reopens after storm"],
                "Harbour reopens after storm - Coast Weekly"
            ),
            "Harbour reopens after storm"
        );
    }

    #[test]
    fn the_site_is_no_title() {
        assert_eq!(
            voted(
                "",
                "",
                &["The Brenmark Post", "Harbour reopens"],
                "Harbour reopens - The Brenmark Post"
            ),
            "Harbour reopens"
        );
        assert_eq!(
            voted("Harbour reopens | The Brenmark Post", "", &[], ""),
            "Harbour reopens"
        );
    }
}
