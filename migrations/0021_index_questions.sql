-- Each column of articles by which people sort or filter has a way that does not read everything (docs/queries.md).

-- A BRIN index finds a day, and cannot be sorted by.
DROP INDEX article_ingested;
CREATE INDEX article_ingested ON article (ingested_at);
-- The last articles of one relation, in place of an index for two of the relations.
DROP INDEX article_cut;
CREATE INDEX article_relation ON article (relation, ingested_at);
CREATE INDEX article_language ON article (language, published_at);
CREATE INDEX article_section ON article (section, published_at) WHERE section IS NOT NULL;
CREATE INDEX article_agency ON article (agency, published_at) WHERE agency IS NOT NULL;
CREATE INDEX article_authors ON article USING gin (authors);
CREATE INDEX article_tags ON article USING gin (tags);
-- A hash index: addresses are looked up whole, and a long one would not fit a b-tree.
CREATE INDEX article_url ON article USING hash (url);
