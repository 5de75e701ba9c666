-- Articles, their texts and versions, and the address of each. What an article is to others (its story, its link) is in membership: whoever
-- links, merges or splits touches no row of this file.

-- Functions look for objects of this schema, and for tables of the session last: a table of that name there is a stranger's.
SELECT set_config('search_path', format('%I, pg_temp', current_schema()), true);

CREATE SEQUENCE article_id_seq AS bigint;
COMMENT ON SEQUENCE article_id_seq IS 'Numbers articles in the order of arrival within a partition. Gaps are normal.';

-- Workers write new articles by COPY, which leaves ingested_at and version_at to the database: the time of the transaction.
CREATE TABLE article (
    article_id               bigint PRIMARY KEY,
    replaces                 bigint,
    published_at             timestamptz,
    modified_at              timestamptz,
    fetched_at               timestamptz,
    message_time             timestamptz,
    ingested_at              timestamptz NOT NULL DEFAULT now(),
    version_at               timestamptz NOT NULL DEFAULT now(),
    version                  integer NOT NULL CHECK (version >= 1),
    word_count               integer NOT NULL,
    published_offset_minutes integer,
    modified_offset_minutes  integer,
    version_similarity       real,
    fingerprint_version      smallint NOT NULL,
    recents                  smallint NOT NULL DEFAULT 0,
    paywalled                boolean,
    identity                 bytea NOT NULL,
    body_hash                bytea NOT NULL,
    raw_hash                 bytea NOT NULL,
    rules_version            text NOT NULL,
    version_cause            text,
    site                     text,
    site_source              text,
    site_name                text,
    site_name_source         text,
    title                    text,
    title_source             text,
    dek                      text,
    dek_source               text,
    authors                  text[] NOT NULL DEFAULT '{}',
    authors_source           text,
    published_source         text,
    modified_source          text,
    language                 text,
    language_source          text,
    section                  text,
    section_source           text,
    agency                   text,
    agency_source            text,
    tags                     text[] NOT NULL DEFAULT '{}',
    image_url                text,
    image_url_source         text,
    url                      text,
    canonical_url            text,
    canonical_url_source     text,
    own_url                  text,
    warnings                 text[] NOT NULL DEFAULT '{}',
    captions                 text[] NOT NULL DEFAULT '{}',
    extra                    jsonb
);
CREATE INDEX article_site ON article (site, published_at);
CREATE INDEX article_published ON article (published_at);
CREATE INDEX article_ingested ON article (ingested_at);
CREATE INDEX article_language ON article (language, published_at);
CREATE INDEX article_section ON article (section, published_at) WHERE section IS NOT NULL;
CREATE INDEX article_agency ON article (agency, published_at) WHERE agency IS NOT NULL;
CREATE INDEX article_authors ON article USING gin (authors);
CREATE INDEX article_tags ON article USING gin (tags);
-- A hash index: addresses are looked up whole, and a long one would not fit a b-tree.
CREATE INDEX article_canonical_url ON article USING hash (canonical_url);
-- A hash index: addresses are looked up whole, and a long one would not fit a b-tree.
CREATE INDEX article_url ON article USING hash (url);
-- A page is taken down by its own address as well, where it claims another one.
CREATE INDEX article_own_url ON article USING hash (own_url) WHERE own_url IS NOT NULL;
COMMENT ON TABLE article IS 'One row per article in its latest version, without its text (article_text) and its place among stories (membership). Older versions are in article_version.';
COMMENT ON COLUMN article.article_id IS 'Names the article over all its versions.';
COMMENT ON COLUMN article.replaces IS 'The article that had this address before: the two share next to nothing, so the address was used again.';
COMMENT ON COLUMN article.published_at IS 'When it was published. A day without a time is its midnight in UTC.';
COMMENT ON COLUMN article.modified_at IS 'When it was last changed, by its own account.';
COMMENT ON COLUMN article.fetched_at IS 'When the producer fetched it, if it said so.';
COMMENT ON COLUMN article.message_time IS 'Timestamp of its message in Kafka.';
COMMENT ON COLUMN article.ingested_at IS 'When its first version was stored.';
COMMENT ON COLUMN article.version_at IS 'When this version was stored.';
COMMENT ON COLUMN article.version IS 'Number of this version in the order of arrival, from 1. A higher one may be among article_versions: it was seen before this one and came after it.';
COMMENT ON COLUMN article.word_count IS 'Words of the body.';
COMMENT ON COLUMN article.published_offset_minutes IS 'Offset from UTC of the zone in which published_at was stated, in minutes. Null with a published_at: only the day is known.';
COMMENT ON COLUMN article.modified_offset_minutes IS 'As published_offset_minutes, for modified_at.';
COMMENT ON COLUMN article.version_similarity IS 'Jaccard similarity of this version''s text to the one before, 0 to 1. Null for version 1.';
COMMENT ON COLUMN article.fingerprint_version IS 'Version of the recipe that made its hashes.';
COMMENT ON COLUMN article.paywalled IS 'Whether the page says that it is behind a paywall. Null: it does not say.';
COMMENT ON COLUMN article.identity IS 'Hash of what makes two messages the same article: the canonical address, or else site, title and text.';
COMMENT ON COLUMN article.body_hash IS 'Hash of the normalised body: equal for equal texts, whatever their case, quotes and spacing.';
COMMENT ON COLUMN article.raw_hash IS 'Hash of the message''s value as it came.';
COMMENT ON COLUMN article.rules_version IS 'Version of the cleaning rules.';
COMMENT ON COLUMN article.version_cause IS 'Why this version came: rules (the same message as the version before, cleaned by other rules), or null (another message).';
COMMENT ON COLUMN article.site IS 'The publishing site: host without www, lower case.';
COMMENT ON COLUMN article.site_source IS 'Where site came from.';
COMMENT ON COLUMN article.site_name IS 'The site''s own name.';
COMMENT ON COLUMN article.site_name_source IS 'Where site_name came from.';
COMMENT ON COLUMN article.title IS 'The headline.';
COMMENT ON COLUMN article.title_source IS 'Where title came from.';
COMMENT ON COLUMN article.dek IS 'The dek (standfirst, summary).';
COMMENT ON COLUMN article.dek_source IS 'Where dek came from.';
COMMENT ON COLUMN article.authors IS 'Names, in the order of the byline.';
COMMENT ON COLUMN article.authors_source IS 'Where authors came from.';
COMMENT ON COLUMN article.published_source IS 'Where published_at came from.';
COMMENT ON COLUMN article.modified_source IS 'Where modified_at came from.';
COMMENT ON COLUMN article.language IS 'ISO 639 code, lower case.';
COMMENT ON COLUMN article.language_source IS 'Where language came from.';
COMMENT ON COLUMN article.section IS 'Section or category.';
COMMENT ON COLUMN article.section_source IS 'Where section came from.';
COMMENT ON COLUMN article.agency IS 'News agency that the text or the credits name.';
COMMENT ON COLUMN article.agency_source IS 'Where agency came from.';
COMMENT ON COLUMN article.tags IS 'Tags or keywords, in the order of the page.';
COMMENT ON COLUMN article.image_url IS 'Address of the lead image.';
COMMENT ON COLUMN article.image_url_source IS 'Where image_url came from.';
COMMENT ON COLUMN article.url IS 'The address as the producer gave it.';
COMMENT ON COLUMN article.canonical_url IS 'The normalised address that names the article.';
COMMENT ON COLUMN article.canonical_url_source IS 'Where canonical_url came from.';
COMMENT ON COLUMN article.own_url IS 'The page''s own address in canonical form, where it claims another one, which canonical_url has. Null: it claims none, or its claim was found to be a template''s.';
COMMENT ON COLUMN article.warnings IS 'What was less than ideal in decoding and cleaning: short codes, explained in docs/cleaning.md and docs/messages.md.';
COMMENT ON COLUMN article.captions IS 'Captions and credits that were kept, in order.';
COMMENT ON COLUMN article.extra IS 'Fields of the envelope that copydesk does not know, as they came.';
COMMENT ON COLUMN article.recents IS 'How many of its site''s last articles were looked at for the decision: what is needed to run it again.';

CREATE TABLE article_text (
    article_id bigint PRIMARY KEY,
    blocks     jsonb NOT NULL,
    markup     jsonb,
    body       text NOT NULL
) PARTITION BY RANGE (article_id);
COMMENT ON TABLE article_text IS 'The text of each article''s latest version. It changes with a new version and when the article is cleaned again, and with nothing else.';
COMMENT ON COLUMN article_text.article_id IS 'The article.';
COMMENT ON COLUMN article_text.blocks IS 'All blocks in original order; the view article_blocks reads it. [kind, text, rule, evidence]: removed. [kind, number]: kept, so many characters of body. [kind]: kept, text in title, dek or the next of captions. [kind, text]: kept, text here.';
COMMENT ON COLUMN article_text.markup IS 'What the blocks of the latest version are besides their text, by their position: "b": Markdown of those in which it is not the text itself; "l": links, each [position, text, address]; "i": pictures, each [position, address, alt text, caption], which stand before the block. Null: it was stored before there was such a column, or with clean.markup off.';
COMMENT ON COLUMN article_text.body IS 'The body: its paragraphs with a blank line between two.';

CREATE TABLE article_version (
    article_id          bigint NOT NULL,
    message_time        timestamptz,
    version_at          timestamptz NOT NULL,
    modified_at         timestamptz,
    fetched_at          timestamptz,
    version             integer NOT NULL,
    word_count          integer NOT NULL,
    version_similarity  real,
    fingerprint_version smallint NOT NULL,
    body_hash           bytea NOT NULL,
    rules_version       text NOT NULL,
    version_cause       text,
    title               text,
    dek                 text,
    captions            text[] NOT NULL DEFAULT '{}',
    blocks              jsonb NOT NULL,
    body                text NOT NULL,
    PRIMARY KEY (article_id, version)
) PARTITION BY RANGE (article_id);
COMMENT ON TABLE article_version IS 'Versions of articles that are not shown: replaced by a later one, or seen before it and arrived behind it. The shown one is in article.';
COMMENT ON COLUMN article_version.article_id IS 'The article.';
COMMENT ON COLUMN article_version.message_time IS 'Timestamp of its message in Kafka.';
COMMENT ON COLUMN article_version.version_at IS 'When this version was stored.';
COMMENT ON COLUMN article_version.modified_at IS 'When it was last changed, by its own account.';
COMMENT ON COLUMN article_version.fetched_at IS 'When the producer fetched it, if it said so.';
COMMENT ON COLUMN article_version.version IS 'Number of the version in the order of arrival, from 1.';
COMMENT ON COLUMN article_version.word_count IS 'Words of the body.';
COMMENT ON COLUMN article_version.version_similarity IS 'Jaccard similarity of its text to the version before, 0 to 1.';
COMMENT ON COLUMN article_version.fingerprint_version IS 'Version of the recipe that made its hashes.';
COMMENT ON COLUMN article_version.body_hash IS 'Hash of the normalised body.';
COMMENT ON COLUMN article_version.rules_version IS 'Version of the cleaning rules.';
COMMENT ON COLUMN article_version.version_cause IS 'As article.version_cause.';
COMMENT ON COLUMN article_version.title IS 'The headline.';
COMMENT ON COLUMN article_version.dek IS 'The dek.';
COMMENT ON COLUMN article_version.captions IS 'Captions and credits that were kept, in order.';
COMMENT ON COLUMN article_version.blocks IS 'As article_text.blocks.';
COMMENT ON COLUMN article_version.body IS 'The body.';

-- lz4 doubles the speed of inserts of article-sized texts against the default pglz.
DO $$
BEGIN
    ALTER TABLE article ALTER COLUMN extra SET COMPRESSION lz4, ALTER COLUMN captions SET COMPRESSION lz4;
    ALTER TABLE article_text ALTER COLUMN body SET COMPRESSION lz4, ALTER COLUMN blocks SET COMPRESSION lz4, ALTER COLUMN markup SET COMPRESSION lz4;
    ALTER TABLE article_version ALTER COLUMN body SET COMPRESSION lz4, ALTER COLUMN blocks SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
    RAISE WARNING 'this Postgres was built without lz4: texts are compressed with pglz, which is slower';
END
$$;

CREATE TABLE article_identity (
    article_id bigint NOT NULL,
    identity   bytea PRIMARY KEY
);
COMMENT ON TABLE article_identity IS 'Which article has which identity. Its row lock puts two messages of one address in an order.';
COMMENT ON COLUMN article_identity.article_id IS 'The article.';
COMMENT ON COLUMN article_identity.identity IS 'As article.identity.';

-- A canonical address that different pages of a site claim (a template's, a section's) names none of them: their own addresses do.
CREATE TABLE distrusted_canonical (
    found_at      timestamptz NOT NULL DEFAULT now(),
    identity      bytea PRIMARY KEY,
    canonical_url text NOT NULL
);
COMMENT ON TABLE distrusted_canonical IS 'Canonical addresses that different pages claim: the pages'' own addresses count instead. A row that is deleted is found again from the next two pages.';
COMMENT ON COLUMN distrusted_canonical.found_at IS 'When two different pages were seen that claim it.';
COMMENT ON COLUMN distrusted_canonical.identity IS 'As article_identity.identity, of the canonical address.';
COMMENT ON COLUMN distrusted_canonical.canonical_url IS 'The address that the pages claim.';

-- With a foreign key, against the rule: whatever removes an article (retention, a takedown) must not leave its page behind, and where this is off it
-- costs nothing.
CREATE TABLE raw_input (
    article_id    bigint PRIMARY KEY REFERENCES article ON DELETE CASCADE,
    kept_at       timestamptz NOT NULL DEFAULT now(),
    message_time  timestamptz,
    raw_size      integer NOT NULL,
    rules_version text NOT NULL,
    headers       bytea,
    raw           bytea NOT NULL
);
ALTER TABLE raw_input ALTER COLUMN raw SET STORAGE EXTERNAL;
CREATE INDEX raw_input_kept ON raw_input (kept_at);
COMMENT ON TABLE raw_input IS 'Messages that the shown versions of articles came of (worker.keep_raw_days), for `copydesk janitor reclean --rules`. Removed with the article, and by the janitor.';
COMMENT ON COLUMN raw_input.article_id IS 'The article.';
COMMENT ON COLUMN raw_input.kept_at IS 'When it was stored.';
COMMENT ON COLUMN raw_input.message_time IS 'Timestamp of the message in Kafka.';
COMMENT ON COLUMN raw_input.raw_size IS 'Bytes of the message''s value as it came.';
COMMENT ON COLUMN raw_input.rules_version IS 'Version of the cleaning rules that it was last cleaned with.';
COMMENT ON COLUMN raw_input.headers IS 'The message''s headers, as in quarantine.headers.';
COMMENT ON COLUMN raw_input.raw IS 'The message''s value, compressed with zstd.';

CREATE FUNCTION copydesk_content_hash(title text, dek text, captions text[], body text, blocks jsonb) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE
RETURN substring(sha256(convert_to(
        coalesce(octet_length(title)::text, '') || ' ' || coalesce(octet_length(dek)::text, '') || ' '
            || octet_length(array_to_string(captions, E'\x1f')) || ' ' || octet_length(body) || ' '
            || coalesce(title, '') || coalesce(dek, '') || array_to_string(captions, E'\x1f') || body || blocks::text,
        'UTF8')) FROM 1 FOR 16);
COMMENT ON FUNCTION copydesk_content_hash(text, text, text[], text, jsonb) IS 'The first 16 bytes of the SHA-256 of what a version of an article says: title, dek, captions, body and blocks (what was removed among them), each with its length before. Workers hash the same before they store it.';
