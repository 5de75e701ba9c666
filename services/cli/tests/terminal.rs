//! What the program writes to a terminal, through a terminal (`script`, part of every Debian). No service is needed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests are tests"
)]

use std::path::Path;
use std::process::Command;

use copydesk_terminal::is_trick;

const COPYDESK: &str = env!("CARGO_BIN_EXE_copydesk");

const PAGE: &str = "{\"url\":\"https://news.example/a\",\"title\":\"Ferry \u{202e}etal\u{9b}2J\\u001b]0;owned\\u0007\",\
\"site\":\"news.example\u{202e}\\nok\",\"text\":\"The ferry was late on Monday because of \u{9b}2Jthe fog\u{202e}, the port said in the \
morning.\\n\\nIt left the harbour at noon with two hundred people on board, who had waited since the early hours.\"}";

/// What a terminal would get, without its own line ends.
fn on_a_terminal(folder: &Path, arguments: &str) -> String {
    let log = folder.join("typescript");
    let done = Command::new("script")
        // The bar of progress steers a terminal, and is ours.
        .args(["-qec", &format!("{COPYDESK} {arguments} 2>/dev/null")])
        .arg(&log)
        .env("NO_COLOR", "")
        .env("TERM", "xterm")
        .output()
        .expect("script");
    assert!(
        !done.stdout.is_empty(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    String::from_utf8_lossy(&done.stdout).replace("\r\n", "\n")
}

/// The colours of this program.
fn without_styles(text: &str) -> String {
    ["1", "2", "2;9", "31", "32", "33", "0"]
        .iter()
        .fold(text.to_owned(), |text, code| {
            text.replace(&format!("\u{1b}[{code}m"), "")
        })
}

#[test]
fn tricks_of_an_article_do_not_reach_a_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.json");
    std::fs::write(&file, PAGE).unwrap();
    let name = file.display();
    for arguments in [
        format!("clean {name}"),
        format!("clean --json {name}"),
        format!("clean --stats {name}"),
    ] {
        let shown = on_a_terminal(folder.path(), &arguments);
        let rest = without_styles(&shown);
        assert!(!rest.contains(is_trick), "{arguments}: {rest:?}");
    }
    let shown = on_a_terminal(folder.path(), &format!("clean {name}"));
    assert!(shown.contains("\u{1b}[1m") && shown.contains("fog"), "{shown:?}");
}

#[test]
fn a_program_gets_json_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.json");
    std::fs::write(&file, PAGE).unwrap();
    let done = Command::new(COPYDESK)
        .args(["clean", "--json"])
        .arg(&file)
        .output()
        .unwrap();
    let piped = String::from_utf8(done.stdout).unwrap();
    // Direction is the article's own in its body; in a line of metadata it is nobody's.
    assert!(
        piped.contains('\u{202e}') && !piped.contains("\\u202e"),
        "{piped:?}"
    );
    let record: serde_json::Value = serde_json::from_str(&piped).unwrap();
    let shown = on_a_terminal(folder.path(), &format!("clean --json {}", file.display()));
    assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), record);
    assert_eq!(record["metadata"]["site"]["value"], "news.example ok");
}

#[test]
fn names_of_files_do_not_steer_a_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let crawl = folder.path().join("crawl");
    std::fs::create_dir(&crawl).unwrap();
    std::fs::write(
        crawl.join("a\u{1b}[2J\u{202e}\nok  all is well.jsonl"),
        "{\"text\":\"\"}\n",
    )
    .unwrap();
    let shown = on_a_terminal(folder.path(), &format!("feed --dry-run {}", crawl.display()));
    let rest = without_styles(&shown);
    assert!(!rest.contains(is_trick), "{rest:?}");
    assert!(!rest.lines().any(|l| l.starts_with("ok  all")), "{rest:?}");
}

/// A command asks a Kafka and a Postgres that are not there: all of it at the same time.
#[test]
fn secrets_do_not_reach_the_output_of_a_command() {
    let settings = [
        (
            "COPYDESK_DATABASE_URL",
            "postgres://me:hunter2@127.0.0.1:9/x?password=hunter2&apikey=hunter2&sslpassword=hunter2",
        ),
        ("COPYDESK_DATABASE_URL", "host=127.0.0.1 port=9 password=hunter2"),
        (
            "COPYDESK_DATABASE_URL",
            "jdbc:postgresql://127.0.0.1:9/x?password=hunter2",
        ),
        (
            "COPYDESK_DATABASE_URL_FILE",
            "postgres://me:hunter2@127.0.0.1:9/x",
        ),
        (
            "COPYDESK_KAFKA_PROPERTIES",
            "sasl.username=me,sasl.password=x,hunter2",
        ),
        (
            "COPYDESK_KAFKA_PROPERTIES",
            "security.protocol=SASL_PLAINTEXT,sasl.mechanism=OAUTHBEARER,sasl.oauthbearer.config=x hunter2",
        ),
        ("COPYDESK_TRACES_ENDPOINT", "http://me:hunter2@127.0.0.1:9"),
    ];
    let commands = [
        &["config", "print"][..],
        &["config", "check"],
        &["doctor", "--log", "trace"],
        &["summary", "--log", "trace"],
    ];
    std::thread::scope(|scope| {
        for (variable, value) in settings {
            for arguments in commands {
                scope.spawn(move || {
                    let done = Command::new(COPYDESK)
                        .args(arguments)
                        .env("COPYDESK_KAFKA_BROKERS", "127.0.0.1:9")
                        .env("COPYDESK_DATABASE_URL", "postgres://127.0.0.1:9/x")
                        .env(variable, value)
                        .output()
                        .unwrap();
                    let text = String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned();
                    assert!(
                        !text.is_empty() || arguments == ["config", "check"],
                        "{arguments:?}"
                    );
                    assert!(!text.contains("hunter2"), "{value} {arguments:?}: {text}");
                });
            }
        }
    });
}

#[test]
fn checking_the_settings_loads_no_library() {
    // A plugin that is not there is an error as soon as it is loaded.
    let check = |allowed: &str| {
        let done = Command::new(COPYDESK)
            .args(["config", "check"])
            .env("COPYDESK_KAFKA_PROPERTIES", "plugin.library.paths=/not/there.so")
            .env("COPYDESK_KAFKA_ALLOW_FOREIGN_CODE", allowed)
            .output()
            .unwrap();
        (
            done.status.success(),
            String::from_utf8_lossy(&done.stderr).into_owned(),
        )
    };
    let (fine, text) = check("false");
    assert!(!fine && text.contains("allow_foreign_code"), "{text}");
    let (fine, text) = check("true");
    assert!(fine, "{text}");
}
