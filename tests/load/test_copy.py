"""The work of an executor, without Spark: exactly once, after any number of tries by any executor."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession
from sqlalchemy import text

from etl.database import libpq_url, lock_warehouse
from etl.database.run_records import record_start
from etl.errors import ActionNeededError, TryAgainError
from etl.load.staging import prepare_load, stage_frames
from etl.load.staging_copy import CopyError, CopyTarget
from tests.load.star_frames import create_frames, make_run, select_rows

COLUMNS = ("track_id", "artist_id", "position")
ROW_COUNT = "select count(*) as n from staging.bridge_track_artist"


def make_batches(*track_ids: str) -> Iterator[pa.RecordBatch]:
    positions = pa.array([0] * len(track_ids), pa.int32())
    yield pa.RecordBatch.from_pydict({"track_id": track_ids, "artist_id": track_ids, "position": positions})


def begin_load(url: str, load_id: str) -> None:
    with lock_warehouse(url) as connection:
        record_start(connection, make_run())
        prepare_load(connection, load_id, make_run(), ["bridge_track_artist"])


def make_target(url: str, load_id: str, **changed: Any) -> CopyTarget:
    return CopyTarget(libpq_url(url), load_id, changed.get("table", "bridge_track_artist"), COLUMNS)


def test_a_partition_that_is_tried_again_goes_in_once(warehouse_url: str) -> None:
    begin_load(warehouse_url, "one")
    for _ in range(2):
        (report,) = make_target(warehouse_url, "one").write_partition(make_batches("a", "b"))
        assert report.to_pylist() == [{"partition": 0, "row_count": 2}]
    assert select_rows(warehouse_url, ROW_COUNT) == [{"n": 2}]


def test_a_writer_that_outlived_its_load_writes_nothing(warehouse_url: str) -> None:
    begin_load(warehouse_url, "one")
    begin_load(warehouse_url, "two")
    with pytest.raises(CopyError, match=r"(?s)part_load_id_fkey.*\[SQLSTATE 23503\]"):
        list(make_target(warehouse_url, "one").write_partition(make_batches("a")))
    assert select_rows(warehouse_url, ROW_COUNT) == [{"n": 0}]


def test_a_new_load_ends_the_writers_of_one_that_is_gone(warehouse_url: str) -> None:
    begin_load(warehouse_url, "one")

    def yield_slowly() -> Iterator[pa.RecordBatch]:
        yield from make_batches("a")
        begin_load(warehouse_url, "two")
        yield from make_batches("b")

    with pytest.raises(CopyError):
        list(make_target(warehouse_url, "one").write_partition(yield_slowly()))
    assert select_rows(warehouse_url, ROW_COUNT) == [{"n": 0}]


def test_rows_that_cannot_be_made_fail_as_they_do(warehouse_url: str) -> None:
    begin_load(warehouse_url, "one")

    def yield_and_fail() -> Iterator[pa.RecordBatch]:
        yield from make_batches("a")
        raise ValueError("no more rows")

    with pytest.raises(ValueError, match="no more rows"):
        list(make_target(warehouse_url, "one").write_partition(yield_and_fail()))
    assert select_rows(warehouse_url, ROW_COUNT) == [{"n": 0}]


def test_a_partition_without_rows_answers_nothing(warehouse_url: str) -> None:
    begin_load(warehouse_url, "one")
    assert list(make_target(warehouse_url, "one").write_partition(iter([]))) == []


def test_the_password_is_in_no_plan_and_no_error(
    spark: SparkSession, warehouse_url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    password = warehouse_url.split(":")[2].split("@")[0]
    assert password not in repr(make_target(warehouse_url, "one"))
    begin_load(warehouse_url, "one")
    row = {"track_id": "a", "artist_id": "b", "position": 0}
    staged = create_frames(spark, {"bridge_track_artist": [row]})
    with lock_warehouse(warehouse_url) as connection:
        connection.execute(text("revoke all on staging.bridge_track_artist from loader"))
        connection.commit()
    with pytest.raises(ActionNeededError, match="does not give the user of WAREHOUSE_URL a privilege") as failure:
        stage_frames(staged, "one", warehouse_url)
    output = f"{failure.value} {failure.value.__cause__} {''.join(capfd.readouterr())}"
    assert password not in output
    staged["bridge_track_artist"].mapInArrow(make_target(warehouse_url, "one").write_partition, "n int").explain(True)
    assert password not in "".join(capfd.readouterr())


def test_a_server_that_is_gone_is_named_and_may_be_tried_again(spark: SparkSession, warehouse_url: str) -> None:
    gone = "postgresql://loader:secret-word@127.0.0.1:1/none"
    row = {"track_id": "a", "artist_id": "b", "position": 0}
    with pytest.raises(TryAgainError, match=r"127\.0\.0\.1:1/none cannot be reached") as failure:
        stage_frames(create_frames(spark, {"bridge_track_artist": [row]}), "one", gone)
    assert "secret-word" not in f"{failure.value} {failure.value.__cause__}"
