"""Apple Music: the table "Apple Music Play Activity.csv" of Apple's privacy export.

The table has a row for each event of the player; those that end a play are plays. In most exports it lacks the artist
of a song. Other files of the export name artists and titles together, so that a title that only one artist has there
gets that artist.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from etl.errors import WrongFileError
from etl.extract.account_export.container import ExportFile
from etl.extract.account_export.services.file_content import iterate_rows, read_json_values
from etl.formats.service_exports import APPLE_MUSIC as FORMAT

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

_COLUMNS = {
    "played_at": ("event start timestamp",),
    "ended_at": ("event end timestamp",),
    "track": ("song name", "content name", "track description"),
    "artist": ("artist name", "container artist name"),
    "album": ("album name", "container album name"),
    "isrc": ("isrc",),
    "ms_played": ("play duration milliseconds",),
    "max_ms": ("media duration in milliseconds",),
    "reason_end": ("end reason type",),
    "offline": ("offline",),
    "platform": ("device type", "device os name"),
    "country": ("ip country code",),
    "event_type": ("event type",),
    "media_type": ("media type",),
}
_LOOKUP_FILE = re.compile(
    r"(Play History Daily Tracks|Track Play History|Library Tracks)\.(csv|json)(\.gz)?$", re.IGNORECASE
)
_DESCRIPTION_COLUMNS = ("track description", "track name")
_SEPARATOR = " - "


def find_columns(first_row: Sequence[str], _second_row: Sequence[str]) -> Columns | None:
    """Return the columns of the play activity; None for other tables."""
    names = [cell.lower() for cell in first_row]
    if "play duration milliseconds" not in names or not {"event start timestamp", "event end timestamp"} & set(names):
        return None
    return {
        field: tuple(names.index(alias) for alias in aliases if alias in names)
        for field, aliases in _COLUMNS.items()
        if set(aliases) & set(names)
    }


def has_header(_first_row: Sequence[str]) -> bool:
    """Return True."""
    return True


def is_history(_values: list[Any]) -> bool:
    """Return False: no JSON file has plays."""
    return False


def find_records(_values: list[Any]) -> list[Any]:
    """Return no records."""
    return []


def find_reason_to_leave_out(record: Record) -> str | None:
    """Return which event of the player a row is, or that it is a video; None for plays of music."""
    event, media = record.get("event_type", "PLAY_END"), record.get("media_type", "AUDIO")
    if event != "PLAY_END":
        return f"events of the player of the type {str(event)[:40]}"
    return None if media == "AUDIO" else f"plays of the media type {str(media)[:40]}"


def complete_records(records: list[Record], export_files: Sequence[ExportFile]) -> str | None:
    """Give plays without an artist the artist that alone has their title in other files of the export."""
    if all(record.get("artist") for record in records):
        return None
    artists: dict[str, set[str]] = defaultdict(set)
    for export_file in export_files:
        if _LOOKUP_FILE.search(export_file.name):
            for artist, title in _read_names(export_file):
                artists[_fold(title)].add(artist)
    for record in records:
        candidates = artists.get(_fold(record.get("track", "")), set())
        if not record.get("artist") and len({_fold(artist) for artist in candidates}) == 1:
            record["artist"] = min(candidates)
    return None


def _read_names(export_file: ExportFile) -> Iterator[tuple[str, str]]:
    """Yield artists and titles; none if the file cannot be read, because plays do not depend on it."""
    try:
        with export_file.open_seekable() as content:
            if ".json" in export_file.name.lower():
                for values in read_json_values(content):
                    yield from _read_library(values)
            else:
                yield from _read_descriptions(iterate_rows(content))
    except WrongFileError:
        return


def _read_library(values: list[Any]) -> Iterator[tuple[str, str]]:
    for track in values[0] if values and isinstance(values[0], list) else []:
        if isinstance(track, dict) and track.get("Title") and track.get("Artist"):
            yield str(track["Artist"]).strip(), str(track["Title"]).strip()


def _read_descriptions(rows: Iterator[list[str]]) -> Iterator[tuple[str, str]]:
    names = [cell.strip().lower() for cell in next(rows, [])]
    position = next((names.index(name) for name in _DESCRIPTION_COLUMNS if name in names), None)
    if position is None:
        return
    for row in rows:
        artist, separator, title = (row[position] if len(row) > position else "").partition(_SEPARATOR)
        if separator and artist.strip() and title.strip():
            yield artist.strip(), title.strip()


def _fold(name: str) -> str:
    return " ".join(name.casefold().split())
