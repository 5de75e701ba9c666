//! The HTTP server for monitoring: GET and HEAD, one answer a connection.
//!
//! On a thread and a runtime of its own, so that it answers while every other thread is busy. Whoever
//! connects is bounded in time, in bytes and in number: of too many connections the oldest is closed, so that
//! silent ones never keep a new one out. There is no password and no TLS: it is not for the open internet.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use hyper::http::HeaderValue;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// Of a request's head; hyper's own least.
const HEAD_BYTES: usize = 8 * 1024;

/// What a stranger may take.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// Connections that are open at once.
    connections: usize,
    /// For the head of a request, and again for all of the connection behind it.
    patience: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 64,
            patience: Duration::from_secs(2),
        }
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP's status.
    pub status: u16,
    /// The content type.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
}

impl Answer {
    /// Plain text.
    pub fn text(status: u16, body: impl Into<String>) -> Self {
        Self {
            status,
            content_type: "text/plain; charset=utf-8",
            body: body.into(),
        }
    }
}

type Pages = dyn Fn(&str) -> Option<Answer> + Send + Sync;

/// A server that runs until it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    /// Dropped, it ends the thread.
    stop: Option<oneshot::Sender<Infallible>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens on `address`; `pages` gives the answer for a path. It runs on the server's only thread, so it
    /// must not wait for anything.
    ///
    /// # Errors
    /// The address is taken or not this machine's, or the system gives no thread.
    pub fn start(
        address: SocketAddr,
        pages: impl Fn(&str) -> Option<Answer> + Send + Sync + 'static,
    ) -> io::Result<Self> {
        Self::start_within(Limits::default(), address, pages)
    }

    fn start_within(
        limits: Limits,
        address: SocketAddr,
        pages: impl Fn(&str) -> Option<Answer> + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let listener = {
            let _inside = runtime.enter();
            TcpListener::from_std(listener)?
        };
        let (stop, stopped) = oneshot::channel();
        let pages: Arc<Pages> = Arc::new(pages);
        let thread = std::thread::Builder::new()
            .name("http".into())
            .spawn(move || runtime.block_on(serve(&listener, limits, &pages, stopped)))?;
        Ok(Self {
            address,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Where it listens: the port that the system chose, where none was asked for.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    /// Waits until the address is free again: no longer than a page takes.
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A page that panicked has been reported by the panic hook.
            let _ = thread.join();
        }
    }
}

async fn serve(
    listener: &TcpListener,
    limits: Limits,
    pages: &Arc<Pages>,
    mut stopped: oneshot::Receiver<Infallible>,
) {
    let mut open: VecDeque<tokio::task::JoinHandle<()>> = VecDeque::new();
    loop {
        let accepted = tokio::select! {
            _ = &mut stopped => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                open.retain(|connection| !connection.is_finished());
                // A probe is answered within a millisecond: it is hardly ever the oldest.
                if open.len() >= limits.connections
                    && let Some(oldest) = open.pop_front()
                {
                    oldest.abort();
                }
                open.push_back(tokio::spawn(answer(stream, limits.patience, Arc::clone(pages))));
            }
            Err(error) => {
                // Out of file descriptors, most likely: do not spin.
                tracing::warn!(%error, "cannot take a connection for monitoring");
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        }
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "what is cancelled is an answer to monitoring, no statement"
)]
async fn answer(stream: TcpStream, patience: Duration, pages: Arc<Pages>) {
    let service = service_fn(|request: Request<hyper::body::Incoming>| {
        let response = respond(request.method(), request.uri().path(), &*pages);
        async { Ok::<_, Infallible>(response) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience)
        .max_buf_size(HEAD_BYTES)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    // A peer that goes away in the middle is its own business; so is one that does not read its answer.
    let _ = tokio::time::timeout(patience * 2, connection).await;
}

fn respond(method: &Method, path: &str, pages: &Pages) -> Response<String> {
    let answer = match *method {
        Method::GET | Method::HEAD => pages(path)
            .unwrap_or_else(|| Answer::text(404, "there is /livez, /readyz, /metrics and /statusz\n")),
        _ => Answer::text(405, "GET only\n"),
    };
    let mut response = Response::new(answer.body);
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if answer.status == 405 {
        headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    response
}

#[cfg(test)]
mod tests;
