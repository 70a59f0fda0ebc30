"""What runs in Spark's executors: a partition of a frame, by binary COPY, into a staging table.

A partition goes in exactly once, however often Spark tries it: its line in ``staging.part`` is written in the same
transaction as its rows. A second try finds the line and leaves; a writer that outlived its load finds no line of its
load in ``staging.load``, to which that line must point, and fails.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain

import pyarrow as pa
from adbc_driver_manager import Error
from adbc_driver_postgresql import dbapi
from pyspark import TaskContext

RESULT = "partition int, row_count bigint"
"""What each partition with rows answers."""


class CopyError(Exception):
    """A COPY failed; the text ends with PostgreSQL's code of the failure, which outlives the way to the driver."""


@dataclass(frozen=True)
class Target:
    """Where the rows of one frame go."""

    libpq_url: str = field(repr=False)
    load_id: str
    table: str
    columns: tuple[str, ...]

    def write(self, batches: Iterable[pa.RecordBatch], part: int | None = None) -> Iterator[pa.RecordBatch]:
        """Write the batches of one partition in one transaction.

        :param part: its number; None: Spark knows.
        :returns: one row of RESULT, or none for an empty partition.
        :raises CopyError: where PostgreSQL refuses.
        """
        rows = iter(batches)
        first = next((batch for batch in rows if batch.num_rows), None)
        if first is None:
            return
        task = TaskContext.get() if part is None else None
        partition = part or (0 if task is None else task.partitionId())
        try:
            row_count = self._copy(partition, chain([first], rows), first.schema)
        except Error as error:
            raise CopyError(f"COPY into staging.{self.table}: {error} [SQLSTATE {error.sqlstate}]") from None
        yield pa.RecordBatch.from_pydict(
            {"partition": pa.array([partition], pa.int32()), "row_count": pa.array([row_count], pa.int64())}
        )

    def _copy(self, partition: int, batches: Iterator[pa.RecordBatch], schema: pa.Schema) -> int:
        with dbapi.connect(self.libpq_url) as connection, connection.cursor() as cursor:
            cursor.execute("select set_config('application_name', $1, false)", ["staging " + self.load_id])
            cursor.execute(
                "insert into staging.part (load_id, table_name, partition) values ($1, $2, $3)"
                " on conflict do nothing returning true",
                [self.load_id, self.table, partition],
            )
            if cursor.fetchone() is None:
                return sum(batch.num_rows for batch in batches)
            reader = pa.RecordBatchReader.from_batches(schema, batches)
            row_count = int(cursor.adbc_ingest(self.table, reader, mode="append", db_schema_name="staging"))
            connection.commit()
        return row_count
