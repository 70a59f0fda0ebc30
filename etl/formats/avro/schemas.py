"""Validation of Avro schemas, and the smallest size of their values.

A hostile file can represent any number of values with a few bytes: if values take no bytes, or contain values without
end, readers loop for ever or crash.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MIN_PRIMITIVE_BYTES = {"null": 0, "boolean": 1, "int": 1, "long": 1, "bytes": 1, "string": 1, "float": 4, "double": 8}
"""The fewest bytes of a value: int and long have a variable length, bytes and string begin with their length."""
_NAME = re.compile(r"([A-Za-z_][A-Za-z0-9_]*\.)*[A-Za-z_][A-Za-z0-9_]*")
_MAX_DEPTH = 64
_MAX_VALUES = 10_000
_MAX_FIXED_BYTES = 1 << 16


class UnfitSchemaError(ValueError):
    """An invalid schema; the message says why."""


@dataclass(frozen=True)
class _Size:
    """The fewest bytes of a value, and the largest number of values in it, without further items of lists."""

    bytes: int
    values: int = 1


def compute_min_bytes(schema: Any) -> int:
    """Return the fewest bytes that a value of a schema takes.

    :param schema: parsed JSON.
    :raises UnfitSchemaError: if it has a list whose items may take no bytes, references a type before its definition,
        has an invalid or a duplicate name, or is too deep or too large.
    """
    _check_depth(schema)
    return _compute_size(schema, {}).bytes


def get_branch_types(avro_type: Any) -> list[str]:
    """Return the type of each branch of a union, or the one type of anything else; a named type is its name."""
    return [_get_type_name(branch) for branch in (avro_type if isinstance(avro_type, list) else [avro_type])]


def remove_logical_types(schema: Any, types: tuple[str, ...] | None = None) -> Any:
    """Return a schema without logical types, by which values are read as they are written.

    :param types: the types that lose their logical type; None for all.
    """
    if isinstance(schema, list):
        return [remove_logical_types(branch, types) for branch in schema]
    if not isinstance(schema, Mapping):
        return schema
    is_removed = types is None or schema.get("type") in types
    return {
        name: value if name in ("default", "doc") else remove_logical_types(value, types)
        for name, value in schema.items()
        if not (is_removed and name == "logicalType")
    }


def _get_type_name(avro_type: Any) -> str:
    while isinstance(avro_type, Mapping):
        avro_type = avro_type.get("type")
    return str(avro_type)


def _check_depth(schema: Any) -> None:
    pending = [(schema, 1)]
    while pending:
        avro_type, depth = pending.pop()
        if depth > _MAX_DEPTH:
            raise UnfitSchemaError(f"it is deeper than {_MAX_DEPTH} levels")
        inner_types = (
            avro_type.values() if isinstance(avro_type, dict) else avro_type if isinstance(avro_type, list) else ()
        )
        pending += [(inner_type, depth + 1) for inner_type in inner_types]


def _compute_size(avro_type: Any, named_sizes: dict[str, _Size]) -> _Size:
    if isinstance(avro_type, list):
        return _compute_union_size(avro_type, named_sizes)
    if isinstance(avro_type, str):
        return _get_named_size(avro_type, named_sizes)
    if not isinstance(avro_type, Mapping):
        raise UnfitSchemaError(f"{str(avro_type)[:40]!r} is no type")
    size = _compute_complex_size(avro_type, named_sizes)
    if size.values > _MAX_VALUES:
        raise UnfitSchemaError(f"a value has more than {_MAX_VALUES} values in it")
    if avro_type.get("type") in ("record", "enum", "fixed"):
        name = strip_namespace(_get_valid_name(avro_type))
        if name in named_sizes:
            raise UnfitSchemaError(f"two types are called {name}")
        named_sizes[name] = size
    return size


def _compute_union_size(branches: list[Any], named_sizes: dict[str, _Size]) -> _Size:
    if not branches or any(isinstance(branch, list) for branch in branches):
        raise UnfitSchemaError("a union has no types, or a union in it")
    sizes = [_compute_size(branch, named_sizes) for branch in branches]
    return _Size(1 + min(size.bytes for size in sizes), 1 + sum(size.values for size in sizes))


def _get_named_size(type_name: str, named_sizes: dict[str, _Size]) -> _Size:
    if type_name in MIN_PRIMITIVE_BYTES:
        return _Size(MIN_PRIMITIVE_BYTES[type_name])
    if strip_namespace(type_name) not in named_sizes:
        raise UnfitSchemaError(f"the type {type_name[:40]!r} is not told before it is named")
    return named_sizes[strip_namespace(type_name)]


def _compute_complex_size(avro_type: Mapping[str, Any], named_sizes: dict[str, _Size]) -> _Size:
    kind = avro_type.get("type")
    if kind == "record":
        sizes = [_compute_size(field.get("type"), named_sizes) for field in _iterate_fields(avro_type)]
        return _Size(sum(field_size.bytes for field_size in sizes), 1 + sum(field_size.values for field_size in sizes))
    if kind == "array":
        items = _compute_size(avro_type.get("items"), named_sizes)
        if not items.bytes:
            raise UnfitSchemaError("items of a list may take no bytes, and so be there any number of times")
        return _Size(1, 1 + items.values)
    if kind == "map":  # Its items have keys, which take at least one byte each.
        return _Size(1, 1 + _compute_size(avro_type.get("values"), named_sizes).values)
    if kind == "fixed":
        size = avro_type.get("size")
        if type(size) is not int or not 0 <= size <= _MAX_FIXED_BYTES:
            raise UnfitSchemaError(f"a type has the fixed size {str(size)[:40]}")
        return _Size(size)
    return _Size(1) if kind == "enum" else _compute_size(kind, named_sizes)


def _iterate_fields(record_type: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    fields, names = record_type.get("fields"), set()
    if not isinstance(fields, list):
        raise UnfitSchemaError("a record has no list of fields")
    for field in fields:
        if not isinstance(field, Mapping) or _get_valid_name(field) in names:
            raise UnfitSchemaError("a record has two fields of one name, or a field that is none")
        names.add(_get_valid_name(field))
        yield field


def _get_valid_name(avro_type: Mapping[str, Any]) -> str:
    name = avro_type.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise UnfitSchemaError(f"{str(name)[:40]!a} is no name")
    return name


def strip_namespace(name: str) -> str:
    """Return a type's name without its namespace."""
    return name.rpartition(".")[2]
