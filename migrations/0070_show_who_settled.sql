-- Refused messages by site and by reason, who settled them, and the log of what was settled: each by an index.

SELECT set_config('search_path', format('%I, pg_temp', current_schema()), true);

ALTER TABLE quarantine ADD COLUMN settled_by text;
COMMENT ON COLUMN quarantine.settled_by IS 'Who replayed or discarded it, where a person did so in the console. Null: by the command line, or it is held.';

-- A key is free: only one that looks like the name of a host is taken for a site.
CREATE FUNCTION copydesk_key_site(key bytea) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN octet_length(key) BETWEEN 3 AND 253 AND encode(key, 'escape') ~ '^[A-Za-z0-9-]+([.][A-Za-z0-9-]+)+$'
            THEN lower(encode(key, 'escape')) END;
COMMENT ON FUNCTION copydesk_key_site(bytea) IS 'The site that a message''s key names; null where the key is no name of a host.';
REVOKE ALL ON FUNCTION copydesk_key_site(bytea) FROM PUBLIC;

CREATE INDEX quarantine_site ON quarantine (copydesk_key_site(key), topic, partition, "offset") WHERE copydesk_key_site(key) IS NOT NULL;
CREATE INDEX quarantine_reason ON quarantine (reason, topic, partition, "offset") WHERE state = 'held';
CREATE INDEX quarantine_settled ON quarantine (settled_at) WHERE settled_at IS NOT NULL;
CREATE INDEX story_event_happened ON story_event (happened_at);
CREATE INDEX clean_event_happened ON clean_event (happened_at);
CREATE INDEX site_block_decided ON site_block (decided_at);
CREATE INDEX takedown_taken_down ON takedown (taken_down_at);
CREATE INDEX takedown_lifted ON takedown (lifted_at) WHERE lifted_at IS NOT NULL;
CREATE INDEX takedown_article ON takedown (article_id);

CREATE OR REPLACE VIEW quarantined AS
SELECT topic, partition, "offset", stage, reason, detail, state, attempts, message_time, first_seen, settled_at,
       raw_size, truncated, raw_hash,
       coalesce(octet_length(raw), 0) + coalesce(octet_length(key), 0) + coalesce(octet_length(headers), 0) AS stored_bytes,
       content_dropped_at, content_dropped_for,
       copydesk_key_site(key) AS site, settled_by
FROM quarantine;
COMMENT ON VIEW quarantined IS 'Messages that were refused, and why. Their bytes: `copydesk quarantine show`.';
COMMENT ON COLUMN quarantined.site IS 'The site that the message''s key names. Null: it had another key or none, or the key was dropped with the bytes.';
COMMENT ON COLUMN quarantined.settled_by IS 'Who replayed or discarded it, where a person did so in the console. Null: by the command line, or it is held.';

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_owner') THEN
        GRANT EXECUTE ON FUNCTION copydesk_key_site(bytea) TO copydesk_owner;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_writer') THEN
        GRANT EXECUTE ON FUNCTION copydesk_key_site(bytea) TO copydesk_writer;
        GRANT UPDATE (settled_by) ON quarantine TO copydesk_writer;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_reader') THEN
        GRANT EXECUTE ON FUNCTION copydesk_key_site(bytea) TO copydesk_reader;
    END IF;
END
$$;
