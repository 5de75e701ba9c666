//! A Kafka that can be killed, or that speaks SASL over TLS.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};

use super::{Certificate, PATIENCE, free_port, root, run};

/// A Kafka of one node of the test's own.
pub struct PrivateKafka {
    folder: tempfile::TempDir,
    port: u16,
    server: Option<Child>,
}

impl PrivateKafka {
    /// Formats a log folder and starts the broker.
    pub async fn start() -> Self {
        Self::start_with_settings("").await
    }

    /// The same with settings of the broker besides those of deploy/local, one a line.
    pub async fn start_with_settings(settings: &str) -> Self {
        Self::start_with(None, settings).await
    }

    /// The same with one more listener, for SASL (PLAIN, user `copydesk`, this password) over TLS with this
    /// certificate. Its address is the second result.
    pub async fn start_with_sasl(files: &Certificate, password: &str) -> (Self, String) {
        let port = free_port();
        (
            Self::start_with(Some((files, password, port)), "").await,
            format!("127.0.0.1:{port}"),
        )
    }

    async fn start_with(secure: Option<(&Certificate, &str, u16)>, more: &str) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("copydesk-test-kafka-")
            .tempdir()
            .expect("a folder");
        let (port, controller) = (free_port(), free_port());
        let settings = std::fs::read_to_string(root().join("deploy/local/server.properties"))
            .expect("deploy/local/server.properties");
        let mut own = format!(
            "\nlisteners=CLIENT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}\n\
             advertised.listeners=CLIENT://127.0.0.1:{port}\n\
             controller.quorum.voters=1@127.0.0.1:{controller}\nlog.dirs={}\n{more}\n",
            folder.path().join("data").display()
        );
        if let Some((files, password, secure)) = secure {
            // Kafka wants key and certificate in one file. Of a property that is there twice the last one counts.
            let read = |path: &Path| std::fs::read_to_string(path).expect("a PEM file");
            let store = folder.path().join("keystore.pem");
            std::fs::write(&store, read(&files.key) + &read(&files.certificate)).expect("a keystore");
            own += &format!(
                "listeners=CLIENT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller},SECURE://127.0.0.1:{secure}\n\
                 advertised.listeners=CLIENT://127.0.0.1:{port},SECURE://127.0.0.1:{secure}\n\
                 listener.security.protocol.map=CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURE:SASL_SSL\n\
                 listener.name.secure.sasl.enabled.mechanisms=PLAIN\n\
                 listener.name.secure.plain.sasl.jaas.config=\
                 org.apache.kafka.common.security.plain.PlainLoginModule required user_copydesk=\"{password}\";\n\
                 listener.name.secure.ssl.keystore.type=PEM\n\
                 listener.name.secure.ssl.keystore.location={}\n",
                store.display()
            );
        }
        std::fs::write(folder.path().join("server.properties"), settings + &own).expect("settings");
        let mut kafka = Self {
            folder,
            port,
            server: None,
        };
        run(kafka
            .java()
            .arg("-XX:TieredStopAtLevel=1")
            .args([
                "kafka.tools.StorageTool",
                "format",
                "--cluster-id",
                "Y29weWRlc2stdGVzdHMtMQ",
            ])
            .arg("--config")
            .arg(kafka.folder.path().join("server.properties")));
        kafka.start_again().await;
        kafka
    }

    fn java(&self) -> Command {
        let libs = root().join(".local/kafka/libs");
        assert!(
            libs.exists(),
            "this test starts a Kafka of its own from the jars in .local/kafka/libs: run `make up` once, or `deploy/local/kafka.sh fetch`"
        );
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig=KILL", "java"])
            .arg(format!(
                "-Dlog4j2.configurationFile=file:{}",
                root().join("deploy/local/log4j2.properties").display()
            ))
            .arg("-cp")
            .arg(format!("{}/*", libs.display()))
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command
    }

    /// Its address.
    pub fn brokers(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Process id of the broker. `None` while it is stopped.
    pub fn id(&self) -> Option<u32> {
        self.server.as_ref().map(Child::id)
    }

    /// Ends it as a crash would.
    pub fn kill_9(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.kill().expect("Kafka can be killed");
            server.wait().expect("Kafka ends");
        }
    }

    /// Starts it and waits until it answers.
    pub async fn start_again(&mut self) {
        let log = std::fs::File::create(self.folder.path().join("kafka.log")).expect("a log file");
        let server = self
            .java()
            .args([
                "-Xms64m",
                "-Xmx384m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
            ])
            .arg("kafka.Kafka")
            .arg(self.folder.path().join("server.properties"))
            .stdout(log.try_clone().expect("a log file"))
            .stderr(log)
            .spawn()
            .expect("Kafka starts");
        self.server = Some(server);
        let brokers = self.brokers();
        let answered = tokio::task::spawn_blocking(move || {
            let until = Instant::now() + PATIENCE;
            let client: BaseConsumer = ClientConfig::new()
                .set("bootstrap.servers", &brokers)
                .set("reconnect.backoff.max.ms", "300")
                .set_log_level(rdkafka::config::RDKafkaLogLevel::Emerg)
                .create()
                .expect("a client");
            while Instant::now() < until {
                if client
                    .fetch_metadata(None, Duration::from_secs(1))
                    .is_ok_and(|m| !m.brokers().is_empty())
                {
                    return true;
                }
            }
            false
        })
        .await
        .expect("the question ends");
        assert!(
            answered,
            "Kafka does not come up\n{}",
            std::fs::read_to_string(self.folder.path().join("kafka.log")).unwrap_or_default()
        );
    }
}

impl Drop for PrivateKafka {
    fn drop(&mut self) {
        self.kill_9();
    }
}
