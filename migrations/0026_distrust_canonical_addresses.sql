-- A canonical address that different pages of a site claim (a template's, a section's) names none of them: their own addresses do.
-- Adds a column without a default and a small table; no row is written anew.

SELECT set_config('search_path', format('%I, pg_temp', current_schema()), true);

ALTER TABLE article ADD COLUMN own_url text;
COMMENT ON COLUMN article.own_url IS 'The page''s own address in canonical form, where it claims another one, which canonical_url has. Null: it claims none, or its claim was found to be a template''s.';

CREATE TABLE distrusted_canonical (
    found_at      timestamptz NOT NULL DEFAULT now(),
    identity      bytea PRIMARY KEY,
    canonical_url text NOT NULL
);
COMMENT ON TABLE distrusted_canonical IS 'Canonical addresses that different pages claim: the pages'' own addresses count instead. A row that is deleted is found again from the next two pages.';
COMMENT ON COLUMN distrusted_canonical.identity IS 'As article_identity.identity, of the canonical address.';
COMMENT ON COLUMN distrusted_canonical.canonical_url IS 'The address that the pages claim.';
COMMENT ON COLUMN distrusted_canonical.found_at IS 'When two different pages were seen that claim it.';

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_owner') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON distrusted_canonical TO copydesk_owner;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_writer') THEN
        GRANT SELECT, INSERT ON distrusted_canonical TO copydesk_writer;
        -- An article gets its own address, in hindsight.
        GRANT UPDATE (own_url, identity) ON article TO copydesk_writer;
        GRANT UPDATE (identity) ON article_identity TO copydesk_writer;
    END IF;
END
$$;
