"""Binary COPY of a frame's partition into a staging table; this code runs in Spark's executors.

Each partition has a COPY and a transaction of its own, so that executors write in parallel and encode no text. A
partition is written exactly once, however often Spark tries it: its row in ``staging.part`` is committed with its data,
and a second try finds the row and stops. The row references the load's row in ``staging.load``, which the next load
deletes: a writer that outlives its load fails at this foreign key.
"""

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain

import psycopg2
import psycopg2.extensions
import pyarrow as pa
from pgpq import ArrowToPostgresBinaryEncoder
from psycopg2 import sql
from pyspark import TaskContext

RESULT_SCHEMA = "partition int, row_count bigint"
"""The columns of ``CopyTarget.write_partition``, for Spark."""


class CopyError(Exception):
    """A COPY failed. The message ends with the SQLSTATE: Spark passes only messages from executors to the driver."""


@dataclass(frozen=True)
class CopyTarget:
    """The staging table that the rows of one frame are written to."""

    libpq_url: str = field(repr=False)
    load_id: str
    table: str
    columns: tuple[str, ...]

    def write_partition(
        self, batches: Iterable[pa.RecordBatch], partition_number: int | None = None
    ) -> Iterator[pa.RecordBatch]:
        """Write the batches of one partition in one transaction.

        :param partition_number: None in a Spark task, which knows its own number.
        :returns: one row of ``RESULT_SCHEMA``, or none for an empty partition.
        :raises CopyError: if PostgreSQL rejects the rows.
        """
        remaining_batches = iter(batches)
        first_batch = next((batch for batch in remaining_batches if batch.num_rows), None)
        if first_batch is None:
            return
        task = TaskContext.get() if partition_number is None else None
        partition = partition_number or (0 if task is None else task.partitionId())
        try:
            row_count = self._copy_rows(partition, chain([first_batch], remaining_batches), first_batch.schema)
        except psycopg2.Error as error:
            raise CopyError(f"COPY into staging.{self.table}: {error} [SQLSTATE {error.pgcode or ''}]") from None
        yield pa.RecordBatch.from_pydict(
            {"partition": pa.array([partition], pa.int32()), "row_count": pa.array([row_count], pa.int64())}
        )

    def _copy_rows(self, partition: int, batches: Iterator[pa.RecordBatch], schema: pa.Schema) -> int:
        with closing(psycopg2.connect(self.libpq_url)) as connection, connection, connection.cursor() as cursor:
            cursor.execute("select set_config('application_name', %s, false)", ["staging " + self.load_id])
            # An interrupted load starts again, so staging may be lost. The commit of the publication is synchronous and
            # flushes all earlier commits.
            cursor.execute("set local synchronous_commit = off")
            cursor.execute(
                "insert into staging.part (load_id, table_name, partition) values (%s, %s, %s)"
                " on conflict do nothing returning true",
                [self.load_id, self.table, partition],
            )
            if cursor.fetchone() is None:
                return sum(batch.num_rows for batch in batches)
            return copy_batches(cursor, sql.Identifier("staging", self.table), schema, batches)


def copy_batches(
    cursor: psycopg2.extensions.cursor, table: sql.Identifier, schema: pa.Schema, batches: Iterator[pa.RecordBatch]
) -> int:
    """Write batches into a table that has columns of their names and types, by binary COPY; return the number of rows.

    :raises psycopg2.Error: if PostgreSQL rejects them.
    """
    columns = sql.SQL(", ").join(map(sql.Identifier, schema.names))
    source = _CopySource(filter(None, _encode_batches(schema, batches)))
    try:
        statement = sql.SQL("copy {} ({}) from stdin (format binary)").format(table, columns)
        cursor.copy_expert(statement, source)  # type: ignore[arg-type]  # only its read is used
    except psycopg2.Error:
        if source.failure:
            raise source.failure from None
        raise
    return int(cursor.rowcount)


def _encode_batches(schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> Iterator[bytes]:
    encoder = ArrowToPostgresBinaryEncoder(schema)
    yield encoder.write_header()
    yield from map(encoder.write_batch, batches)
    yield encoder.finish()


class _CopySource:
    """A file for psycopg2's COPY. It stores the error of a read, since psycopg2 reports only the error's name."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self.failure: Exception | None = None

    def read(self, _: int = -1, /) -> bytes:
        try:
            return next(self._chunks, b"")
        except Exception as failure:
            self.failure = failure
            raise
