"""Avro values of a table's rows, encoded by columns: a fraction of the time of an encoder of single records.

Avro has no separators: a record is its fields' values side by side. Each column becomes a column of encoded values, and
Arrow joins the columns row by row.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from etl.formats.avro.encoding import encode_long

_GROUP_BITS = 7
_GROUP_BOUNDS = np.array([1 << _GROUP_BITS * count for count in range(1, 10)], np.uint64)
"""From each of these numbers on, a number takes one byte more."""


def encode_rows(rows: pa.Table, schema: Mapping[str, Any]) -> list[bytes]:
    """Return an Avro value for each row.

    :param rows: the fields of ``schema``; only those that may be null have NULLs.
    :param schema: a record whose fields are texts, numbers, booleans, enums, records, or one of them or null.
    """
    columns = [_encode_column(_to_array(rows[field["name"]]), field["type"]) for field in schema["fields"]]
    values: list[bytes] = _join_columns(columns).to_pylist()
    return values


def _encode_column(column: pa.Array, avro_type: Any) -> pa.Array:
    """Return the encoded values of a column; a NULL stays NULL, except in a union, which encodes it."""
    if isinstance(avro_type, list):
        return _encode_union(column, avro_type)
    kind = avro_type["type"] if isinstance(avro_type, dict) else avro_type
    if kind == "record":
        fields = zip(column.flatten(), avro_type["fields"], strict=True)
        record = _join_columns([_encode_column(values, field["type"]) for values, field in fields])
        return pc.if_else(column.is_valid(), record, pa.scalar(None, pa.binary()))
    if kind == "enum":
        return _take_encoded(pc.index_in(column, pa.array(avro_type["symbols"])), len(avro_type["symbols"]))
    if kind == "string":
        return _join_columns([_encode_longs(pc.binary_length(column)), column.cast(pa.binary())])
    if kind == "boolean":
        return pc.if_else(column, pa.scalar(b"\x01"), pa.scalar(b"\x00"))
    return _encode_numbers(column) if kind in ("float", "double") else _encode_longs(column)


def _encode_union(column: pa.Array, avro_types: list[Any]) -> pa.Array:
    null_branch = avro_types.index("null")
    branch = 1 - null_branch
    encoded = _join_columns([pa.scalar(encode_long(branch)), _encode_column(column, avro_types[branch])])
    return pc.fill_null(encoded, encode_long(null_branch))


def _encode_longs(column: pa.Array) -> pa.Array:
    """Return integers or times as zigzag numbers of variable length: seven bits a byte, the lowest first."""
    integers = column.cast(_INTEGER_TYPES.get(column.type, pa.int64()))
    numbers = pc.fill_null(integers.cast(pa.int64()), 0).to_numpy()
    zigzag = ((numbers << 1) ^ (numbers >> 63)).view(np.uint64)
    sizes = np.searchsorted(_GROUP_BOUNDS, zigzag, side="right") + 1
    places = np.arange(sizes.max(initial=1))
    groups = (zigzag[:, None] >> (places * _GROUP_BITS).astype(np.uint64)).astype(np.uint8) & np.uint8(0x7F)
    groups |= np.where(places < sizes[:, None] - 1, np.uint8(0x80), np.uint8(0))
    encoded = _make_binary_array(sizes, groups[places < sizes[:, None]])
    return encoded if column.null_count == 0 else pc.if_else(column.is_valid(), encoded, pa.scalar(None, pa.binary()))


_INTEGER_TYPES = {pa.timestamp("ms", "UTC"): pa.int64(), pa.date32(): pa.int32()}
"""Times are cast to the integers that they are stored as."""


def _encode_numbers(column: pa.Array) -> pa.Array:
    """Return floating-point numbers as their bytes, the lowest first, which is how Arrow stores them."""
    width = column.type.bit_width // 8
    stored = pa.FixedSizeBinaryArray.from_buffers(pa.binary(width), len(column), column.buffers(), offset=column.offset)
    return stored.cast(pa.binary())


def _take_encoded(indexes: pa.Array, count: int) -> pa.Array:
    """Return the encoded numbers, each below ``count``."""
    return pa.array([encode_long(index) for index in range(count)], pa.binary()).take(indexes)


def _make_binary_array(sizes: npt.NDArray[np.int64], content: npt.NDArray[np.uint8]) -> pa.Array:
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    return pa.BinaryArray.from_buffers(
        pa.binary(), len(sizes), [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(content))]
    )


def _join_columns(columns: list[Any]) -> pa.Array:
    return pc.binary_join_element_wise(*columns, pa.scalar(b""))


def _to_array(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
