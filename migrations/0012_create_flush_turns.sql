-- What flushes of several workers want, said before they claim it: who comes later leaves it to them and does the rest meanwhile.

-- Functions that run as their owner look for tables of the session last: a table of that name there is a stranger's.
SELECT set_config('search_path', current_setting('search_path') || ', pg_temp', true);

-- Unlogged: after a crash no flush is under way.
CREATE UNLOGGED TABLE flush_turn (
    number integer PRIMARY KEY,
    keys   bytea NOT NULL
);
-- Hashes cannot be compressed, and are read whole.
ALTER TABLE flush_turn ALTER COLUMN keys SET STORAGE EXTERNAL;
-- A row lives for as long as a flush: there are some dozens, and thousands of dead ones a minute.
ALTER TABLE flush_turn SET (autovacuum_vacuum_threshold = 500, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_cost_delay = 0,
                            autovacuum_analyze_threshold = 1000000000);
COMMENT ON TABLE flush_turn IS 'Flushes that are under way while several workers use the database, and some that are over. Only who waits for whom depends on it, no decision. Not logged.';
COMMENT ON COLUMN flush_turn.number IS 'The flush: its transaction''s id, modulo 2^31. The transaction holds an advisory lock of this number.';
COMMENT ON COLUMN flush_turn.keys IS 'The keys of near_key that it wants: the lower 32 bits of each, ascending, as big-endian numbers.';

CREATE FUNCTION copydesk_enter_turn(entering integer, wanted bytea) RETURNS integer[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET lock_timeout = '10s' AS $$
DECLARE
    -- "cdtn"
    locks   CONSTANT integer := 1667527790;
    earlier integer[];
BEGIN
    -- One after the other: of any two flushes the later one sees the earlier.
    PERFORM pg_advisory_xact_lock(locks, -1);
    -- What can be locked is over, whether it committed, failed, or lost its worker.
    DELETE FROM flush_turn WHERE pg_try_advisory_xact_lock_shared(locks, number);
    SELECT coalesce(array_agg(number), '{}') INTO earlier FROM flush_turn;
    INSERT INTO flush_turn VALUES (entering, wanted) ON CONFLICT (number) DO UPDATE SET keys = EXCLUDED.keys;
    RETURN earlier;
END
$$;
COMMENT ON FUNCTION copydesk_enter_turn(integer, bytea) IS 'Says which keys a flush wants, and answers with the flushes under way that said so before it. Its transaction must hold the advisory lock of the number already; to be called in another transaction, which ends with it. Called by workers.';
REVOKE ALL ON FUNCTION copydesk_enter_turn(integer, bytea) FROM PUBLIC;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_owner') THEN
        GRANT ALL ON flush_turn TO copydesk_owner;
        GRANT EXECUTE ON FUNCTION copydesk_enter_turn(integer, bytea) TO copydesk_owner;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_writer') THEN
        GRANT SELECT ON flush_turn TO copydesk_writer;
        GRANT EXECUTE ON FUNCTION copydesk_enter_turn(integer, bytea) TO copydesk_writer;
    END IF;
END
$$;
