"""ListenBrainz: the listens of its export, a file of JSON lines a month, or of its API as other tools store them."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from etl.extract.account_export.container import ExportFile
from etl.formats.service_exports import LISTENBRAINZ as FORMAT

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

_LISTS = ("payload", "listens")
_SPOTIFY_TRACK = re.compile(r"spotify[:.].*track[:/]")


def find_columns(_first_row: Sequence[str], _second_row: Sequence[str]) -> Columns | None:
    """Return None: no table is of this service."""
    return None


def has_header(_first_row: Sequence[str]) -> bool:
    """Return True."""
    return True


def is_history(values: list[Any]) -> bool:
    """Return whether values of a JSON file have listens."""
    listens = (listen for value in values for listen in _find_listens(value))
    return any(isinstance(listen, dict) and "track_metadata" in listen for listen in listens)


def find_records(values: list[Any]) -> list[Any]:
    """Return the listens in values of a JSON file."""
    return [_flatten(listen) for value in values for listen in _find_listens(value)]


def find_reason_to_leave_out(_record: Record) -> str | None:
    """Return None: all records are plays."""
    return None


def complete_records(_records: list[Record], _export_files: Sequence[ExportFile]) -> str | None:
    """Leave the records as they are."""
    return None


def _find_listens(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        for entry in value:
            yield from _find_listens(entry)
    elif isinstance(value, dict) and (lists := [name for name in _LISTS if name in value]):
        for name in lists:
            yield from _find_listens(value[name])
    else:
        yield value


def _flatten(listen: Any) -> Any:
    if not isinstance(listen, dict) or "problem" in listen:
        return listen
    metadata = _to_object(listen.get("track_metadata"))
    info = _to_object(metadata.get("additional_info"))
    addresses = (info.get("spotify_id"), info.get("origin_url"))
    isrc = info.get("isrc")
    fields = {
        # Whole seconds are the service's own; bin/export-history adds the exact time and length.
        "played_at": info.get("listened_at_ms") or listen.get("listened_at"),
        "artist": metadata.get("artist_name"),
        "track": metadata.get("track_name"),
        "album": metadata.get("release_name"),
        "spotify_id": next((address for address in addresses if _SPOTIFY_TRACK.search(str(address))), None),
        "isrc": isrc[0] if isinstance(isrc, list) and isrc else isrc,
        "ms_played": info.get("ms_played"),
        "seconds_played": info.get("duration_played"),
        "platform": info.get("media_player") or info.get("listening_from"),
    }
    return {name: value for name, value in fields.items() if value is not None}


def _to_object(value: Any) -> Record:
    return value if isinstance(value, dict) else {}
