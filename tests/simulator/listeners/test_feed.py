"""A feed on disk: the same for any number of partitions, readable by any reader, with correct counts."""

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
from simulator.listeners import simulation as simulation_module
from simulator.listeners.parameters import InjectedErrorRates
from tests.simulator.listeners.small_library import PLAYLIST_IDS, TRACKS, make_simulation, simulate_rows

FILES = fsspec.filesystem("file")


@pytest.fixture(scope="module")
def words(spark: SparkSession) -> activity_records.LookupTables:
    return activity_records.make_lookup_tables(spark, TRACKS, PLAYLIST_IDS)


def _read_records(folder: Path) -> list[dict[str, Any]]:
    records = []
    for path in sorted(folder.glob("*.avro")):
        with path.open("rb") as source:
            records += list(fastavro.reader(source))
    return records


def _write_feed(
    spark: SparkSession, words: activity_records.LookupTables, folder: Path, **options: Any
) -> tuple[Any, feed.WriteResult]:
    made = feed.limit_records(spark, make_simulation(60, 2, **options))
    return made, feed.write_events(spark, made, words, folder.as_uri())


def test_partitions_change_nothing(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation_module, "_ROWS_PER_CHUNK", 300)
    made = make_simulation(60, 2)
    assert made.chunk_layout[0] >= 7
    frames = [feed.generate_activity_rows(spark, made, count).toPandas().sort_values("code") for count in (1, 2, 7)]
    assert len(frames[0]) and all((record.to_numpy() == frames[0].to_numpy()).all() for record in frames)


@pytest.mark.parametrize(("written", "read"), [(1, 2), (2, 1), (2, 2)])
def test_fastavro_and_spark_read_alike_whatever_the_version(
    spark: SparkSession, words: activity_records.LookupTables, tmp_path: Path, written: int, read: int
) -> None:
    _, counted = _write_feed(spark, words, tmp_path / "feed", schema_version=written)
    reader = json.dumps(load_contract(f"user_activity_{read}"))
    frame = spark.read.format("avro").option("avroSchema", reader).load((tmp_path / "feed").as_uri())
    by_spark = sorted((row.userId, row.eventTime.timestamp(), row.activityType, row.songId) for row in frame.collect())
    by_fastavro = []
    for path in (tmp_path / "feed").glob("*.avro"):
        with path.open("rb") as source:
            for record in fastavro.reader(source, reader_schema=load_contract(f"user_activity_{read}")):
                by_fastavro.append(
                    (record["userId"], record["eventTime"].timestamp(), record["activityType"], record["songId"])
                )
                assert ("eventId" in record) == (read == 2)
                assert read == 1 or (record["eventId"] is None) == (written == 1)
    assert sorted(map(str, by_spark)) == sorted(map(str, by_fastavro))
    assert len(by_spark) == counted.record_count == count_records(FILES, str(tmp_path / "feed"))


def test_a_record_says_what_the_row_means(
    spark: SparkSession, words: activity_records.LookupTables, tmp_path: Path
) -> None:
    made, _ = _write_feed(spark, words, tmp_path)
    actual = {record["eventId"]: record for record in _read_records(tmp_path)}
    assert len(actual) == len(simulate_rows(made))
    for row in simulate_rows(made).head(300).to_dict("records"):
        first, track = actual[f"{made.population_id}-{row['code']:x}"], TRACKS.iloc[row["track"]]
        assert first["userId"] == f"madeup-{made.population_id}-{row['number']}"
        assert first["activityType"] == row["activity"]
        assert round(first["eventTime"].timestamp() * 1000) == row["at"]
        assert first["startTime"] == first["eventTime"]
        assert round(first["endTime"].timestamp() * 1000) == row["ends"]
        assert first["artist"] == track["artist"] and first["genre"] == track["genre"]
        assert first["songId"] == (None if row["activity"] == "FOLLOW" else track["track_id"])
        assert (first["msPlayed"] is not None) == (first["context"] is not None) == (row["activity"] == "PLAY")
        assert first["playlistId"] == (PLAYLIST_IDS[row["playlist"]] if row["playlist"] >= 0 else None)
        if first["context"] and first["subscriptionType"] == "free":
            assert first["context"]["isShuffle"]


def test_dirt_is_as_the_truth_says(spark: SparkSession, words: activity_records.LookupTables, tmp_path: Path) -> None:
    rates = InjectedErrorRates(duplicate=0.05, late=0.05, disorder=0.05, unknown_track=0.05, broken=0.06)
    _, counted = _write_feed(spark, words, tmp_path, dirt=rates)
    records = _read_records(tmp_path)
    assert count_records(FILES, tmp_path.as_uri()) == len(records) == counted.record_count
    ids = Counter(record["eventId"] for record in records)
    broken = [
        record
        for record in records
        if not record["userId"] or record["endTime"] < record["startTime"] or (record["duration"] or 0) < 0
    ]
    late = sum(count_records(FILES, str(path)) for path in tmp_path.glob("part-late-*.avro"))
    assert counted.injected_errors == {
        "duplicate": sum(count - 1 for count in ids.values()),
        "late": late,
        "disorder": counted.injected_errors["disorder"],
        "unknown_track": sum((record["songId"] or "").startswith("madeupUnknown") for record in records),
        "broken": len(broken),
    }
    assert all(counted.injected_errors.values())


def test_a_number_of_records_is_met_to_the_record(
    spark: SparkSession, words: activity_records.LookupTables, tmp_path: Path
) -> None:
    made, counted = _write_feed(spark, words, tmp_path, records=500)
    everything = simulate_rows(make_simulation(60, 2)).sort_values(["at", "code"])
    assert counted.record_count == 500
    assert {record["eventId"] for record in _read_records(tmp_path)} == {
        f"{made.population_id}-{code:x}" for code in everything["code"].head(500)
    }


def test_users_are_told_as_of_each_change(spark: SparkSession, tmp_path: Path) -> None:
    made = make_simulation(300)
    write_avro(feed.make_user_records(spark, made), "user", tmp_path.as_uri())
    records = _read_records(tmp_path)
    by_user: dict[str, list[dict[str, Any]]] = {}
    for record in records:
        by_user.setdefault(record["userId"], []).append(record)
    assert len(by_user) == 300
    assert all(
        min(record["updatedAt"] for record in user_records) < made.parameters.start for user_records in by_user.values()
    )
    several = [
        sorted(user_records, key=lambda first: first["updatedAt"])
        for user_records in by_user.values()
        if len(user_records) > 1
    ]
    fixed_fields = ("birthdate", "gender", "favouriteGenre")
    changing = ("username", "country", "timezone", "subscriptionType")
    for user_records in several:
        for before, after in pairwise(user_records):
            assert all(before[name] == after[name] for name in fixed_fields)
            assert any(before[name] != after[name] for name in changing)
    truth = feed.make_truth_tables(made)["listener"]
    assert set(truth["user_id"].to_pylist()) == set(by_user)


def test_a_cut_or_damaged_file_is_refused(
    spark: SparkSession, words: activity_records.LookupTables, tmp_path: Path
) -> None:
    _write_feed(spark, words, tmp_path)
    path = max(tmp_path.glob("*.avro"), key=lambda first: first.stat().st_size)
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
