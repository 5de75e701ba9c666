-- Site memory: what a site repeats is not the article. docs/site-memory.md

CREATE TABLE site_provisional (
    site_hash  bigint NOT NULL,
    article_id bigint NOT NULL,
    articles   smallint NOT NULL,
    PRIMARY KEY (site_hash, article_id)
);
COMMENT ON TABLE site_provisional IS 'Articles that were cleaned when few articles of their site were there. `copydesk janitor` cleans them again when there is more, and takes the row away when there is enough.';
COMMENT ON COLUMN site_provisional.site_hash IS 'As evidence.site_hash.';
COMMENT ON COLUMN site_provisional.article_id IS 'The article.';
COMMENT ON COLUMN site_provisional.articles IS 'How many other articles of the site were in view. It is cleaned again when there are twice as many.';

CREATE TABLE site_block (
    site_hash  bigint NOT NULL,
    block      bigint NOT NULL,
    decided_at timestamptz NOT NULL DEFAULT now(),
    decision   text NOT NULL CHECK (decision IN ('pin', 'forget')),
    site       text NOT NULL,
    sample     text,
    why        text NOT NULL DEFAULT '',
    decided_by text NOT NULL,
    PRIMARY KEY (site_hash, block)
);
CREATE INDEX site_block_site ON site_block (site, decided_at);
CREATE INDEX site_block_decided ON site_block (decided_at);
COMMENT ON TABLE site_block IS 'What a person has said about a block of a site, with `copydesk site pin` and `copydesk site forget`.';
COMMENT ON COLUMN site_block.site_hash IS 'As evidence.site_hash.';
COMMENT ON COLUMN site_block.block IS 'Hash of the block; `copydesk site show` prints it as eight hexadecimal digits.';
COMMENT ON COLUMN site_block.decided_at IS 'When.';
COMMENT ON COLUMN site_block.decision IS 'pin: it is never the article. forget: it stays, whoever shows it.';
COMMENT ON COLUMN site_block.site IS 'The site, as article.site.';
COMMENT ON COLUMN site_block.sample IS 'The block as it stood in an article. Null: it was pinned by its hash alone.';
COMMENT ON COLUMN site_block.why IS 'The reason that was given.';
COMMENT ON COLUMN site_block.decided_by IS 'Who: user, machine and process.';

CREATE TABLE syndicated_block (
    block    bigint PRIMARY KEY,
    found_at timestamptz NOT NULL DEFAULT now(),
    stories  integer NOT NULL
);
COMMENT ON TABLE syndicated_block IS 'Syndicated blocks: they come with an agency''s stories to several sites, as its closing sentence. Site memory leaves them in. Found by `copydesk janitor`.';
COMMENT ON COLUMN syndicated_block.block IS 'As site_block.block.';
COMMENT ON COLUMN syndicated_block.found_at IS 'When it was found last.';
COMMENT ON COLUMN syndicated_block.stories IS 'Stories in which articles of two sites have it, among those that were looked at.';

CREATE TABLE clean_event (
    event_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    article_id   bigint NOT NULL,
    happened_at  timestamptz NOT NULL DEFAULT now(),
    version      integer NOT NULL,
    kind         text NOT NULL CHECK (kind IN ('reclean', 'undo')),
    content_hash bytea,
    before       jsonb NOT NULL,
    after        jsonb NOT NULL,
    detail       jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX clean_event_article ON clean_event (article_id);
CREATE INDEX clean_event_happened ON clean_event (happened_at);
COMMENT ON TABLE clean_event IS 'Articles that were cleaned again after they were stored. Append only, with what is needed to take it back.';
COMMENT ON COLUMN clean_event.event_id IS 'Number of the event.';
COMMENT ON COLUMN clean_event.article_id IS 'The article.';
COMMENT ON COLUMN clean_event.happened_at IS 'When.';
COMMENT ON COLUMN clean_event.version IS 'The version of the article that was changed.';
COMMENT ON COLUMN clean_event.kind IS 'reclean: by the janitor, or by a person with `copydesk site reclean`. undo: an event was taken back.';
COMMENT ON COLUMN clean_event.content_hash IS 'copydesk_content_hash of the version after the event.';
COMMENT ON COLUMN clean_event.before IS 'What site memory had taken out before: {position of the block: evidence}.';
COMMENT ON COLUMN clean_event.after IS 'What it has taken out since, in the same form.';
COMMENT ON COLUMN clean_event.detail IS 'Stories that were looked at, the version of the rule, the event that was undone.';
