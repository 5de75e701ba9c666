-- Search looks at the newest articles first: a word that is in most of a million texts costs no more than one that is in most of ten thousand.

SELECT set_config('search_path', format('%I, pg_temp', current_schema()), true);

-- Ranges of 8,192 articles, each with a word of its own that no text has. An index over words alone cannot begin with the newest.
CREATE FUNCTION copydesk_words_of_range(article_id bigint, words tsvector) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN words || array_to_tsvector(ARRAY['#' || (article_id >> 13)::text]);
COMMENT ON FUNCTION copydesk_words_of_range(bigint, tsvector) IS 'The words of an article, and one more for the range of 8,192 articles that it is among, as #17: no text has such a word.';
REVOKE ALL ON FUNCTION copydesk_words_of_range(bigint, tsvector) FROM PUBLIC;

CREATE INDEX article_words_of_range ON article_words USING gin (copydesk_words_of_range(article_id, words));
DROP INDEX article_words_words;

CREATE OR REPLACE FUNCTION search_articles(
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
LANGUAGE plpgsql STABLE SECURITY INVOKER SET search_path FROM CURRENT SET client_min_messages = error AS $$
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
    -- Where a word is in many articles, the newest matches are found range by range, and the rest is not looked at.
    enough    constant integer := 1000;
    few       constant bigint := 20000;
    range     bigint;
    oldest    bigint;
    newest    bigint;
    matches   bigint := 0;
    part      bigint[];
    here      bigint;
    ids       bigint[] := '{}';
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
    SELECT min(w.article_id) >> 13, max(w.article_id) >> 13 INTO oldest, newest FROM search_words w;
    -- A site, or a time, leaves few enough: the planner begins with whatever is rarer.
    range := CASE WHEN at_site IS NULL AND since IS NULL AND until IS NULL THEN newest END;
    WHILE range >= oldest LOOP
        EXECUTE format(
            'SELECT count(*), coalesce(array_agg(w.article_id ORDER BY w.article_id DESC) FILTER (WHERE %s), ''{}'')
             FROM search_words w %s WHERE copydesk_words_of_range(w.article_id, w.words) @@ $1',
            CASE WHEN in_language IS NULL THEN 'true' ELSE 'a.language = $2' END,
            CASE WHEN in_language IS NULL THEN '' ELSE 'JOIN articles a USING (article_id)' END)
        INTO here, part USING any_query && quote_literal('#' || range::text)::tsquery, in_language;
        matches := matches + here;
        ids := ids || part;
        range := range - 1;
        EXIT WHEN cardinality(ids) >= enough;
        -- So rare that all matches are few.
        EXIT WHEN matches * (newest - oldest + 1) <= few * (newest - range);
    END LOOP;
    IF cardinality(ids) < enough AND (range IS NULL OR range >= oldest) THEN
        EXECUTE format(
            'SELECT $8 || coalesce(array_agg(article_id), ''{}'') FROM (
                 SELECT w.article_id FROM search_words w %s
                 WHERE copydesk_words_of_range(w.article_id, w.words) @@ $1 %s %s
                 ORDER BY w.article_id DESC LIMIT $9) AS rest',
            CASE WHEN filter = '' THEN '' ELSE 'JOIN articles a USING (article_id)' END,
            CASE WHEN range IS NULL THEN '' ELSE 'AND w.article_id < ' || ((range + 1) << 13) END, filter)
        INTO ids
        USING any_query, configs, queries, in_language, at_site, since, until, ids, enough - cardinality(ids);
    END IF;
    RETURN QUERY EXECUTE
        'WITH ranked AS (
             SELECT a.article_id, a.story_id, w.config, q.query, ts_rank_cd(w.words, q.query, 1) AS rank
             -- The words of a text are kept compressed: taken out once, not once for each thing that is asked of them.
             FROM (SELECT article_id, config, words || '''' AS words FROM search_words WHERE article_id = ANY ($3) OFFSET 0) w
             JOIN articles a USING (article_id)
             JOIN unnest($1, $2) AS q (config, query) ON q.config = w.config
             WHERE w.words @@ q.query
         ), chosen AS (
             SELECT * FROM (
                 SELECT r.*, row_number() OVER (PARTITION BY CASE WHEN $4 THEN r.article_id ELSE r.story_id END
                                                ORDER BY r.rank DESC, r.article_id) AS place FROM ranked r) p
             WHERE place = 1 ORDER BY rank DESC, article_id DESC LIMIT $5
         )
         SELECT c.rank, c.article_id, c.story_id, a.title, a.site, a.language, a.published_at, a.url,
                copydesk_snippet(c.config, a.body, c.query)
         FROM chosen c JOIN articles a USING (article_id)
         ORDER BY c.rank DESC, c.article_id DESC'
    USING configs, queries, ids[1:enough], every_copy, least(greatest(most, 0), 1000);
END
$$;

COMMENT ON FUNCTION search_articles(text, text, text, timestamptz, timestamptz, integer, boolean) IS 'Articles by the words of title, dek and body, the best first: words as for a web search engine ("a phrase", or, -not), read in each article''s own language. Of more than 1,000 matches the newest are ranked. Of each story the best article, or every_copy. since and until are of published_at. snippet marks the words found as ⟦word⟧ and is plain text from strangers: copydesk_snippet_html makes it safe for a page.';

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_owner') THEN
        GRANT EXECUTE ON FUNCTION copydesk_words_of_range(bigint, tsvector) TO copydesk_owner;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_writer') THEN
        GRANT EXECUTE ON FUNCTION copydesk_words_of_range(bigint, tsvector) TO copydesk_writer;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_reader') THEN
        GRANT EXECUTE ON FUNCTION copydesk_words_of_range(bigint, tsvector) TO copydesk_reader;
    END IF;
END
$$;
