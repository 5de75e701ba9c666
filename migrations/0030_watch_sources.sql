-- Sites and languages that fall silent, or whose articles are suddenly different.

SELECT set_config('search_path', format('%I, pg_temp', current_schema()), true);

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

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_reader') THEN
        GRANT SELECT ON source_health TO copydesk_reader;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_writer') THEN
        GRANT SELECT ON source_health TO copydesk_writer;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_owner') THEN
        GRANT ALL ON source_health TO copydesk_owner;
    END IF;
END
$$;
