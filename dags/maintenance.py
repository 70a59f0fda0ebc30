"""
### Maintenance
Deletes old data that is no longer needed, once a week. KEEP_DAYS (30) is the retention in days.

| step | what it deletes |
| --- | --- |
| `sweep_lake` | intermediate frames of old runs, replaced models of the forecasts; received files are never deleted |
| `sweep_warehouse` | leftovers in staging, old rows of `audit.rejected_row` (counts stay), old findings and forecasts |
| `sweep_logs` | old log files |
| `sweep_airflow` | old runs, task instances and logs in Airflow's own database (`airflow db clean`) |

Rejected rows of current Kaggle files stay: each refresh reads these files whole and would reject the same rows again.
They are deleted by age once their file has a newer version.

**If it fails**: nothing is lost; the next run deletes the rest. The last line of the failed task's log says why.

**Is a rerun safe?** Yes.
"""

import os
from datetime import timedelta
from typing import Any

import pendulum
from airflow.sdk import DAG, CronTriggerTimetable, Param, task

from dags.common.retries import build_default_args


@task
def sweep_lake(**context: Any) -> int:
    """Return the number of runs whose frames were deleted."""
    from etl.jobs import maintenance
    from etl.settings import read_settings

    return maintenance.sweep_lake(read_settings(), context["params"]["keep_days"], context["dag_run"].run_after)


@task
def sweep_warehouse(**context: Any) -> int:
    """Return the number of deleted rows of audit.rejected_row."""
    from etl.jobs import maintenance
    from etl.settings import read_settings

    return maintenance.sweep_warehouse(read_settings(), context["params"]["keep_days"], context["dag_run"].run_after)


@task
def sweep_logs(**context: Any) -> int:
    """Return the number of deleted log files."""
    from etl.jobs import maintenance
    from etl.settings import read_settings

    return maintenance.sweep_logs(read_settings(), context["params"]["keep_days"], context["dag_run"].run_after)


@task.bash
def sweep_airflow(**context: Any) -> str:
    """Return the command of Airflow's own cleanup. Airflow hides its database's URL from tasks: a variable has it."""
    retention = timedelta(days=context["params"]["keep_days"])
    cutoff = (context["dag_run"].run_after - retention).isoformat()
    return (
        'AIRFLOW__DATABASE__SQL_ALCHEMY_CONN="${AIRFLOW_METADATA_URL:?must name the metadata database}" '
        f"airflow db clean --clean-before-timestamp '{cutoff}' --skip-archive --yes"
    )


with DAG(
    dag_id="maintenance",
    description="Delete old data that is no longer needed",
    schedule=CronTriggerTimetable("0 5 * * 0", timezone=os.environ.get("REFRESH_TIMEZONE") or "UTC"),
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=6),
    default_args=build_default_args(),
    doc_md=__doc__,
    tags=["maintenance"],
    params={
        "keep_days": Param(
            int(os.environ.get("KEEP_DAYS") or 30),
            type="integer",
            minimum=1,
            title="Retention in days",
            description="Older frames, logs, and rejected rows of inputs that are no longer read are deleted.",
        )
    },
):
    [sweep_lake(), sweep_warehouse(), sweep_logs(), sweep_airflow()]
