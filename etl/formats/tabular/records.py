"""The records of a file as lists of text."""

import csv
import datetime
import io
import re
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from typing import BinaryIO

from etl.errors import WrongFileError
from etl.formats.tabular.container import explain_corruption, open_decompressed, replace_nul
from etl.formats.tabular.encodings import is_single_byte
from etl.formats.tabular.layout import Layout
from etl.formats.tabular.quoting import UNCLOSED_QUOTE_MESSAGE, read_either_dialect

_MAX_LINE_LENGTH = 1 << 25
_END_MARKER = "\ufdd0 end of file"
_EMPTY_OR_NUMBERED = re.compile(r"\s*( \(\d+\))?")


class LooseQuotationError(WrongFileError):
    """A quotation mark within a quoted field that is not doubled."""


def read_records(
    content: BinaryIO, layout: Layout, quoting_counts: Counter[str] | None = None, has_header: bool = True
) -> Generator[list[str], None, None]:
    """Yield the records of a file, its header first; numbers make duplicate names in the header distinct.

    Bytes below the header that the file's encoding cannot decode become lone surrogates; see ``is_legible``.

    :param content: seekable.
    :param quoting_counts: the counts of ``quoting.read_either_dialect``.
    :param has_header: whether the first record is a header; else it is as in the file.
    :raises WrongFileError: if the file ends within a quoted field, or is corrupt.
    :raises LooseQuotationError: if the layout's quoting is strict and the file's is not.
    """
    with explain_corruption():
        stream = open_decompressed(content)
        parsed_rows = (
            _read_sheet_records(content) if stream is None else _read_text_records(stream, layout, quoting_counts)
        )
        with closing(parsed_rows) as rows:  # Closed here, before the caller closes the file.
            for header in rows:
                if _is_hint_for_excel(header):
                    continue
                if not is_legible(header):
                    raise WrongFileError("the header has letters that are no UTF-8, as the rows are. Save it as UTF-8.")
                names = _deduplicate_names(_complete_header(header, layout.shape)) if has_header else header
                yield names
                break
            yield from _trim_rows(rows, len(names)) if layout.shape == "trailing_delimiter" else rows


def _is_hint_for_excel(row: Sequence[str]) -> bool:
    """Return whether a row is "sep=;", a hint about the delimiter for Excel."""
    return len(row) <= 2 and row[0].lower().startswith("sep=")


def _complete_header(header: list[str], shape: str) -> list[str]:
    if shape == "row_names":
        return ["", *header]
    return remove_empty_ends(header) if shape == "header_delimiter" else header


def remove_empty_ends(names: Sequence[str]) -> list[str]:
    """Return the names of a header without empty names at the end, whether or not a number makes these distinct."""
    count = len(names)
    while count and _EMPTY_OR_NUMBERED.fullmatch(names[count - 1]):
        count -= 1
    return list(names[:count])


def _trim_rows(rows: Iterable[list[str]], width: int) -> Iterator[list[str]]:
    for row in rows:
        yield row[:width] if len(row) > width and not any(row[width:]) else row


def is_legible(fields: Iterable[str]) -> bool:
    """Return whether all fields of one or more records are text, without undecodable bytes."""
    try:
        "".join(fields).encode()
    except UnicodeEncodeError:
        return False
    return True


def read_header(content: BinaryIO, layout: Layout) -> tuple[str, ...]:
    """Return the names in the header."""
    with closing(read_records(content, layout)) as rows:
        return tuple(next(rows, []))


def _read_text_records(
    stream: BinaryIO, layout: Layout, quoting_counts: Counter[str] | None
) -> Generator[list[str], None, None]:
    is_forgiving = layout.encoding == "utf-8" or is_single_byte(layout.encoding)
    text = io.TextIOWrapper(stream, layout.encoding, "surrogateescape" if is_forgiving else "strict", newline="")
    try:
        if layout.quoting in ("doubled", "backslash", "escaped"):
            counter = quoting_counts if quoting_counts is not None else Counter()
            yield from read_either_dialect(text, layout.delimiter, layout.quoting, counter)
        else:
            yield from _split_records(text, layout)
    finally:
        text.detach()


def _split_records(text: io.TextIOWrapper, layout: Layout) -> Iterator[list[str]]:
    previous: list[str] = []
    try:
        for record in csv.reader(_iterate_lines(text), delimiter=layout.delimiter, strict=layout.quoting == "strict"):
            if record:
                if previous:
                    yield previous
                previous = record
    except csv.Error as error:
        if "unexpected end" in str(error):
            raise WrongFileError(UNCLOSED_QUOTE_MESSAGE) from error
        if "expected after" not in str(error):
            raise
        raise LooseQuotationError(f"a quotation mark within quotation marks is not doubled ({error}).") from error
    if previous != [_END_MARKER]:
        raise WrongFileError(UNCLOSED_QUOTE_MESSAGE)


def _iterate_lines(text: io.TextIOWrapper) -> Iterator[str]:
    while line := text.readline(_MAX_LINE_LENGTH):
        if len(line) == _MAX_LINE_LENGTH:  # Else a file without line ends would become one line in memory.
            raise WrongFileError(f"a line is longer than {_MAX_LINE_LENGTH} characters: this is no table of rows.")
        yield replace_nul(line)
    # The csv module accepts an open quotation at the end of a file. If no quotation is open, the marker becomes a
    # record of its own; otherwise it becomes a part of the last field.
    yield "\n"
    yield _END_MARKER


def _read_sheet_records(content: BinaryIO) -> Generator[list[str], None, None]:
    """Yield the rows of a workbook's first sheet."""
    import pandas

    content.seek(0)
    try:
        sheet = pandas.read_excel(
            content, engine="calamine", header=None, dtype=object, keep_default_na=False, na_filter=False
        )
    except Exception as error:
        # calamine's errors have no common class. All of them are due to the file.
        raise WrongFileError(f"the spreadsheet is broken, locked or not a spreadsheet ({error}).") from error
    if sheet.empty:
        raise WrongFileError("the file is empty: its first sheet has no cells.")
    for row in sheet.itertuples(index=False, name=None):
        record = [_format_cell(cell) for cell in row]
        if any(record):
            yield record


def _format_cell(cell: object) -> str:
    if cell is None or cell != cell:
        return ""
    if isinstance(cell, datetime.datetime) and cell.time() == datetime.time():
        return cell.date().isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return replace_nul(str(cell))


def _deduplicate_names(names: list[str]) -> list[str]:
    result: dict[str, None] = {}
    counts: dict[str, int] = {}
    for name in names:
        unique_name = name
        while unique_name in result:
            counts[name] = counts.get(name, 1) + 1
            unique_name = f"{name} ({counts[name]})"
        result[unique_name] = None
    return list(result)
