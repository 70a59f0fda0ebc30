"""The jars of Spark where another Airflow starts the tasks."""

from pathlib import Path

import pytest

from etl.engines.spark import KAFKA_COORDINATES, MAVEN_COORDINATES
from launch import fetch_jars, spark_jars

Fetched = list[tuple[str, Path]]


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Fetched:
    """Return the list of (coordinates, Ivy's folder) that would be fetched, and fetch nothing."""
    fetched_jars: Fetched = []

    def record(_name: str, command: list[str], _environ: dict[str, str], _state: Path) -> tuple[int, str]:
        coordinates, folder = command[-3:-1]
        fetched_jars.append((coordinates, Path(folder)))
        return (1, "not found") if "missing" in coordinates else (0, "")

    monkeypatch.setattr(spark_jars, "run_logged", record)
    monkeypatch.setattr(spark_jars, "write_class_archive", lambda *_: None)
    monkeypatch.setenv("STATE_DIR", str(tmp_path))
    return fetched_jars


def test_jars_of_all_sessions_and_of_streams_are_fetched_once(fetched: Fetched, tmp_path: Path) -> None:
    assert [fetch_jars.main([]), fetch_jars.main([])] == [0, 0]
    assert fetched == [
        (",".join(MAVEN_COORDINATES), tmp_path / "ivy"),
        (",".join(KAFKA_COORDINATES), tmp_path / "ivy-kafka"),
    ]


def test_further_jars_are_put_beside_those_of_all_sessions(fetched: Fetched, tmp_path: Path) -> None:
    assert fetch_jars.main(["org.apache.hadoop:hadoop-aws:3.4.2"]) == 0
    assert fetched[-1] == ("org.apache.hadoop:hadoop-aws:3.4.2", tmp_path / "ivy")


def test_jars_that_cannot_be_fetched_are_an_error(fetched: Fetched, capsys: pytest.CaptureFixture[str]) -> None:
    assert fetch_jars.main(["org.example:missing:1"]) == 1
    assert "not found" in capsys.readouterr().out
