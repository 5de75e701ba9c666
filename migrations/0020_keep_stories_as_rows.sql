-- Stories as rows. Grouped on the fly, every question about stories read all articles.
--
-- Whoever changes what a story is made of changes its row in the same transaction (crates/store/src/story_rows.rs); `copydesk audit` holds
-- each row against its articles.

CREATE TABLE story (
    story_id           bigint PRIMARY KEY,
    canonical_article  bigint NOT NULL,
    articles           bigint NOT NULL,
    copies             bigint NOT NULL,
    sites              bigint NOT NULL,
    first_published_at timestamptz,
    first_seen         timestamptz NOT NULL DEFAULT now(),
    last_seen          timestamptz NOT NULL DEFAULT now(),
    canonical_at       timestamptz,
    longest_words      integer NOT NULL,
    canonical_words    integer NOT NULL,
    title              text,
    site               text,
    url                text,
    language           text,
    site_list          text[] NOT NULL
);
COMMENT ON TABLE story IS 'One row per story, kept by whoever changes its articles, in the same transaction.';
COMMENT ON COLUMN story.story_id IS 'Names the story: the article_id of the article that founded it.';
COMMENT ON COLUMN story.canonical_article IS 'The article that shows the story: of those with at least four fifths of the words of the longest one, the one that was published first.';
COMMENT ON COLUMN story.articles IS 'Its articles.';
COMMENT ON COLUMN story.copies IS 'Its articles without the first one, and without digests, which are nobody''s copy.';
COMMENT ON COLUMN story.sites IS 'The number of sites in site_list.';
COMMENT ON COLUMN story.first_published_at IS 'The earliest published_at of its articles.';
COMMENT ON COLUMN story.first_seen IS 'When the first of its articles was stored.';
COMMENT ON COLUMN story.last_seen IS 'When the last of its articles was stored.';
COMMENT ON COLUMN story.canonical_at IS 'published_at of the canonical article or, without one, its message_time: what the next article is held against.';
COMMENT ON COLUMN story.longest_words IS 'Words of its longest article.';
COMMENT ON COLUMN story.canonical_words IS 'Words of the canonical article.';
COMMENT ON COLUMN story.title IS 'Headline of the canonical article.';
COMMENT ON COLUMN story.site IS 'Site of the canonical article.';
COMMENT ON COLUMN story.url IS 'Address of the canonical article.';
COMMENT ON COLUMN story.language IS 'Language of the canonical article.';
COMMENT ON COLUMN story.site_list IS 'The sites of its articles, in order of their bytes.';

CREATE VIEW story_counted AS
SELECT s.story_id, c.article_id AS canonical_article, s.articles, s.copies, s.sites, s.first_published_at, s.first_seen, s.last_seen,
       c.at AS canonical_at, s.longest_words, c.word_count AS canonical_words, c.title, c.site, c.url, c.language, s.site_list
FROM (SELECT story_id,
             count(*) AS articles,
             greatest(count(*) - 1 - count(*) FILTER (WHERE relation = 'digest' AND article_id <> story_id), 0) AS copies,
             count(DISTINCT site) AS sites,
             coalesce(array_agg(DISTINCT site COLLATE "C") FILTER (WHERE site IS NOT NULL), '{}') AS site_list,
             min(published_at) AS first_published_at,
             min(ingested_at) AS first_seen,
             max(ingested_at) AS last_seen,
             max(word_count) AS longest_words
      FROM article
      GROUP BY story_id) s
CROSS JOIN LATERAL (
    SELECT a.article_id, a.title, a.site, a.url, a.language, a.word_count, coalesce(a.published_at, a.message_time) AS at FROM article a
    WHERE a.story_id = s.story_id AND a.word_count >= 0.8 * s.longest_words
    ORDER BY coalesce(a.published_at, a.message_time), a.article_id LIMIT 1
) c;
COMMENT ON VIEW story_counted IS 'What each row of story must be, worked out from its articles: for changes that cannot be added up, and for the audit. Ask for some stories; it reads all their articles.';

INSERT INTO story (story_id, canonical_article, articles, copies, sites, first_published_at, first_seen, last_seen, canonical_at, longest_words,
                   canonical_words, title, site, url, language, site_list)
SELECT * FROM story_counted;

-- One for each way in which people sort and filter. The newest first is what most ask for.
CREATE INDEX story_first_seen ON story (first_seen);
CREATE INDEX story_last_seen ON story (last_seen);
CREATE INDEX story_first_published ON story (first_published_at);
CREATE INDEX story_articles ON story (articles);
CREATE INDEX story_copies ON story (copies);
CREATE INDEX story_sites ON story (sites);
CREATE INDEX story_site ON story (site, first_seen);
CREATE INDEX story_language ON story (language, first_seen);
CREATE INDEX story_canonical ON story (canonical_article);
CREATE INDEX story_url ON story USING hash (url);

CREATE OR REPLACE VIEW stories AS
SELECT story_id, canonical_article, title, site, url, language, articles, copies, sites, site_list,
       first_published_at, first_seen, last_seen, longest_words
FROM story;
COMMENT ON VIEW stories IS 'One row per story. story_id never changes: it is the article_id of the article that founded the story. The canonical article: of the articles with at least four fifths of the words of the longest one, the one that was published first.';

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_owner') THEN
        GRANT ALL ON story, story_counted TO copydesk_owner;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_writer') THEN
        GRANT SELECT, INSERT, DELETE ON story TO copydesk_writer;
        GRANT SELECT ON story_counted TO copydesk_writer;
        GRANT UPDATE (canonical_article, articles, copies, sites, first_published_at, first_seen, last_seen, canonical_at, longest_words,
                      canonical_words, title, site, url, language, site_list)
            ON story TO copydesk_writer;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_reader') THEN
        GRANT SELECT ON story_counted TO copydesk_reader;
    END IF;
END
$$;

DO $$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT v.relname AS view_name, c.attname AS column_name, col_description(t.oid, tc.attnum) AS said
        FROM pg_class v JOIN pg_attribute c ON c.attrelid = v.oid AND c.attnum > 0
        JOIN pg_class t ON t.relname = 'story' AND t.relnamespace = v.relnamespace
        JOIN pg_attribute tc ON tc.attrelid = t.oid AND tc.attname = c.attname
        WHERE v.relname IN ('stories', 'story_counted') AND v.relnamespace = current_schema()::regnamespace
    LOOP
        EXECUTE format('COMMENT ON COLUMN %I.%I IS %L', found.view_name, found.column_name, found.said);
    END LOOP;
END
$$;
