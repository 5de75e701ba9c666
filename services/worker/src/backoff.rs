//! How long to wait before the next try.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

/// Doubles from `first` to `most` with `tries` (1 after the first failure), with up to a quarter of jitter, so that
/// workers that lost the same server do not come back at the same moment. The jitter is a hash of `who` waits and of
/// `tries`, not of the clock: a simulated run waits as long each time.
pub(crate) fn backoff(who: &impl Hash, tries: u32, first: Duration, most: Duration) -> Duration {
    let doubled = first
        .saturating_mul(1 << tries.saturating_sub(1).min(16))
        .min(most);
    let mut hasher = DefaultHasher::new();
    (who, tries).hash(&mut hasher);
    let thousandths = u32::try_from(hasher.finish() % 1_000).unwrap_or(0);
    doubled + doubled.mul_f64(f64::from(thousandths) / 4_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_up_to_the_most_and_a_quarter() {
        let (first, most) = (Duration::from_millis(200), Duration::from_secs(5));
        for (tries, least) in [(1, 200), (2, 400), (3, 800), (6, 5_000), (u32::MAX, 5_000)] {
            let (pause, least) = (
                backoff(&"worker 1", tries, first, most),
                Duration::from_millis(least),
            );
            assert!(
                pause >= least && pause <= least.mul_f64(1.25),
                "{tries}: {pause:?}"
            );
        }
    }

    #[test]
    fn workers_wait_for_different_times_and_each_for_the_same_again() {
        let pause = |who: &str| backoff(&who, 3, Duration::from_secs(1), Duration::from_secs(60));
        let pauses: std::collections::BTreeSet<Duration> =
            (0..20).map(|n| pause(&format!("worker {n}"))).collect();
        assert!(pauses.len() > 15, "{pauses:?}");
        assert_eq!(pause("worker 1"), pause("worker 1"));
    }
}
