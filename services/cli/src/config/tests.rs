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
fn a_variable_for_an_address_wins_over_the_file_that_the_settings_name() {
    let base = std::env::temp_dir().join(format!("copydesk-config-address-{}", std::process::id()));
    let settings = base.with_extension("toml");
    let address = base.with_extension("url");
    std::fs::write(&address, "postgres://worker@127.0.0.1/news").unwrap();
    std::fs::write(&settings, format!("[database]\nurl_file = {address:?}\n")).unwrap();
    let url = |variables: Vec<(String, String)>| {
        let config = Config::load(Some(&settings), variables).unwrap();
        config.database_url().unwrap().to_string()
    };
    let owner = var("COPYDESK_DATABASE_URL", "postgres://owner@127.0.0.1/news");
    let file = var("COPYDESK_DATABASE_URL_FILE", address.to_str().unwrap());
    let (plain, by_variable) = (url(vec![]), url(vec![owner.clone()]));
    let by_both = url(vec![owner, file]);
    std::fs::remove_file(&address).unwrap();
    std::fs::remove_file(&settings).unwrap();
    assert_eq!(plain, "postgres://worker@127.0.0.1/news");
    assert_eq!(by_variable, "postgres://owner@127.0.0.1/news");
    assert_eq!(by_both, "postgres://worker@127.0.0.1/news");
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
    assert_eq!(config.kafka.properties["security.protocol"].expose(), "SASL_SSL");
}

#[test]
fn a_password_may_have_a_comma() {
    let properties = var(
        "COPYDESK_KAFKA_PROPERTIES",
        r"sasl.username=me,sasl.password=a\,b=c\d\\,security.protocol=SASL_SSL",
    );
    let config = Config::load(None, [properties]).unwrap();
    assert_eq!(config.kafka.properties["sasl.password"].expose(), r"a,b=c\d\");
    assert_eq!(config.kafka.properties["security.protocol"].expose(), "SASL_SSL");
}

#[test]
fn pieces_of_a_password_are_not_quoted() {
    for text in [
        "sasl.password=hunt,hunter2",
        "sasl.password=hunt,hunter2=x",
        "sasl.pasword=hunter2",
        "hunter2",
        "sasl.password:hunter2=1",
        "sasl.password=x,sasl.password hunter2",
    ] {
        let error = Config::load(None, [var("COPYDESK_KAFKA_PROPERTIES", text)]).unwrap_err();
        for said in [error.to_string(), format!("{error:?}")] {
            assert!(said.contains("part "), "{said}");
            assert!(!said.contains("hunter2"), "{text}: {said}");
        }
    }
}

#[test]
fn no_error_of_a_variable_quotes_its_value() {
    for name in env::known_variables().into_keys() {
        // Names of topics and the like take any text; those are the ones that are printed.
        if let Err(error) = Config::load(None, [var(&name, "hunter2@,=`\"")]) {
            for said in [error.to_string(), format!("{error:?}")] {
                assert!(!said.contains("hunter2"), "{name}: {said}");
            }
        }
    }
}

#[test]
fn a_variable_lays_its_properties_over_those_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("copydesk.toml");
    std::fs::write(
        &path,
        "[kafka.properties]\n\"sasl.username\" = \"me\"\n\"sasl.password\" = \"old\"\n",
    )
    .unwrap();
    let password = var("COPYDESK_KAFKA_PROPERTIES", "sasl.password=new");
    let config = Config::load(Some(&path), [password]).unwrap();
    assert_eq!(config.kafka.properties["sasl.username"].expose(), "me");
    assert_eq!(config.kafka.properties["sasl.password"].expose(), "new");
}

#[test]
fn secrets_are_not_shown() {
    for (name, value) in [
        (
            "COPYDESK_DATABASE_URL",
            "postgres://me:hun:ter2@hunter2@db.example/x",
        ),
        (
            "COPYDESK_DATABASE_URL",
            "postgres://me@db.example/x?password=hunter2&sslpassword=hunter2&x=hunter2",
        ),
        ("COPYDESK_DATABASE_URL", "host=db.example password=hunter2"),
        (
            "COPYDESK_DATABASE_URL",
            "jdbc:postgresql://db.example/x?user=me&password=hunter2",
        ),
        ("COPYDESK_KAFKA_PROPERTIES", "sasl.password=hunter2"),
        ("COPYDESK_KAFKA_PROPERTIES", "sasl.oauthbearer.config=hunter2"),
        (
            "COPYDESK_KAFKA_PROPERTIES",
            "sasl.oauthbearer.token.endpoint.url=https://me:hunter2@id.example",
        ),
        ("COPYDESK_KAFKA_PROPERTIES", "ssl.key.pem=hunter2"),
        (
            "COPYDESK_TRACES_ENDPOINT",
            "http://me:hunter2@collector.example:4318",
        ),
        (
            "COPYDESK_TRACES_ENDPOINT",
            "http://collector.example:4318/?key=hunter2",
        ),
    ] {
        let config = Config::load(None, [var(name, value)]).unwrap();
        for shown in [config.to_toml_without_secrets(), format!("{config:?}")] {
            assert!(
                !shown.contains("hunter2") && shown.contains("***"),
                "{value}: {shown}"
            );
        }
    }
}

#[test]
fn what_is_no_secret_is_shown() {
    let properties = var(
        "COPYDESK_KAFKA_PROPERTIES",
        "security.protocol=SASL_SSL,sasl.username=me",
    );
    let shown = Config::load(None, [properties])
        .unwrap()
        .to_toml_without_secrets();
    assert!(shown.contains("SASL_SSL") && shown.contains("\"me\""), "{shown}");
    assert!(shown.contains("@127.0.0.1:35432/copydesk"), "{shown}");
}

#[test]
fn what_weakens_kafkas_client_wants_a_setting_that_says_so() {
    for (property, setting) in [
        (
            "enable.ssl.certificate.verification=false",
            "allow_unverified_brokers",
        ),
        (
            "ssl.endpoint.identification.algorithm=none",
            "allow_unverified_brokers",
        ),
        ("plugin.library.paths=/opt/own.so", "allow_foreign_code"),
        ("ssl.engine.location=/opt/own.so", "allow_foreign_code"),
        ("ssl.providers=legacy", "allow_foreign_code"),
    ] {
        let properties = var("COPYDESK_KAFKA_PROPERTIES", property);
        let error = Config::load(None, [properties.clone()]).unwrap_err().to_string();
        assert!(error.contains(&format!("kafka.{setting}")), "{error}");
        let allowed = var(&format!("COPYDESK_KAFKA_{}", setting.to_uppercase()), "true");
        Config::load(None, [properties, allowed]).unwrap();
    }
}

#[test]
fn brokers_hold_no_password() {
    let brokers = var(
        "COPYDESK_KAFKA_BROKERS",
        "SASL_SSL://me:hunter2@kafka.example:9093",
    );
    let error = Config::load(None, [brokers]).unwrap_err().to_string();
    assert!(
        error.contains("sasl.password") && !error.contains("hunter2"),
        "{error}"
    );
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
