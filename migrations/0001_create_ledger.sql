-- The ledger: how far each partition is, what was seen, what was never there, what was refused.
-- The law that `copydesk audit` checks, per partition:
--     sightings + quarantined + offsets in gaps = next_offset - first_offset

CREATE TABLE setting (
    one_row     boolean PRIMARY KEY DEFAULT true CHECK (one_row),
    window_days integer NOT NULL DEFAULT 30 CHECK (window_days BETWEEN 1 AND 3660),
    common_version integer NOT NULL DEFAULT 0 CHECK (common_version >= 0)
);
INSERT INTO setting DEFAULT VALUES;
COMMENT ON TABLE setting IS 'What all workers must agree on. One row.';
COMMENT ON COLUMN setting.one_row IS 'Always true: keeps the table at one row.';
COMMENT ON COLUMN setting.window_days IS 'Days in one window of near_key. An article is compared with those of its own window and the one before. Set it before the first article is stored; changing it later needs new keys.';

COMMENT ON COLUMN setting.common_version IS 'The list of common shingles that decisions use (common_shingles). 0: none. `copydesk janitor common` builds lists and switches.';

CREATE TABLE partition_progress (
    first_offset bigint NOT NULL,
    next_offset  bigint NOT NULL,
    epoch        bigint NOT NULL,
    flushed_from bigint NOT NULL,
    claimed_from bigint NOT NULL,
    stored       bigint NOT NULL DEFAULT 0,
    quarantined  bigint NOT NULL DEFAULT 0,
    skipped      bigint NOT NULL DEFAULT 0,
    claimed_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    partition    integer NOT NULL,
    topic        text NOT NULL,
    owner        text NOT NULL,
    PRIMARY KEY (topic, partition),
    CHECK (first_offset <= next_offset)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
COMMENT ON TABLE partition_progress IS 'How far each partition of each topic is. The only truth about offsets: Kafka''s committed offsets are a hint for lag tools.';
COMMENT ON COLUMN partition_progress.topic IS 'Kafka topic.';
COMMENT ON COLUMN partition_progress.partition IS 'Partition of the topic, from 0.';
COMMENT ON COLUMN partition_progress.first_offset IS 'The first offset that copydesk ever knew of: the origin of the audit law.';
COMMENT ON COLUMN partition_progress.next_offset IS 'The first offset that is not yet done. Every offset before it is in sighting, in quarantine or in gap.';
COMMENT ON COLUMN partition_progress.epoch IS 'How often the partition was claimed. A flush under an older epoch changes nothing.';
COMMENT ON COLUMN partition_progress.flushed_from IS 'next_offset before the last flush.';
COMMENT ON COLUMN partition_progress.claimed_from IS 'next_offset when the present owner claimed the partition.';
COMMENT ON COLUMN partition_progress.stored IS 'Messages in sighting, as counted by the flushes.';
COMMENT ON COLUMN partition_progress.quarantined IS 'Messages held or discarded in quarantine, as counted by the flushes.';
COMMENT ON COLUMN partition_progress.skipped IS 'Offsets in gap, as counted by the flushes.';
COMMENT ON COLUMN partition_progress.claimed_at IS 'When the present owner claimed the partition.';
COMMENT ON COLUMN partition_progress.updated_at IS 'Time of the last flush or claim.';
COMMENT ON COLUMN partition_progress.owner IS 'The worker that claimed the partition last, as host:process.';

CREATE TABLE gap (
    from_offset bigint NOT NULL,
    to_offset   bigint NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    partition   integer NOT NULL,
    topic       text NOT NULL,
    reason      text NOT NULL CHECK (reason IN ('not_delivered', 'retention')),
    PRIMARY KEY (topic, partition, from_offset),
    CHECK (from_offset < to_offset)
);
COMMENT ON TABLE gap IS 'Offsets that never brought a message: they are accounted for, so that the audit law holds.';
COMMENT ON COLUMN gap.topic IS 'Kafka topic.';
COMMENT ON COLUMN gap.partition IS 'Partition of the topic.';
COMMENT ON COLUMN gap.from_offset IS 'First offset of the gap.';
COMMENT ON COLUMN gap.to_offset IS 'First offset after the gap.';
COMMENT ON COLUMN gap.reason IS 'not_delivered: Kafka skipped them (compaction, transaction markers, aborted transactions). retention: deleted before they were read, and on_lost_range was skip.';
COMMENT ON COLUMN gap.recorded_at IS 'When it was recorded.';

CREATE TABLE sighting (
    "offset"     bigint NOT NULL,
    article_id   bigint NOT NULL,
    message_time timestamptz,
    ingested_at  timestamptz NOT NULL,
    partition    integer NOT NULL,
    version      integer NOT NULL,
    topic        text NOT NULL,
    verdict      text NOT NULL CHECK (verdict IN ('new_article', 'new_version', 'unchanged', 'exact_copy', 'near_copy', 'excerpt', 'contains')),
    PRIMARY KEY (topic, partition, "offset")
);
CREATE INDEX sighting_article ON sighting (article_id);
COMMENT ON TABLE sighting IS 'One row per message that is an article: where it stood on the topic, and what became of it. Inserted without ON CONFLICT: a second row for an offset is a bug and must stop the worker.';
COMMENT ON COLUMN sighting.topic IS 'Kafka topic.';
COMMENT ON COLUMN sighting.partition IS 'Partition of the topic.';
COMMENT ON COLUMN sighting."offset" IS 'Offset of the message.';
COMMENT ON COLUMN sighting.article_id IS 'The article that the message is, or is a version or a repeat of.';
COMMENT ON COLUMN sighting.version IS 'The version of the article that the message is.';
COMMENT ON COLUMN sighting.verdict IS 'new_article: founded a story. exact_copy, near_copy, excerpt, contains: a new article, linked to an older one. new_version: another text at a known address. unchanged: the same text at a known address.';
COMMENT ON COLUMN sighting.message_time IS 'The message''s own timestamp in Kafka.';
COMMENT ON COLUMN sighting.ingested_at IS 'When it was stored.';

CREATE TABLE quarantine (
    "offset"      bigint NOT NULL,
    message_time  timestamptz,
    first_seen    timestamptz NOT NULL,
    settled_at    timestamptz,
    partition     integer NOT NULL,
    attempts      integer NOT NULL DEFAULT 1,
    raw_size      integer,
    truncated     boolean NOT NULL DEFAULT false,
    topic         text NOT NULL,
    stage         text NOT NULL,
    reason        text NOT NULL,
    detail        text NOT NULL,
    state         text NOT NULL DEFAULT 'held' CHECK (state IN ('held', 'replayed', 'discarded')),
    key           bytea,
    headers       bytea,
    raw           bytea,
    PRIMARY KEY (topic, partition, "offset")
);
ALTER TABLE quarantine ALTER COLUMN raw SET STORAGE EXTERNAL;
COMMENT ON TABLE quarantine IS 'Messages that were refused, with their bytes and the reason. `copydesk quarantine` shows, replays and discards them.';
COMMENT ON COLUMN quarantine.topic IS 'Kafka topic.';
COMMENT ON COLUMN quarantine.partition IS 'Partition of the topic.';
COMMENT ON COLUMN quarantine."offset" IS 'Offset of the message.';
COMMENT ON COLUMN quarantine.stage IS 'The stage that refused it: decode, clean, fingerprint or store.';
COMMENT ON COLUMN quarantine.reason IS 'Why, from the closed list of docs/quarantine.md.';
COMMENT ON COLUMN quarantine.detail IS 'What was wrong, in a sentence. Never the text itself.';
COMMENT ON COLUMN quarantine.message_time IS 'The message''s own timestamp in Kafka.';
COMMENT ON COLUMN quarantine.first_seen IS 'When it was refused first.';
COMMENT ON COLUMN quarantine.settled_at IS 'When it was replayed or discarded.';
COMMENT ON COLUMN quarantine.attempts IS 'How often it was tried.';
COMMENT ON COLUMN quarantine.state IS 'held: waiting for a person. replayed: has a row in sighting now; no longer counted here. discarded: a person gave it up; still counted here.';
COMMENT ON COLUMN quarantine.key IS 'The message''s key.';
COMMENT ON COLUMN quarantine.headers IS 'The message''s headers in order: per header four bytes length (big endian) and the name, four bytes length and the value.';
COMMENT ON COLUMN quarantine.raw IS 'The message''s value, compressed with zstd. Null for a tombstone, and after a replay.';
COMMENT ON COLUMN quarantine.raw_size IS 'Bytes of the value before compression.';
COMMENT ON COLUMN quarantine.truncated IS 'The value was over the store''s own limit and is not whole: it cannot be replayed.';
