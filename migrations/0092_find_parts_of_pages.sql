-- Parts of a page are found by an index: near copies that hold less than the page are among them, and the index before had excerpts only.

SELECT set_config('search_path', format('%I, pg_temp', current_schema()), true);

DROP INDEX article_excerpts;
CREATE INDEX article_parts ON article (linked_to, article_id) WHERE relation IN ('excerpt', 'near_copy');
