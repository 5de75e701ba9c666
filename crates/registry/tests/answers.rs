//! What a registry may answer, and what is made of it: each schema is asked for once, with the login, and
//! only the registry's own word makes a schema unknown.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code: a panic with a clear message is how a test fails"
)]

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use copydesk_registry::{Login, Refused, Registry, RegistryConfig};

/// A server that gives these answers one after the other, and keeps what it was asked.
struct Server {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn with(answers: &[(u16, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/api", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (log, mut answers) = (
            Arc::clone(&asked),
            answers
                .iter()
                .map(|(s, b)| (*s, (*b).to_owned()))
                .collect::<VecDeque<_>>(),
        );
        std::thread::spawn(move || {
            while let Some((status, body)) = answers.pop_front() {
                let (mut stream, _) = listener.accept().unwrap();
                let lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let head: Vec<String> = lines
                    .map_while(Result::ok)
                    .take_while(|l| !l.is_empty())
                    .collect();
                log.lock().unwrap().push(head.join("\n"));
                write!(
                    stream,
                    "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
                    body.len()
                )
                .unwrap();
            }
        });
        Self { url, asked }
    }

    fn registry(&self, login: Login) -> Registry {
        Registry::new(&RegistryConfig {
            url: self.url.clone(),
            login,
            ..RegistryConfig::default()
        })
        .unwrap()
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

const TEXT: &str = r#"{"schema": "\"string\""}"#;
const GONE: &str = r#"{"error_code": 40403, "message": "Schema not found"}"#;

#[test]
fn a_schema_is_asked_for_once_and_with_the_login() {
    let server = Server::with(&[(200, TEXT), (404, GONE)]);
    let registry = server.registry(Login::Password("me".into(), "hunter2".into()));
    for _ in 0..3 {
        let read = registry.convert(&[0, 0, 0, 0, 7, 4, b'h', b'i']).unwrap();
        assert_eq!(read.as_deref(), Some(&b"hi"[..]));
    }
    for _ in 0..2 {
        let refused = registry.convert(&[0, 0, 0, 0, 8, 4, b'h', b'i']).unwrap_err();
        assert!(matches!(refused, Refused::UnknownSchema { id: 8, .. }));
    }
    assert_eq!(registry.convert(b"{\"text\": \"Ships\"}"), Ok(None));
    let asked = server.asked();
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert!(asked[0].starts_with("GET /api/schemas/ids/7 "), "{asked:?}");
    assert!(
        asked[0].contains("authorization: Basic bWU6aHVudGVyMg=="),
        "{asked:?}"
    );
    assert!(!format!("{registry:?}").contains("hunter2"));
}

#[test]
fn only_the_registry_s_own_word_makes_a_schema_unknown() {
    // A refused login, another server's 404, a page with status 200: none of them says anything of the schema.
    let server = Server::with(&[
        (401, ""),
        (404, "<html>not found</html>"),
        (200, "<html>welcome</html>"),
        (200, TEXT),
    ]);
    let registry = server.registry(Login::Token("secret".into()));
    let read = registry.convert(&[0, 0, 0, 0, 7, 4, b'h', b'i']).unwrap();
    assert_eq!(read.as_deref(), Some(&b"hi"[..]));
    assert_eq!(server.asked().len(), 4);
    assert!(server.asked()[3].contains("authorization: Bearer secret"));
}

#[test]
fn set_ups_that_cannot_work_are_told_without_their_secrets() {
    for url in [
        "",
        "registry.example",
        "ftp://registry.example",
        "https://me:hunter2@registry.example",
        "http://",
    ] {
        let error = Registry::new(&RegistryConfig {
            url: url.into(),
            ..RegistryConfig::default()
        })
        .unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
    let error = Registry::new(&RegistryConfig {
        url: "https://registry.example".into(),
        ca_file: Some(PathBuf::from("/nowhere/ca.pem")),
        ..RegistryConfig::default()
    })
    .unwrap_err();
    assert!(error.to_string().contains("/nowhere/ca.pem"), "{error}");
}
