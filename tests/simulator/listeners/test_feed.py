"""A feed on disk: the same for any number of partitions, readable by anybody, counted as it was written."""

import json
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import fastavro
import fsspec
import pytest
from pyspark.sql import SparkSession

from etl.errors import WrongFileError
from etl.formats.avro.container_files import count_records
from etl.formats.contracts.avro import load_contract, write_avro
from simulator.listeners import activity_records, feed
from simulator.listeners.parameters import InjectedErrorRates
from tests.simulator.listeners.small_library import PLAYLIST_IDS, TRACKS, rows, simulation

FILES = fsspec.filesystem("file")


@pytest.fixture(scope="module")
def words(spark: SparkSession) -> activity_records.LookupTables:
    return activity_records.make_lookup_tables(spark, TRACKS, PLAYLIST_IDS)


def _read(folder: Path) -> list[dict[str, Any]]:
    found = []
    for path in sorted(folder.glob("*.avro")):
        with path.open("rb") as source:
            found += list(fastavro.reader(source))
    return found


def _written(
    spark: SparkSession, words: activity_records.LookupTables, folder: Path, **options: Any
) -> tuple[Any, feed.WriteResult]:
    made = feed.limit_records(spark, simulation(60, 2, **options))
    return made, feed.write_events(spark, made, words, folder.as_uri())


def test_partitions_change_nothing(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "_ROWS_PER_CHUNK", 300)
    made = simulation(60, 2)
    assert made.chunk_layout[0] >= 7
    found = [feed.generate_activity_rows(spark, made, count).toPandas().sort_values("code") for count in (1, 2, 7)]
    assert len(found[0]) and all((one.to_numpy() == found[0].to_numpy()).all() for one in found)


@pytest.mark.parametrize(("written", "read"), [(1, 2), (2, 1), (2, 2)])
def test_fastavro_and_spark_read_alike_whatever_the_version(
    spark: SparkSession, words: activity_records.LookupTables, tmp_path: Path, written: int, read: int
) -> None:
    _, counted = _written(spark, words, tmp_path / "feed", schema_version=written)
    reader = json.dumps(load_contract(f"user_activity_{read}"))
    frame = spark.read.format("avro").option("avroSchema", reader).load((tmp_path / "feed").as_uri())
    by_spark = sorted((row.userId, row.eventTime.timestamp(), row.activityType, row.songId) for row in frame.collect())
    by_fastavro = []
    for path in (tmp_path / "feed").glob("*.avro"):
        with path.open("rb") as source:
            for one in fastavro.reader(source, reader_schema=load_contract(f"user_activity_{read}")):
                by_fastavro.append((one["userId"], one["eventTime"].timestamp(), one["activityType"], one["songId"]))
                assert ("eventId" in one) == (read == 2)
                assert read == 1 or (one["eventId"] is None) == (written == 1)
    assert sorted(map(str, by_spark)) == sorted(map(str, by_fastavro))
    assert len(by_spark) == counted.record_count == count_records(FILES, str(tmp_path / "feed"))


def test_a_record_says_what_the_row_means(
    spark: SparkSession, words: activity_records.LookupTables, tmp_path: Path
) -> None:
    made, _ = _written(spark, words, tmp_path)
    found = {one["eventId"]: one for one in _read(tmp_path)}
    assert len(found) == len(rows(made))
    for row in rows(made).head(300).to_dict("records"):
        one, track = found[f"{made.population_id}-{row['code']:x}"], TRACKS.iloc[row["track"]]
        assert one["userId"] == f"madeup-{made.population_id}-{row['number']}"
        assert one["activityType"] == row["activity"]
        assert round(one["eventTime"].timestamp() * 1000) == row["at"]
        assert one["startTime"] == one["eventTime"]
        assert round(one["endTime"].timestamp() * 1000) == row["ends"]
        assert one["artist"] == track["artist"] and one["genre"] == track["genre"]
        assert one["songId"] == (None if row["activity"] == "FOLLOW" else track["track_id"])
        assert (one["msPlayed"] is not None) == (one["context"] is not None) == (row["activity"] == "PLAY")
        assert one["playlistId"] == (PLAYLIST_IDS[row["playlist"]] if row["playlist"] >= 0 else None)
        if one["context"] and one["subscriptionType"] == "free":
            assert one["context"]["isShuffle"]


def test_dirt_is_as_the_truth_says(spark: SparkSession, words: activity_records.LookupTables, tmp_path: Path) -> None:
    rates = InjectedErrorRates(duplicate=0.05, late=0.05, disorder=0.05, unknown_track=0.05, broken=0.06)
    _, counted = _written(spark, words, tmp_path, dirt=rates)
    found = _read(tmp_path)
    assert count_records(FILES, tmp_path.as_uri()) == len(found) == counted.record_count
    ids = Counter(one["eventId"] for one in found)
    broken = [
        one for one in found if not one["userId"] or one["endTime"] < one["startTime"] or (one["duration"] or 0) < 0
    ]
    late = sum(count_records(FILES, str(path)) for path in tmp_path.glob("part-late-*.avro"))
    assert counted.injected_errors == {
        "duplicate": sum(count - 1 for count in ids.values()),
        "late": late,
        "disorder": counted.injected_errors["disorder"],
        "unknown_track": sum((one["songId"] or "").startswith("madeupUnknown") for one in found),
        "broken": len(broken),
    }
    assert all(counted.injected_errors.values())


def test_a_number_of_records_is_met_to_the_record(
    spark: SparkSession, words: activity_records.LookupTables, tmp_path: Path
) -> None:
    made, counted = _written(spark, words, tmp_path, records=500)
    everything = rows(simulation(60, 2)).sort_values(["at", "code"])
    assert counted.record_count == 500
    assert {one["eventId"] for one in _read(tmp_path)} == {
        f"{made.population_id}-{code:x}" for code in everything["code"].head(500)
    }


def test_users_are_told_as_of_each_change(spark: SparkSession, tmp_path: Path) -> None:
    made = simulation(300)
    write_avro(feed.make_user_records(spark, made), "user", tmp_path.as_uri())
    found = _read(tmp_path)
    by_user: dict[str, list[dict[str, Any]]] = {}
    for one in found:
        by_user.setdefault(one["userId"], []).append(one)
    assert len(by_user) == 300
    assert all(min(one["updatedAt"] for one in told) < made.parameters.start for told in by_user.values())
    several = [sorted(told, key=lambda one: one["updatedAt"]) for told in by_user.values() if len(told) > 1]
    kept = ("birthdate", "gender", "favouriteGenre")
    changing = ("username", "country", "timezone", "subscriptionType")
    for told in several:
        for before, after in pairwise(told):
            assert all(before[name] == after[name] for name in kept)
            assert any(before[name] != after[name] for name in changing)
    truth = feed.make_truth_rows(spark, made).toPandas()
    assert set(truth["user_id"]) == set(by_user)


def test_a_cut_or_damaged_file_is_refused(
    spark: SparkSession, words: activity_records.LookupTables, tmp_path: Path
) -> None:
    _written(spark, words, tmp_path)
    path = max(tmp_path.glob("*.avro"), key=lambda one: one.stat().st_size)
    whole = path.read_bytes()
    for content, sentence in (
        (whole[:-20], "was cut"),
        (whole[:50], "was cut"),
        (whole[:-1] + b"x", "sync marker"),
        (b"PAR1" + whole, "no Avro"),
    ):
        path.write_bytes(content)
        with pytest.raises(WrongFileError, match=f"{path.name}.*{sentence}"):
            count_records(FILES, str(tmp_path))
