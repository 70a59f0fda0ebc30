"""Airflow plugin that records in audit.run which runs Airflow marks as failed, for whatever reason.

Jobs record their own failures. They cannot record that a user marks a run as failed, that a run times out, or that a
task fails before its job begins. Airflow calls this listener in the process that changes the run's state, the API
server or the scheduler: so it imports the job modules only when called, and never raises.
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
"""The scheduler's message for a run whose tasks have succeeded; a run that a user marks has a longer one."""


class RunListener:
    """The hooks that Airflow calls when a run begins or ends."""

    @hookimpl
    def on_dag_run_failed(self, dag_run: Any, msg: str) -> None:
        """Record the failure."""
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
            log.warning("The failure of %s could not be recorded in audit.run: %s", _get_run_id(dag_run), error)

    @hookimpl
    def on_dag_run_running(self, dag_run: Any, msg: str) -> None:
        """Record that a failed run begins again, so that its jobs may publish."""
        if dag_run.dag_id not in _DAG_IDS:
            return
        try:
            from etl.jobs.run_audit import record_started_run
            from etl.settings import read_settings

            record_started_run(_get_run_id(dag_run), read_settings())
        except Exception as error:
            log.warning("The start of %s could not be recorded in audit.run: %s", _get_run_id(dag_run), error)

    @hookimpl
    def on_dag_run_success(self, dag_run: Any, msg: str) -> None:
        """Delete the failure of an earlier try."""
        if dag_run.dag_id not in _DAG_IDS or msg != _SUCCESS:
            return
        try:
            from etl.jobs.run_audit import clear_run_failure
            from etl.settings import read_settings

            clear_run_failure(_get_run_id(dag_run), read_settings())
        except Exception as error:
            log.warning("An earlier failure of %s could not be deleted from audit.run: %s", _get_run_id(dag_run), error)


class RunListenerPlugin(AirflowPlugin):
    """The plugin through which Airflow finds the listener."""

    name = "run_listener"
    listeners = [RunListener()]  # noqa: RUF012 (as Airflow declares it)


def _get_run_id(dag_run: Any) -> str:
    """Return the id of a run in the audit, as ``dags.common.run_context.get_run_id`` does for tasks."""
    return f"{dag_run.dag_id}.{dag_run.run_id}"
