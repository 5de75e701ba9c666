//! Any bytes and any headers: no panic, and what comes out keeps its promises.

use copydesk_article::{Header, Message, RawArticle, Stage};
use copydesk_decode::{Limits, decode};
use proptest::prelude::*;
use serde_json::Value;

use crate::message;

/// The promises of [`RawArticle`]: no NUL anywhere, everything within its limit.
fn check(article: &RawArticle, limits: &Limits) {
    let strings = [&article.url, &article.title, &article.language, &article.site];
    for text in strings
        .into_iter()
        .flatten()
        .chain(&article.authors)
        .map(String::as_str)
        .chain([article.body.as_str()])
    {
        assert!(!text.contains('\0') && !text.trim().is_empty());
    }
    assert!(article.body.as_str().len() <= limits.max_html_bytes);
    assert!(article.authors.len() <= limits.max_authors);
    assert!(
        article
            .url
            .as_ref()
            .is_none_or(|u| u.len() <= limits.max_url_bytes && u.to_lowercase().starts_with("http"))
    );
    assert!(
        !Value::Object(article.extra.clone())
            .to_string()
            .contains("\\u0000")
    );
}

fn run(message: &Message, limits: &Limits) {
    match decode(message, limits) {
        Ok(article) => {
            check(&article, limits);
            assert_eq!(
                decode(message, limits).as_ref(),
                Ok(&article),
                "the same bytes, another article"
            );
        }
        Err(reject) => {
            assert_eq!(reject.stage, Stage::Decode);
            assert!(!reject.detail.is_empty() && !reject.detail.contains('\0'));
        }
    }
}

/// A hundred thousand authors, in each form that a producer may send: the first are kept, the article is not lost.
#[test]
fn a_hundred_thousand_authors_cost_no_article() {
    let limits = Limits::default();
    let names: Vec<String> = (0..100_000).map(|n| format!("Ada Pell {n}")).collect();
    let objects: Vec<Value> = names.iter().map(|n| serde_json::json!({ "name": n })).collect();
    for authors in [
        Value::from(names.clone()),
        Value::from(names.join("; ")),
        Value::from(objects),
    ] {
        let envelope = serde_json::json!({ "text": "Ships came in at dawn.", "authors": authors });
        let article = decode(&message(envelope.to_string().as_bytes(), &[]), &limits).unwrap();
        check(&article, &limits);
        assert_eq!(article.authors.len(), limits.max_authors);
        assert_eq!(article.authors[0], "Ada Pell 0");
    }
}

const GOOD: [&str; 5] = [
    r#"{"url":"https://news.example/a","html":"<html><head><meta charset=utf-8></head><p>Ships \u00e9 \ud83d\ude00 came in.</p>","title":"Harbour","authors":["Jane Doe",{"name":"John"}],"published_at":"2026-03-20T18:05:00+03:00","fetched_at":1774029900,"language":"en","site":"news.example","x":{"y":[1,2.5,null,"\n"]}}"#,
    r#"{"maintext":"Ships came in at dawn.","author":"Jane Doe; John Roe","date":"2026-03-20","lang":"en"}"#,
    "<!doctype html><html><head><meta http-equiv=Content-Type content='text/html; charset=shift_jis'></head><body><p>Ships</p></body></html>",
    "Корабли вошли в гавань на рассвете.\r\nCheck Also\r\n",
    "<?xml version='1.0' encoding='koi8-r'?><html><!-- --><p a=b c>text</html>",
];

fn header_value() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(vec![
        "application/json",
        "text/html",
        "text/plain",
        "text/html; charset=shift_jis",
        "text/plain;charset=utf-16le",
        "text/xml",
        "gzip",
        "zstd",
        "deflate",
        "br",
        "https://a.example/",
        "https://a.ru:99/",
        "2026-03-20",
        "a; b, c",
        "\"",
    ]);
    prop_oneof![
        known.prop_map(|v| v.as_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 0..40)
    ]
}

fn headers() -> impl Strategy<Value = Vec<(String, Vec<u8>)>> {
    let names = prop::sample::select(vec![
        "content-type",
        "contentType",
        "content-encoding",
        "url",
        "title",
        "authors",
        "published_at",
        "fetched-at",
        "language",
        "site",
        "extra-a",
        "extra-",
        "traceparent",
        "é",
    ]);
    prop::collection::vec((names.prop_map(str::to_owned), header_value()), 0..4)
}

fn with_headers(payload: &[u8], headers: Vec<(String, Vec<u8>)>) -> Message {
    let mut message = message(payload, &[]);
    message.headers = headers
        .into_iter()
        .map(|(name, value)| Header { name, value })
        .collect();
    message
}

fn small() -> Limits {
    Limits {
        max_record_bytes: 600,
        max_decompressed_bytes: 2_000,
        ratio_free_bytes: 500,
        max_ratio: 3,
        max_text_bytes: 100,
        max_html_bytes: 300,
        max_url_bytes: 20,
        max_title_bytes: 4,
        max_authors: 1,
        max_name_bytes: 4,
        max_extra_values: 3,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes(payload in prop::collection::vec(any::<u8>(), 0..300), headers in headers()) {
        run(&with_headers(&payload, headers), &Limits::default());
    }

    #[test]
    fn bytes_that_look_like_something(
        payload in "[\\[{\"]?[<{}\\[\\]\":,a-c0-9 \\\\uUdD8=/!?>é\u{0}-]{0,120}",
        headers in headers(),
    ) {
        run(&with_headers(payload.as_bytes(), headers), &Limits::default());
    }

    #[test]
    fn good_messages_gone_bad(
        which in 0..GOOD.len(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4_u8), 0..6),
        headers in headers(),
        tight in any::<bool>(),
    ) {
        let mut payload = GOOD[which].as_bytes().to_vec();
        for (at, byte, kind) in edits {
            let i = at.index(payload.len().max(1)).min(payload.len());
            match kind {
                0 => payload.truncate(i),
                1 => payload.insert(i, byte),
                2 if i < payload.len() => payload[i] = byte,
                _ if i < payload.len() => { payload.remove(i); }
                _ => {}
            }
        }
        run(&with_headers(&payload, headers), &if tight { small() } else { Limits::default() });
    }

    #[test]
    fn damaged_compression(cut in any::<prop::sample::Index>(), byte in any::<u8>(), zstd in any::<bool>(), which in 0..GOOD.len()) {
        let good = GOOD[which].as_bytes();
        let (name, mut packed) = if zstd {
            ("zstd", zstd::encode_all(good, 1).unwrap())
        } else {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            std::io::Write::write_all(&mut encoder, good).unwrap();
            ("gzip", encoder.finish().unwrap())
        };
        let i = cut.index(packed.len());
        packed[i] ^= byte;
        run(&message(&packed, &[("content-encoding", name)]), &small());
        run(&message(&packed, &[("content-encoding", name)]), &Limits::default());
    }
}
