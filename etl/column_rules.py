"""What a field of each column of a format may hold, for the check of a file on its way in.

``transform.kaggle`` has the same rules as Spark's expressions; a test holds the two equal. Here they answer three
questions before a file is kept: which columns hold numbers and dates, which words stand for a missing value, and
whether nearly every row would be refused.
"""

import ast
import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from etl.formats import FORMATS, Format
from etl.schemas import AUDIO_FEATURES
from etl.schemas.columns import MEASURES

Kind = Literal["text", "names", "literal", "id", "ids", "number", "whole", "duration", "flag", "date"]

LONGEST_TEXT = 1000
BLANKS = " \t\r\n\u00a0\ufeff"
MISSING_WORDS = ("", "NA", "N/A", "NaN", "nan", "None", "NULL", "null")
"""What stands for a missing number, id, date or flag. Of names only the empty text does: artists are called None."""

NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?$"
GROUPED_NUMBER = r"^[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?$"
SPOTIFY_ID = "^[0-9A-Za-z]{22}$"
DATE = r"^([0-9]{4})(-([0-9]{2})(-([0-9]{2}))?)?$"
LARGEST_INT = 2**31 - 1
LARGEST_WHOLE_DOUBLE = 2**53

_TEXTS = ("text", "names", "literal")
_TRUE_OR_FALSE = ("true", "1", "1.0", "false", "0", "0.0")
_YES_OR_NO = ("yes", "no")


@dataclass(frozen=True)
class Rule:
    """What a field holds: a number or count from ``low`` to ``high``; a duration in units of so many ms."""

    kind: Kind
    is_required: bool = False
    low: float = 0
    high: float = 0
    unit_ms: int = 1
    words: tuple[str, ...] = ()

    @property
    def is_number(self) -> bool:
        """Whether a locale may have a way of its own to write it."""
        return self.kind in ("number", "whole", "duration")

    @property
    def is_text(self) -> bool:
        """Whether only the empty text is a missing value."""
        return self.kind in _TEXTS


def _number(low: float, high: float) -> Rule:
    return Rule("number", low=low, high=high)


def _whole(low: float, high: float) -> Rule:
    return Rule("whole", low=low, high=high)


_TEXT, _NAME = Rule("text"), Rule("text", is_required=True)
_ID, _OPTIONAL_ID = Rule("id", is_required=True), Rule("id")
_PERCENT, _FLAG = _whole(0, 100), Rule("flag", words=_TRUE_OR_FALSE)
_DURATION = Rule("duration", is_required=True)
_MEASURES = {
    **{name: _number(0, 1) for name in AUDIO_FEATURES},
    **{"loudness": _number(-100, 20), "tempo": _number(0, 1000)},
    **{"key": _whole(-1, 11), "mode": _whole(0, 1), "time_signature": _whole(0, 16)},
}
_BY_NAME: dict[str, Rule] = {
    **{name: _MEASURES[name] for name in MEASURES},
    **{"popularity": _PERCENT, "track_popularity": _PERCENT, "explicit": _FLAG, "duration_ms": _DURATION},
    **{"followers": _whole(0, LARGEST_WHOLE_DOUBLE), "track_id": _ID, "artist_id": _ID, "id": _ID},
    **{"name": _NAME, "track_name": _NAME, "playlist_id": _OPTIONAL_ID, "album_id": _OPTIONAL_ID},
    **{"track_album_id": _OPTIONAL_ID, "release_date": Rule("date"), "track_album_release_date": Rule("date")},
    **{"track_artist": Rule("names", is_required=True), "artist_names": Rule("names", is_required=True)},
}
_OF_FORMAT: dict[str, dict[str, Rule]] = {
    "tracks_by_genre": {"artists": Rule("names", is_required=True)},
    "tracks_1921_2020": {"artists": Rule("literal", is_required=True), "id_artists": Rule("ids")},
    "artists_1921_2020": {"genres": Rule("literal")},
    "top_2000s": {
        **{"Title": _NAME, "Artist": Rule("names", is_required=True), "Year": Rule("date")},
        **{"Beats Per Minute (BPM)": _number(0, 1000), "Loudness (dB)": _number(-100, 20), "Popularity": _PERCENT},
        **dict.fromkeys(("Energy", "Danceability", "Liveness", "Valence"), _number(0, 100)),
        **dict.fromkeys(("Acousticness", "Speechiness"), _number(0, 100)),
        "Length (Duration)": Rule("duration", is_required=True, unit_ms=1000),
    },
    "user_behavior": {
        "premium_sub_willingness": Rule("flag", words=_YES_OR_NO),
        "music_recc_rating": _whole(1, 5),
    },
}
_OWN_WORDS = {"playlist_songs": ("NA",)}
"""Words that a format's own writer uses for a missing value: R does, of which spotify_songs.csv comes."""


@cache
def rules_of(known: Format) -> dict[str, Rule]:
    """The rule of each column of a format."""
    own = _OF_FORMAT.get(known.name, {})
    by_name = {} if known.name in ("top_2000s", "user_behavior") else _BY_NAME
    return {column: own.get(column) or by_name.get(column) or _TEXT for column in known.columns}


def missing_words(known: Format, column: str) -> tuple[str, ...]:
    """What stands for a missing value in a column."""
    if rules_of(known)[column].is_text:
        return ("", *_OWN_WORDS.get(known.name, ()))
    return MISSING_WORDS


def fault(known: Format, row: Mapping[str, str]) -> tuple[str, str] | None:
    """Why a row would be refused: the column and a phrase that follows its name; None where it is fit.

    :param row: text by column, with numbers and dates as ``transform.kaggle`` expects them.
    """
    values = {column: _value(known, column, row[column]) for column in known.columns}
    if known.name == "user_behavior" and not any(row[column].strip(BLANKS) for column in known.columns):
        return "row", "has no answers"
    if known.name == "tracks_1921_2020":
        names, ids = _literal(values["artists"]), _literal(values["id_artists"])
        if names and "" not in names and (ids is None or len(ids) != len(names)):
            return "id_artists", "has not one id for each name"
    for column, rule in rules_of(known).items():
        phrase = _phrase(rule, values[column])
        if phrase:
            return column, phrase
    return None


def _value(known: Format, column: str, text: str) -> str:
    trimmed = text.strip(BLANKS)
    return "" if trimmed in missing_words(known, column) else trimmed


def _phrase(rule: Rule, value: str) -> str | None:
    if not value:
        return "is missing" if rule.is_required else None
    match rule.kind:
        case "text":
            return f"is longer than {LONGEST_TEXT} characters" if len(value) > LONGEST_TEXT else None
        case "names":
            return (
                "names nobody"
                if rule.is_required and not any(part.strip(BLANKS) for part in value.split(";"))
                else None
            )
        case "literal" | "ids":
            return _fault_of_list(rule, value)
        case "id":
            return None if re.match(SPOTIFY_ID, value) else "is not a Spotify id"
        case "flag":
            return None if value.lower() in rule.words else f"is neither {_either(rule.words)}"
        case "date":
            return None if _is_date(value) else "is not a date"
        case _:
            return _fault_of_number(rule, value)


def _fault_of_number(rule: Rule, value: str) -> str | None:
    if rule.kind == "duration":
        plain = value.replace(",", "") if re.match(GROUPED_NUMBER, value) else value
        length = float(plain) * rule.unit_ms if re.match(NUMBER, plain) else None
        if length is None:
            return "is not a number"
        return "is not above 0" if length < 0.5 else None if length <= LARGEST_INT else f"is above {LARGEST_INT}"
    number = float(value) if re.match(NUMBER, value) else None
    what = "whole number" if rule.kind == "whole" else "number"
    is_fit = number is not None and rule.low <= number <= rule.high
    if is_fit and (rule.kind == "number" or float(value).is_integer()):
        return None
    return f"is not a {what} from {rule.low:g} to {rule.high:.0f}"


def _fault_of_list(rule: Rule, value: str) -> str | None:
    parts = _literal(value)
    if parts is None:
        return "is not a list"
    if rule.kind == "ids":
        is_fit = all(re.match(SPOTIFY_ID, part) for part in parts)
        return None if is_fit else "holds something that is not a Spotify id"
    if rule.is_required and not parts:
        return "names nobody"
    return "holds an empty name" if rule.is_required and "" in parts else None


def _literal(value: str) -> list[str] | None:
    """The strings of a Python list literal; None where it is none."""
    try:
        found = ast.literal_eval(value)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    if not isinstance(found, list) or not all(isinstance(part, str) for part in found):
        return None
    return [part.strip(BLANKS) for part in found]


def _is_date(value: str) -> bool:
    found = re.match(DATE, re.sub(r"^([0-9]{4})\.0$", r"\1", value))
    if not found or found[1] == "0000":
        return found is not None
    try:
        datetime.date(int(found[1]), int(found[3] or 1) or 1, int(found[5] or 1) or 1)
    except ValueError:
        return False
    return True


def _either(words: tuple[str, ...]) -> str:
    middle = len(words) // 2
    return f"{words[0]} nor {words[middle]}"


assert _OF_FORMAT.keys() <= FORMATS.keys()
