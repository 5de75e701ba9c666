-- Ranges of article_id: what articles are made of (article_text, article_version, evidence, article_words) is partitioned by them, so that
-- retention drops what is old whole, and vacuum and indexes of what is old have nothing more to do. The article's own row is not: it is asked for by twenty
-- other columns, each of which would have to be looked for in every partition (docs/decisions/013-ranges-of-articles.md).

-- Functions look for objects of this schema, and for tables of the session last: a table of that name there is a stranger's.
SELECT set_config('search_path', format('%I, pg_temp', current_schema()), true);

CREATE TABLE article_range (
    first_id       bigint PRIMARY KEY,
    end_id         bigint NOT NULL,
    dropping_since timestamptz,
    CHECK (first_id < end_id)
);
COMMENT ON TABLE article_range IS 'Ranges of article_id, each with its partitions of article_text, article_version, evidence and article_words (as article_text_0). Made ahead by workers and the janitor.';
COMMENT ON COLUMN article_range.first_id IS 'The first article_id of the range.';
COMMENT ON COLUMN article_range.end_id IS 'The first article_id behind the range.';
COMMENT ON COLUMN article_range.dropping_since IS 'When retention found that all its articles are past keeping: their rows go one after the other, and what they are made of with the range. Null: it stays.';

-- ATTACH, not PARTITION OF: that would lock the tables against readers.
CREATE FUNCTION copydesk_create_ranges() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    size    bigint := (SELECT range_articles FROM setting);
    reached bigint := (SELECT last_value FROM article_id_seq);
    behind  bigint;
    parent  text;
    name    text;
    created integer := 0;
BEGIN
    IF (SELECT max(end_id) FROM article_range) > reached + size THEN
        RETURN 0;
    END IF;
    -- One session at a time: whoever comes second sees what the first one made.
    LOCK TABLE article_range IN SHARE UPDATE EXCLUSIVE MODE;
    LOOP
        behind := coalesce((SELECT max(end_id) FROM article_range), 0);
        -- A whole range lies ahead of the numbers that were given out.
        EXIT WHEN behind > reached + size;
        -- Numbers that were left out, as after a restore, get no ranges of their own.
        behind := greatest(behind, reached - reached % size);
        FOREACH parent IN ARRAY ARRAY['article_text', 'article_version', 'evidence', 'article_words'] LOOP
            name := parent || '_' || behind;
            EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', name, parent);
            EXECUTE format('COMMENT ON TABLE %I IS %L', name, format('%s of articles %s to %s.', parent, behind, behind + size - 1));
            IF parent = 'article_words' THEN
                -- Out of line, so that a search that counts matches does not read the words of all of them.
                EXECUTE format('ALTER TABLE %I SET (toast_tuple_target = 128)', name);
            END IF;
            EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', parent, name, behind, behind + size);
        END LOOP;
        INSERT INTO article_range (first_id, end_id) VALUES (behind, behind + size);
        created := created + 1;
    END LOOP;
    RETURN created;
END
$$;
COMMENT ON FUNCTION copydesk_create_ranges() IS 'Makes ranges until a whole one lies ahead of the numbers that were given out. Answers with the number made; mostly 0. Nobody waits for it. Called by `copydesk migrate`, workers and `copydesk janitor`.';

CREATE FUNCTION copydesk_is_dropping(wanted bigint) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
RETURN EXISTS (SELECT FROM article_range WHERE dropping_since IS NOT NULL AND wanted >= first_id AND wanted < end_id);
COMMENT ON FUNCTION copydesk_is_dropping(bigint) IS 'Whether what this article is made of goes with its range, and not row by row.';

CREATE FUNCTION copydesk_drop_range(wanted bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET lock_timeout = '2s' AS $$
DECLARE
    behind bigint;
    parent text;
BEGIN
    -- Whoever drops articles of it looks at this row first, and holds it (FOR SHARE).
    SELECT end_id INTO behind FROM article_range WHERE first_id = wanted AND dropping_since IS NOT NULL FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    -- One of them has got a new version meanwhile: it stays with the range, and the rest goes row by row.
    IF EXISTS (SELECT FROM article WHERE article_id >= wanted AND article_id < behind) THEN
        FOREACH parent IN ARRAY ARRAY['article_text', 'article_version', 'evidence', 'article_words'] LOOP
            EXECUTE format('DELETE FROM %I r WHERE NOT EXISTS (SELECT FROM article a WHERE a.article_id = r.article_id)', parent || '_' || wanted);
        END LOOP;
        UPDATE article_range SET dropping_since = NULL WHERE first_id = wanted;
        RETURN false;
    END IF;
    -- It needs the tables for itself for a moment. Whoever waits makes everybody behind wait: rather give up soon.
    FOREACH parent IN ARRAY ARRAY['article_text', 'article_version', 'evidence', 'article_words'] LOOP
        EXECUTE format('DROP TABLE IF EXISTS %I', parent || '_' || wanted);
    END LOOP;
    DELETE FROM article_range WHERE first_id = wanted;
    RETURN true;
END
$$;
COMMENT ON FUNCTION copydesk_drop_range(bigint) IS 'Drops a range that has no articles any more, with its partitions. False: one of its articles is there, and the rows of all others are gone. Waits two seconds for readers at the most. Called by `copydesk janitor` as a member of copydesk_owner.';

-- Postgres looks at partitions by itself, and never at the whole: without this it takes the numbers of articles for a few hundred different ones.
CREATE FUNCTION copydesk_analyze_ranges() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET lock_timeout = '2s' AS $$
DECLARE
    parent   text;
    analyzed integer := 0;
BEGIN
    FOREACH parent IN ARRAY ARRAY['article_text', 'article_version', 'evidence', 'article_words'] LOOP
        CONTINUE WHEN pg_stat_get_last_analyze_time(parent::regclass) > now() - interval '1 day';
        BEGIN
            EXECUTE format('ANALYZE %I (article_id)', parent);
            analyzed := analyzed + 1;
        EXCEPTION WHEN lock_not_available THEN
            -- A vacuum is at one of its partitions: in the next round.
            NULL;
        END;
    END LOOP;
    RETURN analyzed;
END
$$;
COMMENT ON FUNCTION copydesk_analyze_ranges() IS 'Has Postgres look anew at the tables that are partitioned by ranges of articles, once a day. Answers with the number of tables. Called by `copydesk janitor`.';

-- Whoever drops an article drops its text and its place: retention, takedowns, a person.
CREATE FUNCTION copydesk_drop_parts() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    DELETE FROM membership WHERE article_id IN (SELECT article_id FROM gone);
    DELETE FROM article_text WHERE article_id IN (SELECT article_id FROM gone WHERE NOT copydesk_is_dropping(article_id));
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION copydesk_drop_parts() IS 'Trigger on article: its place among stories goes with it, and its text, unless that goes with its range.';
CREATE TRIGGER article_drop_parts AFTER DELETE ON article REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION copydesk_drop_parts();
