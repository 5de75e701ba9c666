//! The articles on the topic before the clock starts.

use copydesk_stages::Corpus;
use copydesk_testkit::{Outgoing, PrivateKafka, ScratchTopic};

pub(crate) const PARTITIONS: i32 = 4;

/// What is on the topic.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Page(usize),
}

impl Kind {
    pub(crate) fn parse(name: &str) -> Self {
        match name {
            "text" => Self::Text,
            "page100" => Self::Page(100_000),
            "page235" => Self::Page(235_000),
            other => panic!("COPYDESK_BENCH_KINDS knows text, page100 and page235, not {other}"),
        }
    }

    pub(crate) fn name(self) -> String {
        match self {
            Self::Text => "text, 3 KB".to_owned(),
            Self::Page(bytes) => format!("pages, {} KB", bytes / 1_000),
        }
    }
}

/// Puts the articles on a topic and says how many bytes they have.
pub(crate) async fn preload(kafka: &PrivateKafka, kind: Kind, messages: usize) -> (ScratchTopic, usize) {
    let topic = ScratchTopic::create_at(&kafka.brokers(), "bench", PARTITIONS).await;
    let mut corpus = Corpus::new(11, true);
    let (mut bytes, mut left) = (0, messages);
    while left > 0 {
        let chunk = left.min(500);
        left -= chunk;
        let records: Vec<Outgoing> = (0..chunk)
            .map(|_| {
                let draft = corpus.article(3_000);
                let payload = match kind {
                    Kind::Text => corpus.text_envelope(&draft),
                    Kind::Page(size) => corpus.page_envelope(&draft, size),
                };
                bytes += payload.len();
                Outgoing {
                    key: Some(draft.site),
                    ..Outgoing::value(payload)
                }
            })
            .collect();
        for delivery in topic.send(records).await {
            delivery.await.expect("an answer").expect("Kafka has it");
        }
    }
    (topic, bytes)
}
