//! What `copydesk audit` asks the database: each query counts what must not be there. Nothing fails here.

/// Rows that point nowhere: what they are, and how to count them.
pub(crate) const ORPHANS: &[(&str, &str)] = &[
    (
        "sightings are of articles that do not exist",
        "SELECT count(*) FROM sighting s WHERE NOT EXISTS (SELECT FROM article a WHERE a.article_id = s.article_id)
             AND NOT EXISTS (SELECT FROM retired_article r WHERE r.article_id = s.article_id)",
    ),
    (
        "sightings name a version that does not exist",
        "SELECT count(*) FROM sighting s JOIN article a USING (article_id)
         WHERE s.version <> a.version AND NOT EXISTS
             (SELECT FROM article_version v WHERE v.article_id = s.article_id AND v.version = s.version)",
    ),
    (
        "articles have no sighting",
        "SELECT count(*) FROM article a WHERE NOT EXISTS (SELECT FROM sighting s WHERE s.article_id = a.article_id)
             AND NOT EXISTS (SELECT FROM rewound_sighting r WHERE r.article_id = a.article_id)",
    ),
    (
        "keys belong to articles that do not exist",
        "SELECT count(*) FROM near_key k WHERE NOT EXISTS (SELECT FROM article a WHERE a.article_id = k.article_id)
             AND NOT EXISTS (SELECT FROM retired_article r WHERE r.article_id = k.article_id)",
    ),
    (
        "articles have no evidence",
        "SELECT count(*) FROM article a WHERE NOT EXISTS (SELECT FROM evidence e WHERE e.article_id = a.article_id)",
    ),
    (
        "articles have no text, or texts no article",
        "SELECT count(*) FROM article a FULL JOIN article_text t USING (article_id)
         WHERE t.article_id IS NULL OR a.article_id IS NULL AND NOT copydesk_is_dropping(article_id)",
    ),
    (
        "articles have no membership, or memberships no article",
        "SELECT count(*) FROM article a FULL JOIN membership m USING (article_id)
         WHERE a.article_id IS NULL OR m.article_id IS NULL",
    ),
    (
        "articles are in a story that does not exist",
        "SELECT count(*) FROM membership m WHERE NOT EXISTS (SELECT FROM article o WHERE o.article_id = m.story_id)
             AND NOT EXISTS (SELECT FROM retired_article r WHERE r.article_id = m.story_id)",
    ),
    (
        "articles are linked to an article that does not exist",
        "SELECT count(*) FROM membership m WHERE m.linked_to IS NOT NULL
             AND NOT EXISTS (SELECT FROM article o WHERE o.article_id = m.linked_to)
             AND NOT EXISTS (SELECT FROM retired_article r WHERE r.article_id = m.linked_to)",
    ),
    (
        "identities belong to articles that do not exist",
        "SELECT count(*) FROM article_identity i WHERE NOT EXISTS (SELECT FROM article a WHERE a.article_id = i.article_id)",
    ),
    (
        "articles are there that a takedown holds against",
        "SELECT count(*) FROM article_identity i JOIN article a USING (article_id) WHERE i.identity IN (SELECT hash FROM takedown_hold)",
    ),
    (
        "articles were dropped for their age and are there",
        "SELECT count(*) FROM retired_article r WHERE EXISTS (SELECT FROM article a WHERE a.article_id = r.article_id)",
    ),
    (
        "versions belong to articles that do not exist",
        "SELECT count(*) FROM article_version v WHERE NOT EXISTS (SELECT FROM article a WHERE a.article_id = v.article_id)
             AND NOT copydesk_is_dropping(v.article_id)",
    ),
    (
        "evidence belongs to articles that do not exist",
        "SELECT count(*) FROM evidence e WHERE NOT EXISTS (SELECT FROM article a WHERE a.article_id = e.article_id)
             AND NOT copydesk_is_dropping(e.article_id)",
    ),
    (
        "searchable words belong to articles that do not exist",
        "SELECT count(*) FROM article_words w WHERE NOT EXISTS (SELECT FROM article a WHERE a.article_id = w.article_id)
             AND NOT copydesk_is_dropping(w.article_id)",
    ),
    (
        "articles do not have all their versions",
        "SELECT count(*) FROM article a
         LEFT JOIN (SELECT article_id, count(*) AS versions, max(version) AS last FROM article_version GROUP BY 1) v USING (article_id)
         WHERE coalesce(v.versions, 0) + 1 <> greatest(a.version, v.last)",
    ),
];

/// Rows that are not what other rows say, with some of them.
const DIFFERENT: &str = "WITH different AS (
        SELECT coalesce(s.story_id, c.story_id) AS story_id FROM story s FULL JOIN story_counted c USING (story_id)
        WHERE (s.story_id, s.canonical_article, s.articles, s.copies, s.sites, s.first_published_at, s.first_seen, s.last_seen, s.canonical_at,
               s.longest_words, s.canonical_words, s.title, s.site, s.url, s.language, s.site_list)
              IS DISTINCT FROM
              (c.story_id, c.canonical_article, c.articles, c.copies, c.sites, c.first_published_at, c.first_seen, c.last_seen, c.canonical_at,
               c.longest_words, c.canonical_words, c.title, c.site, c.url, c.language, c.site_list))
    SELECT count(*), coalesce((array_agg('story ' || story_id ORDER BY story_id))[1:5], '{}') FROM different";

/// Content that is not what its hash says: what it is, and how to count it and to name some. The hash of a version came with the message, and
/// with each event that changed it since.
pub(crate) const CHANGED: &[(&str, &str)] = &[
    ("stories are not what their articles say", DIFFERENT),
    (
        "versions of articles have another text than was stored, and no event says so",
        "WITH stored AS (
             SELECT DISTINCT ON (article_id, version) article_id, version, content_hash FROM (
                 SELECT article_id, version, content_hash, 0::int8 AS event FROM sighting WHERE content_hash IS NOT NULL
                 UNION ALL
                 SELECT article_id, version, content_hash, 0 FROM rewound_sighting WHERE content_hash IS NOT NULL
                 UNION ALL
                 SELECT article_id, version, content_hash, event_id FROM clean_event) s
             ORDER BY article_id, version, event DESC
         )
         SELECT count(*), coalesce((array_agg('article ' || article_id || ' version ' || version ORDER BY article_id))[1:5], '{}')
         FROM stored JOIN (
             SELECT article_id, version, title, dek, captions, body, blocks FROM article JOIN article_text USING (article_id)
             UNION ALL
             SELECT article_id, version, title, dek, captions, body, blocks FROM article_version) c USING (article_id, version)
         WHERE content_hash <> copydesk_content_hash(title, dek, captions, body, blocks)",
    ),
    (
        "quarantined messages have other bytes than were kept",
        "SELECT count(*), coalesce((array_agg(topic || '[' || partition || '] offset ' || \"offset\" ORDER BY first_seen))[1:5], '{}')
         FROM quarantine
         WHERE raw IS NULL AND raw_size IS NOT NULL AND content_dropped_at IS NULL AND state <> 'replayed'
             OR substring(sha256(raw) FROM 1 FOR 16) <> kept_hash",
    ),
];
