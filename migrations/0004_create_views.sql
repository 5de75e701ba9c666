-- The public contract: tables may change, these views keep their columns (migrations/README.md).

CREATE VIEW articles AS
SELECT article_id, story_id, relation, title, dek, authors, site, site_name, url, canonical_url,
       published_at, published_offset_minutes, modified_at, language, section, tags, agency, paywalled,
       body, word_count, captions, image_url, version,
       linked_to, similarity, containment, containment_of_linked, shared_shingles, link_reason, replaces,
       fetched_at, message_time, ingested_at, version_at,
       title_source, dek_source, authors_source, site_source, site_name_source, canonical_url_source,
       published_source, modified_source, language_source, section_source, agency_source, image_url_source,
       warnings, extra, rules_version, fingerprint_version, common_version
FROM article;
COMMENT ON VIEW articles IS 'One row per article, in its latest version.';

CREATE VIEW stories AS
SELECT s.story_id, c.article_id AS canonical_article, c.title, c.site, c.url, c.language, s.articles, s.copies, s.sites, s.site_list,
       s.first_published_at, s.first_seen, s.last_seen, s.longest_words
FROM (SELECT story_id,
             count(*) AS articles,
             count(*) - 1 AS copies,
             count(DISTINCT site) AS sites,
             array_agg(DISTINCT site) FILTER (WHERE site IS NOT NULL) AS site_list,
             min(published_at) AS first_published_at,
             min(ingested_at) AS first_seen,
             max(ingested_at) AS last_seen,
             max(word_count) AS longest_words
      FROM article
      GROUP BY story_id) s
CROSS JOIN LATERAL (
    SELECT a.article_id, a.title, a.site, a.url, a.language FROM article a
    WHERE a.story_id = s.story_id AND a.word_count >= 0.8 * s.longest_words
    ORDER BY coalesce(a.published_at, a.message_time), a.article_id LIMIT 1
) c;
COMMENT ON VIEW stories IS 'One row per story. story_id never changes: it is the article_id of the article that founded the story. The canonical article is computed: of the articles with at least four fifths of the words of the longest one, the one that was published first. The newest stories: ORDER BY story_id DESC.';

CREATE VIEW article_versions AS
SELECT article_id, version, true AS latest, title, dek, body, word_count, captions, version_similarity,
       modified_at, message_time, version_at, body_hash, rules_version
FROM article
UNION ALL
SELECT article_id, version, false, title, dek, body, word_count, captions, version_similarity,
       modified_at, message_time, version_at, body_hash, rules_version
FROM article_version;
COMMENT ON VIEW article_versions IS 'Every version of every article, the latest among them.';

CREATE VIEW removed_blocks AS
SELECT v.article_id, v.version, v.site, (b.ordinality - 1)::integer AS position,
       b.block ->> 0 AS kind, b.block ->> 2 AS rule, b.block ->> 3 AS evidence, b.block ->> 1 AS text
FROM (SELECT article_id, version, site, blocks FROM article
      UNION ALL
      SELECT h.article_id, h.version, a.site, h.blocks
      FROM article_version h JOIN article a USING (article_id)) v
CROSS JOIN LATERAL jsonb_array_elements(v.blocks) WITH ORDINALITY AS b (block, ordinality)
WHERE jsonb_array_length(b.block) >= 3;
COMMENT ON VIEW removed_blocks IS 'What was taken out of which version of which article, by which rule.';

CREATE VIEW article_blocks AS
SELECT b.article_id, b.version, b.position, b.kind, b.rule IS NULL AS kept, b.rule, b.evidence,
       CASE
           WHEN b.own_text IS NOT NULL THEN b.own_text
           WHEN b.length IS NOT NULL THEN substr(v.body, 1 + b.length_before, b.length)
           WHEN b.kind = 'headline' THEN v.title
           WHEN b.kind = 'dek' THEN v.dek
           ELSE v.captions[b.caption_number]
       END AS text
FROM (SELECT article_id, version, title, dek, captions, body, blocks FROM article
      UNION ALL
      SELECT article_id, version, title, dek, captions, body, blocks FROM article_version) v
CROSS JOIN LATERAL (
    SELECT v.article_id, v.version, (e.ordinality - 1)::integer AS position,
           e.block ->> 0 AS kind, e.block ->> 2 AS rule, e.block ->> 3 AS evidence,
           CASE WHEN jsonb_typeof(e.block -> 1) = 'string' THEN e.block ->> 1 END AS own_text,
           l.length,
           -- A blank line stands between two paragraphs: two characters.
           (coalesce(sum(l.length + 2) OVER before_here, 0))::integer AS length_before,
           (count(*) FILTER (WHERE jsonb_array_length(e.block) = 1 AND e.block ->> 0 IN ('caption', 'credit'))
               OVER up_to_here)::integer AS caption_number
    FROM jsonb_array_elements(v.blocks) WITH ORDINALITY AS e (block, ordinality)
    CROSS JOIN LATERAL (SELECT CASE WHEN jsonb_typeof(e.block -> 1) = 'number' THEN (e.block ->> 1)::integer END) AS l (length)
    WINDOW before_here AS (ORDER BY e.ordinality ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
           up_to_here AS (ORDER BY e.ordinality)
) b;
COMMENT ON VIEW article_blocks IS 'The whole of what was read, in its original order: kept and removed blocks. Ask for one article at a time.';

CREATE VIEW sightings AS
SELECT topic, partition, "offset", article_id, version, verdict, message_time, ingested_at
FROM sighting;
COMMENT ON VIEW sightings IS 'One row per message that is an article: where it stood on the topic, and what became of it.';

CREATE VIEW quarantined AS
SELECT topic, partition, "offset", stage, reason, detail, state, attempts, message_time, first_seen, settled_at,
       raw_size, truncated
FROM quarantine;
COMMENT ON VIEW quarantined IS 'Messages that were refused, and why. Their bytes: `copydesk quarantine show`.';

CREATE VIEW story_events AS
SELECT event_id, kind, article_id, moved, from_story, to_story, cause_article, happened_at, detail
FROM story_event;
COMMENT ON VIEW story_events IS 'Changes to stories after their articles were stored.';

CREATE VIEW gaps AS
SELECT topic, partition, from_offset, to_offset, to_offset - from_offset AS offsets, reason, recorded_at
FROM gap;
COMMENT ON VIEW gaps IS 'Offsets that never brought a message, and why.';

CREATE VIEW ingest_status AS
SELECT topic, partition, first_offset, next_offset, stored, quarantined, skipped, epoch, owner, claimed_at, updated_at,
       round((next_offset - claimed_from) / greatest(extract(epoch FROM updated_at - claimed_at), 0.001), 1) AS messages_per_second
FROM partition_progress;
COMMENT ON VIEW ingest_status IS 'How far each partition is, who reads it, and how fast.';

CREATE VIEW copy_lags AS
SELECT c.article_id, c.linked_to, c.relation, c.message_time - o.message_time AS lag
FROM article c JOIN article o ON o.article_id = c.linked_to;
COMMENT ON VIEW copy_lags IS 'How long after its original each copy came, by the messages'' own timestamps: what the window length is chosen from.';

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

-- A view's column that has its name from a table says the same as there.
DO $$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT v.relname AS view_name, c.attname AS column_name, col_description(t.oid, tc.attnum) AS said
        FROM (VALUES ('articles', 'article'), ('stories', 'article'), ('article_versions', 'article_version'),
                     ('sightings', 'sighting'), ('quarantined', 'quarantine'), ('story_events', 'story_event'), ('gaps', 'gap'),
                     ('ingest_status', 'partition_progress'), ('copy_lags', 'article'),
                     ('removed_blocks', 'article_version'), ('article_blocks', 'article_version')) AS pair (view_name, table_name)
        JOIN pg_class v ON v.relname = pair.view_name AND v.relnamespace = current_schema()::regnamespace
        JOIN pg_class t ON t.relname = pair.table_name AND t.relnamespace = current_schema()::regnamespace
        JOIN pg_attribute c ON c.attrelid = v.oid AND c.attnum > 0
        JOIN pg_attribute tc ON tc.attrelid = t.oid AND tc.attname = c.attname
    LOOP
        EXECUTE format('COMMENT ON COLUMN %I.%I IS %L', found.view_name, found.column_name, found.said);
    END LOOP;
END
$$;
COMMENT ON COLUMN stories.story_id IS 'The story: article_id of the article that founded it.';
COMMENT ON COLUMN stories.canonical_article IS 'Of the articles with at least four fifths of the words of the longest one, the one that was published first (by its own account, else by its message).';
COMMENT ON COLUMN stories.title IS 'Headline of the canonical article.';
COMMENT ON COLUMN stories.site IS 'Site of the canonical article.';
COMMENT ON COLUMN stories.url IS 'Address of the canonical article.';
COMMENT ON COLUMN stories.language IS 'Language of the canonical article.';
COMMENT ON COLUMN stories.articles IS 'Articles in the story.';
COMMENT ON COLUMN stories.copies IS 'Articles in the story besides the canonical one.';
COMMENT ON COLUMN stories.sites IS 'Different sites in the story.';
COMMENT ON COLUMN stories.site_list IS 'The sites, in alphabetical order.';
COMMENT ON COLUMN stories.first_published_at IS 'The earliest time of publication that an article of the story states.';
COMMENT ON COLUMN stories.first_seen IS 'When the first of its articles was stored.';
COMMENT ON COLUMN stories.last_seen IS 'When the last of its articles was stored.';
COMMENT ON COLUMN stories.longest_words IS 'Words of the longest article in the story.';
COMMENT ON COLUMN article_versions.latest IS 'Whether it is the version that articles shows.';
COMMENT ON COLUMN removed_blocks.site IS 'The publishing site.';
COMMENT ON COLUMN removed_blocks.position IS 'Place among all blocks of the version, from 0.';
COMMENT ON COLUMN removed_blocks.kind IS 'What the block is: boilerplate, caption, body, …';
COMMENT ON COLUMN removed_blocks.rule IS 'The rule that took it out (docs/cleaning.md).';
COMMENT ON COLUMN removed_blocks.evidence IS 'What the rule saw: the marker, the selector, the line it repeats.';
COMMENT ON COLUMN removed_blocks.text IS 'The text that was taken out.';
COMMENT ON COLUMN article_blocks.position IS 'Place among all blocks of the version, from 0.';
COMMENT ON COLUMN article_blocks.kind IS 'What the block is.';
COMMENT ON COLUMN article_blocks.kept IS 'Whether it stayed in the article.';
COMMENT ON COLUMN article_blocks.rule IS 'The rule that took it out. Null: it was kept.';
COMMENT ON COLUMN article_blocks.evidence IS 'What the rule saw.';
COMMENT ON COLUMN article_blocks.text IS 'The text of the block.';
COMMENT ON COLUMN gaps.offsets IS 'How many offsets.';
COMMENT ON COLUMN ingest_status.messages_per_second IS 'Mean rate of the present owner, from its claim to its last flush.';
COMMENT ON COLUMN copy_lag_histogram.up_to IS 'Upper end of the class; the one before is its lower end.';
COMMENT ON COLUMN copy_lag_histogram.links IS 'Links with a lag in this class.';
COMMENT ON COLUMN copy_lag_histogram.percent_up_to IS 'Share of all links with a lag up to here, in percent.';
COMMENT ON COLUMN copy_lags.article_id IS 'The copy.';
COMMENT ON COLUMN copy_lags.lag IS 'Time between the two messages. Negative: the copy''s message is older.';
