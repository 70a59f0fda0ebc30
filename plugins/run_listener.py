"""Airflow's plugin that notes in audit.run the runs that Airflow calls failed, whatever made them so.

Jobs note their own failures. What ends a run from outside, they cannot: somebody who marks it as failed, its timeout,
or a step that fails before a job begins. Airflow calls this listener in the process that changes the run's state, which
is the API server or the scheduler, so it imports what it needs only then, and never raises.
"""

import logging
from datetime import UTC, datetime
from typing import Any

from airflow.listeners import hookimpl
from airflow.plugins_manager import AirflowPlugin

from etl.settings import CHECKOUT

log = logging.getLogger(__name__)

_DAG_IDS = frozenset(path.stem for path in (CHECKOUT / "dags").glob("*.py"))
_SUCCESS = "success"
"""What the scheduler says of a run whose tasks have ended well; of one that somebody marks, Airflow says more."""


class RunListener:
    """What Airflow calls when a run ends."""

    @hookimpl
    def on_dag_run_failed(self, dag_run: Any, msg: str) -> None:
        """Note the failure."""
        if dag_run.dag_id not in _DAG_IDS:
            return
        started_at = dag_run.start_date or dag_run.queued_at or datetime.now(UTC)
        try:
            from etl.database import MARKED_FAILED_MESSAGE
            from etl.jobs.run_audit import FAILURE_MESSAGES, record_failed_run
            from etl.settings import read_settings

            message = FAILURE_MESSAGES.get(msg, MARKED_FAILED_MESSAGE)
            record_failed_run(_get_run_id(dag_run), dag_run.dag_id, started_at, message, read_settings())
        except Exception as error:
            log.warning("The failure of %s could not be noted in audit.run: %s", _get_run_id(dag_run), error)

    @hookimpl
    def on_dag_run_running(self, dag_run: Any, msg: str) -> None:
        """Let the jobs of a run go on that was marked as failed and is done again."""
        if dag_run.dag_id not in _DAG_IDS:
            return
        try:
            from etl.jobs.run_audit import record_started_run
            from etl.settings import read_settings

            record_started_run(_get_run_id(dag_run), read_settings())
        except Exception as error:
            log.warning("That %s has begun could not be noted in audit.run: %s", _get_run_id(dag_run), error)

    @hookimpl
    def on_dag_run_success(self, dag_run: Any, msg: str) -> None:
        """Take back the failure of an earlier try."""
        if dag_run.dag_id not in _DAG_IDS or msg != _SUCCESS:
            return
        try:
            from etl.jobs.run_audit import clear_run_failure
            from etl.settings import read_settings

            clear_run_failure(_get_run_id(dag_run), read_settings())
        except Exception as error:
            log.warning("An earlier failure of %s could not be taken back: %s", _get_run_id(dag_run), error)


class RunListenerPlugin(AirflowPlugin):
    """How Airflow finds the listener."""

    name = "run_listener"
    listeners = [RunListener()]  # noqa: RUF012 (as Airflow declares it)


def _get_run_id(dag_run: Any) -> str:
    """The id under which the audit knows a run; ``dags.common.run_context`` has the same for tasks."""
    return f"{dag_run.dag_id}.{dag_run.run_id}"
