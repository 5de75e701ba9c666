//! The `copydesk` executable as a user runs it: other processes, real signals.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// The executable of this very code, built once per test run.
///
/// Cargo builds the executables of a package only for that package's own tests, so the end-to-end tests ask
/// for it themselves; where it is up to date that takes a fraction of a second. `COPYDESK_TEST_EXECUTABLE` names
/// another one, such as a release build for a long run.
pub fn executable() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        if let Some(other) = std::env::var_os("COPYDESK_TEST_EXECUTABLE") {
            return PathBuf::from(other);
        }
        let test = std::env::current_exe().expect("a test knows its own path");
        // target/<profile>/deps/<test>
        let profile_dir = test
            .ancestors()
            .nth(2)
            .expect("tests are in target/<profile>/deps");
        let release = profile_dir.file_name().is_some_and(|n| n == "release");
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(cargo);
        build.args([
            "build",
            "--quiet",
            "--package",
            "copydesk",
            "--bin",
            "copydesk",
            // As packages have it.
            "--features",
            "object-storage",
            "--target-dir",
        ]);
        build.arg(profile_dir.parent().expect("target"));
        if release {
            build.arg("--release");
        }
        assert!(
            build.status().expect("cargo runs").success(),
            "copydesk does not build"
        );
        profile_dir.join("copydesk")
    })
}

/// `copydesk` set up for one topic and one database.
#[derive(Debug, Clone)]
pub struct Copydesk {
    program: PathBuf,
    brokers: String,
    topic: String,
    group: String,
    database_url: String,
    variables: Vec<(String, String)>,
}

impl Copydesk {
    /// For a topic and a database; the consumer group is named after the topic.
    pub fn new(topic: &str, database_url: &str) -> Self {
        Self::at(&crate::kafka_brokers(), topic, database_url)
    }

    /// The same at these brokers, whatever the environment says.
    pub fn at(brokers: &str, topic: &str, database_url: &str) -> Self {
        Self {
            program: executable().to_owned(),
            brokers: brokers.to_owned(),
            topic: topic.to_owned(),
            group: format!("group-{topic}"),
            database_url: database_url.to_owned(),
            variables: Vec::new(),
        }
    }

    /// The same with another executable, such as an earlier one.
    #[must_use]
    pub fn with_program(mut self, program: &Path) -> Self {
        program.clone_into(&mut self.program);
        self
    }

    /// The same with other brokers.
    #[must_use]
    pub fn at_brokers(mut self, brokers: &str) -> Self {
        brokers.clone_into(&mut self.brokers);
        self
    }

    /// The same with another database.
    #[must_use]
    pub fn at_database(mut self, url: &str) -> Self {
        url.clone_into(&mut self.database_url);
        self
    }

    /// The same with one more `COPYDESK_…` variable.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A text that no article has: a program that is [`Copydesk::deadly`] aborts when it cleans one that has it.
    pub const KILLER: &'static str = "Vxq7 ends the process 3f9c";

    /// The same with messages that end the process: see [`Copydesk::KILLER`].
    #[must_use]
    pub fn deadly(self) -> Self {
        self.with("COPYDESK_TEST_ABORT_ON", Self::KILLER)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        for (name, _) in std::env::vars().filter(|(n, _)| n.starts_with("COPYDESK_")) {
            command.env_remove(name);
        }
        command
            .args(args)
            .env("COPYDESK_KAFKA_BROKERS", &self.brokers)
            .env("COPYDESK_KAFKA_TOPIC", &self.topic)
            .env("COPYDESK_KAFKA_GROUP", &self.group)
            .env("COPYDESK_DATABASE_URL", &self.database_url)
            // Quick rebalances: a killed worker is missed after six seconds instead of forty-five.
            .env("COPYDESK_KAFKA_SESSION_TIMEOUT_MS", "6000")
            .env("COPYDESK_WORKER_DRAIN_MS", "4000")
            .env("COPYDESK_LOG_FORMAT", "human")
            .envs(self.variables.iter().map(|(n, v)| (n, v)))
            .stdin(Stdio::null());
        command
    }

    /// Runs to the end and gives back what it printed.
    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("copydesk starts")
    }

    /// Runs to the end; panics with everything it printed unless it succeeded. Standard output.
    pub fn ok(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(
            output.status.success(),
            "copydesk {args:?} ended with {}\n--- stdout\n{}\n--- stderr\n{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        String::from_utf8(output.stdout).expect("output is UTF-8")
    }

    /// Starts a command that goes on, such as a worker. Its log goes to the test's own standard error file.
    pub fn start(&self, args: &[&str]) -> Running {
        let log = tempfile::NamedTempFile::new().expect("a log file");
        let child = self
            .command(args)
            .stdout(Stdio::null())
            .stderr(log.reopen().expect("the log file opens"))
            .spawn()
            .expect("copydesk starts");
        Running { child, log }
    }
}

/// A process that is killed when the test ends.
pub struct Running {
    child: Child,
    log: tempfile::NamedTempFile,
}

impl Running {
    /// Ends it as a crash would: no handler runs.
    pub fn kill_9(&mut self) {
        self.child.kill().expect("the process can be killed");
        self.child.wait().expect("the process ends");
    }

    /// Sends a signal by its name (`TERM`, `STOP`, `CONT`).
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .arg(format!("-{name}"))
            .arg(self.child.id().to_string())
            .status()
            .expect("kill runs");
        assert!(status.success(), "cannot send {name}");
    }

    /// Whether it has ended, and how.
    pub fn ended(&mut self) -> Option<std::process::ExitStatus> {
        self.child.try_wait().expect("the process can be asked")
    }

    /// Asks it to stop and waits. Panics with its log if it fails or takes longer than `patience`.
    pub fn stop(&mut self, patience: Duration) {
        self.signal("TERM");
        let until = Instant::now() + patience;
        loop {
            match self.ended() {
                Some(status) => {
                    assert!(status.success(), "it ended with {status}:\n{}", self.log());
                    return;
                }
                None if Instant::now() > until => panic!("it did not stop in {patience:?}:\n{}", self.log()),
                None => pause(Duration::from_millis(20)),
            }
        }
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The most memory that it had resident so far, in bytes. `None` when it has ended.
    pub fn peak_memory(&self) -> Option<u64> {
        peak_memory(self.child.id())
    }

    /// Waits until it ends by itself; panics with its log after `patience`.
    pub fn wait(&mut self, patience: Duration) -> std::process::ExitStatus {
        let until = Instant::now() + patience;
        loop {
            match self.ended() {
                Some(status) => return status,
                None if Instant::now() > until => panic!("it did not end in {patience:?}:\n{}", self.log()),
                None => pause(Duration::from_millis(50)),
            }
        }
    }

    /// Everything it logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log.path()).unwrap_or_default()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.ended().is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        if std::thread::panicking() {
            eprintln!("--- log of process {}\n{}", self.child.id(), self.log());
        }
    }
}

/// The most memory that a process had resident so far, in bytes. `None` when it has ended.
pub fn peak_memory(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

/// Waits a moment on a thread of the test's own.
#[expect(
    clippy::disallowed_methods,
    reason = "polls another process from a synchronous test; no reactor runs here"
)]
fn pause(time: Duration) {
    std::thread::sleep(time);
}
