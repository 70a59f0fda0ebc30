"""How the records lie in a file: its encoding and its delimiter, found by looking at all of it."""

import codecs
import csv
import io
from dataclasses import dataclass
from typing import BinaryIO

import charset_normalizer

from etl.errors import WrongFileError
from etl.tabular.container import breakage_explained, unpacked

SPREADSHEET = "spreadsheet"
"""Stands for the encoding where a file is no text but an Excel or OpenDocument workbook."""

DELIMITERS = (",", ";", "\t", "|")

_HEAD_BYTES = 1 << 16
_BLOCK_BYTES = 1 << 20
_CONTROL_BYTES = bytes(set(range(32)) - set(b"\t\n\f\r\x1a\x1b"))
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Encodings of Latin scripts cannot be told apart by a few letters: the Western one stands for all.
_LEGACY_ENCODINGS = ["cp1252", "cp1251", "cp932", "gb18030", "big5", "euc_kr"]


@dataclass(frozen=True)
class Layout:
    """How the records lie in a file: its encoding (or ``SPREADSHEET``) and what separates fields."""

    encoding: str
    delimiter: str


def detect_layout(content: BinaryIO) -> Layout:
    """How to read a file, found by looking at all of it.

    :param content: seekable.
    :raises WrongFileError: where it is empty, a web page, not text, broken, or in no known encoding.
    """
    with breakage_explained():
        plain = unpacked(content)
        if plain is None:
            return Layout(SPREADSHEET, "")
        head = plain.read(_HEAD_BYTES)
        if not head.strip(b"\xef\xbb\xbf\xff\xfe \t\r\n\x00"):
            raise WrongFileError("the file is empty.")
        _refuse_web_page(head)
        encoding = _encoding(plain, head)
        return Layout(encoding, _delimiter(head, encoding))


def _refuse_web_page(head: bytes) -> None:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1000].lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body")) or b"<html" in start:
        raise WrongFileError(
            "the file is a web page (HTML) saved under another name, often a sign-in page. Download the data itself."
        )


def _encoding(plain: BinaryIO, head: bytes) -> str:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return _required(plain, encoding)
    for start, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        if head[start::2].count(0) > 0.4 * len(head) / 2 and head[1 - start :: 2].count(0) < 0.05 * len(head):
            return _required(plain, encoding)
    first_line = next(iter(head.lstrip().splitlines()), b"")
    if not _control_bytes(first_line) and _decodes(plain, "utf-8"):
        return "utf-8"
    if _control_bytes(head) > 0.02 * len(head):
        raise WrongFileError("the file is binary, neither text nor a spreadsheet.")
    return "utf-8" if _is_mostly_utf8(plain) else _legacy_encoding(plain)


def _control_bytes(text: bytes) -> int:
    return len(text) - len(text.translate(None, _CONTROL_BYTES))


def _required(plain: BinaryIO, encoding: str) -> str:
    if not _decodes(plain, encoding):
        raise WrongFileError(f"the file begins as {encoding} but does not go on so. Save it as UTF-8.")
    return encoding


def _decodes(plain: BinaryIO, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    plain.seek(0)
    try:
        while block := plain.read(_BLOCK_BYTES):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return True


def _is_mostly_utf8(plain: BinaryIO) -> bool:
    """Whether most of the lines that are not plain ASCII are UTF-8: rows of the others are refused when they are read.

    :raises WrongFileError: where it is so, and the file ends within a letter.
    """
    plain.seek(0)
    whole = broken = 0
    while line := plain.readline(_BLOCK_BYTES):
        try:
            whole += not line.isascii() and bool(line.decode())
        except UnicodeDecodeError as error:
            if error.reason != "unexpected end of data":
                broken += 1
            elif whole + (not line[: error.start].isascii()) > broken:
                raise WrongFileError("the file breaks off: it ends within a letter. Get it again, whole.") from None
    return whole > broken


def _legacy_encoding(plain: BinaryIO) -> str:
    """The likeliest older encoding, judged by the lines that are not plain ASCII."""
    plain.seek(0)
    sample = bytearray()
    while line := plain.readline(_BLOCK_BYTES):
        if not line.isascii():
            sample += line
        if len(sample) > _HEAD_BYTES:
            break
    guess = charset_normalizer.from_bytes(bytes(sample), cp_isolation=_LEGACY_ENCODINGS).best()
    for encoding in (guess.encoding if guess else "cp1252", "cp1252"):
        if _decodes(plain, encoding):
            return encoding
    raise WrongFileError("the text is in no encoding that can be told. Save it as UTF-8.")


def _delimiter(head: bytes, encoding: str) -> str:
    """The delimiter that splits the header into most fields."""
    text = codecs.getincrementaldecoder(encoding)("replace").decode(head).replace("\0", "\ufffd")
    widths = {}
    for delimiter in DELIMITERS:
        first = next((r for r in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if r), [])
        widths[delimiter] = len(first)
    return max(DELIMITERS, key=lambda delimiter: widths[delimiter])
