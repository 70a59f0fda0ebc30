"""The truth about simulated listeners, written to the schema simulation."""

from collections.abc import Mapping
from contextlib import closing

import pyarrow as pa
from psycopg2 import sql
from sqlalchemy import text

from etl.database import connect
from etl.load.staging_copy import copy_batches


def write_truth(tables: Mapping[str, pa.Table], url: str) -> None:
    """Add rows to tables of the schema simulation; those that they have are left out.

    No reader waits for it, nor does it wait for them. A load that writes the same rows waits for the commit.

    :param tables: rows by name of the table.
    :param url: of the warehouse.
    :raises EtlError: as ``connection.explain_error`` decides.
    """
    with connect(url) as connection:
        for name, rows in tables.items():
            connection.execute(text(f"create temporary table new_{name} (like simulation.{name}) on commit drop"))
            with closing(connection.connection.cursor()) as cursor:
                copy_batches(cursor, sql.Identifier(f"new_{name}"), rows.schema, iter(rows.to_batches()))  # type: ignore[arg-type]
            # A load writes in the same order: else the two could wait for each other.
            statement = f"insert into simulation.{name} select * from new_{name} as n order by n on conflict do nothing"  # noqa: S608
            connection.execute(text(statement))
        connection.commit()
