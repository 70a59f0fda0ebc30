"""What runs in Spark's executors: a partition of a frame, by binary COPY, into a staging table.

A partition goes in exactly once, however often Spark tries it: its line in ``staging.part`` is written in the same
transaction as its rows. A second try finds the line and leaves; a writer that outlived its load finds no line of its
load in ``staging.load``, to which that line must point, and fails.
"""

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain

import psycopg2
import pyarrow as pa
from pgpq import ArrowToPostgresBinaryEncoder
from psycopg2 import sql
from pyspark import TaskContext

RESULT_SCHEMA = "partition int, row_count bigint"
"""What each partition with rows answers."""


class CopyError(Exception):
    """A COPY failed; the text ends with PostgreSQL's code of the failure, which outlives the way to the driver."""


@dataclass(frozen=True)
class CopyTarget:
    """Where the rows of one frame go."""

    libpq_url: str = field(repr=False)
    load_id: str
    table: str
    columns: tuple[str, ...]

    def write_partition(
        self, batches: Iterable[pa.RecordBatch], partition_number: int | None = None
    ) -> Iterator[pa.RecordBatch]:
        """Write the batches of one partition in one transaction.

        :param part: its number; None: Spark knows.
        :returns: one row of RESULT, or none for an empty partition.
        :raises CopyError: where PostgreSQL refuses.
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
            # A load that is cut off begins anew; publication waits for the disk, with all that came before it.
            cursor.execute("set local synchronous_commit = off")
            cursor.execute(
                "insert into staging.part (load_id, table_name, partition) values (%s, %s, %s)"
                " on conflict do nothing returning true",
                [self.load_id, self.table, partition],
            )
            if cursor.fetchone() is None:
                return sum(batch.num_rows for batch in batches)
            columns = sql.SQL(", ").join(map(sql.Identifier, schema.names))
            copy_template = sql.SQL("copy {} ({}) from stdin (format binary)")
            source = _CopySource(filter(None, _encode_batches(schema, batches)))
            try:
                copy_statement = copy_template.format(sql.Identifier("staging", self.table), columns)
                cursor.copy_expert(copy_statement, source)  # type: ignore[arg-type]  # it asks for read alone
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
    """A file for psycopg2, which tells nothing but the name of an error that a file raises: it is kept here."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self.failure: Exception | None = None

    def read(self, _: int = -1, /) -> bytes:
        try:
            return next(self._chunks, b"")
        except Exception as failure:
            self.failure = failure
            raise
