"""What values of Avro are written as."""

from collections.abc import Iterator, Mapping
from typing import Any

from etl.avro.schemas import PRIMITIVE_BYTES, branches, plain


def as_long(value: int) -> bytes:
    """A number that is not negative: zigzag, of variable length."""
    content, rest = bytearray(), value << 1
    while rest > 0x7F:
        content.append((rest & 0x7F) | 0x80)
        rest >>= 7
    return bytes([*content, rest])


def plainest_record(schema: Mapping[str, Any], name: str, text: str) -> bytes:
    """A record whose numbers are 0 and texts empty, but for one field.

    :param schema: one that ``least_bytes`` finds fit.
    :param name: of a field of texts; ``text`` is its value.
    :raises ValueError: where it may be no text.
    """
    named = dict(_named(schema))
    return b"".join(
        _text(one["type"], text) if one["name"] == name else _plainest(one["type"], named) for one in schema["fields"]
    )


def _text(told: Any, text: str) -> bytes:
    kinds = branches(told)
    if "string" not in kinds:
        raise ValueError("its values are no texts")
    place = as_long(kinds.index("string")) if isinstance(told, list) else b""
    return place + as_long(len(text.encode())) + text.encode()


def _plainest(told: Any, named: dict[str, Any]) -> bytes:
    if isinstance(told, list):
        return as_long(0) + _plainest(told[0], named)
    if isinstance(told, str):
        return _of_kind(told) if told in PRIMITIVE_BYTES else _plainest(named[plain(told)], named)
    if told["type"] == "record":
        return b"".join(_plainest(one["type"], named) for one in told["fields"])
    if told["type"] in ("enum", "array", "map"):
        return as_long(0)
    return bytes(told["size"]) if told["type"] == "fixed" else _plainest(told["type"], named)


def _of_kind(kind: str) -> bytes:
    return bytes(PRIMITIVE_BYTES[kind])


def _named(told: Any) -> Iterator[tuple[str, Any]]:
    """The types that have a name, wherever they are told."""
    if isinstance(told, list):
        for one in told:
            yield from _named(one)
    elif isinstance(told, Mapping):
        if told.get("type") in ("record", "enum", "fixed"):
            yield plain(told["name"]), told
        kinds = [told.get(kind) for kind in ("type", "items", "values")]
        yield from _named([*kinds, *(one["type"] for one in told.get("fields", ()))])
