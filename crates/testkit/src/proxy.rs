//! A TCP proxy that makes a network slow, or cuts it.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

struct Shared {
    delay_ms: AtomicU64,
    /// New connections that are still let through.
    accepts: AtomicU32,
    lost_commits: AtomicU32,
    closed: AtomicBool,
    connections: Mutex<Vec<TcpStream>>,
}

/// Forwards one local port to another; threads of its own.
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

impl Proxy {
    /// Forwards to `target`, such as `127.0.0.1:5432`.
    pub fn to(target: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let shared = Arc::new(Shared {
            delay_ms: AtomicU64::default(),
            accepts: AtomicU32::new(u32::MAX),
            lost_commits: AtomicU32::default(),
            closed: AtomicBool::default(),
            connections: Mutex::default(),
        });
        let (target, own) = (target.to_owned(), Arc::clone(&shared));
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if own.closed.load(Ordering::Relaxed) {
                    return;
                }
                if !take_one(&own.accepts) {
                    continue;
                }
                let Ok(server) = TcpStream::connect(&target) else {
                    continue;
                };
                let _ = client.set_nodelay(true);
                let _ = server.set_nodelay(true);
                own.forward(&client, &server, true);
                own.forward(&server, &client, false);
                let mut connections = own.connections.lock().expect("not poisoned");
                connections.retain(|c| c.peer_addr().is_ok());
                connections.extend([client, server]);
            }
        });
        Self { port, shared }
    }

    /// Its own address.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Holds back every piece of data for so long, in each direction.
    pub fn delay(&self, delay: Duration) {
        let ms = u64::try_from(delay.as_millis()).expect("a short delay");
        self.shared.delay_ms.store(ms, Ordering::Relaxed);
    }

    /// Lets so many new connections through; further ones are closed at once. `u32::MAX`: all that a test can make.
    pub fn accept(&self, number: u32) {
        self.shared.accepts.store(number, Ordering::Relaxed);
    }

    /// Passes the next so many COMMITs on and cuts their connection before the answer: Postgres has committed, and
    /// whoever asked does not know.
    pub fn lose_commits(&self, number: u32) {
        self.shared.lost_commits.store(number, Ordering::Relaxed);
    }

    /// COMMITs that are still to be lost.
    pub fn commits_to_lose(&self) -> u32 {
        self.shared.lost_commits.load(Ordering::Relaxed)
    }

    /// Cuts all connections that are open now; new ones can be made.
    pub fn cut(&self) {
        for connection in self.shared.connections.lock().expect("not poisoned").drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::Relaxed);
        self.cut();
        // Wakes the listener, which then ends.
        let _ = TcpStream::connect(self.address());
    }
}

impl Shared {
    /// Whether this is a COMMIT whose answer is to be lost.
    fn loses(&self, data: &[u8]) -> bool {
        data.windows(7).any(|w| w == b"COMMIT\0") && take_one(&self.lost_commits)
    }

    fn forward(self: &Arc<Self>, from: &TcpStream, to: &TcpStream, from_client: bool) {
        let shared = Arc::clone(self);
        let (Ok(mut from), Ok(mut to)) = (from.try_clone(), to.try_clone()) else {
            return;
        };
        std::thread::spawn(move || {
            let mut buffer = vec![0; 64 << 10];
            loop {
                let read = from.read(&mut buffer).unwrap_or(0);
                let delay = shared.delay_ms.load(Ordering::Relaxed);
                if delay > 0 {
                    pause(Duration::from_millis(delay));
                }
                if from_client && shared.loses(&buffer[..read]) {
                    // The client hears nothing any more, then the server may answer.
                    let _ = from.shutdown(Shutdown::Both);
                    let _ = to.write_all(&buffer[..read]);
                    let _ = to.shutdown(Shutdown::Write);
                    return;
                }
                if read == 0 || to.write_all(&buffer[..read]).is_err() {
                    let _ = to.shutdown(Shutdown::Both);
                    let _ = from.shutdown(Shutdown::Both);
                    return;
                }
            }
        });
    }
}

/// One less, if there was one.
fn take_one(number: &AtomicU32) -> bool {
    number
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1))
        .is_ok()
}

#[expect(
    clippy::disallowed_methods,
    reason = "a plain thread of the proxy; being slow is its work"
)]
fn pause(time: Duration) {
    std::thread::sleep(time);
}
