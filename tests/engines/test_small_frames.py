"""Small frames keep their rows, columns and types between Spark and Arrow."""

from datetime import UTC, date, datetime
from pathlib import Path

from pyspark.sql import SparkSession
from pyspark.sql.types import ArrayType, DateType, LongType, StringType, TimestampType

from etl.engines.small_frames import collect_tables, make_frame
from etl.formats.contracts.columns import build_schema
from etl.storage.parquet_frames import write_frames

ALBUM = build_schema(
    album_id=StringType(),
    name=StringType(),
    names=ArrayType(StringType(), containsNull=False),
    release=build_schema(release_date=DateType(), precision=StringType()),
    asked_at=TimestampType(),
)
LINK = build_schema(id_hash=LongType(), node=LongType())
ALBUMS = [
    {
        "album_id": "a",
        "name": None,
        "names": ["x", "y"],
        "release": {"release_date": date(2001, 2, 3), "precision": "day"},
        "asked_at": datetime(2026, 11, 1, 2, 3, 4, 5, tzinfo=UTC),
    },
    {"album_id": "b", "name": "B", "names": [], "release": None, "asked_at": None},
]
LINKS = [{"id_hash": 1, "node": -(2**63)}, {"id_hash": 2, "node": None}]


def test_frames_of_other_columns_are_collected_together(spark: SparkSession) -> None:
    frames = {
        "albums": make_frame(spark, ALBUMS, ALBUM),
        "nothing": make_frame(spark, [], LINK),
        "links": make_frame(spark, LINKS, LINK),
    }
    tables = collect_tables(frames)
    assert {name: table.column_names for name, table in tables.items()} == {
        name: frame.columns for name, frame in frames.items()
    }
    assert tables["albums"].to_pylist() == ALBUMS
    assert tables["links"].to_pylist() == LINKS
    assert tables["nothing"].to_pylist() == []


def test_spark_reads_the_same_rows_from_frames_written_small_or_large(spark: SparkSession, tmp_path: Path) -> None:
    rows = {}
    for is_small in (True, False):
        for count in (0, len(ALBUMS)):
            url = (tmp_path / f"{is_small} {count}").as_uri()
            for _ in range(2):  # the second time over the first
                write_frames({url: make_frame(spark, ALBUMS[:count], ALBUM)}, is_small)
            frame = spark.read.schema(ALBUM).parquet(url)
            rows[is_small, count] = [row.asDict(recursive=True) for row in frame.orderBy("album_id").collect()]
    assert rows[True, 0] == rows[False, 0] == []
    assert rows[True, 2] == rows[False, 2]
    assert [row["album_id"] for row in rows[True, 2]] == ["a", "b"]
