"""How the records lie in a file: its encoding and its delimiter, found by looking at all of it."""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import AnyStr, BinaryIO

from etl.errors import WrongFileError
from etl.formats.tabular.container import explain_corruption, open_decompressed, reject_other_files, replace_nul
from etl.formats.tabular.encodings import EncodingGuess, NonAsciiWords, get_display_name, is_single_byte
from etl.formats.tabular.notation import DateOrder

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
_EXCEL_DELIMITER_HINT = re.compile(r'\ufeff?"?sep=([,;\t|])"?[\r\n]', re.IGNORECASE)
_BACKSLASH_QUOTE = '\\"'


@dataclass(frozen=True)
class Layout:
    """How the records lie in a file.

    ``encoding`` may be ``SPREADSHEET``; ``delimiter`` separates fields. The rest is seen when the whole file is read:

    - ``quoting``: ``strict`` where quotation marks are doubled, as RFC 4180 has it; ``doubled`` or ``backslash`` where
      some records say otherwise, and most are of that way; ``escaped`` where a backslash stands before them also
      outside of quotation marks; ``loose`` where nobody has looked.
    - ``shape``: ``row_names`` where rows begin with a name that the header lacks, ``trailing_delimiter`` where they end
      with delimiters that it lacks, ``header_delimiter`` where the header alone has them.
    - ``decimal``: the decimal mark where numbers have to be rewritten.
    - ``dates``: how dates are written where they have to be rewritten; see ``notation``.
    - ``remarks``: what somebody should know of how the file is read, in sentences.
    """

    encoding: str
    delimiter: str
    quoting: str = "strict"
    shape: str = ""
    decimal: str = ""
    dates: DateOrder = ""
    remarks: tuple[str, ...] = ()


def detect_layout(content: BinaryIO, chosen: str | None = None) -> Layout:
    """How to read a file, found by looking at all of it.

    :param content: seekable.
    :param chosen: the encoding, where somebody has chosen it, for text that does not tell by itself that it is Unicode.
    :raises WrongFileError: where it is empty, a web page, not text, broken, or in no known (or not in the chosen)
        encoding.
    """
    with explain_corruption():
        stream = open_decompressed(content)
        if stream is None:
            return Layout(SPREADSHEET, "")
        head = stream.read(_HEAD_BYTES)
        if not head.strip(b"\xef\xbb\xbf\xff\xfe \t\r\n\x00"):
            raise WrongFileError("the file is empty.")
        reject_other_files(head, stream is not content)
        encoding, guess = _detect_encoding(stream, head, chosen)
        quoting = "doubled" if _has_backslash_quote(stream, encoding) else "strict"
        remarks = (str(guess),) if guess else ()
        return Layout(encoding, _detect_delimiter(head, encoding), quoting, remarks=remarks)


def _detect_encoding(stream: BinaryIO, head: bytes, chosen: str | None) -> tuple[str, EncodingGuess | None]:
    """The encoding; with the guess that it is, where it is one."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return _require_decodable(stream, encoding), None
    for start, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        if head[start::2].count(0) > 0.4 * len(head) / 2 and head[1 - start :: 2].count(0) < 0.05 * len(head):
            return _require_decodable(stream, encoding), None
    first_line = next(iter(head.lstrip().splitlines()), b"")
    if not _count_control_bytes(first_line) and _can_decode(stream, "utf-8"):
        return "utf-8", None
    if _count_control_bytes(head) > 0.02 * len(head):
        raise WrongFileError("the file is binary, neither text nor a spreadsheet.")
    if chosen:
        return _require_chosen_encoding(stream, chosen), None
    if _is_mostly_utf8(stream):
        return "utf-8", None
    guess = _guess_encoding(stream)
    return guess.encoding, guess


def _count_control_bytes(text: bytes) -> int:
    return len(text) - len(text.translate(None, _CONTROL_BYTES))


def _require_decodable(stream: BinaryIO, encoding: str) -> str:
    if not _can_decode(stream, encoding):
        raise WrongFileError(f"the file begins as {encoding} but does not go on so. Save it as UTF-8.")
    return encoding


def _require_chosen_encoding(stream: BinaryIO, chosen: str) -> str:
    if not _can_decode(stream, chosen):
        raise WrongFileError(
            f"the text is not {get_display_name(chosen)} throughout: choose another encoding in the form of "
            "kaggle_import, or choose none to have it detected."
        )
    return chosen


def _has_backslash_quote(stream: BinaryIO, encoding: str) -> bool:
    """Whether a quotation mark stands behind a backslash somewhere."""
    stream.seek(0)
    if encoding == "utf-8":
        return _contains_pattern(iter(lambda: stream.read(_BLOCK_BYTES), b""), _BACKSLASH_QUOTE.encode())
    text = codecs.getreader(encoding)(stream, "replace")
    return _contains_pattern(iter(lambda: text.read(_BLOCK_BYTES), ""), _BACKSLASH_QUOTE)


def _contains_pattern(blocks: Iterator[AnyStr], pattern: AnyStr) -> bool:
    last_sign = pattern[:0]
    for block in blocks:
        if pattern in block or pattern in last_sign + block[:1]:
            return True
        last_sign = block[-1:]
    return False


def _can_decode(stream: BinaryIO, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    stream.seek(0)
    try:
        while block := stream.read(_BLOCK_BYTES):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return True


def _is_mostly_utf8(stream: BinaryIO) -> bool:
    """Whether most of the lines that are not plain ASCII are UTF-8: rows of the others are refused when they are read.

    :raises WrongFileError: where it is so, and the file ends within a letter.
    """
    stream.seek(0)
    valid_count = invalid_count = 0
    while line := stream.readline(_BLOCK_BYTES):
        try:
            valid_count += not line.isascii() and bool(line.decode())
        except UnicodeDecodeError as error:
            if error.reason != "unexpected end of data":
                invalid_count += 1
            elif valid_count + (not line[: error.start].isascii()) > invalid_count:
                raise WrongFileError("the file breaks off: it ends within a letter. Get it again, whole.") from None
    return valid_count > invalid_count


def _guess_encoding(stream: BinaryIO) -> EncodingGuess:
    """The likeliest older encoding, judged by the words of all lines that are not plain ASCII."""
    stream.seek(0)
    words = NonAsciiWords()
    while block := stream.read(_BLOCK_BYTES) + stream.readline(_BLOCK_BYTES):
        if not block.isascii():
            words.add_lines(block)
    for guess in words.rank_encodings():
        # Single bytes that are no letters cost the rows in which they stand, and no more.
        if is_single_byte(guess.encoding) or _can_decode(stream, guess.encoding):
            return guess
    raise WrongFileError(
        "the text is in no encoding that can be told. Save it as UTF-8, or choose its encoding in the form of "
        "kaggle_import."
    )


def _detect_delimiter(head: bytes, encoding: str) -> str:
    """The delimiter that splits the header into most fields, or that a first line such as "sep=;" tells Excel."""
    text = replace_nul(codecs.getincrementaldecoder(encoding)("replace").decode(head))
    hint = _EXCEL_DELIMITER_HINT.match(text)
    if hint:
        return hint[1]
    widths = {}
    for delimiter in DELIMITERS:
        header = next((row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row), [])
        widths[delimiter] = len(header)
    return max(DELIMITERS, key=lambda delimiter: widths[delimiter])
