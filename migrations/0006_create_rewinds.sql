-- What a person has rewound: the ledger's memory of the rows that were taken back.

CREATE TABLE rewind (
    rewind_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    from_offset bigint NOT NULL,
    to_offset   bigint NOT NULL,
    sightings   bigint NOT NULL,
    quarantined bigint NOT NULL,
    skipped     bigint NOT NULL,
    rewound_at  timestamptz NOT NULL DEFAULT now(),
    partition   integer NOT NULL,
    topic       text NOT NULL,
    rewound_by  text NOT NULL,
    CHECK (to_offset < from_offset)
);
COMMENT ON TABLE rewind IS 'One row per partition that a person has set back with `copydesk rewind`, and how many rows were taken back with it.';
COMMENT ON COLUMN rewind.rewind_id IS 'Numbers rewinds in their order.';
COMMENT ON COLUMN rewind.topic IS 'Kafka topic.';
COMMENT ON COLUMN rewind.partition IS 'Partition of the topic.';
COMMENT ON COLUMN rewind.from_offset IS 'next_offset before the rewind.';
COMMENT ON COLUMN rewind.to_offset IS 'next_offset after it: everything from here on was to be read again.';
COMMENT ON COLUMN rewind.sightings IS 'Rows of sighting that were taken back. Their articles stay.';
COMMENT ON COLUMN rewind.quarantined IS 'Rows of quarantine that were taken back, without those that were replayed.';
COMMENT ON COLUMN rewind.skipped IS 'Offsets of gap that were taken back.';
COMMENT ON COLUMN rewind.rewound_at IS 'When.';
COMMENT ON COLUMN rewind.rewound_by IS 'Who: user, machine and process.';

CREATE TABLE rewound_sighting (
    rewind_id    bigint NOT NULL REFERENCES rewind,
    "offset"     bigint NOT NULL,
    article_id   bigint NOT NULL,
    message_time timestamptz,
    ingested_at  timestamptz NOT NULL,
    version      integer NOT NULL,
    verdict      text NOT NULL,
    PRIMARY KEY (rewind_id, "offset")
);
CREATE INDEX rewound_sighting_article ON rewound_sighting (article_id);
COMMENT ON TABLE rewound_sighting IS 'Rows of sighting that a rewind took back. Their articles stay, and this says where they came from until, and also if never, their message is read again.';
COMMENT ON COLUMN rewound_sighting.rewind_id IS 'The rewind; it names topic and partition.';
COMMENT ON COLUMN rewound_sighting."offset" IS 'Offset of the message.';
COMMENT ON COLUMN rewound_sighting.article_id IS 'As it was in sighting.';
COMMENT ON COLUMN rewound_sighting.version IS 'As it was in sighting.';
COMMENT ON COLUMN rewound_sighting.verdict IS 'As it was in sighting.';
COMMENT ON COLUMN rewound_sighting.message_time IS 'As it was in sighting.';
COMMENT ON COLUMN rewound_sighting.ingested_at IS 'As it was in sighting.';

-- Taking rows back needs the right to delete them, which workers do not have: `copydesk rewind` is run by the owner. The audit
-- reads both tables.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_owner') THEN
        GRANT ALL ON rewind, rewound_sighting TO copydesk_owner;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_writer') THEN
        GRANT SELECT ON rewind, rewound_sighting TO copydesk_writer;
    END IF;
END
$$;
