"""What a task knows of its run."""

from datetime import UTC, date, datetime

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowSkipException

from dags.common.run_dates import compute_fetch_date, compute_reference_date


def get_run_id(context: Context) -> str:
    """The id under which lake and audit know this DAG run."""
    dag_run = context["dag_run"]
    return f"{dag_run.dag_id}.{dag_run.run_id}"


def get_reference_date(context: Context) -> date:
    """The day that this run stands for: the end of its data interval, or the day it was started by hand."""
    dag_run = context["dag_run"]
    return compute_reference_date(dag_run.data_interval_end, dag_run.run_after)


def get_fetch_date(context: Context) -> date:
    """The day on which this run asks: today, or the earlier day that it stands for."""
    dag_run = context["dag_run"]
    return compute_fetch_date(
        dag_run.data_interval_start, dag_run.data_interval_end, dag_run.run_after, datetime.now(UTC)
    )


def is_last_try(context: Context) -> bool:
    """Whether a failure of this try is the end of the task."""
    task_instance = context["task_instance"]
    return bool(task_instance.try_number > task_instance.max_tries)


def skip_on_first_try(context: Context, message: str) -> None:
    """Skip what publishes where there was nothing to write, so that nobody is told of news.

    At a later try this may be because an earlier one has published and was killed before it could tell: then those who
    follow are told, once too often rather than never.
    """
    if context["task_instance"].try_number == 1:
        raise AirflowSkipException(message)
