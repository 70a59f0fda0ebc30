"""The load of frames: staging, checks and publication, under the lock of the warehouse."""

import logging
import uuid
from collections.abc import Mapping

import pyarrow as pa
from pyspark.sql import DataFrame
from sqlalchemy import Connection, text

from etl.database import EVENT_LOAD_JOB, fetch_rows, get_latest_catalogue_state_id
from etl.database.run_records import Run, lock_for_run, record_published, record_start
from etl.errors import ActionNeededError
from etl.load import checks, publish, staging

log = logging.getLogger(__name__)


def load_frames(frames: Mapping[str, DataFrame | pa.Table], run: Run, url: str) -> dict[str, int]:
    """Stage, check and publish frames; wait while another run changes the warehouse.

    :param frames: by table, with the columns of ``contracts.STAGED``; small ones may be Arrow tables. A table without a
        frame stays as it is. An empty frame means that there are no rows: a staged track loses its genres, a playlist
        with a snapshot its tracks.
    :param run: the run of the load; nothing is done if it is already published.
    :param url: of the warehouse.
    :returns: rows written by table of the star; empty if nothing had to change.
    :raises CheckFailedError: if staged rows fail a check; the star is unchanged.
    :raises ActionNeededError: if a later plan with an input that this run lacks is already published.
    :raises EtlError: if PostgreSQL fails, as ``connection.explain_error`` decides; the star is unchanged.
    """
    with lock_for_run(run, url) as connection:
        return load_frames_under_lock(connection, frames, run, url)


def load_frames_under_lock(
    connection: Connection, frames: Mapping[str, DataFrame | pa.Table], run: Run, url: str
) -> dict[str, int]:
    """Do what ``load_frames`` does on the connection of ``lock_for_run``.

    A job with a Spark session takes the lock first and opens the session then, as all jobs that need both do. In the
    other order, a job with all cores of a cluster would wait for one that has the lock and waits for cores.
    """
    load_id = uuid.uuid4().hex
    if not record_start(connection, run):
        log.info("The run %s is already published.", run.run_id)
        return {}
    _reject_stale_run(connection, run)
    connection.commit()
    staging.prepare_load(connection, load_id, run, list(frames))
    row_counts = staging.stage_frames(frames, load_id, url)
    staging.update_statistics(connection, list(frames))
    log.info("%d rows are staged.", sum(row_counts.values()))
    with publish.start_new_row_streams(url) as streams:  # these queries sort and join while the checks run
        checks.run_checks(connection, checks.CHECKS_BEFORE_PUBLISHING)
        connection.commit()
        log.info("All checks passed.")
        previous_track_key = _get_last_track_key(connection)
        written_rows = publish.publish_staged_rows(connection, streams)
        has_tracks = "dim_track" in frames
        record_published(connection, run, _get_last_track_key(connection) - previous_track_key if has_tracks else None)
        connection.commit()
    log.info(
        "Published: %s.", ", ".join(f"{table} {count}" for table, count in written_rows.items()) or "nothing changed"
    )
    return written_rows


def _reject_stale_run(connection: Connection, run: Run) -> None:
    """Reject a run that would overwrite a later catalogue with an older one.

    :raises ActionNeededError: if a run published after the plan took an input that this run lacks and that no run
        before the plan took, or if the frames have changes since a catalogue that is no longer the published one.
    """
    if run.updated_state_id is not None and run.updated_state_id != get_latest_catalogue_state_id(connection):
        raise ActionNeededError(
            f"{run.run_id} has the changes since a catalogue that is no longer the published one: another refresh was "
            "published after it was planned. Clear this run in Airflow from its task plan_refresh."
        )
    if run.last_published_at is None:
        return
    statement = """
        with published as (
            select i.input_id, i.name, i.run_id, r.finished_at > :published_until as is_later
            from audit.run_input as i
            inner join audit.run as r on r.run_id = i.run_id
            where r.result = 'published' and r.job <> :event_job
        )
        select name, run_id
        from published as p
        where is_later
            and input_id <> all (:input_ids)
            and not exists (select from published as e where e.input_id = p.input_id and not e.is_later)
        order by run_id, name
        limit 1
    """
    input_ids = [run_input.input_id for run_input in run.inputs]
    conflicts = fetch_rows(
        connection, statement, published_until=run.last_published_at, event_job=EVENT_LOAD_JOB, input_ids=input_ids
    )
    if conflicts:
        raise ActionNeededError(
            f"{run.run_id} was planned before another refresh was published: {conflicts[0]['run_id']} has loaded "
            f"{conflicts[0]['name']}, which would be lost. Clear this run in Airflow from its task plan_refresh."
        )


def _get_last_track_key(connection: Connection) -> int:
    """Return the highest track_key; keys have no gaps."""
    return int(connection.scalar(text("select max(track_key) from warehouse.dim_track")) or 0)
