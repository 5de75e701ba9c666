//! Values of a schema registry (Apicurio's, by Confluent's calls): Avro, Protobuf and JSON Schema become
//! articles, what cannot be read is quarantined by its reason, and while the registry is away everything
//! waits.

use std::time::Duration;

use copydesk_testkit::{Certificate, Outgoing, PrivateRegistry, free_port};
use copydesk_tests::Pipeline;
use serde_json::json;

fn framed(id: u32, data: &[u8]) -> Outgoing {
    Outgoing::value([&[0][..], &id.to_be_bytes(), data].concat())
}

/// A text in Avro: its length, doubled, in one or two bytes.
fn avro(text: &str) -> Vec<u8> {
    let length = text.len() * 2;
    let mut bytes = match length {
        0..0x80 => vec![length as u8],
        _ => vec![(length & 0x7f) as u8 | 0x80, (length >> 7) as u8],
    };
    bytes.extend(text.as_bytes());
    bytes
}

/// A text as a field of Protobuf.
fn protobuf(field: u8, text: &str) -> Vec<u8> {
    let mut bytes = vec![field << 3 | 2];
    match text.len() {
        n @ 0..0x80 => bytes.push(n as u8),
        n => bytes.extend([(n & 0x7f) as u8 | 0x80, (n >> 7) as u8]),
    }
    bytes.extend(text.as_bytes());
    bytes
}

const PERSON: &str = r#"syntax = "proto3"; package people; message Person { string name = 1; }"#;
const ARTICLE: &str = r#"syntax = "proto3"; package news; import "person.proto";
    message Other { string a = 1; }
    message Article { string url = 1; string text = 2; repeated people.Person authors = 3; }"#;

#[tokio::test(flavor = "multi_thread")]
async fn values_of_a_schema_registry_become_articles_and_wait_while_it_is_away() {
    let certificate = Certificate::of("IP:127.0.0.1");
    let registry = PrivateRegistry::start(&certificate).await;
    let record = json!({"type": "record", "name": "Article", "fields": [
        {"name": "url", "type": "string"}, {"name": "text", "type": "string"}]});
    let by_avro = registry.register("a-value", &json!({"schema": record.to_string()}).to_string());
    registry.register(
        "person",
        &json!({"schemaType": "PROTOBUF", "schema": PERSON}).to_string(),
    );
    let references = json!([{"name": "person.proto", "subject": "person", "version": 1}]);
    let by_protobuf = registry.register(
        "p-value",
        &json!({"schemaType": "PROTOBUF", "schema": ARTICLE, "references": references}).to_string(),
    );
    let schema = json!({"type": "object", "properties": {"url": {"type": "string"}}}).to_string();
    let by_json = registry.register(
        "j-value",
        &json!({"schemaType": "JSON", "schema": schema}).to_string(),
    );

    let pipeline = Pipeline::new("registry", 1).await;
    let copydesk = pipeline
        .copydesk
        .clone()
        .with("COPYDESK_KAFKA_SCHEMA_REGISTRY_URL", &registry.secure_url())
        .with(
            "COPYDESK_KAFKA_SCHEMA_REGISTRY_CA_FILE",
            certificate.certificate.to_str().unwrap(),
        );
    assert!(copydesk.ok(&["doctor"]).contains("schema registry: answers"));
    let text = |n: u32| {
        format!(
            "The harbour of port number {n} reopened after the storm, and {n} ships came in at dawn on Tuesday, its master said."
        )
    };
    let url = |n: u32| format!("https://a.example/{n}");
    let article = [avro(&url(1)), avro(&text(1))].concat();
    let author = [&[0x1a, 10][..], &protobuf(1, "Jane Doe")].concat();
    pipeline
        .topic
        .produce([
            framed(by_avro, &article),
            framed(
                by_protobuf,
                &[
                    &[2, 2][..],
                    &protobuf(1, &url(2)),
                    &protobuf(2, &text(2)),
                    &author,
                ]
                .concat(),
            ),
            framed(
                by_json,
                json!({"url": url(3), "text": text(3)}).to_string().as_bytes(),
            ),
            Outgoing::value(json!({"url": url(4), "text": text(4)}).to_string()),
            framed(4_711, &article),
            framed(by_avro, &article[..article.len() - 9]),
            framed(by_avro, &[&article[..], b"more"].concat()),
            framed(by_protobuf, &[2, 8, 1]),
        ])
        .await;
    copydesk.ok(&["worker", "--until-end"]);
    pipeline.assert_every_offset_once(8).await;
    let urls: Vec<String> = sqlx::query_scalar("SELECT url FROM articles ORDER BY url")
        .fetch_all(&pipeline.db)
        .await
        .unwrap();
    assert_eq!(urls, [url(1), url(2), url(3), url(4)]);
    let authors = pipeline
        .count("SELECT count(*) FROM articles WHERE authors = '{Jane Doe}'")
        .await;
    assert_eq!(authors, 1);
    let refused: Vec<String> = sqlx::query_scalar("SELECT reason FROM quarantined ORDER BY \"offset\"")
        .fetch_all(&pipeline.db)
        .await
        .unwrap();
    assert_eq!(
        refused,
        [
            "unknown_schema",
            "schema_mismatch",
            "schema_mismatch",
            "schema_mismatch"
        ]
    );

    // Nobody at its address: the worker waits, and goes on when somebody is.
    let port = free_port();
    let away = pipeline.copydesk.clone().with(
        "COPYDESK_KAFKA_SCHEMA_REGISTRY_URL",
        &registry
            .url()
            .replace(&registry.address(), &format!("127.0.0.1:{port}")),
    );
    pipeline
        .topic
        .produce([framed(by_avro, &[avro(&url(5)), avro(&text(5))].concat())])
        .await;
    let mut worker = away.start(&["worker"]);
    let waiting = "the schema registry does not answer";
    let until = std::time::Instant::now() + Duration::from_secs(60);
    while !worker.log().contains(waiting) {
        assert!(std::time::Instant::now() < until, "{}", worker.log());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(pipeline.done().await, 8);
    let (listener, target) = (
        tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap(),
        registry.address(),
    );
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut server = tokio::net::TcpStream::connect(&target).await.unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut client, &mut server).await });
        }
    });
    pipeline.wait_for(9, Duration::from_secs(60), &[&worker]).await;
    worker.stop(Duration::from_secs(30));
    pipeline.assert_every_offset_once(9).await;
    assert_eq!(pipeline.count("SELECT count(*) FROM articles").await, 5);
}
