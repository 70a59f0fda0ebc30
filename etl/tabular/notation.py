"""How numbers and dates are written in a file, and what they are in plain writing: 1234.5 and 2019-06-14.

What a text can only mean, it means: 0,676 has a decimal comma, 1.234.567 sets thousands apart. What it could mean in
two ways (1,412 or 05.06.2019) the whole file decides: by values that can be read in one way alone, and by those that
only one way brings into the range of their column.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal

from etl.column_rules import BLANKS, GROUPED_NUMBER, Rule

DateOrder = Literal["", "ymd", "dmy", "mdy", "year"]
"""Nothing to do; the year stands first; the day; the month; undecided, so that only the year is known."""

_SHORTEST_TRACK_MS, _LONGEST_TRACK_MS = 4_000, 200_000_000
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(?:([.,])\d{3})(?:\1\d{3})*")
_ONE_MARK = re.compile(r"([+-]?\d*)[.,](\d+(?:[eE][+-]?\d{1,4})?|\d*)")
_TWO_MARKS = re.compile(r"([+-]?[1-9]\d{0,2}(?:([.,])\d{3})(?:\2\d{3})*)([.,])(\d+(?:[eE][+-]?\d{1,4})?)")
_SPACED = re.compile(r"[+-]?\d{1,3}(?:[ \u00a0\u202f'’]\d{3})+(?:[.,]\d+)?")
_MINUS_SIGNS = str.maketrans("\u2212–", "--")
_SPACES = str.maketrans("", "", " \u00a0\u202f'’")
_TIME = r"(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?: ?[AP]M)?(?:Z|[+-]\d{2}:?\d{2})?)?"
_YEAR_LAST = re.compile(rf"(\d{{1,2}})((?:[./-] ?| ))(\d{{1,2}})\2(\d{{4}})\.?{_TIME}", re.IGNORECASE)
_YEAR_FIRST = re.compile(rf"(\d{{4}})((?:[./-] ?))(\d{{1,2}})(?:\2(\d{{1,2}}))?\.?{_TIME}", re.IGNORECASE)
_MONTH_AND_YEAR = re.compile(r"(\d{1,2})[./-](\d{4})")
_ODD_IN_NUMBERS = re.compile(r"[,'’ \u00a0\u202f\u2212–]")
_YEAR_AS_NUMBER = re.compile(r"([12])[.,'’ \u00a0\u202f]?(\d{3})(?:[.,]0+)?")
_ODD_IN_DATES = re.compile(r"[./, :T'’\u00a0\u202f]|\d-\d{4}")


def may_need_rewriting(joined: str, is_date: bool, is_whole: bool) -> bool:
    """Whether there may be a value that is not in plain writing.

    :param joined: the values of a column, one after the other.
    """
    if is_date:
        return bool(_ODD_IN_DATES.search(joined))
    if is_whole and "." in joined:
        return True
    is_plain = joined.isascii() and "," not in joined and " " not in joined and "'" not in joined
    return not is_plain and bool(_ODD_IN_NUMBERS.search(joined))


@lru_cache(maxsize=1 << 16)
def plain_number(text: str, decimal: str) -> str:
    """A number in plain writing; what is none is left as it is.

    :param decimal: "." or ",", which decides of texts that could have either.
    """
    text = text.strip(BLANKS).translate(_MINUS_SIGNS)
    if text.isascii() and text.replace("-", "", 1).isdigit():
        return text
    if _SPACED.fullmatch(text):
        text = text.translate(_SPACES)
    both = _TWO_MARKS.fullmatch(text)
    if both and both[2] != both[3]:
        return f"{both[1].replace(both[2], '')}.{both[4]}"
    grouped = _GROUPED.fullmatch(text)
    if grouped and (text.count(grouped[1]) > 1 or grouped[1] != decimal):
        return text.replace(grouped[1], "")
    one = _ONE_MARK.fullmatch(text)
    return text.replace(",", ".") if one else text


def number_within(rule: Rule, decimal: str, text: str) -> str:
    """A number in plain writing; of two ways to read it, the file's unless only the other fits its column."""
    own = plain_number(text, decimal)
    if _is_plausible(own, rule):
        return own
    other = plain_number(text, "." if decimal == "," else ",")
    return other if other != own and _is_plausible(other, rule) else own


def decimal_mark(columns: Iterable[tuple[Rule, Iterable[str]]]) -> tuple[str, bool]:
    """The decimal mark of a file, and whether any value needs rewriting under it.

    :param columns: the rule and some values of each column of numbers.
    """
    commas = points = 0
    is_rewritten = False
    for rule, values in columns:
        for text in values:
            by_comma, by_point = plain_number(text, ","), plain_number(text, ".")
            if by_comma != by_point:
                is_comma, is_point = _is_plausible(by_comma, rule), _is_plausible(by_point, rule)
                if is_comma and is_point and rule.kind == "whole":  # nobody writes three zeros behind a mark
                    is_comma, is_point = "." not in by_comma, "." not in by_point
                commas += is_comma and not is_point
                points += is_point and not is_comma
            elif "," in text and "." in by_point:
                commas += 1
            elif "." in text and "." in by_point:
                points += 1
            written = number_within(rule, ".", text)
            is_rewritten = is_rewritten or (written != text.strip(BLANKS) and not _is_read_as_it_is(text, rule))
    return ("," if commas > points else "."), is_rewritten or commas > points


def _is_read_as_it_is(text: str, rule: Rule) -> bool:
    """Whether a text is a duration with commas between its thousands."""
    return rule.kind == "duration" and bool(re.match(GROUPED_NUMBER, text.strip(BLANKS)))


def _is_plausible(text: str, rule: Rule) -> bool:
    try:
        number = float(text)
    except ValueError:
        return False
    if rule.kind == "duration":
        return _SHORTEST_TRACK_MS <= number * rule.unit_ms <= _LONGEST_TRACK_MS
    return rule.low <= number <= rule.high and (rule.kind == "number" or number.is_integer())


@lru_cache(maxsize=1 << 16)
def plain_date(text: str, order: DateOrder) -> str:
    """A date as 2019-06-14, 2019-06 or 2019; what is none is left as it is."""
    text = text.strip(BLANKS)
    year = _YEAR_AS_NUMBER.fullmatch(text)
    if year:
        return year[1] + year[2]
    first = _YEAR_FIRST.fullmatch(text)
    if first:
        return "-".join([first[1], *(f"{int(part):02}" for part in (first[3], first[4]) if part)])
    last = _YEAR_LAST.fullmatch(text)
    if last and order in ("dmy", "mdy", "year"):
        return _with_year_last(int(last[1]), int(last[3]), last[4], order)
    month_and_year = _MONTH_AND_YEAR.fullmatch(text)
    return f"{month_and_year[2]}-{int(month_and_year[1]):02}" if month_and_year else text


def _with_year_last(one: int, two: int, year: str, order: DateOrder) -> str:
    """A date of day and month, or month and day; its year alone where neither the order nor the date itself tells."""
    if order == "year" and one <= 12 and two <= 12 and one != two:
        return year
    is_day_first = one > 12 if order == "year" else order == "dmy"
    day, month = (one, two) if is_day_first else (two, one)
    return f"{year}-{month:02}-{day:02}"


def date_order(values: Iterable[str]) -> tuple[DateOrder, list[str]]:
    """How the dates of a column are written; and where that stays open, those of which only the year is known."""
    firsts, seconds, open_ones, is_rewritten = 0, 0, [], False
    for text in values:
        last = _YEAR_LAST.fullmatch(text.strip(BLANKS))
        if last:
            firsts, seconds = max(firsts, int(last[1])), max(seconds, int(last[3]))
            open_ones.append(text)
        elif plain_date(text, "ymd") != text.strip(BLANKS):
            is_rewritten = True
    if not open_ones:
        return ("ymd" if is_rewritten else ""), []
    if (firsts > 12) == (seconds > 12):
        return "year", [text for text in open_ones if len(plain_date(text, "year")) == 4]
    return ("dmy" if firsts > 12 else "mdy"), []
