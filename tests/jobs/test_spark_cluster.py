"""The same jobs on one machine and on a Spark cluster: the same star."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from etl.load.migrate import migrate_warehouse
from etl.settings import CHECKOUT, read_settings
from launch.spark_jars import link_jars
from tests.dags.kaggle_files import write_folder
from tests.jobs import refresh_once
from tests.load.star_frames import compute_star_checksums, select_rows
from tests.spark_cluster import start_cluster

pytestmark = [pytest.mark.spark, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with start_cluster(tmp_path_factory.mktemp("cluster"), 2) as url:
        yield url


@pytest.mark.usefixtures("one_session")
def test_a_cluster_makes_the_same_star(
    cluster: str, tmp_path: Path, warehouse_url: str, empty_database_url: str
) -> None:
    write_folder(tmp_path / "files")
    variables = {"STATE_DIR": str(tmp_path / "local"), "WAREHOUSE_URL": warehouse_url, "CLUSTER_COUNT": "3"}
    variables |= {"SPARK_MASTER": "local[2]"}
    refresh_once.main(str(tmp_path / "files"), read_settings(variables))
    migrate_warehouse(empty_database_url)
    _run_refresh(cluster, tmp_path / "files", tmp_path / "cluster", empty_database_url)
    work = tmp_path.parent
    executors = [path for path in work.rglob("work/app-*/*") if path.is_dir()]
    assert len({path.name for path in executors}) >= 2, "both workers took part"
    assert _fetch_timeless_star(empty_database_url) == _fetch_timeless_star(warehouse_url)


def _fetch_timeless_star(url: str) -> tuple[dict[str, str], list[dict[str, object]]]:
    """Return the star, and its clusters without the time of their fit."""
    clusters = select_rows(url, "select audio_features_type, name, size from warehouse.dim_audio_cluster order by 1")
    return {
        name: sum for name, sum in compute_star_checksums(url).items() if name != "warehouse.dim_audio_cluster"
    }, clusters


def _run_refresh(master: str, folder: Path, state: Path, url: str) -> None:
    """Run a refresh in a separate process, whose steps have one session each on the cluster, in one Java process."""
    state.mkdir()
    link_jars(state)
    environ = {
        **os.environ,
        "PYTHONPATH": str(CHECKOUT),
        "STATE_DIR": str(state),
        "LAKE_URL": (state / "lake").as_uri(),
        "WAREHOUSE_URL": url,
        "SPARK_MASTER": master,
        "SPARK_IDLE_MINUTES": "5",
        "CLUSTER_COUNT": "3",
    }
    command = [sys.executable, "-m", "tests.jobs.refresh_once", str(folder)]
    done = subprocess.run(command, env=environ, cwd=state, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    (address_file,) = (state / "spark").glob("driver-*.json")
    address_file.unlink()  # Java ends without it
