//! An S3 server of the test's own: s3s-fs, which keeps objects as files of their names.

use std::net::SocketAddr;
use std::path::Path;

use copydesk_testkit::Copydesk;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

/// The archive, as the settings name it, and where the server keeps it below its folder.
pub(super) const ARCHIVE: &str = "s3://news/old/archive";
pub(super) const KEPT_IN: &str = "news/old/archive";
const BUCKET: &str = "news";
const LOGIN: &str = "test";
pub(super) const PASSWORD: &str = "not-to-be-shown";

/// Serves until it is stopped or dropped.
pub(super) struct Server {
    pub(super) at: SocketAddr,
    task: JoinHandle<()>,
}

impl Server {
    /// Serves a folder on a port, 0 for any, with one bucket in it.
    pub(super) async fn start(folder: &Path, port: u16) -> Self {
        std::fs::create_dir_all(folder.join(BUCKET)).unwrap();
        let mut service = S3ServiceBuilder::new(s3s_fs::FileSystem::new(folder).unwrap());
        service.set_auth(SimpleAuth::from_single(LOGIN, PASSWORD));
        let service = service.build();
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let at = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            // Gone with this task.
            let mut connections = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                let service = service.clone();
                connections.spawn(async move {
                    http1::Builder::new()
                        .serve_connection(TokioIo::new(socket), service)
                        .await
                        .ok();
                });
            }
        });
        Self { at, task }
    }

    /// Nobody is at its port then.
    pub(super) async fn stop(&mut self) {
        self.task.abort();
        (&mut self.task).await.ok();
    }

    /// `copydesk` with its archive here.
    pub(super) fn used_by(&self, copydesk: &Copydesk) -> Copydesk {
        copydesk
            .clone()
            .with("COPYDESK_JANITOR_ARCHIVE_FOLDER", ARCHIVE)
            .with("AWS_ENDPOINT_URL", &format!("http://{}", self.at))
            .with("AWS_ALLOW_HTTP", "true")
            .with("AWS_ACCESS_KEY_ID", LOGIN)
            .with("AWS_SECRET_ACCESS_KEY", PASSWORD)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}
