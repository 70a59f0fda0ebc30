"""Results of queries as Arrow batches, read in Spark's executors: one query with other parameters for each partition.

The driver holds the warehouse's lock meanwhile (``connection.lock_warehouse``), so that all partitions read one state.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import pyarrow as pa
from adbc_driver_postgresql import dbapi


class ReadError(Exception):
    """A query failed; the message ends with PostgreSQL's code of the failure, as Spark passes only the text on."""


@dataclass(frozen=True)
class PartitionedQuery:
    """A query whose parameters differ by partition."""

    libpq_url: str = field(repr=False)
    name: str
    statement: str
    parameters: tuple[tuple[object, ...], ...]
    """The values of $1, $2, … for each partition."""
    schema: pa.Schema
    """The columns of the result, in the types that Spark takes; values are cast to them."""

    def read_partitions(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield the rows of the partitions whose numbers come in.

        :param batches: a column ``id`` of partition numbers.
        :raises ReadError: if the query fails.
        """
        for batch in batches:
            for partition in batch.column("id").to_pylist():
                yield from self._read_partition(partition)

    def _read_partition(self, partition: int) -> Iterator[pa.RecordBatch]:
        try:
            with dbapi.connect(self.libpq_url) as connection, connection.cursor() as cursor:
                cursor.execute(self.statement, self.parameters[partition])
                for batch in cursor.fetch_record_batch():
                    yield from pa.Table.from_batches([batch]).cast(self.schema).to_batches()
        except dbapi.Error as error:
            raise ReadError(f"Reading {self.name}: {error} [SQLSTATE {error.sqlstate or ''}]") from None
