//! A server, or the way to it, that is gone without a word: no reset, no end of the connection.

use std::time::{Duration, Instant};

use copydesk_store::{RetryClass, Store, StoreConfig};
use copydesk_testkit::Proxy;

use crate::support::{Scratch, Text, batch};

const PATIENCE: Duration = Duration::from_secs(2);
const FOR_EVER: Duration = Duration::from_secs(3_600);

/// A store of two connections, so that one which kept its place in the pool would be missed.
async fn store_through(proxy: &Proxy, scratch: &Scratch) -> Store {
    let options = scratch.db.connect_options();
    let address = format!("{}:{}", options.get_host(), options.get_port());
    let config = StoreConfig {
        url: scratch.url().replace(&address, &proxy.address()).as_str().into(),
        connections: 2,
        answer_timeout: PATIENCE,
        // What the server does about the transactions that it hears no more of.
        idle_timeout: Duration::from_secs(1),
        acquire_timeout: 2 * PATIENCE,
        ..StoreConfig::default()
    };
    Store::connect(&config).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flush_without_an_answer_is_given_up_and_tried_again() {
    let scratch = Scratch::new("gone").await;
    let options = scratch.db.connect_options();
    let proxy = Proxy::to(&format!("{}:{}", options.get_host(), options.get_port()));
    let store = store_through(&proxy, &scratch).await;
    let claimed = scratch.claim(0).await;
    let text = |n: i64| {
        let body = format!(
            "The harbour of Ostrel opened its {n} gates at dawn, and forty boats left for the banks."
        );
        Text {
            body: &body,
            ..Text::default()
        }
        .item(0, n)
    };
    let mut without_answer = 0;
    for n in 0..3 {
        let batch = batch(n, vec![text(n)]);
        // Slow enough that the silence begins between two answers, each time at another one.
        proxy.delay(Duration::from_millis(20));
        let begun = Instant::now();
        let silence = async {
            tokio::time::sleep(Duration::from_millis(150 + 130 * n.unsigned_abs())).await;
            proxy.delay(FOR_EVER);
        };
        let (flushed, ()) = tokio::join!(store.flush(&claimed, &batch), silence);
        let error = flushed.expect_err("nobody answers");
        assert_eq!(error.class(), RetryClass::WaitForDatabase, "{error}");
        assert!(begun.elapsed() < 10 * PATIENCE, "{error}: {:?}", begun.elapsed());
        without_answer += usize::from(error.to_string().contains("has not answered for 2s"));
        proxy.delay(Duration::ZERO);
        let again = Instant::now();
        while let Err(error) = store.flush(&claimed, &batch).await {
            assert_eq!(error.class(), RetryClass::WaitForDatabase, "{error}");
            assert!(again.elapsed() < Duration::from_secs(30), "{error}");
        }
    }
    assert!(without_answer >= 2, "{without_answer}");
    assert_eq!(scratch.count("SELECT count(*) FROM article").await, 3);
    scratch.assert_law().await;
}
