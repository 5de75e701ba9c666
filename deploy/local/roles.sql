-- The logins of a development database, each with no more than it needs, and none of them a superuser. Without passwords: whoever may connect is
-- trusted there. postgres.sh and compose.yaml run this in the database `copydesk`; it may be run again.
--   copydesk         owns the database and what is in it: migrations, retention, rewinds
--   copydesk_worker  worker, janitor, quarantine, audit
--   copydesk_query   queries
DO $$
DECLARE
    name  text;
    found record;
BEGIN
    FOREACH name IN ARRAY ARRAY['copydesk_owner', 'copydesk_writer', 'copydesk_reader'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', name);
        END IF;
    END LOOP;
    FOREACH name IN ARRAY ARRAY['copydesk', 'copydesk_worker', 'copydesk_query'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
            EXECUTE format('CREATE ROLE %I LOGIN', name);
        END IF;
    END LOOP;
    GRANT copydesk_owner TO copydesk;
    GRANT copydesk_writer TO copydesk_worker;
    GRANT copydesk_reader TO copydesk_query;
    ALTER DATABASE copydesk OWNER TO copydesk;

    -- What a superuser has made there, before there were these logins or by mistake, is the owner's as well.
    FOR found IN
        SELECT format('ALTER %s %s OWNER TO copydesk',
                      CASE c.relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, c.oid::regclass) AS sql
        FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'S') AND c.relowner <> 'copydesk'::regrole
            -- The sequence of an identity column goes with its table.
            AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.classid = 'pg_class'::regclass AND d.deptype = 'i'
                                AND c.relkind = 'S')
        UNION ALL
        SELECT format('ALTER FUNCTION %s OWNER TO copydesk', p.oid::regprocedure)
        FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.proowner <> 'copydesk'::regrole
    LOOP
        EXECUTE found.sql;
    END LOOP;
END
$$;
