"""Downloads of a listener's own plays: each format, from rows as the warehouse gives them."""

import io
import json
import zipfile

import pandas as pd
import pytest

from dashboard.own_history import ENCODERS, _to_plays

ROWS = pd.DataFrame(
    {
        "event_time": pd.to_datetime(["2024-03-01T12:00:00.250Z", "2024-03-01T13:00:00.000Z"]),
        "ended_at": pd.to_datetime(["2024-03-01T12:03:00.250Z", None]),
        "ms_played": [180_000, None],
        "track_id": ["0123456789abcdefghijKL", "name:00"],
        "track_name": ["À", "B"],
        "artist_name": ["Singer", "Band"],
        "album_name": ["Record", None],
        **{name: [None, None] for name in ("platform", "reason_start", "reason_end", "is_shuffle", "is_offline")},
        **{name: [None, None] for name in ("is_incognito", "device_type", "country")},
        "is_skipped": [False, False],
        "source": ["extended_export", "lastfm_export"],
        "play_min_ms": [30_000, 30_000],
    }
)


@pytest.fixture
def files() -> dict[str, bytes]:
    return {file_name: encode(_to_plays(ROWS)) for encode, file_name, _ in ENCODERS.values()}


def test_listens(files: dict[str, bytes]) -> None:
    first, second = (json.loads(line) for line in files["listens.jsonl"].decode().splitlines())
    assert first["listened_at"] == 1_709_294_400
    assert first["track_metadata"]["additional_info"]["listened_at_ms"] == 1_709_294_400_250
    assert first["track_metadata"]["additional_info"]["ms_played"] == 180_000
    assert second["track_metadata"] == {
        "artist_name": "Band",
        "track_name": "B",
        "additional_info": {"submission_client": "listening-warehouse"},
    }


def test_extended_history_and_parquet(files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(io.BytesIO(files["my_extended_history.zip"])) as archive:
        (record,) = json.loads(archive.read("Streaming_History_Audio_0.json"))
        (listen,) = map(json.loads, archive.read("listens_without_length.jsonl").splitlines())
    assert listen["track_metadata"]["track_name"] == "B"
    assert record["ts"] == "2024-03-01T12:03:00.250Z" and record["spotify_track_uri"].endswith("ijKL")
    assert list(pd.read_parquet(io.BytesIO(files["plays.parquet"]))["track_name"]) == ["À", "B"]
