"""Schemas of Avro: which are fit to be read by, and how few bytes their values can take.

A few bytes of a hostile file can stand for any number of values, where these take no bytes, or for values in values
without an end, at which readers never end or break down.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

PRIMITIVE_BYTES = {"null": 0, "boolean": 1, "int": 1, "long": 1, "bytes": 1, "string": 1, "float": 4, "double": 8}
"""The fewest: numbers are of variable length, texts begin with theirs."""
_NAME = re.compile(r"([A-Za-z_][A-Za-z0-9_]*\.)*[A-Za-z_][A-Za-z0-9_]*")
_DEEPEST = 64
_MOST_VALUES = 10_000
_LARGEST_FIXED = 1 << 16


class UnfitSchemaError(ValueError):
    """What is wrong with a schema, in words."""


@dataclass(frozen=True)
class _Size:
    """The fewest bytes that a value takes, and how many values are in it at most, without items of lists."""

    bytes: int
    values: int = 1


def least_bytes(schema: Any) -> int:
    """The fewest bytes that a value of a schema takes, which is as JSON tells it.

    :raises UnfitSchemaError: where it has a list whose items may take none, names a type that is not told before, has a
        name that is none or twice there, or is too deep or too large.
    """
    _check_depth(schema)
    return _size(schema, {}).bytes


def branches(told: Any) -> list[str]:
    """The kinds of type that a value may have, one where it is no union; a type's name where it is told elsewhere."""
    return [_kind(one) for one in (told if isinstance(told, list) else [told])]


def without_logical_types(schema: Any, of: tuple[str, ...] | None = None) -> Any:
    """A schema by which values are read as they are written.

    :param of: the kinds of type that lose their logical type; None: all.
    """
    if isinstance(schema, list):
        return [without_logical_types(one, of) for one in schema]
    if not isinstance(schema, Mapping):
        return schema
    is_lost = of is None or schema.get("type") in of
    return {
        name: value if name in ("default", "doc") else without_logical_types(value, of)
        for name, value in schema.items()
        if not (is_lost and name == "logicalType")
    }


def _kind(told: Any) -> str:
    while isinstance(told, Mapping):
        told = told.get("type")
    return str(told)


def _check_depth(schema: Any) -> None:
    left = [(schema, 1)]
    while left:
        told, depth = left.pop()
        if depth > _DEEPEST:
            raise UnfitSchemaError(f"it is deeper than {_DEEPEST} levels")
        inner = told.values() if isinstance(told, dict) else told if isinstance(told, list) else ()
        left += [(one, depth + 1) for one in inner]


def _size(told: Any, named: dict[str, _Size]) -> _Size:
    if isinstance(told, list):
        return _of_union(told, named)
    if isinstance(told, str):
        return _of_name(told, named)
    if not isinstance(told, Mapping):
        raise UnfitSchemaError(f"{str(told)[:40]!r} is no type")
    size = _of_object(told, named)
    if size.values > _MOST_VALUES:
        raise UnfitSchemaError(f"a value has more than {_MOST_VALUES} values in it")
    if told.get("type") in ("record", "enum", "fixed"):
        name = plain(_name(told))
        if name in named:
            raise UnfitSchemaError(f"two types are called {name}")
        named[name] = size
    return size


def _of_union(told: list[Any], named: dict[str, _Size]) -> _Size:
    if not told or any(isinstance(one, list) for one in told):
        raise UnfitSchemaError("a union has no types, or a union in it")
    sizes = [_size(one, named) for one in told]
    return _Size(1 + min(one.bytes for one in sizes), 1 + sum(one.values for one in sizes))


def _of_name(told: str, named: dict[str, _Size]) -> _Size:
    if told in PRIMITIVE_BYTES:
        return _Size(PRIMITIVE_BYTES[told])
    if plain(told) not in named:
        raise UnfitSchemaError(f"the type {told[:40]!r} is not told before it is named")
    return named[plain(told)]


def _of_object(told: Mapping[str, Any], named: dict[str, _Size]) -> _Size:
    kind = told.get("type")
    if kind == "record":
        sizes = [_size(one.get("type"), named) for one in _fields(told)]
        return _Size(sum(one.bytes for one in sizes), 1 + sum(one.values for one in sizes))
    if kind == "array":
        items = _size(told.get("items"), named)
        if not items.bytes:
            raise UnfitSchemaError("items of a list may take no bytes, and so be there any number of times")
        return _Size(1, 1 + items.values)
    if kind == "map":  # its items have keys, which take a byte each
        return _Size(1, 1 + _size(told.get("values"), named).values)
    if kind == "fixed":
        size = told.get("size")
        if type(size) is not int or not 0 <= size <= _LARGEST_FIXED:
            raise UnfitSchemaError(f"a type has the fixed size {str(size)[:40]}")
        return _Size(size)
    return _Size(1) if kind == "enum" else _size(kind, named)


def _fields(told: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    fields, names = told.get("fields"), set()
    if not isinstance(fields, list):
        raise UnfitSchemaError("a record has no list of fields")
    for one in fields:
        if not isinstance(one, Mapping) or _name(one) in names:
            raise UnfitSchemaError("a record has two fields of one name, or a field that is none")
        names.add(_name(one))
        yield one


def _name(told: Mapping[str, Any]) -> str:
    name = told.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise UnfitSchemaError(f"{str(name)[:40]!a} is no name")
    return name


def plain(name: str) -> str:
    """A type's name without its namespace."""
    return name.rpartition(".")[2]
