-- The ledger: how far each partition is, what was seen, what was never there, what was refused, what was taken back.
-- The law that `copydesk audit` checks, per partition:
--     sightings + quarantined + offsets in gaps = next_offset - first_offset

-- Functions look for objects of this schema, and for tables of the session last: a table of that name there is a stranger's.
SELECT set_config('search_path', format('%I, pg_temp', current_schema()), true);

CREATE TABLE setting (
    one_row        boolean PRIMARY KEY DEFAULT true CHECK (one_row),
    window_days    integer NOT NULL DEFAULT 30 CHECK (window_days BETWEEN 1 AND 3660),
    common_version integer NOT NULL DEFAULT 0 CHECK (common_version >= 0),
    search         boolean NOT NULL DEFAULT true,
    range_articles bigint NOT NULL DEFAULT 8388608 CHECK (range_articles BETWEEN 1 AND 1000000000000)
);
INSERT INTO setting DEFAULT VALUES;
COMMENT ON TABLE setting IS 'What all workers must agree on. One row.';
COMMENT ON COLUMN setting.one_row IS 'Always true: keeps the table at one row.';
COMMENT ON COLUMN setting.window_days IS 'Days in one window of near_key. An article is compared with those of its own window and the one before. Set it before the first article is stored; changing it later needs new keys.';
COMMENT ON COLUMN setting.common_version IS 'The list of common shingles that decisions use (common_shingles). 0: none. `copydesk janitor common` builds lists and switches.';
COMMENT ON COLUMN setting.range_articles IS 'Articles in a range (article_range), from the next one on that is made. `copydesk migrate --range-articles` sets it. Smaller: retention gives space back sooner, and each question looks into more partitions.';
COMMENT ON COLUMN setting.search IS 'Whether articles are made searchable by their words. `copydesk janitor search on|off` switches it.';

-- The sums of quarantine are in the row that every flush changes anyway: a sum in one row would make flushes commit one after the other.
CREATE TABLE partition_progress (
    first_offset       bigint NOT NULL,
    next_offset        bigint NOT NULL,
    epoch              bigint NOT NULL,
    flushed_from       bigint NOT NULL,
    claimed_from       bigint NOT NULL,
    in_hand_until      bigint NOT NULL DEFAULT 0,
    stored             bigint NOT NULL DEFAULT 0,
    quarantined        bigint NOT NULL DEFAULT 0,
    skipped            bigint NOT NULL DEFAULT 0,
    quarantine_bytes   bigint NOT NULL DEFAULT 0,
    quarantine_dropped bigint NOT NULL DEFAULT 0,
    claimed_at         timestamptz NOT NULL DEFAULT now(),
    updated_at         timestamptz NOT NULL DEFAULT now(),
    partition          integer NOT NULL,
    unfinished_claims  integer NOT NULL DEFAULT 0,
    topic              text NOT NULL,
    owner              text NOT NULL,
    PRIMARY KEY (topic, partition),
    CHECK (first_offset <= next_offset)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
COMMENT ON TABLE partition_progress IS 'How far each partition of each topic is. The only truth about offsets: Kafka''s committed offsets are a hint for lag tools.';
COMMENT ON COLUMN partition_progress.first_offset IS 'The first offset that copydesk ever knew of: the origin of the audit law.';
COMMENT ON COLUMN partition_progress.next_offset IS 'The first offset that is not yet done. Every offset before it is in sighting, in quarantine or in gap.';
COMMENT ON COLUMN partition_progress.epoch IS 'How often the partition was claimed. A flush under an older epoch changes nothing.';
COMMENT ON COLUMN partition_progress.flushed_from IS 'next_offset before the last flush.';
COMMENT ON COLUMN partition_progress.claimed_from IS 'next_offset when the present owner claimed the partition.';
COMMENT ON COLUMN partition_progress.in_hand_until IS 'What stored + quarantined will be when all messages are done that the present owner may have had in hand right after its claim. 0: the partition was given back with nothing in hand.';
COMMENT ON COLUMN partition_progress.stored IS 'Messages in sighting, as counted by the flushes.';
COMMENT ON COLUMN partition_progress.quarantined IS 'Messages held or discarded in quarantine, as counted by the flushes.';
COMMENT ON COLUMN partition_progress.skipped IS 'Offsets in gap, as counted by the flushes.';
COMMENT ON COLUMN partition_progress.quarantine_bytes IS 'Bytes of values (compressed), keys and headers in quarantine. quarantine.max_bytes bounds their sum over all partitions.';
COMMENT ON COLUMN partition_progress.quarantine_dropped IS 'Messages whose bytes were dropped for their age or for the bound, ever.';
COMMENT ON COLUMN partition_progress.claimed_at IS 'When the present owner claimed the partition.';
COMMENT ON COLUMN partition_progress.updated_at IS 'Time of the last flush or claim.';
COMMENT ON COLUMN partition_progress.partition IS 'Partition of the topic, from 0.';
COMMENT ON COLUMN partition_progress.unfinished_claims IS 'Claims in a row, before the present one, that ended before their owner reached in_hand_until, the first of them without giving the partition back: that owner may have died of a message.';
COMMENT ON COLUMN partition_progress.topic IS 'Kafka topic.';
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
COMMENT ON COLUMN gap.from_offset IS 'First offset of the gap.';
COMMENT ON COLUMN gap.to_offset IS 'First offset after the gap.';
COMMENT ON COLUMN gap.recorded_at IS 'When it was recorded.';
COMMENT ON COLUMN gap.partition IS 'Partition of the topic.';
COMMENT ON COLUMN gap.topic IS 'Kafka topic.';
COMMENT ON COLUMN gap.reason IS 'not_delivered: Kafka skipped them (compaction, transaction markers, aborted transactions). retention: deleted before they were read, and on_lost_range was skip.';

CREATE TABLE sighting (
    "offset"     bigint NOT NULL,
    article_id   bigint NOT NULL,
    message_time timestamptz,
    ingested_at  timestamptz NOT NULL DEFAULT now(),
    partition    integer NOT NULL,
    version      integer NOT NULL,
    topic        text NOT NULL,
    verdict      text NOT NULL CHECK (verdict IN
        ('new_article', 'new_version', 'older_version', 'unchanged', 'exact_copy', 'near_copy', 'excerpt', 'contains', 'taken_down')),
    content_hash bytea,
    PRIMARY KEY (topic, partition, "offset")
);
CREATE INDEX sighting_article ON sighting (article_id);
COMMENT ON TABLE sighting IS 'One row per message that is an article: where it stood on the topic, and what became of it. Inserted without ON CONFLICT: a second row for an offset is a bug and must stop the worker.';
COMMENT ON COLUMN sighting."offset" IS 'Offset of the message.';
COMMENT ON COLUMN sighting.article_id IS 'The article that the message is, or is a version or a repeat of.';
COMMENT ON COLUMN sighting.message_time IS 'The message''s own timestamp in Kafka.';
COMMENT ON COLUMN sighting.ingested_at IS 'When it was stored.';
COMMENT ON COLUMN sighting.partition IS 'Partition of the topic.';
COMMENT ON COLUMN sighting.version IS 'The version of the article that the message is.';
COMMENT ON COLUMN sighting.topic IS 'Kafka topic.';
COMMENT ON COLUMN sighting.verdict IS 'new_article: founded a story. exact_copy, near_copy, excerpt, contains: a new article, linked to an older one. new_version: another text at a known address. older_version: another text at a known address, seen before the one that is shown. unchanged: a text that a known address has, or has had. taken_down: not stored, because of a takedown, or a tombstone, which took its article down.';
COMMENT ON COLUMN sighting.content_hash IS 'copydesk_content_hash of the version that the message brought, as it was stored. Null: it brought none (unchanged).';

-- A key is free: only one that looks like the name of a host is taken for a site.
CREATE FUNCTION copydesk_key_site(key bytea) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN octet_length(key) BETWEEN 3 AND 253 AND encode(key, 'escape') ~ '^[A-Za-z0-9-]+([.][A-Za-z0-9-]+)+$'
            THEN lower(encode(key, 'escape')) END;
COMMENT ON FUNCTION copydesk_key_site(bytea) IS 'The site that a message''s key names; null where the key is no name of a host.';

CREATE TABLE quarantine (
    "offset"            bigint NOT NULL,
    message_time        timestamptz,
    first_seen          timestamptz NOT NULL,
    settled_at          timestamptz,
    content_dropped_at  timestamptz,
    partition           integer NOT NULL,
    attempts            integer NOT NULL DEFAULT 1,
    raw_size            integer,
    truncated           boolean NOT NULL DEFAULT false,
    topic               text NOT NULL,
    stage               text NOT NULL,
    reason              text NOT NULL,
    detail              text NOT NULL,
    state               text NOT NULL DEFAULT 'held' CHECK (state IN ('held', 'replayed', 'discarded')),
    settled_by          text,
    content_dropped_for text CHECK (content_dropped_for IN ('replayed', 'discarded', 'age', 'bound')),
    key                 bytea,
    headers             bytea,
    raw_hash            bytea,
    kept_hash           bytea,
    raw                 bytea,
    PRIMARY KEY (topic, partition, "offset")
);
ALTER TABLE quarantine ALTER COLUMN raw SET STORAGE EXTERNAL;
-- The space of what was dropped is to be used again soon, not when a fifth of a large table is dead.
ALTER TABLE quarantine SET (autovacuum_vacuum_scale_factor = 0.05, toast.autovacuum_vacuum_scale_factor = 0.05);
-- The oldest are dropped first.
CREATE INDEX quarantine_content ON quarantine (first_seen) WHERE content_dropped_at IS NULL;
CREATE INDEX quarantine_site ON quarantine (copydesk_key_site(key), topic, partition, "offset") WHERE copydesk_key_site(key) IS NOT NULL;
CREATE INDEX quarantine_held ON quarantine (topic, partition, "offset") WHERE state = 'held';
CREATE INDEX quarantine_reason ON quarantine (reason, topic, partition, "offset") WHERE state = 'held';
CREATE INDEX quarantine_settled ON quarantine (settled_at) WHERE settled_at IS NOT NULL;
COMMENT ON TABLE quarantine IS 'Messages that were refused, with their bytes and the reason. `copydesk quarantine` shows, replays and discards them.';
COMMENT ON COLUMN quarantine."offset" IS 'Offset of the message.';
COMMENT ON COLUMN quarantine.message_time IS 'The message''s own timestamp in Kafka.';
COMMENT ON COLUMN quarantine.first_seen IS 'When it was refused first.';
COMMENT ON COLUMN quarantine.settled_at IS 'When it was replayed or discarded.';
COMMENT ON COLUMN quarantine.content_dropped_at IS 'When value, key and headers were dropped. Null: they are here.';
COMMENT ON COLUMN quarantine.partition IS 'Partition of the topic.';
COMMENT ON COLUMN quarantine.attempts IS 'How often it was tried.';
COMMENT ON COLUMN quarantine.raw_size IS 'Bytes of the value before compression.';
COMMENT ON COLUMN quarantine.truncated IS 'The value was over the store''s own limit and is not whole: it cannot be replayed.';
COMMENT ON COLUMN quarantine.topic IS 'Kafka topic.';
COMMENT ON COLUMN quarantine.stage IS 'The stage that refused it: decode, clean, fingerprint or store.';
COMMENT ON COLUMN quarantine.reason IS 'Why, from the closed list of docs/quarantine.md.';
COMMENT ON COLUMN quarantine.detail IS 'What was wrong, in a sentence. Never the text itself.';
COMMENT ON COLUMN quarantine.state IS 'held: waiting for a person. replayed: has a row in sighting now; no longer counted here. discarded: a person gave it up; still counted here.';
COMMENT ON COLUMN quarantine.settled_by IS 'Who replayed or discarded it, where a person did so in the console. Null: by the command line, or it is held.';
COMMENT ON COLUMN quarantine.content_dropped_for IS 'Why they were dropped. replayed: the message is an article. discarded: a person gave it up. age: quarantine.keep_days. bound: quarantine.max_bytes. Null: they are here.';
COMMENT ON COLUMN quarantine.key IS 'The message''s key. Null also once it was dropped.';
COMMENT ON COLUMN quarantine.headers IS 'The message''s headers in order: per header four bytes length (big endian) and the name, four bytes length and the value. Null also once they were dropped.';
COMMENT ON COLUMN quarantine.raw_hash IS 'SHA-256 of the message''s value as it came. Stays when the bytes are dropped. Null for a tombstone.';
COMMENT ON COLUMN quarantine.kept_hash IS 'The first 16 bytes of the SHA-256 of raw, as it was stored. Null: there was no value.';
COMMENT ON COLUMN quarantine.raw IS 'The message''s value, compressed with zstd. Null for a tombstone, and once it was dropped.';

CREATE TABLE rewind (
    rewind_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    from_offset bigint NOT NULL,
    to_offset   bigint NOT NULL,
    sightings   bigint NOT NULL,
    quarantined bigint NOT NULL,
    skipped     bigint NOT NULL,
    rewound_at  timestamptz NOT NULL DEFAULT now(),
    partition   integer NOT NULL,
    topic       text NOT NULL,
    rewound_by  text NOT NULL,
    CHECK (to_offset < from_offset)
);
COMMENT ON TABLE rewind IS 'One row per partition that a person has set back with `copydesk rewind`, and how many rows were taken back with it.';
COMMENT ON COLUMN rewind.rewind_id IS 'Numbers rewinds in their order.';
COMMENT ON COLUMN rewind.from_offset IS 'next_offset before the rewind.';
COMMENT ON COLUMN rewind.to_offset IS 'next_offset after it: everything from here on was to be read again.';
COMMENT ON COLUMN rewind.sightings IS 'Rows of sighting that were taken back. Their articles stay.';
COMMENT ON COLUMN rewind.quarantined IS 'Rows of quarantine that were taken back, without those that were replayed.';
COMMENT ON COLUMN rewind.skipped IS 'Offsets of gap that were taken back.';
COMMENT ON COLUMN rewind.rewound_at IS 'When.';
COMMENT ON COLUMN rewind.partition IS 'Partition of the topic.';
COMMENT ON COLUMN rewind.topic IS 'Kafka topic.';
COMMENT ON COLUMN rewind.rewound_by IS 'Who: user, machine and process.';

CREATE TABLE rewound_sighting (
    rewind_id    bigint NOT NULL REFERENCES rewind,
    "offset"     bigint NOT NULL,
    article_id   bigint NOT NULL,
    message_time timestamptz,
    ingested_at  timestamptz NOT NULL,
    version      integer NOT NULL,
    verdict      text NOT NULL,
    content_hash bytea,
    PRIMARY KEY (rewind_id, "offset")
);
CREATE INDEX rewound_sighting_article ON rewound_sighting (article_id);
COMMENT ON TABLE rewound_sighting IS 'Rows of sighting that a rewind took back. Their articles stay, and this says where they came from until, and also if never, their message is read again.';
COMMENT ON COLUMN rewound_sighting.rewind_id IS 'The rewind; it names topic and partition.';
COMMENT ON COLUMN rewound_sighting."offset" IS 'Offset of the message.';
COMMENT ON COLUMN rewound_sighting.article_id IS 'As it was in sighting.';
COMMENT ON COLUMN rewound_sighting.message_time IS 'As it was in sighting.';
COMMENT ON COLUMN rewound_sighting.ingested_at IS 'As it was in sighting.';
COMMENT ON COLUMN rewound_sighting.version IS 'As it was in sighting.';
COMMENT ON COLUMN rewound_sighting.verdict IS 'As it was in sighting.';
COMMENT ON COLUMN rewound_sighting.content_hash IS 'As it was in sighting.';
