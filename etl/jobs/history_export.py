"""The export of one user's plays from the star, in formats that other services and the import of this product read.

    listenbrainz      listens/YEAR/MONTH.jsonl and user.json, as the export of ListenBrainz: the plays that count
    extended-history  Streaming_History_Audio_YEAR_NUMBER.json, as Spotify's export; plays without a length, which that
                      format cannot have, are listens in listens_without_length.jsonl
    parquet           plays.parquet, with all columns of sql/queries/history/plays.sql

``storage.export_folder`` makes the folder appear at once when all of it is written, in place of an earlier export.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from etl import database
from etl.database.entity_partitions import DateRange
from etl.errors import ActionNeededError
from etl.formats.history_records import build_extended_record, build_listen
from etl.settings import Settings
from etl.storage.export_folder import replace_export, write_manifest
from etl.storage.full_disk import report_full_disk

FORMATS = ("listenbrainz", "extended-history", "parquet")
_RECORDS_PER_FILE = 15_000
_NO_LIMITS = (datetime(1900, 1, 1, tzinfo=UTC), datetime(2101, 1, 1, tzinfo=UTC))
_TEXTS = (
    *("track_id", "track_name", "artist_name", "album_name", "isrc", "spoken_id", "spoken_name", "show_name"),
    *("platform", "reason_start", "reason_end", "device_type", "country", "source"),
)
_SCHEMA = pa.schema(
    [
        *((name, pa.timestamp("us", "UTC")) for name in ("event_time", "ended_at")),
        *((name, pa.int32()) for name in ("ms_played", "duration_ms")),
        *((name, pa.string()) for name in _TEXTS),
        *((name, pa.bool_()) for name in ("is_shuffle", "is_offline", "is_incognito", "is_skipped")),
    ]
)

Play = dict[str, Any]


@report_full_disk
def export_history(user_id: str, format_name: str, target: Path, settings: Settings, days: DateRange) -> dict[str, int]:
    """Write the plays of a user to a folder.

    :param format_name: one of ``FORMATS``.
    :param target: a folder that does not exist, is empty, or has an earlier export, which is replaced.
    :param days: the days of the plays, in UTC.
    :returns: the number of plays written, and of those that the format cannot have.
    :raises ActionNeededError: if the warehouse does not have the user, or as ``export_folder.replace_export`` does.
    """
    with replace_export(target) as draft:
        counts: Counter[str] = Counter({"plays": 0, "left out": 0})
        plays = _iterate_plays(user_id, days, settings)
        if format_name == "parquet":
            _write_parquet(draft, plays, counts)
        elif format_name == "listenbrainz":
            _write_json(draft / "user.json", {"username": user_id})
            _write_listens(draft, plays, counts, settings.play_min_ms)
        else:
            _write_extended_history(draft, plays, counts)
        write_manifest(draft, {"user_id": user_id, "format": format_name, "plays": counts["plays"]})
    return dict(counts)


def _iterate_plays(user_id: str, days: DateRange, settings: Settings) -> Iterator[Play]:
    """Yield the plays in the order of time, read month by month from one snapshot."""
    start, end = days.start or _NO_LIMITS[0], days.end or _NO_LIMITS[1]
    statement = database.read_sql("queries/history/plays")
    with database.connect(settings.warehouse_url) as connection:
        database.begin_snapshot(connection)
        parameters = {"user_id": user_id, "start": start, "end": end}
        bounds = database.fetch_rows(connection, database.read_sql("queries/history/range"), **parameters)
        if not bounds:
            raise ActionNeededError(f"The warehouse has no user {user_id}: name a user_id of warehouse.dim_user.")
        first_time, last_time = bounds[0]["first_time"], bounds[0]["last_time"]
        if not isinstance(first_time, datetime) or not isinstance(last_time, datetime):
            return
        month = _get_month_start(first_time)
        while month <= last_time:
            next_month = _get_next_month(month)
            limits = {"start": max(start, month), "end": min(end, next_month)}
            yield from database.fetch_rows(connection, statement, user_id=user_id, **limits)
            month = next_month


def _write_listens(draft: Path, plays: Iterable[Play], counts: Counter[str], play_min_ms: int) -> None:
    with _LineFiles() as files:
        for play in plays:
            listen = build_listen(play, play_min_ms)
            if listen is None:
                counts["left out"] += 1
                continue
            time = play["event_time"].astimezone(UTC)
            files.write(draft / "listens" / f"{time.year}" / f"{time.month}.jsonl", listen)
            counts["plays"] += 1


def _write_extended_history(draft: Path, plays: Iterable[Play], counts: Counter[str]) -> None:
    records: list[dict[str, Any]] = []
    numbers: Counter[int] = Counter()
    year = 0
    with _LineFiles() as files:
        for play in plays:
            record = build_extended_record(play)
            if record is None:
                listen = build_listen(play, 0)
                counts["plays" if listen else "left out"] += 1
                if listen:
                    files.write(draft / "listens_without_length.jsonl", listen)
                continue
            play_year = play["event_time"].astimezone(UTC).year
            if records and (play_year != year or len(records) == _RECORDS_PER_FILE):
                _write_history_file(draft, records, year, numbers)
                records = []
            year = play_year
            records.append(record)
            counts["plays"] += 1
    if records:
        _write_history_file(draft, records, year, numbers)


def _write_history_file(draft: Path, records: list[dict[str, Any]], year: int, numbers: Counter[int]) -> None:
    _write_json(draft / f"Streaming_History_Audio_{year}_{numbers[year]}.json", records)
    numbers[year] += 1


def _write_parquet(draft: Path, plays: Iterable[Play], counts: Counter[str]) -> None:
    with pq.ParquetWriter(draft / "plays.parquet", _SCHEMA, compression="zstd") as writer:
        batch: list[Play] = []
        for play in plays:
            batch.append(play)
            counts["plays"] += 1
            if len(batch) == _RECORDS_PER_FILE:
                writer.write_table(pa.Table.from_pylist(batch, _SCHEMA))
                batch = []
        writer.write_table(pa.Table.from_pylist(batch, _SCHEMA))


class _LineFiles:
    """A file of JSON lines at a time: plays come in the order of time, so that each file is written once."""

    def __init__(self) -> None:
        self._path: Path | None = None
        self._stack = ExitStack()
        self._file: IO[str] | None = None

    def __enter__(self) -> "_LineFiles":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def write(self, path: Path, record: dict[str, Any]) -> None:
        """Write a record at the end of a file."""
        if path != self._path or self._file is None:
            self._stack.close()
            path.parent.mkdir(parents=True, exist_ok=True)
            self._path, self._file = path, self._stack.enter_context(path.open("a", encoding="utf-8"))
        self._file.write(json.dumps(record, ensure_ascii=False) + "\n")


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _get_month_start(time: datetime) -> datetime:
    return datetime(time.astimezone(UTC).year, time.astimezone(UTC).month, 1, tzinfo=UTC)


def _get_next_month(month: datetime) -> datetime:
    return datetime(month.year + month.month // 12, month.month % 12 + 1, 1, tzinfo=UTC)
