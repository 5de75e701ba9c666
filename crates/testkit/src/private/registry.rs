//! A schema registry: Apicurio's application, which answers Confluent's calls, with its schemas in memory.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{Certificate, PATIENCE, free_port, root, run};

/// A registry of the test's own.
pub struct PrivateRegistry {
    plain: u16,
    secure: u16,
    folder: tempfile::TempDir,
    server: Child,
}

impl PrivateRegistry {
    /// Starts it, with this certificate beside the plain address.
    pub async fn start(files: &Certificate) -> Self {
        let script = root().join("deploy/local/registry.sh");
        run(Command::new(script).arg("fetch"));
        let folder = tempfile::Builder::new()
            .prefix("copydesk-test-registry-")
            .tempdir()
            .expect("a folder");
        let (plain, secure) = (free_port(), free_port());
        let log = std::fs::File::create(folder.path().join("registry.log")).expect("a log file");
        let server = Command::new("setpriv")
            .args([
                "--pdeathsig=KILL",
                "java",
                "-Xmx300m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
            ])
            .arg("-Dquarkus.http.host=127.0.0.1")
            .arg(format!("-Dquarkus.http.port={plain}"))
            .arg(format!("-Dquarkus.http.ssl-port={secure}"))
            .arg(format!(
                "-Dquarkus.http.ssl.certificate.files={}",
                files.certificate.display()
            ))
            .arg(format!(
                "-Dquarkus.http.ssl.certificate.key-files={}",
                files.key.display()
            ))
            .arg("-jar")
            .arg(root().join(".local/registry/app/registry.jar"))
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log file"))
            .stderr(log)
            .spawn()
            .expect("java runs");
        let registry = Self {
            plain,
            secure,
            folder,
            server,
        };
        let until = Instant::now() + PATIENCE;
        while registry
            .post("GET", "/subjects", "")
            .is_none_or(|(status, _)| status != 200)
        {
            assert!(
                Instant::now() < until,
                "the registry does not come up:\n{}",
                registry.log()
            );
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        registry
    }

    /// Its address, plain.
    pub fn url(&self) -> String {
        format!("http://{}/apis/ccompat/v7", self.address())
    }

    /// Its address with TLS.
    pub fn secure_url(&self) -> String {
        format!("https://127.0.0.1:{}/apis/ccompat/v7", self.secure)
    }

    /// Host and port, plain.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.plain)
    }

    /// Registers a schema; `request` is the body of Confluent's call. Answers with its number.
    pub fn register(&self, subject: &str, request: &str) -> u32 {
        let path = format!("/subjects/{subject}/versions");
        let (status, body) = self.post("POST", &path, request).expect("the registry answers");
        assert_eq!(status, 200, "{body}");
        let digits: String = body.chars().filter(char::is_ascii_digit).collect();
        digits.parse().unwrap_or_else(|_| panic!("no number: {body}"))
    }

    fn post(&self, method: &str, path: &str, body: &str) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect(self.address()).ok()?;
        write!(
            stream,
            "{method} /apis/ccompat/v7{path} HTTP/1.0\r\nHost: test\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("registry.log")).unwrap_or_default()
    }
}

impl Drop for PrivateRegistry {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
