#!/usr/bin/env python3
"""Asks the same questions of docs/queries.md of Postgres and, with DuckDB or Spark, of the archive. The answers are JSON, so that they can be compared.

    archive_questions.py postgres "$COPYDESK_DATABASE_URL" > before.json      # needs psql
    copydesk janitor archive --folder ARCHIVE --older-than 365
    archive_questions.py duckdb ARCHIVE > after.json                          # needs DuckDB (docs/examples/requirements.txt)
    archive_questions.py spark ARCHIVE > spark.json                           # needs Spark and Java 17 or newer (pip install pyspark==4.3.0)
    cmp before.json after.json && cmp before.json spark.json && echo the same

They are the same where all articles went to the archive between the two.
"""

import json
import subprocess
import sys

# Each answer is one order of rows: the last columns decide where the first are equal. No times and no lists: each engine writes them in its own way.
QUESTIONS = {
    "The largest stories": """
        SELECT story_id, title, articles, sites FROM stories ORDER BY articles DESC, story_id LIMIT 20""",
    "Everything from a site": """
        SELECT article_id, title, word_count, length(body) AS characters FROM articles
        WHERE site = (SELECT min(site) FROM articles) ORDER BY article_id LIMIT 200""",
    "The last exact and near copies": """
        SELECT article_id, story_id, site, relation, linked_to, round(CAST(similarity AS decimal(18, 6)), 3) * 1000 AS similarity FROM articles
        WHERE relation <> 'original' ORDER BY ingested_at DESC, article_id DESC LIMIT 200""",
    "Who copies whom": """
        SELECT o.site AS from_site, a.site AS to_site, count(*) AS copies FROM articles a JOIN articles o ON o.article_id = a.linked_to
        GROUP BY o.site, a.site ORDER BY copies DESC, from_site, to_site LIMIT 50""",
    "What was removed, by rule": """
        SELECT rule, count(*) AS blocks, count(DISTINCT article_id) AS articles, sum(length(text)) AS characters
        FROM removed_blocks GROUP BY rule ORDER BY blocks DESC, rule""",
    "Articles that were changed": """
        SELECT article_id, count(*) AS versions, sum(length(body)) AS characters FROM article_versions
        GROUP BY article_id HAVING count(*) > 1 ORDER BY article_id LIMIT 200""",
}

# The views of Postgres, over the files. A story whose articles were archived in several batches has a row of each: the fullest is taken.
VIEWS = """
    SET TimeZone = 'UTC';
    CREATE VIEW articles AS SELECT * FROM read_parquet('{0}/articles/*/*.parquet', hive_partitioning = true);
    CREATE VIEW removed_blocks AS SELECT * FROM read_parquet('{0}/removed_blocks/*/*.parquet', hive_partitioning = true);
    CREATE VIEW stories AS SELECT * FROM read_parquet('{0}/stories/*/*.parquet', hive_partitioning = true)
        QUALIFY row_number() OVER (PARTITION BY story_id ORDER BY articles DESC, day) = 1;
    CREATE VIEW article_versions AS SELECT v.* REPLACE (CASE WHEN v.latest THEN a.body ELSE v.body END AS body)
        FROM read_parquet('{0}/article_versions/*/*.parquet', hive_partitioning = true) v JOIN articles a USING (article_id);
"""

# The same for Spark, which has neither QUALIFY nor REPLACE.
SPARK_VIEWS = {
    "stories": """
        SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY story_id ORDER BY articles DESC, day) AS place FROM stories_of_batches)
        WHERE place = 1""",
    "article_versions": """
        SELECT v.article_id, v.version, CASE WHEN v.latest THEN a.body ELSE v.body END AS body
        FROM article_versions_of_batches v JOIN articles a USING (article_id)""",
}


def of_postgres(url):
    for name, question in QUESTIONS.items():
        sql = f"SELECT coalesce(json_agg(q), '[]') FROM ({question}) q"
        out = subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", sql], check=True, capture_output=True, text=True)
        yield name, json.loads(out.stdout)


def of_duckdb(folder):
    import duckdb

    db = duckdb.connect()
    db.execute(VIEWS.format(folder.replace("'", "''")))
    for name, question in QUESTIONS.items():
        answer = db.execute(question)
        columns = [c[0] for c in answer.description]
        yield name, [dict(zip(columns, row)) for row in answer.fetchall()]


def of_spark(folder):
    from pyspark.sql import SparkSession

    spark = SparkSession.builder.master("local[2]").config("spark.sql.session.timeZone", "UTC").config("spark.ui.enabled", "false").getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    for table in ["articles", "removed_blocks", "stories", "article_versions"]:
        name = f"{table}_of_batches" if table in SPARK_VIEWS else table
        spark.read.parquet(f"{folder}/{table}").createOrReplaceTempView(name)
    for name, select in SPARK_VIEWS.items():
        spark.sql(select).createOrReplaceTempView(name)
    for name, question in QUESTIONS.items():
        yield name, [row.asDict() for row in spark.sql(question).collect()]
    spark.stop()


def plain(value):
    """Numbers of both sides as the same text."""
    return int(value) if value == int(value) else float(value)


def main():
    kind, where = sys.argv[1:3]
    answers = {"postgres": of_postgres, "duckdb": of_duckdb, "spark": of_spark}[kind](where)
    for name, rows in answers:
        rows = [{k: v if v is None or isinstance(v, str) else plain(v) for k, v in row.items()} for row in rows]
        print(json.dumps({"question": name, "rows": rows}, ensure_ascii=False, sort_keys=True))


if __name__ == "__main__":
    main()
