//! Every reason of the stage, each by the messages that earn it.

use std::io::Write as _;

use copydesk_article::{Reason, Stage};
use copydesk_decode::{Limits, decode};

use crate::{message, read};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).unwrap()
}

#[track_caller]
fn refused(payload: &[u8], headers: &[(&str, &str)], reason: Reason) -> String {
    let reject = read(payload, headers).expect_err("must be refused");
    assert_eq!((reject.stage, reject.reason), (Stage::Decode, reason), "{reject}");
    assert!(!reject.detail.is_empty());
    reject.detail
}

#[test]
fn nothing_in_it() {
    for key in [
        None,
        Some(&b"a.example"[..]),
        Some(b"\xff\xfe"),
        Some(b"ftp://a.example/ferry"),
    ] {
        let mut nothing = message(b"", &[]);
        nothing.payload = None;
        nothing.key = key.map(<[u8]>::to_vec);
        assert_eq!(
            decode(&nothing, &Limits::default()).unwrap_err().reason,
            Reason::Empty
        );
    }
    for payload in [&b""[..], b" \n\t ", b"\xef\xbb\xbf", b"\xff\xfe"] {
        refused(payload, &[], Reason::Empty);
    }
    refused(b"\0\0\0", &[("content-type", "text/plain")], Reason::Empty);
    refused(&gzip(b"  "), &[("content-encoding", "gzip")], Reason::Empty);
}

#[test]
fn too_large() {
    let limits = Limits::default();
    refused(&vec![b'a'; limits.max_record_bytes + 1], &[], Reason::TooLarge);
    refused(&vec![b'a'; limits.max_text_bytes + 1], &[], Reason::TooLarge);
    assert!(read(&vec![b'a'; limits.max_text_bytes], &[]).is_ok());
    let text = "é".repeat(limits.max_text_bytes / 2 + 1);
    refused(
        format!(r#"{{"text":"{text}"}}"#).as_bytes(),
        &[],
        Reason::TooLarge,
    );
    // Latin-1 grows when it becomes UTF-8: what counts is what is stored.
    let mut page = b"<p>".to_vec();
    page.resize(limits.max_html_bytes, 0xe9);
    refused(
        &page,
        &[("content-type", "text/html; charset=latin1")],
        Reason::TooLarge,
    );
    let dense = format!(
        r#"{{"text":"a","n":[{}0]}}"#,
        "0,".repeat(limits.max_extra_values)
    );
    assert!(refused(dense.as_bytes(), &[], Reason::TooLarge).contains("extra fields"));
}

#[test]
fn bombs_of_every_kind() {
    // 16 MiB and one byte of changing text: an honest ratio, but too much.
    let text: Vec<u8> = (0..(16_u32 << 20) + 1)
        .map(|i| b' ' + (i.wrapping_mul(2_654_435_761) >> 27) as u8)
        .collect();
    let zeros = vec![b'a'; 9 << 20];
    for (name, pack) in [
        ("gzip", gzip as fn(&[u8]) -> Vec<u8>),
        ("deflate", zlib),
        ("zstd", zstd),
    ] {
        let headers = [("content-encoding", name)];
        refused(&pack(&text), &headers, Reason::TooLarge);
        refused(&pack(&zeros), &headers, Reason::CompressionBomb);
        // Below a mebibyte any ratio is harmless.
        let small = pack(&vec![b'a'; 1 << 20]);
        assert!(read(&small, &headers).is_ok(), "{name}");
        let good = pack(br#"{"text":"Ships came in."}"#);
        assert_eq!(
            read(&good, &headers).unwrap().body.as_str(),
            "Ships came in.",
            "{name}"
        );
    }
}

#[test]
fn a_zstd_window_is_memory_too() {
    let mut encoder = zstd::stream::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(27).unwrap();
    encoder.write_all(b"{\"text\":\"Ships came in.\"}").unwrap();
    let frame = encoder.finish().unwrap();
    assert!(refused(&frame, &[("content-encoding", "zstd")], Reason::TooLarge).contains("window"));
}

#[test]
fn broken_compression() {
    for (name, pack) in [
        ("gzip", gzip as fn(&[u8]) -> Vec<u8>),
        ("deflate", zlib),
        ("zstd", zstd),
    ] {
        let whole = pack(br#"{"text":"Ships came in at dawn, the harbour master said."}"#);
        for cut in [whole.len() - 1, whole.len() / 2, 4] {
            refused(
                &whole[..cut],
                &[("content-encoding", name)],
                Reason::BadCompression,
            );
        }
        // The check sum at the end does not fit any more; zstd writes none by default.
        if name != "zstd" {
            let mut flipped = whole.clone();
            flipped[12] ^= 0xff;
            refused(&flipped, &[("content-encoding", name)], Reason::BadCompression);
        }
        refused(
            b"plain words",
            &[("content-encoding", name)],
            Reason::BadCompression,
        );
    }
    refused(
        b"\x8b\x02\x80",
        &[("content-encoding", "br")],
        Reason::BadCompression,
    );
}

#[test]
fn not_utf8() {
    assert!(refused(b"{\"text\":\"caf\xe9\"}", &[], Reason::NotUtf8).contains("byte 12"));
    refused(b"caf\xe9", &[("content-type", "text/plain")], Reason::NotUtf8);
    refused(b"caf\xe9 au lait", &[], Reason::NotUtf8);
    refused(b"{\"text\":\"\xed\xa0\x80\"}", &[], Reason::NotUtf8);
    refused(
        b"{\"text\":\"caf\xe9\"}",
        &[("content-type", "application/json; charset=utf-8")],
        Reason::NotUtf8,
    );
}

#[test]
fn not_text() {
    for magic in [
        &b"%PDF-1.7\n"[..],
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xe0",
        b"PK\x03\x04",
        b"\x1f\x8b\x08\x00",
    ] {
        refused(magic, &[], Reason::NotText);
        refused(magic, &[("content-type", "text/html")], Reason::NotText);
    }
    let controls: Vec<u8> = (0..400_u32).map(|i| (i * 7 % 31) as u8).collect();
    refused(&controls, &[("content-type", "text/html")], Reason::NotText);
    refused(
        b"\x82\xff\xff\x82\xff",
        &[("content-type", "text/plain; charset=shift_jis")],
        Reason::NotText,
    );
}

#[test]
fn broken_json_says_where() {
    assert!(refused(b"{\"text\": \"a\",\n oops}", &[], Reason::BadJson).contains("line 2 column 2"));
    assert!(refused(b"{\"text\": \"Ships came", &[], Reason::BadJson).contains("breaks off"));
    for json in [
        "{}{}",
        "{\"text\":\"a\"} x",
        "{'text':'a'}",
        "{\"text\":\"a\n\"}",
        "{\"a\":1e999}",
        "{\"text\":\"\\u12\"}",
        "{",
    ] {
        refused(json.as_bytes(), &[], Reason::BadJson);
    }
    // A raw NUL is a control character, which JSON wants escaped.
    refused(b"{\"text\":\"a\0\"}", &[], Reason::BadJson);
}

#[test]
fn depth_is_bounded() {
    let nested = |n: usize| format!(r#"{{"text":"a","x":{}{}}}"#, "[".repeat(n), "]".repeat(n));
    assert!(read(nested(126).as_bytes(), &[]).is_ok());
    refused(nested(127).as_bytes(), &[], Reason::JsonTooDeep);
    refused(nested(1_000_000).as_bytes(), &[], Reason::JsonTooDeep);
    refused(
        "[{".repeat(100_000).as_bytes(),
        &[("content-type", "application/json")],
        Reason::BadEnvelope,
    );
    let authors = format!(
        r#"{{"text":"a","authors":[{{"x":{}}}]}}"#,
        "{\"a\":".repeat(1_000)
    );
    refused(authors.as_bytes(), &[], Reason::JsonTooDeep);
    // Brackets inside strings are no depth.
    let quoted = format!(r#"{{"text":"\"{}", oops}}"#, "[".repeat(300));
    refused(quoted.as_bytes(), &[], Reason::BadJson);
}

#[test]
fn half_a_character() {
    for escape in [
        r"\ud800",
        r"\udc00",
        r"\ud800\ud800",
        r"\ud83dx",
        r"\ud83d\n",
        r"\uD83D\u0041",
        r"\\\ud800",
    ] {
        refused(
            format!(r#"{{"text":"a{escape}"}}"#).as_bytes(),
            &[],
            Reason::LoneSurrogate,
        );
        refused(
            format!(r#"{{"text":"a","{escape}":1}}"#).as_bytes(),
            &[],
            Reason::LoneSurrogate,
        );
        refused(
            format!(r#"{{"text":"a","x":["{escape}"]}}"#).as_bytes(),
            &[],
            Reason::LoneSurrogate,
        );
    }
    assert_eq!(
        read(br#"{"text":"\ud83d\ude00 \\ud800"}"#, &[])
            .unwrap()
            .body
            .as_str(),
        "😀 \\ud800"
    );
    // Whole pairs and written-out escapes before another mistake are not blamed for it.
    refused(br#"{"text":"\ud83d\ude00 \\ud800", oops}"#, &[], Reason::BadJson);
    refused(
        br#"{"text":"\ud83d\ude00", oops, "x":"\ud800"}"#,
        &[],
        Reason::BadJson,
    );
}

#[test]
fn another_shape() {
    for (json, part) in [
        (r#"{"text":5}"#, "field text"),
        (r#"{"url":["a","b"],"text":"a"}"#, "field url"),
        (r#"{"html":["a"]}"#, "field html"),
        (r#"{"text":"a","title":true}"#, "field title"),
        (r#"{"text":"a","published_at":{}}"#, "field published_at"),
        (r#"{"text":"a","authors":7}"#, "field authors"),
        (r#"{"text":"a","authors":[["x"]]}"#, "field authors"),
        (r#"{"text":"a","authors":[{"email":"x"}]}"#, "field authors"),
        (r#"{"text":"a","text":"b"}"#, "twice"),
        (r#"[{"text":"a"}]"#, "array"),
        (r#""{\"text\":\"secret\"}""#, "encoded twice"),
    ] {
        let detail = refused(json.as_bytes(), &[], Reason::BadEnvelope);
        assert!(detail.contains(part), "{json}: {detail}");
        assert!(!detail.contains("secret"));
    }
    refused(b"7", &[("content-type", "application/json")], Reason::NullText);
}

#[test]
fn no_body_or_two() {
    for json in [
        r#"{"url":"https://a.example/"}"#,
        r#"{"text":""}"#,
        r#"{"text":" \n","html":null}"#,
        "{}",
    ] {
        refused(json.as_bytes(), &[], Reason::NoBody);
    }
    refused(
        br#"{"schema":{"type":"struct"},"payload":"a"}"#,
        &[],
        Reason::NoBody,
    );
    refused(br#"{"text":"a","html":"<p>a"}"#, &[], Reason::AmbiguousBody);
    assert!(read(br#"{"text":"a","html":" "}"#, &[]).is_ok());
}

#[test]
fn unknown_content_types() {
    for name in [
        "image/jpeg",
        "text/css",
        "application/pdf",
        "application/x-ndjson",
        "nonsense",
    ] {
        refused(b"{}", &[("content-type", name)], Reason::UnknownContentType);
    }
}

#[test]
fn bad_urls() {
    let long = format!("https://a.example/{}", "x".repeat(2_048));
    for url in [
        "ftp://a.example/",
        "javascript:alert(1)",
        "a.example/x",
        "/x",
        "https://",
        "http://[::1",
        "https://a b/",
        &long,
    ] {
        let json = serde_json::json!({"url": url, "text": "a"}).to_string();
        let detail = refused(json.as_bytes(), &[], Reason::BadUrl);
        assert!(!detail.contains("alert"), "{detail}");
        refused(b"Ships came in.", &[("url", url)], Reason::BadUrl);
    }
}

#[test]
fn words_for_nothing_are_refused_by_name() {
    for word in [
        "null",
        "0",
        "undefined",
        "[]",
        "\"\"",
        "[object Object]",
        "\\N",
        "NaN",
        "None",
        "false",
        " null\n",
    ] {
        let refused = read(word.as_bytes(), &[]).unwrap_err();
        assert_eq!(refused.reason, Reason::NullText, "{word}");
        assert!(refused.detail.contains(word.trim()), "{refused}");
    }
    let refused = read(br#"{"text":"None","html":"null"}"#, &[]).unwrap_err();
    assert_eq!(refused.reason, Reason::NullText);
    for (json, word) in [
        (r#"{"text":"a b","score": NaN}"#, "NaN"),
        (r#"{"text":"a b","score":-Infinity}"#, "-Infinity"),
        (r#"{"score":[1,Infinity]}"#, "Infinity"),
    ] {
        let refused = read(json.as_bytes(), &[]).unwrap_err();
        assert_eq!(refused.reason, Reason::BadJson);
        assert!(refused.detail.starts_with(word), "{json}: {refused}");
    }
}
