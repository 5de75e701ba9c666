-- What operators and the console look at: how far it is, what waits, what is taken out of each site, how long after its original a copy comes, which
-- sources fall silent.

CREATE VIEW ingest_status AS
SELECT topic, partition, first_offset, next_offset, stored, quarantined, skipped, epoch, owner, claimed_at, updated_at,
       round((next_offset - claimed_from) / greatest(extract(epoch FROM updated_at - claimed_at), 0.001), 1) AS messages_per_second
FROM partition_progress;
COMMENT ON VIEW ingest_status IS 'How far each partition is, who reads it, and how fast.';
COMMENT ON COLUMN ingest_status.messages_per_second IS 'Mean rate of the present owner, from its claim to its last flush.';

CREATE VIEW outbox_status AS
SELECT output, count(*) AS waiting, min(written_at) AS oldest
FROM outbox
GROUP BY output;
COMMENT ON VIEW outbox_status IS 'What waits to be put on Kafka topics, by output. No row: nothing waits.';
COMMENT ON COLUMN outbox_status.output IS 'articles or dead_letters.';
COMMENT ON COLUMN outbox_status.waiting IS 'Messages that Kafka has not acknowledged yet.';
COMMENT ON COLUMN outbox_status.oldest IS 'When the oldest of them was written.';

CREATE VIEW story_counted AS
SELECT s.story_id, c.article_id AS canonical_article, s.articles, s.copies, s.sites, s.first_published_at, s.first_seen, s.last_seen,
       c.at AS canonical_at, s.longest_words, c.word_count AS canonical_words, c.title, c.site, c.url, c.language, s.site_list
FROM (SELECT m.story_id,
             count(*) AS articles,
             greatest(count(*) - 1 - count(*) FILTER (WHERE m.relation = 'digest' AND m.article_id <> m.story_id), 0) AS copies,
             count(DISTINCT a.site) AS sites,
             coalesce(array_agg(DISTINCT a.site COLLATE "C") FILTER (WHERE a.site IS NOT NULL), '{}') AS site_list,
             min(a.published_at) AS first_published_at,
             min(a.ingested_at) AS first_seen,
             max(a.ingested_at) AS last_seen,
             max(a.word_count) AS longest_words
      FROM membership m JOIN article a USING (article_id)
      GROUP BY m.story_id) s
CROSS JOIN LATERAL (
    SELECT a.article_id, a.title, a.site, a.url, a.language, a.word_count, coalesce(a.published_at, a.message_time) AS at
    FROM membership m JOIN article a USING (article_id)
    WHERE m.story_id = s.story_id AND a.word_count >= 0.8 * s.longest_words
    ORDER BY coalesce(a.published_at, a.message_time), a.article_id LIMIT 1
) c;
COMMENT ON VIEW story_counted IS 'What each row of story must be, worked out from its articles: for changes that cannot be added up, and for the audit. Ask for some stories; it reads all their articles.';

CREATE VIEW site_report AS
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
COMMENT ON VIEW site_report IS 'What is taken out of each site''s articles, and how much of it only site memory found. It reads every article: ask for one site (WHERE site = …), or give it time. The sites that the rules know least: ORDER BY percent_by_memory DESC NULLS LAST.';
COMMENT ON COLUMN site_report.articles IS 'Articles of the site.';
COMMENT ON COLUMN site_report.blocks_removed IS 'Blocks that were taken out of their latest versions, by whatever rule.';
COMMENT ON COLUMN site_report.characters_removed IS 'Their characters.';
COMMENT ON COLUMN site_report.removed_per_article IS 'Blocks that were taken out of an article, on average.';
COMMENT ON COLUMN site_report.blocks_by_memory IS 'Of these, the blocks that only site memory found.';
COMMENT ON COLUMN site_report.characters_by_memory IS 'Their characters.';
COMMENT ON COLUMN site_report.articles_by_memory IS 'Articles out of which site memory took something.';
COMMENT ON COLUMN site_report.percent_by_memory IS 'Characters that site memory took out, in percent of what the rules had left.';

CREATE VIEW copy_lags AS
SELECT m.article_id, m.linked_to, m.relation, c.message_time - o.message_time AS lag
FROM membership m JOIN article c USING (article_id) JOIN article o ON o.article_id = m.linked_to;
COMMENT ON VIEW copy_lags IS 'How long after its original each copy came, by the messages'' own timestamps: what the window length is chosen from.';
COMMENT ON COLUMN copy_lags.article_id IS 'The copy.';
COMMENT ON COLUMN copy_lags.lag IS 'Time between the two messages. Negative: the copy''s message is older.';

CREATE VIEW copy_lag_histogram AS
SELECT b.up_to, count(l.article_id) AS links,
       round(100.0 * sum(count(l.article_id)) OVER (ORDER BY b.up_to) / greatest(sum(count(l.article_id)) OVER (), 1), 2) AS percent_up_to
FROM (VALUES (interval '0', interval '1 minute'), ('1 minute', '10 minutes'), ('10 minutes', '1 hour'), ('1 hour', '6 hours'),
             ('6 hours', '1 day'), ('1 day', '2 days'), ('2 days', '3 days'), ('3 days', '7 days'), ('7 days', '14 days'),
             ('14 days', '30 days'), ('30 days', '60 days'), ('60 days', '36500 days')) AS b (above, up_to)
LEFT JOIN copy_lags l ON greatest(l.lag, -l.lag) > b.above AND greatest(l.lag, -l.lag) <= b.up_to
    OR (b.above = interval '0' AND l.lag = interval '0')
GROUP BY b.up_to;
COMMENT ON VIEW copy_lag_histogram IS 'Links by the time between copy and original. The window (setting.window_days) is long enough where percent_up_to of its length is above 99.5.';
COMMENT ON COLUMN copy_lag_histogram.up_to IS 'Upper end of the class; the one before is its lower end.';
COMMENT ON COLUMN copy_lag_histogram.links IS 'Links with a lag in this class.';
COMMENT ON COLUMN copy_lag_histogram.percent_up_to IS 'Share of all links with a lag up to here, in percent.';

-- Sites and languages that fall silent, or whose articles are suddenly different.
-- Two weeks of articles are read for it: it is a view for an operator and for the hourly look of one worker, not for every minute.
CREATE VIEW source_health AS
WITH seen AS (
    SELECT source.kind AS "of", source.name, a.ingested_at, a.word_count
    FROM article a
    CROSS JOIN LATERAL (VALUES ('site', a.site), ('language', a.language)) AS source (kind, name)
    WHERE a.ingested_at > now() - interval '15 days' AND source.name IS NOT NULL
),
days AS (
    SELECT "of", name, count(*) AS articles
    FROM seen WHERE ingested_at <= now() - interval '1 day'
    GROUP BY "of", name, floor(extract(epoch FROM now() - ingested_at) / 86400)
),
usual AS (
    SELECT "of", name, count(*) AS days_with_articles,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY articles) AS articles_a_day
    FROM days GROUP BY "of", name
),
counted AS (
    SELECT "of", name, max(ingested_at) AS last_ingested_at,
           count(*) FILTER (WHERE ingested_at > now() - interval '1 day') AS articles_24h,
           count(*) FILTER (WHERE ingested_at BETWEEN now() - interval '8 days' AND now() - interval '7 days') AS articles_week_before,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY word_count) FILTER (WHERE ingested_at > now() - interval '1 day') AS words_24h,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY word_count) FILTER (WHERE ingested_at <= now() - interval '1 day') AS words_usual
    FROM seen GROUP BY "of", name
),
-- The key of a message is its site; what was refused has no language.
refused AS (
    SELECT lower(encode(q.key, 'escape')) AS name,
           count(*) FILTER (WHERE q.first_seen > now() - interval '1 day') AS refused_24h,
           count(*) FILTER (WHERE q.first_seen <= now() - interval '1 day') AS refused_before
    FROM quarantine q WHERE q.first_seen > now() - interval '15 days' AND q.key IS NOT NULL GROUP BY 1
),
told AS (
    SELECT c."of", c.name, c.last_ingested_at, c.articles_24h, c.articles_week_before,
           coalesce(u.days_with_articles, 0) AS days_with_articles,
           coalesce(u.articles_a_day, 0) AS articles_a_day,
           c.words_24h, c.words_usual,
           coalesce(r.refused_24h, 0) AS refused_24h,
           coalesce(r.refused_before, 0) / 14.0 AS refused_a_day
    FROM counted c
    LEFT JOIN usual u USING ("of", name)
    LEFT JOIN refused r ON c."of" = 'site' AND r.name = c.name
)
SELECT "of", name, last_ingested_at, articles_24h,
       round(articles_a_day::numeric, 1) AS articles_a_day,
       round(words_24h::numeric) AS words_24h, round(words_usual::numeric) AS words_usual,
       refused_24h, round(refused_a_day::numeric, 1) AS refused_a_day,
       -- On at least half of the days three articles or more, also a week ago on this day of the week; and now none.
       articles_24h = 0 AND days_with_articles >= 7 AND articles_a_day >= 3 AND articles_week_before > 0 AS is_silent,
       -- Half of a day's articles a third as long as usual, or three times.
       articles_24h >= 5 AND days_with_articles >= 7
           AND (words_24h * 3 < words_usual OR words_24h > words_usual * 3) AS has_other_length,
       -- One message in five, and five times as many as usual.
       refused_24h >= 5 AND refused_24h * 4 >= articles_24h AND refused_24h > 5 * refused_a_day AS is_refused
FROM told;
COMMENT ON VIEW source_health IS 'Each site and language of the last 15 days: the last day beside what is usual for it, and whether it has fallen silent, or brings articles of another length or many more that are refused.';
COMMENT ON COLUMN source_health."of" IS 'site or language.';
COMMENT ON COLUMN source_health.name IS 'The site, or the code of the language.';
COMMENT ON COLUMN source_health.last_ingested_at IS 'When its last new article was stored.';
COMMENT ON COLUMN source_health.articles_24h IS 'New articles of the last 24 hours.';
COMMENT ON COLUMN source_health.articles_a_day IS 'New articles on a usual day: the median of the 14 days before, of those that had any.';
COMMENT ON COLUMN source_health.words_24h IS 'Words of the articles of the last 24 hours: the median.';
COMMENT ON COLUMN source_health.words_usual IS 'Words of those of the 14 days before: the median.';
COMMENT ON COLUMN source_health.refused_24h IS 'Messages with this site as their key that were refused in the last 24 hours. 0 for languages.';
COMMENT ON COLUMN source_health.refused_a_day IS 'The same on a mean day of the 14 before, of those whose key is still kept.';
COMMENT ON COLUMN source_health.is_silent IS 'No new article in 24 hours, though there are three or more on a usual day, and were some a week before.';
COMMENT ON COLUMN source_health.has_other_length IS 'The median of the words is less than a third of the usual one, or more than three times as much.';
COMMENT ON COLUMN source_health.is_refused IS 'At least a fifth of the messages of the last 24 hours was refused, and more than five times as many as usual.';

-- A view's column that has its name from a table says the same as there.
DO $$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT v.relname AS view_name, c.attname AS column_name, col_description(t.oid, tc.attnum) AS said
        FROM (VALUES ('articles', 'article'), ('articles', 'membership'), ('stories', 'story'), ('article_versions', 'article_version'),
                     ('removed_blocks', 'article_version'), ('article_blocks', 'article_version'),
                     ('sightings', 'sighting'), ('quarantined', 'quarantine'), ('gaps', 'gap'),
                     ('ingest_status', 'partition_progress'), ('story_events', 'story_event'),
                     ('clean_events', 'clean_event'), ('site_blocks', 'site_block'),
                     ('retired_articles', 'retired_article'), ('archive_batches', 'archive_batch'), ('takedowns', 'takedown'),
                     ('search_words', 'article_words'), ('copy_lags', 'membership'), ('site_report', 'article'),
                     ('story_counted', 'story')) AS pair (view_name, table_name)
        JOIN pg_class v ON v.relname = pair.view_name AND v.relnamespace = current_schema()::regnamespace
        JOIN pg_class t ON t.relname = pair.table_name AND t.relnamespace = current_schema()::regnamespace
        JOIN pg_attribute c ON c.attrelid = v.oid AND c.attnum > 0
        JOIN pg_attribute tc ON tc.attrelid = t.oid AND tc.attname = c.attname
        WHERE col_description(v.oid, c.attnum) IS NULL
    LOOP
        EXECUTE format('COMMENT ON COLUMN %I.%I IS %L', found.view_name, found.column_name, found.said);
    END LOOP;
END
$$;
