"""Rows of a query into a table of the same database, by binary COPY from one connection to another.

``insert into … select`` writes and logs each row by itself; COPY does so by the page. And the query runs on a core of
its own. What it reads is what was committed: the transaction that is written in is not visible to it.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psycopg2
from sqlalchemy import Connection

_BLOCK_BYTES = 1 << 20


def stream(query: str, source: Connection, table: str, target: Connection) -> None:
    """Write the rows of a query into a table.

    :param query: its columns have the names and the exact types of columns of the table.
    :raises psycopg2.Error: where either side fails; nothing is to be committed then.
    """
    columns = ", ".join(source.exec_driver_sql(f"select * from ({query}) as row limit 0").keys())  # noqa: S608
    read_end, write_end = os.pipe()
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(_copy_out, query, source, write_end)
        try:
            with os.fdopen(read_end, "rb") as rows, closing(target.connection.cursor()) as cursor:
                cursor.copy_expert(f"copy {table} ({columns}) from stdin (format binary)", rows, _BLOCK_BYTES)
        except psycopg2.Error as consequence:
            cause = reading.exception()
            if isinstance(cause, psycopg2.Error) and cause.pgcode:
                raise cause from consequence
            raise
        reading.result()


def _copy_out(query: str, source: Connection, write_end: int) -> None:
    with os.fdopen(write_end, "wb", _BLOCK_BYTES) as rows, closing(source.connection.cursor()) as cursor:
        cursor.copy_expert(f"copy ({query}) to stdout (format binary)", rows)
