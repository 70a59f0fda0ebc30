"""
### Maintenance
Sweeps what nobody needs any more, once a week. KEEP_DAYS (30) says how long it is kept.

| step | what it removes |
| --- | --- |
| `sweep_lake` | frames of old runs; files as received are never touched |
| `sweep_warehouse` | what a broken load left in staging, and old lines of `audit.rejected_row` (counts stay) |
| `sweep_logs` | old log files |
| `sweep_airflow` | old runs, task instances and log lines in Airflow's own database (`airflow db clean`) |

Rejected rows of current Kaggle files stay: every refresh with news reads these files whole, and would refuse the same
rows again. They go by their age once their file has a newer version.

**When it fails** nothing is lost: the next run sweeps again. **Running it again** is always safe.
"""

import os
from datetime import timedelta
from typing import Any

import pendulum
from airflow.sdk import DAG, CronTriggerTimetable, Param, task

from dags.common.defaults import build_default_args


@task
def sweep_lake(**context: Any) -> int:
    """How many runs' frames were removed."""
    from etl.jobs import maintenance
    from etl.settings import read_settings

    return maintenance.sweep_lake(read_settings(), context["params"]["keep_days"], context["dag_run"].run_after)


@task
def sweep_warehouse(**context: Any) -> int:
    """How many lines of audit.rejected_row were removed."""
    from etl.jobs import maintenance
    from etl.settings import read_settings

    return maintenance.sweep_warehouse(read_settings(), context["params"]["keep_days"], context["dag_run"].run_after)


@task
def sweep_logs(**context: Any) -> int:
    """How many log files were removed."""
    from etl.jobs import maintenance
    from etl.settings import read_settings

    return maintenance.sweep_logs(read_settings(), context["params"]["keep_days"], context["dag_run"].run_after)


@task.bash
def sweep_airflow(**context: Any) -> str:
    """Airflow's own sweep. Tasks are kept from its database, so the shell takes the address from another variable."""
    retention = timedelta(days=context["params"]["keep_days"])
    cutoff = (context["dag_run"].run_after - retention).isoformat()
    return (
        'AIRFLOW__DATABASE__SQL_ALCHEMY_CONN="${AIRFLOW_METADATA_URL:?must name the metadata database}" '
        f"airflow db clean --clean-before-timestamp '{cutoff}' --skip-archive --yes"
    )


with DAG(
    dag_id="maintenance",
    description="Sweep what nobody needs any more",
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
            title="Days to keep",
            description="Older frames, logs, and rejected rows of what is no longer read are removed.",
        )
    },
):
    [sweep_lake(), sweep_warehouse(), sweep_logs(), sweep_airflow()]
