"""Received files as one Spark frame, read on the executors."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice

import fsspec
import numpy
import pyarrow
import pyarrow.compute
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, LongType, StringType, StructField, StructType

from etl.errors import WrongFileError
from etl.formats import Format, places
from etl.lake import Received
from etl.tabular.inspection import rewriters
from etl.tabular.layout import Layout
from etl.tabular.quoting import Unreadable
from etl.tabular.records import is_legible, records

ROWS_IN_BATCH = 10_000

MISFIT = "row has more or fewer fields than the header"
"""The ``problem`` of a row that cannot be told apart into columns."""
ILLEGIBLE = "row has bytes that are no UTF-8"
"""The ``problem`` of a row of another encoding than its file."""
NO_TEXT = "row has bytes that are no text in the encoding of the file"
"""The ``problem`` of a row with bytes that are no letters in an older encoding."""
UNREADABLE = "row has quotation marks that do not tell where its fields end"
"""The ``problem`` of a row that could be told apart into columns in no way, or in more than one."""

_STRINGS = ArrayType(StringType(), containsNull=False)
_LISTS = pyarrow.list_(pyarrow.string())
_Rewriters = dict[str, Callable[[str], str]]


def read_rows(spark: SparkSession, received: Sequence[Received], known: Format) -> DataFrame:
    """All rows of some inputs of one format, as text, one input a task.

    :returns: a frame with

        - input_id, row_number (the first row below the header is 1),
        - a string column for each of the format's columns, under the format's own name, in NFC,
        - others: array<string>, the fields of all further columns,
        - header: array<string>, the names in this input's header, the format's columns first (in the format's
          order), then those of ``others``,
        - as_received: array<string>, the fields of ``header`` as the file has them, where numbers or dates were
          rewritten; else NULL,
        - problem: NULL, or why the row has no columns; then its fields stand in ``others``, in the file's order.
    :raises WrongFileError: on an executor, where an input is not what it was when it was received.
    """
    inputs = list(received)

    def read(batches: Iterable[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
        for batch in batches:
            for index in batch.column(0).to_pylist():
                yield from read_batches(inputs[index], known)

    rows = spark.range(0, len(inputs), 1, max(len(inputs), 1)).mapInArrow(read, _frame_schema(known))
    return rows.withColumn("header", _header(inputs, known))


def _header(inputs: Sequence[Received], known: Format) -> Column:
    """The names of each input's columns, as a constant that Spark works out only where it is asked for."""
    headers = [F.lit(None).cast(_STRINGS)]
    for one in inputs:
        names = F.array(*(F.lit(one.columns[place]) for place in _order(one.columns, known)))
        headers.append(F.when(F.col("input_id") == one.input_id, names))
    return F.coalesce(*headers)


def _frame_schema(known: Format) -> StructType:
    return StructType(
        [
            StructField("input_id", StringType()),
            StructField("row_number", LongType()),
            StructField("problem", StringType()),
            *(StructField(name, StringType()) for name in known.columns),
            StructField("others", _STRINGS),
            StructField("as_received", _STRINGS),
        ]
    )


def _order(columns: Sequence[str], known: Format) -> list[int]:
    """The places in the file's header of the format's columns, then of all others."""
    wanted = places(columns, known)
    return wanted + [place for place in range(len(columns)) if place not in wanted]


def layout_of(received: Received) -> Layout:
    """How an input is read, by its note."""
    return Layout(
        received.encoding,
        received.delimiter,
        received.quoting,
        received.shape,
        received.decimal,
        received.dates,  # type: ignore[arg-type]
    )


def read_batches(one: Received, known: Format) -> Iterator[pyarrow.RecordBatch]:
    """The rows of one input in batches, as ``read_rows`` has them, without the header."""
    layout = layout_of(one)
    rewrite = rewriters(layout, known)
    with fsspec.open(one.url, "rb") as content:
        rows = records(content, layout)
        order = _order(next(rows, []), known)
        done = 0
        while some := list(islice(rows, ROWS_IN_BATCH)):
            yield _batch(one, done, some, order, known, rewrite)
            done += len(some)
    if done != one.row_count:
        raise WrongFileError(
            f"{one.name} ({one.url}) has {done} rows, but had {one.row_count} when it was received. "
            "Files in the lake must not be changed: remove its folder there and import the file again."
        )


def _batch(
    one: Received,
    done: int,
    rows: list[list[str]],
    order: list[int],
    known: Format,
    rewrite: _Rewriters,
) -> pyarrow.RecordBatch:
    try:
        if all(len(row) == len(order) for row in rows):
            return _whole_batch(one, done, rows, order, known, rewrite)
    except UnicodeEncodeError:  # some row has bytes that are no text
        pass
    return _mixed_batch(one, done, rows, order, known, rewrite)


def _whole_batch(
    one: Received, done: int, rows: list[list[str]], order: list[int], known: Format, rewrite: _Rewriters
) -> pyarrow.RecordBatch:
    """A batch of rows that all have columns."""
    columns = list(zip(*rows, strict=True))
    in_order = [columns[place] for place in order]
    others = _lists_of_equal_length(in_order[len(known.columns) :], len(rows))
    as_received = _lists_of_equal_length(in_order, len(rows)) if rewrite else pyarrow.nulls(len(rows), _LISTS)
    problems = pyarrow.nulls(len(rows), pyarrow.string())
    return _arrow(one, done, problems, in_order[: len(known.columns)], others, as_received, known, rewrite)


def _mixed_batch(
    one: Received, done: int, rows: list[list[str]], order: list[int], known: Format, rewrite: _Rewriters
) -> pyarrow.RecordBatch:
    """A batch of which some rows have no columns."""
    problems = pyarrow.array([_problem(row, len(order), one.encoding) for row in rows], pyarrow.string())
    fits = problems.is_null().to_pylist()
    fields = [[row[p] for p in order] if fit else None for row, fit in zip(rows, fits, strict=True)]
    count = len(known.columns)
    wanted = [tuple(row[place] if row else None for row in fields) for place in range(count)]
    others = [own[count:] if own else [_legible(field) for field in row] for row, own in zip(rows, fields, strict=True)]
    as_received = pyarrow.array(fields, _LISTS) if rewrite else pyarrow.nulls(len(rows), _LISTS)
    return _arrow(one, done, problems, wanted, pyarrow.array(others, _LISTS), as_received, known, rewrite)


def _arrow(
    one: Received,
    done: int,
    problems: pyarrow.Array,
    wanted: Sequence[Sequence[str | None]],
    others: pyarrow.Array,
    as_received: pyarrow.Array,
    known: Format,
    rewrite: _Rewriters,
) -> pyarrow.RecordBatch:
    count = len(problems)
    plain = [_rewritten(values, rewrite.get(name)) for name, values in zip(known.columns, wanted, strict=True)]
    arrays = [
        pyarrow.array([one.input_id] * count, pyarrow.string()),
        pyarrow.array(numpy.arange(done + 1, done + count + 1, dtype=numpy.int64)),
        problems,
        *map(_text_array, plain),
        others,
        as_received,
    ]
    names = ["input_id", "row_number", "problem", *known.columns, "others", "as_received"]
    return pyarrow.RecordBatch.from_arrays(arrays, names)


def _rewritten(values: Sequence[str | None], rewrite: Callable[[str], str] | None) -> Sequence[str | None]:
    return [value and rewrite(value) for value in values] if rewrite else values


def _problem(row: list[str], width: int, encoding: str) -> str | None:
    if isinstance(row, Unreadable):
        return UNREADABLE
    if len(row) != width:
        return MISFIT
    if is_legible(row):
        return None
    return ILLEGIBLE if encoding == "utf-8" else NO_TEXT


def _legible(field: str) -> str:
    return field.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _lists_of_equal_length(columns: Sequence[Sequence[str]], count: int) -> pyarrow.Array:
    fields = pyarrow.array(list(chain.from_iterable(zip(*columns, strict=True))), pyarrow.string())
    offsets = numpy.arange(count + 1, dtype=numpy.int32) * len(columns)
    return pyarrow.ListArray.from_arrays(pyarrow.array(offsets), fields)


def _text_array(values: Sequence[str | None]) -> pyarrow.Array:
    """Text in NFC: the same name typed on two systems is the same name."""
    array = pyarrow.array(values, pyarrow.string())
    if pyarrow.compute.all(pyarrow.compute.string_is_ascii(array)).as_py() is False:
        return pyarrow.compute.utf8_normalize(array, form="NFC")
    return array
