//! The title, by agreement.
//!
//! A page names its article in several places, and each of them errs in its own way: the first heading may
//! hold the section, `og:title` the name of the site, JSON-LD a headline for search engines. Pages that call
//! themselves news are voted on: there each place is written for itself. Elsewhere `og:title`, JSON-LD and `<title>` come
//! from one field that is written for search engines, so that their agreement counts once, and what readers see as the
//! headline goes before it.

use copydesk_article::{MetadataSource, Sourced};

use super::title_parts::{
    behind_kicker, cuts, ends_with, shared, shared_of_longer, without_label, without_names, without_section,
};
use crate::normalise::{fold_phrase, key};

/// What a page says that its article is called.
#[derive(Debug, Default)]
pub(crate) struct Said<'f> {
    pub(crate) h1: &'f [String],
    pub(crate) h2: &'f [String],
    pub(crate) og: Option<String>,
    pub(crate) headline: Option<String>,
    pub(crate) title: Option<String>,
    /// The page's JSON-LD calls it news.
    pub(crate) is_news: bool,
}

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

/// The title. `names` are the keys of names of the site and of its sections.
pub(crate) fn title(said: &Said<'_>, names: &[u64]) -> Option<Sourced<String>> {
    let mut names = names.to_vec();
    learn_names(said, &mut names);
    let voice = |text: Option<&String>, source, weight| {
        let text = without_names(text?, &names);
        key(&text).filter(|k| !names.contains(k))?;
        Some(Voice {
            forms: forms(&text),
            text,
            source,
            weight,
        })
    };
    let heads: Vec<Voice> = said
        .h1
        .iter()
        .filter_map(|h| voice(Some(h), MetadataSource::Element, 20))
        .collect();
    let machine: Vec<Voice> = [
        voice(said.og.as_ref(), MetadataSource::Meta, 21),
        voice(said.headline.as_ref(), MetadataSource::JsonLd, 20),
        voice(said.title.as_ref(), MetadataSource::Element, 16),
    ]
    .into_iter()
    .flatten()
    .collect();
    let chosen = if said.is_news {
        voted(&heads, &machine)
    } else {
        shown(&heads, &machine)
    };
    let (text, source) = match chosen {
        Some(found) => found,
        None => (
            voice(said.h2.first(), MetadataSource::Element, 0)?.text,
            MetadataSource::Element,
        ),
    };
    let voices = || heads.iter().chain(&machine);
    let text = whole(text, voices().map(|v| &v.text).chain(said.h2));
    let text = without_section_of(text, said);
    let wanted = key(&text)?;
    let agree = voices().filter(|v| v.forms.contains(&wanted)).count() > 1;
    let source = if agree { MetadataSource::Vote } else { source };
    Some(Sourced::new(text, source))
}

/// A title without the section between it and the site's name, where no headline says that it belongs to it.
fn without_section_of(text: String, said: &Said<'_>) -> String {
    let wanted = key(&text);
    let headlines = said.h1.iter().chain(said.h2).chain(&said.headline);
    let stands_whole = headlines.into_iter().any(|h| key(h) == wanted);
    let mut with_site = [&said.og, &said.title]
        .into_iter()
        .flatten()
        .filter(|_| !stands_whole);
    let shorter = with_site.find_map(|whole| without_section(&text, whole));
    match shorter {
        Some(shorter) => shorter.to_owned(),
        None => text,
    }
}

/// What stands behind a title that another place has alone is the name of the site, or of a section of it.
fn learn_names(said: &Said<'_>, names: &mut Vec<u64>) {
    let headline = |k: u64| {
        let alone = said.h1.iter().chain(&said.og).chain(&said.headline);
        alone.into_iter().any(|t| key(t) == Some(k))
    };
    // A second heading may be a section that stands before the title.
    let heading = |k: u64| said.h2.iter().any(|t| key(t) == Some(k));
    let machine = |k: u64| {
        let told = said.og.iter().chain(&said.headline);
        told.into_iter().any(|t| key(t) == Some(k))
    };
    for text in said.title.iter().chain(&said.og) {
        // "Harbour Blog: The lean boat", where the first heading is the blog's name.
        if let Some((before, after)) = text.split_once(": ")
            && let (Some(before), Some(after)) = (key(before), key(after))
            && machine(after)
            && !machine(before)
            && headline(before)
        {
            names.push(before);
            continue;
        }
        let tail = cuts(text).into_iter().find_map(|(before, after)| {
            let (before, after) = (key(before)?, key(after)?);
            (headline(before) || heading(before) && !headline(after)).then_some(after)
        });
        names.extend(tail);
    }
}

/// A heading that is less like what machines are told has nothing to do with it.
const LEAST_LIKENESS: f64 = 0.06;

/// What readers see as the headline, if it has to do with what the machines are told; else what those are told.
fn shown(heads: &[Voice], machine: &[Voice]) -> Option<(String, MetadataSource)> {
    // A heading of one word that the title has as well is not what the title says: the longer text counts, too.
    let likeness = |head: &Voice| {
        let with = |m: &Voice| shared(&head.text, &m.text) * shared_of_longer(&head.text, &m.text);
        machine.iter().map(with).fold(0.0, f64::max)
    };
    let mut best: Option<(f64, &Voice)> = None;
    for head in heads {
        let likeness = likeness(head);
        if best.is_none_or(|(most, _)| likeness > most) {
            best = Some((likeness, head));
        }
    }
    let head = best.filter(|(likeness, _)| machine.is_empty() || *likeness >= LEAST_LIKENESS);
    let Some((_, head)) = head else {
        let best = machine.first().or_else(|| heads.first())?;
        return Some((without_label(&best.text).to_owned(), best.source));
    };
    // "Coast Harbour reopens": a kicker stands within the heading. The same under two kickers: both go.
    let kicked = machine.iter().find(|m| {
        let others = machine.iter().filter(|o| key(&o.text) == key(&m.text)).count();
        m.text.split(' ').count() >= 3 && others >= 2 && ends_with(&head.text, &m.text)
    });
    if let Some(other) = kicked {
        return Some((other.text.clone(), other.source));
    }
    let rest = behind_kicker(&head.text).filter(|rest| {
        let same = |m: &Voice| {
            let kicker = |text: &str| {
                text.split([':', '-', '–', '—', '|', '/'])
                    .next()
                    .unwrap_or_default()
                    .to_owned()
            };
            behind_kicker(&m.text).and_then(key) == key(rest)
                && shared(&kicker(&m.text), &kicker(&head.text)) < 0.34
        };
        rest.split(' ').count() >= 3 && machine.iter().any(same)
    });
    let text = rest.unwrap_or(&head.text).to_owned();
    Some((text, head.source))
}

/// What most sources say, whole or without what separators cut off.
fn voted(heads: &[Voice], machine: &[Voice]) -> Option<(String, MetadataSource)> {
    let first = heads.first();
    let voices: Vec<&Voice> = machine
        .iter()
        .take(1)
        .chain(first)
        .chain(machine.iter().skip(1))
        .collect();
    let support = |text: &str| -> u32 {
        let Some(wanted) = key(text) else { return 0 };
        let agree = voices.iter().filter(|v| v.forms.contains(&wanted));
        agree.map(|v| v.weight).sum()
    };
    // Further headings count where another source says the same.
    let others = heads.iter().skip(1).filter(|other| {
        let wanted = key(&other.text);
        voices
            .iter()
            .filter(|v| wanted.is_some_and(|k| v.forms.contains(&k)))
            .count()
            >= 2
    });
    let candidates = voices.iter().map(|v| (*v, 0)).chain(others.map(|v| (v, 2)));
    let mut best: Option<(u32, &Voice)> = None;
    for (voice, penalty) in candidates {
        let score = (support(&voice.text) * 2).saturating_sub(penalty);
        if best.is_none_or(|(most, _)| score > most) {
            best = Some((score, voice));
        }
    }
    best.map(|(_, voice)| (voice.text.clone(), voice.source))
}

/// A title that was cut for search engines, as another place has it whole.
fn whole<'t>(text: String, others: impl Iterator<Item = &'t String>) -> String {
    let Some(start) = text.strip_suffix('…').or_else(|| text.strip_suffix("...")) else {
        return text;
    };
    let start = fold_phrase(start);
    others
        .filter(|o| !o.ends_with(['…']) && !o.ends_with("..."))
        .find(|o| !start.is_empty() && fold_phrase(o).starts_with(&start))
        .cloned()
        .unwrap_or(text)
}

/// The keys of a title and of what remains of it when parts are cut off at either end.
fn forms(text: &str) -> Vec<u64> {
    let mut out: Vec<u64> = key(text).into_iter().collect();
    let cuts = cuts(text);
    out.extend(cuts.iter().take(3).filter_map(|(before, _)| key(before)));
    out.extend(cuts.last().and_then(|(_, rest)| key(rest)));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(text: &str) -> Option<String> {
        (!text.is_empty()).then(|| text.to_owned())
    }

    fn called(is_news: bool, og: &str, ld: &str, h1: &[&str], title: &str) -> String {
        let h1: Vec<String> = h1.iter().map(|h| (*h).to_owned()).collect();
        let said = Said {
            h1: &h1,
            h2: &[],
            og: some(og),
            headline: some(ld),
            title: some(title),
            is_news,
        };
        let names = [
            key("The Brenmark Post").unwrap_or(0),
            key("瓦多拉日报网").unwrap_or(0),
        ];
        super::title(&said, &names).map_or(String::new(), |t| t.value)
    }

    const TITLE: &str = "Harbour reopens after storm";

    #[test]
    fn of_news_the_majority_has_it_right() {
        let og = "Harbour reopens after storm | The Brenmark Post";
        assert_eq!(called(true, og, TITLE, &["Sea"], og), TITLE);
        assert_eq!(
            called(true, TITLE, "Brenmark harbour open again", &[TITLE], ""),
            TITLE
        );
        assert_eq!(
            called(
                true,
                "Open again: all about Brenmark",
                "",
                &[TITLE],
                "Harbour reopens after storm - Coast Weekly"
            ),
            TITLE
        );
    }

    #[test]
    fn elsewhere_readers_see_the_title() {
        let seo = "Harbour reopening 2026: what to know";
        assert_eq!(
            called(false, seo, seo, &["Harbour reopens: what you should know"], seo),
            "Harbour reopens: what you should know"
        );
        // A heading that has nothing to do with the title is a slogan.
        assert_eq!(called(false, TITLE, "", &["News you can trust"], TITLE), TITLE);
        assert_eq!(
            called(false, TITLE, "", &["Coast Harbour reopens after storm"], TITLE),
            TITLE
        );
        assert_eq!(
            called(
                false,
                "Coast: Harbour reopens after storm",
                "",
                &["Storms - Harbour reopens after storm"],
                ""
            ),
            TITLE
        );
    }

    #[test]
    fn the_site_is_no_title() {
        let with_site = "Harbour reopens | The Brenmark Post";
        assert_eq!(
            called(
                false,
                "The Brenmark Post",
                "",
                &["The Brenmark Post", "Harbour reopens"],
                with_site
            ),
            "Harbour reopens"
        );
        assert_eq!(called(false, with_site, "", &[], ""), "Harbour reopens");
        assert_eq!(
            called(true, "瓦多拉石桥下周一起封闭-瓦多拉日报网", "", &[], ""),
            "瓦多拉石桥下周一起封闭"
        );
        assert_eq!(
            called(false, "瓦多拉石桥下周一起封闭_瓦多拉日报网", "", &[], ""),
            "瓦多拉石桥下周一起封闭"
        );
        assert_eq!(called(false, TITLE, "", &["Harbour", TITLE], TITLE), TITLE);
        // What stands behind the headline is the site, whatever its first heading says.
        let title = "Harbour reopens - Island Life and More";
        assert_eq!(
            called(false, "", "", &["Island Life and More", "Harbour reopens"], title),
            "Harbour reopens"
        );
        // Of a blog whose first heading is its own name.
        let title = "Harbour Log: The lean boat";
        assert_eq!(
            called(false, "The lean boat", "", &["Harbour Log"], title),
            "The lean boat"
        );
    }

    #[test]
    fn a_cut_title_is_made_whole() {
        let cut = "Harbour reopens after…";
        assert_eq!(
            called(
                true,
                cut,
                cut,
                &[TITLE],
                "Harbour reopens after… | The Brenmark Post"
            ),
            TITLE
        );
        assert_eq!(called(true, cut, cut, &[], cut), cut);
    }

    #[test]
    fn a_section_behind_a_bar_goes() {
        let og = "Harbour reopens after storm | District";
        assert_eq!(called(false, og, "", &[], og), TITLE);
        assert_eq!(
            called(
                true,
                "Harbour reopens after storm | Sea | The Brenmark Post",
                TITLE,
                &[TITLE],
                ""
            ),
            TITLE
        );
    }
}
