"""The synthetic catalogue: the same for the same seed, complete, and marked as synthetic."""

import csv
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

from pyspark.sql import SparkSession

from etl.extract.kaggle import receive_file
from etl.formats.kaggle.file_formats import FORMATS
from etl.formats.tabular import read_rows
from etl.storage.lake import Lake
from etl.transform.kaggle import parse_rows
from simulator.synthetic_catalogue import write_catalogue


def _read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_seed_decides(tmp_path: Path) -> None:
    first, again, second = (
        [file.read_bytes() for file in write_catalogue(tmp_path / folder, seed)]
        for folder, seed in (("first", 1), ("again", 1), ("other", 2))
    )
    assert first == again and first[1] != second[1]


def test_it_is_whole_and_has_the_oddities_of_real_ones(tmp_path: Path) -> None:
    artists, rows = (_read_rows(file) for file in write_catalogue(tmp_path, 1))
    assert all(all(row.values()) for row in [*artists, *rows]), "every field is filled"
    tracks = {row["track_id"]: row for row in rows}
    assert len(artists) == 300 and 1_900 < len(tracks) < 2_200
    assert all(len(track_id) == 22 and track_id.startswith("madeupT") for track_id in tracks)
    assert {row["release_date"].count("-") for row in rows} == {0, 1, 2}
    assert any(" - Remastered " in row["name"] for row in rows) and any(" - Live at " in row["name"] for row in rows)
    lengths = defaultdict(list)
    for row in tracks.values():
        lengths[row["isrc"]].append(int(row["duration_ms"]))
    assert sum(len(of_one) > 1 for of_one in lengths.values()) > 100, "several ids of one recording"
    assert all(max(of_one) - min(of_one) < 2_000 for of_one in lengths.values())
    known_artists = {row["artist_id"] for row in artists}
    assert {artist_id for row in rows for artist_id in row["artist_ids"].split(";")} <= known_artists


def test_it_takes_the_way_of_real_files(spark: SparkSession, lake: Lake, tmp_path: Path) -> None:
    for file in write_catalogue(tmp_path / "made_up", 1):
        received = receive_file(str(file), None, lake, datetime(2026, 1, 1, tzinfo=UTC))
        known = FORMATS[received.format]
        assert (known.name, received.origin) == (file.stem, "made_up")
        parsed = parse_rows(read_rows(spark, [received], known), known)
        assert parsed.rejected.collect() == []
        assert parsed.accepted.count() == received.row_count
        assert {row.source for row in parsed.accepted.select("source").distinct().collect()} == {"made_up"}
