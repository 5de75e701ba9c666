-- The texts of articles apart from all else of them: a flush writes them before it locks keys, and whoever links, merges or splits rewrites
-- rows without a text.

SELECT set_config('search_path', format('%I, pg_temp', current_schema()), true);

CREATE TABLE article_text (
    article_id bigint PRIMARY KEY,
    blocks     jsonb NOT NULL,
    markup     jsonb,
    body       text NOT NULL
);
DO $$
BEGIN
    ALTER TABLE article_text ALTER COLUMN body SET COMPRESSION lz4, ALTER COLUMN blocks SET COMPRESSION lz4, ALTER COLUMN markup SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
    RAISE NOTICE 'this Postgres was built without lz4: texts are compressed with pglz, which is slower';
END
$$;
COMMENT ON TABLE article_text IS 'The text of each article''s latest version. It changes with a new version and when the article is cleaned again, and with nothing else.';
COMMENT ON COLUMN article_text.article_id IS 'The article.';
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['blocks', 'markup', 'body'] LOOP
        EXECUTE format('COMMENT ON COLUMN article_text.%I IS %L', name,
                       (SELECT col_description(attrelid, attnum) FROM pg_attribute WHERE attrelid = 'article'::regclass AND attname = name));
    END LOOP;
END
$$;
COMMENT ON COLUMN article_version.blocks IS 'As article_text.blocks.';

INSERT INTO article_text (article_id, blocks, markup, body) SELECT article_id, blocks, markup, body FROM article;

-- LEFT JOIN: a query that does not ask for the text does not look for it.
CREATE OR REPLACE VIEW articles AS
SELECT a.article_id, a.story_id, a.relation, a.title, a.dek, a.authors, a.site, a.site_name, a.url, a.canonical_url,
       a.published_at, a.published_offset_minutes, a.modified_at, a.language, a.section, a.tags, a.agency, a.paywalled,
       t.body, a.word_count, a.captions, a.image_url, a.version,
       a.linked_to, a.similarity, a.containment, a.containment_of_linked, a.shared_shingles, a.link_reason, a.replaces,
       a.fetched_at, a.message_time, a.ingested_at, a.version_at,
       a.title_source, a.dek_source, a.authors_source, a.site_source, a.site_name_source, a.canonical_url_source,
       a.published_source, a.modified_source, a.language_source, a.section_source, a.agency_source, a.image_url_source,
       a.warnings, a.extra, a.rules_version, a.fingerprint_version, a.common_version,
       copydesk_markdown(t.blocks, t.body, t.markup) AS body_markdown,
       copydesk_links(t.blocks, t.markup) AS links,
       copydesk_images(t.markup) AS images
FROM article a LEFT JOIN article_text t ON t.article_id = a.article_id;

CREATE OR REPLACE VIEW article_versions AS
SELECT a.article_id, a.version, true AS latest, a.title, a.dek, t.body, a.word_count, a.captions, a.version_similarity,
       a.modified_at, a.message_time, a.version_at, a.body_hash, a.rules_version, a.fetched_at, coalesce(a.fetched_at, a.message_time) AS seen_at,
       a.version_cause AS cause
FROM article a LEFT JOIN article_text t ON t.article_id = a.article_id
UNION ALL
SELECT article_id, version, false, title, dek, body, word_count, captions, version_similarity,
       modified_at, message_time, version_at, body_hash, rules_version, fetched_at, coalesce(fetched_at, message_time), version_cause
FROM article_version;

CREATE OR REPLACE VIEW removed_blocks AS
SELECT v.article_id, v.version, v.site, (b.ordinality - 1)::integer AS position,
       b.block ->> 0 AS kind, b.block ->> 2 AS rule, b.block ->> 3 AS evidence, b.block ->> 1 AS text
FROM (SELECT a.article_id, a.version, a.site, t.blocks FROM article a JOIN article_text t ON t.article_id = a.article_id
      UNION ALL
      SELECT h.article_id, h.version, a.site, h.blocks
      FROM article_version h JOIN article a USING (article_id)) v
CROSS JOIN LATERAL jsonb_array_elements(v.blocks) WITH ORDINALITY AS b (block, ordinality)
WHERE jsonb_array_length(b.block) >= 3;

CREATE OR REPLACE VIEW article_blocks AS
SELECT v.article_id, v.version, b.position, b.kind, b.rule IS NULL AS kept, b.rule, b.evidence,
       CASE
           WHEN b.own_text IS NOT NULL THEN b.own_text
           WHEN b.length IS NOT NULL THEN substr(v.body, 1 + b.length_before, b.length)
           WHEN b.kind = 'headline' THEN v.title
           WHEN b.kind = 'dek' THEN v.dek
           ELSE v.captions[b.caption_number]
       END AS text
FROM (SELECT a.article_id, a.version, a.title, a.dek, a.captions, t.body, t.blocks
      FROM article a JOIN article_text t ON t.article_id = a.article_id
      UNION ALL
      SELECT article_id, version, title, dek, captions, body, blocks FROM article_version) v
CROSS JOIN LATERAL (
    SELECT (e.ordinality - 1)::integer AS position,
           e.block ->> 0 AS kind, e.block ->> 2 AS rule, e.block ->> 3 AS evidence,
           CASE WHEN jsonb_typeof(e.block -> 1) = 'string' THEN e.block ->> 1 END AS own_text,
           l.length,
           -- A blank line stands between two paragraphs: two characters.
           (coalesce(sum(l.length + 2) OVER before_here, 0))::integer AS length_before,
           (count(*) FILTER (WHERE jsonb_array_length(e.block) = 1 AND e.block ->> 0 IN ('caption', 'credit'))
               OVER up_to_here)::integer AS caption_number
    FROM jsonb_array_elements(v.blocks) WITH ORDINALITY AS e (block, ordinality)
    CROSS JOIN LATERAL (SELECT CASE WHEN jsonb_typeof(e.block -> 1) = 'number' THEN (e.block ->> 1)::integer END) AS l (length)
    WINDOW before_here AS (ORDER BY e.ordinality ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
           up_to_here AS (ORDER BY e.ordinality)
) b;

CREATE OR REPLACE VIEW site_report AS
SELECT a.site, count(*) AS articles,
       sum(b.removed)::bigint AS blocks_removed,
       sum(b.removed_characters)::bigint AS characters_removed,
       round(avg(b.removed), 1) AS removed_per_article,
       sum(b.by_memory)::bigint AS blocks_by_memory,
       sum(b.memory_characters)::bigint AS characters_by_memory,
       count(*) FILTER (WHERE b.by_memory > 0) AS articles_by_memory,
       round(100.0 * sum(b.memory_characters) / nullif(sum(b.memory_characters) + sum(length(t.body)), 0), 2) AS percent_by_memory
FROM article a JOIN article_text t ON t.article_id = a.article_id
CROSS JOIN LATERAL (
    SELECT count(*) AS removed, coalesce(sum(length(e.block ->> 1)), 0) AS removed_characters,
           count(*) FILTER (WHERE e.block ->> 2 = 'site-memory') AS by_memory,
           coalesce(sum(length(e.block ->> 1)) FILTER (WHERE e.block ->> 2 = 'site-memory'), 0) AS memory_characters
    FROM jsonb_array_elements(t.blocks) AS e (block)
    WHERE jsonb_array_length(e.block) >= 3
) b
WHERE a.site IS NOT NULL
GROUP BY a.site;

DROP TRIGGER article_words_update ON article;
CREATE TRIGGER article_words_update AFTER UPDATE OF title, dek, language ON article FOR EACH ROW
    WHEN (OLD.title IS DISTINCT FROM NEW.title OR OLD.dek IS DISTINCT FROM NEW.dek OR OLD.language IS DISTINCT FROM NEW.language)
    EXECUTE FUNCTION copydesk_words_due();
CREATE TRIGGER article_text_words_update AFTER UPDATE OF body ON article_text FOR EACH ROW
    WHEN (OLD.body IS DISTINCT FROM NEW.body)
    EXECUTE FUNCTION copydesk_words_due();
COMMENT ON FUNCTION copydesk_words_due() IS 'Trigger on article and article_text: notes whose words are to be made.';

ALTER TABLE article DROP COLUMN blocks, DROP COLUMN markup, DROP COLUMN body;

-- Whoever drops an article drops its text: retention, takedowns, a person.
CREATE FUNCTION copydesk_drop_texts() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    DELETE FROM article_text WHERE article_id IN (SELECT article_id FROM gone);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION copydesk_drop_texts() IS 'Trigger on article: a text goes with its article.';
REVOKE ALL ON FUNCTION copydesk_drop_texts() FROM PUBLIC;
CREATE TRIGGER article_drop_texts AFTER DELETE ON article REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION copydesk_drop_texts();
COMMENT ON TABLE article IS 'One row per article in its latest version, without its text (article_text). Older versions are in article_version.';

CREATE OR REPLACE FUNCTION copydesk_index_search(most integer DEFAULT 200) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET client_min_messages = error AS $$
DECLARE
    places tid[];
    place  tid;
    taken  integer;
BEGIN
    -- One at a time: two could write the words of an article in the wrong order.
    IF NOT (SELECT search FROM setting) OR NOT copydesk_try_lock('search_index') THEN
        RETURN 0;
    END IF;
    places := ARRAY(SELECT ctid FROM article_words_due LIMIT most);
    -- Mark and text are read in one statement, so from one moment: a text that changes after it has a mark of its own.
    BEGIN
        WITH due AS (DELETE FROM article_words_due WHERE ctid = ANY (places) RETURNING article_id),
        made AS (
            INSERT INTO article_words (article_id, config, words)
            SELECT a.article_id, copydesk_search_config(a.language),
                   copydesk_words(copydesk_search_config(a.language), a.title, a.dek, t.body)
            FROM article a JOIN article_text t ON t.article_id = a.article_id WHERE a.article_id IN (SELECT article_id FROM due)
            ON CONFLICT (article_id) DO UPDATE SET config = EXCLUDED.config, words = EXCLUDED.words
        )
        SELECT count(*) INTO taken FROM due;
        RETURN taken;
    EXCEPTION WHEN program_limit_exceeded OR data_exception THEN
        NULL;
    END;
    -- One of them is beyond a limit of Postgres: it is stored without words, the others with theirs.
    FOREACH place IN ARRAY places LOOP
        BEGIN
            WITH due AS (DELETE FROM article_words_due WHERE ctid = place RETURNING article_id)
            INSERT INTO article_words (article_id, config, words)
            SELECT a.article_id, copydesk_search_config(a.language),
                   copydesk_words(copydesk_search_config(a.language), a.title, a.dek, t.body)
            FROM article a JOIN article_text t ON t.article_id = a.article_id JOIN due ON due.article_id = a.article_id
            ON CONFLICT (article_id) DO UPDATE SET config = EXCLUDED.config, words = EXCLUDED.words;
        EXCEPTION WHEN program_limit_exceeded OR data_exception THEN
            WITH due AS (DELETE FROM article_words_due WHERE ctid = place RETURNING article_id)
            INSERT INTO article_words (article_id, config, words) SELECT article_id, 'simple', '' FROM due
            ON CONFLICT (article_id) DO UPDATE SET config = EXCLUDED.config, words = EXCLUDED.words;
        END;
    END LOOP;
    RETURN cardinality(places);
END
$$;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_owner') THEN
        GRANT ALL ON article_text TO copydesk_owner;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_writer') THEN
        GRANT SELECT, INSERT ON article_text TO copydesk_writer;
        GRANT UPDATE (blocks, markup, body) ON article_text TO copydesk_writer;
    END IF;
END
$$;
