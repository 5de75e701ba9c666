#!/usr/bin/env python3
"""The script that a data engineer would write today for copydesk's job: the peer of `make bench`.

confluent-kafka reads the topic, trafilatura cleans pages (scraped text is taken as it is), datasketch's MinHashLSH finds
near-copies, psycopg copies the rows into Postgres. Kept honest and tuned: batches of 500, one COPY and one commit a batch,
one MinHash update a document, the fast modes of each library. What it does not do: it removes no boilerplate from text, it
loses or doubles a batch when it is killed between the two commits, its index lives in the memory of one process.

    peer.py --brokers HOST:PORT --topic NAME --database URL [--group NAME] [--processes N]
"""

import argparse
import json
import multiprocessing
import signal
import sys

import psycopg
import trafilatura
from confluent_kafka import Consumer
from datasketch import MinHash, MinHashLSH

BATCH = 500
# 25 bands of 5 over words in threes: the setting with which datasketch assigns most near-copies rightly.
BANDS, ROWS, WORDS = 25, 5, 3

SCHEMA = """
CREATE TABLE IF NOT EXISTS peer_article (
    id bigint PRIMARY KEY, story_id bigint NOT NULL, url text, title text, authors text, published_at text,
    language text, body text NOT NULL, topic text NOT NULL, partition integer NOT NULL, "offset" bigint NOT NULL);
CREATE INDEX IF NOT EXISTS peer_article_story ON peer_article (story_id);
CREATE INDEX IF NOT EXISTS peer_article_published ON peer_article (published_at);
CREATE INDEX IF NOT EXISTS peer_article_url ON peer_article USING hash (url);
"""


def clean(message):
    article = json.loads(message)
    if "html" in article:
        found = trafilatura.bare_extraction(
            article["html"], url=article.get("url"), with_metadata=True, include_comments=False
        )
        if found is None:
            return None
        return (article.get("url"), found.title, found.author, found.date, found.language, found.text or "")
    return (article.get("url"), article.get("title"), None, None, None, article["text"])


def shingles(text):
    words = text.lower().split()
    return {" ".join(words[i : i + WORDS]).encode() for i in range(max(1, len(words) - WORDS + 1))}


def run(options, number):
    consumer = Consumer(
        {
            "bootstrap.servers": options.brokers,
            "group.id": options.group or "peer-" + options.topic,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "fetch.max.bytes": 67108864,
            "max.partition.fetch.bytes": 16777216,
        }
    )
    consumer.subscribe([options.topic])
    index = MinHashLSH(num_perm=BANDS * ROWS, params=(BANDS, ROWS))
    stories = {}
    identity = number << 48
    with psycopg.connect(options.database) as database:
        while True:
            rows = []
            for message in consumer.consume(BATCH, timeout=0.5):
                if message.error():
                    print(message.error(), file=sys.stderr)
                    continue
                found = clean(message.value())
                if found is None:
                    continue
                identity += 1
                signature = MinHash(num_perm=BANDS * ROWS)
                signature.update_batch(shingles(found[5]))
                matches = index.query(signature)
                story = stories[matches[0]] if matches else identity
                index.insert(identity, signature, check_duplication=False)
                stories[identity] = story
                place = (message.topic(), message.partition(), message.offset())
                rows.append((identity, story, *(f.replace("\0", "") if f else f for f in found), *place))
            if rows:
                with database.cursor() as cursor, cursor.copy("COPY peer_article FROM STDIN") as copy:
                    for row in rows:
                        copy.write_row(row)
                database.commit()
                consumer.commit(asynchronous=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--brokers", required=True)
    parser.add_argument("--topic", required=True)
    parser.add_argument("--database", required=True)
    parser.add_argument("--group")
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args()
    with psycopg.connect(options.database) as database:
        database.execute(SCHEMA)
    workers = [multiprocessing.Process(target=run, args=(options, n), daemon=True) for n in range(options.processes)]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


if __name__ == "__main__":
    main()
