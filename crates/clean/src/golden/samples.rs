//! The bundled samples of the feed, as far as cleaning decides what becomes of them.

use super::*;

fn samples() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../services/feed/samples")
}

fn envelope(name: &str) -> RawArticle {
    let bytes = std::fs::read(samples().join(name)).unwrap();
    let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    let body = match (value["html"].as_str(), value["text"].as_str()) {
        (Some(html), _) => RawBody::Html(html.to_owned()),
        (_, Some(text)) => RawBody::Text(text.to_owned()),
        _ => panic!("{name} has no body"),
    };
    let mut raw = RawArticle::from_body(body);
    raw.url = value["url"].as_str().map(str::to_owned);
    raw.title = value["title"].as_str().map(str::to_owned);
    raw
}

#[test]
fn the_scraped_sample_loses_its_tail_and_one_caption() {
    let raw = envelope("01-canal-talks-scraped.json");
    let clean = cleaner().clean(&raw).unwrap();
    let lines: Vec<String> = raw
        .body
        .as_str()
        .lines()
        .map(normalise::fold_space)
        .filter(|l| !l.is_empty())
        .collect();
    let marker = lines.iter().position(|l| l == "Check Also").unwrap();
    let captions: Vec<_> = clean.captions().collect();
    assert_eq!(captions.len(), 1);
    assert_eq!(clean.metadata.title.as_ref().unwrap().value, lines[0]);
    let body = clean.body();
    for line in &lines[1..marker] {
        assert!(
            body.contains(line.as_str()) || captions[0].contains(line.as_str()),
            "lost: {line}"
        );
    }
    for line in &lines[marker..] {
        assert!(!body.contains(line.as_str()), "kept: {line}");
    }
}

#[test]
fn the_wordpress_sample_is_the_same_article() {
    let page = std::fs::read_to_string(samples().join("02-canal-talks-wordpress.html")).unwrap();
    let page = cleaner()
        .clean(&RawArticle::from_body(RawBody::Html(page)))
        .unwrap();
    let scraped = cleaner().clean(&envelope("01-canal-talks-scraped.json")).unwrap();
    let own: Vec<_> = scraped.paragraphs().collect();
    let kept = page.paragraphs().filter(|p| own.contains(p)).count();
    assert!(kept * 10 >= own.len() * 9, "{kept} of {}", own.len());
    for chrome in ["cookie", "newsletter", "Check Also", "Share", "APP"] {
        assert!(!page.body().contains(chrome), "{chrome}");
    }
}

#[test]
fn every_good_sample_has_a_body_and_keeps_its_prose() {
    for name in [
        "03-ferry-wire.json",
        "04-ferry-new-headline.json",
        "05-ferry-cut-tail.json",
        "07-fog-original.json",
        "08-fog-excerpt.json",
        "10-storm-first-version.json",
        "11-storm-second-version.json",
        "12-german.json",
        "13-japanese.json",
        "15-straitline-ships.json",
    ] {
        let raw = envelope(name);
        let clean = cleaner().clean(&raw).unwrap();
        assert!(clean.paragraphs().count() >= 3, "{name}: {}", clean.body());
        if let RawBody::Text(text) = &raw.body {
            let kept = clean.body().chars().filter(|c| c.is_alphanumeric()).count();
            let all = text.chars().filter(|c| c.is_alphanumeric()).count();
            assert!(kept * 10 >= all * 7, "{name}: {kept} of {all}");
        }
    }
}
