//! What a claim knows of owners that ended with messages taken and not stored.

use crate::support::{IN_HAND, Scratch, batch, refused};

#[tokio::test]
async fn a_claim_knows_of_an_owner_that_ended_before_it_had_stored_what_it_had_in_hand() {
    let scratch = Scratch::new("unfinished").await;
    let store = async |claimed, from: i64, to: i64| {
        let items = (from..to).map(|n| refused(0, n)).collect();
        scratch.store.flush(claimed, &batch(from, items)).await.unwrap();
    };
    let first = scratch.claim(0).await;
    assert_eq!(first.unfinished_claims, 0, "nobody was there before");
    store(&first, 0, IN_HAND - 1).await;
    let second = scratch.claim(0).await;
    assert_eq!(second.unfinished_claims, 1);
    // It gets no further and gives the partition back: what the first had taken is not done for that.
    scratch.store.release(&[second]).await.unwrap();
    let third = scratch.claim(0).await;
    assert_eq!(third.unfinished_claims, 2);
    store(&third, IN_HAND - 1, 2 * IN_HAND - 1).await;
    let fourth = scratch.claim(0).await;
    assert_eq!(fourth.unfinished_claims, 0, "the third had stored all of it");
    scratch.store.release(&[fourth]).await.unwrap();
    let fifth = scratch.claim(0).await;
    assert_eq!(fifth.unfinished_claims, 0, "the fourth had taken nothing");
    let sixth = scratch.claim(0).await;
    assert_eq!(sixth.unfinished_claims, 1);
    scratch.assert_law().await;
}

#[tokio::test]
async fn who_does_not_have_the_partition_any_more_cannot_give_it_back() {
    let scratch = Scratch::new("zombie_release").await;
    let zombie = scratch.claim(0).await;
    let other = scratch.claim(1).await;
    scratch.claim(0).await;
    scratch.store.release(&[other, zombie]).await.unwrap();
    let in_hand = scratch
        .count("SELECT sum(in_hand_until)::int8 FROM partition_progress")
        .await;
    assert_eq!(in_hand, IN_HAND, "that of the next owner");
}
