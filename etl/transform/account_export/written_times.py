"""Times as tools and services write them: seconds or milliseconds since 1970, or a date and a clock time.

A text is divided by patterns and put together again in one notation, so that no part of it is guessed: a time that fits
no pattern is NULL, and so is a date whose day and month could be either. A time without a zone is UTC, as the tools of
Last.fm write them.
"""

from collections.abc import Callable

from pyspark.sql import Column
from pyspark.sql import functions as F

_MICROSECONDS_OF_UNIT = {
    r"^[0-9]{9,10}(\.[0-9]+)?$": 1_000_000,
    r"^[0-9]{12,13}(\.[0-9]+)?$": 1000,
    r"^[0-9]{15,16}$": 1,
}
"""The units of numbers, by their digits."""

_CLOCK = (
    r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})([.][0-9]{1,9})?)?"
    r"(?: ?([ap])[.]?m[.]?)?(?: ?(z|utc|gmt|[+-][0-9]{2}:?[0-9]{2}))?$"
)
_CLOCK_PARTS = "$4|$5|$6|$7|$8|$9"
_LAYOUTS = {
    r"^([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})(?:t| )": "$1|$2|$3",
    r"^([0-9]{1,2})(?:st|nd|rd|th|[.])? ([a-z]{3,9})[.]? ([0-9]{4})(?: at)? ": "$3|$2|$1",
    r"^([a-z]{3,9})[.]? ([0-9]{1,2})(?:st|nd|rd|th)? ([0-9]{4})(?: at)? ": "$3|$1|$2",
    r"^(1[3-9]|[23][0-9])[-/.]([0-9]{1,2})[-/.]([0-9]{4}) ": "$3|$2|$1",
    r"^([0-9]{1,2})[-/.](1[3-9]|[23][0-9])[-/.]([0-9]{4}) ": "$3|$1|$2",
}
"""The patterns of dates, and the year, month and day in their groups."""
_AMBIGUOUS_LAYOUTS = {
    "dmy": (r"^([0-9]{1,2})[-/.]([0-9]{1,2})[-/.]([0-9]{4}) ", "$3|$2|$1"),
    "mdy": (r"^([0-9]{1,2})[-/.]([0-9]{1,2})[-/.]([0-9]{4}) ", "$3|$1|$2"),
}
_DOTTED = (r"^([0-9]{1,2})[.]([0-9]{1,2})[.]([0-9]{4}) ", "$3|$2|$1")

_BLANKS = r"[,\s\x{00A0}\x{202F}]+"
_WEEKDAY = r"^(mon|tue|wed|thu|fri|sat|sun)[a-z]*[.]? "
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def parse_written_time(text: Column, date_order: Column) -> Column:
    """Parse a time; NULL if it is none.

    :param date_order: dmy or mdy for dates such as 3/4/2024; if NULL, such a date is read only if a number above 12 or
        dots (3.4.2024) decide.
    """
    words = F.regexp_replace(F.regexp_replace(F.lower(F.trim(text)), _BLANKS, " "), _WEEKDAY, "")
    written = _bind(words, lambda bound_words: _bind(_divide(bound_words, date_order), _build_time))
    return F.coalesce(_parse_number(text), written)


def _bind(value: Column, build: Callable[[Column], Column]) -> Column:
    """Return an expression of a value that it refers to several times, without a copy of the value for each."""
    return F.element_at(F.transform(F.array(value), build), 1)


def _parse_number(text: Column) -> Column:
    time = F.lit(None).cast("timestamp")
    for pattern, factor in _MICROSECONDS_OF_UNIT.items():
        microseconds = (text.cast("decimal(26,6)") * factor).cast("bigint")
        time = F.when(text.rlike(pattern), F.timestamp_micros(microseconds)).otherwise(time)
    return time


def _divide(words: Column, date_order: Column) -> Column:
    """Return year, month, day, and the parts of the clock time, each after a bar; NULL if no pattern fits."""
    divided = F.lit(None).cast("string")
    ambiguous = [
        (words.rlike(pattern + _CLOCK) & (date_order == order), pattern, parts)
        for order, (pattern, parts) in _AMBIGUOUS_LAYOUTS.items()
    ]
    unambiguous = [(words.rlike(pattern + _CLOCK), pattern, parts) for pattern, parts in (*_LAYOUTS.items(), _DOTTED)]
    # The last condition is checked first: dots decide only where neither a number nor the file does.
    layouts = [unambiguous[-1], *ambiguous, *unambiguous[:-1]]
    for is_fitting, pattern, parts in layouts:
        divided = F.when(is_fitting, F.regexp_replace(words, pattern + _CLOCK, f"{parts}|{_CLOCK_PARTS}")).otherwise(
            divided
        )
    return divided


def _build_time(divided: Column) -> Column:
    """Return the time of a date and a clock time of 12 or 24 hours."""
    year, month, day, hour, minute, second, fraction, half, zone = (
        F.split_part(divided, F.lit("|"), F.lit(number)) for number in range(1, 10)
    )
    hour_of_half = hour.cast("int") % 12 + F.when(half == "p", 12).otherwise(0)
    hour_of_day = F.when(half == "", hour.cast("int")).when(hour.cast("int").between(1, 12), hour_of_half)
    zone_name = F.when(zone.isin("", "z", "utc", "gmt"), "Z").otherwise(F.regexp_replace(zone, "^(...)(..)$", "$1:$2"))
    dash, colon = F.lit("-"), F.lit(":")
    date = F.concat(year, dash, F.lpad(_parse_month(month), 2, "0"), dash, F.lpad(day, 2, "0"))
    seconds = F.when(second == "", "00").otherwise(second)
    clock_time = F.concat(F.lpad(hour_of_day.cast("string"), 2, "0"), colon, minute, colon, seconds)
    return F.try_to_timestamp(F.concat(date, F.lit(" "), clock_time, fraction, zone_name))


def _parse_month(month: Column) -> Column:
    """Return the number of a month, from a number or a name."""
    position = F.array_position(F.array(*map(F.lit, _MONTHS)), F.substring(month, 1, 3))
    return F.when(month.rlike("^[0-9]+$"), month).otherwise(position.cast("string"))
