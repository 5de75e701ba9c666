-- Site memory: what a site repeats is not the article. docs/site-memory.md

-- All without a default: no row is written anew.
ALTER TABLE evidence ADD COLUMN story_id bigint, ADD COLUMN site_stories smallint, ADD COLUMN page_blocks bytea, ADD COLUMN site_view bytea;
ALTER TABLE evidence ALTER COLUMN page_blocks SET STORAGE EXTERNAL, ALTER COLUMN site_view SET STORAGE EXTERNAL;
COMMENT ON COLUMN evidence.story_id IS 'As article.story_id: copies of one story count once in site memory.';
COMMENT ON COLUMN evidence.site_stories IS 'How many other stories of the site were looked at when it was cleaned by site memory. Null: never.';
COMMENT ON COLUMN evidence.page_blocks IS 'Hashes of all blocks as the rules left them, by zone, in the format of the crate copydesk-site. Null: stored before there was site memory, and not gone over by the janitor yet.';
COMMENT ON COLUMN evidence.site_view IS 'The articles of the site that were looked at, 8 bytes little endian each, where site memory took something out or spared something. Null: neither.';

CREATE TABLE site_young (
    site_hash  bigint NOT NULL,
    article_id bigint NOT NULL,
    articles   smallint NOT NULL,
    PRIMARY KEY (site_hash, article_id)
);
COMMENT ON TABLE site_young IS 'Articles that were cleaned when too little of their site was known. `copydesk janitor` cleans them again when there is more, and takes the row away when there is enough.';
COMMENT ON COLUMN site_young.site_hash IS 'As evidence.site_hash.';
COMMENT ON COLUMN site_young.article_id IS 'The article.';
COMMENT ON COLUMN site_young.articles IS 'How many other articles of the site were in view. It is cleaned again when there are twice as many.';

-- Articles from before are gone over once, up to the last one that is there now.
ALTER TABLE setting ADD COLUMN site_backfill_from bigint NOT NULL DEFAULT -9223372036854775808, ADD COLUMN site_backfill_until bigint;
UPDATE setting SET site_backfill_until = (SELECT max(article_id) FROM evidence);
COMMENT ON COLUMN setting.site_backfill_from IS 'The janitor has made evidence.page_blocks for articles up to this one.';
COMMENT ON COLUMN setting.site_backfill_until IS 'The last article that was stored before there was site memory. Null: there was none.';

CREATE TABLE site_block (
    site_hash  bigint NOT NULL,
    block      bigint NOT NULL,
    decided_at timestamptz NOT NULL DEFAULT now(),
    decision   text NOT NULL CHECK (decision IN ('pin', 'forget')),
    site       text NOT NULL,
    sample     text,
    why        text NOT NULL DEFAULT '',
    decided_by text NOT NULL,
    PRIMARY KEY (site_hash, block)
);
COMMENT ON TABLE site_block IS 'What a person has said about a block of a site, with `copydesk site pin` and `copydesk site forget`.';
COMMENT ON COLUMN site_block.site_hash IS 'As evidence.site_hash.';
COMMENT ON COLUMN site_block.site IS 'The site, as article.site.';
COMMENT ON COLUMN site_block.block IS 'Hash of the block; `copydesk site show` prints it as eight hexadecimal digits.';
COMMENT ON COLUMN site_block.decision IS 'pin: it is never the article. forget: it stays, whoever shows it.';
COMMENT ON COLUMN site_block.sample IS 'The block as it stood in an article. Null: it was pinned by its hash alone.';
COMMENT ON COLUMN site_block.why IS 'The reason that was given.';
COMMENT ON COLUMN site_block.decided_by IS 'Who: user, machine and process.';
COMMENT ON COLUMN site_block.decided_at IS 'When.';

CREATE TABLE travelling_block (
    block    bigint PRIMARY KEY,
    found_at timestamptz NOT NULL DEFAULT now(),
    stories  integer NOT NULL
);
COMMENT ON TABLE travelling_block IS 'Blocks that travel with stories from site to site, such as an agency''s closing sentence: site memory leaves them. Found by `copydesk janitor`.';
COMMENT ON COLUMN travelling_block.block IS 'As site_block.block.';
COMMENT ON COLUMN travelling_block.stories IS 'Stories in which articles of two sites have it, among those that were looked at.';
COMMENT ON COLUMN travelling_block.found_at IS 'When it was found last.';

CREATE TABLE clean_event (
    event_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    article_id  bigint NOT NULL,
    happened_at timestamptz NOT NULL DEFAULT now(),
    version     integer NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('reclean', 'undo')),
    before      jsonb NOT NULL,
    after       jsonb NOT NULL,
    detail      jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX clean_event_article ON clean_event (article_id);
COMMENT ON TABLE clean_event IS 'Articles that were cleaned again after they were stored. Append only, with what is needed to take it back.';
COMMENT ON COLUMN clean_event.event_id IS 'Number of the event.';
COMMENT ON COLUMN clean_event.kind IS 'reclean: by the janitor, or by a person with `copydesk site reclean`. undo: an event was taken back.';
COMMENT ON COLUMN clean_event.article_id IS 'The article.';
COMMENT ON COLUMN clean_event.version IS 'The version of the article that was changed.';
COMMENT ON COLUMN clean_event.before IS 'What site memory had taken out before: {position of the block: evidence}.';
COMMENT ON COLUMN clean_event.after IS 'What it has taken out since, in the same form.';
COMMENT ON COLUMN clean_event.happened_at IS 'When.';
COMMENT ON COLUMN clean_event.detail IS 'Stories that were looked at, the version of the rule, the event that was undone.';

CREATE VIEW clean_events AS
SELECT event_id, kind, article_id, version, happened_at, before, after, detail FROM clean_event;
COMMENT ON VIEW clean_events IS 'Articles that were cleaned again after they were stored.';

CREATE VIEW site_blocks AS
SELECT site, lpad(to_hex(block), 8, '0') AS block, decision, sample, why, decided_by, decided_at FROM site_block;
COMMENT ON VIEW site_blocks IS 'What people have said about blocks of sites.';

CREATE VIEW site_report AS
SELECT a.site, count(*) AS articles,
       sum(b.removed)::bigint AS blocks_removed,
       sum(b.removed_characters)::bigint AS characters_removed,
       round(avg(b.removed), 1) AS removed_per_article,
       sum(b.by_memory)::bigint AS blocks_by_memory,
       sum(b.memory_characters)::bigint AS characters_by_memory,
       count(*) FILTER (WHERE b.by_memory > 0) AS articles_by_memory,
       round(100.0 * sum(b.memory_characters) / nullif(sum(b.memory_characters) + sum(length(a.body)), 0), 2) AS percent_by_memory
FROM article a
CROSS JOIN LATERAL (
    SELECT count(*) AS removed, coalesce(sum(length(e.block ->> 1)), 0) AS removed_characters,
           count(*) FILTER (WHERE e.block ->> 2 = 'site-memory') AS by_memory,
           coalesce(sum(length(e.block ->> 1)) FILTER (WHERE e.block ->> 2 = 'site-memory'), 0) AS memory_characters
    FROM jsonb_array_elements(a.blocks) AS e (block)
    WHERE jsonb_array_length(e.block) >= 3
) b
WHERE a.site IS NOT NULL
GROUP BY a.site;
COMMENT ON VIEW site_report IS 'What is taken out of each site''s articles, and how much of it only site memory found. It reads every article: ask for one site (WHERE site = …), or give it time. The sites that the rules know least: ORDER BY percent_by_memory DESC NULLS LAST.';

DO $$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT v.relname AS view_name, c.attname AS column_name, col_description(t.oid, tc.attnum) AS said
        FROM (VALUES ('clean_events', 'clean_event'), ('site_blocks', 'site_block'), ('site_report', 'article')) AS pair (view_name, table_name)
        JOIN pg_class v ON v.relname = pair.view_name AND v.relnamespace = current_schema()::regnamespace
        JOIN pg_class t ON t.relname = pair.table_name AND t.relnamespace = current_schema()::regnamespace
        JOIN pg_attribute c ON c.attrelid = v.oid AND c.attnum > 0
        JOIN pg_attribute tc ON tc.attrelid = t.oid AND tc.attname = c.attname
    LOOP
        EXECUTE format('COMMENT ON COLUMN %I.%I IS %L', found.view_name, found.column_name, found.said);
    END LOOP;
END
$$;
COMMENT ON COLUMN site_blocks.block IS 'Hash of the block, as `copydesk site show` prints it.';
COMMENT ON COLUMN site_report.articles IS 'Articles of the site.';
COMMENT ON COLUMN site_report.blocks_removed IS 'Blocks that were taken out of their latest versions, by whatever rule.';
COMMENT ON COLUMN site_report.characters_removed IS 'Their characters.';
COMMENT ON COLUMN site_report.removed_per_article IS 'Blocks that were taken out of an article, on average.';
COMMENT ON COLUMN site_report.blocks_by_memory IS 'Of these, the blocks that only site memory found.';
COMMENT ON COLUMN site_report.characters_by_memory IS 'Their characters.';
COMMENT ON COLUMN site_report.articles_by_memory IS 'Articles out of which site memory took something.';
COMMENT ON COLUMN site_report.percent_by_memory IS 'Characters that site memory took out, in percent of what the rules had left.';

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_owner') THEN
        GRANT ALL ON site_young, site_block, travelling_block, clean_event, clean_events, site_blocks, site_report TO copydesk_owner;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_writer') THEN
        GRANT SELECT, INSERT, UPDATE ON site_young, site_block, travelling_block, clean_event TO copydesk_writer;
        -- Lists of what is to be done and of what is known, not of what was stored.
        GRANT DELETE ON site_young, site_block, travelling_block TO copydesk_writer;
        GRANT SELECT ON clean_events, site_blocks, site_report TO copydesk_writer;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_reader') THEN
        GRANT SELECT ON clean_events, site_blocks, site_report TO copydesk_reader;
    END IF;
END
$$;
