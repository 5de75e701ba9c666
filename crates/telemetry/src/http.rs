//! A small HTTP server for monitoring: GET and HEAD, one answer a connection.
//!
//! On plain threads and not on tokio, so that it answers when everything else is busy. Bounded: a few threads, two
//! seconds and 8 KiB for a request, no request body, no keep-alive. It is not for the open internet.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Connections served at once.
const THREADS: usize = 3;
/// For a whole request, and for its answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// Of a request.
const HEAD_BYTES: usize = 8 * 1024;

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
    stop: Arc<AtomicBool>,
}

impl Server {
    /// Listens on `address`; `pages` gives the answer for a path.
    ///
    /// # Errors
    /// The address is taken or not this machine's, or the system gives no thread.
    pub fn start(
        address: SocketAddr,
        pages: impl Fn(&str) -> Option<Answer> + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        let address = listener.local_addr()?;
        let stop = Arc::new(AtomicBool::new(false));
        let pages: Arc<Pages> = Arc::new(pages);
        for n in 0..THREADS {
            let (listener, stop, pages) = (listener.try_clone()?, Arc::clone(&stop), Arc::clone(&pages));
            std::thread::Builder::new()
                .name(format!("http-{n}"))
                .spawn(move || serve(&listener, &stop, &*pages))?;
        }
        Ok(Self { address, stop })
    }

    /// Where it listens: the port that the system chose, where none was asked for.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        // Each thread waits for a connection: give it one.
        for _ in 0..THREADS {
            let _ = TcpStream::connect_timeout(&self.address, Duration::from_millis(100));
        }
    }
}

fn serve(listener: &TcpListener, stop: &AtomicBool, pages: &Pages) {
    loop {
        let accepted = listener.accept();
        if stop.load(Ordering::Acquire) {
            return;
        }
        match accepted {
            // A peer that goes away in the middle is its own business.
            Ok((stream, _)) => drop(answer(&stream, pages)),
            Err(error) => {
                // Out of file descriptors, most likely: do not spin.
                tracing::warn!(%error, "cannot take a connection for monitoring");
                std::thread::park_timeout(Duration::from_millis(500));
            }
        }
    }
}

fn answer(mut stream: &TcpStream, pages: &Pages) -> io::Result<()> {
    stream.set_write_timeout(Some(PATIENCE))?;
    let request = read_head(stream)?;
    let answer = respond(&request, pages);
    let reason = match answer.status {
        200 => "OK",
        404 => "Not Found",
        405 => "Method Not Allowed",
        503 => "Service Unavailable",
        _ => "Bad Request",
    };
    let head = format!(
        "HTTP/1.1 {} {reason}\r\nContent-Type: {}\r\nContent-Length: {}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n",
        answer.status,
        answer.content_type,
        answer.body.len()
    );
    stream.write_all(head.as_bytes())?;
    if !request.starts_with(b"HEAD ") {
        stream.write_all(answer.body.as_bytes())?;
    }
    stream.flush()
}

/// Reads up to the blank line; what came, if that is not there in time or within the limit.
fn read_head(mut stream: &TcpStream) -> io::Result<Vec<u8>> {
    let until = Instant::now() + PATIENCE;
    let mut head = Vec::new();
    let mut buffer = [0; 1024];
    while head.len() < HEAD_BYTES {
        let Some(left) = until
            .checked_duration_since(Instant::now())
            .filter(|l| !l.is_zero())
        else {
            return Err(io::ErrorKind::TimedOut.into());
        };
        stream.set_read_timeout(Some(left))?;
        let read = stream.read(&mut buffer)?;
        head.extend_from_slice(buffer.get(..read).unwrap_or_default());
        if read == 0 || head.windows(4).any(|w| w == b"\r\n\r\n") || head.windows(2).any(|w| w == b"\n\n") {
            break;
        }
    }
    Ok(head)
}

fn respond(request: &[u8], pages: &Pages) -> Answer {
    let line = request.split(|b| *b == b'\n').next().unwrap_or_default();
    let line = std::str::from_utf8(line).unwrap_or_default();
    let words: Vec<_> = line.split_ascii_whitespace().collect();
    match words[..] {
        ["GET" | "HEAD", target, version] if version.starts_with("HTTP/1.") => {
            let path = target.split('?').next().unwrap_or_default();
            pages(path)
                .unwrap_or_else(|| Answer::text(404, "there is /livez, /readyz, /metrics and /statusz\n"))
        }
        [_, _, version] if version.starts_with("HTTP/") => Answer::text(405, "GET only\n"),
        _ => Answer::text(400, "no HTTP request\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server() -> Server {
        Server::start("127.0.0.1:0".parse().unwrap(), |path| {
            (path == "/livez").then(|| Answer::text(200, "alive\n"))
        })
        .unwrap()
    }

    fn ask(server: &Server, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        stream.write_all(request).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn paths_are_answered_and_nothing_else() {
        let server = server();
        let ok = ask(&server, b"GET /livez?x=1 HTTP/1.1\r\nHost: a\r\n\r\n");
        assert!(
            ok.starts_with("HTTP/1.1 200 OK\r\n") && ok.ends_with("\r\n\r\nalive\n"),
            "{ok}"
        );
        let head = ask(&server, b"HEAD /livez HTTP/1.1\r\n\r\n");
        assert!(
            head.contains("Content-Length: 6\r\n") && head.ends_with("\r\n\r\n"),
            "{head}"
        );
        for (request, status) in [
            (&b"GET /else HTTP/1.1\r\n\r\n"[..], "404"),
            (b"POST /livez HTTP/1.1\r\n\r\n", "405"),
            (b"\xff\xfe\r\n\r\n", "400"),
            (b"GET /livez\n\n", "400"),
        ] {
            let answer = ask(&server, request);
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        }
    }

    #[test]
    fn long_and_slow_requests_end() {
        let server = server();
        // Fewer silent peers than threads, and more bytes than are read.
        let silent: Vec<_> = (1..THREADS)
            .map(|_| TcpStream::connect(server.address()).unwrap())
            .collect();
        let started = Instant::now();
        let mut flood = TcpStream::connect(server.address()).unwrap();
        let _ = flood.write_all(&vec![b'x'; HEAD_BYTES * 4]);
        let mut rest = Vec::new();
        let _ = flood.read_to_end(&mut rest);
        assert!(ask(&server, b"GET /livez HTTP/1.1\r\n\r\n").contains("alive"));
        drop(silent);
        assert!(started.elapsed() < PATIENCE * 3);
    }

    #[test]
    fn it_stops_when_dropped() {
        let server = server();
        let address = server.address();
        drop(server);
        let started = Instant::now();
        while TcpListener::bind(address).is_err() {
            assert!(started.elapsed() < Duration::from_secs(5), "still listening");
            std::thread::yield_now();
        }
    }
}
