"""Ways to break a file: of any kind, of each kind by itself, in its name, in what stands at its place."""

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

Break = Callable[[bytes, Random], bytes]
_BOMB_BYTES = 200 << 20


def broken(good: bytes, special: Mapping[str, Break], chance: Random) -> tuple[str, bytes]:
    """The kind of a break, and the bytes of a file that was broken so."""
    ways = special if special and chance.random() < 0.45 else ANY
    kind = chance.choice(list(ways))
    content = ways[kind](good, chance)
    if chance.random() < 0.1:  # and once more, at random
        content = _flipped(content, chance)
    return kind, content


# Of any kind


def _flipped(content: bytes, chance: Random) -> bytes:
    changed = bytearray(content)
    for _ in range(chance.choice((1, 1, 3, 20)) if changed else 0):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def _cut(content: bytes, chance: Random) -> bytes:
    return content[: chance.randrange(len(content))]


def _span(content: bytes, chance: Random) -> tuple[int, int]:
    begin = chance.randrange(len(content))
    return begin, min(len(content), begin + chance.choice((1, 2, 16, 300, 4_000)))


def _without_span(content: bytes, chance: Random) -> bytes:
    begin, end = _span(content, chance)
    return content[:begin] + content[end:]


def _with_span_twice(content: bytes, chance: Random) -> bytes:
    begin, end = _span(content, chance)
    return content[:end] + content[begin:]


def _with_zeros(content: bytes, chance: Random) -> bytes:
    begin, end = _span(content, chance)
    return content[:begin] + bytes(end - begin) + content[end:]


def _with_noise(content: bytes, chance: Random) -> bytes:
    begin, end = _span(content, chance)
    return content[:begin] + chance.randbytes(end - begin) + content[begin:]


def _mixed_ends(content: bytes, chance: Random) -> bytes:
    return b"".join(line + chance.choice((b"\n", b"\r\n", b"\r", b"\n\n")) for line in content.split(b"\n"))


def _recoded(encoding: str) -> Break:
    def recode(content: bytes, chance: Random) -> bytes:
        return content.decode("utf-8", "replace").replace("e", "é", 20).encode(encoding, "replace")

    return recode


def zip_of(members: Mapping[str, bytes]) -> bytes:
    """The bytes of a zip file."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, inner in members.items():
            archive.writestr(name, inner)
    return content.getvalue()


ANY: dict[str, Break] = {
    "cut": _cut,
    "cut, again": _cut,
    "without its beginning": lambda content, chance: content[chance.randrange(len(content)) :],
    "bytes flipped": _flipped,
    "bytes flipped, again": _flipped,
    "bytes flipped, once more": _flipped,
    "a span gone": _without_span,
    "a span twice": _with_span_twice,
    "a span of zeros": _with_zeros,
    "noise within": _with_noise,
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
    "other ends of lines": _mixed_ends,
    "UTF-16": _recoded("utf-16"),
    "UTF-16 without a mark": _recoded("utf-16-le"),
    "UTF-32": _recoded("utf-32"),
    "Latin 1": _recoded("latin-1"),
    "UTF-7": _recoded("utf-7"),
    "EBCDIC": _recoded("cp500"),
    "a mark before": lambda content, chance: b"\xef\xbb\xbf" + content,
    "two marks before": lambda content, chance: b"\xef\xbb\xbf" * 2 + content,
    "twice": lambda content, chance: content + content,
    "gzip": lambda content, chance: gzip.compress(content, mtime=0),
    "gzip in gzip": lambda content, chance: gzip.compress(gzip.compress(content, mtime=0), mtime=0),
    "gzip, cut": lambda content, chance: _cut(gzip.compress(content, mtime=0), chance),
    "gzip, flipped": lambda content, chance: _flipped(gzip.compress(content, mtime=0), chance),
    "gzip and noise": lambda content, chance: gzip.compress(content, mtime=0) + chance.randbytes(30),
    "gzip of zeros": lambda content, chance: _bomb(),
    "zstd": lambda content, chance: pyarrow.Codec("zstd").compress(content, asbytes=True),
    "bzip2": lambda content, chance: b"BZh91AY&SY" + content[:100],
    "zip": lambda content, chance: zip_of({"inner.csv": content}),
    "zip, cut": lambda content, chance: _cut(zip_of({"inner.csv": content}), chance),
    "zip, flipped": lambda content, chance: _flipped(zip_of({"inner.csv": content}), chance),
    "zip of zip": lambda content, chance: zip_of({"inner.zip": zip_of({"inner.csv": content})}),
    "zip of two": lambda content, chance: zip_of({"one.csv": content, "two.csv": content}),
    "zip of none": lambda content, chance: zip_of({}),
    "zip of zeros": lambda content, chance: zip_of({"inner.csv": bytes(_BOMB_BYTES)}),
    "zip out of its folder": lambda content, chance: zip_of({"../../inner.json": content}),
    "PDF": lambda content, chance: b"%PDF-1.7\n" + content,
    "a workbook's beginning": lambda content, chance: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + content,
}


def _bomb() -> bytes:
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as file:
        for _ in range(_BOMB_BYTES >> 20):
            file.write(b"0" * (1 << 20))
    return packed.getvalue()


# Zip files


def _patched(packed: bytes, places: Mapping[int, bytes], magic: bytes = b"PK\x01\x02") -> bytes:
    """A zip file with other bytes in the first entry of its directory."""
    changed, begin = bytearray(packed), packed.rfind(magic)
    for place, value in places.items():
        changed[begin + place : begin + place + len(value)] = value
    return bytes(changed)


def _zip_patched(places: Mapping[int, bytes], magic: bytes = b"PK\x01\x02") -> Break:
    return lambda content, chance: _patched(zip_of({"Streaming_History_Audio_1.json": content}), places, magic)


def _compressed(method: int) -> Break:
    """A zip file whose member is compressed by another method, and damaged."""

    def apply(content: bytes, chance: Random) -> bytes:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", method) as archive:
            archive.writestr("Streaming_History_Audio_1.json", content)
        return _flipped(packed.getvalue(), chance)

    return apply


_ZIP: dict[str, Break] = {
    "zip, locked": _zip_patched({8: b"\x01"}),
    "zip, wrong method": _zip_patched({10: b"\x63"}),
    "zip, wrong sum": _zip_patched({16: b"\0\0\0\0"}),
    "zip, wrong size": _zip_patched({24: b"\x10\0\0\0"}),
    "zip, wrong place": _zip_patched({42: b"\xff\xff\0\0"}),
    "zip, wrong name": _zip_patched({46: b"\xff\0/.."}),
    "zip, wrong count": _zip_patched({8: b"\xff\x7f\xff\x7f"}, b"PK\x05\x06"),
    "zip, wrong directory": _zip_patched({16: b"\xff\xff\xff\x7f"}, b"PK\x05\x06"),
    "zip, long directory": _zip_patched({12: b"\xff\xff\xff\x7f"}, b"PK\x05\x06"),
    "zip, bzip2 said": _zip_patched({10: b"\x0c"}),
    "zip, LZMA said": _zip_patched({10: b"\x0e"}),
    "zip, no name": _zip_patched({46: b"\0"}),
    "zip, bzip2 flipped": _compressed(zipfile.ZIP_BZIP2),
    "zip, LZMA flipped": _compressed(zipfile.ZIP_LZMA),
}
"""Zip files that are wrong in their build, whatever they hold."""


# Tables


def _lines(change: Callable[[list[bytes], Random], list[bytes]]) -> Break:
    return lambda content, chance: b"\n".join(change(content.split(b"\n"), chance))


def _changed_header(lines: list[bytes], chance: Random) -> list[bytes]:
    names = lines[0].split(b",")
    for _ in range(chance.choice((1, 1, 5))):
        names[chance.randrange(len(names))] = chance.choice((b"", b"x", names[0], b'"a\nb"', b"\x00", b"=1+1", b"id"))
    return [b",".join(names), *lines[1:]]


def _quoted_somewhere(lines: list[bytes], chance: Random) -> list[bytes]:
    place = chance.randrange(len(lines))
    line = lines[place]
    at = chance.randrange(len(line) + 1)
    return [*lines[:place], line[:at] + b'"' + line[at:], *lines[place + 1 :]]


_TABLE: dict[str, Break] = {
    "header alone": _lines(lambda lines, chance: lines[:1]),
    "no header": _lines(lambda lines, chance: lines[1:]),
    "header twice": _lines(lambda lines, chance: [lines[0], *lines]),
    "header wrong": _lines(_changed_header),
    "header wrong, again": _lines(_changed_header),
    "header cut": _lines(lambda lines, chance: [lines[0][: len(lines[0]) // 2], *lines[1:]]),
    "header of 5,000 columns": _lines(lambda lines, chance: [lines[0] + b",more" * 5_000, *lines[1:]]),
    "a quotation mark": _lines(_quoted_somewhere),
    "a quotation mark, again": _lines(_quoted_somewhere),
    "other delimiters below": _lines(lambda lines, chance: [lines[0], *(one.replace(b",", b";") for one in lines[1:])]),
    "one long line": lambda content, chance: content.replace(b"\n", b" "),
    "a field of 20 MB": lambda content, chance: content + b"x" * (20 << 20) + b"\n",
    "lines of commas": lambda content, chance: content + b",,,,,\n" * 100,
    "JSON": lambda content, chance: json.dumps([{"id": 1, "name": "x"}] * 10).encode(),
    "SQL": lambda content, chance: b"insert into tracks values (1, 'a');\n" * 20,
    **_ZIP,
}


# Account exports


def _zip_with_link(content: bytes, chance: Random) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        entry = zipfile.ZipInfo("Streaming_History_Audio_1.json")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, "/etc/passwd")
    return packed.getvalue()


def _named(inner: Callable[[bytes], bytes], name: str = "Streaming_History_Audio_1.json") -> Break:
    return lambda content, chance: zip_of({name: inner(content)})


def _records(change: Callable[[list[dict[str, object]], Random], object]) -> Break:
    return lambda content, chance: json.dumps(change(json.loads(content), chance)).encode()


_BASIC = b'[{"endTime": "2024-01-01 00:00", "artistName": "A", "trackName": "B", "msPlayed": 1}]'
_HALF = b'[{"ts": "2024-01-01T00:00:00Z", "ms_played": 1, "platform": "\\ud800"}]'

_EXPORT: dict[str, Break] = {
    "an object": _records(lambda records, chance: {"plays": records}),
    "a number": lambda content, chance: b"1",
    "an empty list": lambda content, chance: b"[]",
    "a list of lists": _records(lambda records, chance: [records]),
    "records among others": _records(lambda records, chance: [1, None, "x", [], {}, *records]),
    "other fields": _records(
        lambda records, chance: [{name * 2: value for name, value in one.items()} for one in records]
    ),
    "nothing private": _records(lambda records, chance: [{"email": "ada@example.org"}] * 5),
    "very deep": lambda content, chance: b"[" * 200_000,
    "very deep within": lambda content, chance: b'[{"ms_played": ' + b"[" * 100_000 + b"]" * 100_000 + b"}]",
    "a long number": lambda content, chance: b'[{"ts": "2024-01-01T00:00:00Z", "ms_played": ' + b"9" * 100_000 + b"}]",
    "NaN": lambda content, chance: b'[{"ts": NaN, "ms_played": -Infinity}]',
    "single quotation marks": lambda content, chance: content.replace(b'"', b"'"),
    "lines": lambda content, chance: b"\n".join(json.dumps(one).encode() for one in json.loads(content)),
    "both formats": lambda content, chance: zip_of(
        {"Streaming_History_Audio_1.json": content, "StreamingHistory0.json": _BASIC}
    ),
    "half surrogates": lambda content, chance: _HALF,
    "no UTF-8": lambda content, chance: content.replace(b"android", b"\xff\xfe").replace(b"a", b"\xe4", 30),
    **_ZIP,
    "zip, a link": _zip_with_link,
    "zip, absolute": _named(bytes, "/etc/cron.d/x.json"),
    "zip, a drive": _named(bytes, "C:\\x.json"),
    "zip, odd name": _named(bytes, "Streaming_History_\u202e\x1b[31m.json"),
    "zip, many": lambda content, chance: zip_of({f"{number}.json": b"[]" for number in range(2_100)}),
    "zip of a broken one": _named(lambda content: content[: len(content) // 2]),
    "zip of an empty one": _named(lambda content: b""),
    "zip of a deep one": _named(lambda content: b"[" * 200_000),
    "zip of other things": _named(lambda content: b'{"email": "ada@example.org"}', "Userdata.json"),
    "zip of a zip": _named(lambda content: zip_of({"Streaming_History_Audio_1.json": content}), "my_spotify_data.zip"),
}


# Avro


def _long(value: int) -> bytes:
    """A number as Avro writes it."""
    value, found = (value << 1) ^ (value >> 63), bytearray()
    value &= (1 << 64) - 1
    while value > 0x7F:
        found.append((value & 0x7F) | 0x80)
        value >>= 7
    return bytes([*found, value])


def _avro(entries: Mapping[bytes, bytes], blocks: bytes) -> bytes:
    """A container; ``blocks`` have the marker of ``_parts``."""
    head = b"".join(_long(len(one)) + one for pair in entries.items() for one in pair)
    return b"Obj\x01" + _long(len(entries)) + head + b"\0" + bytes(range(16)) + blocks


def _parts(content: bytes) -> tuple[dict[str, object], bytes]:
    """Schema and blocks of a good file, whose marker is known."""
    marker = bytes(range(16))
    end = content.index(marker)
    begin = content.index(b'{"', 0, end)
    schema, _ = json.JSONDecoder().raw_decode(content[begin:end].decode("utf-8", "ignore"))
    return schema, content[end + len(marker) :]


def _entries(content: bytes, codec: bytes = b"null") -> dict[bytes, bytes]:
    return {b"avro.schema": json.dumps(_parts(content)[0]).encode(), b"avro.codec": codec}


def _with_schema(change: Callable[[dict[str, object], Random], object]) -> Break:
    def apply(content: bytes, chance: Random) -> bytes:
        schema, blocks = _parts(content)
        told = change(schema, chance)
        said = told if isinstance(told, bytes) else json.dumps(told).encode()
        return _avro({b"avro.schema": said, b"avro.codec": b"null"}, blocks)

    return apply


def _with_blocks(change: Callable[[bytes, Random], bytes]) -> Break:
    return lambda content, chance: _avro(_entries(content), change(_parts(content)[1], chance))


def _fields(schema: dict[str, object], change: Callable[[list[dict[str, object]]], object]) -> dict[str, object]:
    return {**schema, "fields": change([dict(one) for one in schema["fields"]])}  # type: ignore[attr-defined]


def _with_fields(change: Callable[[list[dict[str, object]]], object]) -> Break:
    return _with_schema(lambda schema, chance: _fields(schema, change))


_STRINGS = {"type": "array", "items": "string"}
_OTHER_TYPES = ("int", "long", "bytes", "double", "boolean", ["null", "string"], _STRINGS, "nothing")


def _other_type(schema: dict[str, object], chance: Random) -> dict[str, object]:
    def change(fields: list[dict[str, object]]) -> object:
        return [{**one, "type": chance.choice(_OTHER_TYPES)} if chance.random() < 0.2 else one for one in fields]

    return _fields(schema, change)


def _counted(count: int, shift: int = 0) -> Break:
    """The first block says another number of records."""

    def apply(blocks: bytes, chance: Random) -> bytes:
        end = next(place for place, byte in enumerate(blocks) if byte < 0x80) + 1
        return _long(count) + blocks[end:]

    return _with_blocks(apply)


def _with_codec(codec: bytes) -> Break:
    """The header says another codec than the one that the blocks have."""
    return lambda content, chance: _avro(_entries(content, codec), _parts(content)[1])


def _block(count: int, size: int, content: bytes = b"") -> Break:
    """One more block behind the others."""
    return _with_blocks(lambda blocks, chance: blocks + _long(count) + _long(size) + content + bytes(range(16)))


_AVRO: dict[str, Break] = {
    "a wrong marker": _with_blocks(
        lambda blocks, chance: blocks.replace(bytes(range(16)), bytes(16), chance.choice((1, 2)))
    ),
    "no blocks": _with_blocks(lambda blocks, chance: b""),
    "a block cut": _with_blocks(lambda blocks, chance: blocks[: chance.randrange(len(blocks))]),
    "a block flipped": _with_blocks(_flipped),
    "a block flipped, again": _with_blocks(_flipped),
    "a block of noise": _block(5, 40, bytes(range(100, 140))),
    "a block without records": _block(0, 0),
    "records without bytes": _block(9, 0),
    "a block of negative count": _block(-3, 0),
    "a block of negative size": _block(1, -8),
    "a block of endless size": _block(1, 2**62),
    "a block of endless count": _block(2**62, 0),
    "too many counted": _counted(2**40),
    "some more counted": _counted(500),
    "too few counted": _counted(1),
    "a number without an end": _with_blocks(lambda blocks, chance: blocks + b"\xff" * 40),
    "codec unknown": _with_codec(b"lzma9"),
    "codec no text": _with_codec(b"\xff\xfe"),
    "codec wrong": _with_codec(b"deflate"),
    "codec wrong, snappy": _with_codec(b"snappy"),
    "codec wrong, zstandard": _with_codec(b"zstandard"),
    "no schema": lambda content, chance: _avro({b"avro.codec": b"null"}, _parts(content)[1]),
    "no codec": lambda content, chance: _avro({b"avro.schema": _entries(content)[b"avro.schema"]}, _parts(content)[1]),
    "schema empty": _with_schema(lambda schema, chance: b""),
    "schema no JSON": _with_schema(lambda schema, chance: b'{"type": '),
    "schema no UTF-8": _with_schema(
        lambda schema, chance: json.dumps(schema).encode().replace(b"userId", b"user\xff\xfe")
    ),
    "schema very deep": _with_schema(lambda schema, chance: b"[" * 100_000),
    "schema a text": _with_schema(lambda schema, chance: "string"),
    "schema a list": _with_schema(lambda schema, chance: [schema, "null"]),
    "schema of another name": _with_schema(lambda schema, chance: {**schema, "name": "Other"}),
    "schema without fields": _with_schema(
        lambda schema, chance: {name: value for name, value in schema.items() if name != "fields"}
    ),
    "schema's fields no list": _with_schema(lambda schema, chance: {**schema, "fields": "userId"}),
    "schema's fields no objects": _with_fields(lambda fields: [one["name"] for one in fields]),
    "schema's fields without names": _with_fields(lambda fields: [*fields, {"type": "string"}]),
    "schema's fields without types": _with_fields(lambda fields: [{"name": one["name"]} for one in fields]),
    "schema's fields gone": _with_schema(
        lambda schema, chance: _fields(schema, lambda fields: fields[chance.randrange(1, 5) :])
    ),
    "schema's fields twice": _with_fields(lambda fields: fields + fields),
    "schema's fields in another order": _with_fields(lambda fields: fields[::-1]),
    "schema's fields of odd names": _with_fields(lambda fields: [*fields, {"name": "a b; drop", "type": "null"}]),
    "schema's types other": _with_schema(_other_type),
    "schema's types other, again": _with_schema(_other_type),
    "schema an enum": _with_schema(lambda schema, chance: {"type": "enum", "name": schema["name"], "symbols": []}),
    "a header without an end": lambda content, chance: b"Obj\x01" + _long(2**40) + b"\x02a\x02b" * 50,
    "a header of negative count": lambda content, chance: b"Obj\x01" + _long(-2) + _long(9) + content[5:],
    "a header's key of endless size": lambda content, chance: b"Obj\x01\x02" + _long(2**62) + b"avro.schema",
    "a header's value of endless size": lambda content, chance: b"Obj\x01\x02\x16avro.schema" + _long(2**40) + b"{}",
    "a header's key of negative size": lambda content, chance: b"Obj\x01\x02" + _long(-5) + b"avro.schema",
    "another version": lambda content, chance: b"Obj\x02" + content[4:],
    "an Avro message": lambda content, chance: b"\xc3\x01" + content[4:],
    "Parquet": lambda content, chance: b"PAR1" + content + b"PAR1",
}

SPECIAL: dict[str, Mapping[str, Break]] = {".csv": _TABLE, ".json": _EXPORT, ".avro": _AVRO}


# Names and places


def odd_names(suffix: str) -> list[str]:
    """Names under which a good file may come."""
    stems = (
        *("a::b", "per%20cent", "per%cent", "hash#tag", "quest?ion", "star*", "{a,b}", "[ab]", "colon:name"),
        *("new\nline", "right\u202eto left", "ünï", "e\u0301", " space ", "-dash", "$(id)", "quo'te\"", "back\\slash"),
        *("_under", "..dots", "semi;colon", "tab\tulator", "x" * 240, "é" * 120, "~home", "@at", "a b.c", "\udcff"),
    )
    return [stem + suffix for stem in stems]


Place = Callable[[Path, bytes], Path]


def odd_places() -> dict[str, Place]:
    """What may stand where a file should be."""
    return {
        "place: nothing": lambda folder, good: folder / "nothing",
        "place: an empty folder": lambda folder, good: folder,
        "place: a link": lambda folder, good: _linked(folder, folder / "good", good),
        "place: a link to nothing": lambda folder, good: _linked(folder, folder / "nothing", None),
        "place: a link to itself": lambda folder, good: _linked(folder, folder / "link", None),
        "place: a pipe": _pipe,
        "place: a folder of folders": _nested,
        "place: a folder with a pipe": lambda folder, good: _pipe(folder, good).parent,
        "place: a folder with a link to nothing": lambda folder, good: _linked(folder, folder / "nothing", None).parent,
        "place: endless zeros": lambda folder, good: Path("/dev/zero"),
        "place: nothing at all": lambda folder, good: Path("/dev/null"),
        "place: a name with a zero": lambda folder, good: folder / "a\0b",
        "place: a long name": lambda folder, good: folder / ("x" * 300),
        "place: a web address": lambda folder, good: Path("https:/"),
        "place: the file of a folder": _beneath_a_file,
    }


def _linked(folder: Path, target: Path, content: bytes | None) -> Path:
    if content is not None:
        target.write_bytes(content)
    link = folder / "link"
    link.symlink_to(target)
    return link


def _pipe(folder: Path, good: bytes) -> Path:
    os.mkfifo(folder / "pipe.avro")
    return folder / "pipe.avro"


def _nested(folder: Path, good: bytes) -> Path:
    (folder / "one" / "two.csv").mkdir(parents=True)
    return folder


def _beneath_a_file(folder: Path, good: bytes) -> Path:
    (folder / "file").write_bytes(good)
    return folder / "file" / "inner.csv"
