"""The load: staging, checks, publication, under the lock."""

import logging
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from pyspark.sql import DataFrame
from sqlalchemy import Connection

from etl.database import connect, lock_warehouse, record_failure
from etl.database.run_records import Run, get_last_track_key, record_published, record_start, reject_stale_run
from etl.errors import EtlError
from etl.load import checks, publish, staging
from etl.storage.full_disk import is_full_disk

log = logging.getLogger(__name__)


def load_frames(frames: Mapping[str, DataFrame], run: Run, url: str) -> dict[str, int]:
    """Publish frames; waits while another run does.

    :param frames: by name, each as ``schemas.STAGED`` says. A table without a frame is left alone; a frame without
        rows says that there are none: then a staged track keeps no genre, a playlist with a snapshot no track.
    :param run: what the load belongs to; published already, nothing is done.
    :param url: of the warehouse.
    :returns: rows written by table; empty where nothing had to change.
    :raises CheckFailedError: where staged rows must not be published; the star is as it was.
    :raises ActionNeededError: where the run was planned before another one was published, and knows less.
    :raises EtlError: where PostgreSQL fails, as ``warehouse.explained`` says; the star is as it was.
    """
    with lock_for_run(run, url) as connection:
        return _load_under_lock(connection, frames, run, url)


@contextmanager
def lock_for_run(run: Run, url: str) -> Iterator[Connection]:
    """``warehouse.exclusive`` for a run, whose failure is noted in audit.run.

    :raises EtlError: as ``warehouse.exclusive`` does.
    """
    has_lock = False
    try:
        with lock_warehouse(url) as connection:
            has_lock = True
            yield connection
    except Exception as error:
        _record_failure(run, url, error, has_lock)
        raise


def _load_under_lock(connection: Connection, frames: Mapping[str, DataFrame], run: Run, url: str) -> dict[str, int]:
    load_id = uuid.uuid4().hex
    if not record_start(connection, run):
        log.info("The run %s is published already.", run.run_id)
        return {}
    reject_stale_run(connection, run)
    connection.commit()
    staging.prepare_load(connection, load_id, run, list(frames))
    row_counts = staging.stage_frames(frames, load_id, url)
    staging.update_statistics(connection, list(frames))
    log.info("%d rows are staged.", sum(row_counts.values()))
    with publish.start_new_row_streams(url) as streams:  # their queries sort and join while the checks read
        checks.run_checks(connection, checks.CHECKS_BEFORE_PUBLISHING)
        connection.commit()
        log.info("All checks passed.")
        previous_track_key = get_last_track_key(connection)
        written_rows = publish.publish_staged_rows(connection, streams)
        has_tracks = "dim_track" in frames
        record_published(connection, run, get_last_track_key(connection) - previous_track_key if has_tracks else None)
        connection.commit()
    log.info(
        "Published: %s.", ", ".join(f"{table} {count}" for table, count in written_rows.items()) or "nothing changed"
    )
    return written_rows


def _record_failure(run: Run, url: str, error: Exception, has_lock: bool) -> None:
    """Note in the audit that a run failed, in words for people; what PostgreSQL cannot take is logged alone.

    Where the lock was never had, a run that the audit calls running may be another try's, which has it.
    """
    failure_name = "A disk is full" if is_full_disk(error) else type(error).__name__
    message = str(error) if isinstance(error, EtlError) else f"{failure_name}: see the log of the task"
    try:
        with connect(url) as connection:
            record_failure(connection, run.run_id, run.job, run.started_at, message, may_overwrite_running=has_lock)
    except EtlError as audit_error:
        log.warning("The failure could not be noted in audit.run: %s", audit_error)
