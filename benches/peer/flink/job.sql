-- Flink SQL as a peer of `make bench`: fields are copied from the topic into one table. What it does not do: it cleans nothing, finds no copies, and keeps no record of
-- refused messages (one that is no JSON ends the job). The bench fills in what stands between @ and @.

-- Two cores. Rows are not copied between operators of a chain.
SET 'parallelism.default' = '2';
SET 'pipeline.object-reuse' = 'true';
-- What was read is noted every five seconds; after a crash rows come again and replace themselves.
SET 'execution.checkpointing.interval' = '5s';

CREATE TABLE message (
    url STRING,
    `text` STRING,
    html STRING,
    topic STRING METADATA VIRTUAL,
    `partition` INT METADATA VIRTUAL,
    `offset` BIGINT METADATA VIRTUAL
) WITH (
    'connector' = 'kafka',
    'topic' = '@TOPIC@',
    'properties.bootstrap.servers' = '@BROKERS@',
    'properties.group.id' = '@GROUP@',
    'properties.fetch.max.bytes' = '67108864',
    'properties.max.partition.fetch.bytes' = '16777216',
    'scan.startup.mode' = 'earliest-offset',
    'format' = 'json'
);

CREATE TABLE peer_copy (
    __connect_topic STRING,
    __connect_partition INT,
    __connect_offset BIGINT,
    url STRING,
    `text` STRING,
    html STRING,
    PRIMARY KEY (__connect_topic, __connect_partition, __connect_offset) NOT ENFORCED
) WITH (
    'connector' = 'jdbc',
    'url' = '@JDBC@',
    'table-name' = 'peer_copy',
    'sink.buffer-flush.max-rows' = '1000',
    'sink.buffer-flush.interval' = '1s'
);

INSERT INTO peer_copy SELECT topic, `partition`, `offset`, url, `text`, html FROM message;
