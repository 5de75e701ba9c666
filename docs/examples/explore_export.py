#!/usr/bin/env python3
"""Looks at an export of copydesk with DuckDB and pandas. Each `# %%` is a cell for editors that run cells; it runs as a whole, too.

    copydesk export articles --output articles.parquet
    copydesk export stories --output stories.parquet
    python3 -m venv venv && venv/bin/pip install -r docs/examples/requirements.txt
    venv/bin/python docs/examples/explore_export.py articles.parquet stories.parquet

No database and no Kafka is asked. The columns are those of the views `articles` and `stories` (docs/schema.md).
"""

# %% Open the files. DuckDB reads Parquet where it lies, so the files may be larger than the memory.
import sys

import duckdb

articles, stories = sys.argv[1:3] if len(sys.argv) > 2 else ("articles.parquet", "stories.parquet")
db = duckdb.connect()
db.execute("SET TimeZone = 'UTC'")
db.execute(f"CREATE VIEW articles AS SELECT * FROM read_parquet('{articles}')")
db.execute(f"CREATE VIEW stories AS SELECT * FROM read_parquet('{stories}')")

# %% How many articles are originals, and how many are copies?
print(db.sql("SELECT relation, count(*) AS articles, round(avg(word_count)) AS words FROM articles GROUP BY ALL ORDER BY articles DESC"))

# %% Which sites publish first? `relation` says which article was stored first, and partitions are read side by side: ask `published_at`.
print(
    db.sql("""
        WITH told AS (
            SELECT site, story_id, rank() OVER (PARTITION BY story_id ORDER BY published_at) AS place
            FROM articles WHERE published_at IS NOT NULL
        )
        SELECT site, count(*) AS articles, count(*) FILTER (place = 1) AS first, round(100.0 * count(*) FILTER (place > 1) / count(*), 1) AS percent_later
        FROM told GROUP BY site ORDER BY articles DESC LIMIT 10
    """)
)

# %% Who copies whom? One row for each pair of sites; of two linked articles the one that was published later is the copy.
pairs = db.sql("""
    SELECT CASE WHEN a.published_at > b.published_at THEN b.site ELSE a.site END AS from_site,
           CASE WHEN a.published_at > b.published_at THEN a.site ELSE b.site END AS to_site,
           count(*) AS copies, round(avg(a.similarity), 2) AS similarity
    FROM articles a JOIN articles b ON b.article_id = a.linked_to
    WHERE a.site <> b.site AND a.published_at <> b.published_at
    GROUP BY ALL ORDER BY copies DESC, from_site, to_site
""").df()
print(pairs.head(10).to_string(index=False))

# %% From here on it is pandas: a table of who copies whom.
print(pairs.pivot_table(index="from_site", columns="to_site", values="copies", aggfunc="sum", fill_value=0).to_string())

# %% How long does a story take to spread? Hours between the first and the last publication of its articles.
spread = db.sql("""
    SELECT story_id, count(*) AS articles, count(DISTINCT site) AS sites,
           date_diff('minute', min(published_at), max(published_at)) / 60.0 AS hours
    FROM articles WHERE published_at IS NOT NULL GROUP BY story_id HAVING count(*) > 1
""").df()
print(spread[["articles", "sites", "hours"]].describe(percentiles=[0.5, 0.9]).round(1).to_string())

# %% The largest stories, by the sites that they are on.
print(db.sql("SELECT story_id, title, articles, sites FROM stories ORDER BY sites DESC, articles DESC LIMIT 5"))
