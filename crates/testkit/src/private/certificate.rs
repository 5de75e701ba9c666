//! Certificates for servers of a test's own.

use std::path::PathBuf;
use std::process::Command;

use super::run;

/// A certificate of a test's own, with its key, as PEM files; signed by itself.
#[derive(Debug)]
pub struct Certificate {
    /// The certificate, which is its own authority as well.
    pub certificate: PathBuf,
    /// The key.
    pub key: PathBuf,
    _folder: tempfile::TempDir,
}

impl Certificate {
    /// For a name as OpenSSL writes it, such as `IP:127.0.0.1` or `DNS:db.example`.
    pub fn of(name: &str) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("copydesk-test-certificate-")
            .tempdir()
            .expect("a folder");
        let (certificate, key) = (
            folder.path().join("certificate.pem"),
            folder.path().join("key.pem"),
        );
        run(Command::new("openssl")
            .args([
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=copydesk test",
            ])
            .args(["-addext", &format!("subjectAltName={name}")])
            .arg("-out")
            .arg(&certificate)
            .arg("-keyout")
            .arg(&key));
        Self {
            certificate,
            key,
            _folder: folder,
        }
    }
}
