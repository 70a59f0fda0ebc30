"""The export of the warehouse as Avro: fastavro and Spark read the content of the warehouse."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import fastavro
import pytest
from pyspark.sql import SparkSession

from etl import database
from etl.database import entity_partitions
from etl.database.entity_partitions import DateRange
from etl.errors import ActionNeededError
from etl.formats.contracts.avro import load_contract
from etl.jobs.avro_export import export_entities
from etl.settings import Settings, read_settings
from etl.storage.export_folder import MANIFEST_NAME

pytestmark = pytest.mark.usefixtures("one_session")

_STAR = """
insert into warehouse.dim_user (user_key, user_id, username, country, birthdate, gender, favourite_genre, source,
    valid_from, valid_to) values
    (1, 'ada', 'Ada', 'GB', '1990-02-03', 'Female', 'jazz', 'feed', '-infinity', '2026-01-01'),
    (2, 'ada', 'Ada L.', 'FR', '1990-02-03', 'Female', 'jazz', 'feed', '2026-01-01', 'infinity'),
    (3, 'bob', null, null, null, null, null, 'feed', '-infinity', 'infinity');
insert into warehouse.dim_artist (artist_key, artist_id, name, popularity, popularity_source, followers, source,
    is_inferred) values
    (1, 'artist1', 'Künstler', 50, 'api', 5000000000, 'api', false),
    (2, 'artist2', null, null, null, null, 'feed', true);
insert into warehouse.dim_track (track_key, recording_key, album_key, track_id, name, duration_ms, release_date,
    release_date_precision, release_date_source, primary_genre, valence, tempo, newness_score, source, is_inferred)
    values
    (1, 1, -1, 'track1', 'Song', 180000, '1999-01-01', 'year', 'api', 'rock', 0.25, 120.5, 0.75, 'api', false),
    (2, 2, -1, 'track2', null, null, null, null, null, 'unknown', null, null, null, 'feed', true);
insert into warehouse.bridge_track_artist (track_key, artist_key, position) values (1, 2, 2), (1, 1, 1);
insert into warehouse.fact_event (event_id, event_time, local_time, user_key, track_key, artist_key, playlist_key,
    context_key, date_key, utc_date_key, ms_played, input_key, local_hour, is_skipped, is_home_time, activity_type,
    device_type, source) values
    ('00000000-0000-0000-0000-000000000001', '2025-12-31 23:59:59.999Z', '2026-01-01', 1, 1, 1, 0, 0, 0, 0, 1000, 0, 0,
     false, true, 'PLAY', 'MOBILE', 'feed'),
    ('00000000-0000-0000-0000-000000000002', '2026-01-01 00:00Z', '2026-01-01', 2, 2, -1, 0, 0, 0, 0, null, 0, 0,
     false, true, 'PLAY', null, 'basic_export'),
    ('00000000-0000-0000-0000-000000000003', '2026-01-02 10:00Z', '2026-01-02', 3, 0, 1, 0, 0, 0, 0, null, 0, 0,
     false, true, 'FOLLOW', 'DESKTOP', 'feed')
"""
_ALL_DAYS = DateRange()
ENTITIES = ("user", "track", "artist", "event")
_EVENTS = [
    ("01", "ada", "track1", "artist1", "PLAY", datetime(2025, 12, 31, 23, 59, 59, 999_000, UTC), 1000, "MOBILE"),
    ("02", "ada", "track2", None, "PLAY", datetime(2026, 1, 1, tzinfo=UTC), None, None),
    ("03", "bob", None, "artist1", "FOLLOW", datetime(2026, 1, 2, 10, tzinfo=UTC), None, "DESKTOP"),
]


@pytest.fixture
def settings(tmp_path: Path, warehouse_url: str) -> Settings:
    return read_settings({"STATE_DIR": str(tmp_path / "state"), "WAREHOUSE_URL": warehouse_url})


@pytest.fixture
def star(settings: Settings) -> Settings:
    with database.connect(settings.warehouse_url) as connection:
        connection.exec_driver_sql("create table warehouse.all_events partition of warehouse.fact_event default")
        connection.exec_driver_sql(_STAR, execution_options={"no_parameters": True})
    return settings


def _export(
    settings: Settings, target: Path, days: DateRange = _ALL_DAYS, has_personal_columns: bool = False
) -> tuple[dict[str, int], list[str]]:
    steps: list[str] = []

    @contextmanager
    def record_step(text: str) -> Iterator[None]:
        yield
        steps.append(text)

    return export_entities(target, settings, days, has_personal_columns, record_step), steps


def _read_records(folder: Path, name: str) -> list[dict[str, Any]]:
    records: list[Any] = []
    paths = sorted((folder / name).iterdir())
    assert paths and all(path.suffix == ".avro" for path in paths)
    for path in paths:
        with path.open("rb") as source:
            records += list(fastavro.reader(source, load_contract(f"entity_{name}")))
    return sorted(records, key=lambda record: record[f"{name}Id"])


def test_fastavro_and_spark_read_what_the_warehouse_holds(
    star: Settings, tmp_path: Path, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entity_partitions, "_EVENTS_PER_PARTITION", 1)
    monkeypatch.setattr(entity_partitions, "_MEMBERS_PER_PARTITION", 2)
    target = tmp_path / "new" / "export"
    counts, steps = _export(star, target)
    assert counts == {"user": 2, "track": 2, "artist": 2, "event": 3}
    assert steps == ["2 user records", "2 track records", "2 artist records", "3 event records"]
    assert len(list((target / "event").iterdir())) == 3
    events = _read_records(target, "event")
    assert [(record.pop("eventId")[-2:], *(record[name] for name in list(record))) for record in events] == _EVENTS
    assert _read_records(target, "artist") == [
        {"artistId": "artist1", "name": "Künstler", "popularity": 50, "followers": 5_000_000_000},
        {"artistId": "artist2", "name": None, "popularity": None, "followers": None},
    ]
    measures = dict.fromkeys(("acousticness", "energy", "danceability", "audioFeaturesType"))
    nothing = dict.fromkeys(("name", "artistId", "duration", "releaseDate", "valence", "tempo", "newnessScore"))
    assert _read_records(target, "track") == [
        {
            **measures,
            **{"trackId": "track1", "name": "Song", "artistId": "artist1", "genre": "rock", "duration": 180_000},
            **{"releaseDate": date(1999, 1, 1), "valence": 0.25, "tempo": 120.5, "newnessScore": 0.75},
        },
        {**measures, **nothing, "trackId": "track2", "genre": "unknown"},
    ]
    for name in ENTITIES:
        schema = json.dumps(load_contract(f"entity_{name}"))
        frame = spark.read.format("avro").option("avroSchema", schema).load((target / name).as_uri())
        by_spark = sorted((row.asDict() for row in frame.collect()), key=lambda row: row[f"{name}Id"])
        by_fastavro = _read_records(target, name)
        for row in by_spark:
            if name == "event":
                row["timestamp"] = row["timestamp"].astimezone(UTC)
        assert by_spark == by_fastavro


def test_personal_columns_are_written_on_demand_alone(star: Settings, tmp_path: Path) -> None:
    target = tmp_path / "export"
    _export(star, target)
    hidden = {"userId": "ada", "username": None, "location": "FR", "birthdate": None, "gender": None}
    assert _read_records(target, "user")[0] == {**hidden, "favouriteGenre": "jazz"}
    _export(star, target, has_personal_columns=True)
    shown = {"username": "Ada L.", "birthdate": date(1990, 2, 3), "gender": "Female"}
    assert _read_records(target, "user")[0] == {**hidden, **shown, "favouriteGenre": "jazz"}
    assert _read_records(target, "user")[1]["username"] is None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["export"]


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (DateRange(last=date(2025, 12, 31)), ["01"]),
        (DateRange(first=date(2026, 1, 1)), ["02", "03"]),
        (DateRange(date(2026, 1, 1), date(2026, 1, 1)), ["02"]),
        (DateRange(first=date(2027, 1, 1)), []),
    ],
)
def test_dates_choose_events(star: Settings, tmp_path: Path, days: DateRange, expected: list[str]) -> None:
    counts, _ = _export(star, tmp_path / "export", days)
    assert counts == {"user": 2, "track": 2, "artist": 2, "event": len(expected)}
    assert [record["eventId"][-2:] for record in _read_records(tmp_path / "export", "event")] == expected
    manifest = json.loads((tmp_path / "export" / MANIFEST_NAME).read_text(encoding="utf-8"))
    assert manifest["records"] == counts and manifest["first_date"] == (days.first and days.first.isoformat())


def test_an_empty_warehouse_gives_files_without_records(settings: Settings, tmp_path: Path) -> None:
    counts, _ = _export(settings, tmp_path / "export")
    assert set(counts.values()) == {0}
    assert [_read_records(tmp_path / "export", name) for name in ENTITIES] == [[], [], [], []]


def test_an_export_that_fails_leaves_the_earlier_one(star: Settings, tmp_path: Path) -> None:
    target = tmp_path / "export"
    _export(star, target)
    before = {path: path.read_bytes() for path in target.rglob("*.avro")}
    with database.connect(star.warehouse_url) as connection:
        # A number of followers beyond Avro's long makes the second entity fail after the first was written.
        connection.exec_driver_sql("alter table warehouse.dim_artist drop constraint dim_artist_followers_not_negative")
        connection.exec_driver_sql("alter table warehouse.dim_artist alter followers type numeric")
        connection.exec_driver_sql("update warehouse.dim_artist set followers = 1e30 where artist_key = 1")
    with pytest.raises(Exception, match=r"followers|cast|convert|Integer"):
        _export(star, target, has_personal_columns=True)
    assert {path: path.read_bytes() for path in target.rglob("*.avro")} == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["export"]


def test_a_folder_with_other_files_stays_as_it_is(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.png").write_bytes(b"cat")
    with pytest.raises(ActionNeededError, match="has files that no export wrote"):
        _export(settings, tmp_path / "photos")
    with pytest.raises(ActionNeededError, match="is a file"):
        _export(settings, tmp_path / "photos" / "cat.png")
    assert (tmp_path / "photos" / "cat.png").read_bytes() == b"cat"


def test_a_range_that_ends_before_it_begins_is_rejected() -> None:
    with pytest.raises(ActionNeededError, match="swap the dates"):
        DateRange(date(2026, 1, 2), date(2026, 1, 1))
