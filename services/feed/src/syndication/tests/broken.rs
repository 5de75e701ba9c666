//! Feeds with faults: broken entries, text before the declaration, other encodings than declared, links that
//! need a base.

use super::*;

/// The address and the body of each article.
fn sent(steps: &[Step]) -> Vec<(String, String)> {
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let articles = steps.iter().filter(|s| matches!(s, Step::Article(_)));
    let sent = articles.map(envelope).map(|e| {
        let body = if e["html"].is_null() {
            text(&e["text"])
        } else {
            text(&e["html"])
        };
        (text(&e["url"]), body)
    });
    sent.collect()
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
    assert_eq!(sent(&steps)[1..], [pair("https://a.example/2", "One.\n\nTwo.")]);
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
            sent(&read(feed)),
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
        let sent = sent(&steps);
        assert_eq!(
            (sent[0].0.as_str(), sent.last().unwrap().0.as_str()),
            ("https://a.example/1", "https://a.example/3")
        );
        (steps, sent)
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
        let (_, sent) = around(&format!("<item>{link}{broken}</item>"));
        let body = if body.contains('<') && !body.contains("< 7") {
            plain::plain(body)
        } else {
            body.to_owned()
        };
        assert_eq!(sent[1], pair("https://a.example/2", &body), "{broken}");
    }
    // The end of the entry itself.
    let (_, sent) = around(&format!("<item>{link}<description>Rain.</description>"));
    assert_eq!(sent[1], pair("https://a.example/2", "Rain."));
    // A section without an end has swallowed the entry: that is said, and the next one is read.
    for swallowed in [
        "<![CDATA[Rain.</description></item>",
        "<!-- Rain.</description></item>",
    ] {
        let (steps, sent) = around(&format!("<item>{link}<description>{swallowed}"));
        assert_eq!(sent.len(), 2, "{swallowed}");
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
            sent(&read(document)),
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
    let body = |text: &[u8]| sent(&read(feed(text)))[0].1.clone();
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
        assert_eq!(sent(&steps), [pair(url, if feed.contains(">S<") { "S" } else { "Ships." })], "{feed}");
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
