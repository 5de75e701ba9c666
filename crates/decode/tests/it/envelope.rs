//! Envelopes that are accepted, and what comes out of them.

use copydesk_article::{RawBody, Timestamp};
use serde_json::json;

use crate::{article, read};

#[test]
fn every_field_finds_its_place() {
    let raw = article(
        r#" {"url":" https://news.example/a?b=1#c ","html":"<p>Ships\r\n</p>","title":"Harbour reopens","authors":["Jane Doe","John Roe"],
        "published_at":"2026-03-20T18:05:00+03:00","fetched_at":"2026-03-20T16:00:00Z","language":"en","site":"news.example",
        "id":7,"nested":{"a":[1,2.5,null,true,"x"]}} "#,
    );
    assert_eq!(raw.url.as_deref(), Some("https://news.example/a?b=1#c"));
    assert_eq!(raw.body, RawBody::Html("<p>Ships\r\n</p>".into()));
    assert_eq!(raw.title.as_deref(), Some("Harbour reopens"));
    assert_eq!(raw.authors, ["Jane Doe", "John Roe"]);
    assert!(
        matches!(raw.published_at, Some(Timestamp::Zoned(t)) if t.to_rfc3339() == "2026-03-20T18:05:00+03:00")
    );
    assert_eq!(raw.fetched_at.unwrap().to_rfc3339(), "2026-03-20T16:00:00+00:00");
    assert_eq!(
        (raw.language.as_deref(), raw.site.as_deref()),
        (Some("en"), Some("news.example"))
    );
    assert_eq!(
        json!(raw.extra),
        json!({"id": 7, "nested": {"a": [1, 2.5, null, true, "x"]}})
    );
    assert!(raw.warnings.is_empty());
}

#[test]
fn null_and_empty_are_absent() {
    let raw = article(
        r#"{"text":"a","html":"","url":"","title":null,"authors":[null,""," "],"published_at":"","fetched_at":null,"language":"","site":" "}"#,
    );
    assert_eq!(
        (raw.url, raw.title, raw.site, raw.language),
        (None, None, None, None)
    );
    assert!(raw.authors.is_empty() && raw.published_at.is_none() && raw.fetched_at.is_none());
    assert!(
        raw.extra.is_empty() && raw.warnings.is_empty(),
        "{:?} {:?}",
        raw.extra,
        raw.warnings
    );
}

#[test]
fn authors_come_in_many_shapes() {
    for (authors, expected) in [
        (json!("Jane Doe"), vec!["Jane Doe"]),
        (json!("Jane Doe; John Roe"), vec!["Jane Doe", "John Roe"]),
        (json!(["Doe, Jane", " John Roe "]), vec!["Doe, Jane", "John Roe"]),
        (
            json!([{"name": "Jane Doe", "url": "x"}, "John Roe"]),
            vec!["Jane Doe", "John Roe"],
        ),
        (json!({"name": "Jane Doe"}), vec!["Jane Doe"]),
    ] {
        assert_eq!(
            article(&json!({"text": "a", "authors": authors}).to_string()).authors,
            expected
        );
    }
    let many: Vec<_> = (0..100_000).map(|i| format!("Author {i}")).collect();
    let raw = article(&json!({"text": "a", "authors": many}).to_string());
    assert_eq!((raw.authors.len(), raw.authors[63].as_str()), (64, "Author 63"));
    assert_eq!(raw.warnings, ["authors-cut"]);
    assert!(
        article(&json!({"text": "a", "authors": many[..64]}).to_string())
            .warnings
            .is_empty()
    );
}

#[test]
fn what_cannot_be_read_is_kept_and_costs_no_article() {
    let site = "s".repeat(513);
    let raw = article(
        &json!({"text": "a", "published_at": "yesterday", "fetched_at": 1e300, "language": "the English one", "site": site})
            .to_string(),
    );
    assert!(
        raw.published_at.is_none()
            && raw.fetched_at.is_none()
            && raw.language.is_none()
            && raw.site.is_none()
    );
    assert_eq!(
        json!(raw.extra),
        json!({"published_at": "yesterday", "fetched_at": 1e300, "language": "the English one", "site": site})
    );
    assert_eq!(
        raw.warnings,
        [
            "fetched-at-unreadable",
            "published-at-unreadable",
            "language-unreadable",
            "site-unreadable"
        ]
    );
}

#[test]
fn long_titles_and_names_are_cut() {
    let raw =
        article(&json!({"text": "a", "title": "é".repeat(3_000), "authors": ["n".repeat(600)]}).to_string());
    assert_eq!((raw.title.unwrap().len(), raw.authors[0].len()), (4_096, 512));
    assert_eq!(raw.warnings, ["title-cut", "authors-cut"]);
}

#[test]
fn nuls_are_taken_out_everywhere() {
    let raw = article(
        r#"{"url":"https://a.example/\u0000","text":"Ships\u0000 came\u0001 in.","title":"a\u0000","authors":["b\u0000"],"site":"c\u0000",
        "published_at":"so\u0000on","k\u0000":["v\u0000",{"x\u0000":"y\u0001"}]}"#,
    );
    assert_eq!(raw.url.as_deref(), Some("https://a.example/"));
    assert_eq!(raw.body.as_str(), "Ships came in.");
    assert_eq!(
        (raw.title.as_deref(), raw.authors.as_slice(), raw.site.as_deref()),
        (Some("a"), &["b".to_owned()][..], Some("c"))
    );
    assert_eq!(
        json!(raw.extra),
        json!({"k": ["v", {"x": "y\u{1}"}], "published_at": "soon"})
    );
    assert_eq!(
        raw.warnings,
        ["nul-removed", "published-at-unreadable", "controls-removed"]
    );
}

#[test]
fn extra_fields_given_twice_are_noted() {
    let raw = article(r#"{"text":"a","x":1,"x":2}"#);
    assert_eq!(
        (json!(raw.extra), raw.warnings),
        (json!({"x": 2}), vec!["duplicate-field".to_owned()])
    );
}

#[test]
fn names_of_other_tools_are_understood() {
    let raw = article(
        r#"{"url":"https://a.example/","headline":"H","articleBody":"Ships came in.","author":"Jane Doe","datePublished":"2026-03-20",
        "inLanguage":"en","hostname":"a.example","date_download":"2026-03-20 10:00:00","image":"x.png"}"#,
    );
    assert_eq!(raw.body, RawBody::Text("Ships came in.".into()));
    assert_eq!(
        (raw.title.as_deref(), raw.authors.as_slice()),
        (Some("H"), &["Jane Doe".to_owned()][..])
    );
    assert!(matches!(raw.published_at, Some(Timestamp::Day(_))) && raw.fetched_at.is_some());
    assert_eq!(
        (raw.language.as_deref(), raw.site.as_deref()),
        (Some("en"), Some("a.example"))
    );
    assert_eq!(json!(raw.extra), json!({"image": "x.png"}));

    assert_eq!(
        article(r#"{"content":"<p>Ships</p>"}"#).body,
        RawBody::Html("<p>Ships</p>".into())
    );
    assert_eq!(article(r#"{"body":"Ships"}"#).body, RawBody::Text("Ships".into()));
    // The contract's own names win, and a value of another type is no alias.
    let raw = article(
        r#"{"text":"a","body":"b","title":"t","headline":"h","date":"soon","author":["x"],"lang":7}"#,
    );
    assert_eq!((raw.body.as_str(), raw.title.as_deref()), ("a", Some("t")));
    assert_eq!(
        json!(raw.extra),
        json!({"body": "b", "headline": "h", "date": "soon", "lang": 7})
    );
    assert_eq!(raw.authors, ["x"]);
    assert_eq!(
        raw.warnings,
        ["alias-unusable"],
        "soon is no time, and 7 no language"
    );
}

#[test]
fn headers_fill_what_an_envelope_leaves_open() {
    let headers = [
        ("url", "https://a.example/header"),
        ("language", "en"),
        ("extra-crawl", "7"),
        ("traceparent", "00-1"),
    ];
    let raw = read(br#"{"text":"a","url":"https://a.example/envelope"}"#, &headers).unwrap();
    assert_eq!(raw.url.as_deref(), Some("https://a.example/envelope"));
    assert_eq!(raw.language.as_deref(), Some("en"));
    assert_eq!(json!(raw.extra), json!({"crawl": "7"}));
}

#[test]
fn marks_and_frames_before_json_are_passed_over() {
    assert_eq!(
        read("\u{feff}{\"text\":\"a\"}".as_bytes(), &[])
            .unwrap()
            .body
            .as_str(),
        "a"
    );
    assert_eq!(
        read(b"\0\0\0\0\x07{\"text\":\"a\"}", &[]).unwrap().body.as_str(),
        "a"
    );
    let utf16: Vec<u8> = [0xff, 0xfe]
        .into_iter()
        .chain("{\"text\":\"é\"}".encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    assert_eq!(read(&utf16, &[]).unwrap().body.as_str(), "é");
    let latin1 = [("content-type", "application/json; charset=iso-8859-1")];
    assert_eq!(
        read(b"{\"text\":\"caf\xe9\"}", &latin1).unwrap().body.as_str(),
        "café"
    );
}

#[test]
fn a_url_loses_user_and_password() {
    let raw = article(r#"{"text":"Ships came in.","url":"https://me:hunter2@a.example/x?y#z"}"#);
    assert_eq!(raw.url.as_deref(), Some("https://a.example/x?y#z"));
    assert_eq!(raw.warnings, ["url-login-removed"]);
    // Any other stays as it was written.
    let raw = article(r#"{"text":"Ships came in.","url":"HTTPS://A.example"}"#);
    assert_eq!(raw.url.as_deref(), Some("HTTPS://A.example"));
}

#[test]
fn the_messages_of_widespread_tools_are_read_whole() {
    for (tool, json) in [
        (
            "newspaper4k",
            r#"{"url":"https://a.example/1","title":"Harbour","authors":["Jane Doe"],"publish_date":"2026-03-20 18:05:00","text":"Ships came in.",
            "meta_lang":"en","canonical_link":"https://a.example/1","summary":"","top_image":"x.png"}"#,
        ),
        (
            "trafilatura",
            r#"{"title":"Harbour","author":"Jane Doe","hostname":"a.example","date":"2026-03-20","language":"en","source":"https://a.example/1",
            "text":"Ships came in.","excerpt":"Ships","raw_text":"Ships came in."}"#,
        ),
        (
            "fundus",
            r#"{"title":"Harbour","authors":["Jane Doe"],"publishing_date":"2026-03-20T18:05:00+00:00","plaintext":"Ships came in.",
            "url":"https://a.example/1","lang":"en","topics":[]}"#,
        ),
        (
            "news-please",
            r#"{"authors":["Jane Doe"],"date_download":"2026-03-21 00:00:00","date_modify":null,"date_publish":"2026-03-20 18:05:00","image_url":null,
            "language":"en","maintext":"Ships came in.","source_domain":"a.example","title":"Harbour","title_rss":null,"url":"https://a.example/1"}"#,
        ),
        (
            "feedparser",
            r#"{"title":"Harbour","link":"https://a.example/1","id":"tag:a.example,1","published":"Fri, 20 Mar 2026 18:05:00 GMT","summary":"Ships",
            "author":"Jane Doe","language":"en","content":[{"type":"text/plain","value":"Ships came in."}]}"#,
        ),
        (
            "rss-parser",
            r#"{"title":"Harbour","link":"https://a.example/1","pubDate":"Fri, 20 Mar 2026 18:05:00 GMT","dc:creator":"Jane Doe","language":"en",
            "content":"Ships came in.","contentSnippet":"Ships","guid":"1","isoDate":"2026-03-20T18:05:00.000Z"}"#,
        ),
        (
            "JSON Feed",
            r#"{"id":"1","url":"https://a.example/1","title":"Harbour","content_text":"Ships came in.","date_published":"2026-03-20T18:05:00Z",
            "authors":[{"name":"Jane Doe"}],"language":"en"}"#,
        ),
        (
            "NewsAPI",
            r#"{"source":{"id":null,"name":"A"},"author":"Jane Doe","title":"Harbour","description":"Ships","url":"https://a.example/1",
            "urlToImage":null,"publishedAt":"2026-03-20T18:05:00Z","content":"Ships came in.","lang":"en"}"#,
        ),
        (
            "schema.org",
            r#"{"@context":"https://schema.org","@type":"NewsArticle","headline":"Harbour","datePublished":"2026-03-20T18:05:00Z",
            "author":[{"@type":"Person","name":"Jane Doe"}],"articleBody":"Ships came in.","mainEntityOfPage":{"@id":"https://a.example/1"},"inLanguage":"en"}"#,
        ),
        (
            "Kafka Connect",
            r#"{"schema":{"type":"struct"},"payload":{"url":"https://a.example/1","title":"Harbour","text":"Ships came in.",
            "authors":"Jane Doe","published_at":"2026-03-20","language":"en"}}"#,
        ),
        (
            "Scrapy",
            r#"{"url":["https://a.example/1"],"title":["Harbour"],"text":["Ships came in."],"date":["2026-03-20"],"author":["Jane Doe"],"lang":["en"]}"#,
        ),
        (
            "camel case",
            r#"{"URL":"https://a.example/1","Title":"Harbour","Text":"Ships came in.","publishedAt":"2026-03-20","Author":"Jane Doe","LANGUAGE":"en"}"#,
        ),
    ] {
        let raw = article(json);
        assert_eq!(raw.body.as_str(), "Ships came in.", "{tool}");
        assert_eq!(raw.url.as_deref(), Some("https://a.example/1"), "{tool}");
        assert_eq!(raw.title.as_deref(), Some("Harbour"), "{tool}");
        assert_eq!(raw.authors, ["Jane Doe"], "{tool}");
        assert_eq!(
            raw.published_at.map(|t| t.local_day().to_string()).as_deref(),
            Some("2026-03-20"),
            "{tool}"
        );
        assert_eq!(raw.language.as_deref(), Some("en"), "{tool}");
    }
    let raw = article(r#"{"link":"https://a.example/1","summary":"Ships came in.","text":["One.","Two."]}"#);
    assert_eq!(raw.body.as_str(), "One.\n\nTwo.");
    let raw = article(r#"{"link":"https://a.example/1","summary":"Ships came in."}"#);
    assert_eq!(
        (raw.body.as_str(), raw.warnings),
        ("Ships came in.", vec!["body-is-summary".to_owned()])
    );
}

#[test]
fn words_for_nothing_count_as_missing() {
    let raw = article(
        r#"{"text":"Ships came in.","html":"None","url":"null","title":"undefined","authors":["NaN"],"language":"None","published_at":"None"}"#,
    );
    assert_eq!(raw.body, RawBody::Text("Ships came in.".into()));
    assert!(raw.url.is_none() && raw.title.is_none() && raw.authors.is_empty() && raw.language.is_none());
    assert!(raw.published_at.is_none() && raw.extra.is_empty(), "{raw:?}");
    assert_eq!(raw.warnings, ["null-text-ignored"]);
}

#[test]
fn times_that_nobody_meant_rule_nothing() {
    let sent = |json: &str| {
        let mut message = crate::message(json.as_bytes(), &[]);
        message.timestamp = Some("2026-03-20T12:00:00Z".parse().unwrap());
        copydesk_decode::decode(&message, &copydesk_decode::Limits::default()).unwrap()
    };
    for doubted in [
        "1970-01-01T00:00:00Z",
        "1899-12-30T00:00:00Z",
        "2026-03-22T00:00:00Z",
        "2199-01-01",
    ] {
        let raw = sent(&json!({"text": "a b", "published_at": doubted}).to_string());
        assert!(raw.published_at.is_none(), "{doubted}");
        assert_eq!(json!(raw.extra), json!({"published_at": doubted}));
        assert_eq!(raw.warnings, ["published-at-doubted"]);
    }
    for meant in ["1987-02-26", "1887-06-21", "2026-03-21T09:00:00Z"] {
        assert!(
            sent(&json!({"text": "a b", "published_at": meant}).to_string())
                .published_at
                .is_some(),
            "{meant}"
        );
    }
    let raw = sent(r#"{"text":"a b","fetched_at":"2027-01-01","published_at":"2026-03-19"}"#);
    assert!(raw.fetched_at.is_none() && raw.published_at.is_some());
    assert_eq!(raw.warnings, ["fetched-at-doubted"]);
}
