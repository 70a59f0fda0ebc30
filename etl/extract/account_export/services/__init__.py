"""Exports of other services: the files that are read, and the stored fields of their plays.

Each service has a module, named in ``_SERVICES``, which recognises its tables by their columns and its JSON by the
fields of a record, and maps them to ``service_exports.SERVICE_FIELDS``.

    apple_music    Apple's privacy export: "Apple Music Play Activity.csv"
    lastfm         Last.fm: tables and JSON of the usual tools, and the archive that Last.fm itself once offered
    listenbrainz   ListenBrainz: JSON lines by month, or one file of listens
    youtube_music  Google Takeout: watch-history.json
    file_content   tables as rows, JSON files and JSON lines as values
"""

import re
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import PurePosixPath
from typing import Any, BinaryIO, Protocol

from etl.errors import WrongFileError
from etl.extract.account_export.container import MAX_TABLE_BYTES, ExportFile
from etl.extract.account_export.services import apple_music, lastfm, listenbrainz, youtube_music
from etl.extract.account_export.services.file_content import iterate_rows, looks_like_json, read_json_values
from etl.formats.service_exports import SERVICE_FIELDS
from etl.formats.tabular.notation import detect_date_order
from etl.formats.tabular.records import is_legible

Record = dict[str, Any]
Columns = dict[str, tuple[int, ...]]
"""The positions of the columns of each field: the first that a row fills applies."""

MAX_PLAYS = 1_000_000
"""Of one file; they are in memory, with about 1 KB each."""
_MAX_UNEXPECTED_BYTES = 128 << 20
"""A larger file without the name of a history, such as Takeout's places, is no history."""


class Service(Protocol):
    """The members that the module of a service defines."""

    @property
    def FORMAT(self) -> str:
        """Return the name of the format, which is the source of its events."""

    def find_columns(self, first_row: Sequence[str], second_row: Sequence[str]) -> Columns | None:
        """Return the columns of the fields in a table with these rows; None if it is no table of the service."""

    def has_header(self, first_row: Sequence[str]) -> bool:
        """Return whether the first row names the columns."""

    def is_history(self, values: list[Any]) -> bool:
        """Return whether values of a JSON file have plays of the service."""

    def find_records(self, values: list[Any]) -> list[Any]:
        """Return the plays in values of a JSON file of the service, with the stored fields."""

    def find_reason_to_leave_out(self, record: Record) -> str | None:
        """Return why a record is no play, so that it is counted but not stored; None for plays."""

    def complete_records(self, records: list[Record], export_files: Sequence[ExportFile]) -> str | None:
        """Complete the plays of a file by its other plays and the other files of the export; return a warning."""


_SERVICES: tuple[Service, ...] = (apple_music, listenbrainz, youtube_music, lastfm)
"""Last.fm is last: its tools write any columns of artist, track and time."""
_TABLE_NAME = re.compile(r"\.(csv|tsv|txt)(\.gz)?$", re.IGNORECASE)
_JSON_NAME = re.compile(r"\.(json|jsonl|ndjson)(\.gz)?$", re.IGNORECASE)
_HISTORY_NAME = re.compile(
    r"play activity|last\.?fm|scrobble|recent_?tracks|(^|/)listens\b|watch-history", re.IGNORECASE
)
_SPOTIFY_FIELD = re.compile(rb'"(ms_played|msPlayed|master_metadata_track_name)"')
_DATE = re.compile(r"\s*(\d{1,2}[/.-]\d{1,2}[/.-]\d{4})\b")


@dataclass(frozen=True)
class ServiceRecords:
    """The plays of one file, the counts of the records that are left out, by reason, and a warning."""

    format: str
    records: list[Record]
    left_out: Counter[str] = field(default_factory=Counter)
    warning: str | None = None


def read_service_records(
    export_file: ExportFile, export_files: Sequence[ExportFile], is_alone: bool
) -> ServiceRecords | None:
    """Return the plays in a file of another service than Spotify; None for other files.

    :param export_files: all files of the export.
    :param is_alone: whether the file was imported by itself, and must therefore be a history.
    :raises WrongFileError: if a file that should contain plays cannot be read.
    """
    name = export_file.name
    is_hidden = PurePosixPath(name).name.startswith(".") or name.startswith("__MACOSX/")
    if is_hidden or not (_TABLE_NAME.search(name) or _JSON_NAME.search(name)):
        return None
    head = export_file.read_head()
    is_json = looks_like_json(head)
    if not (is_json or _TABLE_NAME.search(name)) or (is_json and not _may_be_service(head)):
        return None
    is_expected = is_alone or bool(_HISTORY_NAME.search(name))
    try:
        with export_file.open_seekable(MAX_TABLE_BYTES if is_expected else _MAX_UNEXPECTED_BYTES) as content:
            found = _find_json_records(content) if is_json else _find_table_records(content, is_expected, is_alone)
            if found is None:
                return None
            service, records = found
            plays, left_out = _collect_plays(service, records)
    except WrongFileError as error:
        if is_expected:
            raise WrongFileError(f"{name}: {error}") from error
        return None
    warning = service.complete_records(plays, export_files)
    _add_date_order(plays)
    return ServiceRecords(service.FORMAT, plays, left_out, warning and f"{name}: {warning}")


def _may_be_service(head: bytes) -> bool:
    """Return whether a JSON file may be of another service: Spotify's files need not be parsed twice."""
    text = head.replace(b"\0", b"")
    return b'"track_metadata"' in text or not _SPOTIFY_FIELD.search(text)


def _find_json_records(content: BinaryIO) -> tuple[Service, Generator[Record, None, None]] | None:
    batches = read_json_values(content)
    for number, batch in enumerate(batches):
        for service in _SERVICES:
            if service.is_history(batch):
                all_batches = read_json_values(content) if number else chain([batch], batches)
                return service, (
                    _to_text_fields(record) for values in all_batches for record in service.find_records(values)
                )
    return None


def _find_table_records(
    content: BinaryIO, is_expected: bool, is_alone: bool
) -> tuple[Service, Generator[Record, None, None]] | None:
    rows = iterate_rows(content)
    head = list(islice(rows, 2))
    first_row, second_row = ([cell.strip() for cell in row] for row in [*head, [], []][:2])
    for service in _SERVICES:
        columns, has_header = service.find_columns(first_row, second_row), service.has_header(first_row)
        if columns is not None and (has_header or is_expected):
            data_rows = chain(head[1:] if has_header else head, rows)
            return service, (_read_row(row, len(first_row), columns) for row in data_rows)
    rows.close()
    if is_alone:
        raise WrongFileError(
            f"the table has no columns of artist, track and time (it has: {', '.join(first_row)[:300]}). Take the file "
            "as the service or its tool wrote it."
        )
    return None


def _collect_plays(service: Service, records: Generator[Record, None, None]) -> tuple[list[Record], Counter[str]]:
    plays: list[Record] = []
    left_out: Counter[str] = Counter()
    with closing(records):  # Before the file that they are read from.
        for record in records:
            if reason := service.find_reason_to_leave_out(record):
                left_out[reason] += 1
                continue
            plays.append(record)
            if len(plays) > MAX_PLAYS:
                raise WrongFileError(f"the file has more than {MAX_PLAYS:,} records. Divide it, import the parts.")
    return plays, left_out


def _read_row(row: list[str], width: int, columns: Columns) -> Record:
    while len(row) > width and not row[-1].strip():
        row = row[:-1]
    if len(row) != width:
        return {"problem": f"row has {len(row)} fields, and the first row {width}"}
    values = {
        name: next(row[position] for position in positions if row[position].strip())
        for name, positions in columns.items()
        if any(row[position].strip() for position in positions)
    }
    if "clock" in values and "played_at" in values:
        values["played_at"] += f" {values['clock']}"
    if not is_legible(values.values()):
        return {"problem": "row has bytes that are no text"}
    return values


def _to_text_fields(record: Any) -> Record:
    """Return the stored fields of a record of JSON as text; lists and objects in them are left out."""
    if not isinstance(record, dict):
        return {"problem": "record is no object"}
    return {
        name: (str(value).lower() if isinstance(value, bool) else str(value)).replace("\0", "\ufffd")
        for name, value in record.items()
        if (name in SERVICE_FIELDS or name == "kind") and isinstance(value, str | int | float) and str(value).strip()
    }


def _add_date_order(records: list[Record]) -> None:
    """Set ``date_order`` of the records of a file whose times begin with day and month as numbers."""
    dates = [match[1] for record in records if (match := _DATE.match(record.get("played_at", "")))]
    order, _ = detect_date_order(dates)
    if order in ("dmy", "mdy"):
        for record in records:
            record["date_order"] = order
