-- The outbox: what is still to be put on Kafka topics (docs/outputs.md). A row is written in the transaction that stores what
-- it tells of, and deleted when Kafka has acknowledged its message: so nothing is told that was not stored, and nothing that
-- was stored goes untold. Empty unless an output is switched on.

CREATE TABLE outbox (
    outbox_id  bigint GENERATED ALWAYS AS IDENTITY,
    "offset"   bigint NOT NULL,
    story_id   bigint,
    written_at timestamptz NOT NULL DEFAULT now(),
    partition  integer NOT NULL,
    output     text NOT NULL CHECK (output IN ('dead_letters', 'articles')),
    topic      text NOT NULL,
    payload    text,
    PRIMARY KEY (output, outbox_id),
    CHECK (output <> 'articles' OR (payload IS NOT NULL AND story_id IS NOT NULL))
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_insert_threshold = -1);
COMMENT ON TABLE outbox IS 'Messages that are still to be put on Kafka topics, by output. Workers write and delete them; empty unless an output is switched on.';
COMMENT ON COLUMN outbox.outbox_id IS 'Order of the messages of one output. Ascending within one partition of the source and within one article; gaps are normal.';
COMMENT ON COLUMN outbox.output IS 'articles: a stored article or version, whole in payload. dead_letters: a message that was refused; its bytes are in quarantine.';
COMMENT ON COLUMN outbox.topic IS 'Topic of the message that it tells of.';
COMMENT ON COLUMN outbox.partition IS 'Partition of that message.';
COMMENT ON COLUMN outbox."offset" IS 'Offset of that message.';
COMMENT ON COLUMN outbox.story_id IS 'The article''s story when the row was written: the key on the topic. Null for a refused message.';
COMMENT ON COLUMN outbox.payload IS 'The message''s value (JSON). Null for a refused message.';
COMMENT ON COLUMN outbox.written_at IS 'When the transaction began that wrote it.';

DO $$
BEGIN
    ALTER TABLE outbox ALTER COLUMN payload SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN NULL;
END
$$;

CREATE VIEW outbox_status AS
SELECT output, count(*) AS waiting, min(written_at) AS oldest
FROM outbox
GROUP BY output;
COMMENT ON VIEW outbox_status IS 'What waits to be put on Kafka topics, by output. No row: nothing waits.';
COMMENT ON COLUMN outbox_status.output IS 'articles or dead_letters.';
COMMENT ON COLUMN outbox_status.waiting IS 'Messages that Kafka has not acknowledged yet.';
COMMENT ON COLUMN outbox_status.oldest IS 'When the oldest of them was written.';

-- The one table from which a worker deletes: a row that was delivered has no further use.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_owner') THEN
        GRANT ALL ON outbox, outbox_status TO copydesk_owner;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_writer') THEN
        GRANT SELECT, INSERT, DELETE ON outbox TO copydesk_writer;
        GRANT SELECT ON outbox_status TO copydesk_writer;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_reader') THEN
        GRANT SELECT ON outbox_status TO copydesk_reader;
    END IF;
END
$$;
