//! HTTP for `object_store`, by ureq on threads that may block.

use std::io;
use std::time::Duration;

use async_trait::async_trait;
use http_body_util::BodyExt as _;
use object_store::client::{
    ClientConfigKey, HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
    HttpService,
};
use object_store::{ClientOptions, Result};
use ureq::http::{Method, Request, Response};
use ureq::tls::{RootCerts, TlsConfig, TlsProvider};

/// For one request and its answer, parts of objects among them.
const PATIENCE: Duration = Duration::from_secs(120);
/// To find out that nobody is there.
const CONNECT: Duration = Duration::from_secs(10);
/// The longest answer: a part of an object, or a page of a list.
const MOST_BYTES: u64 = 64 << 20;

/// Makes clients that go by the certificates of the system.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Connector;

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> Result<HttpClient> {
        let tls = TlsConfig::builder()
            .provider(TlsProvider::NativeTls)
            .root_certs(RootCerts::PlatformVerifier)
            .build();
        let plain = options.get_config_value(&ClientConfigKey::AllowHttp).as_deref() == Some("true");
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .https_only(!plain)
            .timeout_connect(Some(CONNECT))
            .timeout_global(Some(PATIENCE))
            .max_redirects(0)
            .tls_config(tls)
            .build();
        Ok(HttpClient::new(Client(agent.into())))
    }
}

#[derive(Debug)]
struct Client(ureq::Agent);

#[async_trait]
impl HttpService for Client {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (head, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let agent = self.0.clone();
        let asked = tokio::task::spawn_blocking(move || {
            let bare = body.is_empty() && matches!(head.method, Method::GET | Method::HEAD | Method::DELETE);
            let answer = if bare {
                agent.run(Request::from_parts(head, ()))
            } else {
                agent.run(Request::from_parts(head, body.as_ref()))
            };
            let (head, mut body) = answer?.into_parts();
            let body = body.with_config().limit(MOST_BYTES).read_to_vec()?;
            Ok(Response::from_parts(head, body.into()))
        });
        match asked.await {
            Ok(answer) => answer.map_err(failed),
            Err(ended) => Err(HttpError::new(HttpErrorKind::Unknown, ended)),
        }
    }
}

fn failed(error: ureq::Error) -> HttpError {
    match error {
        // Without the address, which may have a token in it.
        ureq::Error::RequireHttpsOnly(_) => HttpError::new_boxed(
            HttpErrorKind::Unknown,
            "its endpoint has no TLS; AWS_ALLOW_HTTP=true or AZURE_ALLOW_HTTP=true permits that".into(),
        ),
        ureq::Error::BadUri(_) => {
            HttpError::new_boxed(HttpErrorKind::Unknown, "its endpoint is no address".into())
        }
        other => HttpError::new(kind(&other), other),
    }
}

/// By this `object_store` decides what it asks again.
fn kind(error: &ureq::Error) -> HttpErrorKind {
    match error {
        ureq::Error::Timeout(_) => HttpErrorKind::Timeout,
        ureq::Error::HostNotFound | ureq::Error::ConnectionFailed => HttpErrorKind::Connect,
        ureq::Error::Io(e) if e.kind() == io::ErrorKind::ConnectionRefused => HttpErrorKind::Connect,
        ureq::Error::Io(_) | ureq::Error::Protocol(_) => HttpErrorKind::Interrupted,
        _ => HttpErrorKind::Unknown,
    }
}
