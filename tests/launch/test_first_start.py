"""The first start of components that run elsewhere."""

from pathlib import Path
from typing import Any

import pytest

from launch import first_start, spark_jars
from launch.first_start import prepare_scheduling, run_first_start


class FakeApi:
    """Airflow with parsed DAGs, and the calls that change something."""

    def __init__(self, run_ids: list[str]) -> None:
        self.run_ids = run_ids
        self.calls: list[tuple[Any, ...]] = []

    def get_dag(self, dag_id: str) -> dict[str, str]:
        return {"dag_id": dag_id}

    def list_run_ids(self, _dag_id: str) -> list[str]:
        return self.run_ids

    def set_paused(self, dag_id: str, is_paused: bool) -> None:
        self.calls.append((dag_id, is_paused))


@pytest.fixture(autouse=True)
def state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("STATE_DIR", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("is_published", "run_ids", "calls"),
    [
        (False, [], [("nightly_refresh", True)]),
        # Tasks of a paused DAG are not started: a first start that goes on must not wait forever.
        (False, ["manual"], []),
        (True, [], []),
    ],
)
def test_the_refresh_waits_for_the_first_start_alone(
    is_published: bool, run_ids: list[str], calls: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(first_start, "is_published", lambda _: is_published)
    api = FakeApi(run_ids)
    prepare_scheduling({"WAREHOUSE_URL": "postgresql://unused"}, api)  # type: ignore[arg-type]
    assert api.calls == calls


def test_a_published_warehouse_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(first_start, "is_published", lambda _: True)
    api = FakeApi([])
    assert run_first_start({"WAREHOUSE_URL": "postgresql://unused"}, api) == 0  # type: ignore[arg-type]
    assert api.calls == [] and "has been refreshed before" in capsys.readouterr().out


def test_another_image_brings_its_jars_and_its_classes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, state: Path
) -> None:
    archives: list[Path] = []
    monkeypatch.setattr(spark_jars, "write_class_archive", lambda folder, _: archives.append(folder))
    for number, is_new in ((1, True), (1, False), (2, True)):
        image = tmp_path / f"image-{number}"
        for name in ("ivy", "ivy-kafka"):
            (image / name / "jars").mkdir(parents=True, exist_ok=True)
            (image / name / "jars" / f"{name}-{number}.jar").touch()
            (image / name / "resolved").write_text("coordinates")
        (image / "image").write_text(str(number))
        assert spark_jars.use_image_jars(image, state, {}) is is_new
        assert [path.name for path in (state / "ivy-kafka" / "jars").iterdir()] == [f"ivy-kafka-{number}.jar"]
        assert (state / "ivy" / "resolved").read_text() == "coordinates"
    assert archives == [state, state]
