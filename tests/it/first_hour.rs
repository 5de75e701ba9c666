//! The pages "first hour" of docs/, command by command, as a new user would type them.
//!
//! The commands and what they must print are read out of the pages. Left out are set-up (`make`, the
//! environment), what fetches from other machines (curl of a feed's address, pip and the programs that need
//! its packages), and what runs until somebody ends it; the workers that a page has running beside it run to
//! the end of the topic instead.

use std::path::Path;
use std::process::Command;

use copydesk_testkit::{ScratchDatabase, ScratchTopic, executable, free_port, kafka_brokers};

use crate::tutorial::blocks;

/// Where the pages have the services of `make up`.
const LOCAL_OWNER: &str = "postgres://copydesk@127.0.0.1:35432/copydesk";

/// A page with services of its own.
struct Page {
    text: &'static str,
    database: ScratchDatabase,
    topic: ScratchTopic,
    clean: ScratchTopic,
    folder: tempfile::TempDir,
}

impl Page {
    async fn new(text: &'static str, label: &str, partitions: i32) -> Self {
        let topic = ScratchTopic::create(label, partitions).await;
        let clean = ScratchTopic::named(&kafka_brokers(), &format!("{}.clean", topic.name()));
        let folder = tempfile::tempdir().unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        std::os::unix::fs::symlink(source.join("docs"), folder.path().join("docs")).unwrap();
        Self {
            text,
            database: ScratchDatabase::create(label).await,
            topic,
            clean,
            folder,
        }
    }

    /// psql knows none of the parameters that sqlx writes behind it.
    fn url(&self) -> &str {
        self.database.url().split('?').next().unwrap()
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    /// Runs all commands of the page in one shell, changed as `edit` says, and compares what they print with
    /// what the page says that they print. Gives back what they printed.
    fn run(&self, edit: impl Fn(&str) -> Option<String>) -> String {
        let lines = blocks(self.text)
            .into_iter()
            .filter(|(language, _)| *language == "sh")
            .flat_map(|(_, text)| text.lines());
        let script: Vec<String> = lines.filter_map(edit).collect();
        let path = format!(
            "{}:{}",
            executable().parent().unwrap().display(),
            std::env::var("PATH").unwrap()
        );
        let mut command = Command::new("bash");
        for (name, _) in std::env::vars().filter(|(n, _)| n.starts_with("COPYDESK_")) {
            command.env_remove(name);
        }
        let output = command
            .args(["-xeuo", "pipefail", "-c"])
            .arg(format!(
                "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n{}",
                script.join("\n")
            ))
            .current_dir(self.folder.path())
            .env("PATH", &path)
            .env("COPYDESK_DATABASE_URL", self.url())
            .env("COPYDESK_KAFKA_BROKERS", kafka_brokers())
            .env("COPYDESK_KAFKA_TOPIC", self.topic.name())
            .env("COPYDESK_KAFKA_GROUP", format!("group-{}", self.topic.name()))
            .output()
            .unwrap();
        let printed = [&*output.stdout, &*output.stderr]
            .map(String::from_utf8_lossy)
            .join("\n");
        assert!(output.status.success(), "{}\n{printed}", output.status);
        let printed = printed.replace(self.topic.name(), "crawl");
        let expected = blocks(self.text).into_iter().filter(|(language, text)| {
            *language == "text" && !text.contains("* * *") && !text.starts_with("story ")
        });
        for line in expected.flat_map(|(_, text)| text.lines()) {
            let wanted = masked(line.split('…').next().unwrap().trim_end());
            let wanted = wanted.replace("articles.raw", "crawl");
            assert!(
                printed.lines().any(|l| masked(l).contains(&wanted)),
                "{wanted:?} is not in what was printed:\n{printed}"
            );
        }
        printed
    }
}

/// Numbers differ with the day and the machine.
fn masked(line: &str) -> String {
    let mut out = String::new();
    for c in line.chars() {
        match (c, out.ends_with('#')) {
            ('0'..='9', true) => {}
            ('0'..='9', false) => out.push('#'),
            _ => out.push(c),
        }
    }
    out
}

/// Set-up, and what needs packages from elsewhere.
fn is_left_out(line: &str) -> bool {
    [
        "make ",
        "export PATH=",
        "source ",
        "python3 -m venv",
        "curl ",
        "copydesk console",
    ]
    .iter()
    .any(|start| line.starts_with(start))
        || line.contains("venv/bin/python")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_researcher_with_an_archive() {
    let page = Page::new(
        include_str!("../../docs/first-hour-archive.md"),
        "hour-archive",
        6,
    )
    .await;
    let printed = page.run(|line| (!is_left_out(line)).then(|| line.replace(LOCAL_OWNER, page.url())));
    for row in ["original   |    16", "exact_copy |     4", "near_copy  |     4"] {
        assert!(printed.contains(row), "{row}\n{printed}");
    }
    assert!(page.folder.path().join("stories.parquet").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_desk_with_feeds() {
    // One partition: the page's numbers are those of articles in the order of the feeds.
    let page = Page::new(include_str!("../../docs/first-hour-feeds.md"), "hour-feeds", 1).await;
    let port = free_port().to_string();
    page.run(|line| {
        if is_left_out(line) || line == "copydesk worker" || line.starts_with("echo '{") {
            return None;
        }
        let line = line
            .replace(LOCAL_OWNER, page.url())
            .replace("8765", &port)
            .replace("articles.clean", page.clean.name());
        Some(match &*line {
            _ if line.starts_with("printf ") => {
                format!("{line}\nuntil curl -s 127.0.0.1:{port} >/dev/null; do :; done")
            }
            _ if line.starts_with("psql ") && line.contains("FROM articles") => {
                format!("copydesk worker --until-end\n{line}")
            }
            _ => line,
        })
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_with_a_topic() {
    let page = Page::new(include_str!("../../docs/first-hour-kafka.md"), "hour-kafka", 3).await;
    let article = "The bridge of Isk stays closed until March, the council said on Monday. Buses take another way, over the weir.";
    page.write(
        "sample.jsonl",
        &format!(
            "{{\"link\": \"https://www.valley-times.example/bridge\", \"headline\": \"Bridge of Isk closed until March\", \"content\": \"{article}\", \
             \"pubDate\": \"2026-11-24T07:00:00Z\"}}\n\
             not JSON at all\n\
             {{\"url\": \"https://www.valley-times.example/empty\", \"title\": \"Nothing\"}}\n\
             {{\"url\": \"https://www.valley-times.example/weir\", \"text\": \"{article}\"}}\n"
        ),
    );
    page.write("worker-url", page.url());
    let (_, settings) = blocks(page.text)
        .into_iter()
        .find(|(language, _)| *language == "toml")
        .unwrap();
    let listen = format!("127.0.0.1:{}", free_port());
    page.write("copydesk.toml", &settings.replace("127.0.0.1:9464", &listen));
    page.run(|line| {
        if is_left_out(line) || line.starts_with("copydesk worker   ") && !line.contains("--until-end") {
            return None;
        }
        Some(match line {
            // In the place of the crawlers and of step 2. Brokers, topic and group by their variables, which
            // win over the file.
            _ if line.starts_with("export COPYDESK_CONFIG") => {
                format!("copydesk migrate\ncopydesk feed sample.jsonl || true\nunset COPYDESK_DATABASE_URL\n{line}")
            }
            // 3: some of it would be refused.
            _ if line.contains("--dry-run") => format!("{line} || [ $? = 3 ]"),
            _ => line.to_owned(),
        })
    });
}
