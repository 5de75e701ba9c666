-- Which story each article is in, stories as rows, and what changed one after its articles were stored.
-- Whoever changes what a story is made of changes its row in the same transaction (crates/store/src/flush/story_rows.rs); `copydesk audit` holds
-- each row against its articles (story_counted).

-- What was decided on an article, apart from what it says. A flush writes it behind the lock of its windows of keys, and everything else before;
-- links, merges and splits change nothing else of an article. Whoever changes an article or removes it locks this row first.
CREATE TABLE membership (
    article_id            bigint PRIMARY KEY,
    story_id              bigint NOT NULL,
    linked_to             bigint,
    shared_shingles       integer,
    common_version        integer,
    similarity            real,
    containment           real,
    containment_of_linked real,
    link_rule_version     smallint,
    between_stories       boolean NOT NULL DEFAULT false,
    relation              text NOT NULL CHECK (relation IN ('original', 'exact_copy', 'near_copy', 'excerpt', 'contains', 'digest')),
    link_reason           text CHECK (link_reason IN ('same_body', 'jaccard', 'containment', 'nearly_whole', 'weighed')),
    refusals              jsonb,
    CHECK ((relation IN ('original', 'digest')) = (linked_to IS NULL)),
    CHECK (linked_to <> article_id)
);
CREATE INDEX membership_story ON membership (story_id);
CREATE INDEX membership_parts ON membership (linked_to, article_id) WHERE relation IN ('excerpt', 'near_copy');
CREATE INDEX membership_between_stories ON membership (article_id) WHERE between_stories;
-- The last articles of a rare relation are found by this index, those of a frequent one among the last articles of all: Postgres knows how frequent each is.
CREATE INDEX membership_relation ON membership (relation) WHERE relation <> 'original';
COMMENT ON TABLE membership IS 'Which story each article is in, and why: one row for each row of article, written in the same transaction.';
COMMENT ON COLUMN membership.article_id IS 'The article.';
COMMENT ON COLUMN membership.story_id IS 'The story it is in: the article_id of the article that founded it.';
COMMENT ON COLUMN membership.linked_to IS 'The older article that it is a copy of. Null for an original.';
COMMENT ON COLUMN membership.shared_shingles IS 'Four-word shingles that the two share.';
COMMENT ON COLUMN membership.common_version IS 'Version of the list of common shingles that the decision used. Null: none was in use.';
COMMENT ON COLUMN membership.similarity IS 'Jaccard similarity to linked_to, 0 to 1.';
COMMENT ON COLUMN membership.containment IS 'Share of this article that is in linked_to, 0 to 1.';
COMMENT ON COLUMN membership.containment_of_linked IS 'Share of linked_to that is in this article, 0 to 1.';
COMMENT ON COLUMN membership.link_rule_version IS 'Version of the rule that decided on the link.';
COMMENT ON COLUMN membership.between_stories IS 'It matches an article of another story as well. The janitor looks whether the two stories are one, then takes the mark away.';
COMMENT ON COLUMN membership.relation IS 'What it is to linked_to: exact_copy, near_copy, excerpt (most of it is in the older one) or contains (most of the older one is in it); original, or digest (it holds other articles whole and joins no story).';
COMMENT ON COLUMN membership.link_reason IS 'What made the link: same_body, nearly_whole or weighed; jaccard or containment by rule 1.';
COMMENT ON COLUMN membership.refusals IS 'The candidates that were looked at and not linked to: {article_id: reason}. Null: none.';

CREATE TABLE story (
    story_id           bigint PRIMARY KEY,
    canonical_article  bigint NOT NULL,
    articles           bigint NOT NULL,
    copies             bigint NOT NULL,
    sites              bigint NOT NULL,
    first_published_at timestamptz,
    first_seen         timestamptz NOT NULL DEFAULT now(),
    last_seen          timestamptz NOT NULL DEFAULT now(),
    canonical_at       timestamptz,
    longest_words      integer NOT NULL,
    canonical_words    integer NOT NULL,
    title              text,
    site               text,
    url                text,
    language           text,
    site_list          text[] NOT NULL
);
-- One for each way in which people sort and filter. The newest first is what most ask for.
CREATE INDEX story_first_seen ON story (first_seen);
CREATE INDEX story_last_seen ON story (last_seen);
CREATE INDEX story_first_published ON story (first_published_at);
-- Most stories have one article: the number makes their order, and lets a list go on behind any of them.
CREATE INDEX story_articles ON story (articles, story_id);
CREATE INDEX story_copies ON story (copies);
-- Many stories are on as many sites: the size orders them further.
CREATE INDEX story_sites ON story (sites, articles);
CREATE INDEX story_site ON story (site, first_seen);
CREATE INDEX story_language ON story (language, first_seen);
CREATE INDEX story_url ON story USING hash (url);
COMMENT ON TABLE story IS 'One row per story, kept by whoever changes its articles, in the same transaction.';
COMMENT ON COLUMN story.story_id IS 'Names the story: the article_id of the article that founded it.';
COMMENT ON COLUMN story.canonical_article IS 'The article that shows the story: of those with at least four fifths of the words of the longest one, the one that was published first.';
COMMENT ON COLUMN story.articles IS 'Its articles.';
COMMENT ON COLUMN story.copies IS 'Its articles without the first one, and without digests, which are nobody''s copy.';
COMMENT ON COLUMN story.sites IS 'The number of sites in site_list.';
COMMENT ON COLUMN story.first_published_at IS 'The earliest published_at of its articles.';
COMMENT ON COLUMN story.first_seen IS 'When the first of its articles was stored.';
COMMENT ON COLUMN story.last_seen IS 'When the last of its articles was stored.';
COMMENT ON COLUMN story.canonical_at IS 'published_at of the canonical article or, without one, its message_time: what the next article is held against.';
COMMENT ON COLUMN story.longest_words IS 'Words of its longest article.';
COMMENT ON COLUMN story.canonical_words IS 'Words of the canonical article.';
COMMENT ON COLUMN story.title IS 'Headline of the canonical article.';
COMMENT ON COLUMN story.site IS 'Site of the canonical article.';
COMMENT ON COLUMN story.url IS 'Address of the canonical article.';
COMMENT ON COLUMN story.language IS 'Language of the canonical article.';
COMMENT ON COLUMN story.site_list IS 'The sites of its articles, in order of their bytes.';

CREATE TABLE story_event (
    event_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    article_id    bigint NOT NULL,
    from_story    bigint NOT NULL,
    to_story      bigint NOT NULL,
    cause_article bigint,
    happened_at   timestamptz NOT NULL,
    kind          text NOT NULL CHECK (kind IN ('relink', 'digest', 'merge', 'split', 'undo')),
    moved         bigint[] NOT NULL,
    detail        jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX story_event_from ON story_event (from_story);
CREATE INDEX story_event_to ON story_event (to_story);
CREATE INDEX story_event_happened ON story_event (happened_at);
COMMENT ON TABLE story_event IS 'Changes to stories after their articles were stored. Append only, with what is needed to take them back.';
COMMENT ON COLUMN story_event.event_id IS 'Number of the event.';
COMMENT ON COLUMN story_event.article_id IS 'The article that moved.';
COMMENT ON COLUMN story_event.from_story IS 'The story that was left.';
COMMENT ON COLUMN story_event.to_story IS 'The story that was joined or founded.';
COMMENT ON COLUMN story_event.cause_article IS 'The newer article that brought it about.';
COMMENT ON COLUMN story_event.happened_at IS 'When.';
COMMENT ON COLUMN story_event.kind IS 'relink: an article left its story for one of its own, because a newer article showed that it never belonged there. digest: an article turned out to hold several others; it is in a story of its own, and the articles that it holds left it by events of their own. merge: two stories became one, by a person or because an article is a copy of both. split: a person took articles out. undo: an event was taken back.';
COMMENT ON COLUMN story_event.moved IS 'All articles that moved: article_id and those linked to it, near or far.';
COMMENT ON COLUMN story_event.detail IS 'Why, and what is needed to take it back: links that were given up as they were, the measured similarity, the event that was undone.';
