"""Lines of account exports as Arrow tables of text fields, for the formats that DataFusion validates.

In: lines of ``contracts.events.EXPORT_LINE``, as JSON. Out: the columns of a line, a column of text for each field of
its record, whatever the field's type in JSON, and ``TIME_COLUMN``. Exports of different years write the same field as a
number, as text or not at all.
"""

import json
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

TIME_COLUMN = "time_us"
"""The time that a field names, in microseconds since 1970; NULL if it names none. Without a zone it is UTC."""

_LINE_FIELDS = ("number", "user_id", "timezone", "file", "body")
_TIMESTAMP = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?(Z|[+-][0-9]{2}:?[0-9]{2})?"
)
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str)
"""Made once: ``json.loads`` makes a decoder at each call with such parameters."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NULL_ESCAPE, _REPLACEMENT_ESCAPE = "\\u0000", "\\ufffd"


def build_record_table(lines: Iterable[str], fields: Sequence[str], time_field: str) -> pa.Table:
    """Return the records of lines.

    :param fields: the names of the records' fields; a field that a record lacks is NULL.
    :param time_field: the field that ``TIME_COLUMN`` is of.
    """
    columns: dict[str, list[Any]] = {name: [] for name in (*_LINE_FIELDS, *fields)}
    for text in lines:
        line = json.loads(text)
        line["body"] = _clean_body(line["body"])
        for name in _LINE_FIELDS:
            columns[name].append(line[name])
        record = _DECODER.decode(line["body"])
        if not isinstance(record, dict):
            record = {}
        for name in fields:
            columns[name].append(record.get(name))
    arrays = {
        name: pa.array(values, pa.int64() if name == "number" else pa.string())
        for name, values in ((name, _to_texts(values)) for name, values in columns.items())
    }
    return pa.table({**arrays, TIME_COLUMN: pa.array(map(parse_timestamp, columns[time_field]), pa.int64())})


def parse_timestamp(value: object) -> int | None:
    """Return a date and time in microseconds since 1970; None for any other value."""
    if not isinstance(value, str):
        return None
    text = value.strip(" ")
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        return None
    try:
        time = datetime.fromisoformat(text if match[3] else f"{text}Z")
    except ValueError:
        return None
    return (time - _EPOCH) // _MICROSECOND


def _clean_body(body: str) -> str:
    """Replace what PostgreSQL and UTF-8 cannot have: the escape of U+0000, and halves of surrogate pairs."""
    replaced = body.replace(_NULL_ESCAPE, _REPLACEMENT_ESCAPE)
    return replaced if replaced.isascii() else replaced.encode("utf-8", "replace").decode()


def _to_texts(values: list[Any]) -> list[Any]:
    """Return the values of a field as text, except where all are texts or NULL already, or numbers of lines."""
    kinds = set(map(type, values))
    if kinds <= {str, type(None)} or kinds == {int}:
        return values
    return [value if value is None or isinstance(value, str) else _to_text(value) for value in values]


def _to_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else json.dumps(value)
