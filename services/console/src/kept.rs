//! An answer that is costly to get and good for a while: got once, however many ask, and nobody waits long for it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The last answer to one question.
#[derive(Debug)]
pub(crate) struct Kept<T> {
    answer: Arc<Mutex<Option<(Instant, T)>>>,
    /// Held while the question is being asked.
    asking: Arc<tokio::sync::Mutex<()>>,
    good_for: Duration,
    patience: Duration,
}

impl<T: Clone + Send + 'static> Kept<T> {
    /// Asks again when an answer is older than `good_for`; who needs it waits for `patience` at the most.
    pub(crate) fn new(good_for: Duration, patience: Duration) -> Self {
        Self {
            answer: Arc::default(),
            asking: Arc::default(),
            good_for,
            patience,
        }
    }

    /// The answer: a fresh one, else the last one, however old. `None`: there is none yet, and the first is
    /// still being waited for.
    #[expect(
        clippy::disallowed_methods,
        reason = "what is cut off is the waiting; the question itself has a time-out of its own and goes on"
    )]
    pub(crate) async fn get<F>(&self, ask: impl FnOnce() -> F) -> Option<T>
    where
        F: Future<Output = T> + Send + 'static,
    {
        if !self.is_fresh() {
            if let Ok(asking) = Arc::clone(&self.asking).try_lock_owned() {
                let (answer, question) = (Arc::clone(&self.answer), ask());
                tokio::spawn(async move {
                    let got = question.await;
                    *answer.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), got));
                    drop(asking);
                });
            }
            // Whoever holds the lock has put the answer there when it lets go.
            let _ = tokio::time::timeout(self.patience, self.asking.lock()).await;
        }
        let last = self.answer.lock().unwrap_or_else(PoisonError::into_inner);
        last.as_ref().map(|(_, answer)| answer.clone())
    }

    fn is_fresh(&self) -> bool {
        let last = self.answer.lock().unwrap_or_else(PoisonError::into_inner);
        last.as_ref().is_some_and(|(at, _)| at.elapsed() < self.good_for)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_question_is_asked_once_and_not_waited_for_for_long() {
        let asked = Arc::new(AtomicU32::new(0));
        let ask = |answer: &'static str, takes: Duration| {
            let asked = Arc::clone(&asked);
            move || async move {
                asked.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(takes).await;
                answer
            }
        };
        let (none, day) = (Duration::ZERO, Duration::from_secs(86_400));
        let kept = Kept::new(day, day);
        let (a, b) = tokio::join!(kept.get(ask("one", none)), kept.get(ask("two", none)));
        assert_eq!(
            (a, b, kept.get(ask("three", none)).await),
            (Some("one"), Some("one"), Some("one"))
        );
        assert_eq!(asked.load(Ordering::Relaxed), 1);

        // It takes a day: the page is drawn without it, and does not ask again meanwhile.
        let slow = Kept::new(none, none);
        assert_eq!(slow.get(ask("late", day)).await, None);
        assert_eq!(slow.get(ask("late", day)).await, None);
        tokio::task::yield_now().await;
        assert_eq!(asked.load(Ordering::Relaxed), 2);
    }
}
