"""Ways to break an Avro file."""

import json
from collections.abc import Callable, Mapping
from random import Random

from campaigns.malformed_input.general_breaks import FileBreak, flip_bytes


def _encode_long(value: int) -> bytes:
    """Return a number in Avro's encoding."""
    value, encoded = (value << 1) ^ (value >> 63), bytearray()
    value &= (1 << 64) - 1
    while value > 0x7F:
        encoded.append((value & 0x7F) | 0x80)
        value >>= 7
    return bytes([*encoded, value])


def _make_avro_file(entries: Mapping[bytes, bytes], blocks: bytes) -> bytes:
    """Return an Avro container; ``blocks`` carry the sync marker of ``_split_avro_file``."""
    head = b"".join(_encode_long(len(entry_part)) + entry_part for pair in entries.items() for entry_part in pair)
    return b"Obj\x01" + _encode_long(len(entries)) + head + b"\0" + bytes(range(16)) + blocks


def _split_avro_file(content: bytes) -> tuple[dict[str, object], bytes]:
    """Return the schema and the blocks of a valid file with a known sync marker."""
    marker = bytes(range(16))
    end = content.index(marker)
    begin = content.index(b'{"', 0, end)
    schema, _ = json.JSONDecoder().raw_decode(content[begin:end].decode("utf-8", "ignore"))
    return schema, content[end + len(marker) :]


def _make_header_entries(content: bytes, codec: bytes = b"null") -> dict[bytes, bytes]:
    return {b"avro.schema": json.dumps(_split_avro_file(content)[0]).encode(), b"avro.codec": codec}


def _make_schema_break(change: Callable[[dict[str, object], Random], object]) -> FileBreak:
    def apply_break(content: bytes, rng: Random) -> bytes:
        schema, blocks = _split_avro_file(content)
        changed_schema = change(schema, rng)
        schema_bytes = changed_schema if isinstance(changed_schema, bytes) else json.dumps(changed_schema).encode()
        return _make_avro_file({b"avro.schema": schema_bytes, b"avro.codec": b"null"}, blocks)

    return apply_break


def _make_block_break(change: Callable[[bytes, Random], bytes]) -> FileBreak:
    return lambda content, rng: _make_avro_file(
        _make_header_entries(content), change(_split_avro_file(content)[1], rng)
    )


def _change_fields(schema: dict[str, object], change: Callable[[list[dict[str, object]]], object]) -> dict[str, object]:
    return {**schema, "fields": change([dict(field) for field in schema["fields"]])}  # type: ignore[attr-defined]


def _make_field_break(change: Callable[[list[dict[str, object]]], object]) -> FileBreak:
    return _make_schema_break(lambda schema, rng: _change_fields(schema, change))


_STRING_ARRAY_TYPE = {"type": "array", "items": "string"}
_OTHER_TYPES = ("int", "long", "bytes", "double", "boolean", ["null", "string"], _STRING_ARRAY_TYPE, "nothing")


def _change_types(schema: dict[str, object], rng: Random) -> dict[str, object]:
    def change_some_types(fields: list[dict[str, object]]) -> object:
        return [{**field, "type": rng.choice(_OTHER_TYPES)} if rng.random() < 0.2 else field for field in fields]

    return _change_fields(schema, change_some_types)


def _make_count_break(count: int, shift: int = 0) -> FileBreak:
    """Return a break that changes the number of records in the first block."""

    def change_count(blocks: bytes, rng: Random) -> bytes:
        end = next(index for index, byte in enumerate(blocks) if byte < 0x80) + 1
        return _encode_long(count) + blocks[end:]

    return _make_block_break(change_count)


def _make_codec_break(codec: bytes) -> FileBreak:
    """Return a break that names another codec in the header than that of the blocks."""
    return lambda content, rng: _make_avro_file(_make_header_entries(content, codec), _split_avro_file(content)[1])


def _make_extra_block(count: int, size: int, content: bytes = b"") -> FileBreak:
    """Return a break that appends a block."""
    return _make_block_break(
        lambda blocks, rng: blocks + _encode_long(count) + _encode_long(size) + content + bytes(range(16))
    )


AVRO_BREAKS: dict[str, FileBreak] = {
    "a wrong marker": _make_block_break(
        lambda blocks, chance: blocks.replace(bytes(range(16)), bytes(16), chance.choice((1, 2)))
    ),
    "no blocks": _make_block_break(lambda blocks, chance: b""),
    "a block cut": _make_block_break(lambda blocks, chance: blocks[: chance.randrange(len(blocks))]),
    "a block flipped": _make_block_break(flip_bytes),
    "a block flipped, again": _make_block_break(flip_bytes),
    "a block of noise": _make_extra_block(5, 40, bytes(range(100, 140))),
    "a block without records": _make_extra_block(0, 0),
    "records without bytes": _make_extra_block(9, 0),
    "a block of negative count": _make_extra_block(-3, 0),
    "a block of negative size": _make_extra_block(1, -8),
    "a block of endless size": _make_extra_block(1, 2**62),
    "a block of endless count": _make_extra_block(2**62, 0),
    "too many counted": _make_count_break(2**40),
    "some more counted": _make_count_break(500),
    "too few counted": _make_count_break(1),
    "a number without an end": _make_block_break(lambda blocks, chance: blocks + b"\xff" * 40),
    "codec unknown": _make_codec_break(b"lzma9"),
    "codec no text": _make_codec_break(b"\xff\xfe"),
    "codec wrong": _make_codec_break(b"deflate"),
    "codec wrong, snappy": _make_codec_break(b"snappy"),
    "codec wrong, zstandard": _make_codec_break(b"zstandard"),
    "no schema": lambda content, chance: _make_avro_file({b"avro.codec": b"null"}, _split_avro_file(content)[1]),
    "no codec": lambda content, chance: _make_avro_file(
        {b"avro.schema": _make_header_entries(content)[b"avro.schema"]}, _split_avro_file(content)[1]
    ),
    "schema empty": _make_schema_break(lambda schema, chance: b""),
    "schema no JSON": _make_schema_break(lambda schema, chance: b'{"type": '),
    "schema no UTF-8": _make_schema_break(
        lambda schema, chance: json.dumps(schema).encode().replace(b"userId", b"user\xff\xfe")
    ),
    "schema very deep": _make_schema_break(lambda schema, chance: b"[" * 100_000),
    "schema a text": _make_schema_break(lambda schema, chance: "string"),
    "schema a list": _make_schema_break(lambda schema, chance: [schema, "null"]),
    "schema of another name": _make_schema_break(lambda schema, chance: {**schema, "name": "Other"}),
    "schema without fields": _make_schema_break(
        lambda schema, chance: {name: value for name, value in schema.items() if name != "fields"}
    ),
    "schema's fields no list": _make_schema_break(lambda schema, chance: {**schema, "fields": "userId"}),
    "schema's fields no objects": _make_field_break(lambda fields: [field["name"] for field in fields]),
    "schema's fields without names": _make_field_break(lambda fields: [*fields, {"type": "string"}]),
    "schema's fields without types": _make_field_break(lambda fields: [{"name": field["name"]} for field in fields]),
    "schema's fields gone": _make_schema_break(
        lambda schema, chance: _change_fields(schema, lambda fields: fields[chance.randrange(1, 5) :])
    ),
    "schema's fields twice": _make_field_break(lambda fields: fields + fields),
    "schema's fields in another order": _make_field_break(lambda fields: fields[::-1]),
    "schema's fields of odd names": _make_field_break(lambda fields: [*fields, {"name": "a b; drop", "type": "null"}]),
    "schema's types other": _make_schema_break(_change_types),
    "schema's types other, again": _make_schema_break(_change_types),
    "schema an enum": _make_schema_break(
        lambda schema, chance: {"type": "enum", "name": schema["name"], "symbols": []}
    ),
    "a header without an end": lambda content, chance: b"Obj\x01" + _encode_long(2**40) + b"\x02a\x02b" * 50,
    "a header of negative count": lambda content, chance: b"Obj\x01" + _encode_long(-2) + _encode_long(9) + content[5:],
    "a header's key of endless size": lambda content, chance: b"Obj\x01\x02" + _encode_long(2**62) + b"avro.schema",
    "a header's value of endless size": lambda content, chance: (
        b"Obj\x01\x02\x16avro.schema" + _encode_long(2**40) + b"{}"
    ),
    "a header's key of negative size": lambda content, chance: b"Obj\x01\x02" + _encode_long(-5) + b"avro.schema",
    "another version": lambda content, chance: b"Obj\x02" + content[4:],
    "an Avro message": lambda content, chance: b"\xc3\x01" + content[4:],
    "Parquet": lambda content, chance: b"PAR1" + content + b"PAR1",
}
