"""SQL of DataFusion over Arrow tables and Avro files, within this process.

Spark is for work that may not fit into one machine. DataFusion is for single files of it, at a fraction of the cost.
"""

from collections.abc import Iterator

import pyarrow as pa
from datafusion import SessionConfig, SessionContext

_SETTINGS = {
    "datafusion.sql_parser.enable_ident_normalization": "false",
    # Use Arrow's plain string type, which ADBC and Spark accept.
    "datafusion.sql_parser.map_string_types_to_utf8view": "false",
}
_BATCH_ROWS = 65_536


class TableSession:
    """Named tables, and SQL over them. A session uses one thread; callers run a session for each file in parallel."""

    def __init__(self, batch_rows: int = _BATCH_ROWS, **tables: pa.Table) -> None:
        """
        :param batch_rows: the number of rows in a batch.
        """
        config = SessionConfig(_SETTINGS).with_target_partitions(1).with_batch_size(batch_rows)
        self._context = SessionContext(config)
        for name, table in tables.items():
            self.add_table(name, table)

    def add_table(self, name: str, table: pa.Table) -> None:
        """Add an Arrow table under a name."""
        empty = pa.RecordBatch.from_pylist([], table.schema)
        self._context.register_record_batches(name, [table.to_batches() or [empty]])

    def add_avro(self, name: str, path: str) -> pa.Schema:
        """Add an Avro file of this machine under a name.

        :returns: the Arrow schema of its records.
        """
        self._context.register_avro(name, path, file_extension="")
        return self._context.table(name).schema()

    def create_view(self, name: str, query: str) -> None:
        """Add a query under a name."""
        self._context.register_view(name, self._context.sql(query))

    def iterate_batches(self, query: str) -> Iterator[pa.RecordBatch]:
        """Yield the rows of a query in batches."""
        for batch in self._context.sql(query).execute_stream():
            yield batch.to_pyarrow()

    def collect_table(self, query: str) -> pa.Table:
        """Return the rows of a query."""
        return self._context.sql(query).to_arrow_table()


def quote_literal(text: str) -> str:
    """Return a text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def convert_batch(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Return a batch with the columns of a schema, by name and in its order; a missing column is NULL.

    :raises pyarrow.ArrowInvalid: if a value does not fit.
    """
    columns = [
        batch.column(field.name).cast(field.type)
        if field.name in batch.schema.names
        else pa.nulls(batch.num_rows, field.type)
        for field in schema
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def convert_table(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return a table with the columns of a schema; see ``convert_batch``."""
    return pa.Table.from_batches([convert_batch(batch, schema) for batch in table.to_batches()], schema)
