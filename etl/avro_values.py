"""Values of an Avro schema: how few bytes they can take, and the plainest one.

What takes no bytes can be there any number of times within a few bytes: who reads it comes to no end.
"""

from collections.abc import Iterator, Mapping
from typing import Any

_LEAST = {"null": 0, "float": 4, "double": 8}
_PLAINEST = {
    "null": b"",
    **dict.fromkeys(("boolean", "int", "long", "bytes", "string", "enum", "array", "map"), b"\0"),
    "float": bytes(4),
    "double": bytes(8),
}
_AT_LEAST_A_BYTE = 1
"""Numbers of variable length, lengths of texts, the end of a list, the place of a union's value."""


class NoBytesError(ValueError):
    """Items of a list take no bytes."""


def least_bytes(schema: Any) -> int:
    """The fewest bytes that a value of a schema takes, which is as JSON tells it.

    :raises NoBytesError: where it has a list whose items may take none.
    """
    return _least(schema, {})


def plainest_record(schema: Mapping[str, Any], name: str, text: str) -> bytes:
    """What a record is written as whose numbers are 0 and texts empty, but for one field.

    :param name: of a field of texts; ``text`` is its value.
    :raises ValueError: where it may be no text, or where the schema names a type that it does not tell.
    """
    named = dict(_named(schema))
    return b"".join(
        _text(one["type"], text) if one["name"] == name else _plainest(one["type"], named) for one in schema["fields"]
    )


def as_long(value: int) -> bytes:
    """What a number that is not negative is written as: zigzag, of variable length."""
    content, rest = bytearray(), value << 1
    while rest > 0x7F:
        content.append((rest & 0x7F) | 0x80)
        rest >>= 7
    return bytes([*content, rest])


def _text(told: Any, text: str) -> bytes:
    kinds = [
        one.get("type") if isinstance(one, Mapping) else one for one in (told if isinstance(told, list) else [told])
    ]
    place = as_long(kinds.index("string")) if isinstance(told, list) else b""
    if "string" not in kinds:
        raise ValueError("its values are no texts")
    return place + as_long(len(text.encode())) + text.encode()


def _plainest(told: Any, named: dict[str, Any]) -> bytes:
    if isinstance(told, list):
        return as_long(0) + _plainest(told[0], named)
    if isinstance(told, str):
        if told not in _PLAINEST and _plain(told) not in named:
            raise ValueError(f"the type {told[:40]!r} is not told")
        return _PLAINEST[told] if told in _PLAINEST else _plainest(named[_plain(told)], named)
    if told["type"] == "record":
        return b"".join(_plainest(one["type"], named) for one in told["fields"])
    return bytes(told["size"]) if told["type"] == "fixed" else _plainest(told["type"], named)


def _named(told: Any) -> Iterator[tuple[str, Any]]:
    """The types that have a name, wherever they are told."""
    if isinstance(told, list):
        for one in told:
            yield from _named(one)
    elif isinstance(told, Mapping):
        if isinstance(told.get("name"), str):
            yield _plain(told["name"]), told
        kinds = [told.get(kind) for kind in ("type", "items", "values")]
        yield from _named([*kinds, *(one.get("type") for one in told.get("fields", ()))])


def _least(told: Any, named: dict[str, int]) -> int:
    if isinstance(told, list):
        return _AT_LEAST_A_BYTE + min((_least(one, named) for one in told), default=0)
    if isinstance(told, str):
        # A type that is named within itself has a list or a union in between, and so takes a byte.
        return _LEAST.get(told, named.get(_plain(told), _AT_LEAST_A_BYTE))
    if not isinstance(told, Mapping):
        return 0
    size = _of_object(told, named)
    if isinstance(told.get("name"), str):
        named[_plain(told["name"])] = min(size, named.get(_plain(told["name"]), size))
    return size


def _of_object(told: Mapping[str, Any], named: dict[str, int]) -> int:
    kind = told.get("type")
    if kind == "record":
        fields = told.get("fields")
        return sum(_least(one.get("type"), named) for one in fields if isinstance(one, Mapping)) if fields else 0
    if kind == "array":
        if not _least(told.get("items"), named):
            raise NoBytesError
        return _AT_LEAST_A_BYTE
    if kind == "map":  # its items have keys, which take a byte each
        _least(told.get("values"), named)
        return _AT_LEAST_A_BYTE
    if kind == "fixed":
        return size if isinstance(size := told.get("size"), int) else 0
    return _AT_LEAST_A_BYTE if kind == "enum" else _least(kind, named)


def _plain(name: str) -> str:
    return name.rpartition(".")[2]
