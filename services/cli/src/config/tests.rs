use super::*;

fn var(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

#[test]
fn defaults_are_valid_and_print_as_toml_that_reads_back() {
    let config = Config::load(None, []).unwrap();
    let printed = config.to_toml_without_secrets();
    assert_eq!(toml::from_str::<Config>(&printed).unwrap(), config);
}

#[test]
fn variables_win_over_the_file() {
    let dir = std::env::temp_dir().join(format!("copydesk-config-{}", std::process::id()));
    std::fs::write(
        &dir,
        "[kafka]\ntopic = \"a\"\n[worker]\nbatch_articles = 7\nbatch_bytes = \"2 MiB\"\n",
    )
    .unwrap();
    let config = Config::load(
        Some(&dir),
        [
            var("COPYDESK_KAFKA_TOPIC", "b"),
            var("COPYDESK_WORKER_THREADS", "3"),
            var("COPYDESK_WORKER_MEMORY", "64MiB"),
        ],
    );
    std::fs::remove_file(&dir).unwrap();
    let config = config.unwrap();
    assert_eq!(
        (
            config.kafka.topic.as_str(),
            config.worker.threads,
            config.worker.batch_articles
        ),
        ("b", 3, 7)
    );
    assert_eq!(config.worker.memory, ByteSize::mebi(64));
    assert_eq!(config.worker.batch_bytes, ByteSize::mebi(2));
}

#[test]
fn misspelt_variables_are_errors_with_a_hint() {
    let error = Config::load(None, [var("COPYDESK_KAFKA_BROKER", "x")])
        .unwrap_err()
        .to_string();
    assert!(error.contains("COPYDESK_KAFKA_BROKERS"), "{error}");
    let error = Config::load(None, [var("COPYDESK_WORKER_THREADS", "many")])
        .unwrap_err()
        .to_string();
    assert!(error.contains("COPYDESK_WORKER_THREADS"), "{error}");
}

#[test]
fn contradictions_are_errors() {
    let error = Config::load(None, [var("COPYDESK_WORKER_DRAIN_MS", "60000")])
        .unwrap_err()
        .to_string();
    assert!(error.contains("session_timeout_ms"), "{error}");
}

#[test]
fn any_librdkafka_property_passes_through_the_environment() {
    let config = Config::load(
        None,
        [var(
            "COPYDESK_KAFKA_PROPERTIES",
            "sasl.username=me,security.protocol=SASL_SSL",
        )],
    )
    .unwrap();
    assert_eq!(config.kafka.properties["security.protocol"], "SASL_SSL");
}

#[test]
fn secrets_are_not_shown() {
    let mut config = Config::default();
    config.database.url = "postgres://me:pa:ss@db.example/x".into();
    config
        .kafka
        .properties
        .insert("sasl.password".into(), "hunter2".into());
    let shown = config.to_toml_without_secrets();
    assert!(
        shown.contains("postgres://me:***@db.example/x") && !shown.contains("hunter2"),
        "{shown}"
    );
}
