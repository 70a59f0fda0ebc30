"""The same jobs on one machine and on a Spark cluster: the same star."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pyspark
import pytest

from etl.load.migrate import migrate_warehouse
from etl.settings import CHECKOUT, read_settings
from tests.dags.kaggle_files import write_folder
from tests.jobs import refresh_once
from tests.load.star_frames import compute_star_checksums, select_rows
from tests.processes import find_free_port

pytestmark = [pytest.mark.spark, pytest.mark.timeout(900)]
SPARK_CLASS = Path(pyspark.__file__).parent / "bin" / "spark-class"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield a standalone master with two workers of one core each, started from the pyspark wheel."""
    folder = tmp_path_factory.mktemp("cluster")
    port = find_free_port()
    url = f"spark://127.0.0.1:{port}"
    options = ["--host", "127.0.0.1", "--webui-port", "0"]
    master = _start_process(folder, "master", ["org.apache.spark.deploy.master.Master", *options, "--port", str(port)])
    _wait_for(folder / "master.log", r"New state: ALIVE")
    resources = ["--cores", "1", "--memory", "1g", "--work-dir", str(folder / "work")]
    workers = [
        _start_process(folder, name, ["org.apache.spark.deploy.worker.Worker", *options, *resources, url])
        for name in ("worker-1", "worker-2")
    ]
    for name in ("worker-1", "worker-2"):
        _wait_for(folder / f"{name}.log", r"Successfully registered with master")
    yield url
    for process in [*workers, master]:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


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
    """Run a refresh in a separate process, which has one Spark session at a time on the cluster."""
    state.mkdir()
    environ = {
        **os.environ,
        "PYTHONPATH": str(CHECKOUT),
        "STATE_DIR": str(state),
        "LAKE_URL": (state / "lake").as_uri(),
        "WAREHOUSE_URL": url,
        "SPARK_MASTER": master,
        "CLUSTER_COUNT": "3",
    }
    command = [sys.executable, "-m", "tests.jobs.refresh_once", str(folder)]
    done = subprocess.run(command, env=environ, cwd=state, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]


def _start_process(folder: Path, name: str, arguments: list[str]) -> "subprocess.Popen[bytes]":
    environ = {**os.environ, "SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable}
    with (folder / f"{name}.log").open("w") as log:
        return subprocess.Popen(
            [str(SPARK_CLASS), *arguments], env=environ, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )


def _wait_for(log: Path, pattern: str) -> None:
    deadline = time.monotonic() + 120
    while not re.search(pattern, log.read_text()):
        assert time.monotonic() < deadline, log.read_text()[-2000:]
        time.sleep(0.3)
