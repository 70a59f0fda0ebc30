"""YouTube Music: the watch history of Google Takeout, as JSON.

A record names a title, a channel and a time, but neither an id that others know, nor an album, nor how long it was
heard. Videos of YouTube are in the same list; they are left out.
"""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from etl.extract.account_export.container import ExportFile
from etl.formats.service_exports import YOUTUBE_MUSIC as FORMAT

__all__ = [
    "FORMAT",
    "complete_records",
    "find_columns",
    "find_reason_to_leave_out",
    "find_records",
    "has_header",
    "is_history",
]

Record = dict[str, Any]
Columns = dict[str, tuple[int, ...]]

_MUSIC = "YouTube Music"
_VERB = re.compile(
    r"^(Watched|Listened to|Viewed|Hai guardato|Hai ascoltato|Vous avez regardé|Vous avez écouté|Has visto"
    r"|Has escuchado|Assistiu a|Bekeken:|Obejrzano|Zhlédnuto)\s+"
)
_TRAILING_VERB = re.compile(r"\s+(angesehen|gehört|bekeken)$")
"""The words that Takeout puts around a title, in the language of the account."""
_CHANNEL_SUFFIX = re.compile(r"\s+-\s+(Topic|Thema|Tema|Thème|Argomento|Tópico)$|(?<=\w)VEVO$")
_MIN_TITLES = 20
_COMMON_FRACTION = 0.9
"""Of the different titles of a file: the words that more of them have in common are no part of a title."""
_ADDRESS = re.compile(r"https?://\S+$")


def find_columns(_first_row: Sequence[str], _second_row: Sequence[str]) -> Columns | None:
    """Return None: no table is of this service."""
    return None


def has_header(_first_row: Sequence[str]) -> bool:
    """Return True."""
    return True


def is_history(values: list[Any]) -> bool:
    """Return whether the value of a JSON file is a watch history."""
    entries = values[0] if len(values) == 1 and isinstance(values[0], list) else []
    return any(isinstance(entry, dict) and {"header", "title", "time"} <= entry.keys() for entry in entries)


def find_records(values: list[Any]) -> list[Any]:
    """Return the records of a watch history."""
    return [_flatten(entry) for entry in values[0]]


def find_reason_to_leave_out(record: Record) -> str | None:
    """Return that a record is a video of YouTube; None for music."""
    return "videos of YouTube" if record.get("kind") == "video" else None


def complete_records(records: list[Record], _export_files: Sequence[ExportFile]) -> str | None:
    """Remove the verb around the titles: a known one, or else what nearly all titles of the file have in common.

    :returns: a warning if the titles have neither.
    """
    titles = {record["track"]: _remove_known_verb(record["track"]) for record in records if "track" in record}
    whole_titles = [title for title in titles if not _ADDRESS.search(title)]
    unknown_titles = [title for title in whole_titles if title == titles[title]]
    start = end = ""
    if 2 * len(unknown_titles) > len(whole_titles) and len(unknown_titles) >= _MIN_TITLES:
        start = _find_common_start(unknown_titles)
        end = _find_common_start([title.removeprefix(start)[::-1] for title in unknown_titles])[::-1]
    for record in records:
        if "track" in record:
            name = titles[record["track"]].removeprefix(start).removesuffix(end).strip()
            # A removed video has its address in place of a title.
            record["track"] = "" if _ADDRESS.match(name) else name
    if unknown_titles and len(unknown_titles) == len(whole_titles) and not start and not end:
        return "no title has a verb such as Watched. If the language of the account has one, titles still have it."
    return None


def _remove_known_verb(title: str) -> str:
    return _TRAILING_VERB.sub("", _VERB.sub("", title))


def _find_common_start(titles: Sequence[str]) -> str:
    """Return the words, or in a script without spaces the signs, with which nearly all titles begin."""
    start = ""
    while True:
        letters = Counter(
            title[len(start)] for title in titles if len(title) > len(start) + 1 and title.startswith(start)
        )
        letter, count = max(letters.items(), key=lambda item: item[1], default=("", 0))
        if count <= _COMMON_FRACTION * len(titles):
            break
        start += letter
    return start[: start.rfind(" ") + 1] if start.isascii() or " " in start else start


def _flatten(entry: Any) -> Any:
    if not isinstance(entry, dict):
        return entry
    if entry.get("header") != _MUSIC and _MUSIC not in _to_list(entry.get("products")):
        return {"kind": "video"}
    channels = _to_list(entry.get("subtitles"))
    channel = channels[0].get("name") if channels and isinstance(channels[0], dict) else None
    fields = {
        "played_at": entry.get("time"),
        "track": str(entry.get("title") or "").strip(),
        "artist": _CHANNEL_SUFFIX.sub("", str(channel)) if channel else None,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _to_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
