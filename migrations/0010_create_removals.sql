-- Articles that are gone: dropped for their age, or taken down. What says so keeps when and why, not what; a takedown holds against the same
-- address and the same text.

-- Functions look for objects of this schema, and for tables of the session last: a table of that name there is a stranger's.
SELECT set_config('search_path', format('%I, pg_temp', current_schema()), true);

-- Retention by age: what an article leaves behind when it is dropped.
CREATE TABLE retired_article (
    article_id bigint PRIMARY KEY,
    story_id   bigint NOT NULL,
    retired_at timestamptz NOT NULL DEFAULT now(),
    archive_day date
);
COMMENT ON TABLE retired_article IS 'Articles that were dropped for their age by `copydesk janitor`, or taken down. Their sightings stay, so that every offset is still accounted for; keys go with their windows.';
COMMENT ON COLUMN retired_article.article_id IS 'The article. Names of stories, links and events may still name it.';
COMMENT ON COLUMN retired_article.story_id IS 'The story it was in.';
COMMENT ON COLUMN retired_article.retired_at IS 'When it was dropped.';
COMMENT ON COLUMN retired_article.archive_day IS 'The day under which the archive has it (the folder day=…). Null: it is in no archive.';

-- The archive (docs/archive.md): what is written to files, and what of it is still here.
CREATE TABLE archive_batch (
    batch_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    day            date NOT NULL,
    folder         text NOT NULL,
    begun_at       timestamptz NOT NULL DEFAULT now(),
    written_at     timestamptz,
    archived_at    timestamptz,
    articles       bigint NOT NULL DEFAULT 0,
    versions       bigint NOT NULL DEFAULT 0,
    removed_blocks bigint NOT NULL DEFAULT 0,
    stories        bigint NOT NULL DEFAULT 0,
    bytes          bigint NOT NULL DEFAULT 0
);
CREATE INDEX archive_batch_day ON archive_batch (day);
COMMENT ON TABLE archive_batch IS 'Batches of the archive: articles of one day that are written to files together. Noted before the first file is made.';
COMMENT ON COLUMN archive_batch.batch_id IS 'Number of the batch, in the names of its files as well.';
COMMENT ON COLUMN archive_batch.day IS 'The day on which its articles were stored first, in UTC: the folder day=….';
COMMENT ON COLUMN archive_batch.folder IS 'The archive.';
COMMENT ON COLUMN archive_batch.begun_at IS 'When it was begun.';
COMMENT ON COLUMN archive_batch.written_at IS 'When all its files were there and verified. Null: files may be half there, and are written again.';
COMMENT ON COLUMN archive_batch.archived_at IS 'When its articles were gone from Postgres. Null: some may be in both.';
COMMENT ON COLUMN archive_batch.articles IS 'Its articles.';
COMMENT ON COLUMN archive_batch.versions IS 'Versions of its articles, the shown ones among them, as written.';
COMMENT ON COLUMN archive_batch.removed_blocks IS 'Blocks that were taken out of its articles, as written.';
COMMENT ON COLUMN archive_batch.stories IS 'Stories that its articles were in, as written.';
COMMENT ON COLUMN archive_batch.bytes IS 'Bytes of its files, as written.';

CREATE TABLE archive_pending (
    article_id bigint PRIMARY KEY,
    batch_id   bigint NOT NULL,
    stamp      text NOT NULL
);
COMMENT ON TABLE archive_pending IS 'Articles that are in files of the archive and still here. They go within minutes.';
COMMENT ON COLUMN archive_pending.article_id IS 'The article.';
COMMENT ON COLUMN archive_pending.batch_id IS 'The batch whose files have it.';
COMMENT ON COLUMN archive_pending.stamp IS 'Hash of its versions and its place in its story as they were written. An article that is otherwise now stays, and is taken out of the files.';

CREATE TABLE takedown (
    takedown_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    article_id    bigint NOT NULL,
    taken_down_at timestamptz NOT NULL DEFAULT now(),
    lifted_at     timestamptz,
    "offset"      bigint,
    partition     integer,
    why           text NOT NULL,
    topic         text
);
CREATE UNIQUE INDEX takedown_message ON takedown (topic, partition, "offset") WHERE topic IS NOT NULL;
CREATE INDEX takedown_taken_down ON takedown (taken_down_at);
CREATE INDEX takedown_lifted ON takedown (lifted_at) WHERE lifted_at IS NOT NULL;
CREATE INDEX takedown_article ON takedown (article_id);
COMMENT ON TABLE takedown IS 'Articles that were taken down (`copydesk takedown`, or a tombstone on the topic): when and why. Nothing of what they said.';
COMMENT ON COLUMN takedown.takedown_id IS 'Number of the takedown.';
COMMENT ON COLUMN takedown.article_id IS 'The article, the one that was shown where an address had several. Sightings, links and events may still name it. Of an address that had no article: a number of its own.';
COMMENT ON COLUMN takedown.taken_down_at IS 'When it was taken down.';
COMMENT ON COLUMN takedown.lifted_at IS 'When the takedown was lifted. Null: it holds.';
COMMENT ON COLUMN takedown."offset" IS 'Offset of the tombstone. A tombstone that is read again, after a rewind, takes nothing down a second time.';
COMMENT ON COLUMN takedown.partition IS 'Partition of the tombstone.';
COMMENT ON COLUMN takedown.why IS 'Why, as whoever did it said.';
COMMENT ON COLUMN takedown.topic IS 'Topic of the tombstone. Null: a person took it down.';

-- Rows of their own: it may be several addresses and texts.
CREATE TABLE takedown_hold (
    takedown_id bigint NOT NULL,
    hash        bytea NOT NULL,
    PRIMARY KEY (hash, takedown_id)
);
COMMENT ON TABLE takedown_hold IS 'What takedowns hold against: messages with such an address or such a text are not stored. Gone when the takedown is lifted.';
COMMENT ON COLUMN takedown_hold.takedown_id IS 'The takedown.';
COMMENT ON COLUMN takedown_hold.hash IS 'Of an address as article_identity.identity, or of a text as article.body_hash.';

-- A takedown may run on a machine without the files of the archive. It adds a row here, and the next run of the archive reads it.
CREATE TABLE archive_takedown (
    takedown_id  bigint PRIMARY KEY,
    article_id   bigint,
    is_exact     boolean NOT NULL,
    identity     bytea,
    address_hash bytea
);
COMMENT ON TABLE archive_takedown IS 'Takedowns that the archive''s files have not been looked at for yet. The next `copydesk janitor archive` writes the files anew that have something of them.';
COMMENT ON COLUMN archive_takedown.takedown_id IS 'The takedown.';
COMMENT ON COLUMN archive_takedown.article_id IS 'The article that was named by its number. Null: an address was named.';
COMMENT ON COLUMN archive_takedown.is_exact IS 'Articles were removed from Postgres: what the archive has at another spelling of their address is another page.';
COMMENT ON COLUMN archive_takedown.identity IS 'Hash of the address, the same for its spellings, as article_identity.identity.';
COMMENT ON COLUMN archive_takedown.address_hash IS 'SHA-256 of the address in the spelling that was named or found.';

-- A worker may not delete; for tombstones of the topic, this does.
CREATE FUNCTION copydesk_take_down(
    fresh bigint, wanted bigint, address text, hashed bytea, reason text, tell boolean,
    from_topic text, from_partition integer, from_offset bigint,
    OUT noted bigint, OUT named bigint, OUT removed bigint, OUT in_stories bigint[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    going bigint[];
    spelling text;
BEGIN
    removed := 0;
    in_stories := '{}';
    IF from_topic IS NOT NULL THEN
        SELECT t.takedown_id, t.article_id INTO noted, named FROM takedown t
        WHERE t.topic = from_topic AND t.partition = from_partition AND t."offset" = from_offset;
        IF FOUND THEN
            RETURN;
        END IF;
    END IF;
    -- Every flush that brings articles has claimed an address by its first lock, so this waits for those under way, and those that
    -- follow see what is done here.
    LOCK TABLE article_identity IN SHARE ROW EXCLUSIVE MODE;
    IF wanted IS NOT NULL THEN
        SELECT ARRAY[a.article_id], a.identity INTO going, hashed FROM article a WHERE a.article_id = wanted;
        IF NOT FOUND THEN
            PERFORM FROM retired_article r WHERE r.article_id = wanted AND r.archive_day IS NOT NULL;
            IF NOT FOUND THEN
                RETURN;
            END IF;
            going := '{}';
        END IF;
    ELSE
        -- The address may have been used again, and two spellings of it may be two pages: then the one that was named goes.
        WITH RECURSIVE chain (id) AS (
            SELECT i.article_id FROM article_identity i WHERE i.identity = hashed
            UNION
            SELECT a.replaces FROM chain c JOIN article a ON a.article_id = c.id WHERE a.replaces IS NOT NULL
        ), there AS (SELECT a.article_id, a.canonical_url FROM chain c JOIN article a ON a.article_id = c.id)
        SELECT ARRAY(
            SELECT t.article_id FROM there t WHERE t.canonical_url = (
                SELECT o.canonical_url FROM there o ORDER BY o.canonical_url = address DESC, o.article_id DESC LIMIT 1)
            UNION
            SELECT a.article_id FROM article a WHERE a.own_url = address
            ORDER BY 1
        ) INTO going;
        IF going = '{}' THEN
            SELECT t.takedown_id, t.article_id INTO noted, named FROM takedown_hold h JOIN takedown t USING (takedown_id)
            WHERE h.hash = hashed ORDER BY t.takedown_id LIMIT 1;
            IF FOUND THEN
                RETURN;
            END IF;
        END IF;
    END IF;
    PERFORM FROM membership m WHERE m.article_id = ANY (going) ORDER BY m.article_id FOR UPDATE;
    PERFORM FROM article a WHERE a.article_id = ANY (going) ORDER BY a.article_id FOR UPDATE;
    removed := cardinality(going);
    named := coalesce(going[removed], wanted, fresh);
    spelling := coalesce((SELECT a.canonical_url FROM article a WHERE a.article_id = ANY (going) AND a.identity = hashed LIMIT 1), address);
    in_stories := ARRAY(SELECT DISTINCT m.story_id FROM membership m WHERE m.article_id = ANY (going));
    INSERT INTO takedown (article_id, why, topic, partition, "offset")
    VALUES (named, reason, from_topic, from_partition, from_offset) RETURNING takedown_id INTO noted;
    -- Where another article is at the address by now, that one may come again. An older version of few words may be anybody's
    -- ("More soon"): it holds against nothing.
    INSERT INTO takedown_hold (takedown_id, hash)
    SELECT noted, hashed WHERE hashed IS NOT NULL AND NOT EXISTS (
        SELECT FROM article_identity i JOIN article a USING (article_id) WHERE i.identity = hashed AND i.article_id <> ALL (going))
    UNION
    SELECT noted, a.body_hash FROM article a WHERE a.article_id = ANY (going)
    UNION
    SELECT noted, v.body_hash FROM article_version v WHERE v.article_id = ANY (going) AND v.word_count >= 20;
    INSERT INTO retired_article (article_id, story_id)
    SELECT m.article_id, m.story_id FROM membership m WHERE m.article_id = ANY (going)
    UNION ALL
    SELECT fresh, fresh WHERE named = fresh;
    INSERT INTO archive_takedown (takedown_id, article_id, is_exact, identity, address_hash)
    SELECT noted, CASE WHEN removed = 0 THEN wanted END, removed > 0, hashed, sha256(convert_to(spelling, 'UTF8'))
    WHERE (removed = 0 OR wanted IS NULL) AND EXISTS (SELECT FROM archive_batch);
    DELETE FROM outbox o USING sighting s
    WHERE o.output = 'articles' AND s.article_id = ANY (going)
        AND o.topic = s.topic AND o.partition = s.partition AND o."offset" = s."offset";
    IF tell THEN
        INSERT INTO outbox (output, topic, partition, "offset", story_id, payload)
        SELECT 'articles', s.topic, s.partition, s."offset", m.story_id,
               json_build_object('article_id', m.article_id, 'story_id', m.story_id, 'verdict', 'taken_down',
                                 'topic', s.topic, 'partition', s.partition, 'offset', s."offset")::text
        FROM membership m CROSS JOIN LATERAL (
            SELECT x.topic, x.partition, x."offset" FROM sighting x WHERE x.article_id = m.article_id
            ORDER BY x.ingested_at DESC, x."offset" DESC LIMIT 1) s
        WHERE m.article_id = ANY (going) ORDER BY m.article_id;
    END IF;
    DELETE FROM clean_event WHERE article_id = ANY (going);
    DELETE FROM site_provisional WHERE article_id = ANY (going);
    DELETE FROM article_text WHERE article_id = ANY (going);
    DELETE FROM article_version WHERE article_id = ANY (going);
    DELETE FROM evidence WHERE article_id = ANY (going);
    DELETE FROM article_words WHERE article_id = ANY (going);
    DELETE FROM article_identity WHERE identity IN (SELECT a.identity FROM article a WHERE a.article_id = ANY (going))
        AND article_id = ANY (going);
    DELETE FROM article WHERE article_id = ANY (going);
END
$$;
COMMENT ON FUNCTION copydesk_take_down(bigint, bigint, text, bytea, text, boolean, text, integer, bigint) IS 'Removes the article with the number "wanted", or those at an address (with its hash), and holds against their coming again. Answers with the takedown, its article, how many articles were removed, and stories to be counted again. A tombstone that did so already does nothing. Called by workers for tombstones, and by `copydesk takedown`.';
