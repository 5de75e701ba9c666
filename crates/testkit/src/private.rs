//! Servers of a test's own, for faults that others must not feel: a Postgres and a Kafka that can be killed.
//!
//! Both are the programs that `make up` starts, with their data in a scratch folder. They die with the thread that
//! started them, also when the test process is killed.

mod certificate;
mod installed;
mod kafka;
mod registry;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::str::FromStr;
use std::time::{Duration, Instant};

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

pub use certificate::Certificate;
use installed::{buffer_megabytes, newest_postgres, plain_settings};
pub use kafka::PrivateKafka;
pub use registry::PrivateRegistry;

/// How long a server may take to come up on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A port that nobody uses at this moment.
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill")
        .args([&format!("-{name}"), &child.id().to_string()])
        .status()
        .expect("kill runs");
    assert!(status.success(), "cannot send {name}");
}

/// Runs quietly; panics with what it said if it fails.
fn run(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().expect("the program runs");
    assert!(
        output.status.success(),
        "{command:?}\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// `unshare`: a namespace in which this user may mount, and is still itself.
const IN_NAMESPACE: [&str; 4] = ["--user", "--map-current-user", "--keep-caps", "--mount"];

/// A Postgres of the test's own.
pub struct PrivatePostgres {
    bin: PathBuf,
    /// Whom it runs as: Postgres refuses to run as root.
    user: Option<&'static str>,
    folder: PathBuf,
    port: u16,
    /// Settings as `name=value`.
    settings: Vec<String>,
    server: Option<Child>,
    /// Size of a file system of its own at [`Self::small_disk`], as `mount` takes it.
    small_disk: Option<&'static str>,
}

impl PrivatePostgres {
    /// Makes a cluster and starts it.
    pub async fn start() -> Self {
        Self::start_with(plain_settings(), None).await
    }

    /// The same with the settings of deploy/local/postgresql.conf: for benches.
    pub async fn start_as_deployed() -> Self {
        let file =
            std::fs::read_to_string(root().join("deploy/local/postgresql.conf")).expect("the settings");
        let mut settings: Vec<String> = file
            .lines()
            .filter(|l| !l.starts_with('#'))
            .filter_map(|l| l.split_once('='))
            .map(|(name, value)| format!("{}={}", name.trim(), value.trim().trim_matches('\'')))
            .collect();
        // As deploy/local/postgres.sh adds them: lz4 where the server has it, which Debian's does, and
        // buffers by the memory.
        settings.extend(["default_toast_compression=lz4", "wal_compression=lz4"].map(str::to_owned));
        settings.push(format!("shared_buffers={}MB", buffer_megabytes()));
        Self::start_with(settings, None).await
    }

    /// The same with a folder that is a file system of this size (`32m`), for a tablespace that can be full.
    /// It is a tmpfs in a user and mount namespace, so that it needs no root; it is gone when the server
    /// stops. `Err`: this machine does not allow that, and says why.
    pub async fn start_with_small_disk(size: &'static str) -> Result<Self, String> {
        let tried = Command::new("unshare")
            .args(IN_NAMESPACE)
            .args(["sh", "-c", "mount -t tmpfs -o size=1m tmpfs /tmp"])
            .output();
        match tried {
            Ok(output) if output.status.success() => Ok(Self::start_with(plain_settings(), Some(size)).await),
            Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
            Err(error) => Err(format!("unshare: {error}")),
        }
    }

    /// The folder of [`Self::start_with_small_disk`].
    pub fn small_disk(&self) -> PathBuf {
        self.folder.join("small")
    }

    /// A streaming standby of this server, as `pg_basebackup` makes one: an answer to queries, and what they
    /// read is a moment old.
    pub async fn standby(&self) -> Self {
        let mut settings = plain_settings();
        // A query that is in the way of replaying is ended at once: tests wait for that.
        settings.push("max_standby_streaming_delay=0".to_owned());
        let mut standby = Self::prepare(settings, None);
        let port = self.port.to_string();
        run(standby
            .command("pg_basebackup")
            .args([
                "-h",
                "127.0.0.1",
                "-p",
                &port,
                "-U",
                "postgres",
                "--checkpoint=fast",
                "-R",
                "-D",
            ])
            .arg(standby.data()));
        standby.start_again().await;
        standby
    }

    async fn start_with(settings: Vec<String>, small_disk: Option<&'static str>) -> Self {
        let mut postgres = Self::prepare(settings, small_disk);
        run(postgres
            .command("initdb")
            .args([
                "-A",
                "trust",
                "-U",
                "postgres",
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
                "-D",
            ])
            .arg(postgres.data()));
        postgres.start_again().await;
        postgres
    }

    /// Its folders, without a cluster in them.
    fn prepare(settings: Vec<String>, small_disk: Option<&'static str>) -> Self {
        let bin = newest_postgres();
        let root_user = std::fs::metadata("/proc/self").is_ok_and(|m| {
            use std::os::unix::fs::MetadataExt as _;
            m.uid() == 0
        });
        // As deploy/local/postgres.sh does it.
        let has_postgres = Command::new("id")
            .args(["-u", "postgres"])
            .output()
            .is_ok_and(|o| o.status.success());
        let user = root_user.then_some(if has_postgres { "postgres" } else { "nobody" });
        let port = free_port();
        let folder = std::env::temp_dir().join(format!("copydesk-test-pg-{}-{port}", std::process::id()));
        let postgres = Self {
            bin,
            user,
            folder,
            port,
            settings,
            server: None,
            small_disk,
        };
        let mut install = Command::new("install");
        install.args(["-d", "-m", "700"]);
        if let Some(user) = user {
            install.args(["-o", user]);
        }
        run(install.arg(&postgres.folder).arg(postgres.small_disk()));
        postgres
    }

    /// Starts it again with TLS, with this certificate and key.
    pub async fn with_tls(&mut self, files: &Certificate) {
        self.stop_immediate();
        self.settings.push("ssl=on".to_owned());
        for (setting, from) in [
            ("ssl_cert_file", &files.certificate),
            ("ssl_key_file", &files.key),
        ] {
            let to = self.folder.join(setting);
            let mut install = Command::new("install");
            install.args(["-m", "600"]);
            if let Some(user) = self.user {
                install.args(["-o", user]);
            }
            run(install.arg(from).arg(&to));
            self.settings.push(format!("{setting}={}", to.display()));
        }
        self.start_again().await;
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn command(&self, program: &str) -> Command {
        let program = self.bin.join(program);
        let small_disk = self.small_disk.filter(|_| program.ends_with("postgres"));
        // Dies with the test: QUIT is Postgres' immediate shutdown.
        let mut command = Command::new("setpriv");
        command.arg("--pdeathsig=QUIT");
        if let Some(user) = self.user {
            command.args([
                &format!("--reuid={user}"),
                &format!("--regid={user}"),
                "--init-groups",
            ]);
        }
        if let Some(size) = small_disk {
            // The second setpriv: a new namespace forgets what is to happen at the parent's death.
            command.arg("unshare").args(IN_NAMESPACE).args([
                "sh",
                "-c",
                "mount -t tmpfs -o size=$1,mode=700 tmpfs \"$2\" && shift 2 && exec setpriv --pdeathsig=QUIT \"$@\"",
                "sh",
                size,
            ]);
            command.arg(self.small_disk());
        }
        command.arg(program).current_dir("/").stdin(Stdio::null());
        command
    }

    /// A command as the server's user.
    fn as_user(&self, program: &str) -> Command {
        let mut command = Command::new("setpriv");
        if let Some(user) = self.user {
            command.args([
                &format!("--reuid={user}"),
                &format!("--regid={user}"),
                "--init-groups",
            ]);
        } else {
            command.arg("--no-new-privs");
        }
        command.arg(program).current_dir("/");
        command
    }

    /// Copies the stopped server's files: a backup.
    pub fn back_up(&self) {
        assert!(self.server.is_none(), "stop it first");
        let mut copy = self.as_user("cp");
        run(copy.arg("-a").arg(self.data()).arg(self.folder.join("backup")));
    }

    /// Puts the backup in the place of the stopped server's files.
    pub fn restore(&self) {
        assert!(self.server.is_none(), "stop it first");
        run(self.as_user("rm").arg("-r").arg(self.data()));
        let mut copy = self.as_user("cp");
        run(copy.arg("-a").arg(self.folder.join("backup")).arg(self.data()));
    }

    /// Restarts it as a standby, which takes no writes: what a client sees after a failover. `pg_promote()` ends that.
    pub async fn become_standby(&mut self) {
        self.stop_immediate();
        run(self.as_user("touch").arg(self.data().join("standby.signal")));
        self.start_again().await;
    }

    /// URL of its database `postgres`, as a superuser.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Process id of the server; its backends are its children. `None` while it is stopped.
    pub fn id(&self) -> Option<u32> {
        self.server.as_ref().map(Child::id)
    }

    /// Stops it as `pg_ctl stop -m immediate` does: no checkpoint, connections cut off, recovery at the next start.
    pub fn stop_immediate(&mut self) {
        if let Some(mut server) = self.server.take() {
            signal(&server, "QUIT");
            server.wait().expect("Postgres ends");
        }
    }

    /// Starts it and waits until it answers.
    pub async fn start_again(&mut self) {
        let until = Instant::now() + PATIENCE;
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.log())
            .expect("a log file");
        let port = self.port.to_string();
        let server = self
            .command("postgres")
            .arg("-D")
            .arg(self.data())
            .args(["-p", &port, "-c", "listen_addresses=127.0.0.1"])
            .args(["-c", "unix_socket_directories="])
            .args(self.settings.iter().flat_map(|s| ["-c", s]))
            .stdout(log.try_clone().expect("a log file"))
            .stderr(log)
            .spawn()
            .expect("Postgres starts");
        self.server = Some(server);
        let options = PgConnectOptions::from_str(&self.url())
            .expect("a URL")
            .disable_statement_logging();
        loop {
            match options.connect().await {
                Ok(connection) => {
                    connection.close().await.ok();
                    return;
                }
                Err(error) => assert!(
                    Instant::now() < until,
                    "Postgres does not come up: {error}\n{}",
                    std::fs::read_to_string(self.log()).unwrap_or_default()
                ),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn log(&self) -> PathBuf {
        // Beside the folder, which belongs to the other user.
        self.folder.with_extension("log")
    }
}

impl Drop for PrivatePostgres {
    fn drop(&mut self) {
        self.stop_immediate();
        let _ = std::fs::remove_dir_all(&self.folder);
        let _ = std::fs::remove_file(self.log());
    }
}
