"""Ways to break a file of any kind."""

import gzip
import io
import zipfile
from collections.abc import Callable, Mapping
from random import Random

import pyarrow

FileBreak = Callable[[bytes, Random], bytes]
_BOMB_BYTES = 200 << 20


def flip_bytes(content: bytes, rng: Random) -> bytes:
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
    "bytes flipped": flip_bytes,
    "bytes flipped, again": flip_bytes,
    "bytes flipped, once more": flip_bytes,
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
    "gzip, flipped": lambda content, chance: flip_bytes(gzip.compress(content, mtime=0), chance),
    "gzip and noise": lambda content, chance: gzip.compress(content, mtime=0) + chance.randbytes(30),
    "gzip of zeros": lambda content, chance: _make_gzip_bomb(),
    "zstd": lambda content, chance: pyarrow.Codec("zstd").compress(content, asbytes=True),
    "bzip2": lambda content, chance: b"BZh91AY&SY" + content[:100],
    "zip": lambda content, chance: make_zip({"inner.csv": content}),
    "zip, cut": lambda content, chance: _cut_end(make_zip({"inner.csv": content}), chance),
    "zip, flipped": lambda content, chance: flip_bytes(make_zip({"inner.csv": content}), chance),
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
