//! Where the time of publication is found, one page a source.

use super::*;

fn published(head: &str, under_headline: &str) -> (String, MetadataSource) {
    let clean = html(&format!(
        "<html lang=en><head><title>Harbour reopens</title>{head}</head><body><article><h1>Harbour reopens after nine days</h1>{under_headline}\
         <p>Seven ships that had been waiting off the Grey Bank came in at dawn, the harbour master said on the quay.</p>\
         <p>Divers had searched the channel for a lost anchor chain until late on Thursday night, and found it there.</p></article></body></html>"
    ));
    let t = clean.metadata.published_at.unwrap();
    (t.value.local_day().to_string(), t.source)
}

#[test]
fn each_source_is_read_in_its_turn() {
    let day = |d: &str, s| (d.to_owned(), s);
    let ld = r#"<script type="application/ld+json">{"@type":"NewsArticle","datePublished":"2026-03-11T10:00:00Z"}</script>"#;
    let meta = "<meta property=article:published_time content=2026-03-12T10:00:00Z>";
    let item = "<meta itemprop=x content=y><span itemprop=datePublished content=2026-03-13></span>";
    let time = "<time datetime=2026-03-14>14 March</time>";
    let line = "<p>Brenmark, 15 March 2026</p>";
    assert_eq!(
        published(&format!("{meta}{ld}"), time),
        day("2026-03-11", MetadataSource::JsonLd)
    );
    assert_eq!(published(meta, time), day("2026-03-12", MetadataSource::Meta));
    assert_eq!(
        published("", &format!("{time}{item}")),
        day("2026-03-13", MetadataSource::Microdata)
    );
    assert_eq!(
        published("", &format!("{line}{time}")),
        day("2026-03-14", MetadataSource::TimeElement)
    );
    assert_eq!(published("", line), day("2026-03-15", MetadataSource::Element));
    let script = "<script>var page = {'publishedAt': '2026-03-16T10:00:00Z'};</script>";
    assert_eq!(published(script, ""), day("2026-03-16", MetadataSource::Engine));
    assert_eq!(published("", ""), day("2026-03-20", MetadataSource::Url));
}

#[test]
fn a_date_of_change_is_never_taken() {
    let modified = "<meta property=article:modified_time content=2026-03-30T10:00:00Z>";
    assert_eq!(
        published(modified, "<p>Updated 30 March 2026</p>").0,
        "2026-03-20"
    );
}
