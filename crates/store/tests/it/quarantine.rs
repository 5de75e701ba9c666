//! What a person does with the quarantine: list, show, replay, discard. The audit law holds after each.

use copydesk_article::{Header, Message, NextOffset, Reason, Reject, Stage};
use copydesk_store::{Dropped, Item, QuarantineFilter, Replayed};

use crate::support::{NOON, Scratch, Text, batch, message, prose, refused};

fn bad(offset: i64, stage: Stage, reason: Reason) -> Item {
    Item {
        message: message(0, offset, NOON),
        outcome: Err(Reject::new(stage, reason, format!("number {offset}"))),
    }
}

async fn offsets(scratch: &Scratch, filter: &QuarantineFilter) -> Vec<i64> {
    let list = scratch.store.quarantine_list(filter, None, 100).await.unwrap();
    list.iter().map(|e| e.coordinates.offset.get()).collect()
}

fn by_reason(reason: Reason) -> QuarantineFilter {
    QuarantineFilter {
        reason: Some(reason.as_str().into()),
        ..QuarantineFilter::default()
    }
}

#[tokio::test]
async fn filters_and_pages_find_what_they_say() {
    let scratch = Scratch::new("filters").await;
    let claimed = scratch.claim(0).await;
    let items = vec![
        bad(0, Stage::Decode, Reason::BadJson),
        bad(1, Stage::Clean, Reason::NoArticle),
        bad(2, Stage::Decode, Reason::BadJson),
        bad(3, Stage::Clean, Reason::TooDeep),
    ];
    scratch.store.flush(&claimed, &batch(0, items)).await.unwrap();
    let all = QuarantineFilter::default();
    assert_eq!(offsets(&scratch, &all).await, [0, 1, 2, 3]);
    assert_eq!(offsets(&scratch, &by_reason(Reason::BadJson)).await, [0, 2]);
    let clean = QuarantineFilter {
        stage: Some("clean".into()),
        ..QuarantineFilter::default()
    };
    assert_eq!(offsets(&scratch, &clean).await, [1, 3]);
    let one = QuarantineFilter::of(&message(0, 2, NOON).coordinates);
    assert_eq!(offsets(&scratch, &one).await, [2]);
    let other_partition = QuarantineFilter {
        partition: Some(1),
        ..QuarantineFilter::default()
    };
    assert_eq!(offsets(&scratch, &other_partition).await, [0_i64; 0]);
    let future = QuarantineFilter {
        since: Some(chrono::Utc::now() + chrono::TimeDelta::hours(1)),
        ..QuarantineFilter::default()
    };
    assert_eq!(offsets(&scratch, &future).await, [0_i64; 0]);
    let first = scratch.store.quarantine_list(&all, None, 3).await.unwrap();
    let after = first.last().map(|e| e.coordinates.clone());
    let rest = scratch
        .store
        .quarantine_list(&all, after.as_ref(), 3)
        .await
        .unwrap();
    assert_eq!((first.len(), rest.len()), (3, 1));
    assert_eq!(
        (rest[0].reason.as_str(), rest[0].detail.as_str(), rest[0].attempts),
        ("too_deep", "number 3", 1)
    );
}

#[tokio::test]
async fn a_message_comes_back_as_it_was() {
    let scratch = Scratch::new("roundtrip").await;
    let claimed = scratch.claim(0).await;
    let header = |name: &str, value: &[u8]| Header {
        name: name.into(),
        value: value.to_vec(),
    };
    let whole = Message {
        key: Some(vec![0, 255, 7]),
        payload: Some([b"\x00\xff binary ".as_slice(), &[b'x'; 100_000]].concat()),
        headers: vec![
            header("url", b"https://a.example/1"),
            header("url", b"twice, in order"),
            header("empty", b""),
            header("caf\u{e9}", &[0, 159, 146, 150]),
        ],
        ..message(0, 0, NOON)
    };
    let bare = Message {
        payload: None,
        timestamp: None,
        ..message(0, 1, NOON)
    };
    let empty = Message {
        payload: Some(Vec::new()),
        headers: vec![header("", b"")],
        ..message(0, 2, NOON)
    };
    let messages = [whole, bare, empty];
    let items = messages
        .iter()
        .map(|m| Item {
            message: m.clone(),
            outcome: Err(Reject::new(Stage::Decode, Reason::NotText, "binary")),
        })
        .collect();
    scratch.store.flush(&claimed, &batch(0, items)).await.unwrap();
    for message in &messages {
        let found = scratch.store.quarantine_message(&message.coordinates).await;
        assert_eq!(found.unwrap().as_ref(), Some(message));
    }
    let nowhere = message(0, 77, NOON).coordinates;
    assert_eq!(scratch.store.quarantine_message(&nowhere).await.unwrap(), None);
}

#[tokio::test]
async fn a_replay_stores_under_its_own_offset_once() {
    let scratch = Scratch::new("replay").await;
    let claimed = scratch.claim(0).await;
    scratch
        .store
        .flush(
            &claimed,
            &batch(0, vec![refused(0, 0), refused(0, 1), refused(0, 2)]),
        )
        .await
        .unwrap();
    let body = prose(5, 4);
    let article = Text {
        body: &body,
        site: Some("a.example"),
        ..Text::default()
    }
    .prepare()
    .into();
    let at_one = message(0, 1, NOON);
    // Two at once, as from two terminals: the row's lock lets one of them store.
    let (one, two) = tokio::join!(
        scratch.store.quarantine_settle(&at_one, Ok(&article)),
        scratch.store.quarantine_settle(&at_one, Ok(&article)),
    );
    let outcomes = [one.unwrap(), two.unwrap()];
    let stored = outcomes
        .iter()
        .filter(|o| matches!(o, Replayed::Stored(_)))
        .count();
    assert_eq!(stored, 1, "{outcomes:?}");
    assert!(outcomes.contains(&Replayed::SettledMeanwhile));
    scratch.assert_law().await;
    assert_eq!(
        scratch
            .count("SELECT count(*) FROM sighting WHERE \"offset\" = 1 AND verdict = 'new_article'")
            .await,
        1
    );
    // The bytes are gone with the replay; the row stays and says what happened.
    assert_eq!(
        scratch
            .store
            .quarantine_message(&at_one.coordinates)
            .await
            .unwrap(),
        None
    );
    let replayed = QuarantineFilter {
        state: Some("replayed".into()),
        ..QuarantineFilter::default()
    };
    assert_eq!(offsets(&scratch, &replayed).await, [1]);
    assert_eq!(offsets(&scratch, &QuarantineFilter::default()).await, [0, 2]);
    // The ledger goes on as if nothing had been.
    let next = batch(
        3,
        vec![
            Text {
                body: &prose(6, 4),
                ..Text::default()
            }
            .item(0, 3),
        ],
    );
    scratch.store.flush(&claimed, &next).await.unwrap();
    assert_eq!(next.to, NextOffset::new(4));
    scratch.assert_law().await;
}

#[tokio::test]
async fn refused_again_it_stays_with_the_new_reason() {
    let scratch = Scratch::new("again").await;
    let claimed = scratch.claim(0).await;
    scratch
        .store
        .flush(&claimed, &batch(0, vec![refused(0, 0)]))
        .await
        .unwrap();
    let reject = Reject::new(Stage::Clean, Reason::NoArticle, "nothing\0 is left");
    let outcome = scratch
        .store
        .quarantine_settle(&message(0, 0, NOON), Err(&reject))
        .await
        .unwrap();
    assert_eq!(outcome, Replayed::RefusedAgain(reject));
    let list = scratch
        .store
        .quarantine_list(&by_reason(Reason::NoArticle), None, 9)
        .await
        .unwrap();
    assert_eq!(
        (
            list[0].attempts,
            list[0].stage.as_str(),
            list[0].detail.as_str(),
            list[0].state.as_str()
        ),
        (2, "clean", "nothing is left", "held")
    );
    scratch.assert_law().await;
}

#[tokio::test]
async fn discarded_messages_lose_their_bytes_and_keep_their_place_in_the_law() {
    let scratch = Scratch::new("discard").await;
    let claimed = scratch.claim(0).await;
    let items = vec![
        bad(0, Stage::Decode, Reason::BadJson),
        bad(1, Stage::Clean, Reason::NoArticle),
        bad(2, Stage::Decode, Reason::BadJson),
    ];
    scratch.store.flush(&claimed, &batch(0, items)).await.unwrap();
    let bad_json = by_reason(Reason::BadJson);
    let before = scratch.store.quarantine_usage().await.unwrap();
    let dropped = scratch.store.quarantine_discard(&bad_json).await.unwrap();
    assert_eq!(dropped.messages, 2);
    let again = scratch.store.quarantine_discard(&bad_json).await.unwrap();
    assert_eq!(again, Dropped::default(), "once");
    let after = scratch.store.quarantine_usage().await.unwrap();
    assert_eq!(after.bytes, before.bytes - dropped.bytes);
    assert_eq!(after.dropped, 0, "a person wanted it");
    assert_eq!(offsets(&scratch, &QuarantineFilter::default()).await, [1]);
    scratch.assert_law().await;
    let at = message(0, 0, NOON);
    let kept = scratch.store.quarantine_message(&at.coordinates).await.unwrap();
    assert_eq!(kept, None);
    // What is given up is not stored any more.
    let article = Text {
        body: &prose(5, 4),
        ..Text::default()
    }
    .prepare()
    .into();
    let outcome = scratch.store.quarantine_settle(&at, Ok(&article)).await.unwrap();
    assert_eq!(outcome, Replayed::SettledMeanwhile);
    scratch.assert_law().await;
}
