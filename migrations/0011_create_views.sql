-- The public contract: tables may change, these views keep their columns (migrations/README.md).

-- Each column of the text by itself: a query that does not ask for it does not look for it. So it is with the story: each article has its row of
-- membership, and Postgres leaves a LEFT JOIN out that nobody asks a column of.
CREATE VIEW articles AS
SELECT a.article_id, m.story_id, m.relation, a.title, a.dek, a.authors, a.site, a.site_name, a.url, a.canonical_url,
       a.published_at, a.published_offset_minutes, a.modified_at, a.language, a.section, a.tags, a.agency, a.paywalled,
       (SELECT t.body FROM article_text t WHERE t.article_id = a.article_id) AS body, a.word_count, a.captions, a.image_url, a.version,
       m.linked_to, m.similarity, m.containment, m.containment_of_linked, m.shared_shingles, m.link_reason, a.replaces,
       a.fetched_at, a.message_time, a.ingested_at, a.version_at,
       a.title_source, a.dek_source, a.authors_source, a.site_source, a.site_name_source, a.canonical_url_source,
       a.published_source, a.modified_source, a.language_source, a.section_source, a.agency_source, a.image_url_source,
       a.warnings, a.extra, a.rules_version, a.fingerprint_version, m.common_version,
       (SELECT copydesk_markdown(t.blocks, t.body, t.markup) FROM article_text t WHERE t.article_id = a.article_id) AS body_markdown,
       (SELECT copydesk_links(t.blocks, t.markup) FROM article_text t WHERE t.article_id = a.article_id) AS links,
       (SELECT copydesk_images(t.markup) FROM article_text t WHERE t.article_id = a.article_id) AS images
FROM article a LEFT JOIN membership m ON m.article_id = a.article_id;
COMMENT ON VIEW articles IS 'One row per article, in its latest version. Older ones may be in the archive: SELECT max(day) FROM archive_batches says up to which day.';
COMMENT ON COLUMN articles.body IS 'The body: its paragraphs with a blank line between two.';
COMMENT ON COLUMN articles.body_markdown IS 'The body as Markdown: CommonMark, with tables. What strangers wrote is escaped, addresses are of the web. Worked out when it is asked for. Null: see clean.markup in docs/configuration.md.';
COMMENT ON COLUMN articles.links IS 'The links of the body in order: [{"text", "url"}, …]. Null as body_markdown.';
COMMENT ON COLUMN articles.images IS 'The pictures of the article in order: [{"url", "alt", "caption"}, …]. Null as body_markdown.';

CREATE VIEW stories AS
SELECT story_id, canonical_article, title, site, url, language, articles, copies, sites, site_list,
       first_published_at, first_seen, last_seen, longest_words
FROM story;
COMMENT ON VIEW stories IS 'One row per story. story_id never changes: it is the article_id of the article that founded the story. The canonical article: of the articles with at least four fifths of the words of the longest one, the one that was published first. Of a story whose older articles are in the archive (archive_batches) the row is of those that are left.';

CREATE VIEW article_versions AS
SELECT a.article_id, a.version, true AS latest, a.title, a.dek,
       (SELECT t.body FROM article_text t WHERE t.article_id = a.article_id) AS body, a.word_count, a.captions, a.version_similarity,
       a.modified_at, a.message_time, a.version_at, a.body_hash, a.rules_version, a.fetched_at, coalesce(a.fetched_at, a.message_time) AS seen_at,
       a.version_cause AS cause
FROM article a
UNION ALL
SELECT article_id, version, false, title, dek, body, word_count, captions, version_similarity,
       modified_at, message_time, version_at, body_hash, rules_version, fetched_at, coalesce(fetched_at, message_time), version_cause
FROM article_version;
COMMENT ON VIEW article_versions IS 'Every version of every article, the shown one among them. In the order in which they were seen: ORDER BY seen_at, version.';
COMMENT ON COLUMN article_versions.latest IS 'Whether it is the version that articles shows: the one that was seen last.';
COMMENT ON COLUMN article_versions.seen_at IS 'When it was seen: fetched_at, or without it message_time.';
COMMENT ON COLUMN article_versions.cause IS 'Why the version came: rules (the same message as the version before, cleaned by other rules: no edit of the publisher), or null (another message).';

-- A join in a part of a UNION ALL would keep its order from being used: ORDER BY article_id LIMIT would read everything.
CREATE VIEW removed_blocks AS
SELECT v.article_id, v.version, v.site, (b.ordinality - 1)::integer AS position,
       b.block ->> 0 AS kind, b.block ->> 2 AS rule, b.block ->> 3 AS evidence, b.block ->> 1 AS text
FROM (SELECT a.article_id, a.version, a.site, (SELECT t.blocks FROM article_text t WHERE t.article_id = a.article_id) AS blocks
      FROM article a
      UNION ALL
      SELECT h.article_id, h.version, (SELECT a.site FROM article a WHERE a.article_id = h.article_id), h.blocks
      FROM article_version h) v
CROSS JOIN LATERAL jsonb_array_elements(v.blocks) WITH ORDINALITY AS b (block, ordinality)
WHERE jsonb_array_length(b.block) >= 3;
COMMENT ON VIEW removed_blocks IS 'What was taken out of which version of which article, by which rule.';
COMMENT ON COLUMN removed_blocks.version IS 'Number of the version, from 1.';
COMMENT ON COLUMN removed_blocks.site IS 'The publishing site.';
COMMENT ON COLUMN removed_blocks.position IS 'Place among all blocks of the version, from 0.';
COMMENT ON COLUMN removed_blocks.kind IS 'What the block is: boilerplate, caption, body, …';
COMMENT ON COLUMN removed_blocks.rule IS 'The rule that took it out (docs/cleaning.md).';
COMMENT ON COLUMN removed_blocks.evidence IS 'What the rule saw: the marker, the selector, the line it repeats.';
COMMENT ON COLUMN removed_blocks.text IS 'The text that was taken out.';

-- The blocks are read in a LATERAL, so that a condition on article_id reaches the tables: it stops at window functions.
CREATE VIEW article_blocks AS
SELECT v.article_id, v.version, b.position, b.kind, b.rule IS NULL AS kept, b.rule, b.evidence,
       CASE
           WHEN b.own_text IS NOT NULL THEN b.own_text
           WHEN b.length IS NOT NULL THEN substr(v.body, 1 + b.length_before, b.length)
           WHEN b.kind = 'headline' THEN v.title
           WHEN b.kind = 'dek' THEN v.dek
           ELSE v.captions[b.caption_number]
       END AS text
FROM (SELECT a.article_id, a.version, a.title, a.dek, a.captions,
             (SELECT t.body FROM article_text t WHERE t.article_id = a.article_id) AS body,
             (SELECT t.blocks FROM article_text t WHERE t.article_id = a.article_id) AS blocks
      FROM article a
      UNION ALL
      SELECT article_id, version, title, dek, captions, body, blocks FROM article_version) v
CROSS JOIN LATERAL (
    SELECT (e.ordinality - 1)::integer AS position,
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
COMMENT ON COLUMN article_blocks.version IS 'Number of the version, from 1.';
COMMENT ON COLUMN article_blocks.position IS 'Place among all blocks of the version, from 0.';
COMMENT ON COLUMN article_blocks.kind IS 'What the block is.';
COMMENT ON COLUMN article_blocks.kept IS 'Whether it stayed in the article.';
COMMENT ON COLUMN article_blocks.rule IS 'The rule that took it out. Null: it was kept.';
COMMENT ON COLUMN article_blocks.evidence IS 'What the rule saw.';
COMMENT ON COLUMN article_blocks.text IS 'The text of the block.';

CREATE VIEW sightings AS
SELECT topic, partition, "offset", article_id, version, verdict, message_time, ingested_at
FROM sighting;
COMMENT ON VIEW sightings IS 'One row per message that is an article: where it stood on the topic, and what became of it.';

CREATE VIEW quarantined AS
SELECT topic, partition, "offset", stage, reason, detail, state, attempts, message_time, first_seen, settled_at,
       raw_size, truncated, raw_hash,
       coalesce(octet_length(raw), 0) + coalesce(octet_length(key), 0) + coalesce(octet_length(headers), 0) AS stored_bytes,
       content_dropped_at, content_dropped_for,
       copydesk_key_site(key) AS site, settled_by
FROM quarantine;
COMMENT ON VIEW quarantined IS 'Messages that were refused, and why. Their bytes: `copydesk quarantine show`.';
COMMENT ON COLUMN quarantined.stored_bytes IS 'Bytes that are here of the message: its value (compressed), key and headers.';
COMMENT ON COLUMN quarantined.site IS 'The site that the message''s key names. Null: it had another key or none, or the key was dropped with the bytes.';

CREATE VIEW gaps AS
SELECT topic, partition, from_offset, to_offset, to_offset - from_offset AS offsets, reason, recorded_at
FROM gap;
COMMENT ON VIEW gaps IS 'Offsets that never brought a message, and why.';
COMMENT ON COLUMN gaps.offsets IS 'How many offsets.';

CREATE VIEW story_events AS
SELECT event_id, kind, article_id, moved, from_story, to_story, cause_article, happened_at, detail
FROM story_event;
COMMENT ON VIEW story_events IS 'Changes to stories after their articles were stored.';

CREATE VIEW clean_events AS
SELECT event_id, kind, article_id, version, happened_at, before, after, detail FROM clean_event;
COMMENT ON VIEW clean_events IS 'Articles that were cleaned again after they were stored.';

CREATE VIEW site_blocks AS
SELECT site, lpad(to_hex(block), 8, '0') AS block, decision, sample, why, decided_by, decided_at FROM site_block;
COMMENT ON VIEW site_blocks IS 'What people have said about blocks of sites.';
COMMENT ON COLUMN site_blocks.block IS 'Hash of the block, as `copydesk site show` prints it.';

CREATE VIEW retired_articles AS SELECT article_id, story_id, retired_at, archive_day FROM retired_article;
COMMENT ON VIEW retired_articles IS 'Articles that were dropped for their age: what linked_to and story_id of others may still name.';
COMMENT ON COLUMN retired_articles.article_id IS 'The article.';

CREATE VIEW archive_batches AS
SELECT batch_id, day, folder, articles, versions, removed_blocks, stories, bytes, written_at, archived_at
FROM archive_batch WHERE written_at IS NOT NULL;
COMMENT ON VIEW archive_batches IS 'What is in the archive (docs/archive.md), by batch. articles, stories and the other views have nothing of a batch from archived_at on. Where the archive ends: SELECT max(day) FROM archive_batches.';

CREATE VIEW takedowns AS
SELECT takedown_id, article_id, taken_down_at, lifted_at, why, topic, partition, "offset" FROM takedown;
COMMENT ON VIEW takedowns IS 'Articles that were taken down: when and why, not what.';
COMMENT ON COLUMN takedowns.article_id IS 'The article. Sightings, links and events may still name it.';
COMMENT ON COLUMN takedowns."offset" IS 'Offset of the tombstone.';

CREATE VIEW search_words AS SELECT article_id, config, words FROM article_words;
COMMENT ON VIEW search_words IS 'The words of each article, as search_articles looks them up.';
COMMENT ON COLUMN search_words.config IS 'The text search configuration that made the words.';
COMMENT ON COLUMN search_words.words IS 'Words of title (weight A), dek (B) and body (D), with their places.';
