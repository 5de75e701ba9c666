//! Real pages, scored by the scorer of the corpus.

use std::io::Write as _;

use copydesk_article::{BlockKind, CleanArticle};
use copydesk_site::apply;
use serde_json::{Value, json};

use crate::Options;
use crate::left;
use crate::site::Store;

pub(crate) fn run(options: &Options) {
    let mut store = Store::new();
    let pages: Vec<Value> = crate::read(&options.file).collect();
    let numbers: Vec<Option<usize>> = pages
        .iter()
        .map(|p| {
            store.insert(
                None,
                p["url"].as_str(),
                None,
                p["text"].as_str().expect("whole-page text"),
            )
        })
        .collect();
    let arrival: Vec<CleanArticle> = (0..store.articles.len())
        .map(|n| apply(&store.articles[n].clean, &store.decide(n, false, &options.params)))
        .collect();
    let again: Vec<CleanArticle> = (0..store.articles.len())
        .map(|n| apply(&store.articles[n].clean, &store.decide(n, true, &options.params)))
        .collect();
    let removed = |articles: &[CleanArticle]| {
        articles
            .iter()
            .flat_map(|a| &a.blocks)
            .filter(|b| {
                b.removed
                    .as_ref()
                    .is_some_and(|r| r.rule == copydesk_site::SITE_MEMORY)
            })
            .count()
    };
    let hosts = |p: &Value| host(p["url"].as_str().unwrap_or_default()).to_owned();
    let with_others: Vec<usize> = (0..pages.len())
        .filter(|n| pages.iter().filter(|p| hosts(p) == hosts(&pages[*n])).count() > 1)
        .collect();
    println!(
        "{} pages, {} with another page of their host; blocks removed on arrival {}, when cleaned again {}",
        pages.len(),
        with_others.len(),
        removed(&arrival),
        removed(&again)
    );
    let pages_left: Vec<left::Page<'_>> = with_others
        .iter()
        .filter_map(|n| {
            let url = pages[*n]["url"].as_str()?;
            Some(left::Page {
                host: host(url),
                url,
                gold: pages[*n]["gold"]["text"].as_str()?,
                clean: &again[numbers[*n]?],
            })
        })
        .collect();
    left::print(&pages_left);
    let Some(out) = &options.out else { return };
    let mut gold = flate2::write::GzEncoder::new(
        std::fs::File::create(format!("{out}.gold.jsonl.gz")).unwrap(),
        flate2::Compression::fast(),
    );
    for n in &with_others {
        writeln!(gold, "{}", pages[*n]).unwrap();
    }
    gold.finish().unwrap();
    let rules: Vec<CleanArticle> = store.articles.iter().map(|a| a.clean.clone()).collect();
    for (name, articles) in [("rules", &rules), ("arrival", &arrival), ("again", &again)] {
        let mut file = std::fs::File::create(format!("{out}.{name}.jsonl")).unwrap();
        for n in &with_others {
            let Some(article) = numbers[*n] else { continue };
            let clean = &articles[article];
            let blocks: Vec<Value> = clean
                .blocks
                .iter()
                .map(|b| {
                    let removed = b.removed.as_ref();
                    json!([
                        b.text,
                        b.kind.as_str(),
                        removed.map(|r| r.rule.as_str()),
                        removed.and_then(|r| r.evidence.as_deref())
                    ])
                })
                .collect();
            let text = text(clean, options.dek);
            writeln!(
                file,
                "{}",
                json!({"id": pages[*n]["id"], "text": text, "blocks": blocks, "warnings": clean.warnings})
            )
            .unwrap();
        }
    }
}

fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split('/').next().unwrap_or_default();
    host.strip_prefix("www.").unwrap_or(host)
}

/// As the quality bench has it.
fn text(clean: &CleanArticle, dek: bool) -> String {
    let dek = clean
        .blocks
        .iter()
        .find(|b| dek && b.is_kept() && b.kind == BlockKind::Dek);
    dek.into_iter()
        .map(|b| b.text.as_str())
        .chain(clean.paragraphs())
        .collect::<Vec<_>>()
        .join("\n\n")
}
