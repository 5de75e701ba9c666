-- What flushes of several workers want, said before they claim it: who comes later leaves it to them and does the rest meanwhile.

-- Functions that run as their owner look for tables of the session last: a table of that name there is a stranger's.
SELECT set_config('search_path', current_setting('search_path') || ', pg_temp', true);

-- Unlogged: after a crash no flush is under way.
CREATE UNLOGGED TABLE flush_turn (
    flush bigint PRIMARY KEY,
    keys  bytea NOT NULL
);
-- Hashes cannot be compressed, and are read whole.
ALTER TABLE flush_turn ALTER COLUMN keys SET STORAGE EXTERNAL;
-- A row is of use for as long as a flush: there are some dozens, and thousands of dead ones a minute.
ALTER TABLE flush_turn SET (autovacuum_vacuum_threshold = 500, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_cost_delay = 0,
                            autovacuum_analyze_threshold = 1000000000);
COMMENT ON TABLE flush_turn IS 'Flushes that are under way while several workers use the database, and some that are over. Only who waits for whom depends on it, no decision. Not logged.';
COMMENT ON COLUMN flush_turn.flush IS 'The flush: its transaction''s id. The transaction holds an advisory lock of this number modulo 2^31.';
COMMENT ON COLUMN flush_turn.keys IS 'The keys of near_key that it wants: a hash of 32 bits of each, ascending, as big-endian numbers.';

-- Looks for rows by number alone: under a snapshot that is hours old the dead ones are many.
CREATE FUNCTION copydesk_enter_turn(entering bigint, wanted bytea) RETURNS bigint[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET lock_timeout = '1s' SET enable_seqscan = off AS $$
DECLARE
    present pg_snapshot;
    running bigint[];
    next    bigint;
    here    bigint;
    earlier bigint[];
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'flushes take turns in READ COMMITTED only: what was there when the lock was free must be seen'
            USING HINT = 'Reset default_transaction_isolation of this role or database.';
    END IF;
    -- One after the other: of any two flushes the later one sees the earlier. "cdtn", and no flush's number.
    PERFORM pg_advisory_xact_lock(1667527790, -1);
    SELECT pg_current_snapshot() INTO present;
    -- Transactions that run: these, and those from the next number on, up to this one, which is younger than every flush in the table
    -- (unless that is from another server's backup).
    running := ARRAY(SELECT pg_snapshot_xip(present)::text::bigint);
    next := pg_snapshot_xmax(present)::text::bigint;
    here := pg_current_xact_id()::text::bigint;
    earlier := ARRAY(SELECT flush FROM flush_turn WHERE flush = ANY (running) AND flush <> entering
                     UNION ALL SELECT flush FROM flush_turn WHERE flush BETWEEN next AND here AND flush <> entering);
    IF random() < 0.02 THEN
        DELETE FROM flush_turn WHERE flush < next AND flush <> ALL (running);
        DELETE FROM flush_turn WHERE flush > here;
    END IF;
    INSERT INTO flush_turn VALUES (entering, wanted) ON CONFLICT (flush) DO UPDATE SET keys = EXCLUDED.keys;
    RETURN earlier;
END
$$;
COMMENT ON FUNCTION copydesk_enter_turn(bigint, bytea) IS 'Says which keys a flush wants, and answers with the flushes under way that said so before it. Its transaction must hold the advisory lock of its id already; to be called in another transaction, which ends with it. Called by workers.';
REVOKE ALL ON FUNCTION copydesk_enter_turn(bigint, bytea) FROM PUBLIC;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_owner') THEN
        GRANT ALL ON flush_turn TO copydesk_owner;
        GRANT EXECUTE ON FUNCTION copydesk_enter_turn(bigint, bytea) TO copydesk_owner;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_writer') THEN
        GRANT SELECT ON flush_turn TO copydesk_writer;
        GRANT EXECUTE ON FUNCTION copydesk_enter_turn(bigint, bytea) TO copydesk_writer;
    END IF;
END
$$;
