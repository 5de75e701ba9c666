-- Takedowns: an article is removed, and what says so keeps when and why, not what. It holds against the same address and the same text.

SELECT set_config('search_path', format('%I, pg_temp', current_schema()), true);

CREATE TABLE takedown (
    takedown_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    article_id    bigint NOT NULL,
    taken_down_at timestamptz NOT NULL DEFAULT now(),
    lifted_at     timestamptz,
    identity      bytea,
    body_hash     bytea,
    why           text NOT NULL
);
CREATE INDEX takedown_identity ON takedown (identity) WHERE lifted_at IS NULL;
CREATE INDEX takedown_body ON takedown (body_hash) WHERE lifted_at IS NULL;
COMMENT ON TABLE takedown IS 'Articles that were taken down (`copydesk takedown`): when and why, and hashes that hold against the same coming again. Nothing of what they said.';
COMMENT ON COLUMN takedown.takedown_id IS 'Number of the takedown.';
COMMENT ON COLUMN takedown.article_id IS 'The article. Sightings, links and events may still name it. Of an address that had no article: a number of its own.';
COMMENT ON COLUMN takedown.taken_down_at IS 'When it was taken down.';
COMMENT ON COLUMN takedown.lifted_at IS 'When the takedown was lifted. Null: it holds.';
COMMENT ON COLUMN takedown.identity IS 'As article_identity.identity: messages of this address are not stored. Null: another article is at the address.';
COMMENT ON COLUMN takedown.body_hash IS 'As article.body_hash: messages with this text are not stored. Null: the address had no article.';
COMMENT ON COLUMN takedown.why IS 'Why, as whoever did it said.';

CREATE VIEW takedowns AS SELECT takedown_id, article_id, taken_down_at, lifted_at, why FROM takedown;
COMMENT ON VIEW takedowns IS 'Articles that were taken down: when and why, not what.';
COMMENT ON COLUMN takedowns.takedown_id IS 'Number of the takedown.';
COMMENT ON COLUMN takedowns.article_id IS 'The article. Sightings, links and events may still name it.';
COMMENT ON COLUMN takedowns.taken_down_at IS 'When it was taken down.';
COMMENT ON COLUMN takedowns.lifted_at IS 'When the takedown was lifted. Null: it holds.';
COMMENT ON COLUMN takedowns.why IS 'Why, as whoever did it said.';

ALTER TABLE sighting DROP CONSTRAINT sighting_verdict_check;
ALTER TABLE sighting ADD CONSTRAINT sighting_verdict_check CHECK (verdict IN
    ('new_article', 'new_version', 'older_version', 'unchanged', 'exact_copy', 'near_copy', 'excerpt', 'contains', 'taken_down')) NOT VALID;
COMMENT ON COLUMN sighting.verdict IS 'new_article: founded a story. exact_copy, near_copy, excerpt, contains: a new article, linked to an older one. new_version: another text at a known address. older_version: another text at a known address, seen before the one that is shown. unchanged: a text that a known address has, or has had. taken_down: not stored, because of a takedown.';
COMMENT ON COLUMN sightings.verdict IS 'new_article: founded a story. exact_copy, near_copy, excerpt, contains: a new article, linked to an older one. new_version: another text at a known address. older_version: another text at a known address, seen before the one that is shown. unchanged: a text that a known address has, or has had. taken_down: not stored, because of a takedown.';

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_owner') THEN
        GRANT ALL ON takedown, takedowns TO copydesk_owner;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_writer') THEN
        GRANT SELECT ON takedown, takedowns TO copydesk_writer;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_reader') THEN
        GRANT SELECT ON takedowns TO copydesk_reader;
    END IF;
END
$$;
