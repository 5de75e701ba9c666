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

#[test]
fn certificates_of_brokers_are_always_verified() {
    let off = var(
        "COPYDESK_KAFKA_PROPERTIES",
        "enable.ssl.certificate.verification=false",
    );
    let error = Config::load(None, [off]).unwrap_err().to_string();
    assert!(error.contains("ssl.ca.location"), "{error}");
}

#[test]
fn traces_want_an_address_and_a_share() {
    for (name, value) in [("ENDPOINT", "collector:4318"), ("SHARE", "1.5")] {
        let name = format!("COPYDESK_TRACES_{name}");
        let error = Config::load(None, [var(&name, value)]).unwrap_err().to_string();
        assert!(error.contains("traces."), "{error}");
    }
}

#[test]
fn the_settings_that_are_shipped_can_be_read() {
    for name in ["base", "example"] {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/kubernetes/");
        let path = PathBuf::from(format!("{file}{name}/copydesk.toml"));
        Config::load(Some(&path), []).unwrap_or_else(|e| panic!("{e}"));
    }
}

#[test]
fn the_settings_in_the_documents_can_be_read() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operations.md");
    let page = std::fs::read_to_string(page).unwrap();
    let examples: Vec<&str> = page
        .split("```toml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    assert!(examples.len() >= 3);
    for example in examples {
        toml::from_str::<Config>(example).unwrap_or_else(|e| panic!("{e}\n{example}"));
    }
}
