"""Copy the rows of a query into a table of the same database, by binary COPY from one connection to another.

``insert into … select`` writes and logs single rows; COPY writes whole pages. The query also runs in a backend of its
own: it starts early and sorts and joins during other work. It sees committed rows only, not those of the transaction
that writes.

A thread copies the query's output into a pipe, and ``QueryStream.write_to_table`` copies the pipe into the table. The
context of ``open_query_stream`` cancels a query that has not ended.
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
    """The rows of a query that is already running."""

    columns: str
    rows: BinaryIO
    copy_future: Future[None]

    def write_to_table(self, table: str, target: Connection) -> None:
        """Write the rows into a table; may be called once.

        :param table: with columns of the query's names and exact types.
        :raises psycopg2.Error: if either side fails; the caller then rolls back.
        """
        try:
            with closing(target.connection.cursor()) as cursor:
                cursor.copy_expert(f"copy {table} ({self.columns}) from stdin (format binary)", self.rows, _BLOCK_BYTES)
        except psycopg2.Error as consequence:
            self.rows.close()  # ends the thread: its next write to the pipe fails
            cause = self.copy_future.exception()
            if isinstance(cause, psycopg2.Error) and cause.pgcode:
                raise cause from consequence
            raise
        self.copy_future.result()


@contextmanager
def open_query_stream(query: str, source: Connection) -> Iterator[QueryStream]:
    """Start a query whose rows are written later; cancel it at the end of the context if it still runs.

    :param source: a connection that runs no other statement in the context.
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
