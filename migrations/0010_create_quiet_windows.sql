-- Windows of near_key in which nobody claims keys any more. While a row of one stands, what was read of its keys stays true.

-- Functions that run as their owner look for tables of the session last: a table of that name there is a stranger's.
SELECT set_config('search_path', current_setting('search_path') || ', pg_temp', true);
ALTER FUNCTION copydesk_create_windows(integer) SET search_path FROM CURRENT;
ALTER FUNCTION copydesk_drop_windows(integer) SET search_path FROM CURRENT;
ALTER FUNCTION copydesk_index_search(integer) SET search_path FROM CURRENT;
ALTER FUNCTION copydesk_switch_search(boolean) SET search_path FROM CURRENT;
ALTER FUNCTION copydesk_words_due() SET search_path FROM CURRENT;

CREATE TABLE quiet_window (
    number integer PRIMARY KEY,
    mark   uuid NOT NULL DEFAULT gen_random_uuid(),
    since  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE quiet_window IS 'Windows of near_key that have got no key since their row was written. Whoever claims a key there deletes the row in the same transaction. So workers may keep what they read of such a window''s keys for as long as they see the same mark.';
COMMENT ON COLUMN quiet_window.number IS 'The window (copydesk_window).';
COMMENT ON COLUMN quiet_window.mark IS 'Which quiet this is: another one after each key that came late. Drawn, not counted, so that it is another one in a restored database, too.';
COMMENT ON COLUMN quiet_window.since IS 'When the row was written.';

CREATE FUNCTION copydesk_quiet_window(wanted integer) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET lock_timeout = '100ms' AS $$
DECLARE
    name    text := 'near_key_w' || lpad(wanted::text, 4, '0');
    present uuid;
BEGIN
    SELECT mark INTO present FROM quiet_window WHERE number = wanted;
    IF present IS NOT NULL THEN
        RETURN present;
    END IF;
    -- Keys of a window without a partition of its own lie among those of others.
    IF to_regclass(name) IS NULL THEN
        RETURN NULL;
    END IF;
    -- Waits for whoever claims there, so that all claims before the mark can be seen by whoever sees the mark, and keeps
    -- others off until it is written, so that those behind it find it.
    EXECUTE format('LOCK TABLE %I IN SHARE MODE', name);
    DELETE FROM quiet_window WHERE to_regclass('near_key_w' || lpad(number::text, 4, '0')) IS NULL;
    INSERT INTO quiet_window (number) VALUES (wanted) ON CONFLICT DO NOTHING;
    SELECT mark INTO present FROM quiet_window WHERE number = wanted;
    RETURN present;
END
$$;
COMMENT ON FUNCTION copydesk_quiet_window(integer) IS 'Marks a window as quiet if it is not yet, and answers with its mark; null if the window has no partition. Waits a tenth of a second for claims in this window, and claims wait for the end of its transaction: to be called in one of its own. Called by workers.';
REVOKE ALL ON FUNCTION copydesk_quiet_window(integer) FROM PUBLIC;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_owner') THEN
        GRANT ALL ON quiet_window TO copydesk_owner;
        GRANT EXECUTE ON FUNCTION copydesk_quiet_window(integer) TO copydesk_owner;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_writer') THEN
        GRANT SELECT, DELETE ON quiet_window TO copydesk_writer;
        GRANT EXECUTE ON FUNCTION copydesk_quiet_window(integer) TO copydesk_writer;
    END IF;
END
$$;
