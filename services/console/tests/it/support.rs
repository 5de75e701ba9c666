//! A console of a test's own: a scratch database with articles, a login that reads, perhaps one that writes,
//! an address.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use copydesk_article::{Coordinates, Header, Message, NextOffset, Offset, Partition, Topic, TopicPartition};
use copydesk_clean::{Budget, Cleaner, Rules};
use copydesk_console::{Access, Console, ConsoleOptions, TopicEnd};
use copydesk_decode::{Limits, decode};
use copydesk_store::{Batch, Item, OnLostRange, Prepared, Store, StoreConfig, Wanted};
use copydesk_testkit::ScratchDatabase;
use copydesk_worker::IsolatedCommand;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;

/// Whether changes can be made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writes {
    On,
    Off,
}

pub(crate) struct Desk {
    pub(crate) address: SocketAddr,
    pub(crate) store: Store,
    pub(crate) db: sqlx::PgPool,
    _database: ScratchDatabase,
    _stop: watch::Sender<bool>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    pub(crate) fn ok(self) -> String {
        assert_eq!(self.status, 200, "{}\n{}", self.head, self.body);
        self.body
    }

    pub(crate) fn json(self) -> Value {
        let body = self.ok();
        serde_json::from_str(&body).unwrap_or_else(|e| panic!("{e}: {body}"))
    }
}

/// The URL of the same database for a login that may do what this role may.
pub(crate) fn as_role(url: &str, role: &str) -> String {
    let sign = if url.contains('?') { '&' } else { '?' };
    format!("{url}{sign}options=-c%20role%3D{role}")
}

pub(crate) fn options(reads: String, writes: Option<String>, access: Access) -> ConsoleOptions {
    let connection = |url: String| StoreConfig {
        url: url.into(),
        connections: 4,
        statement_timeout: Duration::from_secs(20),
        acquire_timeout: Duration::from_secs(2),
        ..StoreConfig::default()
    };
    ConsoleOptions {
        listen: "127.0.0.1:0".parse().unwrap(),
        access,
        reads: connection(reads),
        replica: None,
        read_fallback: true,
        writes: writes.map(connection),
        cleaner: Arc::new(|| Ok(Cleaner::new(Rules::builtin(), Budget::default()))),
        limits: Limits::default(),
        registry: None,
        keep_raw: false,
        isolated: IsolatedCommand {
            program: "/bin/false".into(),
            args: Vec::new(),
            variables: Vec::new(),
        },
        cleaning: crate::cleaning::command("clean"),
        ends: Arc::new(|| {
            Ok(vec![TopicEnd {
                topic: "articles.raw".to_owned(),
                partition: 0,
                low: 0,
                end: 1_000,
                behind_transaction: 0,
            }])
        }),
    }
}

pub(crate) fn loopback() -> Access {
    Access::new("127.0.0.1:0".parse().unwrap(), "", "", "").unwrap()
}

/// Serves until the sender is dropped.
pub(crate) async fn serve(options: ConsoleOptions) -> (SocketAddr, watch::Sender<bool>) {
    let console = Console::bind(options).await.unwrap();
    let address = console.address().unwrap();
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(console.serve(stopped));
    (address, stop)
}

impl Desk {
    pub(crate) async fn new(label: &str, writes: Writes) -> Self {
        let database = ScratchDatabase::create(label).await;
        let store = Store::connect(&StoreConfig {
            url: database.url().into(),
            ..StoreConfig::default()
        })
        .await
        .unwrap();
        store.migrate().await.unwrap();
        let db = sqlx::PgPool::connect(database.url()).await.unwrap();
        let reads = as_role(database.url(), "copydesk_reader");
        let writer = (writes == Writes::On).then(|| as_role(database.url(), "copydesk_writer"));
        let (address, stop) = serve(options(reads, writer, loopback())).await;
        Self {
            address,
            store,
            db,
            _database: database,
            _stop: stop,
        }
    }

    pub(crate) fn url(&self) -> &str {
        self._database.url()
    }

    /// Runs messages through decode and clean as a worker does, and stores them.
    pub(crate) async fn store(&self, values: &[Value]) {
        let source = TopicPartition {
            topic: Topic::new("articles.raw"),
            partition: Partition::new(0),
        };
        let wanted = Wanted {
            source: source.clone(),
            low: Offset::new(0),
            high: Offset::new(100_000),
            in_hand: 10,
        };
        let claimed = self
            .store
            .claim("test", &[wanted], OnLostRange::Stop)
            .await
            .unwrap()
            .remove(0);
        let from: i64 = sqlx::query_scalar("SELECT coalesce(max(next_offset), 0) FROM partition_progress")
            .fetch_one(&self.db)
            .await
            .unwrap();
        let cleaner = Cleaner::new(Rules::builtin(), Budget::default());
        let items: Vec<Item> = (from..)
            .zip(values)
            .map(|(offset, value)| item(&cleaner, &source, offset, value))
            .collect();
        let to = NextOffset::new(from + i64::try_from(items.len()).unwrap());
        let batch = Batch {
            from: NextOffset::new(from),
            to,
            items,
        };
        self.store.flush(&claimed, &batch).await.unwrap();
    }

    /// Makes what was stored searchable.
    pub(crate) async fn index(&self) {
        while self.store.index_search(1_000).await.unwrap() > 0 {}
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        ask(
            self.address,
            &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n"),
            "",
        )
        .await
    }

    pub(crate) async fn json(&self, path: &str) -> Value {
        let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n");
        ask(self.address, &head, "").await.json()
    }

    /// A form as a browser sends it from a page of the console.
    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        self.post_with(path, fields, "Sec-Fetch-Site: same-origin\r\n")
            .await
    }

    pub(crate) async fn post_with(&self, path: &str, fields: &[(&str, &str)], headers: &str) -> Reply {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: \
                application/x-www-form-urlencoded\r\n{headers}"
        );
        ask(self.address, &head, &form.finish()).await
    }

    pub(crate) async fn number(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.db).await.unwrap()
    }
}

/// The same fields with the one that says that somebody was asked.
pub(crate) fn sure<'f>(fields: &[(&'f str, &'f str)]) -> Vec<(&'f str, &'f str)> {
    fields.iter().copied().chain([("sure", "yes")]).collect()
}

/// One request on a connection of its own; `head` without the empty line at its end.
pub(crate) async fn ask(address: SocketAddr, head: &str, body: &str) -> Reply {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "{head}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8(answer).expect("UTF-8");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Reply {
        status,
        head: head.to_owned(),
        body: body.to_owned(),
    }
}

fn item(cleaner: &Cleaner, source: &TopicPartition, offset: i64, value: &Value) -> Item {
    let payload = match value {
        Value::String(raw) => raw.clone().into_bytes(),
        envelope => envelope.to_string().into_bytes(),
    };
    let message = Message {
        coordinates: Coordinates {
            source: source.clone(),
            offset: Offset::new(offset),
        },
        timestamp: Some("2026-11-24T12:00:00Z".parse().unwrap()),
        key: Some(b"<key>".to_vec()),
        payload: Some(payload),
        headers: vec![Header {
            name: "<header>".into(),
            value: b"<value>".to_vec(),
        }],
    };
    let outcome = decode(&message, &Limits::default()).and_then(|mut raw| {
        let extra = std::mem::take(&mut raw.extra);
        let clean = cleaner.clean(&raw)?;
        let fingerprint = copydesk_dedup::fingerprint(&clean);
        Ok(Prepared::new(clean, fingerprint, raw.fetched_at, extra).into())
    });
    Item { message, outcome }
}

/// Paragraphs of a ferry that was late; with another number they share next to nothing.
pub(crate) fn ferry(site: &str, path: &str, title: &str) -> Value {
    json!({
        "url": format!("https://{site}/{path}"), "title": title, "language": "en", "published_at":
            "2026-11-24T10:00:00+01:00",
        "html": format!(
            "<html lang=\"en\"><head><title>{title}</title></head><body><article><h1>{title}</h1>\
             <p>The evening ferry left the harbour of Lorne two hours late on Monday because of dense fog
                 over the sound, the port authority said.</p>\
             <p>Two hundred and forty passengers had waited on the quay since the early afternoon, most of
                 them on their way home from the market in Carrow.</p>\
             <p>Captain Ada Pell said the radar had shown a drifting buoy close to the lighthouse, and that
                 nobody on board was ever in danger.</p>\
             <p>The operator offered hot soup and refunds, and asked travellers to look at the timetable
                 before they set out on Tuesday morning.</p>\
             <h3>Check Also</h3><ul><li><a href=\"/x\">Ten boats you must see before winter \
                 comes</a></li></ul></article></body></html>"
        ),
    })
}
