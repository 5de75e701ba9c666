//! The topic, made if it is missing.

use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use copydesk_stream::Quiet;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::types::RDKafkaErrorCode;

use crate::{FeedOptions, producer};

/// How long Kafka may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Makes sure that the topic exists; says whether it was created now.
pub(crate) async fn ensure(options: &FeedOptions) -> Result<bool> {
    options.properties.check()?;
    let admin: AdminClient<Quiet> = producer::settings(options)
        .create_with_context(Quiet::new(options.properties.scrubber()))
        .map_err(|e| options.properties.refused(&e))?;
    let topic = options.topic.clone();
    // The call blocks. It asks for this one topic, and does not create it as a side effect (see the settings).
    let (admin, answer) = tokio::task::spawn_blocking(move || {
        let answer = admin.inner().fetch_metadata(Some(&topic), PATIENCE).map(|all| {
            let found = all.topics().iter().find(|t| t.name() == topic);
            found.map_or(0, |t| {
                if t.error().is_some() {
                    0
                } else {
                    t.partitions().len()
                }
            })
        });
        (admin, answer)
    })
    .await?;
    let partitions = answer.map_err(|e| {
        anyhow!(
            "no answer from Kafka at {} within {} s ({e}); is it running, and is the address right? \
                `copydesk doctor` says more",
            options.brokers,
            PATIENCE.as_secs()
        )
    })?;
    if partitions > 0 {
        return Ok(false);
    }
    let max_bytes = producer::max_message_bytes(options).to_string();
    let topic = NewTopic::new(&options.topic, options.partitions, TopicReplication::Fixed(-1))
        .set("max.message.bytes", &max_bytes);
    let asked = admin
        .create_topics([&topic], &AdminOptions::new().operation_timeout(Some(PATIENCE)))
        .await;
    let created = asked.with_context(|| format!("cannot ask Kafka to create the topic {}", options.topic))?;
    match created.into_iter().next() {
        Some(Ok(_)) => {
            tracing::info!(
                topic = options.topic,
                partitions = options.partitions,
                "topic created"
            );
            Ok(true)
        }
        // Somebody else was faster.
        Some(Err((_, RDKafkaErrorCode::TopicAlreadyExists))) => Ok(false),
        Some(Err((_, code))) => bail!("Kafka refused to create the topic {}: {code}", options.topic),
        None => bail!("Kafka did not say whether it created the topic {}", options.topic),
    }
}
