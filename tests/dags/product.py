"""The product in a real Airflow, as started by a test."""

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from etl import database
from etl.settings import CHECKOUT
from launch import postgres
from launch.airflow_api import ENDED_STATES, AirflowApi, TaskState
from launch.environment import get_web_login
from launch.spark_jars import link_jars
from tests.processes import find_free_port

_OURS = ("AIRFLOW", "KAGGLE", "SIMULATED", "SPOTIPY", "SPOTIFY", "STAND_IN", "IS_STAND_IN")

CONTENT = {
    "tracks": "select md5(string_agg(t::text || xmin::text, ',' order by track_key)) as sum from warehouse.dim_track t",
    "aliases": "select md5(string_agg(t::text || xmin::text, ',' order by alias_kind, alias_value, track_key)) as sum"
    " from warehouse.track_alias t",
    "clusters": "select md5(string_agg(t::text || xmin::text, ',' order by audio_features_type)) as sum"
    " from warehouse.dim_audio_cluster t",
    "accounts": "select count(*) as sum from audit.row_count",
}


class Product:
    """A running bin/run with the settings of a test, its REST API and its warehouse."""

    def __init__(self, state: Path, **chosen: str) -> None:
        self.state, self.port = state, find_free_port()
        self.api = AirflowApi(f"http://127.0.0.1:{self.port}", *get_web_login(state))
        self.output = state / "output.txt"
        link_jars(state)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
        settings = {
            "STATE_DIR": str(state),
            "PYTHONPATH": str(CHECKOUT),
            "AIRFLOW__API__PORT": str(self.port),
            "DASHBOARD_PORT": str(find_free_port()),
            "CLUSTER_COUNT": "3",
            "SIMULATED_LISTENERS": "0",
            "SPARK_MASTER": "local[2]",
            "REFRESH_CRON": _far_from_now(),
            "RECENTLY_PLAYED_CRON": _far_from_now(),
            **chosen,
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "launch.run"],
            env={**inherited, **settings},
            stdout=self.output.open("w"),
            stderr=subprocess.STDOUT,
        )

    def wait_for(self, words: str, seconds: int) -> str:
        deadline = time.monotonic() + seconds
        while words not in self.output.read_text():
            assert self.process.poll() is None, self.output.read_text()
            assert time.monotonic() < deadline, self.output.read_text()
            time.sleep(1)
        return self.output.read_text()

    def run_dag(self, dag_id: str, conf: dict[str, object]) -> tuple[str, dict[tuple[str, int], TaskState]]:
        return self.ended(dag_id, self.api.start_run(dag_id, conf))

    def ended(self, dag_id: str, run_id: str) -> tuple[str, dict[tuple[str, int], TaskState]]:
        deadline = time.monotonic() + 600
        while (state := self.api.get_run(dag_id, run_id)["state"]) not in ENDED_STATES:
            assert time.monotonic() < deadline, f"{dag_id} {run_id} is {state}"
            time.sleep(1)
        return state, {(task.task_id, task.map_index): task for task in self.api.list_tasks(dag_id, run_id)}

    def ask(self, statement: str) -> list[dict[str, object]]:
        with database.connect(postgres.start_server(self.state).build_url("loader", "warehouse")) as connection:
            return database.fetch_rows(connection, statement)

    def ask_airflow(self, statement: str) -> list[dict[str, object]]:
        with database.connect(postgres.start_server(self.state).build_url("airflow", "airflow")) as connection:
            return database.fetch_rows(connection, statement)

    def content(self) -> dict[str, object]:
        return {name: self.ask(statement)[0]["sum"] for name, statement in CONTENT.items()}

    def asset_events(self) -> int:
        return int((self.api._send_request("GET", "/assets/events") or {})["total_entries"])

    def end(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)
        postgres.remove_servers(self.state)


def _far_from_now() -> str:
    """Return a daily schedule that does not fall into the test, which counts the runs that it started itself."""
    far = datetime.now(UTC) + timedelta(hours=12)
    return f"{far.minute} {far.hour} * * *"
