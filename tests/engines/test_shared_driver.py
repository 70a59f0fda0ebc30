"""Steps in processes of their own that share one real Java process."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from etl.engines import driver_server, shared_driver
from etl.engines.spark import options_for_size
from etl.settings import CHECKOUT
from launch.spark_jars import link_jars
from tests.engines.test_spark import SECRETS

pytestmark = pytest.mark.spark

TASK_VARIABLES = ("AIRFLOW_CTX_TASK_ID", "_AIRFLOW_PARSING_CONTEXT_TASK_ID")
"""Variables that Airflow sets to another value for each task."""

_STEP = """
import json, os, subprocess, sys
from etl.engines.spark import open_session
from etl.settings import read_settings

with open_session(read_settings(), "step") as spark:
    context = spark.sparkContext
    facts = {
        "pid": context._jvm.java.lang.ProcessHandle.current().pid(),
        "application": context.applicationId,
        "partitions": spark.conf.get("spark.sql.shuffle.partitions"),
        "sum": spark.range(100).repartition(2).groupBy().sum().first()[0],
        "workers": context.parallelize(range(4), 2).map(lambda number: __import__("etl").__name__).first(),
    }
    print(json.dumps(facts), flush=True)
    if "beside" in sys.argv:
        subprocess.run([sys.executable, "-c", STEP])
    if "fail" in sys.argv:
        raise ValueError("of the step")
    if "kill" in sys.argv:
        os.kill(os.getpid(), 9)
    if "kill-java" in sys.argv:
        context._gateway.proc.kill()
        spark.range(10).count()
"""


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shared")
    link_jars(folder)
    return folder


def run_step(state: Path, *words: str, **others: str) -> tuple[list[dict[str, object]], str]:
    """Run a step; return the facts that it prints, and its errors."""
    environ = {
        **os.environ,
        **dict.fromkeys(SECRETS, "secret"),
        "STATE_DIR": str(state),
        "PYTHONPATH": str(CHECKOUT),
        "WAREHOUSE_URL": "postgresql://unused@127.0.0.1:1/none",
        "SPARK_MASTER": "local[2]",
        "SPARK_DRIVER_MEMORY": "600m",
        "SPARK_IDLE_MINUTES": "5",
        **dict.fromkeys(TASK_VARIABLES, f"task {time.monotonic()}"),
        **others,
    }
    program = f"STEP = {_STEP!r}\n{_STEP}"
    done = subprocess.run(
        [sys.executable, "-c", program, *words], env=environ, capture_output=True, text=True, check=False, timeout=400
    )
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"pid"')]
    assert lines, done.stderr
    return lines, done.stderr


def wait_until(is_so: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def end_server(state: Path, pid: int) -> None:
    for path in (state / "spark").glob("driver-*.json"):
        path.unlink()
    wait_until(lambda: not psutil.pid_exists(pid))


def test_steps_share_java_until_one_fails(state: Path) -> None:
    (first,), _ = run_step(state)
    pid = int(str(first["pid"]))
    try:
        (second, beside), _ = run_step(state, "beside")
        assert second["pid"] == pid, "the second step starts Java again"
        assert beside["pid"] != pid, "two steps at once use one Java process"
        assert first["application"] != second["application"], "the steps share a context"
        assert [first["sum"], second["sum"], beside["sum"]] == [4950] * 3
        assert first["workers"] == second["workers"] == "etl"

        environ = psutil.Process(pid).environ()
        assert not {*SECRETS, *TASK_VARIABLES} & environ.keys() and "secret" not in environ.values()
        (address,) = (state / "spark").glob("driver-*.json")
        assert address.stat().st_mode & 0o77 == 0
        addresses = {c.laddr.ip for c in psutil.Process(pid).net_connections("inet") if c.status == "LISTEN"}
        assert addresses <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}

        (failed,), errors = run_step(state, "fail")
        assert failed["pid"] == pid and "ValueError: of the step" in errors
        wait_until(lambda: not psutil.pid_exists(pid))
        assert not address.exists()
    finally:
        end_server(state, pid)


def test_a_killed_step_ends_java_and_other_memory_starts_another(state: Path) -> None:
    (first,), _ = run_step(state, SPARK_DRIVER_MEMORY="700m")
    (other,), _ = run_step(state, "kill", SPARK_DRIVER_MEMORY="600m")
    first_pid, pid = int(str(first["pid"])), int(str(other["pid"]))
    assert first_pid != pid
    wait_until(lambda: not psutil.pid_exists(first_pid))
    wait_until(lambda: not psutil.pid_exists(pid))


def test_a_step_whose_java_is_killed_says_so(state: Path) -> None:
    (facts,), errors = run_step(state, "kill-java")
    assert "TryAgainError: Spark has ended before its work was done (exit code -9;" in errors
    wait_until(lambda: not psutil.pid_exists(int(str(facts["pid"]))))


def test_java_waits_for_the_next_step_if_it_gives_its_memory_back(caplog: pytest.LogCaptureFixture) -> None:
    java = driver_server.JavaProcess({"spark.driver.memory": "3g", **options_for_size(0)})
    try:
        gateway = java._gateway
        arrays = [gateway.new_array(gateway.jvm.long, 16 << 20) for _ in range(9)]
        assert not java.is_small()
        assert "Java ends: it has " in caplog.text
        del arrays
        java.release_objects()
        assert java.is_small(), "the heap does not shrink"
    finally:
        java.end()


def test_an_address_of_nobody_counts_as_none(tmp_path: Path) -> None:
    address_file = tmp_path / "driver.json"
    assert shared_driver._greet_server(address_file, []) is None
    address_file.write_text("cut of")
    assert shared_driver._greet_server(address_file, []) is None
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address_file.write_text(json.dumps({"port": listener.getsockname()[1], "secret": "none"}))
    assert shared_driver._greet_server(address_file, []) is None


def test_a_lost_server_counts_as_killed(tmp_path: Path) -> None:
    ours, server = socket.socketpair()
    with (tmp_path / "lock").open("ab") as lock:
        driver = shared_driver.SharedDriver(0, tmp_path / "log", ours, lock, 0)
        with pytest.raises(subprocess.TimeoutExpired):
            driver.wait(0)
        server.close()
        assert driver.wait(0) == -signal.SIGKILL
    ours.close()
