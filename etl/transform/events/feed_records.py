"""Records of a feed, as Arrow tables: accepted rows, and rejected rows with their reasons.

In: decoded records, and the query of ``feed_queries`` that validates them; or records that could not be decoded. Out:
rows of ``EVENT_ROW`` or ``USER_ROW``, and rows of ``REJECTED_ROW``. A rejected row of a feed has no row_number: an Avro
file has no lines.
"""

from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql.pandas.types import to_arrow_schema

from etl.engines.datafusion import TableSession, convert_table
from etl.formats.avro.records import UndecodableRecords, to_json
from etl.formats.contracts import REJECTED_ROW

MAX_ROWS = 250_000
"""The most rows of a table that is built at once."""

REJECTED_SCHEMA = to_arrow_schema(REJECTED_ROW)


def validate_records(records: pa.Table, query: str, row_schema: pa.Schema) -> tuple[pa.Table, pa.ChunkedArray]:
    """Return the accepted rows, and for each record the reason of its rejection, NULL if it is accepted.

    :param query: a query of ``feed_queries``.
    :param row_schema: the columns of accepted rows.
    """
    validated = TableSession(records=records).collect_table(query)
    reasons = validated["reason"]
    accepted = validated if reasons.null_count == len(reasons) else validated.filter(pc.is_null(reasons))
    return convert_table(accepted, row_schema), reasons


def build_rejected_rows(input_id: str, records: pa.Table, reasons: pa.ChunkedArray) -> pa.Table:
    """Return rows of ``REJECTED_ROW`` for the records that have a reason, with the record as JSON.

    :param records: the records with all fields that the rows are to show.
    :param reasons: as ``validate_records`` returns them for the same records.
    """
    is_rejected = pc.is_valid(reasons)
    rejected_records = records.filter(is_rejected)
    columns = {
        "input_id": pa.array([input_id] * len(rejected_records), pa.string()),
        "reason": reasons.filter(is_rejected),
        "row": pa.array(to_json(rejected_records), pa.string()),
    }
    return convert_table(pa.table(columns), REJECTED_SCHEMA)


def build_undecodable_rows(input_id: str, undecodable: Iterable[UndecodableRecords]) -> Iterator[pa.Table]:
    """Return rows of ``REJECTED_ROW`` for records that could not be decoded, in tables of about ``MAX_ROWS`` rows.

    Each row has its location as JSON: the block, and the record's number in it if known.
    """
    pending_tables: list[pa.Table] = []
    pending_rows = 0
    for records in undecodable:
        # Step by step: a few damaged bytes can claim an arbitrary number of records.
        for start in range(0, records.row_count, MAX_ROWS):
            size = min(MAX_ROWS, records.row_count - start)
            columns = {
                "input_id": pa.repeat(input_id, size),
                "reason": pa.repeat(records.reason, size),
                "row": pa.array(to_json(pa.table({"place": _locate_records(records, start, size)})), pa.string()),
            }
            pending_tables.append(convert_table(pa.table(columns), REJECTED_SCHEMA))
            pending_rows += size
            if pending_rows >= MAX_ROWS:
                yield pa.concat_tables(pending_tables)
                pending_tables, pending_rows = [], 0
    if pending_tables:
        yield pa.concat_tables(pending_tables)


def build_cut_off_row(input_id: str, message: str) -> pa.Table:
    """Return the row of ``REJECTED_ROW`` for the missing end of a truncated file."""
    row = {
        "input_id": input_id,
        "reason": "the file ends in the middle of a block",
        "row": to_json(pa.table({"cut_off": [message]}))[0],
    }
    return pa.Table.from_pylist([row], REJECTED_SCHEMA)


def _locate_records(records: UndecodableRecords, start: int, size: int) -> pa.Array:
    """Return the locations of ``size`` records after the first ``start`` ones."""
    if records.first_number is None:
        return pa.repeat(records.location, size)
    first_number = records.first_number + start
    numbers = pa.array(range(first_number, first_number + size), pa.int64()).cast(pa.string())
    return pc.binary_join_element_wise(f"{records.location}, record", numbers, " ")
