-- Raw input: the message that an article's shown version came of, kept so that it can be cleaned again without Kafka. Off by default.

SELECT set_config('search_path', format('%I, pg_temp', current_schema()), true);

-- With a foreign key, against the rule: whatever removes an article (retention, a takedown) must not leave its page behind, and where this is off it
-- costs nothing.
CREATE TABLE raw_input (
    article_id    bigint PRIMARY KEY REFERENCES article ON DELETE CASCADE,
    kept_at       timestamptz NOT NULL DEFAULT now(),
    message_time  timestamptz,
    raw_size      integer NOT NULL,
    rules_version text NOT NULL,
    headers       bytea,
    raw           bytea NOT NULL
);
ALTER TABLE raw_input ALTER COLUMN raw SET STORAGE EXTERNAL;
CREATE INDEX raw_input_kept ON raw_input (kept_at);
COMMENT ON TABLE raw_input IS 'Messages that the shown versions of articles came of (worker.keep_raw_days), for `copydesk janitor reclean --rules`. Removed with the article, and by the janitor.';
COMMENT ON COLUMN raw_input.article_id IS 'The article.';
COMMENT ON COLUMN raw_input.kept_at IS 'When it was stored.';
COMMENT ON COLUMN raw_input.message_time IS 'Timestamp of the message in Kafka.';
COMMENT ON COLUMN raw_input.raw_size IS 'Bytes of the message''s value as it came.';
COMMENT ON COLUMN raw_input.rules_version IS 'Version of the cleaning rules that it was last cleaned with.';
COMMENT ON COLUMN raw_input.headers IS 'The message''s headers, as in quarantine.headers.';
COMMENT ON COLUMN raw_input.raw IS 'The message''s value, compressed with zstd.';

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_owner') THEN
        GRANT ALL ON raw_input TO copydesk_owner;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_writer') THEN
        GRANT SELECT, INSERT, DELETE, UPDATE (kept_at, message_time, raw_size, rules_version, headers, raw) ON raw_input TO copydesk_writer;
    END IF;
END
$$;
