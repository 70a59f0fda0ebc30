"""Account exports for the campaign: valid ones, and well-formed ones with malformed records."""

import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from campaigns.malformed_input.row_mutator import Json, RowMutator
from campaigns.malformed_input.synthetic_ids import RECEIVED_AT, make_id
from etl.extract.account_export import receive_export as receive_account_export
from etl.extract.account_export.export_fields import STORED_FIELDS
from etl.storage.inputs import ReceivedInput
from etl.storage.lake import Lake

_RECORDS_PER_FILE = 2_500
REAL_EXPORTS = {
    "extended_export": ("Streaming_History_Audio_*.json", "endsong_*.json"),
    "basic_export": ("StreamingHistory*.json",),
}


def receive_export(path: Path, lake: Lake) -> list[ReceivedInput]:
    """Receive an account export as the import does."""
    return receive_account_export(str(path), "listener-1", "Europe/Berlin", lake, RECEIVED_AT).inputs


@cache
def read_export_records(name: str, real: Path | None) -> list[Json]:
    """Return records of an export format."""
    paths = (
        [path for pattern in REAL_EXPORTS[name] for path in sorted((real / "account_export").glob(pattern))]
        if real
        else []
    )
    real_records = [record for path in paths for record in json.loads(path.read_bytes())]
    return real_records or [_make_export_play(name, number) for number in range(200)]


def _make_export_play(name: str, number: int) -> Json:
    stopped = datetime(2024, 3, 1, tzinfo=UTC) + timedelta(minutes=7 * number)
    if name == "basic_export":
        texts = {"artistName": f"Singer {number % 7}", "trackName": f"Song {number % 31}"}
        return {"endTime": f"{stopped:%Y-%m-%d %H:%M}", **texts, "msPlayed": 1_000 * number}
    record = {
        "ts": f"{stopped:%Y-%m-%dT%H:%M:%SZ}",
        "platform": "android",
        "ms_played": 1_000 * number,
        "conn_country": "DE",
        "ip_addr": "192.0.2.17",
        "master_metadata_track_name": f"Song {number % 31}",
        "master_metadata_album_artist_name": f"Singer {number % 7}",
        "spotify_track_uri": f"spotify:track:{make_id(number % 31)}",
        "reason_end": "trackdone",
        "offline_timestamp": int(stopped.timestamp()),
        **dict.fromkeys(("shuffle", "skipped", "offline", "incognito_mode"), False),
    }
    return dict.fromkeys(STORED_FIELDS[name]) | record


def make_good_export(name: str, real: Path | None) -> bytes:
    """Return the bytes of a valid file of an export format."""
    return json.dumps(read_export_records(name, real)[:100], indent=1).encode()


def write_malformed_exports(
    name: str, folder: Path, real: Path | None, count: int, spoiler: RowMutator
) -> Iterator[tuple[Path, int]]:
    """Write an export with malformed records, and yield it with its number of records."""
    good_records = read_export_records(name, real)
    path = folder / f"{name}.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for number, begin in enumerate(range(0, count, _RECORDS_PER_FILE)):
            size = min(_RECORDS_PER_FILE, count - begin)
            malformed_records = [json.dumps(good_records[0])] + [
                spoiler.mutate_record(spoiler.rng.choice(good_records)) for _ in range(size - 1)
            ]
            archive.writestr(f"Streaming_History_Audio_{number}.json", f"[{','.join(malformed_records)}]")
    yield path, count
