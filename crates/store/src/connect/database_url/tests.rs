use super::*;

fn mode(url: &str) -> PgSslMode {
    DatabaseUrl::from(url)
        .target(None)
        .unwrap()
        .options
        .get_ssl_mode()
}

#[test]
fn certificates_are_verified_on_the_way_to_another_machine() {
    for url in [
        "postgres://me@db.example/x",
        "postgres://me@10.0.0.7:5432/x?application_name=sslmode",
        "postgres://me@db.example/x?sslrootcert=/etc/ca.pem",
    ] {
        assert!(matches!(mode(url), PgSslMode::VerifyFull), "{url}");
    }
    for url in [
        "postgres://me@127.0.0.1:35432/x",
        "postgres://me@[::1]/x",
        "postgres://me@localhost/x",
        "postgres:///x?host=/run/postgresql",
    ] {
        assert!(matches!(mode(url), PgSslMode::Prefer), "{url}");
    }
    assert!(matches!(
        mode("postgres://me@db.example/x?sslmode=disable"),
        PgSslMode::Disable
    ));
    assert!(matches!(
        mode("postgres://me@db.example/x?a=b&sslmode=require"),
        PgSslMode::Require
    ));
}

#[test]
fn a_server_that_is_not_verified_is_warned_of_whoever_asks_for_it() {
    let warned = |url: &str, mode| DatabaseUrl::from(url).target(mode).unwrap().warnings.join("; ");
    let far = "postgres://me@db.example/x";
    for (url, mode, who) in [
        (far, Some(PgSslMode::Require), "PGSSLMODE"),
        (far, Some(PgSslMode::VerifyCa), "PGSSLMODE"),
        ("postgres://me@db.example/x?sslmode=require", None, "URL"),
        (
            "postgres://me@db.example/x?ssl-mode=disable",
            Some(PgSslMode::VerifyFull),
            "URL",
        ),
    ] {
        let said = warned(url, mode);
        assert!(
            said.contains("not verified") && said.contains(who),
            "{url}: {said}"
        );
    }
    for (url, mode) in [
        (far, None),
        (far, Some(PgSslMode::VerifyFull)),
        (
            "postgres://me@127.0.0.1/x?sslmode=disable",
            Some(PgSslMode::Disable),
        ),
    ] {
        assert_eq!(warned(url, mode), "", "{url}");
    }
}

#[test]
fn what_is_shown_has_no_secret() {
    for (url, shown) in [
        (
            "postgres://me:hunter2@db.example/x",
            "postgres://me:***@db.example/x",
        ),
        (
            "postgres://me:hun:ter2@db.example/x",
            "postgres://me:***@db.example/x",
        ),
        (
            "postgres://me:hunter2@ter@db.example/x",
            "postgres://me:***@db.example/x",
        ),
        ("postgres://:hunter2@db.example/x", "postgres://:***@db.example/x"),
        (
            "postgres://me@db.example:5433/x?sslmode=require&password=hunter2",
            "postgres://me@db.example:5433/x?sslmode=require&password=***",
        ),
        (
            "postgres://me@db.example/x?sslpassword=hunter2&hunter2=hunter2",
            "postgres://me@db.example/x?sslpassword=***&***=***",
        ),
        (
            "postgres://me@db.example/x?options=-c%20a.b%3Dhunter2",
            "postgres://me@db.example/x?options=***",
        ),
        (
            "postgres://me@db.example/x#hunter2",
            "postgres://me@db.example/x#***",
        ),
        ("postgres://me:1/hunter2@db.example/x", "***"),
        ("postgres://me:1#hunter2@db.example/x", "***"),
        ("postgres://me:1?hunter2@db.example/x", "***"),
        ("postgres://me:hunter2/@db.example/x", "***"),
        ("host=db.example user=me password=hunter2", "***"),
        ("jdbc:postgresql://db.example/x?user=me&password=hunter2", "***"),
        ("JDBC:postgresql://db.example/x?password=hunter2", "***"),
        ("mysql://me:hunter2@db.example/x", "***"),
        ("hunter2", "***"),
        ("-----BEGIN PRIVATE KEY-----\nhunter2\n", "***"),
        ("", "***"),
    ] {
        let secret = DatabaseUrl::from(url);
        assert_eq!(secret.to_string(), shown, "{url}");
        assert!(!format!("{secret:?}").contains("hunter2"), "{url}");
        assert!(
            !serde_json::to_string(&secret).unwrap().contains("hunter2"),
            "{url}"
        );
    }
    let plain = "postgres://postgres@127.0.0.1:35432/copydesk";
    assert_eq!(DatabaseUrl::from(plain).to_string(), plain);
}

#[test]
fn errors_and_warnings_quote_nothing() {
    for url in [
        "host=db.example user=me password=hunter2",
        "jdbc:postgresql://db.example/x?user=me&password=hunter2",
        "hunter2",
        "mysql://me:hunter2@db.example/x",
        "postgres://me:hunter2/@db.example/x",
        "postgres://me:1/hunter2@db.example/x",
        "postgres://me@db.example/x?sslmode=hunter2",
        "postgres://me@db.example/x?port=hunter2",
        "postgres:hunter2",
        "",
    ] {
        let said = DatabaseUrl::from(url).check().unwrap_err().to_string();
        assert!(!said.contains("hunter2"), "{url}: {said}");
        assert!(said.contains("postgres://user@host"), "{said}");
    }
    let url = "postgres://me@db.example/x?sslpassword=hunter2&hunter2=hunter2&connect_timeout=3";
    let said = DatabaseUrl::from(url).warnings().unwrap().join("; ");
    assert!(
        said.contains("sslpassword") && said.contains("connect_timeout") && said.contains("number 2"),
        "{said}"
    );
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn the_driver_gets_what_it_reads_and_nothing_else() {
    let url = DatabaseUrl::from("postgres://me:p%40ss@127.0.0.1:5433/x?application_name=desk&apikey=hunter2");
    let options = url.target(None).unwrap().options;
    assert_eq!((options.get_host(), options.get_port()), ("127.0.0.1", 5433));
    assert_eq!(
        (options.get_username(), options.get_database()),
        ("me", Some("x"))
    );
    assert_eq!(options.get_application_name(), Some("desk"));
}

#[test]
fn several_hosts_are_refused_in_words_that_help() {
    for url in [
        "postgres://me@one.example,two.example/x?target_session_attrs=read-write",
        "postgres://me:a,b@one.example:5432,two.example:5433/x",
        "postgres://one.example,two.example",
        "postgres:///x?host=one.example,two.example",
        "postgres://me@one.example/x?port=5432,5433",
    ] {
        let error = DatabaseUrl::from(url).check().unwrap_err().to_string();
        assert!(
            error.contains("several hosts") && error.contains("operations.md"),
            "{url}: {error}"
        );
        assert!(!error.contains("a,b"), "{error}");
    }
    for url in [
        "postgres://me:a,b@one.example/x",
        "postgres://me@one.example/x?options=-c%20search_path=a,b",
    ] {
        DatabaseUrl::from(url).check().unwrap();
    }
}
