"""The messages of the topic of events: plain Avro values whose header ``schema_version`` names the contract's version.

With a schema registry, values in the Confluent wire format are read, too. The two formats cannot be confused: a plain
value that begins with a zero byte has an empty user id, which no event may have.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl.formats.avro.datum_files import UnconvertibleError, ValueConverter
from etl.formats.avro.datums import DecodedValues, ValueDecoder
from etl.formats.contracts.avro import LATEST_CONTRACT, load_contract
from etl.streams.schema_registry import (
    PREFIX_BYTES,
    UNLIMITED_SCHEMAS,
    UnknownSchemaError,
    fetch_schema,
    read_schema_id,
)

SCHEMA_VERSION_HEADER = "schema_version"
SCHEMA_VERSION = "2"
"""The version of the contract that the product writes."""

_CONTRACTS = {"1": "user_activity_1", "2": "user_activity_2"}

MESSAGE_SCHEMA = pa.schema(
    [
        pa.field("partition", pa.int32()),
        pa.field("offset", pa.int64()),
        pa.field("timestamp", pa.timestamp("us", "UTC")),
        pa.field("value", pa.binary()),
        pa.field("schema_version", pa.string()),
    ]
)
"""The columns of messages; ``timestamp`` is the broker's, ``schema_version`` the header of that name."""


@dataclass(frozen=True)
class RegistryAddress:
    """The URL of a schema registry, and ``user:password`` or an empty text.

    ``before_request`` is called before each look-up of a schema in a batch: each may take seconds.
    """

    url: str
    user_info: str = field(repr=False)
    before_request: Callable[[], None] | None = field(default=None, repr=False, compare=False)


def decode_messages(
    messages: pa.Table, fields: tuple[str, ...], registry: RegistryAddress | None = None
) -> DecodedValues:
    """Decode the values of messages into rows of the contract ``user_activity_2``.

    :param messages: the columns of ``MESSAGE_SCHEMA``.
    :param fields: the names of the contract's fields to read.
    :param registry: where the schemas of values in the Confluent wire format are; None if there are no such values.
    :returns: the rows, and for each message the reason why it is not among them.
    :raises EtlError: if the registry does not respond.
    """
    values = pa.concat_arrays([pa.array([], pa.binary()), *messages["value"].chunks])
    versions = pc.unique(messages["schema_version"]).to_pylist()
    if registry is None and not values.null_count and len(versions) == 1 and versions[0] in _CONTRACTS:
        return _get_contract_decoder(versions[0], fields).decode(values)
    indexes_by_schema: dict[tuple[str, str | int], list[int]] = {}
    for index, pair in enumerate(zip(values.to_pylist(), messages["schema_version"].to_pylist(), strict=True)):
        indexes_by_schema.setdefault(_identify_schema(*pair, registry is not None), []).append(index)
    largest_first = sorted(indexes_by_schema, key=lambda schema: -len(indexes_by_schema[schema]))
    ids = [schema for schema in largest_first if schema[0] == "registry" and len(indexes_by_schema[schema]) > 1]
    groups = []
    for schema in largest_first:
        decode = _choose_decode(schema, fields, registry, is_limited=schema not in ids[:UNLIMITED_SCHEMAS])
        indexes = indexes_by_schema[schema]
        groups.append((indexes, decode(values.take(pa.array(indexes)))))
    return _merge_groups(groups) if groups else _reject_values("", fields, values)


def convert_values(
    values: list[bytes], versions: list[str | None], registry: RegistryAddress | None = None
) -> tuple[list[bytes], dict[int, str]]:
    """Return values as plain values of ``SCHEMA_VERSION``.

    :param values: values that ``decode_messages`` can decode; ``versions`` are their headers.
    :param registry: as for ``decode_messages``.
    :returns: the converted values, and the reasons of those that cannot be converted (they are empty), by index.
    """
    if registry is None and versions.count(SCHEMA_VERSION) == len(versions):
        return values, {}
    converted, reasons = list(values), {}
    for index, (value, version) in enumerate(zip(values, versions, strict=True)):
        kind, name = _identify_schema(value, version, registry is not None)
        if (kind, name) == ("contract", SCHEMA_VERSION):
            continue
        is_of_registry = kind == "registry" and registry is not None
        converter = _get_registry_converter(registry, int(name)) if is_of_registry else _get_converter(str(name))
        try:
            converted[index] = converter.convert(value[PREFIX_BYTES:] if is_of_registry else value)
        except UnconvertibleError as error:
            converted[index], reasons[index] = b"", f"the value does not fit the contract ({error})"
    return converted, reasons


def _identify_schema(value: bytes | None, version: str | None, has_registry: bool) -> tuple[str, str | int]:
    """Return how to decode a value: the kind of its schema, and its version, its id or the reason of a rejection."""
    if value is None:
        return "none", "the message has no value"
    if has_registry and (schema_id := read_schema_id(value)) is not None:
        return "registry", schema_id
    if version in _CONTRACTS:
        return "contract", version
    if version is None:
        return "none", f"the message has no header {SCHEMA_VERSION_HEADER}"
    return "none", f"the schema version {version[:40]!r} is not known"


def _choose_decode(
    schema: tuple[str, str | int], fields: tuple[str, ...], registry: RegistryAddress | None, is_limited: bool
) -> Callable[[pa.Array], DecodedValues]:
    kind, name = schema
    if kind == "contract":
        return _get_contract_decoder(str(name), fields).decode
    if kind == "registry" and registry is not None:
        if registry.before_request is not None:
            registry.before_request()
        try:
            fetch_schema(registry.url, registry.user_info, int(name), is_limited)
            return partial(_decode_registry_values, _get_registry_decoder(registry, int(name), fields))
        except ValueError as error:  # An unknown schema, or one without the contract's fields.
            return partial(_reject_values, str(error), fields)
    return partial(_reject_values, str(name), fields)


def _decode_registry_values(decoder: ValueDecoder, values: pa.Array) -> DecodedValues:
    # pyarrow's binary_slice fails for some arrays ("Negative buffer resize").
    return decoder.decode(pa.array([value[PREFIX_BYTES:] for value in values.to_pylist()], pa.binary()))


def _reject_values(reason: str, fields: tuple[str, ...], values: pa.Array) -> DecodedValues:
    no_rows = _get_contract_decoder(SCHEMA_VERSION, fields).decode(values.slice(0, 0)).rows
    return DecodedValues(no_rows, pa.array([reason] * len(values), pa.string()))


def _merge_groups(groups: list[tuple[list[int], DecodedValues]]) -> DecodedValues:
    """Return the decoded groups as one, in the order of the messages.

    :param groups: the indexes of messages, and their decoded values.
    """
    if len(groups) == 1:
        return groups[0][1]
    reasons = pa.concat_arrays([decoded.reasons for _, decoded in groups])
    indexes = np.concatenate([np.array(indexes, np.int64) for indexes, _ in groups])
    row_indexes = indexes[pc.is_null(reasons).to_numpy(zero_copy_only=False)]
    rows = pa.concat_tables(decoded.rows for _, decoded in groups)
    return DecodedValues(rows.take(pa.array(np.argsort(row_indexes))), reasons.take(pa.array(np.argsort(indexes))))


@cache
def _get_contract_decoder(version: str, fields: tuple[str, ...]) -> ValueDecoder:
    return ValueDecoder(load_contract(_CONTRACTS[version]), load_contract(LATEST_CONTRACT["user_activity"]), fields)


@cache
def _get_registry_decoder(registry: RegistryAddress, schema_id: int, fields: tuple[str, ...]) -> ValueDecoder:
    schema = fetch_schema(registry.url, registry.user_info, schema_id)
    contract = load_contract(LATEST_CONTRACT["user_activity"])
    try:
        present_names = {field["name"] for field in schema["fields"]}
        required_names = [field["name"] for field in contract["fields"] if "default" not in field]
        # Its values could be decoded, but not be converted for the landed files.
        if missing_names := [name for name in required_names if name not in present_names]:
            raise UnknownSchemaError(f"the schema {schema_id} lacks {', '.join(missing_names)}")
        return ValueDecoder(schema, contract, fields)
    except UnknownSchemaError:
        raise
    except (ValueError, LookupError, TypeError) as error:
        raise UnknownSchemaError(f"the schema {schema_id} cannot be read ({error})") from error


@cache
def _get_converter(version: str) -> ValueConverter:
    return ValueConverter(load_contract(_CONTRACTS[version]), load_contract(_CONTRACTS[SCHEMA_VERSION]))


@cache
def _get_registry_converter(registry: RegistryAddress, schema_id: int) -> ValueConverter:
    schema = fetch_schema(registry.url, registry.user_info, schema_id)
    return ValueConverter(schema, load_contract(_CONTRACTS[SCHEMA_VERSION]))
