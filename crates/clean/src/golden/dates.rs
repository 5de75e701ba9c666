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
    let script = |d: &str| format!("<script>var page = {{'publishedAt': '2026-03-{d}T10:00:00Z'}};</script>");
    assert_eq!(
        published(&script("20"), ""),
        day("2026-03-20", MetadataSource::Engine)
    );
    // A script holds other stories as well: where the address has another day, that is the article's.
    assert_eq!(
        published(&script("16"), ""),
        day("2026-03-20", MetadataSource::Url)
    );
    assert_eq!(published("", ""), day("2026-03-20", MetadataSource::Url));
}

#[test]
fn a_post_that_was_dated_anew_has_the_day_that_readers_see() {
    let meta = "<meta property=article:published_time content=2026-03-18T10:00:00Z>";
    let changed = "<meta property=article:modified_time content=2026-03-28T10:00:00Z>";
    let time = |day: &str| format!("<time datetime=2026-03-{day}>{day} March</time>");
    assert_eq!(published(meta, &time("11")).0, "2026-03-11");
    assert_eq!(
        published(&format!("{meta}{changed}"), &time("24")).0,
        "2026-03-24"
    );
    // The day of the last change, the next day elsewhere, and an event.
    for day in ["28", "19", "31"] {
        assert_eq!(published(&format!("{meta}{changed}"), &time(day)).0, "2026-03-18");
    }
}

#[test]
fn a_date_of_change_is_never_taken() {
    let modified = "<meta property=article:modified_time content=2026-03-30T10:00:00Z>";
    assert_eq!(
        published(modified, "<p>Updated 30 March 2026</p>").0,
        "2026-03-20"
    );
}

fn page(head: &str, under_headline: &str, behind: &str) -> CleanArticle {
    let html = format!(
        "<html lang=en><head><title>Harbour reopens</title>{head}</head><body><article><h1>Harbour reopens after nine days</h1>{under_headline}\
         <p>Seven ships that had been waiting off the Grey Bank came in at dawn, the harbour master said on the quay.</p>\
         <p>Divers had searched the channel for a lost anchor chain until late on Thursday night, and found it there.</p></article>{behind}</body></html>"
    );
    let mut raw = RawArticle::from_body(RawBody::Html(html));
    raw.url = Some("https://www.brenmarkpost.example/sea/harbour".to_owned());
    raw.fetched_at = DateTime::parse_from_rfc3339("2026-03-22T12:00:00Z")
        .ok()
        .map(|t| t.to_utc());
    cleaner().clean(&raw).unwrap()
}

fn ld(date: &str) -> String {
    format!(r#"<script type="application/ld+json">{{"@type":"NewsArticle","datePublished":{date}}}</script>"#)
}

#[test]
fn the_articles_own_line_goes_before_other_stories() {
    let aside = "<aside><ul><li><time datetime=2026-03-22T10:00:00Z>22 March</time> <a href=/t>Tram strike goes on</a></li></ul></aside>";
    assert_eq!(
        day(&page("", "<p>Thursday 19 March 2026, 18.40</p>", aside)).as_deref(),
        Some("2026-03-19")
    );
    let script = "<script>var more = [{\"title\":\"Tram strike enters its second day\",\"publishedAt\":\"2026-03-21T10:00:00Z\"}];</script>";
    assert_eq!(day(&page(script, "", "")), None);
}

#[test]
fn days_that_a_text_speaks_of_are_not_its_own() {
    let event = "<p>The fair of Brenmark opens on <time datetime=2026-03-14>14 March 2026</time>, the council said, and runs for eleven days.</p>";
    assert_eq!(day(&page("", event, "")), None);
    assert_eq!(
        day(&page("", "<p>The fair opens on 14 March 2026.</p>", "")),
        None
    );
}

#[test]
fn nothing_is_published_after_it_was_fetched() {
    assert_eq!(
        day(&page(&ld("\"2027-09-14\""), "<p>Thursday 19 March 2026</p>", "")).as_deref(),
        Some("2026-03-19")
    );
    assert_eq!(
        day(&page(&ld("\"2026-03-23T01:00:00Z\""), "", "")).as_deref(),
        Some("2026-03-23")
    );
}

#[test]
fn a_day_that_stands_for_none_is_none_and_archives_keep_theirs() {
    assert_eq!(day(&page(&ld("\"1970-01-01T00:00:00Z\""), "", "")), None);
    assert_eq!(day(&page(&ld("0"), "", "")), None);
    assert_eq!(
        day(&page(&ld("\"1970-01-01T00:00:00Z\""), "<p>19 March 2026</p>", "")).as_deref(),
        Some("2026-03-19")
    );
    assert_eq!(
        day(&page(&ld("\"1914-06-29\""), "", "")).as_deref(),
        Some("1914-06-29")
    );
}

#[test]
fn numbers_and_attributes_state_dates() {
    assert_eq!(
        day(&page(&ld("1773945600"), "", "")).as_deref(),
        Some("2026-03-19")
    );
    let abbr = "<p>By Jane Doe</p><abbr class=published title=2026-03-19T18:40:00-04:00>6:40:00 PM</abbr>";
    assert_eq!(day(&page("", abbr, "")).as_deref(), Some("2026-03-19"));
}

#[test]
fn a_change_is_all_that_some_pages_state() {
    let clean = page("", "<p>Last updated: 21 March 2026</p>", "");
    assert_eq!(day(&clean).as_deref(), Some("2026-03-21"));
    assert_eq!(clean.warnings, ["published-is-date-of-change"]);
    let both = page("", "<p>Published 19 March 2026 | Updated 21 March 2026</p>", "");
    assert_eq!(day(&both).as_deref(), Some("2026-03-19"));
    assert_eq!(
        both.metadata.modified_at.unwrap().value.local_day().to_string(),
        "2026-03-21"
    );
    assert!(both.warnings.is_empty());
}

#[test]
fn a_template_that_states_the_change_as_publication_is_put_right() {
    let head = r#"<script type="application/ld+json">{"@type":"NewsArticle","datePublished":"Mar 21, 2026","dateModified":"Mar 21, 2026"}</script>"#;
    assert_eq!(
        day(&page(head, "<p>March 19, 2026</p>", "")).as_deref(),
        Some("2026-03-19")
    );
}

#[test]
fn nothing_is_published_after_its_last_change() {
    let head = r#"<script type="application/ld+json">{"@type":"NewsArticle","datePublished":"2026-03-21","dateModified":"2026-03-20"}</script>"#;
    assert_eq!(
        day(&page(head, "<p>March 19, 2026</p>", "")).as_deref(),
        Some("2026-03-19")
    );
    // Where readers are shown nothing else, the statement stands.
    assert_eq!(day(&page(head, "", "")).as_deref(), Some("2026-03-21"));
}

#[test]
fn a_template_that_states_the_change_is_put_right_by_a_line_below_the_text() {
    let head = r#"<script type="application/ld+json">{"@type":"NewsArticle","datePublished":"2026-03-21T09:00:00Z","dateModified":"2026-03-21T09:00:00Z"}</script>"#;
    let far = "<p>Three tugs lay at the quay all week.</p>".repeat(9);
    let below = |time: &str| format!("<div>{far}<div>Out on {time}</div></div>");
    let called = below("<time pubdate datetime=2026-03-19>March 19, 2026</time>");
    assert_eq!(day(&page(head, "", &called)).as_deref(), Some("2026-03-19"));
    let other = below("<time datetime=2026-03-19>March 19, 2026</time>");
    assert_eq!(day(&page(head, "", &other)).as_deref(), Some("2026-03-21"));
}

#[test]
fn of_several_dates_in_an_element_the_one_that_is_no_change_counts() {
    let meta = "<div class=post-date>Atualizado em 21/03/2026 Publicado em 19/03/2026</div>";
    assert_eq!(published("", meta).0, "2026-03-19");
}

#[test]
fn a_date_beside_a_link_to_another_article_is_not_this_ones() {
    let list = "<aside><ul><li><time datetime=2026-03-25>25 March</time> <a href=/x>Ring road late again, says the county</a></li></ul></aside>";
    let under = format!("<p>19 March 2026</p>{list}");
    assert_eq!(published("", &under).0, "2026-03-19");
}

#[test]
fn the_day_in_the_address_bears_the_stated_one_out() {
    let stated = r#"<script type="application/ld+json">{"@type":"NewsArticle","headline":"Weir to close","datePublished":"2026-03-20T18:05:00+01:00","dateModified":"2026-03-20T18:05:00+01:00"}</script>"#;
    let clean = html(&format!(
        "<html><head><title>Weir to close</title>{stated}</head><body><article><h1>Weir to close</h1><p>Video of 14 March 2026</p><p>{LEAD}</p><p>{ONE}</p></article></body></html>"
    ));
    assert_eq!(day(&clean).as_deref(), Some("2026-03-20"));
}

#[test]
fn a_day_in_the_headline_is_what_it_is_about() {
    let raw = RawArticle::from_body(RawBody::Html(format!(
        "<html><head><title>Boats of 11 March 2026</title></head><body><article><h1>Boats of 11 March 2026</h1><p>19 March 2026</p><p>{LEAD}</p><p>{ONE}</p></article></body></html>"
    )));
    let clean = cleaner().clean(&raw).unwrap();
    assert_eq!(day(&clean).as_deref(), Some("2026-03-19"));
}
