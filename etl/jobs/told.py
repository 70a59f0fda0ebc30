"""What sources tell of events and users: looked at once, part by part, and laid ready for what follows.

A part is a file: of a feed, or of rows that Spark has made of an export or of the API's answers. What is accepted of
it, and what is refused, goes into Arrow files, so that no part is in memory whole and none is decoded twice.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet
from fsspec.core import url_to_fs
from pyspark.sql.pandas.types import to_arrow_schema

from etl import arrow_files
from etl.avro.records import Undecodable, UndecodableError, as_json, read, read_blocks
from etl.columnar import Tables, as_schema, as_table
from etl.schemas import REJECTED_ROW
from etl.schemas.events import EVENT_ROW, USER_ROW
from etl.transform.events.members import named
from etl.transform.events.rows import identified

_ROWS = 250_000
_EVENT = to_arrow_schema(EVENT_ROW)
_USER = to_arrow_schema(USER_ROW)
_REFUSED = to_arrow_schema(REJECTED_ROW)


@dataclass(frozen=True)
class FeedFile:
    """A file of a feed.

    ``query`` is of ``transform.events.feed`` and reads ``fields`` of ``contract``; of users where ``is_of_users``.
    """

    url: str
    target: str
    input_id: str
    query: str
    contract: dict[str, Any]
    fields: tuple[str, ...]
    is_of_users: bool = False


@dataclass(frozen=True)
class RowFile:
    """A Parquet file of rows of EVENT_ROW."""

    url: str
    target: str


@dataclass(frozen=True)
class RefusedFile:
    """A Parquet file of rows of REJECTED_ROW."""

    url: str
    target: str


Part = FeedFile | RowFile | RefusedFile


@dataclass(frozen=True)
class Told:
    """URLs of Arrow files: ``accepted`` of rows of EVENT_ROW with an event_id, or of USER_ROW, and ``refused`` of
    REJECTED_ROW, where a row that has no place of its own has no row_number; what the events name, as
    ``members.named`` gives it."""

    accepted: tuple[str, ...]
    refused: tuple[str, ...]
    named: pa.Table | None


def tell(part: Part) -> Told:
    """Read a part, and write what it tells under its ``target``; again replaces it."""
    if isinstance(part, RefusedFile):
        return _kept(part.target, ((None, rows) for rows in _parquet(part.url, _REFUSED)))
    if isinstance(part, RowFile):
        return _kept(part.target, ((rows, None) for rows in _parquet(part.url, _EVENT)))
    try:
        return _kept(part.target, _of_file(part), part.is_of_users)
    except UndecodableError:
        return _kept(part.target, _of_blocks(part), part.is_of_users)


def cut(input_id: str, what: str) -> pa.Table:
    """The row of REJECTED_ROW for what a cut file lacks."""
    row = {"input_id": input_id, "reason": "the file ends in the middle of a block", "row": _object("cut_off", what)}
    return pa.Table.from_pylist([row], _REFUSED)


def _kept(target: str, told: Iterator[tuple[pa.Table | None, pa.Table | None]], is_of_users: bool = False) -> Told:
    """Write accepted and refused rows, some at a time."""
    accepted, refused, names = [], [], []
    for number, (rows, wrong) in enumerate(told):
        if rows is not None and len(rows):
            if not is_of_users:
                names.append(named(rows))
                rows = identified(rows)
            accepted.append(f"{target}-{number:06}-accepted.arrow")
            arrow_files.write(accepted[-1], rows)
        if wrong is not None and len(wrong):
            refused.append(f"{target}-{number:06}-refused.arrow")
            arrow_files.write(refused[-1], wrong)
    return Told(tuple(accepted), tuple(refused), pa.concat_tables(names) if names else None)


def _of_file(part: FeedFile) -> Iterator[tuple[pa.Table | None, pa.Table | None]]:
    """Rows accepted; then, read anew with all their fields, the records refused."""
    reasons = []
    for records in read(part.url, part.contract, part.fields):
        rows, judged = _judged(part, records)
        reasons.append(judged)
        yield rows, None
    if any(one.null_count < len(one) for one in reasons):
        for records, judged in zip(read(part.url, part.contract), reasons, strict=True):
            yield None, _refused(part, records, judged)


def _of_blocks(part: FeedFile) -> Iterator[tuple[pa.Table | None, pa.Table | None]]:
    for is_undecodable, found in groupby(
        read_blocks(part.url, part.contract), lambda one: isinstance(one, Undecodable)
    ):
        if is_undecodable:
            for rows in _some_at_a_time(rows for one in found for rows in _undecodable(part.input_id, one)):
                yield None, rows
            continue
        for records in found:
            rows, judged = _judged(part, records)
            yield rows, _refused(part, records, judged)


def _some_at_a_time(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The same rows in fewer tables: each becomes a file."""
    gathered: list[pa.Table] = []
    row_count = 0
    for table in tables:
        gathered.append(table)
        row_count += len(table)
        if row_count >= _ROWS:
            yield pa.concat_tables(gathered)
            gathered, row_count = [], 0
    if gathered:
        yield pa.concat_tables(gathered)


def _judged(part: FeedFile, records: pa.Table) -> tuple[pa.Table, pa.ChunkedArray]:
    """The rows that are accepted, and the reason for each record, NULL where it is."""
    judged = Tables(records=records).table(part.query)
    reason = judged["reason"]
    accepted = judged if reason.null_count == len(reason) else judged.filter(pc.is_null(reason))
    return as_table(accepted, _USER if part.is_of_users else _EVENT), reason


def _refused(part: FeedFile, records: pa.Table, reason: pa.ChunkedArray) -> pa.Table:
    is_refused = pc.is_valid(reason)
    wrong = records.filter(is_refused)
    columns = {
        "input_id": pa.array([part.input_id] * len(wrong), pa.string()),
        "reason": reason.filter(is_refused),
        "row": pa.array(as_json(wrong), pa.string()),
    }
    return as_table(pa.table(columns), _REFUSED)


def _undecodable(input_id: str, records: Undecodable) -> Iterator[pa.Table]:
    """A row for each, some at a time: a few bytes can say that they are many."""
    for begin in range(0, records.row_count, _ROWS):
        size = min(_ROWS, records.row_count - begin)
        columns = {
            "input_id": pa.repeat(input_id, size),
            "reason": pa.repeat(records.reason, size),
            "row": pa.array(as_json(pa.table({"place": _places(records, begin, size)})), pa.string()),
        }
        yield as_table(pa.table(columns), _REFUSED)


def _places(records: Undecodable, begin: int, size: int) -> pa.Array:
    """Where records stand, from the one after ``begin`` others on: the block, and the number in it where it has one."""
    if records.first is None:
        return pa.repeat(records.place, size)
    first = records.first + begin
    numbers = pa.array(range(first, first + size), pa.int64()).cast(pa.string())
    return pc.binary_join_element_wise(f"{records.place}, record", numbers, " ")


def _object(name: str, text: str) -> str:
    return as_json(pa.table({name: [text]}))[0]


def _parquet(url: str, schema: pa.Schema) -> Iterator[pa.Table]:
    files, path = url_to_fs(url)
    with files.open(path, "rb") as source:
        for batch in pyarrow.parquet.ParquetFile(source).iter_batches(_ROWS):
            yield pa.Table.from_batches([as_schema(batch, schema)])
