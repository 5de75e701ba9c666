-- Words for search were made of an article that a takedown, or retention, removed at the same moment, and stayed. No lock, no row is written anew.

SELECT set_config('search_path', format('%I, pg_temp', current_schema()), true);

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
