"""Ways to break a file: of any kind, of each kind separately, in its name, or in the kind of its path."""

import gzip
import io
import json
import os
import stat
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random

import pyarrow

FileBreak = Callable[[bytes, Random], bytes]
_BOMB_BYTES = 200 << 20


def break_file(good_content: bytes, format_breaks: Mapping[str, FileBreak], rng: Random) -> tuple[str, bytes]:
    """Return the kind of a break, and the bytes of a file broken in this way."""
    breaks = format_breaks if format_breaks and rng.random() < 0.45 else GENERAL_BREAKS
    kind = rng.choice(list(breaks))
    content = breaks[kind](good_content, rng)
    if rng.random() < 0.1:  # and once more, at random
        content = _flip_bytes(content, rng)
    return kind, content


# Files of any kind


def _flip_bytes(content: bytes, rng: Random) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.choice((1, 1, 3, 20)) if changed else 0):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def _cut_end(content: bytes, rng: Random) -> bytes:
    return content[: rng.randrange(len(content))]


def _choose_span(content: bytes, rng: Random) -> tuple[int, int]:
    begin = rng.randrange(len(content))
    return begin, min(len(content), begin + rng.choice((1, 2, 16, 300, 4_000)))


def _remove_span(content: bytes, rng: Random) -> bytes:
    begin, end = _choose_span(content, rng)
    return content[:begin] + content[end:]


def _repeat_span(content: bytes, rng: Random) -> bytes:
    begin, end = _choose_span(content, rng)
    return content[:end] + content[begin:]


def _zero_span(content: bytes, rng: Random) -> bytes:
    begin, end = _choose_span(content, rng)
    return content[:begin] + bytes(end - begin) + content[end:]


def _insert_noise(content: bytes, rng: Random) -> bytes:
    begin, end = _choose_span(content, rng)
    return content[:begin] + rng.randbytes(end - begin) + content[begin:]


def _mix_line_ends(content: bytes, rng: Random) -> bytes:
    return b"".join(line + rng.choice((b"\n", b"\r\n", b"\r", b"\n\n")) for line in content.split(b"\n"))


def _make_recoder(encoding: str) -> FileBreak:
    def recode_content(content: bytes, rng: Random) -> bytes:
        return content.decode("utf-8", "replace").replace("e", "é", 20).encode(encoding, "replace")

    return recode_content


def make_zip(members: Mapping[str, bytes]) -> bytes:
    """Return the bytes of a zip file."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, inner in members.items():
            archive.writestr(name, inner)
    return content.getvalue()


GENERAL_BREAKS: dict[str, FileBreak] = {
    "cut": _cut_end,
    "cut, again": _cut_end,
    "without its beginning": lambda content, chance: content[chance.randrange(len(content)) :],
    "bytes flipped": _flip_bytes,
    "bytes flipped, again": _flip_bytes,
    "bytes flipped, once more": _flip_bytes,
    "a span gone": _remove_span,
    "a span twice": _repeat_span,
    "a span of zeros": _zero_span,
    "noise within": _insert_noise,
    "noise behind": lambda content, chance: content + chance.randbytes(chance.randrange(1, 100)),
    "noise before": lambda content, chance: chance.randbytes(chance.randrange(1, 100)) + content,
    "noise alone": lambda content, chance: chance.randbytes(chance.randrange(1, 5_000)),
    "zeros": lambda content, chance: bytes(chance.randrange(1, 5_000)),
    "blanks": lambda content, chance: b" \r\n\t" * chance.randrange(1, 50),
    "empty": lambda content, chance: b"",
    "a web page": lambda content, chance: b"<!DOCTYPE html>\n<html><body>Sign in, please</body></html>",
    "an error in JSON": lambda content, chance: b'{"error": {"status": 401, "message": "No token provided"}}',
    "a pointer of Git LFS": lambda content, chance: (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n"
    ),
    "other ends of lines": _mix_line_ends,
    "UTF-16": _make_recoder("utf-16"),
    "UTF-16 without a mark": _make_recoder("utf-16-le"),
    "UTF-32": _make_recoder("utf-32"),
    "Latin 1": _make_recoder("latin-1"),
    "UTF-7": _make_recoder("utf-7"),
    "EBCDIC": _make_recoder("cp500"),
    "a mark before": lambda content, chance: b"\xef\xbb\xbf" + content,
    "two marks before": lambda content, chance: b"\xef\xbb\xbf" * 2 + content,
    "twice": lambda content, chance: content + content,
    "gzip": lambda content, chance: gzip.compress(content, mtime=0),
    "gzip in gzip": lambda content, chance: gzip.compress(gzip.compress(content, mtime=0), mtime=0),
    "gzip, cut": lambda content, chance: _cut_end(gzip.compress(content, mtime=0), chance),
    "gzip, flipped": lambda content, chance: _flip_bytes(gzip.compress(content, mtime=0), chance),
    "gzip and noise": lambda content, chance: gzip.compress(content, mtime=0) + chance.randbytes(30),
    "gzip of zeros": lambda content, chance: _make_gzip_bomb(),
    "zstd": lambda content, chance: pyarrow.Codec("zstd").compress(content, asbytes=True),
    "bzip2": lambda content, chance: b"BZh91AY&SY" + content[:100],
    "zip": lambda content, chance: make_zip({"inner.csv": content}),
    "zip, cut": lambda content, chance: _cut_end(make_zip({"inner.csv": content}), chance),
    "zip, flipped": lambda content, chance: _flip_bytes(make_zip({"inner.csv": content}), chance),
    "zip of zip": lambda content, chance: make_zip({"inner.zip": make_zip({"inner.csv": content})}),
    "zip of two": lambda content, chance: make_zip({"one.csv": content, "two.csv": content}),
    "zip of none": lambda content, chance: make_zip({}),
    "zip of zeros": lambda content, chance: make_zip({"inner.csv": bytes(_BOMB_BYTES)}),
    "zip out of its folder": lambda content, chance: make_zip({"../../inner.json": content}),
    "PDF": lambda content, chance: b"%PDF-1.7\n" + content,
    "a workbook's beginning": lambda content, chance: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + content,
}


def _make_gzip_bomb() -> bytes:
    compressed = io.BytesIO()
    with gzip.GzipFile(fileobj=compressed, mode="wb", mtime=0) as file:
        for _ in range(_BOMB_BYTES >> 20):
            file.write(b"0" * (1 << 20))
    return compressed.getvalue()


# Zip files


def _patch_zip(zip_content: bytes, bytes_by_offset: Mapping[int, bytes], magic: bytes = b"PK\x01\x02") -> bytes:
    """Return a zip file with other bytes in the first entry of its directory."""
    changed, begin = bytearray(zip_content), zip_content.rfind(magic)
    for offset, value in bytes_by_offset.items():
        changed[begin + offset : begin + offset + len(value)] = value
    return bytes(changed)


def _make_zip_patch(bytes_by_offset: Mapping[int, bytes], magic: bytes = b"PK\x01\x02") -> FileBreak:
    return lambda content, rng: _patch_zip(
        make_zip({"Streaming_History_Audio_1.json": content}), bytes_by_offset, magic
    )


def _make_damaged_zip(method: int) -> FileBreak:
    """Return a zip file whose member is compressed by another method, and damaged."""

    def apply_break(content: bytes, rng: Random) -> bytes:
        zip_content = io.BytesIO()
        with zipfile.ZipFile(zip_content, "w", method) as archive:
            archive.writestr("Streaming_History_Audio_1.json", content)
        return _flip_bytes(zip_content.getvalue(), rng)

    return apply_break


_ZIP_BREAKS: dict[str, FileBreak] = {
    "zip, locked": _make_zip_patch({8: b"\x01"}),
    "zip, wrong method": _make_zip_patch({10: b"\x63"}),
    "zip, wrong sum": _make_zip_patch({16: b"\0\0\0\0"}),
    "zip, wrong size": _make_zip_patch({24: b"\x10\0\0\0"}),
    "zip, wrong place": _make_zip_patch({42: b"\xff\xff\0\0"}),
    "zip, wrong name": _make_zip_patch({46: b"\xff\0/.."}),
    "zip, wrong count": _make_zip_patch({8: b"\xff\x7f\xff\x7f"}, b"PK\x05\x06"),
    "zip, wrong directory": _make_zip_patch({16: b"\xff\xff\xff\x7f"}, b"PK\x05\x06"),
    "zip, long directory": _make_zip_patch({12: b"\xff\xff\xff\x7f"}, b"PK\x05\x06"),
    "zip, bzip2 said": _make_zip_patch({10: b"\x0c"}),
    "zip, LZMA said": _make_zip_patch({10: b"\x0e"}),
    "zip, no name": _make_zip_patch({46: b"\0"}),
    "zip, bzip2 flipped": _make_damaged_zip(zipfile.ZIP_BZIP2),
    "zip, LZMA flipped": _make_damaged_zip(zipfile.ZIP_LZMA),
}
"""Zip files with a wrong structure, whatever their content."""


# Tables


def _make_line_break(change: Callable[[list[bytes], Random], list[bytes]]) -> FileBreak:
    return lambda content, rng: b"\n".join(change(content.split(b"\n"), rng))


def _change_header(lines: list[bytes], rng: Random) -> list[bytes]:
    names = lines[0].split(b",")
    for _ in range(rng.choice((1, 1, 5))):
        names[rng.randrange(len(names))] = rng.choice((b"", b"x", names[0], b'"a\nb"', b"\x00", b"=1+1", b"id"))
    return [b",".join(names), *lines[1:]]


def _insert_quote(lines: list[bytes], rng: Random) -> list[bytes]:
    line_index = rng.randrange(len(lines))
    line = lines[line_index]
    position = rng.randrange(len(line) + 1)
    return [*lines[:line_index], line[:position] + b'"' + line[position:], *lines[line_index + 1 :]]


_TABLE_BREAKS: dict[str, FileBreak] = {
    "header alone": _make_line_break(lambda lines, chance: lines[:1]),
    "no header": _make_line_break(lambda lines, chance: lines[1:]),
    "header twice": _make_line_break(lambda lines, chance: [lines[0], *lines]),
    "header wrong": _make_line_break(_change_header),
    "header wrong, again": _make_line_break(_change_header),
    "header cut": _make_line_break(lambda lines, chance: [lines[0][: len(lines[0]) // 2], *lines[1:]]),
    "header of 5,000 columns": _make_line_break(lambda lines, chance: [lines[0] + b",more" * 5_000, *lines[1:]]),
    "a quotation mark": _make_line_break(_insert_quote),
    "a quotation mark, again": _make_line_break(_insert_quote),
    "other delimiters below": _make_line_break(
        lambda lines, chance: [lines[0], *(line.replace(b",", b";") for line in lines[1:])]
    ),
    "one long line": lambda content, chance: content.replace(b"\n", b" "),
    "a field of 20 MB": lambda content, chance: content + b"x" * (20 << 20) + b"\n",
    "lines of commas": lambda content, chance: content + b",,,,,\n" * 100,
    "JSON": lambda content, chance: json.dumps([{"id": 1, "name": "x"}] * 10).encode(),
    "SQL": lambda content, chance: b"insert into tracks values (1, 'a');\n" * 20,
    **_ZIP_BREAKS,
}


# Account exports


def _make_zip_with_link(content: bytes, rng: Random) -> bytes:
    zip_content = io.BytesIO()
    with zipfile.ZipFile(zip_content, "w") as archive:
        entry = zipfile.ZipInfo("Streaming_History_Audio_1.json")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, "/etc/passwd")
    return zip_content.getvalue()


def _make_named_zip(inner: Callable[[bytes], bytes], name: str = "Streaming_History_Audio_1.json") -> FileBreak:
    return lambda content, rng: make_zip({name: inner(content)})


def _make_record_break(change: Callable[[list[dict[str, object]], Random], object]) -> FileBreak:
    return lambda content, rng: json.dumps(change(json.loads(content), rng)).encode()


_BASIC_EXPORT_JSON = b'[{"endTime": "2024-01-01 00:00", "artistName": "A", "trackName": "B", "msPlayed": 1}]'
_HALF_SURROGATE_JSON = b'[{"ts": "2024-01-01T00:00:00Z", "ms_played": 1, "platform": "\\ud800"}]'

_EXPORT_BREAKS: dict[str, FileBreak] = {
    "an object": _make_record_break(lambda records, chance: {"plays": records}),
    "a number": lambda content, chance: b"1",
    "an empty list": lambda content, chance: b"[]",
    "a list of lists": _make_record_break(lambda records, chance: [records]),
    "records among others": _make_record_break(lambda records, chance: [1, None, "x", [], {}, *records]),
    "other fields": _make_record_break(
        lambda records, chance: [{name * 2: value for name, value in record.items()} for record in records]
    ),
    "nothing private": _make_record_break(lambda records, chance: [{"email": "ada@example.org"}] * 5),
    "very deep": lambda content, chance: b"[" * 200_000,
    "very deep within": lambda content, chance: b'[{"ms_played": ' + b"[" * 100_000 + b"]" * 100_000 + b"}]",
    "a long number": lambda content, chance: b'[{"ts": "2024-01-01T00:00:00Z", "ms_played": ' + b"9" * 100_000 + b"}]",
    "NaN": lambda content, chance: b'[{"ts": NaN, "ms_played": -Infinity}]',
    "single quotation marks": lambda content, chance: content.replace(b'"', b"'"),
    "lines": lambda content, chance: b"\n".join(json.dumps(record).encode() for record in json.loads(content)),
    "both formats": lambda content, chance: make_zip(
        {"Streaming_History_Audio_1.json": content, "StreamingHistory0.json": _BASIC_EXPORT_JSON}
    ),
    "half surrogates": lambda content, chance: _HALF_SURROGATE_JSON,
    "no UTF-8": lambda content, chance: content.replace(b"android", b"\xff\xfe").replace(b"a", b"\xe4", 30),
    **_ZIP_BREAKS,
    "zip, a link": _make_zip_with_link,
    "zip, absolute": _make_named_zip(bytes, "/etc/cron.d/x.json"),
    "zip, a drive": _make_named_zip(bytes, "C:\\x.json"),
    "zip, odd name": _make_named_zip(bytes, "Streaming_History_\u202e\x1b[31m.json"),
    "zip, many": lambda content, chance: make_zip({f"{number}.json": b"[]" for number in range(2_100)}),
    "zip of a broken one": _make_named_zip(lambda content: content[: len(content) // 2]),
    "zip of an empty one": _make_named_zip(lambda content: b""),
    "zip of a deep one": _make_named_zip(lambda content: b"[" * 200_000),
    "zip of other things": _make_named_zip(lambda content: b'{"email": "ada@example.org"}', "Userdata.json"),
    "zip of a zip": _make_named_zip(
        lambda content: make_zip({"Streaming_History_Audio_1.json": content}), "my_spotify_data.zip"
    ),
}


# Avro


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


_AVRO_BREAKS: dict[str, FileBreak] = {
    "a wrong marker": _make_block_break(
        lambda blocks, chance: blocks.replace(bytes(range(16)), bytes(16), chance.choice((1, 2)))
    ),
    "no blocks": _make_block_break(lambda blocks, chance: b""),
    "a block cut": _make_block_break(lambda blocks, chance: blocks[: chance.randrange(len(blocks))]),
    "a block flipped": _make_block_break(_flip_bytes),
    "a block flipped, again": _make_block_break(_flip_bytes),
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

BREAKS_BY_SUFFIX: dict[str, Mapping[str, FileBreak]] = {
    ".csv": _TABLE_BREAKS,
    ".json": _EXPORT_BREAKS,
    ".avro": _AVRO_BREAKS,
}


# Names and paths


def list_unusual_names(suffix: str) -> list[str]:
    """Return names under which a valid file may arrive."""
    stems = (
        *("a::b", "per%20cent", "per%cent", "hash#tag", "quest?ion", "star*", "{a,b}", "[ab]", "colon:name"),
        *("new\nline", "right\u202eto left", "ünï", "e\u0301", " space ", "-dash", "$(id)", "quo'te\"", "back\\slash"),
        *("_under", "..dots", "semi;colon", "tab\tulator", "x" * 240, "é" * 120, "~home", "@at", "a b.c", "\udcff"),
    )
    return [stem + suffix for stem in stems]


PathMaker = Callable[[Path, bytes], Path]


def list_unusual_paths() -> dict[str, PathMaker]:
    """Return objects that may be at a path instead of a file."""
    return {
        "place: nothing": lambda folder, good_content: folder / "nothing",
        "place: an empty folder": lambda folder, good_content: folder,
        "place: a link": lambda folder, good_content: _make_link(folder, folder / "good", good_content),
        "place: a link to nothing": lambda folder, good_content: _make_link(folder, folder / "nothing", None),
        "place: a link to itself": lambda folder, good_content: _make_link(folder, folder / "link", None),
        "place: a pipe": _make_pipe,
        "place: a folder of folders": _make_nested_folders,
        "place: a folder with a pipe": lambda folder, good_content: _make_pipe(folder, good_content).parent,
        "place: a folder with a link to nothing": lambda folder, good_content: (
            _make_link(folder, folder / "nothing", None).parent
        ),
        "place: endless zeros": lambda folder, good_content: Path("/dev/zero"),
        "place: nothing at all": lambda folder, good_content: Path("/dev/null"),
        "place: a name with a zero": lambda folder, good_content: folder / "a\0b",
        "place: a long name": lambda folder, good_content: folder / ("x" * 300),
        "place: a web address": lambda folder, good_content: Path("https:/"),
        "place: the file of a folder": _make_path_below_file,
    }


def _make_link(folder: Path, target: Path, content: bytes | None) -> Path:
    if content is not None:
        target.write_bytes(content)
    link = folder / "link"
    link.symlink_to(target)
    return link


def _make_pipe(folder: Path, good_content: bytes) -> Path:
    os.mkfifo(folder / "pipe.avro")
    return folder / "pipe.avro"


def _make_nested_folders(folder: Path, good_content: bytes) -> Path:
    (folder / "one" / "two.csv").mkdir(parents=True)
    return folder


def _make_path_below_file(folder: Path, good_content: bytes) -> Path:
    (folder / "file").write_bytes(good_content)
    return folder / "file" / "inner.csv"
