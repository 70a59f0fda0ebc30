"""Tables of columns within this process: SQL of DataFusion over Arrow tables and Avro files, set up once.

Spark is for work that one machine may not hold; this is for parts of it that do, where it costs a fraction.
"""

from collections.abc import Iterator

import pyarrow as pa
from datafusion import SessionConfig, SessionContext

_SETTINGS = {
    "datafusion.sql_parser.enable_ident_normalization": "false",
    # Arrow's plain strings: what ADBC and Spark take.
    "datafusion.sql_parser.map_string_types_to_utf8view": "false",
}
_BATCH_ROWS = 65_536


class TableSession:
    """Named tables, and SQL over them. One thread works on one: as many run side by side as there are parts of work."""

    def __init__(self, batch_rows: int = _BATCH_ROWS, **tables: pa.Table) -> None:
        """
        :param batch_rows: how many rows are worked on at a time.
        """
        config = SessionConfig(_SETTINGS).with_target_partitions(1).with_batch_size(batch_rows)
        self._context = SessionContext(config)
        for name, table in tables.items():
            self.add_table(name, table)

    def add_table(self, name: str, table: pa.Table) -> None:
        """Name an Arrow table."""
        empty = pa.RecordBatch.from_pylist([], table.schema)
        self._context.register_record_batches(name, [table.to_batches() or [empty]])

    def add_avro(self, name: str, path: str) -> pa.Schema:
        """Name an Avro file of this machine.

        :returns: the Arrow schema that its records have.
        """
        self._context.register_avro(name, path, file_extension="")
        return self._context.table(name).schema()

    def create_view(self, name: str, query: str) -> None:
        """Name a query."""
        self._context.register_view(name, self._context.sql(query))

    def iterate_batches(self, query: str) -> Iterator[pa.RecordBatch]:
        """The rows of a query, some at a time."""
        for batch in self._context.sql(query).execute_stream():
            yield batch.to_pyarrow()

    def collect_table(self, query: str) -> pa.Table:
        """The rows of a query."""
        return self._context.sql(query).to_arrow_table()


def quote_literal(text: str) -> str:
    """A text as SQL has it."""
    return "'" + text.replace("'", "''") + "'"


def convert_batch(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """A batch with the columns of a schema, by name and in its order; one that it lacks is NULL.

    :raises pyarrow.ArrowInvalid: where a value does not fit.
    """
    columns = [
        batch.column(field.name).cast(field.type)
        if field.name in batch.schema.names
        else pa.nulls(batch.num_rows, field.type)
        for field in schema
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def convert_table(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """A table as ``as_schema`` makes a batch."""
    return pa.Table.from_batches([convert_batch(batch, schema) for batch in table.to_batches()], schema)
