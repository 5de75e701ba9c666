//! Messages that take an article down.

use copydesk_article::{Message, Reason};
use copydesk_decode::{Decoded, Limits, read};

use crate::message;

fn address(message: &Message) -> Option<String> {
    match read(message, &Limits::default()).unwrap() {
        Decoded::Tombstone(tombstone) => Some(tombstone.url),
        Decoded::Article(_) => None,
    }
}

#[test]
fn an_address_as_key_without_a_value_is_one() {
    for key in [
        "https://a.example/ferry",
        "\"https://a.example/ferry\"",
        " https://a.example/ferry\n",
    ] {
        for payload in [None, Some(Vec::new())] {
            let message = Message {
                key: Some(key.into()),
                payload,
                ..message(b"", &[])
            };
            assert_eq!(
                address(&message).as_deref(),
                Some("https://a.example/ferry"),
                "{key}"
            );
        }
    }
}

#[test]
fn an_envelope_that_says_deleted_is_one_whatever_else_it_holds() {
    for (json, expected) in [
        (r#"{"url": "https://a.example/ferry", "deleted": true}"#, true),
        (
            r#"{"link": "https://a.example/ferry", "deleted": true, "text": "Ships came in."}"#,
            true,
        ),
        (
            r#"{"url": "https://me:secret@a.example/ferry", "__deleted": "true", "text": "Ships came in."}"#,
            true,
        ),
        (
            r#"{"schema": {}, "payload": {"url": "https://a.example/ferry", "deleted": true}}"#,
            true,
        ),
        (
            r#"{"url": "https://a.example/ferry", "deleted": false, "text": "Ships came in."}"#,
            false,
        ),
        (
            r#"{"url": "https://a.example/ferry", "deleted": "no", "text": "Ships came in."}"#,
            false,
        ),
        (
            r#"{"url": "https://a.example/ferry", "deleted": 1, "text": "Ships came in."}"#,
            false,
        ),
        (
            r#"{"url": "https://a.example/ferry", "extra": {"deleted": true}, "text": "Ships came in."}"#,
            false,
        ),
    ] {
        let found = address(&message(json.as_bytes(), &[]));
        assert_eq!(
            found.as_deref(),
            expected.then_some("https://a.example/ferry"),
            "{json}"
        );
    }
    // Its address may be a header or the key.
    let mut bare = message(br#"{"deleted": true}"#, &[("url", "https://a.example/ferry")]);
    assert_eq!(address(&bare).as_deref(), Some("https://a.example/ferry"));
    bare.headers.clear();
    let refused = read(&bare, &Limits::default()).unwrap_err();
    assert_eq!(refused.reason, Reason::BadUrl);
    bare.key = Some(b"https://a.example/ferry".to_vec());
    assert_eq!(address(&bare).as_deref(), Some("https://a.example/ferry"));
    for url in ["ferry", "ftp://a.example/ferry", ""] {
        let json = format!(r#"{{"url": "{url}", "deleted": true}}"#);
        let refused = read(&message(json.as_bytes(), &[]), &Limits::default()).unwrap_err();
        assert_eq!(refused.reason, Reason::BadUrl, "{url}");
    }
}
