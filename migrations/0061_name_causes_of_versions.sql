-- Why a version came: a new text of the publisher, or the same message cleaned by other rules. Adds columns without a default.

SELECT set_config('search_path', format('%I, pg_temp', current_schema()), true);

ALTER TABLE article ADD COLUMN version_cause text;
ALTER TABLE article_version ADD COLUMN version_cause text;
COMMENT ON COLUMN article.version_cause IS 'Why this version came: rules (the same message as the version before, cleaned by other rules), or null (another message).';
COMMENT ON COLUMN article_version.version_cause IS 'As article.version_cause.';

CREATE OR REPLACE VIEW article_versions AS
SELECT article_id, version, true AS latest, title, dek, body, word_count, captions, version_similarity,
       modified_at, message_time, version_at, body_hash, rules_version, fetched_at, coalesce(fetched_at, message_time) AS seen_at, version_cause AS cause
FROM article
UNION ALL
SELECT article_id, version, false, title, dek, body, word_count, captions, version_similarity,
       modified_at, message_time, version_at, body_hash, rules_version, fetched_at, coalesce(fetched_at, message_time), version_cause
FROM article_version;
COMMENT ON COLUMN article_versions.cause IS 'Why the version came: rules (the same message as the version before, cleaned by other rules: no edit of the publisher), or null (another message).';

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_writer') THEN
        GRANT UPDATE (version_cause) ON article TO copydesk_writer;
    END IF;
END
$$;
