-- A message that ends the worker's process must not end the next ones too. A claim notes up to where its owner may have messages
-- in hand; the owner that gives the partition back clears the note. A claim that finds the note still ahead of what is stored
-- knows that the owner before died, maybe of one of these messages, and the worker prepares them in a process of their own.

ALTER TABLE partition_progress
    ADD COLUMN in_hand_until bigint NOT NULL DEFAULT 0,
    ADD COLUMN unfinished_claims integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN partition_progress.in_hand_until IS 'What stored + quarantined will be when all messages are done that the present owner may have had in hand right after its claim. 0: the partition was given back with nothing in hand.';
COMMENT ON COLUMN partition_progress.unfinished_claims IS 'Claims in a row, before the present one, that ended before their owner reached in_hand_until, the first of them without giving the partition back: that owner may have died of a message.';

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_writer') THEN
        GRANT UPDATE (in_hand_until, unfinished_claims) ON partition_progress TO copydesk_writer;
    END IF;
END
$$;
