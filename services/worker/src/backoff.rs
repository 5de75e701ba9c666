//! How long to wait before the next try.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Doubles from `first` to `most` with `tries` (1 after the first failure), with up to a quarter of jitter, so that
/// workers that lost the same server do not come back at the same moment.
pub(crate) fn backoff(tries: u32, first: Duration, most: Duration) -> Duration {
    let doubled = first
        .saturating_mul(1 << tries.saturating_sub(1).min(16))
        .min(most);
    let nanos = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| d.subsec_nanos());
    doubled + doubled.mul_f64(f64::from(nanos % 1_000) / 4_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_up_to_the_most_and_a_quarter() {
        let (first, most) = (Duration::from_millis(200), Duration::from_secs(5));
        for (tries, least) in [(1, 200), (2, 400), (3, 800), (6, 5_000), (u32::MAX, 5_000)] {
            let (pause, least) = (backoff(tries, first, most), Duration::from_millis(least));
            assert!(
                pause >= least && pause <= least.mul_f64(1.25),
                "{tries}: {pause:?}"
            );
        }
    }
}
