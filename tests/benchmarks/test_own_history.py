"""The history that the benchmark of imports writes: what an import accepts of it, and what pandas reads."""

from datetime import UTC, datetime
from pathlib import Path

from benchmarks._own_history import TIMEZONE, USER_ID, read_files, write_history
from etl.extract.account_export import receive_export
from etl.storage.lake import Lake

PLAYS = 2_500


def test_an_import_and_pandas_read_the_same_records(tmp_path: Path) -> None:
    accepted = write_history(tmp_path / "history.zip", PLAYS)
    assert accepted == PLAYS - PLAYS // 1000
    lake = Lake((tmp_path / "lake").as_uri())
    export = receive_export(str(tmp_path / "history.zip"), USER_ID, TIMEZONE, lake, datetime(2026, 9, 1, tzinfo=UTC))
    assert [(received.format, received.row_count) for received in export.inputs] == [("extended_export", PLAYS)]
    frames = list(read_files(tmp_path / "history.zip"))
    assert sum(map(len, frames)) == PLAYS and sum(frame["ts"].notna().sum() for frame in frames) == accepted


def test_a_history_is_the_same_each_time(tmp_path: Path) -> None:
    for name in ("first", "second"):
        write_history(tmp_path / f"{name}.zip", 100)
    first, second = (next(iter(read_files(tmp_path / f"{name}.zip"))) for name in ("first", "second"))
    assert first.equals(second)
