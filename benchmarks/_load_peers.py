"""Other ways to fill the tables of a catalogue, each as its own documentation does it.

All get the rows that our load published, with their keys, in files or in memory. They parse, check, number and audit
nothing.
"""

import csv
import os
from collections.abc import Iterable, Mapping
from contextlib import closing
from io import StringIO
from itertools import count
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
from adbc_driver_postgresql import dbapi

from benchmarks._fresh_warehouses import FreshWarehouses, open_cursor
from benchmarks._rounds import time_call
from etl.database import connect, fetch_rows, make_engine

PUBLISHED_TABLES = {
    "dim_artist": "artist_key > 0",
    "dim_album": "album_key > 0",
    "dim_genre": "genre_key > 0",
    "dim_track": "track_key > 0",
    "track_alias": "true",
    "bridge_track_artist": "true",
    "bridge_track_genre": "true",
}
"""The tables of the star, in the order of their foreign keys, with a condition for the rows that a fresh one lacks."""

PRIMARY_KEYS = {
    "track_alias": ("alias_kind", "alias_value", "track_key"),
    "bridge_track_artist": ("track_key", "position"),
    "bridge_track_genre": ("track_key", "genre_key"),
}
_PIPELINE_NUMBERS = count(1)
_DLT_PREPARATION_ROWS = 10
_ORDER_COLUMNS = {"dim_track": "track_id", "track_alias": "alias_value"}
"""Tables whose rows come in another order than that of their keys, as they do for our load."""


def list_primary_key(table: str) -> tuple[str, ...]:
    """Return the columns of a table's primary key."""
    return PRIMARY_KEYS.get(table, (f"{table.removeprefix('dim_')}_key",))


def write_published_rows(url: str, folder: Path) -> None:
    """Write the published rows of each table as text for COPY and as Parquet."""
    folder.mkdir()
    for table, condition in PUBLISHED_TABLES.items():
        order = _ORDER_COLUMNS.get(table, ", ".join(list_primary_key(table)))
        query = f"select * from warehouse.{table} where {condition} order by {order}"  # noqa: S608
        with open_cursor(url) as cursor, (folder / f"{table}.copy").open("wb") as target:
            cursor.copy_expert(f"copy ({query}) to stdout", target)  # type: ignore[arg-type]
        with closing(dbapi.connect(_make_libpq_url(url))) as connection, connection.cursor() as adbc_cursor:
            adbc_cursor.execute(query)
            pq.write_table(adbc_cursor.fetch_arrow_table(), folder / f"{table}.parquet")


def count_rows(url: str, database_schema: str = "warehouse") -> dict[str, int]:
    """Return the number of rows of each table."""
    with connect(url) as connection:
        return {
            table: int(
                str(
                    fetch_rows(
                        connection,
                        f"select count(*) as n from {database_schema}.{table}"  # noqa: S608
                        f" where {condition}",
                    )[0]["n"]
                )
            )
            for table, condition in PUBLISHED_TABLES.items()
        }


def compute_checksums(url: str) -> dict[str, str]:
    """Return a checksum of the rows of each table, keys included."""
    with connect(url) as connection:
        return {
            table: str(
                fetch_rows(
                    connection,
                    f"select sum(hashtextextended(t::text, 0)) as checksum from warehouse.{table} as t",  # noqa: S608
                )[0]["checksum"]
            )
            for table in PUBLISHED_TABLES
        }


class LoadPeers:
    """The other sides. Each measurement has a fresh warehouse, whose row counts are compared with ours."""

    def __init__(self, warehouses: FreshWarehouses, folder: Path, row_counts: Mapping[str, int]) -> None:
        self._warehouses, self._folder, self._row_counts = warehouses, folder, row_counts
        self._arrow = {table: pq.read_table(folder / f"{table}.parquet") for table in PUBLISHED_TABLES}
        self._frames = {table: rows.to_pandas(types_mapper=pd.ArrowDtype) for table, rows in self._arrow.items()}
        os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"

    def measure_copy(self) -> float:
        """COPY into the star's own tables, in one transaction."""
        with self._warehouses.create_warehouse() as url:
            return self._finish(url, time_call(lambda: self.copy_tables(url)))

    def measure_upsert(self) -> float:
        """COPY into temporary tables, then INSERT ... ON CONFLICT DO UPDATE."""
        with self._warehouses.create_warehouse() as url:
            return self._finish(url, time_call(lambda: self._upsert_tables(url)))

    def measure_bare_copy(self) -> float:
        """COPY into bare tables, made in the same transaction (no WAL is written), then their keys and indexes."""
        with self._warehouses.create_warehouse() as url:
            return self._finish(url, time_call(lambda: self._copy_into_bare_tables(url)), "public")

    def measure_pandas(self) -> float:
        """pandas.to_sql with the COPY method of its documentation."""

        def write_frames(url: str) -> None:
            engine = make_engine(url)
            for table, frame in self._frames.items():
                frame.to_sql(table, engine, schema="warehouse", if_exists="append", index=False, method=insert_by_copy)

        with self._warehouses.create_warehouse() as url:
            return self._finish(url, time_call(lambda: write_frames(url)))

    def measure_adbc(self) -> float:
        """ADBC's ingest of Arrow tables, in one transaction."""

        def ingest_tables(url: str) -> None:
            with closing(dbapi.connect(_make_libpq_url(url))) as connection, connection.cursor() as cursor:
                for table, rows in self._arrow.items():
                    cursor.adbc_ingest(table, rows, mode="append", db_schema_name="warehouse")
                connection.commit()

        with self._warehouses.create_warehouse() as url:
            return self._finish(url, time_call(lambda: ingest_tables(url)))

    def measure_dlt(self) -> float:
        """dlt's merge by primary key from Parquet, into tables that an untimed first run has made."""
        import dlt

        def make_resources(row_count: int | None) -> list[Any]:
            return [
                dlt.resource(
                    [rows.slice(0, row_count)],
                    name=table,
                    write_disposition="merge",
                    primary_key=list_primary_key(table),
                )
                for table, rows in self._arrow.items()
            ]

        with self._warehouses.create_warehouse() as url:
            pipeline = dlt.pipeline(
                f"bench_{next(_PIPELINE_NUMBERS)}",
                pipelines_dir=str(self._folder / "dlt"),
                destination=dlt.destinations.postgres(_make_libpq_url(url)),
                dataset_name="public",
            )
            pipeline.run(make_resources(_DLT_PREPARATION_ROWS), loader_file_format="parquet")
            run = pipeline.run
            return self._finish(
                url, time_call(lambda: run(make_resources(None), loader_file_format="parquet")), "public"
            )

    def copy_tables(self, url: str) -> None:
        """Write all rows into the star of a fresh warehouse."""
        with open_cursor(url) as cursor:
            for table in PUBLISHED_TABLES:
                with (self._folder / f"{table}.copy").open("rb") as source:
                    cursor.copy_expert(f"copy warehouse.{table} from stdin", source, 1 << 20)  # type: ignore[arg-type]

    def _upsert_tables(self, url: str) -> None:
        with open_cursor(url) as cursor:
            for table, rows in self._arrow.items():
                cursor.execute(
                    f"create temporary table new_{table} (like warehouse.{table} including defaults) on commit drop"
                )
                with (self._folder / f"{table}.copy").open("rb") as source:
                    cursor.copy_expert(f"copy new_{table} from stdin", source, 1 << 20)  # type: ignore[arg-type]
                keys = ", ".join(list_primary_key(table))
                changes = ", ".join(f"{name} = excluded.{name}" for name in rows.column_names)
                cursor.execute(
                    f"insert into warehouse.{table} select * from new_{table}"  # noqa: S608
                    f" on conflict ({keys}) do update set {changes}"
                )

    def _copy_into_bare_tables(self, url: str) -> None:
        with open_cursor(url) as cursor:
            for table in PUBLISHED_TABLES:
                cursor.execute(
                    f"create table public.{table} (like warehouse.{table} including defaults including constraints)"
                )
                with (self._folder / f"{table}.copy").open("rb") as source:
                    cursor.copy_expert(f"copy public.{table} from stdin", source, 1 << 20)  # type: ignore[arg-type]
            cursor.execute(_LIST_INDEXES)
            for (definition,) in cursor.fetchall():
                cursor.execute(definition)
            for table in PUBLISHED_TABLES:
                cursor.execute(f"alter table public.{table} add primary key ({', '.join(list_primary_key(table))})")
            cursor.execute(_LIST_FOREIGN_KEYS)
            for (definition,) in cursor.fetchall():
                cursor.execute(definition)

    def _finish(self, url: str, seconds: float, database_schema: str = "warehouse") -> float:
        """Return the seconds of a measurement that wrote what our load writes.

        :raises AssertionError: if it wrote other rows.
        """
        found = count_rows(url, database_schema)
        assert found == self._row_counts, f"{found} instead of {self._row_counts}"
        return seconds


_TABLE_NAMES = ", ".join(f"'{table}'" for table in PUBLISHED_TABLES)
_LIST_INDEXES = f"""
    select replace(i.indexdef, 'warehouse.', 'public.')
    from pg_indexes as i
    where i.schemaname = 'warehouse' and i.tablename in ({_TABLE_NAMES}) and i.indexname not like '%\\_pkey'
"""  # noqa: S608
_LIST_FOREIGN_KEYS = f"""
    select
        format('alter table public.%I add %s', c.relname, replace(pg_get_constraintdef(k.oid), 'warehouse.', 'public.'))
    from pg_constraint as k inner join pg_class as c on c.oid = k.conrelid
    where k.contype = 'f' and k.connamespace = 'warehouse'::regnamespace and c.relname in ({_TABLE_NAMES})
"""  # noqa: S608


def insert_by_copy(table: Any, connection: Any, keys: list[str], rows: Iterable[Any]) -> None:
    """Write rows as the documentation of ``to_sql`` shows for PostgreSQL: as CSV, by COPY."""
    with connection.connection.cursor() as cursor:
        buffer = StringIO()
        csv.writer(buffer).writerows(rows)
        buffer.seek(0)
        columns = ", ".join(f'"{key}"' for key in keys)
        cursor.copy_expert(sql=f"COPY {table.schema}.{table.name} ({columns}) FROM STDIN WITH CSV", file=buffer)


def _make_libpq_url(url: str) -> str:
    return make_engine(url).url.set(drivername="postgresql").render_as_string(hide_password=False)
