-- Search by words: which words each article has, what of it is still to be done, and the function that people ask.
--
-- The words are made behind the flush, not in it. Making them costs as much time as all the rest of storing an article, and
-- no text, however odd, may stop a flush: a trigger only notes which articles are due, and copydesk_index_search, which workers
-- and the janitor call, does the work in transactions of its own.

ALTER TABLE setting ADD COLUMN search boolean NOT NULL DEFAULT true;
COMMENT ON COLUMN setting.search IS 'Whether articles are made searchable by their words. `copydesk janitor search on|off` switches it.';

-- The configuration's name is text: pg_upgrade refuses tables with a column of type regconfig.
CREATE TABLE article_words (
    article_id bigint PRIMARY KEY,
    config     text NOT NULL,
    words      tsvector NOT NULL
);
-- Out of line, so that a search that counts matches does not read the words of all of them.
ALTER TABLE article_words SET (toast_tuple_target = 128);
CREATE INDEX article_words_words ON article_words USING gin (words);
COMMENT ON TABLE article_words IS 'The words of each article''s latest version, for search_articles. Empty where setting.search is false.';
COMMENT ON COLUMN article_words.article_id IS 'The article.';
COMMENT ON COLUMN article_words.config IS 'The text search configuration that made the words: copydesk_search_config of the article''s language.';
COMMENT ON COLUMN article_words.words IS 'Words of title (weight A), dek (B) and body (D), with their places; of a very long text those of its first 100,000 characters.';

-- No key, and duplicates are welcome: a unique one would make a flush wait for the transaction that is making the words.
CREATE TABLE article_words_due (
    article_id bigint NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
COMMENT ON TABLE article_words_due IS 'Articles whose words are to be made (again). Written by triggers on article, emptied by copydesk_index_search.';
COMMENT ON COLUMN article_words_due.article_id IS 'The article. May be here several times.';

DO $$
BEGIN
    ALTER TABLE article_words ALTER COLUMN words SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN NULL;
END
$$;

CREATE FUNCTION copydesk_search_config(language text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE language
    WHEN 'ar' THEN 'arabic' WHEN 'hy' THEN 'armenian' WHEN 'eu' THEN 'basque' WHEN 'ca' THEN 'catalan' WHEN 'da' THEN 'danish'
    WHEN 'nl' THEN 'dutch' WHEN 'en' THEN 'english' WHEN 'fi' THEN 'finnish' WHEN 'fr' THEN 'french' WHEN 'de' THEN 'german'
    WHEN 'el' THEN 'greek' WHEN 'hi' THEN 'hindi' WHEN 'hu' THEN 'hungarian' WHEN 'id' THEN 'indonesian' WHEN 'ga' THEN 'irish'
    WHEN 'it' THEN 'italian' WHEN 'lt' THEN 'lithuanian' WHEN 'ne' THEN 'nepali' WHEN 'no' THEN 'norwegian'
    WHEN 'nb' THEN 'norwegian' WHEN 'nn' THEN 'norwegian' WHEN 'pt' THEN 'portuguese' WHEN 'ro' THEN 'romanian'
    WHEN 'ru' THEN 'russian' WHEN 'sr' THEN 'serbian' WHEN 'es' THEN 'spanish' WHEN 'sv' THEN 'swedish' WHEN 'ta' THEN 'tamil'
    WHEN 'tr' THEN 'turkish' WHEN 'yi' THEN 'yiddish' ELSE 'simple' END;
COMMENT ON FUNCTION copydesk_search_config(text) IS 'The text search configuration for a language (ISO 639 code): the stemmers that Postgres brings, simple (words as they are) for all others and for none.';

CREATE FUNCTION copydesk_unspaced() RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN '[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3001-\u3007\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0002ffff]';
COMMENT ON FUNCTION copydesk_unspaced() IS 'The characters of scripts that are written without spaces between words, as a class of a regular expression.';

-- Chinese, Japanese, Thai, Lao, Burmese, Khmer: each character becomes a word of its own, and a run of them in a query a phrase.
CREATE FUNCTION copydesk_spaced(text text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN regexp_replace(text, '(' || copydesk_unspaced() || ')', ' \1 ', 'g');
COMMENT ON FUNCTION copydesk_spaced(text) IS 'The text with spaces around each character of a script that is written without spaces.';

CREATE FUNCTION copydesk_words(config text, title text, dek text, body text) RETURNS tsvector
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE WHEN config = 'simple' THEN
        setweight(to_tsvector('simple', copydesk_spaced(left(coalesce(title, ''), 5000))), 'A')
        || setweight(to_tsvector('simple', copydesk_spaced(left(coalesce(dek, ''), 5000))), 'B')
        || to_tsvector('simple', copydesk_spaced(left(body, 90000)))
    ELSE
        setweight(to_tsvector(config::regconfig, left(coalesce(title, ''), 5000)), 'A')
        || setweight(to_tsvector(config::regconfig, left(coalesce(dek, ''), 5000)), 'B')
        || to_tsvector(config::regconfig, left(body, 90000))
    END;
COMMENT ON FUNCTION copydesk_words(text, text, text, text) IS 'The words of an article. 100,000 characters of any text stay below the megabyte that a tsvector may have.';

CREATE FUNCTION copydesk_words_due() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    IF NOT (SELECT search FROM setting) THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'INSERT' THEN
        INSERT INTO article_words_due SELECT article_id FROM stored;
    ELSE
        INSERT INTO article_words_due VALUES (NEW.article_id);
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION copydesk_words_due() IS 'Trigger on article: notes whose words are to be made.';
REVOKE ALL ON FUNCTION copydesk_words_due() FROM PUBLIC;

CREATE TRIGGER article_words_insert AFTER INSERT ON article REFERENCING NEW TABLE AS stored
    FOR EACH STATEMENT EXECUTE FUNCTION copydesk_words_due();
CREATE TRIGGER article_words_update AFTER UPDATE OF title, dek, body, language ON article FOR EACH ROW
    WHEN (OLD.body IS DISTINCT FROM NEW.body OR OLD.title IS DISTINCT FROM NEW.title OR OLD.dek IS DISTINCT FROM NEW.dek
          OR OLD.language IS DISTINCT FROM NEW.language)
    EXECUTE FUNCTION copydesk_words_due();

CREATE FUNCTION copydesk_index_search(most integer DEFAULT 200) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET client_min_messages = error AS $$
DECLARE
    places tid[];
    place  tid;
    taken  integer;
BEGIN
    -- One at a time: two could write the words of an article in the wrong order.
    IF NOT (SELECT search FROM setting) OR NOT pg_try_advisory_xact_lock('article_words'::regclass::oid::bigint) THEN
        RETURN 0;
    END IF;
    places := ARRAY(SELECT ctid FROM article_words_due LIMIT most);
    -- Mark and text are read in one statement, so from one moment: a text that changes after it has a mark of its own.
    BEGIN
        WITH due AS (DELETE FROM article_words_due WHERE ctid = ANY (places) RETURNING article_id),
        made AS (
            INSERT INTO article_words (article_id, config, words)
            SELECT a.article_id, copydesk_search_config(a.language),
                   copydesk_words(copydesk_search_config(a.language), a.title, a.dek, a.body)
            FROM article a WHERE a.article_id IN (SELECT article_id FROM due)
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
                   copydesk_words(copydesk_search_config(a.language), a.title, a.dek, a.body)
            FROM article a JOIN due USING (article_id)
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
COMMENT ON FUNCTION copydesk_index_search(integer) IS 'Makes the words of so many articles that are due. Answers with the number; 0: nothing is due, another session is at it, or search is off. Called by workers and the janitor.';
REVOKE ALL ON FUNCTION copydesk_index_search(integer) FROM PUBLIC;

CREATE FUNCTION copydesk_switch_search(wanted boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    -- Waits for the flushes that are under way, and they for this: none falls between the two states.
    LOCK TABLE article IN SHARE ROW EXCLUSIVE MODE;
    UPDATE setting SET search = wanted;
    TRUNCATE article_words_due;
    IF wanted THEN
        INSERT INTO article_words_due
        SELECT article_id FROM article a WHERE NOT EXISTS (SELECT FROM article_words w WHERE w.article_id = a.article_id);
    ELSE
        TRUNCATE article_words;
    END IF;
END
$$;
COMMENT ON FUNCTION copydesk_switch_search(boolean) IS 'Switches search on (what is stored becomes due) or off (all words are dropped). Called by `copydesk janitor search`.';
REVOKE ALL ON FUNCTION copydesk_switch_search(boolean) FROM PUBLIC;

CREATE FUNCTION copydesk_snippet(config text, body text, query tsquery) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN regexp_replace(CASE WHEN config = 'simple' THEN
        -- The spaces that made the characters words go again, and marks that meet are one.
        replace(regexp_replace(
            ts_headline('simple', copydesk_spaced(translate(left(body, 90000), '⟦⟧', '')), query,
                        'StartSel=⟦, StopSel=⟧, MaxFragments=2, MaxWords=30, MinWords=15, FragmentDelimiter=" … "'),
            '(?<=' || copydesk_unspaced() || '⟧?) {1,2}(?=⟦?' || copydesk_unspaced() || ')', '', 'g'),
            '⟧⟦', '')
    ELSE
        ts_headline(config::regconfig, translate(left(body, 90000), '⟦⟧', ''), query,
                    'StartSel=⟦, StopSel=⟧, MaxFragments=2, MaxWords=30, MinWords=15, FragmentDelimiter=" … "')
    END, '\s+', ' ', 'g');
COMMENT ON FUNCTION copydesk_snippet(text, text, tsquery) IS 'The passages of a text that answer a query, the words found marked as ⟦word⟧: brackets of that kind in the text itself are left out.';

CREATE FUNCTION copydesk_snippet_html(snippet text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN replace(replace(replace(replace(replace(replace(replace(snippet,
    '&', '&amp;'), '<', '&lt;'), '>', '&gt;'), '"', '&quot;'), '''', '&#39;'), '⟦', '<mark>'), '⟧', '</mark>');
COMMENT ON FUNCTION copydesk_snippet_html(text) IS 'A snippet of search_articles as HTML: all of the text escaped, the marks as <mark>.';

CREATE FUNCTION search_articles(
    query       text,
    in_language text DEFAULT NULL,
    at_site     text DEFAULT NULL,
    since       timestamptz DEFAULT NULL,
    until       timestamptz DEFAULT NULL,
    most        integer DEFAULT 20,
    every_copy  boolean DEFAULT false
) RETURNS TABLE (
    rank real, article_id bigint, story_id bigint, title text, site text, language text, published_at timestamptz, url text,
    snippet text
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path FROM CURRENT SET client_min_messages = error AS $$
#variable_conflict use_column
DECLARE
    asked     text := left(search_articles.query, 1000);
    -- A run of characters that are words of their own is a phrase, if it does not stand within quotes anyway.
    spaced    text := copydesk_spaced(regexp_replace(asked, '(' || copydesk_unspaced() || '+)(?!([^"]*"[^"]*")*[^"]*"[^"]*$)', '"\1"', 'g'));
    config    text;
    one       tsquery;
    configs   text[] := '{}';
    queries   tsquery[] := '{}';
    any_query tsquery;
    filter    text := '';
BEGIN
    FOR config IN
        SELECT DISTINCT copydesk_search_config(l) FROM unnest(CASE WHEN in_language IS NULL THEN ARRAY[
            'ar', 'hy', 'eu', 'ca', 'da', 'nl', 'en', 'fi', 'fr', 'de', 'el', 'hi', 'hu', 'id', 'ga', 'it', 'lt', 'ne', 'no',
            'pt', 'ro', 'ru', 'sr', 'es', 'sv', 'ta', 'tr', 'yi', ''] ELSE ARRAY[in_language] END) AS l
    LOOP
        one := websearch_to_tsquery(config::regconfig, CASE WHEN config = 'simple' THEN spaced ELSE asked END);
        -- Stop words alone, or nothing but words that must not be there: no index can answer that.
        CONTINUE WHEN numnode(one) = 0 OR querytree(one) IN ('', 'T');
        IF any_query IS NULL THEN
            any_query := one;
        ELSIF NOT EXISTS (SELECT FROM unnest(queries) q WHERE q = one) THEN
            any_query := any_query || one;
        END IF;
        configs := configs || config;
        queries := queries || one;
    END LOOP;
    IF any_query IS NULL THEN
        RETURN;
    END IF;
    IF in_language IS NOT NULL THEN
        filter := filter || ' AND a.language = $4';
    END IF;
    IF at_site IS NOT NULL THEN
        filter := filter || ' AND a.site = $5';
    END IF;
    IF since IS NOT NULL THEN
        filter := filter || ' AND a.published_at >= $6';
    END IF;
    IF until IS NOT NULL THEN
        filter := filter || ' AND a.published_at < $7';
    END IF;
    RETURN QUERY EXECUTE format(
        'WITH found AS MATERIALIZED (
             SELECT w.article_id FROM article_words w %s
             WHERE w.words @@ $1 %s
             ORDER BY w.article_id DESC LIMIT 2000
         ), ranked AS (
             SELECT a.article_id, a.story_id, w.config, q.query, ts_rank_cd(w.words, q.query, 1) AS rank
             FROM found f JOIN article_words w USING (article_id) JOIN article a USING (article_id)
             JOIN unnest($2, $3) AS q (config, query) ON q.config = w.config
             WHERE w.words @@ q.query
         ), chosen AS (
             SELECT * FROM (
                 SELECT r.*, row_number() OVER (PARTITION BY CASE WHEN $9 THEN r.article_id ELSE r.story_id END
                                                ORDER BY r.rank DESC, r.article_id) AS place FROM ranked r) p
             WHERE place = 1 ORDER BY rank DESC, article_id DESC LIMIT $8
         )
         SELECT c.rank, c.article_id, c.story_id, a.title, a.site, a.language, a.published_at, a.url,
                copydesk_snippet(c.config, a.body, c.query)
         FROM chosen c JOIN article a USING (article_id)
         ORDER BY c.rank DESC, c.article_id DESC',
        CASE WHEN filter = '' THEN '' ELSE 'JOIN article a USING (article_id)' END, filter)
    USING any_query, configs, queries, in_language, at_site, since, until, least(greatest(most, 0), 1000), every_copy;
END
$$;
COMMENT ON FUNCTION search_articles(text, text, text, timestamptz, timestamptz, integer, boolean) IS 'Articles by the words of title, dek and body, the best first: words as for a web search engine ("a phrase", or, -not), read in each article''s own language. Of more than 2,000 matches the newest are ranked. Of each story the best article, or every_copy. since and until are of published_at. snippet marks the words found as ⟦word⟧ and is plain text from strangers: copydesk_snippet_html makes it safe for a page.';
REVOKE ALL ON FUNCTION search_articles(text, text, text, timestamptz, timestamptz, integer, boolean) FROM PUBLIC;

-- What is there already becomes searchable in the background.
INSERT INTO article_words_due SELECT article_id FROM article;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_owner') THEN
        GRANT ALL ON article_words, article_words_due TO copydesk_owner;
        GRANT EXECUTE ON FUNCTION copydesk_index_search(integer), copydesk_switch_search(boolean), copydesk_words_due(),
            search_articles(text, text, text, timestamptz, timestamptz, integer, boolean) TO copydesk_owner;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_writer') THEN
        GRANT SELECT ON article_words, article_words_due TO copydesk_writer;
        GRANT EXECUTE ON FUNCTION copydesk_index_search(integer), copydesk_switch_search(boolean),
            search_articles(text, text, text, timestamptz, timestamptz, integer, boolean) TO copydesk_writer;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_reader') THEN
        GRANT EXECUTE ON FUNCTION search_articles(text, text, text, timestamptz, timestamptz, integer, boolean) TO copydesk_reader;
    END IF;
END
$$;

-- Questions that people ask (docs/queries.md). Each reads the table once while it is made, for about a second a million articles.
CREATE INDEX article_ingested ON article USING brin (ingested_at) WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX article_cut ON article (article_id) WHERE relation IN ('excerpt', 'contains');

-- As before, but a condition on article_id reaches the tables: it used to stop at the window functions, and all articles were read.
CREATE OR REPLACE VIEW article_blocks AS
SELECT v.article_id, v.version, b.position, b.kind, b.rule IS NULL AS kept, b.rule, b.evidence,
       CASE
           WHEN b.own_text IS NOT NULL THEN b.own_text
           WHEN b.length IS NOT NULL THEN substr(v.body, 1 + b.length_before, b.length)
           WHEN b.kind = 'headline' THEN v.title
           WHEN b.kind = 'dek' THEN v.dek
           ELSE v.captions[b.caption_number]
       END AS text
FROM (SELECT article_id, version, title, dek, captions, body, blocks FROM article
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

-- Retention by age: what an article leaves behind when it is dropped.
CREATE TABLE retired_article (
    article_id bigint PRIMARY KEY,
    story_id   bigint NOT NULL,
    retired_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE retired_article IS 'Articles that were dropped for their age by `copydesk janitor`. Their sightings stay, so that every offset is still accounted for; keys go with their windows.';
COMMENT ON COLUMN retired_article.article_id IS 'The article. Names of stories, links and events may still name it.';
COMMENT ON COLUMN retired_article.story_id IS 'The story it was in.';
COMMENT ON COLUMN retired_article.retired_at IS 'When it was dropped.';

CREATE VIEW retired_articles AS SELECT article_id, story_id, retired_at FROM retired_article;
COMMENT ON VIEW retired_articles IS 'Articles that were dropped for their age: what linked_to and story_id of others may still name.';
COMMENT ON COLUMN retired_articles.article_id IS 'The article.';
COMMENT ON COLUMN retired_articles.story_id IS 'The story it was in.';
COMMENT ON COLUMN retired_articles.retired_at IS 'When it was dropped.';

-- Dropping needs the right to delete, which workers do not have: retention is run by a member of copydesk_owner.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_owner') THEN
        GRANT ALL ON retired_article, retired_articles TO copydesk_owner;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_writer') THEN
        GRANT SELECT ON retired_article, retired_articles TO copydesk_writer;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_reader') THEN
        GRANT SELECT ON retired_articles TO copydesk_reader;
    END IF;
END
$$;

-- As before, but ORDER BY story_id LIMIT stops early: grouped, all articles were read for the newest stories. Driven by the first article
-- of each story that is left, whoever founded it. OFFSET 0 keeps the look-up one by one.
CREATE OR REPLACE VIEW stories AS
SELECT f.story_id, c.article_id AS canonical_article, c.title, c.site, c.url, c.language, s.articles, s.copies, s.sites, s.site_list,
       s.first_published_at, s.first_seen, s.last_seen, s.longest_words
FROM article f
CROSS JOIN LATERAL (
    SELECT count(*) AS articles,
           count(*) - 1 AS copies,
           count(DISTINCT site) AS sites,
           array_agg(DISTINCT site) FILTER (WHERE site IS NOT NULL) AS site_list,
           min(published_at) AS first_published_at,
           min(ingested_at) AS first_seen,
           max(ingested_at) AS last_seen,
           max(word_count) AS longest_words
    FROM article a WHERE a.story_id = f.story_id
) s
CROSS JOIN LATERAL (
    SELECT a.article_id, a.title, a.site, a.url, a.language FROM article a
    WHERE a.story_id = f.story_id AND a.word_count >= 0.8 * s.longest_words
    ORDER BY coalesce(a.published_at, a.message_time), a.article_id LIMIT 1
) c
WHERE NOT EXISTS (SELECT FROM article e WHERE e.story_id = f.story_id AND e.article_id < f.article_id OFFSET 0);
