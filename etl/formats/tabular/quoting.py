"""Records of text whose quotation marks follow two rules.

RFC 4180 doubles a quotation mark within a quoted field. Spark's CSV writer puts a backslash before it, and before a
backslash. Each record is parsed strictly in both dialects. If it is valid in one dialect only, that one applies. If it
is valid in both and they differ, the number of fields decides, then the dialect of most records of the file. If it is
valid in neither, the record cannot be parsed.

Other writers put a backslash before a quotation mark outside of quoted fields too, where neither dialect leaves a
quotation mark. A backslash therefore escapes a quotation mark anywhere. In files of such writers it also escapes a
backslash, a delimiter and the end of a line.
"""

import io
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from etl.errors import WrongFileError
from etl.formats.tabular.container import replace_nul

_WINDOW_LENGTH = 1 << 20
_MAX_RECORD_LENGTH = 1 << 25
_BACKSLASH_ESCAPE = re.compile(r'\\(["\\])')
_BACKSLASH_QUOTE = '\\"'
UNCLOSED_QUOTE_MESSAGE = "the file ends within a quotation: it breaks off, or a quotation mark is missing."


class UnparsableRecord(list[str]):
    """A record that cannot be split into fields; its only element is its whole text."""


@dataclass(frozen=True)
class _QuotingDialect:
    quoted: re.Pattern[str]
    plain: re.Pattern[str]
    unescape_quoted: Callable[[str], str]
    unescape_plain: Callable[[str], str]


def _build_dialects(delimiter: str, quoting: str) -> tuple[_QuotingDialect, _QuotingDialect]:
    end = rf"(?=[{re.escape(delimiter)}\r\n]|\Z)"
    plain = re.compile(rf"[^{re.escape(delimiter)}\r\n]*")
    doubled = re.compile(rf'"((?:[^"]++|"")*+)"{end}')
    escaped = re.compile(rf'"((?:[^"\\]++|\\.)*+)"{end}', re.DOTALL)
    escape = re.compile(rf'\\(["\\\r\n{re.escape(delimiter)}])')

    def remove_escapes(text: str) -> str:
        return _BACKSLASH_ESCAPE.sub(r"\1", text)

    def remove_quote_escapes(text: str) -> str:
        return remove_escapes(text) if _BACKSLASH_QUOTE in text else text

    standard = _QuotingDialect(doubled, plain, lambda text: text.replace('""', '"'), remove_quote_escapes)
    if quoting != "escaped":
        return standard, _QuotingDialect(escaped, plain, remove_escapes, remove_quote_escapes)
    plain_escaped = re.compile(rf"(?:[^\\{re.escape(delimiter)}\r\n]++|\\(?:\r\n|.)?)*+", re.DOTALL)
    return standard, _QuotingDialect(escaped, plain_escaped, remove_escapes, lambda text: escape.sub(r"\1", text))


def read_either_dialect(
    text: io.TextIOWrapper, delimiter: str, quoting: str, quoting_counts: Counter[str]
) -> Iterator[list[str]]:
    """Yield the records of a text, each parsed in the dialect that fits it.

    :param quoting: ``doubled``, or ``backslash`` or ``escaped`` to prefer the backslash for records valid in both
        dialects.
    :param quoting_counts: counts, under ``doubled`` and ``backslash``, the records that are valid in one dialect only;
        under ``escaped``, those with a backslash before a quotation mark outside of quoted fields.
    :raises WrongFileError: if the text ends within a quoted field, or a record is too long.
    """
    window = _TextWindow(text)
    dialects = _build_dialects(delimiter, quoting)
    width = 0
    while window.has_more():
        doubled, backslash = (window.read_record(dialect, delimiter) for dialect in dialects)
        if doubled is None and backslash is None:
            yield UnparsableRecord([window.skip_line()])
            continue
        if (doubled is None) != (backslash is None):
            quoting_counts["backslash" if doubled is None else "doubled"] += 1
        fields, end, is_escaped = _choose_record(doubled, backslash, width, quoting != "doubled")
        quoting_counts["escaped"] += is_escaped
        window.advance_to(end)
        if fields != [""]:
            width = width or len(fields)
            yield fields


_Record = tuple[list[str], int, bool]
"""The fields, the end of the record, and whether a backslash precedes a quotation mark outside of quoted fields."""


def _choose_record(doubled: _Record | None, backslash: _Record | None, width: int, prefers_backslash: bool) -> _Record:
    candidates = [
        record for record in ((backslash, doubled) if prefers_backslash else (doubled, backslash)) if record is not None
    ]
    return next((record for record in candidates if len(record[0]) == width), candidates[0])


class _TextWindow:
    """A window on a text that begins at the next record and grows as long as needed."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._source = text
        self._text, self._start, self._is_end = "", 0, False

    def has_more(self) -> bool:
        self._read_ahead(_WINDOW_LENGTH)
        return self._start < len(self._text)

    def advance_to(self, end: int) -> None:
        self._start = end

    def read_record(self, dialect: _QuotingDialect, delimiter: str) -> _Record | None:
        """Parse the next record in a dialect; return None if it is not valid in it."""
        size = _WINDOW_LENGTH
        while True:
            record = self._parse_record(dialect, delimiter)
            is_cut = record is None or record[1] >= len(self._text)
            if self._is_end or not is_cut or (record is None and size > _WINDOW_LENGTH):
                return record
            size *= 2
            if size > _MAX_RECORD_LENGTH:
                raise WrongFileError(
                    f"a line is longer than {_MAX_RECORD_LENGTH} characters: this is no table of rows."
                )
            self._read_ahead(size)

    def skip_line(self) -> str:
        """Return the next line, and advance past it.

        :raises WrongFileError: if it opens a quotation that the file does not close.
        """
        line_end = re.compile(r"\r\n|\n|\r|\Z").search(self._text, self._start)
        assert line_end
        line = self._text[self._start : line_end.start()]
        quote_count, remaining_text = line.count('"'), self._text[line_end.end() :]
        is_open = quote_count == 1 or (
            not remaining_text.strip() and (quote_count % 2 or (quote_count - line.count('\\"')) % 2)
        )
        if self._is_end and is_open and '"' not in remaining_text:
            raise WrongFileError(UNCLOSED_QUOTE_MESSAGE)
        self._start = line_end.end()
        return line

    def _parse_record(self, dialect: _QuotingDialect, delimiter: str) -> _Record | None:
        text, position, fields, is_escaped = self._text, self._start, [], False
        while True:
            is_quoted = text.startswith('"', position)
            match = (dialect.quoted if is_quoted else dialect.plain).match(text, position)
            if not match:
                return None
            is_escaped = is_escaped or (not is_quoted and _BACKSLASH_QUOTE in match[0])
            fields.append(dialect.unescape_quoted(match[1]) if is_quoted else dialect.unescape_plain(match[0]))
            position = match.end()
            if not text.startswith(delimiter, position):
                return fields, position + (2 if text.startswith("\r\n", position) else 1), is_escaped
            position += 1

    def _read_ahead(self, size: int) -> None:
        if self._is_end or len(self._text) - self._start >= size:
            return
        text = self._source.read(size)
        self._is_end = not text
        self._text = self._text[self._start :] + replace_nul(text)
        self._start = 0
