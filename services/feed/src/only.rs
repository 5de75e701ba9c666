//! Which records are wanted: those of one language, of one site.

use copydesk_article::fold_case;
use serde::Deserialize;

use crate::key;
use crate::outgoing::Outgoing;

/// How far into a page its language is looked for.
const PAGE_START: usize = 4096;

const OTHER_SITE: &str = "records of another site, or of none (--site)";
const OTHER_LANGUAGE: &str = "records in another language (--language)";
const NO_LANGUAGE: &str = "records that do not say their language (--language)";

/// What a record must be to be sent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Only {
    language: Option<String>,
    site: Option<String>,
}

impl Only {
    pub(crate) fn new(language: Option<&str>, site: Option<&str>) -> Self {
        Self {
            language: language.map(|l| fold_case(l.trim())),
            site: site.and_then(key::name),
        }
    }

    /// Why the record is not wanted. `None`: it is.
    pub(crate) fn unwanted(&self, outgoing: &Outgoing) -> Option<&'static str> {
        if self.site.is_some() && self.site != outgoing.key {
            return Some(OTHER_SITE);
        }
        let wanted = self.language.as_deref()?;
        let Some(said) = language(outgoing) else {
            return Some(NO_LANGUAGE);
        };
        let said = fold_case(said.trim()).replace('_', "-");
        // en takes en-GB; en-gb takes only that.
        let is = said == wanted
            || said
                .strip_prefix(wanted)
                .is_some_and(|rest| rest.starts_with('-'));
        (!is).then_some(OTHER_LANGUAGE)
    }
}

#[derive(Deserialize)]
struct Languages {
    language: Option<String>,
    #[serde(rename = "inLanguage")]
    in_language: Option<String>,
    lang: Option<String>,
    html: Option<String>,
}

/// The language that a record says it is in.
fn language(outgoing: &Outgoing) -> Option<String> {
    if outgoing.payload.trim_ascii_start().first() == Some(&b'{') {
        let says: Languages = serde_json::from_slice(&outgoing.payload).ok()?;
        let filled = |l: &String| !l.trim().is_empty();
        let named = [says.language, says.in_language, says.lang].into_iter().flatten();
        return named
            .into_iter()
            .find(filled)
            .or_else(|| of_page(says.html?.as_bytes()));
    }
    of_page(&outgoing.payload)
}

/// The attribute `lang` of a page's `<html>`.
fn of_page(page: &[u8]) -> Option<String> {
    let start = page.get(..page.len().min(PAGE_START)).unwrap_or_default();
    let start = fold_case(&String::from_utf8_lossy(start));
    let (_, tag) = start.split_once("<html")?;
    let (tag, _) = tag.split_once('>')?;
    let (_, value) = tag.split_once(" lang=").or_else(|| tag.split_once("xml:lang="))?;
    let value = value.trim_start_matches(['"', '\'']);
    let end = value.find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_');
    let found = value.get(..end.unwrap_or(value.len()))?;
    (!found.is_empty()).then(|| found.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Address, Origin};

    fn record(payload: &str, key: Option<&str>) -> Outgoing {
        Outgoing {
            key: key.map(str::to_owned),
            payload: payload.as_bytes().to_vec(),
            headers: Vec::new(),
            origin: Origin {
                file: "a".into(),
                line: None,
            },
            odd: false,
            address: Address::Known,
            notes: Vec::new(),
        }
    }

    #[test]
    fn records_are_chosen_by_what_they_say() {
        let german = Only::new(Some("DE"), None);
        for (payload, unwanted) in [
            (r#"{"language":"de-AT","text":"a"}"#, None),
            (r#"{"lang":"de","language":" ","text":"a"}"#, None),
            (r#"{"html":"<!doctype html><html class=x lang='de'><p>a"}"#, None),
            ("<html lang=de-CH><p>a", None),
            (r#"{"language":"den"}"#, Some(OTHER_LANGUAGE)),
            ("<HTML LANG=\"en\">", Some(OTHER_LANGUAGE)),
            (r#"{"text":"a"}"#, Some(NO_LANGUAGE)),
            ("{oops", Some(NO_LANGUAGE)),
            ("A text.", Some(NO_LANGUAGE)),
        ] {
            assert_eq!(german.unwanted(&record(payload, None)), unwanted, "{payload}");
        }
        let site = Only::new(None, Some("WWW.News.example"));
        assert_eq!(site.unwanted(&record("{}", Some("news.example"))), None);
        assert_eq!(
            site.unwanted(&record("{}", Some("sport.news.example"))),
            Some(OTHER_SITE)
        );
        assert_eq!(site.unwanted(&record("{}", None)), Some(OTHER_SITE));
        assert_eq!(Only::new(None, None).unwanted(&record("{}", None)), None);
    }
}
