"""
### Watch streams
Checks the streams every five minutes, if `KAFKA_BOOTSTRAP_SERVERS` is set. Without it, nothing is scheduled, and a
manual run says so.

| check | it fails if |
| --- | --- |
| `kafka` | Kafka does not respond, or refuses the user |
| `topic` | the topic was deleted and created again since the last check |
| `landing_progress`, `live_progress` | the process has been silent for two minutes while messages wait |
| `landing_lag`, `live_lag` | the lag of a partition grows in three checks and is above `LAG_ALERT_MESSAGES` |
| `landing_loss`, `live_loss` | Kafka removed messages before they were read |
| `landing_restarts`, `live_restarts` | the process was started again before each of the last three checks |
| `dead_letters` | more than `DEAD_LETTER_ALERT_MESSAGES` messages were rejected since the last check |
| `agreement` | closed hours of the live tables differ from the star |

`audit.stream_check` has each result, and the page "Live" of the dashboard shows them. Nothing is repaired here: the
processes are started again by `bin/run --streams`, systemd or Kubernetes.

**If it fails**: Airflow tries twice more if nothing but the progress is missing, since a process may be starting. The
last lines of the log have a message for each failed check, with what to do; `docs/messages.md`
explains them. The star stays complete and right: events wait in Kafka, and live tables are provisional.

**Is a rerun safe?** Yes, it only looks.
"""

import os
from datetime import timedelta
from typing import Any

import pendulum
from airflow.sdk import DAG, CronTriggerTimetable, task

from dags.common.params import render_doc_page
from dags.common.retries import build_default_args
from dags.common.run_context import get_run_id


@task(execution_timeout=timedelta(minutes=10))
def check_streams(**context: Any) -> dict[str, int]:
    """Return the figure of each check."""
    from etl.jobs import stream_watch
    from etl.settings import read_settings

    return stream_watch.watch_streams(get_run_id(context), read_settings())


with DAG(
    dag_id="watch_streams",
    description="Check the streams: processes, lag, rejected messages, and agreement with the star",
    schedule=CronTriggerTimetable("*/5 * * * *", timezone="UTC") if os.environ.get("KAFKA_BOOTSTRAP_SERVERS") else None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(minutes=30),
    default_args=build_default_args(),
    doc_md=render_doc_page(__doc__),
    tags=["streams", "monitoring"],
):
    check_streams()
