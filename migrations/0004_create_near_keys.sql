-- What finds near-copies (near_key), what verifies them (evidence), and the shingles that say little (common_shingles).

-- Functions look for objects of this schema, and for tables of the session last: a table of that name there is a stranger's.
SELECT set_config('search_path', format('%I, pg_temp', current_schema()), true);

CREATE TABLE near_key (
    key        bigint NOT NULL,
    article_id bigint NOT NULL,
    PRIMARY KEY (key)
) PARTITION BY RANGE (key);
COMMENT ON TABLE near_key IS 'Which article was the first with a shingle hash. Claimed under the lock of the key''s window (near_key_window); the unique row refuses whoever claims without it. Partitioned by window, so that old windows are dropped whole.';
COMMENT ON COLUMN near_key.key IS 'The upper 13 bits are the window (copydesk_window), the lower 50 those of the hash: one number makes the row a quarter smaller than two.';
COMMENT ON COLUMN near_key.article_id IS 'The article that owns the key.';

CREATE TABLE near_key_other PARTITION OF near_key DEFAULT;
COMMENT ON TABLE near_key_other IS 'Keys of windows without a partition of their own: messages with a timestamp far off.';
COMMENT ON COLUMN near_key_other.key IS 'As near_key.key.';
COMMENT ON COLUMN near_key_other.article_id IS 'As near_key.article_id.';

CREATE FUNCTION copydesk_window(at timestamptz) RETURNS integer
LANGUAGE sql STABLE PARALLEL SAFE
RETURN least(8191, greatest(0, floor(extract(epoch FROM at - timestamptz '2020-01-01 00:00:00+00')
                                     / (86400 * (SELECT window_days FROM setting)))))::integer;
COMMENT ON FUNCTION copydesk_window(timestamptz) IS 'The window of a message timestamp: whole windows since 2020-01-01 UTC, kept within 0 to 8191.';

CREATE FUNCTION copydesk_create_windows(ahead integer DEFAULT 6) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    present integer := copydesk_window(now());
    width   bigint := 1::bigint << 50;
    created integer := 0;
    name    text;
BEGIN
    FOR number IN greatest(present - 1, 0) .. least(present + ahead, 8190) LOOP
        name := 'near_key_w' || lpad(number::text, 4, '0');
        CONTINUE WHEN to_regclass(name) IS NOT NULL;
        -- Rows that came before their partition stay where they are: they are found there as well.
        CONTINUE WHEN EXISTS (SELECT FROM near_key_other WHERE key >= number * width AND key < (number + 1) * width);
        EXECUTE format('CREATE TABLE %I PARTITION OF near_key FOR VALUES FROM (%s) TO (%s)',
                       name, number * width, (number + 1) * width);
        EXECUTE format('COMMENT ON TABLE %I IS %L', name, 'Window ' || number || ' of near_key.');
        EXECUTE format('COMMENT ON COLUMN %I.key IS %L', name, 'As near_key.key.');
        EXECUTE format('COMMENT ON COLUMN %I.article_id IS %L', name, 'As near_key.article_id.');
        created := created + 1;
    END LOOP;
    RETURN created;
END
$$;
COMMENT ON FUNCTION copydesk_create_windows(integer) IS 'Creates the partitions of near_key from the last window to so many ahead, where they are missing. Answers with the number created. Called by `copydesk migrate` and `copydesk janitor`.';

CREATE FUNCTION copydesk_drop_windows(keep integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    oldest  integer := copydesk_window(now()) - greatest(keep, 2) + 1;
    dropped integer := 0;
    name    text;
BEGIN
    FOR name IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'near_key'::regclass AND c.relname ~ '^near_key_w[0-9]+$'
            AND substr(c.relname, 11)::integer < oldest
        ORDER BY c.relname
    LOOP
        EXECUTE format('DROP TABLE %I', name);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END
$$;
COMMENT ON FUNCTION copydesk_drop_windows(integer) IS 'Drops the partitions of near_key that are older than the last so many windows, the present one among them; never the present one or the one before. Answers with the number dropped. Called by `copydesk janitor`.';

-- One claimer a window of keys.
CREATE TABLE near_key_window (
    number  integer PRIMARY KEY,
    version bigint NOT NULL DEFAULT 1
);
-- Each flush changes one or two rows: they stay on their pages, and dead ones are gone when the next flush comes.
ALTER TABLE near_key_window SET (fillfactor = 10, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_scale_factor = 0,
                                 autovacuum_vacuum_cost_delay = 0, autovacuum_analyze_threshold = 1000000000);
COMMENT ON TABLE near_key_window IS 'Windows of near_key that have keys. Whoever claims keys in a window, or changes stories of its articles, locks its row until the end of the transaction: before any article, several in ascending order.';
COMMENT ON COLUMN near_key_window.number IS 'The window (copydesk_window).';
COMMENT ON COLUMN near_key_window.version IS 'Raised by each transaction that claims keys there: what was read of its keys under one version is all of them while the version stands.';

CREATE TABLE evidence (
    article_id          bigint PRIMARY KEY,
    site_hash           bigint,
    url_hash            bigint,
    fingerprint_version smallint NOT NULL,
    site_stories        smallint,
    block_hashes        bytea NOT NULL,
    title_words         bytea NOT NULL,
    dropped_blocks      bytea,
    page_blocks         bytea NOT NULL,
    site_view           bytea,
    evidence            bytea NOT NULL
) PARTITION BY RANGE (article_id);
-- Hashes do not compress.
ALTER TABLE evidence ALTER COLUMN evidence SET STORAGE EXTERNAL, ALTER COLUMN block_hashes SET STORAGE EXTERNAL,
    ALTER COLUMN title_words SET STORAGE EXTERNAL, ALTER COLUMN dropped_blocks SET STORAGE EXTERNAL,
    ALTER COLUMN page_blocks SET STORAGE EXTERNAL, ALTER COLUMN site_view SET STORAGE EXTERNAL;
-- Answers "the last 20 articles of this site" for the site memory.
CREATE INDEX evidence_site ON evidence (site_hash, article_id DESC) WHERE site_hash IS NOT NULL;
COMMENT ON TABLE evidence IS 'What near-copies are verified with, of each article''s latest version. Apart from article, so that queries over articles do not read it.';
COMMENT ON COLUMN evidence.article_id IS 'The article.';
COMMENT ON COLUMN evidence.site_hash IS 'Hash of the site. Null: no site is known.';
COMMENT ON COLUMN evidence.url_hash IS 'Hash of the canonical address. Null: it has none.';
COMMENT ON COLUMN evidence.fingerprint_version IS 'Version of the recipe. Two versions never see each other.';
COMMENT ON COLUMN evidence.site_stories IS 'How many other texts of the site were looked at when it was cleaned by site memory. Null: never.';
COMMENT ON COLUMN evidence.block_hashes IS 'Hash of each paragraph in order, 8 bytes little endian each; 0 for one that is too short.';
COMMENT ON COLUMN evidence.title_words IS 'Hashes of the title''s words, ascending, 4 bytes little endian each.';
COMMENT ON COLUMN evidence.dropped_blocks IS 'Hashes of the paragraphs that were left out because the site shows them in several of its recent articles. Null: none.';
COMMENT ON COLUMN evidence.page_blocks IS 'Hashes of all blocks as the rules left them, by zone, in the format of the crate copydesk-site.';
COMMENT ON COLUMN evidence.site_view IS 'The articles of the site that were looked at, 8 bytes little endian each, where site memory took something out or spared something. Null: neither.';
COMMENT ON COLUMN evidence.evidence IS 'Shingles, numbers and names in the format of the crate copydesk-dedup.';

CREATE TABLE common_shingles (
    version             integer PRIMARY KEY CHECK (version > 0),
    built_at            timestamptz NOT NULL DEFAULT now(),
    articles            bigint NOT NULL,
    shingles            bigint NOT NULL,
    fingerprint_version smallint NOT NULL,
    counts              bytea NOT NULL
);
ALTER TABLE common_shingles ALTER COLUMN counts SET STORAGE EXTERNAL;
COMMENT ON TABLE common_shingles IS 'Versioned lists of shingles that stand in many stories: in a decision they weigh less. Built by `copydesk janitor common`; setting.common_version names the one in use.';
COMMENT ON COLUMN common_shingles.version IS 'Number of the list, from 1.';
COMMENT ON COLUMN common_shingles.built_at IS 'When it was built.';
COMMENT ON COLUMN common_shingles.articles IS 'Articles that were counted.';
COMMENT ON COLUMN common_shingles.shingles IS 'Shingles in the list.';
COMMENT ON COLUMN common_shingles.fingerprint_version IS 'The recipe of the shingles.';
COMMENT ON COLUMN common_shingles.counts IS 'Per shingle its hash and the number of stories that have it, 4 bytes little endian each.';
