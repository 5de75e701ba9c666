-- Three group roles without login, each of which may do what the code does with it, and no more (migrations/README.md). Give them to the roles
-- that log in: GRANT copydesk_reader TO alice.
-- Roles belong to the whole server, so they may exist already, and this user may not be allowed to create
-- them: then whoever runs the server creates them and runs the grants of this file by hand.

SELECT set_config('search_path', format('%I, pg_temp', current_schema()), true);

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
                RAISE WARNING 'may not create the role %: everything stays with %', name, current_user;
        END;
    END LOOP;
END
$$;

-- Nobody but the owner makes objects beside those of copydesk, where functions would find them. (So it is in databases that were made by
-- Postgres 15 or newer, but not in those that were upgraded.)
DO $$
BEGIN
    EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM PUBLIC', current_schema());
EXCEPTION WHEN insufficient_privilege THEN
    RAISE WARNING 'may not take CREATE on this schema from PUBLIC; its owner may';
END
$$;

-- No function is for everybody.
DO $$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT oid::regprocedure AS function FROM pg_proc
        WHERE pronamespace = current_schema()::regnamespace AND (proname LIKE 'copydesk\_%' OR proname = 'search_articles')
    LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', found.function);
    END LOOP;
END
$$;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_owner') THEN
        EXECUTE format('GRANT ALL ON ALL TABLES IN SCHEMA %I TO copydesk_owner', current_schema());
        EXECUTE format('GRANT ALL ON ALL SEQUENCES IN SCHEMA %I TO copydesk_owner', current_schema());
        EXECUTE format('GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA %I TO copydesk_owner', current_schema());
    END IF;
END
$$;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_reader') THEN
        GRANT SELECT ON
            articles, stories, article_versions, removed_blocks, article_blocks, sightings, quarantined, gaps, story_events, story_counted,
            clean_events, site_blocks, retired_articles, archive_batches, takedowns, search_words, ingest_status, outbox_status, site_report,
            copy_lags, copy_lag_histogram, source_health
            TO copydesk_reader;
        GRANT EXECUTE ON FUNCTION
            search_articles(text, text, text, timestamptz, timestamptz, integer, boolean),
            -- What search_articles and views call, with the rights of whoever asks.
            copydesk_search_config(text), copydesk_spaced(text), copydesk_unspaced(), copydesk_words_of_range(bigint, tsvector),
            copydesk_snippet(text, text, tsquery), copydesk_snippet_html(text), copydesk_key_site(bytea),
            copydesk_escaped(text), copydesk_markdown(jsonb, text, jsonb), copydesk_links(jsonb, jsonb), copydesk_images(jsonb)
            TO copydesk_reader;
    END IF;
END
$$;

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_writer') THEN
        RETURN;
    END IF;
    IF to_regclass('_sqlx_migrations') IS NOT NULL THEN
        GRANT SELECT ON _sqlx_migrations TO copydesk_writer;
    END IF;
    -- What readers may read.
    GRANT SELECT ON
        articles, stories, article_versions, removed_blocks, article_blocks, sightings, quarantined, gaps, story_events, story_counted,
        clean_events, site_blocks, retired_articles, archive_batches, takedowns, search_words, ingest_status, outbox_status, site_report,
        copy_lags, copy_lag_histogram, source_health
        TO copydesk_writer;
    -- What others write: people, the owner, functions of the owner's.
    GRANT SELECT ON
        setting, article_range, rewind, rewound_sighting, retired_article, takedown, takedown_hold, article_words, article_words_due, pipeline_lock
        TO copydesk_writer;
    -- What workers store. Nothing of it may they delete.
    GRANT SELECT, INSERT ON
        partition_progress, gap, sighting, quarantine, article, article_text, membership, article_identity, article_version, distrusted_canonical,
        near_key, near_key_window, evidence, common_shingles, story_event, clean_event
        TO copydesk_writer;
    -- What was delivered; what is worked out anew; lists of what is to be done and of what is known; messages kept for a time.
    GRANT SELECT, INSERT, DELETE ON outbox, story, site_provisional, site_block, syndicated_block, raw_input TO copydesk_writer;

    -- By column, what the code changes of a row that is there. A flush, a claim, a lost range, a replay:
    GRANT UPDATE (next_offset, epoch, flushed_from, claimed_from, in_hand_until, unfinished_claims, stored, quarantined, skipped,
                  quarantine_bytes, quarantine_dropped, claimed_at, updated_at, owner)
        ON partition_progress TO copydesk_writer;
    -- A replay, a discard, and content that is dropped.
    GRANT UPDATE (settled_at, settled_by, attempts, stage, reason, detail, state, raw, key, headers, content_dropped_at, content_dropped_for)
        ON quarantine TO copydesk_writer;
    -- A new version brings new content (what it was goes to article_version), the janitor cleans again, an article gets its own address in
    -- hindsight.
    GRANT UPDATE (
            published_at, modified_at, fetched_at, message_time, version_at, version, version_cause, word_count, published_offset_minutes,
            modified_offset_minutes, version_similarity, fingerprint_version, paywalled, body_hash, raw_hash, rules_version,
            site, site_source, site_name, site_name_source, title, title_source, dek, dek_source, authors, authors_source,
            published_source, modified_source, language, language_source, section, section_source, agency, agency_source, tags,
            image_url, image_url_source, url, canonical_url, canonical_url_source, own_url, identity, warnings, captions, extra,
            recents)
        ON article TO copydesk_writer;
    GRANT UPDATE (blocks, markup, body) ON article_text TO copydesk_writer;
    -- Stories change.
    GRANT UPDATE (story_id, linked_to, relation, link_reason, link_rule_version, similarity, containment, containment_of_linked, shared_shingles,
                  between_stories, refusals)
        ON membership TO copydesk_writer;
    -- An address that is used again, or that turns out to be a template's.
    GRANT UPDATE (article_id, identity) ON article_identity TO copydesk_writer;
    -- The evidence is of the latest version.
    GRANT UPDATE (
            site_hash, url_hash, fingerprint_version, block_hashes, title_words, dropped_blocks,
            evidence, site_stories, page_blocks, site_view)
        ON evidence TO copydesk_writer;
    GRANT UPDATE (version) ON near_key_window TO copydesk_writer;
    GRANT UPDATE (window_days, range_articles, common_version) ON setting TO copydesk_writer;
    GRANT UPDATE (canonical_article, articles, copies, sites, first_published_at, first_seen, last_seen, canonical_at, longest_words,
                  canonical_words, title, site, url, language, site_list)
        ON story TO copydesk_writer;
    GRANT UPDATE (articles) ON site_provisional TO copydesk_writer;
    GRANT UPDATE (decision, why, sample, decided_by, decided_at) ON site_block TO copydesk_writer;
    GRANT UPDATE (stories, found_at) ON syndicated_block TO copydesk_writer;
    GRANT UPDATE (kept_at, message_time, raw_size, rules_version, headers, raw) ON raw_input TO copydesk_writer;

    GRANT USAGE, SELECT ON SEQUENCE article_id_seq TO copydesk_writer;
    GRANT EXECUTE ON FUNCTION
        copydesk_window(timestamptz), copydesk_create_windows(integer), copydesk_drop_windows(integer), copydesk_create_ranges(), copydesk_analyze_ranges(),
        copydesk_is_dropping(bigint),
        copydesk_try_lock(text),
        copydesk_index_search(integer), copydesk_switch_search(boolean), copydesk_content_hash(text, text, text[], text, jsonb),
        copydesk_take_down(bigint, bigint, text, bytea, text, boolean, text, integer, bigint),
        search_articles(text, text, text, timestamptz, timestamptz, integer, boolean),
        copydesk_search_config(text), copydesk_spaced(text), copydesk_unspaced(), copydesk_words_of_range(bigint, tsvector),
        copydesk_snippet(text, text, tsquery), copydesk_snippet_html(text), copydesk_key_site(bytea),
        copydesk_escaped(text), copydesk_markdown(jsonb, text, jsonb), copydesk_links(jsonb, jsonb), copydesk_images(jsonb)
        TO copydesk_writer;
END
$$;
