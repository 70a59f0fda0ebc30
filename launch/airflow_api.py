"""A client of Airflow's REST API, with the calls that a start needs."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from etl import database
from etl.errors import ActionNeededError, TryAgainError

ENDED_STATES = {"success", "failed"}
_TOKEN_SECONDS = 3600


@dataclass(frozen=True)
class TaskState:
    """One task instance of a DAG run. ``map_index`` is -1 for a task that is not mapped."""

    task_id: str
    map_index: int
    label: str
    state: str
    try_number: int
    duration_s: float | None


@dataclass(frozen=True)
class UnfinishedRun:
    """A DAG run that is queued or running."""

    dag_id: str
    run_id: str
    started_at: datetime

    @property
    def audit_id(self) -> str:
        """Return the run's id in the audit."""
        return f"{self.dag_id}.{self.run_id}"


class AirflowApi:
    """A client that signs in and renews its token."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self.url = url
        self._credentials = {"username": user, "password": password}
        self._token_issued_at = 0.0
        self._session = requests.Session()
        self._session.trust_env = False  # loopback never goes through a proxy
        retry_policy = Retry(total=4, backoff_factor=0.3, allowed_methods={"GET"})
        self._session.mount("http://", HTTPAdapter(max_retries=retry_policy))

    def get_health(self) -> dict[str, str]:
        """Return the status, such as ``healthy``, by component: metadatabase, scheduler, triggerer, dag_processor.

        Empty if the API server does not respond.
        """
        try:
            # Without the session's retries: no response is a valid result here.
            with requests.Session() as single_session:
                single_session.trust_env = False
                response = single_session.get(f"{self.url}/api/v2/monitor/health", timeout=5)
            response.raise_for_status()
        except requests.RequestException:
            return {}
        return {component: str(status.get("status")) for component, status in response.json().items() if status}

    def get_dag(self, dag_id: str) -> dict[str, Any] | None:
        """Return a DAG's details, or None if Airflow has no DAG of that id."""
        return self._send_request("GET", f"/dags/{dag_id}", missing_is_none=True)

    def list_import_errors(self) -> list[str]:
        """Return a line for each DAG file that cannot be imported."""
        response = self._send_request("GET", "/importErrors") or {}
        return [
            f"{error['filename']}: {error['stack_trace'].strip().splitlines()[-1]}"
            for error in response.get("import_errors", [])
        ]

    def set_paused(self, dag_id: str, is_paused: bool) -> None:
        """Pause or unpause a DAG."""
        self._send_request("PATCH", f"/dags/{dag_id}", json={"is_paused": is_paused})

    def ensure_pool(self, name: str, slots: int, description: str) -> None:
        """Create a pool, unless there is one of that name, whose slots the operator may have changed."""
        if self._send_request("GET", f"/pools/{name}", missing_is_none=True) is None:
            self._send_request("POST", "/pools", json={"name": name, "slots": slots, "description": description})

    def start_run(self, dag_id: str, conf: Mapping[str, object]) -> str:
        """Trigger a run.

        :returns: the run's id.
        """
        response = (
            self._send_request("POST", f"/dags/{dag_id}/dagRuns", json={"logical_date": None, "conf": conf}) or {}
        )
        return str(response["dag_run_id"])

    def get_run(self, dag_id: str, run_id: str) -> dict[str, Any]:
        """Return the state and times of a run."""
        return self._send_request("GET", f"/dags/{dag_id}/dagRuns/{run_id}") or {}

    def list_run_ids(self, dag_id: str) -> list[str]:
        """Return the ids of the latest runs of a DAG, newest first."""
        response = self._send_request("GET", f"/dags/{dag_id}/dagRuns", params={"order_by": "-id", "limit": 20}) or {}
        return [run["dag_run_id"] for run in response.get("dag_runs", [])]

    def list_unfinished_runs(self) -> list[UnfinishedRun]:
        """Return the queued and running runs of all DAGs."""
        runs: list[UnfinishedRun] = []
        while True:
            params = {"state": ["running", "queued"], "limit": 100, "offset": len(runs), "order_by": "id"}
            page = self._send_request("GET", "/dags/~/dagRuns", params=params) or {}
            page_runs = page.get("dag_runs", [])
            runs += [_to_unfinished_run(run) for run in page_runs]
            if not page_runs or len(runs) >= page["total_entries"]:
                return runs

    def mark_unfinished_runs_failed(self, record_runs: Callable[[list[UnfinishedRun]], None]) -> int:
        """Mark the runs as failed that the end of an earlier start interrupted.

        :param record_runs: records them in the audit. It is called before, so that they are found again if it fails or
            this process is killed, and afterwards, because Airflow's listener records a user's mark.
        :returns: the number of runs.
        """
        runs = self.list_unfinished_runs()
        record_runs(runs)
        for run in runs:
            patch = {"state": "failed", "note": database.INTERRUPTED_MESSAGE}
            self._send_request("PATCH", f"/dags/{run.dag_id}/dagRuns/{run.run_id}", json=patch)
        record_runs(runs)
        return len(runs)

    def has_queued_events(self, dag_id: str) -> bool:
        """Return whether assets have changed for which Airflow will create a run of a DAG."""
        response = self._send_request("GET", f"/dags/{dag_id}/assets/queuedEvents", missing_is_none=True) or {}
        return bool(response.get("total_entries"))

    def list_tasks(self, dag_id: str, run_id: str) -> list[TaskState]:
        """Return all task instances of a run."""
        return list(self._iterate_tasks(dag_id, run_id))

    def get_task_counts(self, dag_id: str, run_id: str, task_id: str) -> dict[str, int]:
        """Return the counts that a task returned; empty without any."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries/return_value"
        response = self._send_request("GET", path, missing_is_none=True) or {}
        value = response.get("value")
        return {str(name): int(count) for name, count in value.items()} if isinstance(value, dict) else {}

    def find_failure_reason(self, dag_id: str, run_id: str, task: TaskState) -> str:
        """Return the last error in a failed task's log, without the traceback."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task.task_id}/logs/{max(1, task.try_number)}"
        params = {"map_index": task.map_index, "full_content": "true"}
        response = self._send_request("GET", path, params=params, missing_is_none=True) or {}
        return _find_last_error(response.get("content", []))

    def _iterate_tasks(self, dag_id: str, run_id: str) -> Iterator[TaskState]:
        offset = 0
        while True:
            params = {"limit": 100, "offset": offset, "order_by": "id"}
            page = self._send_request("GET", f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances", params=params) or {}
            instances = page.get("task_instances", [])
            for instance in instances:
                yield TaskState(
                    instance["task_id"],
                    instance["map_index"],
                    str(instance.get("rendered_map_index") or ""),
                    instance["state"] or "waiting",
                    instance["try_number"],
                    instance["duration"],
                )
            offset += len(instances)
            if not instances or offset >= page["total_entries"]:
                return

    def _send_request(
        self,
        method: str,
        path: str,
        json: Mapping[str, object] | None = None,
        params: dict[str, Any] | None = None,
        missing_is_none: bool = False,
    ) -> dict[str, Any] | None:
        try:
            self._sign_in()
            response = self._session.request(method, f"{self.url}/api/v2{path}", json=json, params=params, timeout=60)
        except requests.RequestException as error:
            raise TryAgainError(f"Airflow's API server at {self.url} does not respond: {error}") from error
        if response.status_code == 404 and missing_is_none:
            return None
        if not response.ok:
            raise ActionNeededError(f"Airflow rejected {method} {path}: {response.status_code} {response.text[:500]}")
        result: dict[str, Any] = response.json()
        return result

    def _sign_in(self) -> None:
        if time.monotonic() - self._token_issued_at < _TOKEN_SECONDS and self._token_issued_at:
            return
        response = self._session.post(f"{self.url}/auth/token", json=self._credentials, timeout=60)
        if response.status_code == 401:
            raise ActionNeededError(
                f"The web interface at {self.url} rejects the password of this STATE_DIR: it may be another Airflow. "
                "Stop it, or set AIRFLOW__API__PORT to another port."
            )
        response.raise_for_status()
        self._session.headers["Authorization"] = f"Bearer {response.json()['access_token']}"
        self._token_issued_at = time.monotonic()


def parse_time(text: str | None) -> datetime | None:
    """Return a timestamp of the API, or None."""
    return datetime.fromisoformat(text) if text else None


def _to_unfinished_run(run: dict[str, Any]) -> UnfinishedRun:
    started_at = parse_time(run.get("start_date") or run.get("queued_at")) or datetime.now(UTC)
    return UnfinishedRun(run["dag_id"], run["dag_run_id"], started_at)


def _find_last_error(content: list[Any]) -> str:
    """Return the message of the last exception in a task's log, else its last line of level error."""
    last_error = ""
    for line in content:
        if not isinstance(line, dict):
            continue
        details = line.get("error_detail") or []
        if details:  # the raised exception comes first, its causes follow
            last_error = str(details[0].get("exc_value") or "") or last_error
        elif str(line.get("level", "")).lower() in ("error", "critical"):
            last_error = last_error or str(line.get("event", ""))
    return last_error
