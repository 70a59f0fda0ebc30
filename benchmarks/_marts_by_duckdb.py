"""The 16 questions of the marts in DuckDB, from Parquet to tables that are kept and indexed in a file."""

import time
from contextlib import closing
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
from adbc_driver_postgresql import dbapi

from etl.database import make_engine
from tests.marts.by_duckdb import DUCKDB_QUERIES, LISTENING_VIEWS, TABLES

# ruff: noqa: S608 (no data in it)
_KEYS = {"user_id", "artist_id", "place", "local_date"}
"""Columns by which people look rows up; a kept result gets an index on each that it has."""

_FIRST_HUNDRED_OF = {
    "charts": "period, period_start, place_kind, place, kind",
    **dict.fromkeys(("wrapped_track", "wrapped_artist", "wrapped_genre"), "user_id, year"),
}
"""The marts show the first hundred of each chart and of each year of a user, so DuckDB keeps no more."""
_QUESTIONS = DUCKDB_QUERIES | {
    name: f"""
        select * from ({DUCKDB_QUERIES[name]})
        qualify row_number() over (partition by {columns} order by plays desc, item) <= 100
    """
    for name, columns in _FIRST_HUNDRED_OF.items()
}


def export_star(url: str, folder: Path) -> None:
    """Write the tables that the questions read as Parquet."""
    folder.mkdir()
    libpq_url = make_engine(url).url.set(drivername="postgresql").render_as_string(hide_password=False)
    with closing(dbapi.connect(libpq_url)) as connection, connection.cursor() as cursor:
        for name, query in TABLES.items():
            cursor.execute(query)
            pq.write_table(cursor.fetch_arrow_table(), folder / f"{name}.parquet")


def answer_questions(folder: Path) -> tuple[float, float, int]:
    """Return the seconds and the processor seconds of all questions, and the bytes of the file with their answers."""
    file = folder / "answers.duckdb"
    file.unlink(missing_ok=True)
    began, processor_began = time.perf_counter(), time.process_time()
    with duckdb.connect(str(file)) as engine:
        engine.execute("set timezone = 'UTC'")
        for name in TABLES:
            engine.execute(f"create view {name} as select * from '{folder / name}.parquet'")
        engine.execute(LISTENING_VIEWS)
        for name, query in _QUESTIONS.items():
            engine.execute(f"create table answer_{name} as {query}")
            columns = {str(row[0]) for row in engine.execute(f"describe answer_{name}").fetchall()}
            for column in sorted(columns & _KEYS):
                engine.execute(f"create index answer_{name}_{column} on answer_{name} ({column})")
    return time.perf_counter() - began, time.process_time() - processor_began, file.stat().st_size


def count_answers(folder: Path) -> dict[str, int]:
    """Return the number of rows of each answer."""
    with duckdb.connect(str(folder / "answers.duckdb"), read_only=True) as engine:
        counts = {}
        for name in _QUESTIONS:
            row = engine.execute(f"select count(*) from answer_{name}").fetchone()
            counts[name] = int(row[0]) if row else 0
        return counts
