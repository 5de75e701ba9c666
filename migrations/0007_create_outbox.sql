-- The outbox: what is still to be put on Kafka topics (docs/outputs.md). A row is written in the transaction that stores what
-- it tells of, and deleted when Kafka has acknowledged its message: so nothing is told that was not stored, and nothing that
-- was stored goes untold. Empty unless an output is switched on.

-- Functions look for objects of this schema, and for tables of the session last: a table of that name there is a stranger's.
SELECT set_config('search_path', format('%I, pg_temp', current_schema()), true);

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
DO $$
BEGIN
    ALTER TABLE outbox ALTER COLUMN payload SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
    RAISE WARNING 'this Postgres was built without lz4: texts are compressed with pglz, which is slower';
END
$$;
COMMENT ON TABLE outbox IS 'Messages that are still to be put on Kafka topics, by output. Workers write and delete them; empty unless an output is switched on.';
COMMENT ON COLUMN outbox.outbox_id IS 'Order of the messages of one output. Ascending within one partition of the source and within one article; gaps are normal.';
COMMENT ON COLUMN outbox."offset" IS 'Offset of that message.';
COMMENT ON COLUMN outbox.story_id IS 'The article''s story when the row was written: the key on the topic. Null for a refused message.';
COMMENT ON COLUMN outbox.written_at IS 'When the transaction began that wrote it.';
COMMENT ON COLUMN outbox.partition IS 'Partition of that message.';
COMMENT ON COLUMN outbox.output IS 'articles: a stored article or version, whole in payload. dead_letters: a message that was refused; its bytes are in quarantine.';
COMMENT ON COLUMN outbox.topic IS 'Topic of the message that it tells of.';
COMMENT ON COLUMN outbox.payload IS 'The message''s value (JSON). Null for a refused message.';

-- Locks that the pipeline waits for, or passes by. Advisory locks are open to every login, and so is nothing here.
CREATE TABLE pipeline_lock (
    name text PRIMARY KEY
);
INSERT INTO pipeline_lock VALUES ('publish_articles'), ('publish_dead_letters'), ('search_index');
COMMENT ON TABLE pipeline_lock IS 'What one session at a time does: its row is locked by the session that does it (copydesk_try_lock).';
COMMENT ON COLUMN pipeline_lock.name IS 'publish_articles, publish_dead_letters: the publisher of an output. search_index: whoever makes words of articles.';

CREATE FUNCTION copydesk_try_lock(wanted text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM FROM pipeline_lock WHERE name = wanted FOR UPDATE SKIP LOCKED;
    RETURN FOUND;
END
$$;
COMMENT ON FUNCTION copydesk_try_lock(text) IS 'Takes a lock of pipeline_lock until the end of the transaction. Answers with false if another session has it. Called by workers and the janitor.';
