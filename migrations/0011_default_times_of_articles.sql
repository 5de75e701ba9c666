-- Workers write new articles by COPY, which leaves these two to the database: the time of the transaction.
ALTER TABLE article ALTER COLUMN ingested_at SET DEFAULT now(), ALTER COLUMN version_at SET DEFAULT now();
