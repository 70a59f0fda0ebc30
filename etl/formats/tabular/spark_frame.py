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
from etl.formats.kaggle.file_formats import FileFormat, find_column_indexes
from etl.formats.tabular.inspection import build_rewriters
from etl.formats.tabular.layout import Layout
from etl.formats.tabular.quoting import UnparsableRecord
from etl.formats.tabular.records import is_legible, read_records
from etl.storage.inputs import ReceivedInput

BATCH_ROWS = 10_000

WRONG_FIELD_COUNT = "row has more or fewer fields than the header"
"""The ``problem`` of a row whose number of fields differs from the header's."""
NOT_UTF8 = "row has bytes that are no UTF-8"
"""The ``problem`` of a row in another encoding than its file, which is UTF-8."""
NOT_DECODABLE = "row has bytes that are no text in the encoding of the file"
"""The ``problem`` of a row with bytes that the file's legacy encoding cannot decode."""
UNPARSABLE_QUOTES = "row has quotation marks that do not tell where its fields end"
"""The ``problem`` of a row that cannot be split into fields by its quotation marks."""

_STRINGS = ArrayType(StringType(), containsNull=False)
_LISTS = pyarrow.list_(pyarrow.string())
_Rewriters = dict[str, Callable[[str], str]]


def read_rows(spark: SparkSession, received: Sequence[ReceivedInput], file_format: FileFormat) -> DataFrame:
    """Read all rows of some inputs of one format as text, one input a task.

    :returns: a frame with

        - input_id, row_number (the first row below the header is 1),
        - a string column for each of the format's columns, under the format's own name, in NFC,
        - others: array<string>, the fields of all further columns,
        - header: array<string>, the names in this input's header, the format's columns first (in the format's
          order), then those of ``others``,
        - as_received: array<string>, the fields of ``header`` as in the file, if numbers or dates of the input are
          rewritten; else NULL,
        - problem: NULL, or why the row has no columns; its fields are then in ``others``, in the file's order.
    :raises WrongFileError: on an executor, if an input has changed since it was received.
    """
    inputs = list(received)

    def read_partition(batches: Iterable[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
        for batch in batches:
            for index in batch.column(0).to_pylist():
                yield from read_batches(inputs[index], file_format)

    rows = spark.range(0, len(inputs), 1, max(len(inputs), 1)).mapInArrow(
        read_partition, _build_frame_schema(file_format)
    )
    return rows.withColumn("header", _build_header_column(inputs, file_format))


def _build_header_column(inputs: Sequence[ReceivedInput], file_format: FileFormat) -> Column:
    """Return the names of each input's columns, as constants that Spark evaluates only if the column is selected."""
    headers = [F.lit(None).cast(_STRINGS)]
    for received_input in inputs:
        names = F.array(
            *(F.lit(received_input.columns[index]) for index in _order_columns(received_input.columns, file_format))
        )
        headers.append(F.when(F.col("input_id") == received_input.input_id, names))
    return F.coalesce(*headers)


def _build_frame_schema(file_format: FileFormat) -> StructType:
    return StructType(
        [
            StructField("input_id", StringType()),
            StructField("row_number", LongType()),
            StructField("problem", StringType()),
            *(StructField(name, StringType()) for name in file_format.columns),
            StructField("others", _STRINGS),
            StructField("as_received", _STRINGS),
        ]
    )


def _order_columns(columns: Sequence[str], file_format: FileFormat) -> list[int]:
    """Return the positions in the file's header of the format's columns, then of all others."""
    format_indexes = find_column_indexes(columns, file_format)
    return format_indexes + [index for index in range(len(columns)) if index not in format_indexes]


def get_layout(received: ReceivedInput) -> Layout:
    """Return the layout in the manifest of an input."""
    return Layout(
        received.encoding,
        received.delimiter,
        received.quoting,
        received.shape,
        received.decimal,
        received.dates,  # type: ignore[arg-type]
    )


def read_batches(received_input: ReceivedInput, file_format: FileFormat) -> Iterator[pyarrow.RecordBatch]:
    """Yield the rows of one input in batches with the columns of ``read_rows``, without ``header``.

    :raises WrongFileError: if the number of rows differs from the manifest's.
    """
    layout = get_layout(received_input)
    rewrite = build_rewriters(layout, file_format)
    with fsspec.open(received_input.url, "rb") as content:
        rows = read_records(content, layout)
        order = _order_columns(next(rows, []), file_format)
        row_count = 0
        while batch_rows := list(islice(rows, BATCH_ROWS)):
            yield _build_batch(received_input, row_count, batch_rows, order, file_format, rewrite)
            row_count += len(batch_rows)
    if row_count != received_input.row_count:
        raise WrongFileError(
            f"{received_input.name} ({received_input.url}) has {row_count} rows, but had {received_input.row_count} "
            "when it was received. Files in the lake must not be changed: remove its folder and import the file again."
        )


def _build_batch(
    received_input: ReceivedInput,
    rows_before: int,
    rows: list[list[str]],
    order: list[int],
    file_format: FileFormat,
    rewrite: _Rewriters,
) -> pyarrow.RecordBatch:
    try:
        if all(len(row) == len(order) for row in rows):
            return _build_uniform_batch(received_input, rows_before, rows, order, file_format, rewrite)
    except UnicodeEncodeError:  # A row has undecodable bytes.
        pass
    return _build_mixed_batch(received_input, rows_before, rows, order, file_format, rewrite)


def _build_uniform_batch(
    received_input: ReceivedInput,
    rows_before: int,
    rows: list[list[str]],
    order: list[int],
    file_format: FileFormat,
    rewrite: _Rewriters,
) -> pyarrow.RecordBatch:
    """Return a batch of rows that all have columns."""
    columns = list(zip(*rows, strict=True))
    in_order = [columns[index] for index in order]
    other_fields = _build_list_array(in_order[len(file_format.columns) :], len(rows))
    as_received = _build_list_array(in_order, len(rows)) if rewrite else pyarrow.nulls(len(rows), _LISTS)
    problems = pyarrow.nulls(len(rows), pyarrow.string())
    return _to_record_batch(
        received_input,
        rows_before,
        problems,
        in_order[: len(file_format.columns)],
        other_fields,
        as_received,
        file_format,
        rewrite,
    )


def _build_mixed_batch(
    received_input: ReceivedInput,
    rows_before: int,
    rows: list[list[str]],
    order: list[int],
    file_format: FileFormat,
    rewrite: _Rewriters,
) -> pyarrow.RecordBatch:
    """Return a batch with rows that have no columns."""
    problems = pyarrow.array(
        [_find_problem(row, len(order), received_input.encoding) for row in rows], pyarrow.string()
    )
    are_complete = problems.is_null().to_pylist()
    fields = [
        [row[index] for index in order] if is_complete else None
        for row, is_complete in zip(rows, are_complete, strict=True)
    ]
    count = len(file_format.columns)
    format_values = [tuple(row[index_in_format] if row else None for row in fields) for index_in_format in range(count)]
    other_fields = [
        ordered_fields[count:] if ordered_fields else [_replace_invalid_text(field) for field in row]
        for row, ordered_fields in zip(rows, fields, strict=True)
    ]
    as_received = pyarrow.array(fields, _LISTS) if rewrite else pyarrow.nulls(len(rows), _LISTS)
    return _to_record_batch(
        received_input,
        rows_before,
        problems,
        format_values,
        pyarrow.array(other_fields, _LISTS),
        as_received,
        file_format,
        rewrite,
    )


def _to_record_batch(
    received_input: ReceivedInput,
    rows_before: int,
    problems: pyarrow.Array,
    format_values: Sequence[Sequence[str | None]],
    other_fields: pyarrow.Array,
    as_received: pyarrow.Array,
    file_format: FileFormat,
    rewrite: _Rewriters,
) -> pyarrow.RecordBatch:
    count = len(problems)
    rewritten_values = [
        _rewrite_values(values, rewrite.get(name))
        for name, values in zip(file_format.columns, format_values, strict=True)
    ]
    arrays = [
        pyarrow.array([received_input.input_id] * count, pyarrow.string()),
        pyarrow.array(numpy.arange(rows_before + 1, rows_before + count + 1, dtype=numpy.int64)),
        problems,
        *map(_build_text_array, rewritten_values),
        other_fields,
        as_received,
    ]
    names = ["input_id", "row_number", "problem", *file_format.columns, "others", "as_received"]
    return pyarrow.RecordBatch.from_arrays(arrays, names)


def _rewrite_values(values: Sequence[str | None], rewrite: Callable[[str], str] | None) -> Sequence[str | None]:
    return [value and rewrite(value) for value in values] if rewrite else values


def _find_problem(row: list[str], width: int, encoding: str) -> str | None:
    if isinstance(row, UnparsableRecord):
        return UNPARSABLE_QUOTES
    if len(row) != width:
        return WRONG_FIELD_COUNT
    if is_legible(row):
        return None
    return NOT_UTF8 if encoding == "utf-8" else NOT_DECODABLE


def _replace_invalid_text(field: str) -> str:
    return field.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _build_list_array(columns: Sequence[Sequence[str]], count: int) -> pyarrow.Array:
    fields = pyarrow.array(list(chain.from_iterable(zip(*columns, strict=True))), pyarrow.string())
    offsets = numpy.arange(count + 1, dtype=numpy.int32) * len(columns)
    return pyarrow.ListArray.from_arrays(pyarrow.array(offsets), fields)


def _build_text_array(values: Sequence[str | None]) -> pyarrow.Array:
    """Return text in NFC, so that the same name typed on two systems is equal."""
    array = pyarrow.array(values, pyarrow.string())
    if pyarrow.compute.all(pyarrow.compute.string_is_ascii(array)).as_py() is False:
        return pyarrow.compute.utf8_normalize(array, form="NFC")
    return array
