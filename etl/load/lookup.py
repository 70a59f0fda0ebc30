"""Surrogate keys of dimension members that staged events refer to: the queries of sql/queries/lookup."""

import pyarrow as pa
from adbc_driver_postgresql import dbapi

from etl.database import libpq_url, read_sql

LOOKUPS = ("user", "artist", "track", "playlist", "context", "input", "name_derived_id")


def fetch_dimension_keys(url: str) -> dict[str, pa.Table]:
    """Return a table of keys for each of ``LOOKUPS``, and the name-derived ids of members without an id of Spotify."""
    with dbapi.connect(libpq_url(url)) as connection, connection.cursor() as cursor:
        key_tables = {}
        for name in LOOKUPS:
            cursor.execute(read_sql(f"queries/lookup/{name}"))
            key_tables[name] = cursor.fetch_arrow_table()
    return key_tables
