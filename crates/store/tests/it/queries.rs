//! The queries of docs/queries.md: each runs, and goes through the index that the page names.
//!
//! The bench `questions` measures them.

use sqlx::{Executor as _, PgPool};

use crate::support::Scratch;

const PAGE: &str = include_str!("../../../../docs/queries.md");

/// What each question's plan must go through.
const PLANS: &[(&str, &[&str])] = &[
    ("The newest stories", &["story_first_seen"]),
    ("The stories that last got an article", &["story_last_seen"]),
    ("The largest stories", &["story_articles"]),
    ("The stories with the most copies", &["story_copies"]),
    ("The stories on the most sites", &["story_sites"]),
    // By the day or by the size, as there is more of one or of the other.
    ("The largest stories of the last day", &["story_"]),
    ("The newest stories of a site", &["story_site"]),
    (
        "The stories that a site took part in, in a week",
        &["article_site", "story_pkey"],
    ),
    ("The newest stories in a language", &["story_language"]),
    (
        "The stories that were first published in a day",
        &["story_first_published"],
    ),
    ("The story at an address", &["story_url"]),
    ("The stories with a word in a title", &["story_pkey"]),
    ("What changed a story", &["story_event_from", "story_event_to"]),
    ("All copies of a story", &["membership_story"]),
    (
        "Who published it first",
        &["article_canonical_url", "membership_story"],
    ),
    // By the relation, or from the last article back, as the relation is rare or frequent.
    ("Which copies were cut", &["membership_"]),
    ("The last articles that were stored", &["article_ingested"]),
    ("The last articles that were published", &["article_published"]),
    ("The article at an address", &["article_url"]),
    ("The article at a canonical address", &["article_canonical_url"]),
    ("The last articles of an author", &["article_authors"]),
    ("The last articles with a tag", &["article_tags"]),
    ("The last articles of a section", &["article_section"]),
    ("The last articles of an agency", &["article_agency"]),
    ("The last articles in a language", &["article_language"]),
    ("The last exact copies", &["membership_"]),
    ("The last round-ups", &["membership_"]),
    ("Everything from a site in a week", &["article_site"]),
    (
        "What a site took over from others in a week",
        &["article_site", "article_pkey"],
    ),
    ("Articles by their words", &[]),
    ("Articles by their words, at a site", &[]),
    (
        "What a rule removed last",
        &["article_pkey", "article_version_0_pkey"],
    ),
    (
        "What was removed at a site in a week, by rule",
        &["article_site", "article_pkey"],
    ),
    (
        "The whole of what was read of an article, in its order",
        &["article_pkey", "article_version_0_pkey"],
    ),
    ("Where an article came from", &["sighting_article"]),
    (
        "All that was stored in a day, a thousand at a time",
        &["article_ingested"],
    ),
];

/// The page's questions with their queries, in order.
fn questions() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for part in PAGE.split("\n### ").skip(1) {
        let title = part.lines().next().unwrap().to_owned();
        let sql = part
            .split_once("```sql\n")
            .and_then(|(_, rest)| rest.split_once("```"))
            .unwrap_or_else(|| panic!("{title} has no query"))
            .0;
        found.push((title, sql.trim().trim_end_matches(';').to_owned()));
    }
    found
}

/// Fills the tables without Kafka and cleaning. Every fifth article is a copy; a third has a block that a rule removed; texts of
/// some 3 KB from 50,000 words, a few of them frequent and most of them rare; a hundred days up to now.
async fn fill(db: &PgPool, articles: i64) {
    let run = |sql: String| async move {
        db.execute(sql.as_str())
            .await
            .unwrap_or_else(|e| panic!("{sql}: {e}"));
    };
    let paragraphs = (articles / 20).clamp(200, 20_000);
    run("SELECT setseed(0.5); UPDATE setting SET search = false".into()).await;
    run(format!(
        "CREATE UNLOGGED TABLE pool AS
         SELECT p AS n, string_agg('w' || floor(50000 ^ random())::int::text || chr(97 + (p % 3)::int), ' ') || '.' AS text
         FROM generate_series(0, {paragraphs} - 1) p, generate_series(1, 45) w GROUP BY p;
         ALTER TABLE pool ADD words tsvector; UPDATE pool SET words = to_tsvector('english', text);
         CREATE UNIQUE INDEX ON pool (n); ANALYZE pool"
    ))
    .await;
    // A linear congruence spreads the paragraphs; a copy has those of its original, without the last ones.
    let pick = format!("(((a.original * 10 + k) * 7919 + a.original / 3) % {paragraphs})");
    let original = "(CASE WHEN id % 5 = 0 AND id > 5 THEN id - 1 - (id / 5) % 4 ELSE id END)";
    for from in (1..=articles).step_by(50_000) {
        let to = (from + 49_999).min(articles);
        run(format!(
            "INSERT INTO article (article_id, published_at, message_time, ingested_at, version_at, version, word_count,
                 fingerprint_version, identity, body_hash, raw_hash, rules_version, site, title, language, canonical_url, url, section, agency, authors, tags)
             SELECT a.id, a.at, a.at, a.at, a.at, 1, 450, 1, decode(md5(a.id::text), 'hex'),
                    decode(md5(a.original::text), 'hex'), decode(md5(a.id::text), 'hex'), 'bench',
                    'site' || (a.id * 48271 % 2000) || '.example', 'w' || (a.id * 31 % 9000) || 'a headline ' || a.id, CASE a.id % 50 WHEN 0 THEN 'de' ELSE 'en' END,
                    'https://site.example/' || a.id, 'https://site.example/' || a.id,
                    'section ' || a.id % 20, 'agency ' || a.id % 9, ARRAY['author ' || a.id % 500], ARRAY['tag ' || a.id % 700]
             FROM (SELECT id, {original} AS original, now() - interval '100 days' + id * interval '100 days' / {articles} AS at
                   FROM generate_series({from}::int8, {to}::int8) id) a;
             INSERT INTO membership (article_id, story_id, linked_to, relation)
             SELECT id, {original}, nullif({original}, id),
                    CASE WHEN id % 5 > 0 OR id <= 5 THEN 'original' WHEN id % 50 = 0 THEN 'excerpt' ELSE 'near_copy' END
             FROM (SELECT article_id AS id FROM article WHERE article_id BETWEEN {from} AND {to}) a;
             INSERT INTO article_text (article_id, blocks, body)
             SELECT a.id, CASE WHEN a.id % 3 = 0 THEN '[[\"headline\"], [\"body\", 3000], [\"boilerplate\", \"Check Also\", \"related-marker\", \"check also\"]]'::jsonb
                               ELSE '[[\"headline\"], [\"body\", 3000]]'::jsonb END,
                    (SELECT string_agg(p.text, E'\\n\\n' ORDER BY k) FROM generate_series(0, 9 - 2 * (a.id <> a.original)::int) k JOIN pool p ON p.n = {pick})
             FROM (SELECT article_id AS id, story_id AS original FROM membership WHERE article_id BETWEEN {from} AND {to}) a;
             INSERT INTO sighting (topic, partition, \"offset\", article_id, message_time, ingested_at, version, verdict)
             SELECT 'bench', 0, article_id, article_id, message_time, ingested_at, 1, 'new_article' FROM article WHERE article_id BETWEEN {from} AND {to}"
        ))
        .await;
    }
    run(format!(
        "DROP INDEX article_words_of_range;
         INSERT INTO article_words (article_id, config, words)
         SELECT a.id, 'english', setweight(to_tsvector('english', 'w' || (a.id * 31 % 9000) || 'a headline'), 'A')
             || p0.words || p1.words || p2.words || p3.words || p4.words || p5.words || p6.words || p7.words || p8.words || p9.words
         FROM (SELECT article_id AS id, story_id AS original FROM membership) a {};
         CREATE INDEX article_words_of_range ON article_words USING gin (copydesk_words_of_range(article_id, words));
         UPDATE setting SET search = true",
        (0..10)
            .map(|k| format!("JOIN pool p{k} ON p{k}.n = {} ", pick.replace('k', &k.to_string())))
            .collect::<String>()
    ))
    .await;
    run("DROP TABLE pool; INSERT INTO story SELECT * FROM story_counted".into()).await;
    run(
        "VACUUM ANALYZE article, membership, article_text, article_version, article_words, sighting, story"
            .into(),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_question_of_the_page_goes_through_its_index() {
    let scratch = Scratch::new("queries").await;
    fill(&scratch.db, 3_000).await;
    let questions = questions();
    assert_eq!(
        questions.iter().map(|(t, _)| t.as_str()).collect::<Vec<_>>(),
        PLANS.iter().map(|(t, _)| *t).collect::<Vec<_>>()
    );
    let mut connection = scratch.db.acquire().await.unwrap();
    // A small table is read whole, whatever its indexes: what is asked here is whether they can serve.
    connection
        .execute("SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off")
        .await
        .unwrap();
    for ((title, sql), (_, indexes)) in questions.iter().zip(PLANS) {
        let lines: Vec<String> = sqlx::query_scalar(&format!("EXPLAIN (COSTS OFF) {sql}"))
            .fetch_all(&mut *connection)
            .await
            .unwrap_or_else(|e| panic!("{title}: {e}"));
        let plan = lines.join("\n");
        for index in *indexes {
            assert!(plan.contains(index), "{title} does not use {index}:\n{plan}");
        }
        assert!(
            !plan.contains("Seq Scan on article") && !plan.contains("Seq Scan on membership"),
            "{title}:\n{plan}"
        );
        connection
            .execute(sql.as_str())
            .await
            .unwrap_or_else(|e| panic!("{title}: {e}"));
    }
}
