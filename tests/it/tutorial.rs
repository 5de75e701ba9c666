//! docs/tutorial.md, command by command, as a new user would type them.
//!
//! The commands and what they must print are read out of the page. With fewer pages than the page says (a
//! debug build takes its time): COPYDESK_TUTORIAL_PAGES, 400 if it is not set. `make tutorial` runs all
//! 10,000.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use copydesk_testkit::{ScratchDatabase, ScratchTopic, executable, kafka_brokers};

const PAGE: &str = include_str!("../../docs/tutorial.md");

/// Blocks of a page: the language after the fence, and the text.
pub(crate) fn blocks(page: &'static str) -> Vec<(&'static str, &'static str)> {
    let mut found = Vec::new();
    for part in page.split("\n```").collect::<Vec<_>>()[1..].chunks(2) {
        let (language, text) = part[0].split_once('\n').unwrap();
        found.push((language, text));
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_of_the_tutorial_does_what_it_says() {
    let pages: usize = std::env::var("COPYDESK_TUTORIAL_PAGES").map_or(400, |n| n.parse().unwrap());
    assert!(
        pages.is_multiple_of(10),
        "so that the page's numbers can be scaled"
    );
    let database = ScratchDatabase::create("tutorial").await;
    let topic = ScratchTopic::create("tutorial", 3).await;
    // psql knows none of the parameters that sqlx writes behind it.
    let url = database.url().split('?').next().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = format!(
        "{}:{}",
        executable().parent().unwrap().display(),
        std::env::var("PATH").unwrap()
    );
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut said = String::new();
    let mut commands = 0;
    for (language, text) in blocks(PAGE) {
        if language == "text" {
            for line in text.lines() {
                let scaled = scaled(line, pages);
                assert!(
                    said.lines().any(|l| l.contains(&scaled)),
                    "{scaled:?} is not in what was printed:\n{said}"
                );
            }
            continue;
        }
        assert_eq!(language, "sh");
        let begun = Instant::now();
        let mut command = Command::new("bash");
        for (name, _) in std::env::vars().filter(|(n, _)| n.starts_with("COPYDESK_")) {
            command.env_remove(name);
        }
        let output = command
            .args([
                "-euo",
                "pipefail",
                "-c",
                &text.replace("10000", &pages.to_string()),
            ])
            .current_dir(folder.path())
            .env("PATH", &path)
            .env("SOURCE", source)
            .env("COPYDESK_DATABASE_URL", url)
            .env("OWNER_URL", url)
            .env("COPYDESK_KAFKA_BROKERS", kafka_brokers())
            .env("COPYDESK_KAFKA_TOPIC", topic.name())
            .env("COPYDESK_KAFKA_GROUP", format!("group-{}", topic.name()))
            .output()
            .unwrap();
        said = String::from_utf8_lossy(&output.stdout).into_owned();
        println!("$ {text}\n{said}({:.1} s)", begun.elapsed().as_secs_f64());
        assert!(
            output.status.success(),
            "{text}\nended with {}\n{said}{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        commands += text.lines().count();
    }
    assert!(commands > 15, "the page's commands were not found: {commands}");
}

/// The page's numbers are those of 10,000 pages.
fn scaled(line: &str, pages: usize) -> String {
    line.split(' ')
        .map(|word| match word.parse::<usize>() {
            Ok(n) => (n * pages / 10_000).to_string(),
            Err(_) => word.to_owned(),
        })
        .collect::<Vec<_>>()
        .join(" ")
}
