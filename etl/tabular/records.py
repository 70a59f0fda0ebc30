"""The records of a file as lists of text."""

import csv
import datetime
import io
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from typing import BinaryIO

from etl.errors import WrongFileError
from etl.tabular.container import breakage_explained, unpacked
from etl.tabular.layout import Layout

_LONGEST_LINE = 1 << 25
_END = "\ufdd0 end of file"


def records(content: BinaryIO, layout: Layout) -> Generator[list[str], None, None]:
    """The records of a file, its header first; names in the header are made different by a number.

    :param content: seekable.
    :raises WrongFileError: where the file ends within quotation marks, or is broken. Bytes below the header that are no
        UTF-8 where all else is become halves of surrogate pairs; see ``is_legible``.
    """
    with breakage_explained():
        plain = unpacked(content)
        found = _sheet_records(content) if plain is None else _text_records(plain, layout)
        with closing(found) as rows:  # before whoever opened the file closes it
            for header in rows:
                if not is_legible(header):
                    raise WrongFileError("the header has letters that are no UTF-8, as the rows are. Save it as UTF-8.")
                yield _distinct(header)
                break
            yield from rows


def is_legible(fields: Iterable[str]) -> bool:
    """Whether all fields of one or more records are text, which bytes that are no UTF-8 are not."""
    try:
        "".join(fields).encode()
    except UnicodeEncodeError:
        return False
    return True


def count_rows(content: BinaryIO, layout: Layout) -> tuple[tuple[str, ...], int]:
    """The names in the header and the number of records below it, after reading everything.

    :raises WrongFileError: as ``records``, and where there is no record or the last one breaks off.
    """
    rows = records(content, layout)
    columns = tuple(next(rows, []))
    count, last = 0, list(columns)
    for count, last in enumerate(rows, start=1):  # noqa: B007
        pass
    if not count:
        raise WrongFileError("the file has a header but no rows.")
    if len(last) < len(columns):
        raise WrongFileError(
            f"the file breaks off: its last row has {len(last)} of {len(columns)} fields. Get it again, whole."
        )
    return columns, count


def header(content: BinaryIO, layout: Layout) -> tuple[str, ...]:
    """The names in the header alone."""
    with closing(records(content, layout)) as rows:
        return tuple(next(rows, []))


def _text_records(plain: BinaryIO, layout: Layout) -> Generator[list[str], None, None]:
    errors = "surrogateescape" if layout.encoding == "utf-8" else "strict"
    text = io.TextIOWrapper(plain, layout.encoding, errors, newline="")
    try:
        last: list[str] = []
        for record in csv.reader(_lines(text), delimiter=layout.delimiter):
            if record:
                if last:
                    yield last
                last = record
    finally:
        text.detach()
    if last != [_END]:
        raise WrongFileError("the file ends within a quotation: it breaks off, or a quotation mark is missing.")


def _lines(text: io.TextIOWrapper) -> Iterator[str]:
    while line := text.readline(_LONGEST_LINE):
        if len(line) == _LONGEST_LINE:  # without a bound, a file without ends of lines would be one line in memory
            raise WrongFileError(f"a line is longer than {_LONGEST_LINE} characters: this is no table of rows.")
        yield line.replace("\0", "\ufffd") if "\0" in line else line
    # The csv module takes an open quotation at the end for closed; whether these two lines come out as a record of
    # their own tells the difference.
    yield "\n"
    yield _END


def _sheet_records(content: BinaryIO) -> Generator[list[str], None, None]:
    """The rows of a workbook's first sheet."""
    import pandas

    content.seek(0)
    try:
        sheet = pandas.read_excel(
            content, engine="calamine", header=None, dtype=object, keep_default_na=False, na_filter=False
        )
    except Exception as error:
        # Whatever calamine trips over, there is one thing to say about it: the file, not the program, is at fault.
        raise WrongFileError(f"the spreadsheet is broken, locked or not a spreadsheet ({error}).") from error
    if sheet.empty:
        raise WrongFileError("the file is empty: its first sheet has no cells.")
    for row in sheet.itertuples(index=False, name=None):
        record = [_cell_text(cell) for cell in row]
        if any(record):
            yield record


def _cell_text(cell: object) -> str:
    if cell is None or cell != cell:
        return ""
    if isinstance(cell, datetime.datetime) and cell.time() == datetime.time():
        return cell.date().isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).replace("\0", "\ufffd")


def _distinct(names: list[str]) -> list[str]:
    result: dict[str, None] = {}
    counts: dict[str, int] = {}
    for name in names:
        different = name
        while different in result:
            counts[name] = counts.get(name, 1) + 1
            different = f"{name} ({counts[name]})"
        result[different] = None
    return list(result)
