"""Single values of an Avro schema: written as container files, and converted to another schema."""

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from typing import Any

import fastavro

from etl.formats.avro.blocks import describe_error, encode_block
from etl.formats.avro.container_files import encode_header
from etl.formats.avro.schemas import remove_logical_types

_CODEC = "snappy"
_BLOCK_VALUES = 4_000
_MARKER_BYTES = 16


class UnconvertibleError(ValueError):
    """A value that another schema cannot represent; the message says why."""


class ValueConverter:
    """A converter of values of one schema to another one, by Avro's rules of schema resolution."""

    def __init__(self, schema: dict[str, Any], target: dict[str, Any]) -> None:
        # Without logical types, a number that no calendar has stays as it is.
        self._schema = fastavro.parse_schema(remove_logical_types(schema))
        self._target = fastavro.parse_schema(remove_logical_types(target))

    def convert(self, value: bytes) -> bytes:
        """Return a value as the target schema writes it.

        :raises UnconvertibleError: if the target schema cannot represent it.
        """
        try:
            record = fastavro.schemaless_reader(BytesIO(value), self._schema, self._target)
            converted = BytesIO()
            fastavro.schemaless_writer(converted, self._target, record)
        except MemoryError:
            raise
        except Exception as error:  # The errors of fastavro have no common class.
            raise UnconvertibleError(describe_error(error)) from error
        return converted.getvalue()


def encode_datum_file(values: Sequence[bytes], schema: dict[str, Any], metadata: Mapping[str, str]) -> Iterator[bytes]:
    """Yield the bytes of a container file with valid values of a schema.

    :param metadata: further entries of the file's header.
    """
    marker = secrets.token_bytes(_MARKER_BYTES)
    yield encode_header(json.dumps(schema), _CODEC, marker, metadata)
    for start in range(0, len(values), _BLOCK_VALUES):
        block_values = values[start : start + _BLOCK_VALUES]
        yield encode_block(b"".join(block_values), len(block_values), _CODEC, marker)
