"""Writes to audit.run and audit.run_input: how a run began and ended. ``runs`` reads them.

A run is running, published, nothing_new or failed. A published run stays published, whatever happens afterwards.
"""

import logging
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date, datetime

from sqlalchemy import Connection, text

from etl.database.connection import connect, fetch_rows
from etl.database.locks import lock_warehouse
from etl.errors import ActionNeededError, EtlError
from etl.storage.full_disk import is_full_disk

log = logging.getLogger(__name__)


MARKED_FAILED_MESSAGE = (
    "The run was marked as failed in Airflow before it had ended. Clear its tasks in Airflow to repeat it."
)
TIMED_OUT_MESSAGE = "The run was ended because it took longer than its DAG allows (dagrun_timeout)."
EXTERNAL_END_MESSAGES = (MARKED_FAILED_MESSAGE, TIMED_OUT_MESSAGE)
"""Messages of runs that Airflow ended while one of their jobs may still work. Such a job lives on for some seconds:
until the run begins again, it can neither change the run's record nor publish."""

INTERRUPTED_MESSAGE = "Interrupted: bin/run was stopped during this run. Clear its tasks in Airflow to repeat it."


@dataclass(frozen=True)
class RunInput:
    """An input whose rows a run loads; ``row_count`` is the number of its data records, counted on receipt.

    ``encoding`` is set for text tables; ``remarks`` list the guesses about the file's notation.
    """

    input_id: str
    origin: str
    name: str
    format: str
    row_count: int
    encoding: str | None = None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Run:
    """A run. ``inputs`` are all inputs whose rows are in the frames, new and old.

    ``state_run_id`` is the run that wrote the state of the API's resources that this run uses. ``last_published_at`` is
    when the last catalogue had been published at the time this run was planned.
    ``catalogue_state_id`` is the state that the catalogue left in the lake, and ``updated_state_id`` that of the
    published catalogue whose changes alone the frames have; None if they have all rows.
    """

    run_id: str
    job: str
    started_at: datetime
    reference_date: date
    inputs: tuple[RunInput, ...]
    newness_bounds: tuple[date, date] | None = None
    state_run_id: str | None = None
    last_published_at: datetime | None = None
    catalogue_state_id: str | None = None
    updated_state_id: str | None = None


@contextmanager
def lock_for_run(run: Run, url: str) -> Iterator[Connection]:
    """Open the connection of ``locks.lock_warehouse`` for a run, and record an error as the run's failure.

    :raises EtlError: as ``locks.lock_warehouse`` does.
    """
    has_lock = False
    try:
        with lock_warehouse(url) as connection:
            has_lock = True
            yield connection
    except Exception as error:
        _record_error(run, url, error, has_lock)
        raise


def record_start(connection: Connection, run: Run) -> bool:
    """Record that a run begins, or begins again.

    :returns: False, and nothing is recorded, if the run is already published.
    :raises ActionNeededError: if Airflow has ended the run and this job lives on.
    """
    if fetch_rows(
        connection, "select from audit.run where run_id = :run_id and result = 'published'", run_id=run.run_id
    ):
        return False
    oldest, newest = run.newness_bounds or (None, None)
    upserted = connection.execute(
        text("""
            insert into audit.run
                (run_id, job, started_at, reference_date, newness_oldest_month, newness_newest_month, memory_run_id,
                catalogue_state_id)
            values (:run_id, :job, :started_at, :reference_date, :oldest, :newest, :memory_run_id, :catalogue_state_id)
            on conflict (run_id) do update
            set started_at = excluded.started_at, reference_date = excluded.reference_date,
                newness_oldest_month = excluded.newness_oldest_month,
                newness_newest_month = excluded.newness_newest_month,
                memory_run_id = excluded.memory_run_id,
                catalogue_state_id = excluded.catalogue_state_id,
                result = 'running', finished_at = null, message = null
            where (run.message = any(:from_outside)) is not true
        """),
        {
            "run_id": run.run_id,
            "job": run.job,
            "started_at": run.started_at,
            "reference_date": run.reference_date,
            "oldest": oldest,
            "newest": newest,
            "memory_run_id": run.state_run_id,
            "catalogue_state_id": run.catalogue_state_id,
            "from_outside": list(EXTERNAL_END_MESSAGES),
        },
    )
    if not upserted.rowcount:
        raise ActionNeededError(MARKED_FAILED_MESSAGE)
    connection.execute(text("delete from audit.run_input where run_id = :run_id"), {"run_id": run.run_id})
    if run.inputs:
        connection.execute(
            text("""
                insert into audit.run_input (run_id, input_id, origin, name, format, row_count, encoding, remarks)
                values (:run_id, :input_id, :origin, :name, :format, :row_count, :encoding, cast(:remarks as text[]))
            """),
            [
                {"run_id": run.run_id, **asdict(run_input), "remarks": list(run_input.remarks)}
                for run_input in run.inputs
            ],
        )
    return True


def record_published(connection: Connection, run: Run, tracks_added: int | None = None) -> None:
    """Record that a run is published; the caller commits it together with the published rows.

    :param tracks_added: the number of new tracks in the star; None for a run that publishes no catalogue.
    :raises ActionNeededError: if Airflow has ended the run meanwhile; the caller rolls back.
    """
    statement = """
        update audit.run
        set result = 'published', finished_at = clock_timestamp(), tracks_added = :tracks_added, message = null
        where run_id = :run_id and (message = any(:from_outside)) is not true
    """
    values = {"run_id": run.run_id, "tracks_added": tracks_added, "from_outside": list(EXTERNAL_END_MESSAGES)}
    if not connection.execute(text(statement), values).rowcount:
        raise ActionNeededError(MARKED_FAILED_MESSAGE)


def record_run_without_rows(connection: Connection, run: Run) -> None:
    """Record that a run took inputs that have no rows for it, so that they are not read again."""
    if record_start(connection, run):
        record_published(connection, run)


def record_failure(
    connection: Connection,
    run_id: str,
    job: str,
    started_at: datetime,
    message: str,
    may_overwrite_running: bool = True,
) -> None:
    """Record that a run failed, and why.

    :param may_overwrite_running: False if a run that is marked as running stays as it is.
    """
    protected_results = ("published",) if may_overwrite_running else ("published", "running")
    _record_end(connection, run_id, job, started_at, "failed", message, protected_results)


def record_nothing_new(connection: Connection, run_id: str, job: str, started_at: datetime) -> None:
    """Record that a run had nothing to do."""
    _record_end(connection, run_id, job, started_at, "nothing_new", None)


def delete_failure(connection: Connection, run_id: str) -> None:
    """Delete the record of a failed run that has succeeded on a later try; for runs that publish nothing."""
    connection.execute(text("delete from audit.run where run_id = :run_id and result = 'failed'"), {"run_id": run_id})


def record_external_failure(connection: Connection, run_id: str, job: str, started_at: datetime, message: str) -> None:
    """Record that Airflow marks a run as failed, whether or not one of its jobs has begun.

    A failure that a job has recorded keeps its message, unless Airflow has ended the run: then that message is from an
    earlier try. An interrupted run is marked as failed by the next start of bin/run, whose message replaces Airflow's.
    """
    # The caller is a scheduler or API server, which must not wait for a job that updates the same row.
    connection.execute(text("set local lock_timeout = '5s'"))
    _record_end(
        connection,
        run_id,
        job,
        started_at,
        "failed",
        message,
        ("published",) if message in EXTERNAL_END_MESSAGES else ("published", "failed"),
    )


def mark_restarted(connection: Connection, run_id: str) -> None:
    """Record that a run that Airflow had ended begins again, so that its jobs may publish."""
    statement = """
        update audit.run set message = 'The run was ended by Airflow and has begun again.'
        where run_id = :run_id and result = 'failed' and message = any(:from_outside)
    """
    connection.execute(text(statement), {"run_id": run_id, "from_outside": list(EXTERNAL_END_MESSAGES)})


def _record_end(
    connection: Connection,
    run_id: str,
    job: str,
    started_at: datetime,
    result: str,
    message: str | None,
    protected_results: Collection[str] = ("published",),
) -> None:
    # Once Airflow has ended a run, only an interruption may replace its message: a job that lives on must not.
    statement = """
        insert into audit.run (run_id, job, started_at, finished_at, result, message)
        values (:run_id, :job, :started_at, clock_timestamp(), :result, :message)
        on conflict (run_id) do update
            set finished_at = excluded.finished_at, result = excluded.result, message = excluded.message
            where case
                when run.message = any(:from_outside) then run.result <> 'published' and :is_cut_short
                else run.result <> all(:lasting)
            end
    """
    values = {"run_id": run_id, "job": job, "started_at": started_at, "result": result, "message": message}
    conditions = {
        "lasting": list(protected_results),
        "from_outside": list(EXTERNAL_END_MESSAGES),
        "is_cut_short": message == INTERRUPTED_MESSAGE,
    }
    connection.execute(text(statement), values | conditions)


def _record_error(run: Run, url: str, error: Exception, has_lock: bool) -> None:
    """Record that a run failed; an error of the audit itself is only logged.

    Without the lock, a run that is marked as running may belong to another try that has the lock: it stays as it is.
    """
    failure_name = "A disk is full" if is_full_disk(error) else type(error).__name__
    message = str(error) if isinstance(error, EtlError) else f"{failure_name}: see the log of the task"
    try:
        with connect(url) as connection:
            record_failure(connection, run.run_id, run.job, run.started_at, message, may_overwrite_running=has_lock)
    except EtlError as audit_error:
        log.warning("The failure of %s could not be recorded in audit.run: %s", run.run_id, audit_error)
