//! Ten edits of every article, in any language: what agencies and content systems do to a copy.

use std::collections::HashSet;

use serde_json::json;

use super::{Article, Random};

/// The name of an edit and what it makes of the paragraphs.
type Edit = (&'static str, fn(&[String], &mut Random) -> Vec<String>);

const EDITS: [Edit; 10] = [
    ("spaces", |text, _| {
        each(text, |p| format!(" {}\u{a0}", p.replace(' ', "  ")))
    }),
    ("quotes", |text, _| {
        each(text, |p| {
            p.replace(['"', '“', '”', '„', '«', '»'], "'")
                .replace(" - ", " – ")
        })
    }),
    ("capitals", |text, _| each(text, str::to_uppercase)),
    ("joined", |text, _| vec![text.join(" ")]),
    ("cut50", |text, _| cut(text, 50)),
    ("cut30", |text, _| cut(text, 30)),
    ("dropped", |text, random| {
        let gone = random.below(text.len());
        let kept = text
            .iter()
            .enumerate()
            .filter(|(n, _)| *n != gone || text.len() == 1);
        kept.map(|(_, p)| p.clone()).collect()
    }),
    ("tagged", |text, _| {
        let mut tagged = text.to_vec();
        if let Some(first) = tagged.first_mut() {
            *first = format!("(NWA) - {first}");
        }
        tagged.push("Copyright NWA 2026.".to_owned());
        tagged
    }),
    ("shuffled", |text, random| {
        let mut shuffled = text.to_vec();
        for n in (1..shuffled.len()).rev() {
            shuffled.swap(n, random.below(n + 1));
        }
        shuffled
    }),
    ("words5", |text, random| {
        each(text, |p| {
            let words = p.split(' ');
            let words = words.map(|w| if random.below(20) == 0 { "xx" } else { w });
            words.collect::<Vec<_>>().join(" ")
        })
    }),
];

/// Every article with its ten edits, in an order drawn at random; each copy is at a site of its own.
pub(crate) fn edited(articles: &[Article], random: &mut Random) -> Vec<Article> {
    let mut all = Vec::new();
    // Some collections have one article twice.
    let mut seen = HashSet::new();
    let mut is_new = |article: &&Article| {
        let letters = article.paragraphs.iter().flat_map(|p| p.chars());
        seen.insert(letters.filter(|c| c.is_alphabetic()).take(80).collect::<String>())
    };
    let longer = articles.iter().filter(|a| a.paragraphs.len() > 1);
    for (cluster, article) in longer.filter(|a| is_new(a)).enumerate() {
        let edits = EDITS
            .iter()
            .map(|(kind, edit)| (*kind, edit(&article.paragraphs, random)));
        let own = ("base", article.paragraphs.clone());
        let versions: Vec<(&str, Vec<String>)> = std::iter::once(own).chain(edits).collect();
        for (kind, paragraphs) in versions {
            let record =
                json!({ "host": all.len(), "kind": kind, "cluster": cluster, "title": article.title() });
            all.push(Article { record, paragraphs });
        }
    }
    for n in (1..all.len()).rev() {
        all.swap(n, random.below(n + 1));
    }
    for (id, article) in all.iter_mut().enumerate() {
        article.record["id"] = json!(id);
    }
    all
}

fn each(text: &[String], edit: impl FnMut(&str) -> String) -> Vec<String> {
    let mut edit = edit;
    text.iter().map(|p| edit(p)).collect()
}

/// The first `percent` of the characters.
fn cut(text: &[String], percent: usize) -> Vec<String> {
    let mut left = text.iter().map(|p| p.chars().count()).sum::<usize>() * percent / 100;
    let mut kept = Vec::new();
    for paragraph in text {
        if left == 0 {
            break;
        }
        let part: String = paragraph.chars().take(left).collect();
        left -= part.chars().count();
        kept.push(part);
    }
    kept
}
