#!/usr/bin/env python3
"""Keeps a copy of copydesk's articles in SQLite, from the topic of clean articles (docs/outputs.md).

    export COPYDESK_OUTPUTS_ARTICLES_TOPIC=articles.clean    # all workers need the same setting
    copydesk doctor --fix                                    # creates the topic
    copydesk worker
    python3 -m venv venv && venv/bin/pip install -r docs/examples/requirements.txt
    BROKERS=127.0.0.1:39092 TOPIC=articles.clean FILE=articles.sqlite venv/bin/python docs/examples/consumer.py

A message may come twice, so each one overwrites what the one before said of its article. The offset is committed behind the row: a message that was in
hand when this program was killed comes again. With UNTIL_SILENT=SECONDS it ends when nothing came for so long; otherwise Ctrl-C ends it.
"""

import json
import os
import sqlite3

from confluent_kafka import Consumer, KafkaException

CONSUMER = {
    "bootstrap.servers": os.environ.get("BROKERS", "127.0.0.1:39092"),
    "group.id": os.environ.get("GROUP", "copydesk-example"),
    "auto.offset.reset": "earliest",
    "enable.auto.commit": False,
}
TOPIC = os.environ.get("TOPIC", "articles.clean")
PATIENCE = float(os.environ.get("UNTIL_SILENT", "inf"))


def handle(db: sqlite3.Connection, article: dict) -> None:
    """Handling a message twice leaves what handling it once does."""
    if article["verdict"] == "taken_down":
        db.execute("DELETE FROM article WHERE article_id = ?", (article["article_id"],))
        print(f"removed: article {article['article_id']}")
    else:
        # `body` is None where the topic did not take the whole (`omitted` names it): ask the view `articles` for it then.
        row = (article["article_id"], article["story_id"], article["site"], article["title"], article["body"])
        db.execute("INSERT OR REPLACE INTO article VALUES (?, ?, ?, ?, ?)", row)
        print(f"story {article['story_id']}, {article['verdict']}: {article['title']} ({article['site']})")
    db.commit()


def main() -> None:
    db = sqlite3.connect(os.environ.get("FILE", "articles.sqlite"))
    db.execute("CREATE TABLE IF NOT EXISTS article (article_id INTEGER PRIMARY KEY, story_id INTEGER, site TEXT, title TEXT, body TEXT)")
    consumer = Consumer(CONSUMER)
    consumer.subscribe([TOPIC])
    silent = 0.0
    try:
        while silent < PATIENCE:
            message = consumer.poll(1.0)
            if message is None:
                silent += 1.0
                continue
            if message.error():
                raise KafkaException(message.error())
            silent = 0.0
            handle(db, json.loads(message.value()))
            consumer.commit(message, asynchronous=False)
    except KeyboardInterrupt:
        pass
    finally:
        consumer.close()


if __name__ == "__main__":
    main()
