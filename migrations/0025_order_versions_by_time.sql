-- The version that is shown is the one that was seen last, whatever comes later. Adds a column without a default and a value to a
-- check; no row is written anew.

SELECT set_config('search_path', format('%I, pg_temp', current_schema()), true);

ALTER TABLE article_version ADD COLUMN fetched_at timestamptz;
COMMENT ON COLUMN article_version.fetched_at IS 'When the producer fetched it, if it said so. Null also for versions that were replaced before this was kept.';
COMMENT ON TABLE article_version IS 'Versions of articles that are not shown: replaced by a later one, or seen before it and arrived behind it. The shown one is in article.';
COMMENT ON COLUMN article_version.version IS 'Number of the version in the order of arrival, from 1.';
COMMENT ON COLUMN article.version IS 'Number of this version in the order of arrival, from 1. A higher one may be among article_versions: it was seen before this one and came after it.';

ALTER TABLE sighting DROP CONSTRAINT sighting_verdict_check;
ALTER TABLE sighting ADD CONSTRAINT sighting_verdict_check CHECK (verdict IN
    ('new_article', 'new_version', 'older_version', 'unchanged', 'exact_copy', 'near_copy', 'excerpt', 'contains')) NOT VALID;
COMMENT ON COLUMN sighting.verdict IS 'new_article: founded a story. exact_copy, near_copy, excerpt, contains: a new article, linked to an older one. new_version: another text at a known address. older_version: another text at a known address, seen before the one that is shown. unchanged: a text that a known address has, or has had.';

CREATE OR REPLACE VIEW article_versions AS
SELECT article_id, version, true AS latest, title, dek, body, word_count, captions, version_similarity,
       modified_at, message_time, version_at, body_hash, rules_version, fetched_at, coalesce(fetched_at, message_time) AS seen_at
FROM article
UNION ALL
SELECT article_id, version, false, title, dek, body, word_count, captions, version_similarity,
       modified_at, message_time, version_at, body_hash, rules_version, fetched_at, coalesce(fetched_at, message_time)
FROM article_version;
COMMENT ON VIEW article_versions IS 'Every version of every article, the shown one among them. In the order in which they were seen: ORDER BY seen_at, version.';
COMMENT ON COLUMN article_versions.version IS 'Number of the version in the order of arrival, from 1.';
COMMENT ON COLUMN article_versions.fetched_at IS 'When the producer fetched it, if it said so.';
COMMENT ON COLUMN article_versions.seen_at IS 'When it was seen: fetched_at, or without it message_time.';
COMMENT ON COLUMN article_versions.latest IS 'Whether it is the version that articles shows: the one that was seen last.';
COMMENT ON COLUMN articles.version IS 'Number of this version in the order of arrival, from 1. A higher one may be among article_versions: it was seen before this one and came after it.';
COMMENT ON COLUMN sightings.verdict IS 'new_article: founded a story. exact_copy, near_copy, excerpt, contains: a new article, linked to an older one. new_version: another text at a known address. older_version: another text at a known address, seen before the one that is shown. unchanged: a text that a known address has, or has had.';
