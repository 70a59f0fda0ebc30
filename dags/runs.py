"""What a task knows of its run."""

from datetime import UTC, date, datetime

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowSkipException

from dags.days import asking_date, reference_date


def run_id_of(context: Context) -> str:
    """The id under which lake and audit know this DAG run."""
    dag_run = context["dag_run"]
    return f"{dag_run.dag_id}.{dag_run.run_id}"


def reference_date_of(context: Context) -> date:
    """The day that this run stands for: the end of its data interval, or the day it was started by hand."""
    dag_run = context["dag_run"]
    return reference_date(dag_run.data_interval_end, dag_run.run_after)


def asking_date_of(context: Context) -> date:
    """The day on which this run asks: today, or the earlier day that it stands for."""
    dag_run = context["dag_run"]
    return asking_date(dag_run.data_interval_start, dag_run.data_interval_end, dag_run.run_after, datetime.now(UTC))


def is_last_try_of(context: Context) -> bool:
    """Whether a failure of this try is the end of the task."""
    instance = context["task_instance"]
    return bool(instance.try_number > instance.max_tries)


def skip_at_first_try(context: Context, sentence: str) -> None:
    """Skip what publishes where there was nothing to write, so that nobody is told of news.

    At a later try this may be because an earlier one has published and was killed before it could tell: then those who
    follow are told, once too often rather than never.
    """
    if context["task_instance"].try_number == 1:
        raise AirflowSkipException(sentence)
