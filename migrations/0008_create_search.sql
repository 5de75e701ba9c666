-- Search by words: which words each article has, what of it is still to be done, and the function that people ask.
-- 
-- The words are made behind the flush, not in it. Making them costs as much time as all the rest of storing an article, and
-- no text, however odd, may stop a flush: a trigger only notes which articles are due, and copydesk_index_search, which workers
-- and the janitor call, does the work in transactions of its own.

-- Functions look for objects of this schema, and for tables of the session last: a table of that name there is a stranger's.
SELECT set_config('search_path', format('%I, pg_temp', current_schema()), true);

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

-- Ranges of 8,192 articles, each with a word of its own that no text has. An index over words alone cannot begin with the newest.
CREATE FUNCTION copydesk_words_of_range(article_id bigint, words tsvector) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN words || array_to_tsvector(ARRAY['#' || (article_id >> 13)::text]);
COMMENT ON FUNCTION copydesk_words_of_range(bigint, tsvector) IS 'The words of an article, and one more for the range of 8,192 articles that it is among, as #17: no text has such a word.';

-- The configuration's name is text: pg_upgrade refuses tables with a column of type regconfig.
CREATE TABLE article_words (
    article_id bigint PRIMARY KEY,
    config     text NOT NULL,
    words      tsvector NOT NULL
) PARTITION BY RANGE (article_id);
DO $$
BEGIN
    ALTER TABLE article_words ALTER COLUMN words SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
    RAISE WARNING 'this Postgres was built without lz4: texts are compressed with pglz, which is slower';
END
$$;
CREATE INDEX article_words_of_range ON article_words USING gin (copydesk_words_of_range(article_id, words));
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
COMMENT ON FUNCTION copydesk_words_due() IS 'Trigger on article and article_text: notes whose words are to be made.';

CREATE TRIGGER article_words_insert AFTER INSERT ON article REFERENCING NEW TABLE AS stored
    FOR EACH STATEMENT EXECUTE FUNCTION copydesk_words_due();
CREATE TRIGGER article_words_update AFTER UPDATE OF title, dek, language ON article FOR EACH ROW
    WHEN (OLD.title IS DISTINCT FROM NEW.title OR OLD.dek IS DISTINCT FROM NEW.dek OR OLD.language IS DISTINCT FROM NEW.language)
    EXECUTE FUNCTION copydesk_words_due();
CREATE TRIGGER article_text_words_update AFTER UPDATE OF body ON article_text FOR EACH ROW
    WHEN (OLD.body IS DISTINCT FROM NEW.body)
    EXECUTE FUNCTION copydesk_words_due();

CREATE FUNCTION copydesk_index_search(most integer DEFAULT 200) RETURNS integer
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
    -- Mark and text are read in one statement, so from one moment: a text that changes after it has a mark of its own. The article is locked
    -- against being removed meanwhile: its words would stay.
    BEGIN
        WITH due AS (DELETE FROM article_words_due WHERE ctid = ANY (places) RETURNING article_id),
        made AS (
            INSERT INTO article_words (article_id, config, words)
            SELECT a.article_id, copydesk_search_config(a.language),
                   copydesk_words(copydesk_search_config(a.language), a.title, a.dek, t.body)
            FROM article a JOIN article_text t ON t.article_id = a.article_id WHERE a.article_id IN (SELECT article_id FROM due)
            FOR KEY SHARE OF a
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
            FOR KEY SHARE OF a
            ON CONFLICT (article_id) DO UPDATE SET config = EXCLUDED.config, words = EXCLUDED.words;
        EXCEPTION WHEN program_limit_exceeded OR data_exception THEN
            WITH due AS (DELETE FROM article_words_due WHERE ctid = place RETURNING article_id)
            INSERT INTO article_words (article_id, config, words)
            SELECT a.article_id, 'simple', '' FROM article a JOIN due USING (article_id) FOR KEY SHARE OF a
            ON CONFLICT (article_id) DO UPDATE SET config = EXCLUDED.config, words = EXCLUDED.words;
        END;
    END LOOP;
    RETURN cardinality(places);
END
$$;
COMMENT ON FUNCTION copydesk_index_search(integer) IS 'Makes the words of so many articles that are due. Answers with the number; 0: nothing is due, another session is at it, or search is off. Called by workers and the janitor.';

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

-- Looks at the newest articles first: a word that is in most of a million texts costs no more than one that is in most of ten thousand.
-- Searching needs no right of the owner: what readers may read of articles, and their words (search_words).
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
    enough    constant integer := greatest(500, least(most, 1000));
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
        -- + 0: by the index of words. Backwards over the articles, the words of each would have to be unpacked and looked through.
        EXECUTE format(
            'SELECT $8 || coalesce(array_agg(article_id), ''{}'') FROM (
                 SELECT w.article_id FROM search_words w %s
                 WHERE copydesk_words_of_range(w.article_id, w.words) @@ $1 %s %s
                 ORDER BY w.article_id + 0 DESC LIMIT $9) AS rest',
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
COMMENT ON FUNCTION search_articles(text, text, text, timestamptz, timestamptz, integer, boolean) IS 'Articles by the words of title, dek and body, the best first: words as for a web search engine ("a phrase", or, -not), read in each article''s own language. Of more than 500 matches (or most, if that is more) the newest are ranked. Of each story the best article, or every_copy. since and until are of published_at. snippet marks the words found as ⟦word⟧ and is plain text from strangers: copydesk_snippet_html makes it safe for a page.';
