"""The content of a file: a table as rows, JSON as values."""

import codecs
import io
import json
from collections.abc import Generator, Iterator
from dataclasses import replace
from itertools import chain, islice
from typing import Any, BinaryIO

from etl.errors import WrongFileError
from etl.formats.tabular import detect_layout, read_records
from etl.formats.tabular.encodings import NonAsciiWords
from etl.formats.tabular.records import LooseQuotationError

_JSON_STARTS = ("{", "[")
_MAX_INTEGER_LENGTH = 18
_MAX_JSON_BYTES = 128 << 20
_MAX_JSON_VALUES = 12_000_000
"""Of one value, which is parsed in memory; a watch history of 200,000 records has as many bytes, and a third of the
values."""
_MAX_LINE_LENGTH = 1 << 20
_TOO_LONG = "?"
_BATCH_LINES = 1_000
_BLOCK_BYTES = 1 << 20


def looks_like_json(head: bytes) -> bool:
    """Return whether the first bytes of a file are those of JSON."""
    return head.decode(json.detect_encoding(head), "ignore").lstrip("\ufeff \t\r\n").startswith(_JSON_STARTS)


def iterate_rows(content: BinaryIO) -> Generator[list[str], None, None]:
    """Yield the rows of a table, the header among them.

    Encoding, delimiter and quotation marks are detected as in the files of Kaggle.

    :raises WrongFileError: if it is no table.
    """
    layout = detect_layout(content)
    try:
        for _ in read_records(content, layout, has_header=False):
            pass
    except LooseQuotationError:
        layout = replace(layout, quoting="doubled")
    yield from read_records(content, layout, has_header=False)


def read_json_values(content: BinaryIO) -> Iterator[list[Any]]:
    """Yield the value of a JSON file, or batches of the values of its lines; a line that is no JSON gives a problem.

    :raises WrongFileError: if the file is neither, is not in a known encoding, or is too large for one value.
    """
    encoding, errors = _detect_encoding(content)
    content.seek(0)
    text = io.TextIOWrapper(content, encoding, errors, newline="\n")
    try:
        lines = _iterate_lines(text)
        first_lines = list(islice(lines, 2))
        if len(first_lines) == 2 and _is_object(first_lines[0]):
            yield from _parse_batches(chain(first_lines, lines))
            return
    finally:
        text.detach()
    yield [_read_json_value(content, encoding, errors)]


def _detect_encoding(content: BinaryIO) -> tuple[str, str]:
    """Return the encoding of a whole file, and what to do about bytes that it does not have."""
    content.seek(0)
    encoding = json.detect_encoding(content.read(4))
    content.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        while block := content.read(_BLOCK_BYTES):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        content.seek(0)
        words = NonAsciiWords()
        while line := content.readline(_BLOCK_BYTES):
            words.add_lines(line)
        return words.rank_encodings()[0].encoding, "replace"
    return encoding, "strict"


def _iterate_lines(text: io.TextIOWrapper) -> Iterator[str]:
    """Yield the lines that are not empty; one that is too long to be a record as a text that is no JSON."""
    while line := text.readline(_MAX_LINE_LENGTH):
        part = line
        while len(part) == _MAX_LINE_LENGTH and not part.endswith("\n"):
            part, line = text.readline(_MAX_LINE_LENGTH), _TOO_LONG
        if line.strip("\ufeff \t\r\n"):
            yield line


def _parse_batches(lines: Iterator[str]) -> Iterator[list[Any]]:
    values: list[Any] = []
    length = 0
    for line in lines:
        values.append(_parse_line(line))
        length += len(line)
        if len(values) == _BATCH_LINES or length > _BLOCK_BYTES:
            yield values
            values, length = [], 0
    if values:
        yield values


def _read_json_value(content: BinaryIO, encoding: str, errors: str) -> Any:
    if content.seek(0, 2) > _MAX_JSON_BYTES:
        raise WrongFileError(f"the file is larger than {_MAX_JSON_BYTES >> 20} MiB. Divide its list, import the parts.")
    content.seek(0)
    text = content.read().decode(encoding, errors).lstrip("\ufeff")
    if sum(text.count(sign) for sign in "[{,") > _MAX_JSON_VALUES:
        raise WrongFileError(f"the file has more than {_MAX_JSON_VALUES:,} values. Divide its list, import the parts.")
    try:
        return _parse_json(text)
    except json.JSONDecodeError as error:
        raise WrongFileError(
            f"the file breaks off or is no JSON (line {error.lineno}: {error.msg}). Download the export again, whole."
        ) from error
    except RecursionError:
        raise WrongFileError("the file is nested too deeply. Take the file as the service wrote it.") from None


def _is_object(line: str) -> bool:
    try:
        return isinstance(_parse_json(line), dict)
    except (ValueError, RecursionError):
        return False


def _parse_line(line: str) -> Any:
    try:
        return _parse_json(line)
    except (ValueError, RecursionError):
        return {"problem": "line is no JSON"}


def _parse_json(text: str) -> Any:
    return json.loads(text, parse_constant=str, parse_int=_parse_integer)


def _parse_integer(text: str) -> int | str:
    """Parse a whole number; return a very long one, which Python cannot parse, as text."""
    return int(text) if len(text) <= _MAX_INTEGER_LENGTH else text
