-- The Markdown, links and pictures of an article, made of its blocks and its markup when they are asked for.
-- No text is stored twice: blocks whose Markdown is their text have no entry in article_text.markup.

-- Functions look for objects of this schema, and for tables of the session last: a table of that name there is a stranger's.
SELECT set_config('search_path', format('%I, pg_temp', current_schema()), true);

CREATE FUNCTION copydesk_escaped(plain text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN regexp_replace(translate(plain, E'\n\r', '  '), '([\\`*_\[\]<>&|~"])', '\\\1', 'g');
COMMENT ON FUNCTION copydesk_escaped(text) IS 'A text with a backslash before whatever Markdown would take for a sign.';

CREATE FUNCTION copydesk_markdown(blocks jsonb, body text, markup jsonb) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    -- Without an entry in the markup each block's Markdown is its text: six times as quick.
    RETURN CASE WHEN markup = '{}' THEN body WHEN markup IS NOT NULL THEN (
        WITH block AS (
            SELECT (e.ordinality - 1)::integer AS position, e.block ->> 0 AS kind, l.length,
                   -- A blank line stands between two paragraphs: two characters.
                   (coalesce(sum(l.length + 2) OVER before_here, 0))::integer AS length_before
            FROM jsonb_array_elements(blocks) WITH ORDINALITY AS e (block, ordinality)
            CROSS JOIN LATERAL (SELECT CASE WHEN jsonb_typeof(e.block -> 1) = 'number' THEN (e.block ->> 1)::integer END) AS l (length)
            WINDOW before_here AS (ORDER BY e.ordinality ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
        ), part AS (
            SELECT position, 0::bigint AS picture,
                   coalesce(markup -> 'b' ->> position::text, substr(body, 1 + length_before, length)) AS text, kind
            FROM block WHERE length IS NOT NULL
            UNION ALL
            SELECT (i.image ->> 0)::integer, i.ordinality - 1000000,
                   concat('![', copydesk_escaped(i.image ->> 2), '](', i.image ->> 1,
                          ' "' || copydesk_escaped(i.image ->> 3) || '"', ')'), 'image'
            FROM jsonb_array_elements(markup -> 'i') WITH ORDINALITY AS i (image, ordinality)
        ), told AS (
            SELECT position, picture, text,
                   CASE WHEN kind = 'body' AND text LIKE '| %' THEN 'row' ELSE kind END AS kind
            FROM part
        ), beside AS (
            SELECT position, picture, text, kind, lag(kind) OVER (ORDER BY position, picture) AS kind_before FROM told
        )
        SELECT string_agg(
                   CASE
                       WHEN kind_before IS NULL THEN ''
                       WHEN kind = kind_before AND kind IN ('list_item', 'row') THEN E'\n'
                       WHEN kind = kind_before AND kind = 'quote' THEN E'\n>\n'
                       ELSE E'\n\n'
                   END || text, '' ORDER BY position, picture)
        FROM beside
    ) END;
COMMENT ON FUNCTION copydesk_markdown(jsonb, text, jsonb) IS 'The body of an article as Markdown (CommonMark, with tables). Null where the markup is.';

CREATE FUNCTION copydesk_links(blocks jsonb, markup jsonb) RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN markup ? 'l' THEN (
        SELECT coalesce(jsonb_agg(jsonb_build_object('text', l.link -> 1, 'url', l.link -> 2) ORDER BY l.ordinality), '[]')
        FROM jsonb_array_elements(markup -> 'l') WITH ORDINALITY AS l (link, ordinality)
        WHERE jsonb_typeof(blocks -> (l.link ->> 0)::integer -> 1) = 'number'
    ) WHEN markup IS NOT NULL THEN '[]' END;
COMMENT ON FUNCTION copydesk_links(jsonb, jsonb) IS 'The links of an article''s body. Null where the markup is.';

CREATE FUNCTION copydesk_images(markup jsonb) RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN markup ? 'i' THEN (
        SELECT coalesce(jsonb_agg(jsonb_build_object('url', i.image -> 1, 'alt', i.image -> 2, 'caption', i.image -> 3) ORDER BY i.ordinality), '[]')
        FROM jsonb_array_elements(markup -> 'i') WITH ORDINALITY AS i (image, ordinality)
    ) WHEN markup IS NOT NULL THEN '[]' END;
COMMENT ON FUNCTION copydesk_images(jsonb) IS 'The pictures of an article. Null where the markup is.';
