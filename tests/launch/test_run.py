"""bin/run with a real Airflow and two small DAGs: one refresh a start, and nothing left however it ends."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import psutil
import pytest
import requests

from etl import warehouse
from etl.config import CHECKOUT
from etl.load.run import Run, record_start
from etl.spark import JARS
from launch import postgres
from launch.environment import MARKER, environment
from launch.postgres.place import find_place
from launch.postgres.use import embedded_server
from tests.processes import free_port, listening_addresses, looked_at

pytestmark = [pytest.mark.airflow, pytest.mark.crash]
RUN_SECONDS = 300
OURS = ("AIRFLOW", "KAGGLE", "SPOTI", "STAND_IN", "IS_STAND_IN")


@pytest.fixture(scope="module")
def lasting_product(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Product"]:
    product = Product(tmp_path_factory.mktemp("product"), free_port())
    yield product
    postgres.remove(product.state)


@pytest.fixture
def product(lasting_product: "Product") -> Iterator["Product"]:
    """The product of all tests here; what a failed test leaves running does not reach the next one."""
    yield lasting_product
    for start in lasting_product.starts:
        if start.poll() is None:
            start.kill()
            start.wait()
    for process in lasting_product.processes():
        process.kill()


class Product:
    """One STATE_DIR and the ways to start bin/run on it."""

    def __init__(self, state: Path, port: int) -> None:
        self.state, self.port = state, port
        self.starts: list[subprocess.Popen[str]] = []
        # Nothing here starts Spark, and tests reach no network.
        (state / "ivy").mkdir()
        (state / "ivy" / "resolved").write_text(",".join(JARS))

    def start(self, *arguments: str, **environ: str) -> "subprocess.Popen[str]":
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        settings = {
            "STATE_DIR": str(self.state),
            "SIMULATED_LISTENERS": "0",
            "PYTHONPATH": str(CHECKOUT),
            "AIRFLOW__API__PORT": str(self.port),
            "DASHBOARD_PORT": str(free_port()),
            "AIRFLOW__CORE__DAGS_FOLDER": str(Path(__file__).parent / "tiny_dags"),
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "launch.run", *arguments],
            env={**inherited, **settings, **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.starts.append(process)
        return process

    def run(self, *arguments: str, **environ: str) -> tuple[int, str]:
        process = self.start(*arguments, **environ)
        output, _ = process.communicate(timeout=RUN_SECONDS)
        return process.returncode, output

    def processes(self) -> list[psutil.Process]:
        """Everything alive that was started for this STATE_DIR, found without the product's help."""
        return [process for process in psutil.process_iter() if looked_at(process, self._is_ours)]

    def _is_ours(self, process: psutil.Process) -> bool:
        is_marked = process.environ().get(MARKER) == str(self.state)
        return (is_marked or str(self.state) in process.cwd()) and process.status() != psutil.STATUS_ZOMBIE

    def part(self, name: str) -> psutil.Process:
        notes = map(json.loads, (self.state / "run" / "sessions.jsonl").read_text().splitlines())
        return psutil.Process([note["pid"] for note in notes if note["name"] == name][-1])

    def refresh_types(self) -> list[str]:
        with embedded_server(self.state) as server:
            url = environment(self.state, server)["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"]
            with warehouse.connect(url) as connection:
                statement = "select run_type from dag_run where dag_id = 'nightly_refresh' order by id"
                return [str(row["run_type"]) for row in warehouse.rows(connection, statement)]

    def is_working(self) -> bool:
        """Whether the refresh's task runs, with its child in a session of its own."""
        return any(looked_at(process, lambda p: "10000" in p.cmdline()) for process in self.processes())


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + RUN_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.3)


def read_until(process: "subprocess.Popen[str]", words: str) -> str:
    assert process.stdout is not None
    output = ""
    while words not in output:
        line = process.stdout.readline()
        assert line, f"it ended without saying {words!r}:\n{output}"
        output += line
    return output


def test_one_refresh_and_a_failed_file_harms_nothing_else(product: Product) -> None:
    code, output = product.run("--exit", KAGGLE_PATH="http://bad")
    assert code == 0, output
    assert "import_file bad.csv: bad.csv is no file that we know." in output
    assert "The refresh is published" in output
    assert "Spotify's answers are made up by the stand-in" in output
    assert product.processes() == []
    assert product.refresh_types() == ["scheduled"]


def test_stays_up_on_loopback_alone_until_ctrl_c(product: Product) -> None:
    process = product.start()
    output = read_until(process, "stays up until Ctrl-C")
    assert listening_addresses(product.processes()) == {"127.0.0.1"}
    user, password = re.search(r"user (\S+)\s+password (\S+)", output).groups()  # type: ignore[union-attr]
    answer = requests.post(
        f"http://127.0.0.1:{product.port}/auth/token", json={"username": user, "password": password}, timeout=60
    )
    assert answer.status_code == 201
    assert not any(looked_at(p, lambda p: password in " ".join(p.cmdline())) for p in psutil.process_iter())

    code, words = product.run("--exit")
    assert (code, len(words.splitlines())) == (1, 1)
    assert "already running" in words

    product.part("stand-in").kill()
    read_until(process, "The stand-in for Spotify's API had ended (exit code -9) and was started again.")
    for part in ("scheduler", "dag-processor"):
        product.part(part).kill()
        read_until(process, f"Airflow's {part} had ended (exit code -9) and was started again.")
    # Last: without a database a part of Airflow may end too, and be another process at any moment.
    os.kill(postgres.running_pid(find_place(product.state, 18)) or 0, signal.SIGKILL)
    read_until(process, "The embedded PostgreSQL had ended and was started again")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=RUN_SECONDS)
    assert process.returncode == 0
    assert product.processes() == []
    assert product.refresh_types() == ["scheduled", "manual"]


@pytest.mark.parametrize("part", ["scheduler", "api-server"])
def test_a_part_killed_while_a_task_runs_ends_everything(product: Product, part: str) -> None:
    process = product.start(TINY_SECONDS="900")
    wait_until(product.is_working)
    product.part(part).kill()
    output, _ = process.communicate(timeout=RUN_SECONDS)
    assert process.returncode == 1
    assert f"Airflow's {part} has ended" in output
    assert product.processes() == []


def test_a_killed_start_is_cleaned_up_by_the_next_one(product: Product) -> None:
    process = product.start(TINY_SECONDS="900")
    wait_until(product.is_working)
    with warehouse.connect(postgres.start(product.state).url("airflow", "airflow")) as connection:
        (run,) = warehouse.rows(connection, "select run_id from dag_run where state = 'running'")
    begun = Run(f"nightly_refresh.{run['run_id']}", "nightly_refresh", datetime.now(UTC), date(2026, 11, 1), ())
    with warehouse.connect(postgres.start(product.state).url("loader", "warehouse")) as connection:
        record_start(connection, begun)
    process.kill()
    process.communicate(timeout=RUN_SECONDS)
    assert product.processes()
    code, output = product.run("--exit")
    assert code == 0, output
    assert "An earlier start was killed" in output
    assert product.processes() == []
    with (
        embedded_server(product.state) as server,
        warehouse.connect(environment(product.state, server)["WAREHOUSE_URL"]) as connection,
    ):
        (line,) = warehouse.rows(
            connection, "select result, message from audit.run where run_id = :id", id=begun.run_id
        )
    assert line["result"] == "failed" and "Cut short: the product was stopped" in str(line["message"])


def test_sigterm_while_a_task_runs_leaves_nothing(product: Product) -> None:
    process = product.start("--exit", TINY_SECONDS="900")
    wait_until(product.is_working)
    process.terminate()
    process.communicate(timeout=RUN_SECONDS)
    assert process.returncode == 128 + signal.SIGTERM
    assert product.processes() == []
