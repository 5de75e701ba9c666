use super::*;

fn with(name: &str, value: &str, allowed: Allowed) -> Properties {
    let mut properties = Properties::new(BTreeMap::new(), allowed);
    properties.insert(name, value);
    properties
}

#[test]
fn values_are_shown_only_of_properties_that_hold_no_secret() {
    let mut properties = Properties::default();
    properties.insert("security.protocol", "SASL_SSL");
    for name in [
        "sasl.password",
        "sasl.oauthbearer.config",
        "sasl.oauthbearer.client.secret",
        "ssl.key.pem",
        "sasl.pasword",
        "no.such.thing",
    ] {
        properties.insert(name, "hunter2");
    }
    let shown: Vec<String> = properties.shown().map(|(n, v)| format!("{n}={v}")).collect();
    assert!(
        shown.contains(&"security.protocol=SASL_SSL".to_owned()),
        "{shown:?}"
    );
    for text in [shown.join(" "), format!("{properties:?}")] {
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[test]
fn librdkafkas_own_texts_lose_the_secrets() {
    let properties = with(
        "sasl.oauthbearer.config",
        "principal=me hunter2",
        Allowed::default(),
    );
    let text = "Unrecognized sasl.oauthbearer.config beginning at: hunter2";
    assert!(!properties.scrubber().scrub(text).contains("hunter2"));
}

#[test]
fn what_leaves_brokers_unverified_is_refused_unless_it_is_allowed() {
    for (name, value) in [
        ("enable.ssl.certificate.verification", "false"),
        ("enable.ssl.certificate.verification", "0"),
        ("ssl.endpoint.identification.algorithm", "none"),
        ("ssl.endpoint.identification.algorithm", "None"),
        ("ssl.endpoint.identification.algorithm", ""),
        ("ssl.cipher.suites", "ADH-AES256-SHA:HIGH"),
        ("ssl.cipher.suites", "HIGH:eNULL"),
        ("ssl.cipher.suites", "DEFAULT:@SECLEVEL=0"),
    ] {
        let error = with(name, value, Allowed::default())
            .check()
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(name) && error.contains("kafka.allow_unverified_brokers"),
            "{error}"
        );
        let allowed = Allowed {
            unverified_brokers: true,
            ..Allowed::default()
        };
        with(name, value, allowed).check().unwrap();
    }
    for (name, value) in [
        ("enable.ssl.certificate.verification", "True"),
        ("ssl.endpoint.identification.algorithm", "https"),
        ("ssl.cipher.suites", "HIGH:!aNULL:!eNULL"),
    ] {
        with(name, value, Allowed::default()).check().unwrap();
    }
}

#[test]
fn what_loads_or_runs_code_is_refused_unless_it_is_allowed() {
    for name in FOREIGN_CODE {
        let error = with(name, "/opt/own.so", Allowed::default())
            .check()
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(name) && error.contains("kafka.allow_foreign_code"),
            "{error}"
        );
        let allowed = Allowed {
            foreign_code: true,
            ..Allowed::default()
        };
        with(name, "/opt/own.so", allowed).check().unwrap();
    }
}

#[test]
fn checking_the_settings_loads_no_library() {
    let allowed = Allowed {
        foreign_code: true,
        ..Allowed::default()
    };
    // librdkafka opens a plugin as soon as the property is set: one that is not there is an error then.
    let properties = with("plugin.library.paths", "/not/there.so", allowed);
    let mut config = ClientConfig::new();
    properties.apply(&mut config);
    assert!(config.create_native_config().is_err());
    properties.validate(config).unwrap();
}

#[test]
fn names_of_properties_are_those_of_librdkafka() {
    for name in SHOWN.iter().chain(SECRET) {
        assert!(is_property(name), "{name}");
    }
    for name in ["", "sasl.pasword", "hunter2", "a\0b"] {
        assert!(!is_property(name), "{name}");
    }
}

#[test]
fn a_misspelt_name_is_told_the_right_one_and_no_value() {
    for name in ["sasl.pasword", "sasl.passwrod", "sasl.username "] {
        let error = with(name, "hunter2", Allowed::default());
        let mut config = ClientConfig::new();
        error.apply(&mut config);
        let said = error.validate(config).unwrap_err().to_string();
        assert!(said.contains("meant?"), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
    // What does not look like a name may be a piece of a password.
    let properties = with("pass,Word", "x", Allowed::default());
    let mut config = ClientConfig::new();
    properties.apply(&mut config);
    assert!(
        !properties
            .validate(config)
            .unwrap_err()
            .to_string()
            .contains("Word")
    );
}

#[test]
fn a_value_that_librdkafka_refuses_is_quoted_only_where_it_is_harmless() {
    for (name, quoted) in [
        ("security.protocol", true),
        ("sasl.oauthbearer.assertion.algorithm", false),
    ] {
        let properties = with(name, "hunter2", Allowed::default());
        let mut config = ClientConfig::new();
        properties.apply(&mut config);
        let said = properties.validate(config).unwrap_err().to_string();
        assert!(said.contains(name), "{said}");
        assert_eq!(said.contains("hunter2"), quoted, "{said}");
    }
}
