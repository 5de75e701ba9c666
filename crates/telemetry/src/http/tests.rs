use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

/// So that no test passes because a time-out of the server came to its help.
const FOR_EVER: Duration = Duration::from_secs(3_600);
/// A test that would hang fails instead.
const HANGS: Duration = Duration::from_secs(30);

fn server(connections: usize, patience: Duration) -> Server {
    let limits = Limits {
        connections,
        patience,
    };
    Server::start_within(limits, "127.0.0.1:0".parse().unwrap(), |path| match path {
        "/livez" => Some(Answer::text(200, "alive\n")),
        // More than the buffers of two sockets take.
        "/long" => Some(Answer::text(200, "x".repeat(64 << 20))),
        _ => None,
    })
    .unwrap()
}

fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(HANGS)).unwrap();
    stream
}

fn ask(server: &Server, request: &[u8]) -> String {
    let mut stream = connect(server);
    stream.write_all(request).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn assert_alive(server: &Server) {
    let answer = ask(server, b"GET /livez HTTP/1.1\r\n\r\n");
    assert!(answer.ends_with("\r\n\r\nalive\n"), "{answer}");
}

/// Whatever is left to read, up to the end of the connection; it may be reset.
fn rest(mut stream: TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let ended = stream.read_to_end(&mut bytes);
    let hangs = ended.is_err_and(|e| e.kind() == io::ErrorKind::WouldBlock);
    assert!(!hangs, "the server keeps the connection open");
    bytes
}

#[test]
fn paths_are_answered_and_nothing_else() {
    let server = server(8, FOR_EVER);
    let ok = ask(&server, b"GET /livez?x=1 HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(
        ok.starts_with("HTTP/1.1 200 OK\r\n") && ok.ends_with("\r\n\r\nalive\n"),
        "{ok}"
    );
    for header in [
        "content-type: text/plain; charset=utf-8",
        "content-length: 6",
        "cache-control: no-store",
        "connection: close",
    ] {
        assert!(ok.contains(&format!("\r\n{header}\r\n")), "{ok}");
    }
    let head = ask(&server, b"HEAD /livez HTTP/1.1\r\n\r\n");
    assert!(
        head.contains("content-length: 6\r\n") && head.ends_with("\r\n\r\n"),
        "{head}"
    );
    for (request, status) in [
        (&b"GET /else HTTP/1.1\r\n\r\n"[..], "404"),
        (b"GET /../livez HTTP/1.1\r\n\r\n", "404"),
        (b"POST /livez HTTP/1.1\r\n\r\n", "405"),
        (
            b"POST /livez HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
            "405",
        ),
        (b"\xff\xfe\r\n\r\n", "400"),
        (b"GET /\0livez HTTP/1.1\r\n\r\n", "400"),
        (b"GET /livez\r\n\r\n", "400"),
    ] {
        let answer = ask(&server, request);
        let found = answer.split(' ').nth(1);
        assert_eq!(found, Some(status), "{answer}");
    }
}

#[test]
fn one_answer_a_connection_however_many_requests() {
    let server = server(8, FOR_EVER);
    let answers = ask(&server, &b"GET /livez HTTP/1.1\r\n\r\n".repeat(100));
    assert_eq!(answers.matches("HTTP/1.1 200").count(), 1, "{answers}");
}

#[test]
fn silent_connections_keep_nobody_out() {
    let server = server(8, FOR_EVER);
    let silent: Vec<_> = (0..200).map(|_| connect(&server)).collect();
    assert_alive(&server);
    // The oldest were closed for the newest, and not all of them.
    let mut silent = silent.into_iter();
    silent
        .by_ref()
        .take(200 - 8)
        .for_each(|closed| drop(rest(closed)));
    for open in silent.skip(1) {
        open.set_nonblocking(true).unwrap();
        let read = (&open).read(&mut [0]).map_err(|e| e.kind());
        assert_eq!(read, Err(io::ErrorKind::WouldBlock));
    }
}

#[test]
fn holders_that_come_back_at_once_keep_nobody_out() {
    // Of 60 holders 52 are closed for the others, and are back at once.
    let server = server(8, FOR_EVER);
    let stop = AtomicBool::new(false);
    let came_back = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..60 {
            scope.spawn(|| {
                while !stop.load(Ordering::Acquire) {
                    let Ok(mut stream) = TcpStream::connect(server.address()) else {
                        continue;
                    };
                    stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
                    let _ = stream.read(&mut [0]);
                    came_back.store(true, Ordering::Release);
                }
            });
        }
        let answered = |_| {
            let mut stream = connect(&server);
            let _ = stream.write_all(b"GET /livez HTTP/1.1\r\n\r\n");
            rest(stream).ends_with(b"alive\n")
        };
        // Not each at once: one may be the oldest itself when many come within its millisecond. A probe asks again.
        let all = (0..20).all(|_| (0..50).any(answered));
        stop.store(true, Ordering::Release);
        assert!(all, "50 times in a row no answer");
    });
    assert!(came_back.into_inner());
}

#[test]
fn requests_that_never_end_are_ended() {
    let server = server(64, Duration::from_millis(100));
    // An answer that nobody reads: twice the patience is over when the second of those below is ended.
    let mut deaf = connect(&server);
    deaf.write_all(b"GET /long HTTP/1.1\r\n\r\n").unwrap();
    for part in [&b""[..], b"GET /livez HTTP/1.1\r\nX: ", b"GET /li"] {
        let mut slow = connect(&server);
        slow.write_all(part).unwrap();
        let answer = rest(slow);
        assert!(!answer.starts_with(b"HTTP/1.1 200"), "{part:?}");
    }
    assert!(rest(deaf).len() < 64 << 20);
    assert_alive(&server);
}

#[test]
fn a_head_without_end_is_refused() {
    let server = server(8, FOR_EVER);
    let mut flood = connect(&server);
    let _ = flood.write_all(b"GET /livez HTTP/1.1\r\nX: ");
    // The server may have closed it by now.
    let _ = flood.write_all(&vec![b'a'; 1 << 20]);
    let answer = rest(flood);
    assert!(
        answer.is_empty() || answer.starts_with(b"HTTP/1.1 431"),
        "{}",
        String::from_utf8_lossy(&answer)
    );
    let many = (0..1_000).fold("GET /livez HTTP/1.1\r\n".to_owned(), |head, n| {
        head + &format!("x{n}:\r\n")
    });
    let mut flood = connect(&server);
    let _ = flood.write_all(many.as_bytes());
    let _ = flood.write_all(b"\r\n");
    assert!(!rest(flood).starts_with(b"HTTP/1.1 200"));
    assert_alive(&server);
}

#[test]
fn it_stops_when_dropped() {
    let server = server(8, FOR_EVER);
    let address = server.address();
    let held = connect(&server);
    drop(server);
    TcpListener::bind(address).expect("still listening");
    rest(held);
}
