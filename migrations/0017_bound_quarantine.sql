-- Quarantine has a bound, in bytes and by age: value, key and headers of a message may be dropped, its row stays.

SELECT set_config('search_path', format('%I, pg_temp', current_schema()), true);

ALTER TABLE quarantine
    ADD COLUMN raw_hash            bytea,
    ADD COLUMN content_dropped_at  timestamptz,
    ADD COLUMN content_dropped_for text CHECK (content_dropped_for IN ('replayed', 'discarded', 'age', 'bound'));
COMMENT ON COLUMN quarantine.raw_hash IS 'SHA-256 of the message''s value as it came. Stays when the bytes are dropped. Null for a tombstone, and for what an older program stored.';
COMMENT ON COLUMN quarantine.content_dropped_at IS 'When value, key and headers were dropped. Null: they are here.';
COMMENT ON COLUMN quarantine.content_dropped_for IS 'Why they were dropped. replayed: the message is an article. discarded: a person gave it up. age: quarantine.keep_days. bound: quarantine.max_bytes. Null: they are here.';
COMMENT ON COLUMN quarantine.raw IS 'The message''s value, compressed with zstd. Null for a tombstone, and once it was dropped.';
COMMENT ON COLUMN quarantine.key IS 'The message''s key. Null also once it was dropped.';
COMMENT ON COLUMN quarantine.headers IS 'The message''s headers in order: per header four bytes length (big endian) and the name, four bytes length and the value. Null also once they were dropped.';
-- What was given up kept its bytes, what was replayed its key and headers.
UPDATE quarantine SET raw = NULL, key = NULL, headers = NULL, content_dropped_at = settled_at, content_dropped_for = state WHERE state <> 'held';
-- The oldest are dropped first.
CREATE INDEX quarantine_content ON quarantine (first_seen) WHERE content_dropped_at IS NULL;
-- The space of what was dropped is to be used again soon, not when a fifth of a large table is dead.
ALTER TABLE quarantine SET (autovacuum_vacuum_scale_factor = 0.05, toast.autovacuum_vacuum_scale_factor = 0.05);

-- In the row that every flush changes anyway: a sum in one row would make flushes commit one after the other.
ALTER TABLE partition_progress
    ADD COLUMN quarantine_bytes   bigint NOT NULL DEFAULT 0,
    ADD COLUMN quarantine_dropped bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN partition_progress.quarantine_bytes IS 'Bytes of values (compressed), keys and headers in quarantine. quarantine.max_bytes bounds their sum over all partitions.';
COMMENT ON COLUMN partition_progress.quarantine_dropped IS 'Messages whose bytes were dropped for their age or for the bound, ever.';
UPDATE partition_progress p SET quarantine_bytes = s.bytes
FROM (SELECT topic, partition, sum(coalesce(octet_length(raw), 0) + coalesce(octet_length(key), 0) + coalesce(octet_length(headers), 0))::bigint AS bytes
      FROM quarantine GROUP BY topic, partition) s
WHERE s.topic = p.topic AND s.partition = p.partition;

CREATE OR REPLACE VIEW quarantined AS
SELECT topic, partition, "offset", stage, reason, detail, state, attempts, message_time, first_seen, settled_at,
       raw_size, truncated, raw_hash,
       coalesce(octet_length(raw), 0) + coalesce(octet_length(key), 0) + coalesce(octet_length(headers), 0) AS stored_bytes,
       content_dropped_at, content_dropped_for
FROM quarantine;
COMMENT ON VIEW quarantined IS 'Messages that were refused, and why. Their bytes: `copydesk quarantine show`.';
COMMENT ON COLUMN quarantined.raw_hash IS 'SHA-256 of the message''s value as it came. Stays when the bytes are dropped. Null for a tombstone, and for what an older program stored.';
COMMENT ON COLUMN quarantined.stored_bytes IS 'Bytes that are here of the message: its value (compressed), key and headers.';
COMMENT ON COLUMN quarantined.content_dropped_at IS 'When value, key and headers were dropped. Null: they are here.';
COMMENT ON COLUMN quarantined.content_dropped_for IS 'Why they were dropped. replayed: the message is an article. discarded: a person gave it up. age: quarantine.keep_days. bound: quarantine.max_bytes. Null: they are here.';

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_writer') THEN
        GRANT UPDATE (raw, key, headers, content_dropped_at, content_dropped_for) ON quarantine TO copydesk_writer;
        GRANT UPDATE (quarantine_bytes, quarantine_dropped) ON partition_progress TO copydesk_writer;
    END IF;
END
$$;
