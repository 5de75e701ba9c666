-- Each role may do what the code does with it, and no more.

-- Of this schema alone, and of tables of the session last: a table of that name there is a stranger's.
SELECT set_config('search_path', format('%I, pg_temp', current_schema()), true);

-- Nobody but the owner makes objects beside those of copydesk, where functions would find them. (So it is in databases that were made by
-- Postgres 15 or newer, but not in those that were upgraded.)
DO $$
BEGIN
    EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM PUBLIC', current_schema());
EXCEPTION WHEN insufficient_privilege THEN
    RAISE NOTICE 'may not take CREATE on this schema from PUBLIC; its owner may';
END
$$;

-- Searching needs no right of the owner: what readers may read of articles, and their words.
CREATE VIEW search_words AS SELECT article_id, config, words FROM article_words;
COMMENT ON VIEW search_words IS 'The words of each article, as search_articles looks them up.';
COMMENT ON COLUMN search_words.article_id IS 'The article.';
COMMENT ON COLUMN search_words.config IS 'The text search configuration that made the words.';
COMMENT ON COLUMN search_words.words IS 'Words of title (weight A), dek (B) and body (D), with their places.';

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
             SELECT w.article_id FROM search_words w %s
             WHERE w.words @@ $1 %s
             ORDER BY w.article_id DESC LIMIT 2000
         ), ranked AS (
             SELECT a.article_id, a.story_id, w.config, q.query, ts_rank_cd(w.words, q.query, 1) AS rank
             FROM found f JOIN search_words w USING (article_id) JOIN articles a USING (article_id)
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
         FROM chosen c JOIN articles a USING (article_id)
         ORDER BY c.rank DESC, c.article_id DESC',
        CASE WHEN filter = '' THEN '' ELSE 'JOIN articles a USING (article_id)' END, filter)
    USING any_query, configs, queries, in_language, at_site, since, until, least(greatest(most, 0), 1000), every_copy;
END
$$;

-- Locks that the pipeline waits for, or passes by. Advisory locks are open to every login, and so is nothing here.
CREATE TABLE pipeline_lock (
    name text PRIMARY KEY
);
COMMENT ON TABLE pipeline_lock IS 'What one session at a time does: its row is locked by the session that does it (copydesk_try_lock). Flushes that enter a turn lock the whole table, which the row locks do not hinder.';
COMMENT ON COLUMN pipeline_lock.name IS 'publish_articles, publish_dead_letters: the publisher of an output. search_index: whoever makes words of articles.';
INSERT INTO pipeline_lock VALUES ('publish_articles'), ('publish_dead_letters'), ('search_index');

CREATE FUNCTION copydesk_try_lock(wanted text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM FROM pipeline_lock WHERE name = wanted FOR UPDATE SKIP LOCKED;
    RETURN FOUND;
END
$$;
COMMENT ON FUNCTION copydesk_try_lock(text) IS 'Takes a lock of pipeline_lock until the end of the transaction. Answers with false if another session has it. Called by workers and the janitor.';

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

CREATE OR REPLACE FUNCTION copydesk_enter_turn(entering bigint, wanted bytea) RETURNS bigint[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET lock_timeout = '1s' SET enable_seqscan = off AS $$
DECLARE
    present pg_snapshot;
    running bigint[];
    next    bigint;
    here    bigint;
    earlier bigint[];
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'flushes take turns in READ COMMITTED only: what was there when the lock was free must be seen'
            USING HINT = 'Reset default_transaction_isolation of this role or database.';
    END IF;
    -- One after the other: of any two flushes the later one sees the earlier. Not a row: this transaction must get its number behind the
    -- lock, and whoever locks a row has one before.
    LOCK TABLE pipeline_lock IN SHARE ROW EXCLUSIVE MODE;
    SELECT pg_current_snapshot() INTO present;
    -- Transactions that run: these, and those from the next number on, up to this one, which is younger than every flush in the table
    -- (unless that is from another server's backup).
    running := ARRAY(SELECT pg_snapshot_xip(present)::text::bigint);
    next := pg_snapshot_xmax(present)::text::bigint;
    here := pg_current_xact_id()::text::bigint;
    earlier := ARRAY(SELECT flush FROM flush_turn WHERE flush = ANY (running) AND flush <> entering
                     UNION ALL SELECT flush FROM flush_turn WHERE flush BETWEEN next AND here AND flush <> entering);
    IF random() < 0.02 THEN
        DELETE FROM flush_turn WHERE flush < next AND flush <> ALL (running);
        DELETE FROM flush_turn WHERE flush > here;
    END IF;
    INSERT INTO flush_turn VALUES (entering, wanted) ON CONFLICT (flush) DO UPDATE SET keys = EXCLUDED.keys;
    RETURN earlier;
END
$$;
COMMENT ON FUNCTION copydesk_enter_turn(bigint, bytea) IS 'Says which keys a flush wants, and answers with the flushes under way that said so before it. The flush must have its transaction''s id already; to be called in another transaction, which ends with it. Called by workers.';
COMMENT ON COLUMN flush_turn.flush IS 'The flush: its transaction''s id.';

CREATE FUNCTION copydesk_await_flushes(flushes bigint[], patience interval) RETURNS boolean
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    deadline timestamptz := clock_timestamp() + patience;
    flush    bigint;
BEGIN
    FOREACH flush IN ARRAY flushes LOOP
        -- A flush takes hundredths of a second. There is no lock to wait for that a reader could not take as well.
        WHILE pg_xact_status(flush::text::xid8) = 'in progress' LOOP
            IF clock_timestamp() >= deadline THEN
                RETURN false;
            END IF;
            PERFORM pg_sleep(0.001);
        END LOOP;
    END LOOP;
    RETURN true;
END
$$;
COMMENT ON FUNCTION copydesk_await_flushes(bigint[], interval) IS 'Waits until these flushes (transactions, by their ids) are over, or for so long at the most. Answers whether they are over. Called by workers.';

-- Functions that run as their owner: one path, that of this schema.
DO $$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT oid::regprocedure AS function, prosecdef FROM pg_proc
        WHERE pronamespace = current_schema()::regnamespace AND (proname LIKE 'copydesk\_%' OR proname = 'search_articles')
    LOOP
        IF found.prosecdef THEN
            EXECUTE format('ALTER FUNCTION %s SET search_path FROM CURRENT', found.function);
        END IF;
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', found.function);
    END LOOP;
END
$$;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_owner') THEN
        GRANT ALL ON pipeline_lock, search_words TO copydesk_owner;
        EXECUTE format('GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA %I TO copydesk_owner', current_schema());
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_writer') THEN
        GRANT SELECT ON pipeline_lock, search_words TO copydesk_writer;
        GRANT EXECUTE ON FUNCTION copydesk_try_lock(text), copydesk_await_flushes(bigint[], interval), copydesk_window(timestamptz),
            copydesk_search_config(text), copydesk_spaced(text), copydesk_unspaced(), copydesk_snippet(text, text, tsquery),
            copydesk_snippet_html(text) TO copydesk_writer;

        -- By column, what the code changes of a row that is there.
        REVOKE UPDATE ON
            partition_progress, gap, sighting, quarantine, article, article_identity, article_version, near_key, evidence,
            story_event, common_shingles, setting, site_young, site_block, travelling_block, clean_event FROM copydesk_writer;
        -- A flush, a claim, a lost range, a replay.
        GRANT UPDATE (next_offset, epoch, flushed_from, claimed_from, stored, quarantined, skipped, claimed_at, updated_at, owner)
            ON partition_progress TO copydesk_writer;
        -- A replay and a discard.
        GRANT UPDATE (settled_at, attempts, stage, reason, detail, state, raw) ON quarantine TO copydesk_writer;
        -- A new version brings new content (what it was goes to article_version), the janitor cleans again, stories change.
        GRANT UPDATE (
                published_at, modified_at, fetched_at, message_time, version_at, version, word_count, published_offset_minutes,
                modified_offset_minutes, version_similarity, fingerprint_version, paywalled, body_hash, raw_hash, rules_version,
                site, site_source, site_name, site_name_source, title, title_source, dek, dek_source, authors, authors_source,
                published_source, modified_source, language, language_source, section, section_source, agency, agency_source, tags,
                image_url, image_url_source, url, canonical_url, canonical_url_source, warnings, captions, extra, blocks, body,
                story_id, linked_to, relation, link_reason, similarity, containment, containment_of_linked, shared_shingles)
            ON article TO copydesk_writer;
        -- An address that is used again.
        GRANT UPDATE (article_id) ON article_identity TO copydesk_writer;
        -- The evidence is of the latest version.
        GRANT UPDATE (
                site_hash, url_hash, fingerprint_version, recents, between_stories, block_hashes, title_words, dropped_blocks, refusals,
                evidence, story_id, site_stories, page_blocks, site_view)
            ON evidence TO copydesk_writer;
        GRANT UPDATE (window_days, common_version, site_backfill_from) ON setting TO copydesk_writer;
        -- Lists of what is to be done, and of what is known and of what people said.
        GRANT UPDATE (articles) ON site_young TO copydesk_writer;
        GRANT UPDATE (decision, why, sample, decided_by, decided_at) ON site_block TO copydesk_writer;
        GRANT UPDATE (stories, found_at) ON travelling_block TO copydesk_writer;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_reader') THEN
        GRANT SELECT ON search_words TO copydesk_reader;
        GRANT EXECUTE ON FUNCTION copydesk_search_config(text), copydesk_spaced(text), copydesk_unspaced(),
            copydesk_snippet(text, text, tsquery), copydesk_snippet_html(text) TO copydesk_reader;
    END IF;
END
$$;
