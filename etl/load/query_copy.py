"""Rows of a query into a table of the same database, by binary COPY from one connection to another.

``insert into … select`` writes and logs each row by itself; COPY does so by the page. And the query runs on a core of
its own: it is sent early, and sorts and joins while other work is done. What it reads is what was committed: the
transaction that is written in is not visible to it.
"""

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import BinaryIO

import psycopg2
from sqlalchemy import Connection

_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True)
class QueryStream:
    """The rows of a query that runs already."""

    columns: str
    rows: BinaryIO
    copy_future: Future[None]

    def write_to_table(self, table: str, target: Connection) -> None:
        """Write the rows into a table; once.

        :param table: has columns of the names and the exact types of the query's.
        :raises psycopg2.Error: where either side fails; nothing is to be committed then.
        """
        try:
            with closing(target.connection.cursor()) as cursor:
                cursor.copy_expert(f"copy {table} ({self.columns}) from stdin (format binary)", self.rows, _BLOCK_BYTES)
        except psycopg2.Error as consequence:
            self.rows.close()  # a query that fails on its way ends here; one that writes on is told to stop
            cause = self.copy_future.exception()
            if isinstance(cause, psycopg2.Error) and cause.pgcode:
                raise cause from consequence
            raise
        self.copy_future.result()


@contextmanager
def open_query_stream(query: str, source: Connection) -> Iterator[QueryStream]:
    """Send a query whose rows are written later; one that is still at work on leaving is cancelled.

    :param source: a connection that does nothing else meanwhile.
    """
    columns = ", ".join(source.exec_driver_sql(f"select * from ({query}) as row limit 0").keys())  # noqa: S608
    read_end, write_end = os.pipe()
    with ThreadPoolExecutor(1) as pool, os.fdopen(read_end, "rb") as rows:
        copy_future = pool.submit(_copy_out, query, source, write_end)
        try:
            yield QueryStream(columns, rows, copy_future)
        finally:
            if not copy_future.done():
                source.connection.driver_connection.cancel()  # type: ignore[union-attr]


def _copy_out(query: str, source: Connection, write_end: int) -> None:
    with os.fdopen(write_end, "wb", _BLOCK_BYTES) as rows, closing(source.connection.cursor()) as cursor:
        cursor.copy_expert(f"copy ({query}) to stdout (format binary)", rows)
