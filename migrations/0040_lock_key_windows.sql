-- One claimer a window of keys: a row for each window, locked by whoever claims keys there, in place of turns and quiet windows.

SELECT set_config('search_path', format('%I, pg_temp', current_schema()), true);

CREATE TABLE near_key_window (
    number  integer PRIMARY KEY,
    version bigint NOT NULL DEFAULT 1
);
-- Each flush changes one or two rows: they stay on their pages, and dead ones are gone when the next flush comes.
ALTER TABLE near_key_window SET (fillfactor = 10, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_scale_factor = 0,
                                 autovacuum_vacuum_cost_delay = 0, autovacuum_analyze_threshold = 1000000000);
COMMENT ON TABLE near_key_window IS 'Windows of near_key that have keys. Whoever claims keys in a window, or changes stories of its articles, locks its row until the end of the transaction: before any article, several in ascending order.';
COMMENT ON COLUMN near_key_window.number IS 'The window (copydesk_window).';
COMMENT ON COLUMN near_key_window.version IS 'Raised by each transaction that claims keys there: what was read of its keys under one version is all of them while the version stands.';

-- From window to window by the index, not over all keys.
WITH RECURSIVE used (number) AS (
    SELECT (min(key) >> 50)::integer FROM near_key
    UNION ALL
    SELECT (SELECT (min(n.key) >> 50)::integer FROM near_key n WHERE n.key >= (u.number + 1)::bigint << 50)
    FROM used u WHERE u.number IS NOT NULL
)
INSERT INTO near_key_window (number) SELECT number FROM used WHERE number IS NOT NULL;

DROP FUNCTION copydesk_await_flushes(bigint[], interval);
DROP FUNCTION copydesk_enter_turn(bigint, bytea);
DROP TABLE flush_turn;
DROP FUNCTION copydesk_quiet_window(integer);
DROP TABLE quiet_window;

COMMENT ON TABLE pipeline_lock IS 'What one session at a time does: its row is locked by the session that does it (copydesk_try_lock).';
COMMENT ON TABLE near_key IS 'Which article was the first with a shingle hash. Claimed under the lock of the key''s window (near_key_window); the unique row refuses whoever claims without it. Partitioned by window, so that old windows are dropped whole.';

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_owner') THEN
        GRANT ALL ON near_key_window TO copydesk_owner;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_writer') THEN
        GRANT SELECT, INSERT ON near_key_window TO copydesk_writer;
        GRANT UPDATE (version) ON near_key_window TO copydesk_writer;
    END IF;
END
$$;
