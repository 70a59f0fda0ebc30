"""The outcome of a run: logged for its task, and recorded in the audit on behalf of the orchestrator."""

import logging
from datetime import datetime

from etl import database
from etl.settings import Settings

log = logging.getLogger(__name__)

FAILURE_MESSAGES = {
    "task_failure": "A task of the run failed: its log in Airflow says why.",
    "timed_out": database.TIMED_OUT_MESSAGE,
    "all_tasks_deadlocked": "No task of the run could begin any more: see its tasks in Airflow.",
}
"""The audit's message for a failed run, by the orchestrator's reason."""


def log_run(run_id: str, settings: Settings) -> None:
    """Log the result of a run, the row counts of its inputs, and the reasons of rejected rows."""
    with database.connect(settings.warehouse_url) as connection:
        runs = database.fetch_rows(connection, _RUN_QUERY, run_id=run_id)
        counts = database.fetch_rows(connection, _COUNT_QUERY, run_id=run_id)
        reasons = database.fetch_rows(connection, _REASON_QUERY, run_id=run_id)
        arrivals = database.fetch_rows(connection, _ARRIVAL_QUERY, run_id=run_id)
    if not runs:
        log.warning(
            "The run %s has no line in audit.run yet: it failed before its load or plan could write one.", run_id
        )
    for run in runs:
        log.info("%s after %s. %s", run["result"], run["lasted"], run["message"] or "")
        if run["tracks_added"] is not None:
            log.info("%d tracks are new.", run["tracks_added"])
    for row in counts:
        log.info(
            "%s (%s): %d rows, %d loaded, %d duplicate, %d rejected.",
            *(row[name] for name in ("name", "source", "rows_in", "rows_loaded", "rows_duplicate", "rows_rejected")),
        )
    for row in arrivals:
        log.info(
            "%s (%s): %d events, %d of them late, from %s to %s.",
            *(row[name] for name in ("name", "source", "rows_added", "rows_late", "first_time", "last_time")),
        )
    for row in reasons:
        log.info("Rejected because %s: %d rows.", row["reason"], row["row_count"])


def record_failed_run(run_id: str, job: str, started_at: datetime, message: str, settings: Settings) -> None:
    """Record in audit.run that the orchestrator considers a run failed; a message of the run itself stays."""
    with database.connect(settings.warehouse_url) as connection:
        database.record_external_failure(connection, run_id, job, started_at, message)


def record_started_run(run_id: str, settings: Settings) -> None:
    """Record that the orchestrator starts or restarts a run."""
    with database.connect(settings.warehouse_url) as connection:
        database.mark_restarted(connection, run_id)


def clear_run_failure(run_id: str, settings: Settings) -> None:
    """Remove an earlier failure of a run that has now succeeded from audit.run."""
    with database.connect(settings.warehouse_url) as connection:
        database.delete_failure(connection, run_id)


_RUN_QUERY = """
    select result, message, tracks_added, finished_at - started_at as lasted from audit.run where run_id = :run_id
"""
_COUNT_QUERY = """
    select i.name, c.source, c.rows_in, c.rows_loaded, c.rows_duplicate, c.rows_rejected
    from audit.row_count as c
    inner join audit.run_input as i on i.run_id = c.run_id and i.input_id = c.input_id
    where c.run_id = :run_id
    order by i.name
"""
_ARRIVAL_QUERY = """
    select i.name, a.source, a.rows_added, a.rows_late,
        a.first_event_time as first_time, a.last_event_time as last_time
    from audit.arrival as a
    inner join audit.run_input as i on i.run_id = a.run_id and i.input_id = a.input_id
    where a.run_id = :run_id
    order by i.name, a.source
"""
_REASON_QUERY = """
    select r.reason, count(*) as row_count
    from audit.rejected_row as r
    inner join audit.row_count as c on c.input_id = r.input_id
    where c.run_id = :run_id
    group by r.reason
    order by count(*) desc, r.reason
"""
