"""The id and dates of a task's run."""

from datetime import UTC, date, datetime

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowSkipException

from dags.common.run_dates import compute_fetch_date, compute_reference_date


def get_run_id(context: Context) -> str:
    """Return the id of this DAG run in the lake and the audit."""
    dag_run = context["dag_run"]
    return f"{dag_run.dag_id}.{dag_run.run_id}"


def get_reference_date(context: Context) -> date:
    """Return the day that this run is for: the end of its data interval, or the day of a manual start."""
    dag_run = context["dag_run"]
    return compute_reference_date(dag_run.data_interval_end, dag_run.run_after)


def get_fetch_date(context: Context) -> date:
    """Return the day of the run's fetches: today, or the earlier day that the run is for."""
    dag_run = context["dag_run"]
    return compute_fetch_date(
        dag_run.data_interval_start, dag_run.data_interval_end, dag_run.run_after, datetime.now(UTC)
    )


def is_last_try(context: Context) -> bool:
    """Return whether the task fails for good if this try fails."""
    task_instance = context["task_instance"]
    return bool(task_instance.try_number > task_instance.max_tries)


def skip_on_first_try(context: Context, message: str) -> None:
    """Skip a task that had nothing to publish, so that its assets are not updated.

    On a later try, an earlier one may have published before it was killed: then the assets are updated, rather once too
    often than never.
    """
    if context["task_instance"].try_number == 1:
        raise AirflowSkipException(message)
