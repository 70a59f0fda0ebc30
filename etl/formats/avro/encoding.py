"""The Avro binary encoding of values."""

from collections.abc import Iterator, Mapping
from typing import Any

from etl.formats.avro.schemas import MIN_PRIMITIVE_BYTES, get_branch_types, strip_namespace


def encode_long(value: int) -> bytes:
    """Return a number of at least 0 as a zigzag number of variable length."""
    # Zigzag maps n >= 0 to 2n, which is a shift.
    content, remaining = bytearray(), value << 1
    while remaining > 0x7F:
        content.append((remaining & 0x7F) | 0x80)
        remaining >>= 7
    return bytes([*content, remaining])


def encode_default_record(schema: Mapping[str, Any], name: str, text: str) -> bytes:
    """Return a record whose numbers are 0 and texts empty, except one field.

    :param schema: one that ``schemas.compute_min_bytes`` accepts.
    :param name: the name of a text field; ``text`` is its value.
    :raises ValueError: if the field cannot have text.
    """
    named_types = dict(_iterate_named_types(schema))
    return b"".join(
        _encode_text(field["type"], text) if field["name"] == name else _encode_default(field["type"], named_types)
        for field in schema["fields"]
    )


def _encode_text(avro_type: Any, text: str) -> bytes:
    kinds = get_branch_types(avro_type)
    if "string" not in kinds:
        raise ValueError("its values are no texts")
    branch_index = encode_long(kinds.index("string")) if isinstance(avro_type, list) else b""
    return branch_index + encode_long(len(text.encode())) + text.encode()


def _encode_default(avro_type: Any, named_types: dict[str, Any]) -> bytes:
    if isinstance(avro_type, list):
        return encode_long(0) + _encode_default(avro_type[0], named_types)
    if isinstance(avro_type, str):
        return (
            _encode_default_primitive(avro_type)
            if avro_type in MIN_PRIMITIVE_BYTES
            else _encode_default(named_types[strip_namespace(avro_type)], named_types)
        )
    if avro_type["type"] == "record":
        return b"".join(_encode_default(field["type"], named_types) for field in avro_type["fields"])
    if avro_type["type"] in ("enum", "array", "map"):
        return encode_long(0)
    return bytes(avro_type["size"]) if avro_type["type"] == "fixed" else _encode_default(avro_type["type"], named_types)


def _encode_default_primitive(kind: str) -> bytes:
    return bytes(MIN_PRIMITIVE_BYTES[kind])


def _iterate_named_types(avro_type: Any) -> Iterator[tuple[str, Any]]:
    """Yield the named types of a schema, at any depth."""
    if isinstance(avro_type, list):
        for branch in avro_type:
            yield from _iterate_named_types(branch)
    elif isinstance(avro_type, Mapping):
        if avro_type.get("type") in ("record", "enum", "fixed"):
            yield strip_namespace(avro_type["name"]), avro_type
        kinds = [avro_type.get(kind) for kind in ("type", "items", "values")]
        yield from _iterate_named_types([*kinds, *(field["type"] for field in avro_type.get("fields", ()))])
