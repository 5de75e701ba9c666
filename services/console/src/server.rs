//! Connections: bounded in number, time and bytes, each request through the guard, a page and the guard again.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{Method, Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::answer::{respond, wants_json};
use crate::app::{App, ConsoleOptions};
use crate::ask::Ask;
use crate::guard;
use crate::pages;
use crate::problem::Problem;

/// Connections that are open at once; of more the oldest is closed.
const CONNECTIONS: usize = 256;
/// For the head of a request, and again for its body.
const PATIENCE: Duration = Duration::from_secs(15);
/// For a whole connection.
const LONGEST: Duration = Duration::from_secs(300);
/// Of a request's head.
const HEAD_BYTES: usize = 32 << 10;
/// Of a form: a page of 8 MiB, as a form escapes it.
const FORM_BYTES: usize = 25 << 20;

/// A console that listens.
pub struct Console {
    listener: TcpListener,
    app: Arc<App>,
}

impl Console {
    /// Listens; nothing is asked of the database yet.
    ///
    /// # Errors
    /// The address is taken or not this machine's; the rules cannot be read.
    pub async fn bind(options: ConsoleOptions) -> anyhow::Result<Self> {
        let address = options.listen;
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("cannot listen on {address} (console.listen)"))?;
        // A cleaner that panics says where, and nothing of the page.
        copydesk_worker::quiet_panics();
        let app = Arc::new(App::new(options)?);
        Ok(Self { listener, app })
    }

    /// Where it listens: the port that the system chose, where none was asked for.
    ///
    /// # Errors
    /// The system does not say.
    pub fn address(&self) -> anyhow::Result<SocketAddr> {
        Ok(self.listener.local_addr()?)
    }

    /// Answers until told to stop.
    pub async fn serve(self, mut stop: watch::Receiver<bool>) {
        let router = pages::router(Arc::clone(&self.app));
        let mut open: VecDeque<tokio::task::JoinHandle<()>> = VecDeque::new();
        loop {
            let accepted = tokio::select! {
                _ = stop.wait_for(|s| *s) => break,
                accepted = self.listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => {
                    open.retain(|connection| !connection.is_finished());
                    if open.len() >= CONNECTIONS
                        && let Some(oldest) = open.pop_front()
                    {
                        oldest.abort();
                    }
                    open.push_back(tokio::spawn(connection(
                        stream,
                        peer,
                        Arc::clone(&self.app),
                        router.clone(),
                    )));
                }
                Err(error) => {
                    // Out of file descriptors, most likely: do not spin.
                    tracing::warn!(%error, "cannot take a connection");
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
            }
        }
        for connection in open {
            connection.abort();
        }
    }
}

/// Listens and answers until told to stop.
///
/// # Errors
/// As [`Console::bind`].
pub async fn run(options: ConsoleOptions, stop: watch::Receiver<bool>) -> anyhow::Result<()> {
    let console = Console::bind(options).await?;
    tracing::info!(address = %format!("http://{}", console.address()?), "the console answers");
    console.serve(stop).await;
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "statements are bounded by their own time-out; what is cut off here is a peer that neither \
        reads nor writes"
)]
async fn connection(stream: TcpStream, peer: SocketAddr, app: Arc<App>, router: Router) {
    let service = service_fn(move |request: Request<Incoming>| {
        let (app, router) = (Arc::clone(&app), router.clone());
        async move { Ok::<_, Infallible>(answer(&app, router, request, peer).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    // A peer that goes away in the middle is its own business.
    let _ = tokio::time::timeout(LONGEST, connection).await;
}

async fn answer(app: &App, router: Router, request: Request<Incoming>, peer: SocketAddr) -> Response<Body> {
    let (head, body) = request.into_parts();
    let mut ask = Ask::new(head.uri.path(), head.uri.query().unwrap_or_default(), b"");
    ask.json = wants_json(&head.headers);
    let admitted = guard::admit(&app.access, &head.method, &head.uri, &head.headers, peer.ip());
    let mut response = match admitted {
        Err(problem) => respond(&ask, Err(problem)),
        Ok(user) => match form(&head.method, body).await {
            Err(problem) => respond(&ask, Err(problem)),
            Ok(form) => {
                let mut ask = Ask::new(head.uri.path(), head.uri.query().unwrap_or_default(), &form);
                ask.json = wants_json(&head.headers);
                ask.can_write = app.can_write();
                ask.user = user;
                let mut request = Request::from_parts(head, Body::empty());
                request.extensions_mut().insert(ask);
                let routed = TowerToHyperService::new(router).call(request).await;
                routed.unwrap_or_else(|never| match never {})
            }
        },
    };
    guard::harden(response.headers_mut());
    response
}

/// The body of a change, read whole.
#[expect(
    clippy::disallowed_methods,
    reason = "what is cut off is a peer that does not send"
)]
async fn form(method: &Method, body: Incoming) -> Result<Bytes, Problem> {
    if *method != Method::POST {
        return Ok(Bytes::new());
    }
    match tokio::time::timeout(PATIENCE, to_bytes(Body::new(body), FORM_BYTES)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => Err(Problem::TooLarge),
        Err(_) => Err(Problem::Bad("The form did not arrive in time.".to_owned())),
    }
}
