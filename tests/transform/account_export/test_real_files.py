"""Real account exports from disk to events, against counts of the files."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from etl.extract.account_export import receive_export
from etl.jobs.account_import import read_export_lines
from etl.storage.lake import Lake
from etl.transform.account_export import extended, parse_events
from tests.parsed_histories import parse_extended_inputs

pytestmark = [pytest.mark.real_data, pytest.mark.usefixtures("large_input_options")]

ROWS = {"extended_export": 49, "basic_export": 9_990}


@pytest.fixture(scope="module")
def histories(
    spark: SparkSession, real_exports: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[int, DataFrame, DataFrame]]:
    """Return, for each format, the number of rows in its manifest, its events and its rejected rows."""
    lake = Lake(tmp_path_factory.mktemp("lake").as_uri())
    export = receive_export(str(real_exports), "ada", "Europe/Berlin", lake, datetime(2026, 1, 1, tzinfo=UTC))
    assert export.skipped_files == [] and len(export.files_read) == 4
    result = {}
    for received_input in export.inputs:
        if received_input.format == extended.SOURCE:
            parsed = parse_extended_inputs(spark, [received_input])
        else:
            parsed = parse_events(read_export_lines(spark, [received_input]), received_input.format)
        result[received_input.format] = (received_input.row_count, parsed.accepted.cache(), parsed.rejected)
    return result


Histories = dict[str, tuple[int, DataFrame, DataFrame]]


@pytest.mark.parametrize("name", ROWS)
def test_every_row_is_accounted_for(histories: Histories, name: str) -> None:
    row_count, accepted, rejected = histories[name]
    assert (row_count, accepted.count(), rejected.count()) == (ROWS[name], ROWS[name], 0)
    assert accepted.select("source", "user_id", "event_time", "identity").distinct().count() == row_count


def test_the_extended_history(histories: Histories) -> None:
    plays = histories["extended_export"][1]
    actual = plays.agg(
        F.count_if(F.col("track_id").isNotNull()).alias("tracks"),
        F.count_if("is_skipped").alias("skipped"),
        F.count_if(F.col("is_skipped").isNull()).alias("unknown"),
        F.count_if("is_offline").alias("offline"),
        F.count_if(F.col("ms_played") == 0).alias("of_no_length"),
        F.count_if(F.col("country") == "US").alias("in_the_us"),
        F.count_if(F.col("device_type") == "DESKTOP").alias("desktop"),
        F.count_if(F.col("device_type") == "MOBILE").alias("mobile"),
    ).first()
    assert actual is not None and actual.asDict() == {
        "tracks": 49,
        "skipped": 33,
        "unknown": 0,
        "offline": 5,
        "of_no_length": 1,
        "in_the_us": 39,
        "desktop": 38,
        "mobile": 6,
    }


def test_an_offline_play_reported_a_year_later_stands_where_it_was_played(histories: Histories) -> None:
    plays = histories["extended_export"][1].where("is_offline")
    spread = plays.agg((F.max("started_at").cast("long") - F.min("started_at").cast("long")).alias("seconds")).first()
    assert spread is not None and spread.seconds == 803


def test_the_basic_history(histories: Histories) -> None:
    plays = histories["basic_export"][1]
    actual = plays.agg(
        F.count_distinct("artist_name", "track_name").alias("pairs"),
        F.count_if(F.col("ms_played") == 0).alias("of_no_length"),
        F.max("ms_played").alias("longest"),
        F.count_if(~F.col("identity").endswith(" 1")).alias("repeated"),
    ).first()
    assert actual is not None and actual.asDict() == {
        "pairs": 1_033,
        "of_no_length": 14,
        "longest": 747_943,
        "repeated": 0,
    }
