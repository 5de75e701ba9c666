use serde_json::Value;

use super::*;
use crate::Address;

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

/// The address and the body of each article.
fn told(steps: &[Step]) -> Vec<(String, String)> {
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let articles = steps.iter().filter(|s| matches!(s, Step::Article(_)));
    let told = articles.map(envelope).map(|e| {
        let body = if e["html"].is_null() {
            text(&e["text"])
        } else {
            text(&e["html"])
        };
        (text(&e["url"]), body)
    });
    told.collect()
}

fn pair(url: &str, body: &str) -> (String, String) {
    (url.to_owned(), body.to_owned())
}

#[test]
fn elements_are_known_by_their_namespaces() {
    let rdf = r#"<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:n="http://purl.org/rss/1.0/"
 xmlns:k="http://purl.org/rss/1.0/modules/content/" xmlns:d="http://purl.org/dc/elements/1.1/">
<n:channel><n:title>T</n:title><n:link>https://a.example/</n:link><d:language>nl</d:language></n:channel>
<n:item r:about="https://a.example/1"><n:title>Boats</n:title><n:link>/1</n:link><d:creator>Jan</d:creator>
 <d:date>2026-02-07T09:30+01:00</d:date><n:description>Short.</n:description><k:encoded>&lt;p&gt;Whole.&lt;/p&gt;</k:encoded></n:item>
<n:item r:about="https://a.example/2"><n:description>One.

Two.</n:description></n:item></r:RDF>"#;
    let steps: Vec<Step> = steps(rdf.as_bytes(), None, &origin(), 10_000).collect();
    assert_eq!(
        envelope(&steps[0]),
        serde_json::json!({
            "url": "https://a.example/1", "title": "Boats", "language": "nl", "authors": ["Jan"],
            "published_at": "2026-02-07T09:30:00+01:00", "html": "<p>Whole.</p>",
        })
    );
    assert_eq!(told(&steps)[1..], [pair("https://a.example/2", "One.\n\nTwo.")]);
    for feed in [
        // Any prefix, one that is declared nowhere, one whose address is wrong, one that the element declares itself.
        r#"<rss xmlns:c="http://purl.org/rss/1.0/modules/content/"><channel><item><link>https://a.example/1</link><c:encoded>B<br>b</c:encoded></item></channel></rss>"#,
        r#"<rss><channel><item><link>https://a.example/1</link><full:encoded>B<br>b</full:encoded></item></channel></rss>"#,
        r#"<rss xmlns:content="urn:x"><item><link>https://a.example/1</link><content:encoded>B<br>b</content:encoded></item></rss>"#,
        r#"<rss><item><link>https://a.example/1</link><q:encoded xmlns:q="http://purl.org/rss/1.0/modules/content/">B<br>b</q:encoded></item></rss>"#,
        r#"<a:feed xmlns:a="http://www.w3.org/2005/Atom"><a:entry><a:link href="https://a.example/1"/><a:content>B<br>b</a:content></a:entry></a:feed>"#,
        r#"<entry xmlns="http://www.w3.org/2005/Atom"><link href="https://a.example/1"/><content type="html">B&lt;br/&gt;b</content></entry>"#,
        r#"<rss><channel><item><link>https://a.example/1</link><excerpt:encoded>Short.</excerpt:encoded><x:body xmlns:x="http://www.w3.org/1999/xhtml">B<x:br/>b</x:body></item></channel></rss>"#,
    ] {
        assert_eq!(
            told(&read(feed)),
            [pair("https://a.example/1", "B<br/>b")],
            "{feed}"
        );
    }
}

#[test]
fn what_is_broken_in_one_entry_costs_no_other() {
    let around = |broken: &str| {
        let whole =
            |n| format!("<item><link>https://a.example/{n}</link><description>Ships.</description></item>");
        let feed = format!(
            "<rss version=\"2.0\"><channel>{}{broken}{}</channel></rss>",
            whole(1),
            whole(3)
        );
        let steps = read(feed);
        assert_eq!(steps.len(), 3, "{broken}: {steps:?}");
        let told = told(&steps);
        assert_eq!(
            (told[0].0.as_str(), told.last().unwrap().0.as_str()),
            ("https://a.example/1", "https://a.example/3")
        );
        (steps, told)
    };
    let link = "<link>https://a.example/2</link>";
    for (broken, body) in [
        // Tags without ends, ends without tags, ends in the wrong order.
        (
            "<description>Rain<br>and wind.<p>Snow.</description>",
            "Rain<br/>and wind.<p>Snow.</p>",
        ),
        (
            "<description><b><i>Rain</b></i> fell.</description>",
            "<b><i>Rain</i></b> fell.",
        ),
        ("<description>Rain</p></div> fell.</description>", "Rain fell."),
        ("<title>Rain<description>It fell.</description>", "It fell."),
        ("<description>It fell.<pubDate>2026-02-07</pubDate>", "It fell."),
        // What is no tag, what is no entity, HTML's entities.
        (
            "<description>5 < 7 & 8 > 6 &nope; &eacute;</description>",
            "5 < 7 & 8 > 6 &nope; é",
        ),
        (
            "<description><img src=a.jpg hidden>Rain.</description>",
            "<img src=\"a.jpg\" hidden=\"\"/>Rain.",
        ),
        (
            "<description>&lt;p&gt;Rain<br>fell.&lt;/p&gt;</description>",
            "<p>Rain<br/>fell.</p>",
        ),
        ("<!-- <item> --><description>Rain.</description>", "Rain."),
        (
            "<description><![CDATA[<item>Rain</item>]]></description>",
            "<item>Rain</item>",
        ),
    ] {
        let (_, told) = around(&format!("<item>{link}{broken}</item>"));
        let body = if body.contains('<') && !body.contains("< 7") {
            plain::plain(body)
        } else {
            body.to_owned()
        };
        assert_eq!(told[1], pair("https://a.example/2", &body), "{broken}");
    }
    // The end of the entry itself.
    let (_, told) = around(&format!("<item>{link}<description>Rain.</description>"));
    assert_eq!(told[1], pair("https://a.example/2", "Rain."));
    // A section without an end has swallowed the entry: that is said, and the next one is read.
    for swallowed in [
        "<![CDATA[Rain.</description></item>",
        "<!-- Rain.</description></item>",
    ] {
        let (steps, told) = around(&format!("<item>{link}<description>{swallowed}"));
        assert_eq!(told.len(), 2, "{swallowed}");
        assert!(
            matches!(&steps[1], Step::Refused { why, .. } if why.contains("has no end")),
            "{steps:?}"
        );
    }
}

#[test]
fn text_before_the_declaration_is_passed_over() {
    let feed = "<?xml version=\"1.0\" encoding=\"iso-8859-2\"?><rss><channel><item><link>https://a.example/1</link>\
                <description>za\u{bf}</description></item></channel></rss>";
    let latin: Vec<u8> = feed.chars().map(|c| c as u8).collect();
    for before in [
        "",
        "\n\n",
        "Warning: headers sent in /srv/feed.php\n",
        "<!-- cached -->\n",
        "{debug} ",
    ] {
        let document = [before.as_bytes(), &latin].concat();
        if before.starts_with('{') {
            // Only what begins with a brace is taken for JSON.
            assert!(matches!(&read(document)[..], [Step::Unreadable { .. }]));
            continue;
        }
        assert_eq!(
            told(&read(document)),
            [pair("https://a.example/1", "zaż")],
            "{before}"
        );
    }
}

#[test]
fn letters_of_another_encoding_than_the_declared_are_read() {
    let feed = |text: &[u8]| {
        let start =
            b"<?xml version='1.0' encoding='utf-8'?><rss><item><link>https://a.example/1</link><description>";
        [&start[..], text, b"</description></item></rss>"].concat()
    };
    let body = |text: &[u8]| told(&read(feed(text)))[0].1.clone();
    assert_eq!(
        body(b"Caf\xe9 de la gare, \xe0 c\xf4t\xe9 du pont."),
        "Café de la gare, à côté du pont."
    );
    // One broken letter among many whole ones is damage.
    assert_eq!(
        body(
            "Zürich, Köln, Düsseldorf, Nürnberg, \u{1}"
                .replace('\u{1}', "")
                .as_bytes()
        ),
        "Zürich, Köln, Düsseldorf, Nürnberg,"
    );
    let damaged = ["Zürich, Köln, Düsseldorf, Nürnberg, ".as_bytes(), b"\xfc."].concat();
    assert_eq!(body(&damaged), "Zürich, Köln, Düsseldorf, Nürnberg, \u{fffd}.");
}

#[test]
fn links_are_relative_to_what_the_feed_says() {
    let item = "<item><link>2.html</link><description>Ships.</description></item>";
    let atom = "<entry xml:base=\"deep/\"><link href=\"2.html\"/><summary>Ships.</summary></entry>";
    for (feed, url) in [
        (format!("<rss><channel><link>https://a.example/news/</link>{item}</channel></rss>"), "https://a.example/news/2.html"),
        // The feed's page may be said after its entries.
        (format!("<rss><channel>{item}<link>https://a.example/news/</link></channel></rss>"), "https://a.example/news/2.html"),
        (
            format!("<rss xml:base=\"https://b.example/x/\"><channel><link>https://a.example/</link>{item}</channel></rss>"),
            "https://b.example/x/2.html",
        ),
        (
            format!("<rss xmlns:atom=\"http://www.w3.org/2005/Atom\"><channel><atom:link rel=\"self\" href=\"https://a.example/feed/rss\"/>{item}</channel></rss>"),
            "https://a.example/feed/2.html",
        ),
        (
            format!("<feed xmlns=\"http://www.w3.org/2005/Atom\" xml:base=\"https://b.example/x/\">{atom}</feed>"),
            "https://b.example/x/deep/2.html",
        ),
        (
            "<rss><channel><link>https://a.example/</link><item><link>//b.example/1</link><description>S</description></item></channel></rss>".into(),
            "https://b.example/1",
        ),
        (
            "<rss><item><link/>https://a.example/1<description>Ships.</description></item></rss>".into(),
            "https://a.example/1",
        ),
    ] {
        let steps: Vec<Step> = steps(feed.as_bytes(), None, &origin(), 10_000).collect();
        assert_eq!(told(&steps), [pair(url, if feed.contains(">S<") { "S" } else { "Ships." })], "{feed}");
    }
    // Nothing says to what: the entry is sent without an address, and that is said.
    let feed = format!("<rss><channel>{item}</channel></rss>");
    let lost: Vec<Step> = steps(feed.as_bytes(), None, &origin(), 10_000).collect();
    let Step::Article(article) = &lost[0] else {
        panic!("{lost:?}")
    };
    assert_eq!(
        (article.address, article.notes[0].detail.as_str()),
        (Address::Missing, "2.html")
    );
    assert_eq!(envelope(&lost[0])["feed_link"], "2.html");
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
