"""bin/run with a real Airflow and two small DAGs: one refresh per start, and no process left after any end."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import requests

from etl import database
from etl.engines.spark import KAFKA_COORDINATES, MAVEN_COORDINATES
from etl.settings import CHECKOUT
from launch import kafka, postgres
from launch.airflow_api import AirflowApi
from launch.environment import STATE_MARKER, build_environment, get_web_login
from launch.postgres.installation import find_installation
from launch.postgres.shared_server import run_embedded_server
from tests.processes import check_process, find_free_port, list_listening_addresses

pytestmark = [pytest.mark.airflow, pytest.mark.crash]
RUN_SECONDS = 300
OURS = ("AIRFLOW", "KAFKA", "KAGGLE", "SPOTI", "STAND_IN", "STREAMS", "IS_STAND_IN")
RUN = ["-m", "launch.run"]
RUN_WITH_IDLE_STREAMS = [
    "-c",
    """
import sys
from launch import run, streams
idle = [sys.executable, "-c", "import time; time.sleep(900)"]
streams.PROCESSES = {name: (label, idle, grace) for name, (label, _, grace) in streams.PROCESSES.items()}
sys.exit(run.main(["--streams"]))
""",
]


@pytest.fixture(scope="module")
def lasting_product(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Product"]:
    product = Product(tmp_path_factory.mktemp("product"), find_free_port())
    yield product
    postgres.remove_servers(product.state)


@pytest.fixture
def product(lasting_product: "Product") -> Iterator["Product"]:
    """Yield the product of all tests in this file, and stop processes that a failed test left."""
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
        # No DAG here starts Spark, and tests use no network.
        for folder, coordinates in (("ivy", MAVEN_COORDINATES), ("ivy-kafka", KAFKA_COORDINATES)):
            (state / folder).mkdir()
            (state / folder / "resolved").write_text(",".join(coordinates))

    def start(self, *arguments: str, program: list[str] = RUN, **environ: str) -> "subprocess.Popen[str]":
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        settings = {
            "STATE_DIR": str(self.state),
            "SIMULATED_LISTENERS": "0",
            "PYTHONPATH": str(CHECKOUT),
            "AIRFLOW__API__PORT": str(self.port),
            "DASHBOARD_PORT": str(find_free_port()),
            "AIRFLOW__CORE__DAGS_FOLDER": str(Path(__file__).parent / "tiny_dags"),
        }
        process = subprocess.Popen(
            [sys.executable, *program, *arguments],
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
        """Return all live processes of this STATE_DIR, found without the product's code."""
        return [process for process in psutil.process_iter() if check_process(process, self._is_ours)]

    def _is_ours(self, process: psutil.Process) -> bool:
        is_marked = process.environ().get(STATE_MARKER) == str(self.state)
        return (is_marked or str(self.state) in process.cwd()) and process.status() != psutil.STATUS_ZOMBIE

    def part(self, name: str) -> psutil.Process:
        notes = map(json.loads, (self.state / "run" / "sessions.jsonl").read_text().splitlines())
        return psutil.Process([note["pid"] for note in notes if note["name"] == name][-1])

    def refresh_types(self) -> list[str]:
        with run_embedded_server(self.state) as server:
            url = build_environment(self.state, server)["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"]
            with database.connect(url) as connection:
                statement = "select run_type from dag_run where dag_id = 'nightly_refresh' order by id"
                return [str(row["run_type"]) for row in database.fetch_rows(connection, statement)]

    def audited(self, job: str) -> list[tuple[str, str]]:
        """Return result and message of a job's runs in the audit."""
        with (
            run_embedded_server(self.state) as server,
            database.connect(server.build_url("loader", "warehouse")) as connection,
        ):
            statement = "select result, message from audit.run where job = :job order by started_at"
            return [
                (str(row["result"]), str(row["message"])) for row in database.fetch_rows(connection, statement, job=job)
            ]

    def dag_runs(self, dag_id: str) -> list[tuple[str, str]]:
        """Return id and state of a DAG's runs."""
        with (
            run_embedded_server(self.state) as server,
            database.connect(server.build_url("airflow", "airflow")) as connection,
        ):
            statement = "select run_id, state from dag_run where dag_id = :dag_id order by id"
            actual = database.fetch_rows(connection, statement, dag_id=dag_id)
            return [(str(row["run_id"]), str(row["state"])) for row in actual]

    def is_working(self) -> bool:
        """Return whether the refresh's task runs, with its child in a separate session."""
        return any(check_process(process, lambda p: "10000" in p.cmdline()) for process in self.processes())


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
    code, output = product.run("--exit", KAGGLE_PATH="http://bad", TINY_LOAD_SECONDS="5", TINY_MARTS="fail")
    assert "import_file bad.csv: bad.csv is no file that we know." in output
    assert "The refresh is published" in output
    assert "Waiting for load_events, which Airflow has triggered" in output
    assert float(re.search(r"^✓ load_events +([0-9.]+) s$", output, re.MULTILINE)[1]) >= 5  # type: ignore[index]
    assert "build: The marts cannot be built." in output and code == 1, "what the refresh started counts"
    assert product.audited("build_marts") == [("failed", "A task of the run failed: its log in Airflow says why.")]
    assert [state for _, state in product.dag_runs("load_events")] == ["success"]
    assert "The mock Spotify API is in use" in output
    assert product.processes() == []
    assert product.refresh_types() == ["scheduled"]
    assert not (product.state / "kafka").exists(), "nothing of the streams is there without --streams"


def test_stays_up_on_loopback_alone_until_ctrl_c(product: Product) -> None:
    kafka.link_jars(product.state)
    process = product.start(program=RUN_WITH_IDLE_STREAMS)
    output = read_until(process, "stays up until Ctrl-C")
    assert re.search(
        r"Kafka +127\.0\.0\.1:\d+ .*user warehouse .*\n +topics SpotifyWrapped, SpotifyWrapped\.dlq", output
    )
    assert list_listening_addresses(product.processes()) == {"127.0.0.1"}
    user, password = re.search(r"user (\S+)\s+password (\S+)", output).groups()  # type: ignore[union-attr]
    response = requests.post(
        f"http://127.0.0.1:{product.port}/auth/token", json={"username": user, "password": password}, timeout=60
    )
    assert response.status_code == 201
    assert not any(check_process(p, lambda p: password in " ".join(p.cmdline())) for p in psutil.process_iter())

    code, words = product.run("--exit")
    assert (code, len(words.splitlines())) == (1, 1)
    assert "already running" in words

    product.part("stand-in").kill()
    read_until(process, "The mock Spotify API had ended (exit code -9) and was started again.")
    for part, display_name in (("kafka", "The embedded Kafka"), ("landing", "The landing of streamed events")):
        product.part(part).kill()
        read_until(process, f"{display_name} had ended (exit code -9) and will be started again in 1 s")
        read_until(process, f"{display_name} had ended (exit code -9) and was started again.")
    for part in ("scheduler", "dag-processor"):
        product.part(part).kill()
        read_until(process, f"Airflow's {part} had ended (exit code -9) and was started again.")
    # Last: without a database, a component of Airflow may end and be restarted at any time.
    os.kill(postgres.find_running_pid(find_installation(product.state, 18)) or 0, signal.SIGKILL)
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
    earlier = len(product.audited("nightly_refresh"))
    process.kill()
    process.communicate(timeout=RUN_SECONDS)
    assert product.processes()
    code, output = product.run("--exit")
    assert code == 0, output
    assert "An earlier start was killed" in output
    assert product.processes() == []
    (result, message) = product.audited("nightly_refresh")[earlier]
    assert result == "failed" and "Interrupted: bin/run was stopped" in message


def test_a_refresh_that_is_marked_as_failed_while_it_runs_has_failed_everywhere(product: Product) -> None:
    process = product.start("--exit", TINY_SECONDS="900")
    wait_until(product.is_working)
    (run_id, _) = product.dag_runs("nightly_refresh")[-1]
    earlier = len(product.audited("nightly_refresh"))
    api = AirflowApi(f"http://127.0.0.1:{product.port}", *get_web_login(product.state))
    api._send_request("PATCH", f"/dags/nightly_refresh/dagRuns/{run_id}", json={"state": "failed"})
    output, _ = process.communicate(timeout=RUN_SECONDS)
    assert process.returncode == 1, output
    assert "Nothing new" not in output and "The refresh was not published" in output
    assert "nightly_refresh has failed. The run was marked as failed in Airflow" in output
    assert product.dag_runs("nightly_refresh")[-1] == (run_id, "failed")
    ((result, message),) = product.audited("nightly_refresh")[earlier:]
    assert result == "failed" and message.startswith("The run was marked as failed in Airflow")
    assert product.processes() == []


def test_sigterm_while_a_task_runs_leaves_nothing(product: Product) -> None:
    process = product.start("--exit", TINY_SECONDS="900")
    wait_until(product.is_working)
    process.terminate()
    process.communicate(timeout=RUN_SECONDS)
    assert process.returncode == 128 + signal.SIGTERM
    assert product.processes() == []
