use serde_json::Value;

use super::*;
use crate::Address;

mod broken;

fn origin() -> Origin {
    Origin {
        file: "a.rss".into(),
        line: None,
    }
}

fn read(document: impl AsRef<[u8]>) -> Vec<Step> {
    let base = Url::parse("https://base.example/x/").unwrap();
    steps(document.as_ref(), Some(&base), &origin(), 10_000).collect()
}

fn envelope(step: &Step) -> Value {
    let Step::Article(article) = step else {
        panic!("{step:?}")
    };
    assert!(article.headers.is_empty() && !article.odd);
    serde_json::from_slice(&article.payload).unwrap()
}

const RSS: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:content="c" xmlns:dc="d" xmlns:media="m" xmlns:atom="a"><channel>
<title>Harbour News</title><link>https://news.example/</link><language>en-GB</language>
<atom:link href="https://news.example/feed" rel="self"/>
<item><title>Ships &amp;amp; boats</title><link>https://www.news.example/1</link>
 <guid isPermaLink="false">n-1</guid><pubDate>Fri, 20 Mar 2026 18:05:00 GMT</pubDate>
 <dc:creator><![CDATA[Jane Doe]]></dc:creator><author>desk@news.example (John Roe)</author>
 <description>Short.</description><media:title>not this</media:title>
 <content:encoded><![CDATA[<p>Ships came in.</p><p>All day & night.</p>]]></content:encoded></item>
<item><title>Ferry</title><guid>https://news.example/2</guid><author>desk@news.example</author>
 <description>&lt;p&gt;A ferry&amp;nbsp;sank.&lt;/p&gt;&lt;p&gt;Nobody drowned.&lt;/p&gt;</description></item>
<item><title>Nothing</title><link>https://news.example/3</link></item>
</channel></rss>"#;

#[test]
fn rss_entries_become_envelopes() {
    let steps = read(RSS);
    assert_eq!(steps.len(), 3);
    let one = envelope(&steps[0]);
    assert_eq!(
        one,
        serde_json::json!({
            "url": "https://www.news.example/1", "title": "Ships & boats", "feed_id": "n-1", "language": "en-GB",
            "published_at": "2026-03-20T18:05:00Z", "authors": ["Jane Doe", "John Roe"],
            "html": "<p>Ships came in.</p><p>All day & night.</p>",
        })
    );
    assert!(
        matches!(&steps[0], Step::Article(a) if a.key.as_deref() == Some("news.example") && a.origin.line == Some(1))
    );
    let two = envelope(&steps[1]);
    assert_eq!(
        two,
        serde_json::json!({
            "url": "https://news.example/2", "title": "Ferry", "feed_id": "https://news.example/2", "language": "en-GB",
            "text": "A ferry sank.\n\nNobody drowned.", "feed_body": "summary",
        })
    );
    assert_eq!(steps[2], Step::PassedOver(item::NO_BODY));
}

#[test]
fn atom_entries_become_envelopes() {
    let steps = read(
        r#"<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="de"><title>T</title><link rel="self" href="https://a.example/feed"/>
<entry><title type="html">K&amp;uuml;ste</title><link rel="enclosure" href="https://a.example/m.mp3"/>
<link href="/1?a=1&amp;b=2"/><id>tag:a.example,2026:1</id><updated>2026-03-21T00:00:00Z</updated>
<published>2026-03-20T18:05:00Z</published><author><name>Jane Doe</name><email>j@a.example</email></author>
<summary>Kurz.</summary>
<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p class="x">Schiffe &lt; Boote<br/></p></div></content></entry>
<entry><title>B</title><id>https://a.example/2</id><updated>2026-03-21T00:00:00Z</updated><summary type="text">Wind &amp; Meer</summary></entry>
</feed>"#,
    );
    let one = envelope(&steps[0]);
    assert_eq!(
        one,
        serde_json::json!({
            "url": "https://base.example/1?a=1&b=2", "title": "Küste", "feed_id": "tag:a.example,2026:1", "language": "de",
            "published_at": "2026-03-20T18:05:00Z", "authors": ["Jane Doe"],
            "html": "<div xmlns=\"http://www.w3.org/1999/xhtml\"><p class=\"x\">Schiffe &lt; Boote<br/></p></div>",
        })
    );
    let two = envelope(&steps[1]);
    assert_eq!(
        (&two["text"], &two["url"]),
        (&"Wind & Meer".into(), &"https://a.example/2".into())
    );
}

#[test]
fn other_encodings_are_read() {
    let text = "<?xml version='1.0' encoding='ISO-8859-1'?><rss><channel><item><link>https://a.example/</link>\
                <description>Caf\u{e9}</description></item></channel></rss>";
    let latin: Vec<u8> = text.chars().map(|c| c as u8).collect();
    assert_eq!(envelope(&read(latin)[0])["text"], "Café");
    let mut utf16 = vec![0xff, 0xfe];
    utf16.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    assert_eq!(envelope(&read(utf16)[0])["text"], "Café");
}

#[test]
fn damage_costs_what_comes_after_it() {
    let cut = RSS.split_once("Nobody").unwrap().0;
    let steps = read(cut);
    assert!(
        matches!(&steps[..], [Step::Article(_), Step::Unreadable { origin, why }] if origin.line == Some(2) && why.contains("breaks off")),
        "{steps:?}"
    );
    for no_feed in [
        "<html><body/></html>",
        "",
        "no xml",
        "<?xml version='1.0'?><urlset></urlset>",
    ] {
        assert!(
            matches!(&read(no_feed)[..], [Step::Unreadable { why, .. }] if why.contains("no RSS or Atom feed")),
            "{no_feed}"
        );
    }
    let long = RSS.replace("Ships came in.", &"x".repeat(10_000));
    assert!(matches!(
        &read(long)[..],
        [Step::Refused { .. }, Step::Article(_), _]
    ));
}

#[test]
fn entities_are_not_expanded_and_depth_is_bounded() {
    let bomb = r#"<!DOCTYPE rss [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>
<rss><channel><item><link>https://a.example/</link><description>x &b; y</description></item></channel></rss>"#;
    assert_eq!(envelope(&read(bomb)[0])["text"], "x &b; y");
    let deep = format!("<rss><channel><item><description>{}", "<a>".repeat(100_000));
    assert!(matches!(&read(deep)[..], [Step::Unreadable { .. }]));
}

#[test]
fn no_bytes_make_it_panic() {
    let mut seed = 7_u64;
    for _ in 0..500 {
        let mut bytes = RSS.as_bytes().to_vec();
        for _ in 0..4 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let at = (seed >> 33) as usize % bytes.len();
            bytes[at] = (seed >> 20) as u8;
        }
        assert!(read(bytes).len() <= 4);
    }
}

#[test]
fn dates_are_read_or_named() {
    let feed = |dates: &str| {
        format!("<rss><item><link>https://a.example/1</link>{dates}<description>S</description></item></rss>")
    };
    for (dates, published, notes) in [
        (
            "<pubDate>Sat, 07 Feb 2026 09:30 CET</pubDate>",
            "2026-02-07T09:30:00+01:00",
            0,
        ),
        (
            "<pubDate>soon</pubDate><dc:date>2026-02-07</dc:date>",
            "2026-02-07",
            0,
        ),
        ("<pubDate>soon</pubDate>", "soon", 1),
        ("<pubDate>7 Feb 2026 09:30 IST</pubDate>", "2026-02-07", 1),
        ("<pubDate></pubDate>", "", 0),
    ] {
        let steps = read(feed(dates));
        let Step::Article(article) = &steps[0] else {
            panic!("{steps:?}")
        };
        let envelope = envelope(&steps[0]);
        assert_eq!(
            (
                envelope["published_at"].as_str().unwrap_or_default(),
                article.notes.len()
            ),
            (published, notes),
            "{dates}"
        );
    }
}

#[test]
fn a_json_feed_is_read_item_by_item() {
    let feed = r#"{"version":"https://jsonfeed.org/version/1","home_page_url":"https://a.example/","language":"fr","items":[
 {"id":"a","url":"https://a.example/1","content_html":"<p>A","content_text":"no","title":"T","date_published":"2026-02-07T09:30:00+01:00",
  "author":{"name":"Jane"}},
 {"id":"https://a.example/2","content_text":"One.\n\nTwo.","authors":[{"name":"A"},{"url":"x"},{"name":"B"}],"language":"de"},
 {"id":"c","url":"3","summary":"Short."}, {"id":"d"}, 7]}"#;
    let steps = read(feed);
    assert_eq!(
        envelope(&steps[0]),
        serde_json::json!({
            "url": "https://a.example/1", "title": "T", "html": "<p>A", "published_at": "2026-02-07T09:30:00+01:00",
            "authors": ["Jane"], "language": "fr", "feed_id": "a",
        })
    );
    let two = envelope(&steps[1]);
    assert_eq!(
        (&two["url"], &two["text"], &two["authors"], &two["language"]),
        (
            &"https://a.example/2".into(),
            &"One.\n\nTwo.".into(),
            &serde_json::json!(["A", "B"]),
            &"de".into()
        )
    );
    assert_eq!(envelope(&steps[2])["url"], "https://base.example/x/3");
    assert_eq!(steps[3], Step::PassedOver(item::NO_BODY));
    assert!(matches!(&steps[4], Step::Refused { .. }));
    for broken in [
        "{\"version\":\"https://jsonfeed.org/version/1\"",
        "{\"items\":3}",
        "{\"version\":\"2\",\"items\":[]}",
    ] {
        assert!(
            matches!(&read(broken)[..], [Step::Unreadable { why, .. }] if why.contains("no JSON Feed")),
            "{broken}"
        );
    }
}
