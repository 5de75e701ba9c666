//! Whom copydesk talks to: the right certificate is accepted, a wrong one, a wrong name and a wrong password
//! are refused.

use copydesk_testkit::{Certificate, Copydesk, PrivateKafka, PrivatePostgres};
use copydesk_tests::Pipeline;

const PASSWORD: &str = "secret-of-the-test";

/// What it printed, standard error included, and whether it succeeded.
fn said(copydesk: &Copydesk, args: &[&str]) -> (bool, String) {
    let output = copydesk.run(args);
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_must_show_a_certificate_that_can_be_trusted() {
    let right = Certificate::of("IP:127.0.0.1");
    let other = Certificate::of("IP:127.0.0.1");
    let elsewhere = Certificate::of("DNS:db.example");
    let mut postgres = PrivatePostgres::start().await;
    let plain = postgres.url();
    let url = |root: &Certificate| {
        format!(
            "{plain}?sslmode=verify-full&sslrootcert={}",
            root.certificate.display()
        )
    };
    let migrate = |url: &str| said(&Copydesk::new("none", url), &["migrate"]);

    let (good, text) = migrate(&url(&right));
    assert!(
        !good && text.contains("by TLS") && text.contains("sslmode=disable"),
        "a server without TLS: {text}"
    );

    postgres.with_tls(&right).await;
    let (good, text) = migrate(&url(&right));
    assert!(good, "{text}");
    for (what, mode) in [
        (
            "an authority that nobody named",
            format!("{plain}?sslmode=verify-full"),
        ),
        ("another authority", url(&other)),
    ] {
        let (good, text) = migrate(&mode);
        assert!(!good && text.contains("by TLS"), "{what}: {text}");
    }
    postgres.with_tls(&elsewhere).await;
    let (good, text) = migrate(&url(&elsewhere));
    assert!(
        !good && text.contains("by TLS"),
        "a certificate for another name: {text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn kafka_by_sasl_over_tls() {
    let right = Certificate::of("IP:127.0.0.1");
    let other = Certificate::of("IP:127.0.0.1");
    let (kafka, secure) = PrivateKafka::start_with_sasl(&right, PASSWORD).await;
    let pipeline = Pipeline::at(&kafka.brokers(), "tls", 1).await;
    let with = |root: &Certificate, password: &str| {
        let properties = format!(
            "security.protocol=SASL_SSL,sasl.mechanism=PLAIN,sasl.username=copydesk,sasl.password={password},ssl.ca.location={}",
            root.certificate.display()
        );
        pipeline
            .copydesk
            .clone()
            .at_brokers(&secure)
            .with("COPYDESK_KAFKA_PROPERTIES", &properties)
    };
    let good = with(&right, PASSWORD);
    good.ok(&["feed", "--samples"]);
    good.ok(&["worker", "--until-end"]);
    pipeline.assert_every_offset_once(18).await;
    let (_, text) = said(&good, &["config", "print"]);
    assert!(!text.contains(PASSWORD), "{text}");

    for (what, copydesk) in [
        ("another authority", with(&other, PASSWORD)),
        ("a wrong password", with(&right, "guessed")),
    ] {
        let (fine, text) = said(&copydesk, &["doctor"]);
        assert!(!fine && text.contains("nobody answers at"), "{what}: {text}");
        assert!(!text.contains(PASSWORD), "{text}");
    }
    drop(kafka);
}
