//! Bare HTML and text bodies with their record headers.

use copydesk_article::{RawBody, Timestamp};
use encoding_rs::Encoding;
use serde_json::json;

use crate::read;

#[test]
fn metadata_comes_from_headers() {
    let raw = read(
        b"<p>Ships came in.</p>",
        &[
            ("Content-Type", "text/html; charset=utf-8"),
            ("URL", "https://a.example/1"),
            ("title", "Overridden"),
            ("title", "Harbour reopens"),
            ("authors", "Jane Doe, John Roe"),
            ("author", "Mary Major"),
            ("published-at", "2026-03-20"),
            ("fetched_at", "1774029900"),
            ("language", "en-GB"),
            ("site", "a.example"),
            ("extra-crawl_id", "first"),
            ("Extra-crawl_id", "last"),
            ("x-request-id", "not ours"),
        ],
    )
    .unwrap();
    assert_eq!(raw.body, RawBody::Html("<p>Ships came in.</p>".into()));
    assert_eq!(raw.url.as_deref(), Some("https://a.example/1"));
    assert_eq!(raw.title.as_deref(), Some("Harbour reopens"));
    assert_eq!(raw.authors, ["Jane Doe", "John Roe", "Mary Major"]);
    assert!(matches!(raw.published_at, Some(Timestamp::Day(d)) if d.to_string() == "2026-03-20"));
    assert_eq!(raw.fetched_at.unwrap().to_rfc3339(), "2026-03-20T18:05:00+00:00");
    assert_eq!(
        (raw.language.as_deref(), raw.site.as_deref()),
        (Some("en-GB"), Some("a.example"))
    );
    assert_eq!(json!(raw.extra), json!({"crawl_id": "last"}));
    assert!(raw.warnings.is_empty());
}

#[test]
fn unreadable_headers_cost_the_header_only() {
    let mut message = crate::message(b"Ships came in.", &[("published_at", "soon"), ("title", "Good")]);
    message.headers.push(copydesk_article::Header {
        name: "title".into(),
        value: vec![0xff],
    });
    let raw = copydesk_decode::decode(&message, &copydesk_decode::Limits::default()).unwrap();
    assert_eq!(raw.title.as_deref(), Some("Good"));
    assert_eq!(json!(raw.extra), json!({"published_at": "soon"}));
    assert_eq!(raw.warnings, ["header-unreadable", "published-at-unreadable"]);
}

/// `text` in the charset of that label.
fn bytes(label: &str, text: &str) -> Vec<u8> {
    let (bytes, _, failed) = Encoding::for_label(label.as_bytes()).unwrap().encode(text);
    assert!(!failed, "{label}");
    bytes.into_owned()
}

const RUSSIAN: &str = "Корабли вошли в гавань на рассвете, сообщил начальник порта журналистам во вторник.";
const JAPANESE: &str = "港は火曜日の夜明けに再開され、船が入港したと港長は記者団に語った。";
const FRENCH: &str = "Les navires sont entrés dans le port à l’aube, a déclaré mardi le maître du port.";

#[track_caller]
fn page(bytes: &[u8], headers: &[(&str, &str)], expected: &str, warnings: &[&str]) {
    let raw = read(bytes, headers).unwrap_or_else(|e| panic!("{e}"));
    assert!(matches!(raw.body, RawBody::Html(_)));
    assert!(raw.body.as_str().contains(expected), "{}", raw.body.as_str());
    assert_eq!(raw.warnings, warnings);
}

#[test]
fn the_charset_of_a_page_is_found() {
    let html = |meta: &str, text: &str| format!("<html><head>{meta}</head><p>{text}</p></html>");
    // By header, which wins over meta.
    let koi8 = [("content-type", "text/html; charset=koi8-r")];
    page(
        &bytes("koi8-r", &html("<meta charset=windows-1251>", RUSSIAN)),
        &koi8,
        RUSSIAN,
        &[],
    );
    // By meta.
    let sjis = html(
        "<meta http-equiv=Content-Type content='text/html; charset=Shift_JIS'>",
        JAPANESE,
    );
    page(&bytes("shift_jis", &sjis), &[], JAPANESE, &[]);
    // ISO-8859-1 means windows-1252, which has the curly apostrophe.
    page(
        &bytes("windows-1252", &html("<meta charset=iso-8859-1>", FRENCH)),
        &[],
        FRENCH,
        &[],
    );
    // By the bytes and the domain.
    page(
        &bytes("windows-1251", &html("", RUSSIAN)),
        &[("url", "https://a.ru/")],
        RUSSIAN,
        &["charset-guessed"],
    );
    page(
        &bytes("euc-jp", &html("", JAPANESE)),
        &[],
        JAPANESE,
        &["charset-guessed"],
    );
    page(
        &bytes("iso-2022-jp", &html("", JAPANESE)),
        &[],
        JAPANESE,
        &["charset-guessed"],
    );
    page(
        &bytes("iso-2022-jp", &html("<meta charset=iso-2022-jp>", JAPANESE)),
        &[],
        JAPANESE,
        &[],
    );
    // UTF-8 without a word about it.
    page(html("", RUSSIAN).as_bytes(), &[], RUSSIAN, &[]);
    // UTF-16 by its mark, and by the header.
    let utf16: Vec<u8> = html("", RUSSIAN)
        .encode_utf16()
        .flat_map(u16::to_be_bytes)
        .collect();
    page(&[&[0xfe, 0xff][..], &utf16].concat(), &[], RUSSIAN, &[]);
    page(
        &utf16,
        &[("content-type", "text/html;charset=utf-16be")],
        RUSSIAN,
        &[],
    );
}

#[test]
fn wrong_declarations_do_not_win() {
    let html = |meta: &str| format!("<html><head>{meta}</head><p>{RUSSIAN}</p></html>");
    // Valid UTF-8 is UTF-8.
    page(
        html("").as_bytes(),
        &[("content-type", "text/html; charset=iso-8859-1")],
        RUSSIAN,
        &["charset-mismatch"],
    );
    page(
        html("<meta charset=windows-1251>").as_bytes(),
        &[],
        RUSSIAN,
        &["charset-mismatch"],
    );
    page(
        html("").as_bytes(),
        &[("content-type", "text/html; charset=utf-16le")],
        RUSSIAN,
        &["charset-mismatch"],
    );
    // Declared UTF-8, but it is not.
    page(
        &bytes("windows-1251", &html("<meta charset=utf-8>")),
        &[("url", "https://a.ru/")],
        RUSSIAN,
        &["charset-mismatch"],
    );
    // UTF-8 with a character cut in half stays UTF-8.
    let mut damaged = html("<meta charset=utf-8>").into_bytes();
    damaged.extend_from_slice(b"<p>\xd0</p>");
    page(&damaged, &[], RUSSIAN, &["charset-errors"]);
    let undeclared = [html("").as_bytes(), b"\xe6\x97"].concat();
    page(&undeclared, &[], RUSSIAN, &["charset-errors"]);
}

#[test]
fn texts_are_utf8_unless_a_header_says_otherwise() {
    let headers = [("content-type", "text/plain; charset=windows-1251")];
    let raw = read(&bytes("windows-1251", RUSSIAN), &headers).unwrap();
    assert_eq!((raw.body, raw.warnings), (RawBody::Text(RUSSIAN.into()), vec![]));
    let raw = read(RUSSIAN.as_bytes(), &headers).unwrap();
    assert_eq!(
        (raw.body, raw.warnings),
        (RawBody::Text(RUSSIAN.into()), vec!["charset-mismatch".to_owned()])
    );
    let raw = read("Ships\r\ncame\u{c}in\0.".as_bytes(), &[]).unwrap();
    assert_eq!(
        (raw.body, raw.warnings),
        (
            RawBody::Text("Ships\ncame\nin.".into()),
            vec!["nul-removed".to_owned()]
        )
    );
}

#[test]
fn a_content_encoding_that_was_undone_already_is_passed_over() {
    for name in ["gzip", "br", "deflate"] {
        let raw = read(
            b"<p>Ships</p>",
            &[("content-encoding", name), ("content-type", "text/html")],
        )
        .unwrap();
        assert_eq!(raw.warnings, ["content-encoding-ignored"]);
    }
    assert!(
        read(b"Ships", &[("content-encoding", "identity")])
            .unwrap()
            .warnings
            .is_empty()
    );
}
