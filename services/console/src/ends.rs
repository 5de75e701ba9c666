//! Where the topic ends, so that lag can be shown: asked of Kafka once in a while, by whatever the program
//! brings for it.

use std::sync::Arc;
use std::time::Duration;

use crate::kept::Kept;

/// What Kafka has of one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicEnd {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i64,
    /// The oldest message still there.
    pub low: i64,
    /// Where the next message will stand.
    pub end: i64,
    /// Messages that no worker can read yet, because a producer has a transaction open.
    pub behind_transaction: i64,
}

/// Asks Kafka; blocks for as long as that takes, which it bounds itself.
pub type TopicEnds = Arc<dyn Fn() -> anyhow::Result<Vec<TopicEnd>> + Send + Sync>;

/// An answer is good for so long.
const GOOD_FOR: Duration = Duration::from_secs(10);
/// A page waits so long for it, and is drawn without it otherwise.
const PATIENCE: Duration = Duration::from_secs(1);

/// The ends of the topic, as Kafka said last.
pub(crate) struct Ends {
    ask: TopicEnds,
    kept: Kept<Option<Vec<TopicEnd>>>,
}

impl Ends {
    pub(crate) fn new(ask: TopicEnds) -> Self {
        Self {
            ask,
            kept: Kept::new(GOOD_FOR, PATIENCE),
        }
    }

    /// `None`: Kafka did not say, or not yet.
    pub(crate) async fn get(&self) -> Option<Vec<TopicEnd>> {
        let ask = Arc::clone(&self.ask);
        let asked = || async move {
            let answer = tokio::task::spawn_blocking(move || ask()).await;
            match answer {
                Ok(Ok(ends)) => Some(ends),
                Ok(Err(error)) => {
                    tracing::debug!(error = %format!("{error:#}"), "Kafka does not say where the topic ends");
                    None
                }
                Err(_) => None,
            }
        };
        self.kept.get(asked).await.flatten()
    }
}
