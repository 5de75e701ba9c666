#!/usr/bin/env python3
"""Puts articles on copydesk's topic: one JSON object a line, from standard input.

    python3 -m venv venv && venv/bin/pip install -r docs/examples/requirements.txt
    echo '{"url": "https://www.news.example/storm", "title": "Storm", "text": "The storm has passed."}' |
      BROKERS=127.0.0.1:39092 TOPIC=articles.raw venv/bin/python docs/examples/producer.py

Exit 0: each article was acknowledged by Kafka. Exit 1: some were not. Send all of them again then: copydesk recognises what it has.
What a message may look like: docs/messages.md. Why these settings: docs/producers.md.
"""

import json
import os
import sys
from urllib.parse import urlsplit

from confluent_kafka import Producer

PRODUCER = {
    "bootstrap.servers": os.environ.get("BROKERS", "127.0.0.1:39092"),
    "partitioner": "murmur2_random",  # the same as Java's, so that all producers put a site into one partition
    "enable.idempotence": True,
    "compression.type": "zstd",
    "linger.ms": 50,
    "message.max.bytes": 9437184,
}
TOPIC = os.environ.get("TOPIC", "articles.raw")


def main() -> int:
    producer = Producer(PRODUCER)
    lost: list[str] = []

    def delivered(error, message):
        if error is not None:
            lost.append(f"{message.key()}: {error}")

    sent = 0
    for line in sys.stdin:
        if not line.strip():
            continue
        article = json.loads(line)
        site = (urlsplit(article.get("url", "")).hostname or "").removeprefix("www.")
        while True:
            try:
                producer.produce(TOPIC, key=site or None, value=line.strip().encode(), on_delivery=delivered)
                break
            except BufferError:  # the queue is full: wait until some of it is on the topic
                producer.poll(0.1)
        producer.poll(0)
        sent += 1
    waiting = producer.flush(60)
    print(f"{sent - len(lost) - waiting} of {sent} articles are on {TOPIC}")
    for line in lost:
        print(f"not acknowledged: {line}", file=sys.stderr)
    return 1 if lost or waiting else 0


if __name__ == "__main__":
    sys.exit(main())
