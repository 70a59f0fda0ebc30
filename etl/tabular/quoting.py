"""Records of text whose quotation marks do not all follow one rule.

RFC 4180 doubles a quotation mark within quotation marks; Spark's CSV writer sets a backslash before it, and before a
backslash. Each record is read in both ways, strictly: where one way alone fits, it is taken; where both fit and
differ, the number of fields decides, then the way in which most of the file is written. Where neither fits, the record
is one that cannot be told.

Other writers set the backslash outside of quotation marks, too, where neither of the two leaves a quotation mark. So
one before a quotation mark masks it wherever it stands; and where a file is written so, before a backslash, a delimiter
and the end of a line.
"""

import io
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from etl.errors import WrongFileError

_WINDOW = 1 << 20
_LONGEST_RECORD = 1 << 25
_BACKSLASH_ESCAPE = re.compile(r'\\(["\\])')
_BACKSLASH_QUOTE = '\\"'
ENDS_IN_QUOTATION = "the file ends within a quotation: it breaks off, or a quotation mark is missing."


class Unreadable(list[str]):
    """A record that cannot be told apart into fields: its whole text."""


@dataclass(frozen=True)
class _Way:
    quoted: re.Pattern[str]
    plain: re.Pattern[str]
    unescaped: Callable[[str], str]
    unescaped_plain: Callable[[str], str]


def _ways(delimiter: str, quoting: str) -> tuple[_Way, _Way]:
    end = rf"(?=[{re.escape(delimiter)}\r\n]|\Z)"
    plain = re.compile(rf"[^{re.escape(delimiter)}\r\n]*")
    doubled = re.compile(rf'"((?:[^"]++|"")*+)"{end}')
    escaped = re.compile(rf'"((?:[^"\\]++|\\.)*+)"{end}', re.DOTALL)
    masked = re.compile(rf'\\(["\\\r\n{re.escape(delimiter)}])')

    def without_masks(text: str) -> str:
        return _BACKSLASH_ESCAPE.sub(r"\1", text)

    def without_masked_quotes(text: str) -> str:
        return without_masks(text) if _BACKSLASH_QUOTE in text else text

    standard = _Way(doubled, plain, lambda text: text.replace('""', '"'), without_masked_quotes)
    if quoting != "escaped":
        return standard, _Way(escaped, plain, without_masks, without_masked_quotes)
    plain_masked = re.compile(rf"(?:[^\\{re.escape(delimiter)}\r\n]++|\\(?:\r\n|.)?)*+", re.DOTALL)
    return standard, _Way(escaped, plain_masked, without_masks, lambda text: masked.sub(r"\1", text))


def read_either_way(text: io.TextIOWrapper, delimiter: str, quoting: str, told: Counter[str]) -> Iterator[list[str]]:
    """The records of a text.

    :param quoting: ``doubled``, or ``backslash`` or ``escaped`` where the backslash decides of what fits in both ways.
    :param told: counts, by ``doubled`` and ``backslash``, the records that fit in one way alone; by ``escaped`` those
        with a backslash before a quotation mark outside of quotation marks.
    :raises WrongFileError: where the text ends within a quotation, or a record is too long.
    """
    window = _Window(text)
    ways = _ways(delimiter, quoting)
    width = 0
    while window.has_more():
        doubled, backslash = (window.record(way, delimiter) for way in ways)
        if doubled is None and backslash is None:
            yield Unreadable([window.skip_line()])
            continue
        if (doubled is None) != (backslash is None):
            told["backslash" if doubled is None else "doubled"] += 1
        fields, end, is_escaped = _chosen(doubled, backslash, width, quoting != "doubled")
        told["escaped"] += is_escaped
        window.advance(end)
        if fields != [""]:
            width = width or len(fields)
            yield fields


_Record = tuple[list[str], int, bool]
"""The fields, where the record ends, and whether a backslash stands before a quotation mark outside of others."""


def _chosen(doubled: _Record | None, backslash: _Record | None, width: int, prefers_backslash: bool) -> _Record:
    both = [way for way in ((backslash, doubled) if prefers_backslash else (doubled, backslash)) if way is not None]
    return next((way for way in both if len(way[0]) == width), both[0])


class _Window:
    """A part of a text from where the next record begins, as long as it needs to be."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._source = text
        self._text, self._begin, self._is_end = "", 0, False

    def has_more(self) -> bool:
        self._fill(_WINDOW)
        return self._begin < len(self._text)

    def advance(self, end: int) -> None:
        self._begin = end

    def record(self, way: _Way, delimiter: str) -> _Record | None:
        """The next record; None where it does not fit."""
        size = _WINDOW
        while True:
            found = self._parse(way, delimiter)
            is_cut = found is None or found[1] >= len(self._text)
            if self._is_end or not is_cut or (found is None and size > _WINDOW):
                return found
            size *= 2
            if size > _LONGEST_RECORD:
                raise WrongFileError(f"a line is longer than {_LONGEST_RECORD} characters: this is no table of rows.")
            self._fill(size)

    def skip_line(self) -> str:
        """The next line, which is left out.

        :raises WrongFileError: where a quotation mark in it is the last of the file.
        """
        found = re.compile(r"\r\n|\n|\r|\Z").search(self._text, self._begin)
        assert found
        line = self._text[self._begin : found.start()]
        marks, rest = line.count('"'), self._text[found.end() :]
        is_open = marks == 1 or (not rest.strip() and (marks % 2 or (marks - line.count('\\"')) % 2))
        if self._is_end and is_open and '"' not in rest:
            raise WrongFileError(ENDS_IN_QUOTATION)
        self._begin = found.end()
        return line

    def _parse(self, way: _Way, delimiter: str) -> _Record | None:
        text, place, fields, is_escaped = self._text, self._begin, [], False
        while True:
            is_quoted = text.startswith('"', place)
            found = (way.quoted if is_quoted else way.plain).match(text, place)
            if not found:
                return None
            is_escaped = is_escaped or (not is_quoted and _BACKSLASH_QUOTE in found[0])
            fields.append(way.unescaped(found[1]) if is_quoted else way.unescaped_plain(found[0]))
            place = found.end()
            if not text.startswith(delimiter, place):
                return fields, place + (2 if text.startswith("\r\n", place) else 1), is_escaped
            place += 1

    def _fill(self, size: int) -> None:
        if self._is_end or len(self._text) - self._begin >= size:
            return
        more = self._source.read(size)
        self._is_end = not more
        self._text = self._text[self._begin :] + more.replace("\0", "\ufffd")
        self._begin = 0
