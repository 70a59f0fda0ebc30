"""The notation of numbers and dates in a file, and their conversion into plain notation: 1234.5 and 2019-06-14.

A text with one possible meaning has that meaning: 0,676 has a decimal comma, 1.234.567 has thousands separators. For an
ambiguous text (1,412 or 05.06.2019) the whole file decides: values with one possible meaning count, and so do values
that are within the range of their column in one reading only.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal

from etl.formats.kaggle.column_rules import BLANKS, GROUPED_NUMBER, ColumnRule

DateOrder = Literal["", "ymd", "dmy", "mdy", "year"]
"""No rewriting needed; the year first; the day first; the month first; undecided, so that only the year is known."""

_MIN_TRACK_MS, _MAX_TRACK_MS = 4_000, 200_000_000
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(?:([.,])\d{3})(?:\1\d{3})*")
_SINGLE_MARK = re.compile(r"([+-]?\d*)[.,](\d+(?:[eE][+-]?\d{1,4})?|\d*)")
_GROUPED_WITH_DECIMALS = re.compile(r"([+-]?[1-9]\d{0,2}(?:([.,])\d{3})(?:\2\d{3})*)([.,])(\d+(?:[eE][+-]?\d{1,4})?)")
_SPACED = re.compile(r"[+-]?\d{1,3}(?:[ \u00a0\u202f'’]\d{3})+(?:[.,]\d+)?")
_MINUS_SIGNS = str.maketrans("\u2212–", "--")
_SPACES = str.maketrans("", "", " \u00a0\u202f'’")
_TIME = r"(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?: ?[AP]M)?(?:Z|[+-]\d{2}:?\d{2})?)?"
_YEAR_LAST = re.compile(rf"(\d{{1,2}})((?:[./-] ?| ))(\d{{1,2}})\2(\d{{4}})\.?{_TIME}", re.IGNORECASE)
_YEAR_FIRST = re.compile(rf"(\d{{4}})((?:[./-] ?))(\d{{1,2}})(?:\2(\d{{1,2}}))?\.?{_TIME}", re.IGNORECASE)
_MONTH_AND_YEAR = re.compile(r"(\d{1,2})[./-](\d{4})")
_NONSTANDARD_IN_NUMBERS = re.compile(r"[,'’ \u00a0\u202f\u2212–]")
_YEAR_AS_NUMBER = re.compile(r"([12])[.,'’ \u00a0\u202f]?(\d{3})(?:[.,]0+)?")
_NONSTANDARD_IN_DATES = re.compile(r"[./, :T'’\u00a0\u202f]|\d-\d{4}")


def may_need_rewriting(joined: str, is_date: bool, is_whole_number: bool) -> bool:
    """Return whether a value may not be in plain notation.

    :param joined: the concatenated values of a column.
    """
    if is_date:
        return bool(_NONSTANDARD_IN_DATES.search(joined))
    if is_whole_number and "." in joined:
        return True
    has_no_marks = joined.isascii() and "," not in joined and " " not in joined and "'" not in joined
    return not has_no_marks and bool(_NONSTANDARD_IN_NUMBERS.search(joined))


@lru_cache(maxsize=1 << 16)
def normalize_number(text: str, decimal: str) -> str:
    """Return a number in plain notation; text that is not a number is returned unchanged.

    :param decimal: "." or ",": the decimal mark of ambiguous texts.
    """
    text = text.strip(BLANKS).translate(_MINUS_SIGNS)
    if text.isascii() and text.replace("-", "", 1).isdigit():
        return text
    if _SPACED.fullmatch(text):
        text = text.translate(_SPACES)
    with_decimals = _GROUPED_WITH_DECIMALS.fullmatch(text)
    if with_decimals and with_decimals[2] != with_decimals[3]:
        return f"{with_decimals[1].replace(with_decimals[2], '')}.{with_decimals[4]}"
    grouped = _GROUPED.fullmatch(text)
    if grouped and (text.count(grouped[1]) > 1 or grouped[1] != decimal):
        return text.replace(grouped[1], "")
    single_mark = _SINGLE_MARK.fullmatch(text)
    return text.replace(",", ".") if single_mark else text


def normalize_number_in_range(rule: ColumnRule, decimal: str, text: str) -> str:
    """Return a number in plain notation.

    An ambiguous text is read by the file's decimal mark, unless only the other reading is within the column's range.
    """
    by_file_mark = normalize_number(text, decimal)
    if _is_plausible(by_file_mark, rule):
        return by_file_mark
    by_other_mark = normalize_number(text, "." if decimal == "," else ",")
    return by_other_mark if by_other_mark != by_file_mark and _is_plausible(by_other_mark, rule) else by_file_mark


def detect_decimal_mark(columns: Iterable[tuple[ColumnRule, Iterable[str]]]) -> tuple[str, bool]:
    """Return the decimal mark of a file, and whether any value has to be rewritten.

    :param columns: the rule and some values of each column of numbers.
    """
    commas = points = 0
    needs_rewriting = False
    for rule, values in columns:
        for text in values:
            by_comma, by_point = normalize_number(text, ","), normalize_number(text, ".")
            if by_comma != by_point:
                is_comma, is_point = _is_plausible(by_comma, rule), _is_plausible(by_point, rule)
                if is_comma and is_point and rule.kind == "whole":  # Three zeros do not follow a decimal mark.
                    is_comma, is_point = "." not in by_comma, "." not in by_point
                commas += is_comma and not is_point
                points += is_point and not is_comma
            elif "," in text and "." in by_point:
                commas += 1
            elif "." in text and "." in by_point:
                points += 1
            written = normalize_number_in_range(rule, ".", text)
            needs_rewriting = needs_rewriting or (
                written != text.strip(BLANKS) and not _is_grouped_duration(text, rule)
            )
    return ("," if commas > points else "."), needs_rewriting or commas > points


def _is_grouped_duration(text: str, rule: ColumnRule) -> bool:
    """Return whether a text is a duration with commas as thousands separators."""
    return rule.kind == "duration" and bool(re.match(GROUPED_NUMBER, text.strip(BLANKS)))


def _is_plausible(text: str, rule: ColumnRule) -> bool:
    try:
        number = float(text)
    except ValueError:
        return False
    if rule.kind == "duration":
        return _MIN_TRACK_MS <= number * rule.unit_ms <= _MAX_TRACK_MS
    return rule.minimum <= number <= rule.maximum and (rule.kind == "number" or number.is_integer())


@lru_cache(maxsize=1 << 16)
def normalize_date(text: str, order: DateOrder) -> str:
    """Return a date as 2019-06-14, 2019-06 or 2019; text that is not a date is returned unchanged."""
    text = text.strip(BLANKS)
    year = _YEAR_AS_NUMBER.fullmatch(text)
    if year:
        return year[1] + year[2]
    year_first = _YEAR_FIRST.fullmatch(text)
    if year_first:
        return "-".join([year_first[1], *(f"{int(number):02}" for number in (year_first[3], year_first[4]) if number)])
    year_last = _YEAR_LAST.fullmatch(text)
    if year_last and order in ("dmy", "mdy", "year"):
        return _format_date(int(year_last[1]), int(year_last[3]), year_last[4], order)
    month_and_year = _MONTH_AND_YEAR.fullmatch(text)
    return f"{month_and_year[2]}-{int(month_and_year[1]):02}" if month_and_year else text


def _format_date(first_number: int, second_number: int, year: str, order: DateOrder) -> str:
    """Return a date from its day and month in either order; only its year if the order is undecided and ambiguous."""
    if order == "year" and first_number <= 12 and second_number <= 12 and first_number != second_number:
        return year
    is_day_first = first_number > 12 if order == "year" else order == "dmy"
    day, month = (first_number, second_number) if is_day_first else (second_number, first_number)
    return f"{year}-{month:02}-{day:02}"


def detect_date_order(values: Iterable[str]) -> tuple[DateOrder, list[str]]:
    """Return the order of the dates of a column; if it is undecided, also the dates that are reduced to their year."""
    max_first, max_second, ambiguous_dates, needs_rewriting = 0, 0, [], False
    for text in values:
        match = _YEAR_LAST.fullmatch(text.strip(BLANKS))
        if match:
            max_first, max_second = max(max_first, int(match[1])), max(max_second, int(match[3]))
            ambiguous_dates.append(text)
        elif normalize_date(text, "ymd") != text.strip(BLANKS):
            needs_rewriting = True
    if not ambiguous_dates:
        return ("ymd" if needs_rewriting else ""), []
    if (max_first > 12) == (max_second > 12):
        return "year", [text for text in ambiguous_dates if len(normalize_date(text, "year")) == 4]
    return ("dmy" if max_first > 12 else "mdy"), []
