"""The validation rules of each column of a format, for the validation of a received file.

``transform.kaggle`` has the same rules as Spark expressions; a test compares the two. Before a file is stored, this
module decides which columns have numbers and dates, which words represent a missing value, and whether nearly all rows
would be rejected.
"""

import ast
import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

from etl.formats.contracts import AUDIO_FEATURES
from etl.formats.contracts.columns import MEASURES

if TYPE_CHECKING:
    from etl.formats.kaggle.file_formats import FileFormat

FieldKind = Literal["text", "names", "literal", "id", "ids", "number", "whole", "duration", "flag", "date"]

MAX_TEXT_LENGTH = 1000
BLANKS = " \t\r\n\u00a0\ufeff"
MISSING_WORDS = ("", "NA", "N/A", "NaN", "nan", "None", "NULL", "null")
"""The words for a missing number, id, date or flag. A missing name is empty text only: some artists are called None."""

NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?$"
GROUPED_NUMBER = r"^[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?$"
SPOTIFY_ID = "^[0-9A-Za-z]{22}$"
DATE = r"^([0-9]{4})(-([0-9]{2})(-([0-9]{2}))?)?$"
MAX_INT = 2**31 - 1
MAX_EXACT_DOUBLE_INTEGER = 2**53

_TEXTS = ("text", "names", "literal")
_TRUE_OR_FALSE = ("true", "1", "1.0", "false", "0", "0.0")
_YES_OR_NO = ("yes", "no")


@dataclass(frozen=True)
class ColumnRule:
    """The rule of a column's fields.

    Numbers and whole numbers are from ``minimum`` to ``maximum``; a duration is in units of ``unit_ms``; a flag is one
    of ``words``, in any case.
    """

    kind: FieldKind
    is_required: bool = False
    minimum: float = 0
    maximum: float = 0
    unit_ms: int = 1
    words: tuple[str, ...] = ()

    @property
    def is_number(self) -> bool:
        """Return whether its notation may depend on a locale."""
        return self.kind in ("number", "whole", "duration")

    @property
    def is_text(self) -> bool:
        """Return whether only empty text is a missing value."""
        return self.kind in _TEXTS


def build_number_rule(minimum: float, maximum: float) -> ColumnRule:
    return ColumnRule("number", minimum=minimum, maximum=maximum)


def build_whole_number_rule(minimum: float, maximum: float) -> ColumnRule:
    return ColumnRule("whole", minimum=minimum, maximum=maximum)


_TEXT, REQUIRED_TEXT = ColumnRule("text"), ColumnRule("text", is_required=True)
_ID, _OPTIONAL_ID = ColumnRule("id", is_required=True), ColumnRule("id")
PERCENTAGE, _FLAG = build_whole_number_rule(0, 100), ColumnRule("flag", words=_TRUE_OR_FALSE)
_DURATION = ColumnRule("duration", is_required=True)
_MEASURES = {
    **{name: build_number_rule(0, 1) for name in AUDIO_FEATURES},
    **{"loudness": build_number_rule(-100, 20), "tempo": build_number_rule(0, 1000)},
    **{
        "key": build_whole_number_rule(-1, 11),
        "mode": build_whole_number_rule(0, 1),
        "time_signature": build_whole_number_rule(0, 16),
    },
}
_RULES_BY_NAME: dict[str, ColumnRule] = {
    **{name: _MEASURES[name] for name in MEASURES},
    **{"popularity": PERCENTAGE, "track_popularity": PERCENTAGE, "explicit": _FLAG, "duration_ms": _DURATION},
    **{
        "followers": build_whole_number_rule(0, MAX_EXACT_DOUBLE_INTEGER),
        "track_id": _ID,
        "artist_id": _ID,
        "id": _ID,
    },
    **{"name": REQUIRED_TEXT, "track_name": REQUIRED_TEXT, "playlist_id": _OPTIONAL_ID, "album_id": _OPTIONAL_ID},
    **{
        "track_album_id": _OPTIONAL_ID,
        "release_date": ColumnRule("date"),
        "track_album_release_date": ColumnRule("date"),
    },
    **{"track_artist": ColumnRule("names", is_required=True), "artist_names": ColumnRule("names", is_required=True)},
}


@cache
def get_column_rules(file_format: "FileFormat") -> dict[str, ColumnRule]:
    """Return the rule of each column of a format."""
    by_name = _RULES_BY_NAME if file_format.has_common_columns else {}
    return {column: file_format.rules.get(column) or by_name.get(column) or _TEXT for column in file_format.columns}


def get_missing_words(file_format: "FileFormat", column: str) -> tuple[str, ...]:
    """Return the words for a missing value in a column."""
    if get_column_rules(file_format)[column].is_text:
        return ("", *file_format.missing_words)
    return MISSING_WORDS


def find_violation(file_format: "FileFormat", row: Mapping[str, str]) -> tuple[str, str] | None:
    """Return why a row would be rejected: the column, and a phrase that follows its name; None if the row is valid.

    :param row: text by column, with numbers and dates in the notation that ``transform.kaggle`` expects.
    """
    values = {column: _normalize_value(file_format, column, row[column]) for column in file_format.columns}
    if file_format.name == "user_behavior" and not any(row[column].strip(BLANKS) for column in file_format.columns):
        return "row", "has no answers"
    if file_format.name == "tracks_1921_2020":
        names, ids = _parse_list_literal(values["artists"]), _parse_list_literal(values["id_artists"])
        if names and "" not in names and (ids is None or len(ids) != len(names)):
            return "id_artists", "has not one id for each name"
    for column, rule in get_column_rules(file_format).items():
        phrase = _describe_violation(rule, values[column])
        if phrase:
            return column, phrase
    return None


def _normalize_value(file_format: "FileFormat", column: str, text: str) -> str:
    trimmed = text.strip(BLANKS)
    return "" if trimmed in get_missing_words(file_format, column) else trimmed


def _describe_violation(rule: ColumnRule, value: str) -> str | None:
    if not value:
        return "is missing" if rule.is_required else None
    match rule.kind:
        case "text":
            return f"is longer than {MAX_TEXT_LENGTH} characters" if len(value) > MAX_TEXT_LENGTH else None
        case "names":
            return (
                "names nobody"
                if rule.is_required and not any(name.strip(BLANKS) for name in value.split(";"))
                else None
            )
        case "literal" | "ids":
            return _describe_list_violation(rule, value)
        case "id":
            return None if re.match(SPOTIFY_ID, value) else "is not a Spotify id"
        case "flag":
            return None if value.lower() in rule.words else f"is neither {_join_with_nor(rule.words)}"
        case "date":
            return None if _is_date(value) else "is not a date"
        case _:
            return _describe_number_violation(rule, value)


def _describe_number_violation(rule: ColumnRule, value: str) -> str | None:
    if rule.kind == "duration":
        digits = value.replace(",", "") if re.match(GROUPED_NUMBER, value) else value
        duration_ms = float(digits) * rule.unit_ms if re.match(NUMBER, digits) else None
        if duration_ms is None:
            return "is not a number"
        return "is not above 0" if duration_ms < 0.5 else None if duration_ms <= MAX_INT else f"is above {MAX_INT}"
    number = float(value) if re.match(NUMBER, value) else None
    number_type = "whole number" if rule.kind == "whole" else "number"
    is_in_range = number is not None and rule.minimum <= number <= rule.maximum
    if is_in_range and (rule.kind == "number" or float(value).is_integer()):
        return None
    return f"is not a {number_type} from {rule.minimum:g} to {rule.maximum:.0f}"


def _describe_list_violation(rule: ColumnRule, value: str) -> str | None:
    items = _parse_list_literal(value)
    if items is None:
        return "is not a list"
    if rule.kind == "ids":
        has_only_ids = all(re.match(SPOTIFY_ID, item) for item in items)
        return None if has_only_ids else "holds something that is not a Spotify id"
    if rule.is_required and not items:
        return "names nobody"
    return "holds an empty name" if rule.is_required and "" in items else None


def _parse_list_literal(value: str) -> list[str] | None:
    """Parse a Python list literal of strings; return None for any other text."""
    try:
        literal = ast.literal_eval(value)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    if not isinstance(literal, list) or not all(isinstance(item, str) for item in literal):
        return None
    return [item.strip(BLANKS) for item in literal]


def _is_date(value: str) -> bool:
    match = re.match(DATE, re.sub(r"^([0-9]{4})\.0$", r"\1", value))
    if not match or match[1] == "0000":
        return match is not None
    try:
        datetime.date(int(match[1]), int(match[3] or 1) or 1, int(match[5] or 1) or 1)
    except ValueError:
        return False
    return True


def _join_with_nor(words: tuple[str, ...]) -> str:
    middle = len(words) // 2
    return f"{words[0]} nor {words[middle]}"
