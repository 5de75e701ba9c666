-- Three group roles without login; give them to the roles that log in: GRANT copydesk_reader TO alice.
-- Roles belong to the whole server, so they may exist already, and this user may not be allowed to create
-- them: then whoever runs the server creates them and runs the grants of this file by hand.

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['copydesk_owner', 'copydesk_writer', 'copydesk_reader'] LOOP
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
                EXECUTE format('CREATE ROLE %I NOLOGIN', name);
            END IF;
        EXCEPTION
            -- Another database of this server was migrated at the same moment.
            WHEN duplicate_object OR unique_violation THEN NULL;
            WHEN insufficient_privilege THEN
                RAISE NOTICE 'may not create the role %: everything stays with %', name, current_user;
        END;
    END LOOP;

    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_writer') THEN
        GRANT SELECT, INSERT, UPDATE ON
            partition_progress, gap, sighting, quarantine, article, article_identity, article_version,
            near_key, evidence, story_event, common_shingles TO copydesk_writer;
        GRANT SELECT, UPDATE ON setting TO copydesk_writer;
        GRANT USAGE, SELECT ON SEQUENCE article_id_seq TO copydesk_writer;
        GRANT EXECUTE ON FUNCTION copydesk_create_windows(integer), copydesk_drop_windows(integer) TO copydesk_writer;
        IF to_regclass('_sqlx_migrations') IS NOT NULL THEN
            GRANT SELECT ON _sqlx_migrations TO copydesk_writer;
        END IF;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_reader') THEN
        GRANT SELECT ON
            articles, stories, article_versions, removed_blocks, article_blocks, sightings, quarantined,
            story_events, gaps, ingest_status, copy_lags, copy_lag_histogram TO copydesk_reader;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_writer')
        AND EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_reader') THEN
        GRANT SELECT ON
            articles, stories, article_versions, removed_blocks, article_blocks, sightings, quarantined,
            story_events, gaps, ingest_status, copy_lags, copy_lag_histogram TO copydesk_writer;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_owner') THEN
        GRANT ALL ON ALL TABLES IN SCHEMA public TO copydesk_owner;
        GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO copydesk_owner;
        GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO copydesk_owner;
    END IF;
END
$$;
