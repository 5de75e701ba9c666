//! What blocks are besides their text, and pictures: one page of each kind.

use super::*;

const PAGE: &str = "<html lang=en><head><title>Harbour reopens after nine days</title></head><body>\
    <nav><a href=/>Home</a> <img src=/logo.png alt='The Brenmark Post'></nav>\
    <article><h1>Harbour reopens after nine days</h1>\
    <figure><img src='data:image/gif;base64,R0' data-src='/img/ferry(1).jpg' alt='The ferry'><figcaption>The ferry at dawn.</figcaption></figure>\
    <p>Seven ships that had been waiting came in at dawn, the <a href='../people/hm?a=1'>harbour master</a> said, \
    and <a href='javascript:alert(1)'>nobody</a> was hurt on the <b>quay</b>.</p>\
    <h3>What is next</h3>\
    <ul><li>Divers look for the anchor chain that was lost.</li><li>The channel is measured again on Friday.</li></ul>\
    <table><tr><th>Port</th><th>Ships</th></tr><tr><td>Brenmark</td><td>7</td></tr></table>\
    <blockquote>We are glad that it is over, <script>alert(1)</script>at last, said the mayor.</blockquote>\
    <img src=/pixel.gif width=1 height=1>\
    <p>The harbour master said on Friday that [all] *ships* may enter the port of Brenmark again &lt;now&gt;.</p></article>\
    <aside class=related><img src=/other.jpg alt=Other><a href=/x>Tram strike enters second day</a></aside></body></html>";

#[test]
fn blocks_carry_what_they_were() {
    let mut raw = RawArticle::from_body(RawBody::Html(PAGE.to_owned()));
    raw.url = Some("https://news.example/sea/harbour".to_owned());
    let clean = cleaner().clean(&raw).unwrap();
    assert_eq!(
        clean.body_markdown(),
        "![The ferry](https://news.example/img/ferry%281%29.jpg \"The ferry at dawn.\")\n\n\
         Seven ships that had been waiting came in at dawn, the [harbour master](https://news.example/people/hm?a=1) said, \
         and nobody was hurt on the quay.\n\n### What is next\n\n\
         - Divers look for the anchor chain that was lost.\n- The channel is measured again on Friday.\n\n\
         | Port | Ships |\n| --- | --- |\n| Brenmark | 7 |\n\n\
         > We are glad that it is over, at last, said the mayor.\n\n\
         The harbour master said on Friday that \\[all\\] \\*ships\\* may enter the port of Brenmark again \\<now\\>."
    );
    let links: Vec<_> = clean.links().map(|(_, text, url)| (text, url)).collect();
    assert_eq!(links, [("harbour master", "https://news.example/people/hm?a=1")]);
    assert_eq!(clean.images().count(), 1);
}

#[test]
fn the_lead_image_is_found_wherever_the_page_states_it() {
    let image = |head: &str| {
        let mut raw =
            RawArticle::from_body(RawBody::Html(PAGE.replace("</head>", &format!("{head}</head>"))));
        raw.url = Some("https://news.example/sea/harbour".to_owned());
        let clean = cleaner().clean(&raw).unwrap();
        clean.metadata.image_url.map(|i| i.value)
    };
    let ld = |image: &str| {
        format!(
            r##"<script type="application/ld+json">{{"@graph":[{{"@type":"NewsArticle","headline":"Harbour reopens after nine days","image":{image}}},
               {{"@type":"ImageObject","@id":"#primary","contentUrl":"https://img.example/by-id.jpg"}}]}}</script>"##
        )
    };
    for (head, expected) in [
        ("<meta property=og:image content='img/a.jpg'>".to_owned(), "https://news.example/sea/img/a.jpg"),
        ("<meta property=og:image content=' '><meta name=twitter:image content='https://img.example/t.jpg'>".to_owned(), "https://img.example/t.jpg"),
        (ld(r#""https://img.example/s.jpg""#), "https://img.example/s.jpg"),
        (ld(r#"{"@type":"ImageObject","url":"https://img.example/o.jpg"}"#), "https://img.example/o.jpg"),
        (ld(r#"[{"@type":"ImageObject","url":"https://img.example/l.jpg"},"https://img.example/m.jpg"]"#), "https://img.example/l.jpg"),
        (ld(r##"{"@id":"#primary"}"##), "https://img.example/by-id.jpg"),
    ] {
        assert_eq!(image(&head).as_deref(), Some(expected), "{head}");
    }
    assert_eq!(
        image("<meta property=og:image content='javascript:alert(1)'>"),
        None
    );
}
