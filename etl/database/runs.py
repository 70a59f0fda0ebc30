"""What the audit knows of earlier runs, and how a run ended that published nothing."""

from collections.abc import Collection
from datetime import date, datetime

from sqlalchemy import Connection, text

from etl.database.connection import fetch_rows

EVENT_LOAD_JOB = "load_events"
"""The job whose runs load events: an input that told of the catalogue may still have events to tell."""

EVENTS_SUFFIX = ".events"
"""Ends the id under which the audit knows the events of such an input."""


MARKED_FAILED_MESSAGE = (
    "The run was marked as failed in Airflow before it had ended. Clear its tasks there to do it again."
)
TIMED_OUT_MESSAGE = "The run was ended, since it took longer than its DAG allows (dagrun_timeout)."
EXTERNAL_END_MESSAGES = (MARKED_FAILED_MESSAGE, TIMED_OUT_MESSAGE)
"""Sentences of runs that were ended while a job of theirs may be at work: until such a run begins again, its jobs,
which live on for some seconds, neither change what the audit says nor publish."""

INTERRUPTED_MESSAGE = (
    "Cut short: the product was stopped while this run was under way. Clear its tasks in Airflow to repeat it."
)


def list_published_input_ids(connection: Connection, job: str | None = None) -> set[str]:
    """The ids of all inputs that a published run took: what the lake holds beyond them is new.

    Of Kaggle files those of the newest run alone, which took all that were current then: one that has been replaced
    since, and is current again, is new again. So is to a load of events what it has to load again.

    :param job: the loads of events, which take inputs of their own accord; None: all other runs.
    """
    statement = """
        select distinct i.input_id
        from audit.run_input as i
        inner join audit.run as r on r.run_id = i.run_id
        where r.result = 'published' and r.job = any(:jobs) = :is_of_events
            and not (:is_of_events and i.input_id in (select f.input_id from audit.reload_input as f))
            and (
                i.origin not in ('kaggle', 'made_up')
                or i.run_id = (
                    select newest.run_id
                    from audit.run as newest
                    where newest.result = 'published' and exists (
                        select from audit.run_input as f
                        where f.run_id = newest.run_id and f.origin in ('kaggle', 'made_up')
                    )
                    order by newest.finished_at desc
                    limit 1
                )
            )
    """
    input_rows = fetch_rows(connection, statement, jobs=[job or EVENT_LOAD_JOB], is_of_events=job is not None)
    return {str(row["input_id"]) for row in input_rows}


def get_last_published_at(connection: Connection) -> datetime:
    """When the last of the runs finished that have published a catalogue; the start of 1970 where none has."""
    statement = """
        select coalesce(max(finished_at), 'epoch') as finished_at from audit.run
        where result = 'published' and job <> :event_job
    """
    return fetch_rows(connection, statement, event_job=EVENT_LOAD_JOB)[0]["finished_at"]  # type: ignore[return-value]


def get_newness_bounds(connection: Connection) -> tuple[date, date] | None:
    """The oldest and newest month that the last published run counted, or None before the first one."""
    bounds_rows = fetch_rows(
        connection,
        """
        select newness_oldest_month as oldest, newness_newest_month as newest
        from audit.run
        where result = 'published' and newness_oldest_month is not null
        order by finished_at desc
        limit 1
        """,
    )
    return (bounds_rows[0]["oldest"], bounds_rows[0]["newest"]) if bounds_rows else None  # type: ignore[return-value]


def has_release_after_bounds(connection: Connection, reference_date: date) -> bool:
    """Whether a release date that lay in the future at the last run has come, so that newness has a new end."""
    bounds = get_newness_bounds(connection)
    if bounds is None:
        return False
    statement = """
        select exists (
            select from warehouse.dim_track
            where release_date >= cast(:newest as date) + interval '1 month' and release_date <= :reference_date
        ) as is_newer
    """
    return bool(fetch_rows(connection, statement, newest=bounds[1], reference_date=reference_date)[0]["is_newer"])


def get_current_cluster_fit(connection: Connection) -> tuple[dict[str, object], list[dict[str, object]]] | None:
    """The current fit of the audio clusters, or None before the first one.

    :returns: the row of ``schemas.STAGED["cluster_fit"]`` and the rows of ``schemas.STAGED["dim_audio_cluster"]``.
    """
    fit = fetch_rows(
        connection,
        """
        select fit_id, fitted_at, cluster_count, seed, sample_size, catalogue_size, inertia,
            feature_means, feature_deviations
        from audit.cluster_fit
        order by fitted_at desc, fit_id
        limit 1
        """,
    )
    clusters = fetch_rows(
        connection,
        """
        select audio_features_type, name, danceability, energy, loudness, speechiness, acousticness,
            instrumentalness, liveness, valence, tempo, inertia, fitted_at
        from warehouse.dim_audio_cluster
        order by audio_features_type
        """,
    )
    return (fit[0], clusters) if fit else None


def get_latest_state_run_id(connection: Connection) -> str | None:
    """The run whose memory of the API's answers the last published run used, or None before the first one."""
    statement = """
        select memory_run_id from audit.run
        where result = 'published' and memory_run_id is not null
        order by finished_at desc
        limit 1
    """
    run_rows = fetch_rows(connection, statement)
    return str(run_rows[0]["memory_run_id"]) if run_rows else None


def record_failure(
    connection: Connection,
    run_id: str,
    job: str,
    started_at: datetime,
    message: str,
    may_overwrite_running: bool = True,
) -> None:
    """Note in the audit that a run failed, and why; a run that was published stays published.

    :param may_be_running: False: so does a run that is running stay as it is.
    """
    protected_results = ("published",) if may_overwrite_running else ("published", "running")
    _record_end(connection, run_id, job, started_at, "failed", message, protected_results)


def record_nothing_new(connection: Connection, run_id: str, job: str, started_at: datetime) -> None:
    """Note in the audit that a run found nothing to do; a run that was published stays published."""
    _record_end(connection, run_id, job, started_at, "nothing_new", None)


def delete_failure(connection: Connection, run_id: str) -> None:
    """Remove the line of a run that failed and, tried again, did what it was to do; for runs that publish nothing."""
    connection.execute(text("delete from audit.run where run_id = :run_id and result = 'failed'"), {"run_id": run_id})


def record_external_failure(connection: Connection, run_id: str, job: str, started_at: datetime, message: str) -> None:
    """Note that the orchestrator calls a run failed, whether or not a job of it has begun.

    A run that was published stays published. One whose failure is noted keeps its own sentence, but where it was ended
    from outside: then that sentence is of an earlier try. A run that was cut short is marked as failed only afterwards,
    by the next start, which knows better than Airflow why it ended.
    """
    # Whoever tells us must not wait for a job that is at work on the same line.
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
    """Note that a run that was ended from outside begins again, so that its jobs may go on."""
    statement = """
        update audit.run set message = 'The run was ended from outside, and has begun again.'
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
