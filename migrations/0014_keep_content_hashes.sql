-- What was stored, by its hash: kept where workers only add rows, so that an article whose text changed without a new version and
-- without an event is noticed (`copydesk audit`). All without a default: no row is written anew.

SELECT set_config('search_path', format('%I, pg_temp', current_schema()), true);

ALTER TABLE sighting ADD COLUMN content_hash bytea;
COMMENT ON COLUMN sighting.content_hash IS 'copydesk_content_hash of the version that the message brought, as it was stored. Null: it brought none (unchanged), or came before hashes were kept.';
ALTER TABLE rewound_sighting ADD COLUMN content_hash bytea;
COMMENT ON COLUMN rewound_sighting.content_hash IS 'As it was in sighting.';
ALTER TABLE clean_event ADD COLUMN content_hash bytea;
COMMENT ON COLUMN clean_event.content_hash IS 'copydesk_content_hash of the version after the event. Null: from before hashes were kept.';
ALTER TABLE quarantine ADD COLUMN kept_hash bytea;
COMMENT ON COLUMN quarantine.kept_hash IS 'The first 16 bytes of the SHA-256 of raw, as it was stored. Null: there was no value, or it is from before hashes were kept.';

CREATE FUNCTION copydesk_content_hash(title text, dek text, captions text[], body text, blocks jsonb) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE
RETURN substring(sha256(convert_to(
        coalesce(octet_length(title)::text, '') || ' ' || coalesce(octet_length(dek)::text, '') || ' '
            || octet_length(array_to_string(captions, E'\x1f')) || ' ' || octet_length(body) || ' '
            || coalesce(title, '') || coalesce(dek, '') || array_to_string(captions, E'\x1f') || body || blocks::text,
        'UTF8')) FROM 1 FOR 16);
COMMENT ON FUNCTION copydesk_content_hash(text, text, text[], text, jsonb) IS 'The first 16 bytes of the SHA-256 of what a version of an article says: title, dek, captions, body and blocks (what was removed among them), each with its length before. Workers hash the same before they store it.';
REVOKE ALL ON FUNCTION copydesk_content_hash(text, text, text[], text, jsonb) FROM PUBLIC;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_owner') THEN
        GRANT EXECUTE ON FUNCTION copydesk_content_hash(text, text, text[], text, jsonb) TO copydesk_owner;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_writer') THEN
        GRANT EXECUTE ON FUNCTION copydesk_content_hash(text, text, text[], text, jsonb) TO copydesk_writer;
    END IF;
END
$$;
