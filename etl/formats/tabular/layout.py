"""The layout of a file: its encoding and its delimiter, detected in the whole file."""

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
"""The value of ``Layout.encoding`` for Excel and OpenDocument workbooks, which are not text."""

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
    """The layout of the records in a file.

    ``encoding`` may be ``SPREADSHEET``; ``delimiter`` separates fields. The other fields depend on the whole file:

    - ``quoting``: ``strict`` if all quotation marks within quoted fields are doubled, as in RFC 4180; ``doubled`` or
      ``backslash`` if records differ, for the rule of most records; ``escaped`` if a backslash precedes quotation marks
      also outside of quoted fields; ``loose`` if the quoting was not checked.
    - ``shape``: ``row_names`` if rows begin with a name that the header lacks, ``trailing_delimiter`` if rows end with
      delimiters that the header lacks, ``header_delimiter`` if only the header ends with them; else empty.
    - ``decimal``: the decimal mark if numbers have to be rewritten, else empty.
    - ``dates``: the order of day, month and year if dates have to be rewritten, else empty; see ``notation``.
    - ``remarks``: messages to the operator about how the file is read.
    """

    encoding: str
    delimiter: str
    quoting: str = "strict"
    shape: str = ""
    decimal: str = ""
    dates: DateOrder = ""
    remarks: tuple[str, ...] = ()


def detect_layout(content: BinaryIO, chosen: str | None = None) -> Layout:
    """Detect the layout of a file from its whole content.

    :param content: seekable.
    :param chosen: the encoding that the operator chose, for text that is not recognisably Unicode; None to detect it.
    :raises WrongFileError: if it is empty, a web page, not text, corrupt, or in no known (or not in the chosen)
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
    """Return the encoding, and the guess if it is only a guess."""
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
    """Return whether any quotation mark follows a backslash."""
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
    """Return whether most of the lines that are not plain ASCII are UTF-8; a load rejects the rows of the other lines.

    :raises WrongFileError: if they are, and the file ends within a character.
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
    """Return the likeliest legacy encoding, by the words of all lines that are not plain ASCII.

    :raises WrongFileError: if no known encoding can decode the text.
    """
    stream.seek(0)
    words = NonAsciiWords()
    while block := stream.read(_BLOCK_BYTES) + stream.readline(_BLOCK_BYTES):
        if not block.isascii():
            words.add_lines(block)
    for guess in words.rank_encodings():
        # A byte that a single-byte encoding cannot decode costs only its own row, so such an encoding is acceptable.
        if is_single_byte(guess.encoding) or _can_decode(stream, guess.encoding):
            return guess
    raise WrongFileError(
        "the text is in no encoding that can be told. Save it as UTF-8, or choose its encoding in the form of "
        "kaggle_import."
    )


def _detect_delimiter(head: bytes, encoding: str) -> str:
    """Return the delimiter of a first line such as "sep=;" (a hint for Excel), else the one with most header fields."""
    text = replace_nul(codecs.getincrementaldecoder(encoding)("replace").decode(head))
    hint = _EXCEL_DELIMITER_HINT.match(text)
    if hint:
        return hint[1]
    widths = {}
    for delimiter in DELIMITERS:
        header = next((row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row), [])
        widths[delimiter] = len(header)
    return max(DELIMITERS, key=lambda delimiter: widths[delimiter])
