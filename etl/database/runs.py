"""Reads of audit.run: published inputs, and the state that a new run starts from. ``run_records`` writes it."""

from datetime import date, datetime

from sqlalchemy import Connection

from etl.database.connection import fetch_rows

EVENT_LOAD_JOB = "load_events"
"""The job that loads events. An input may be loaded twice: its catalogue by a refresh, its events by this job."""

EVENTS_SUFFIX = ".events"
"""Suffix of an input id in the audit, for the events of an input whose catalogue has the id without it."""


def list_published_input_ids(connection: Connection, job: str | None = None) -> set[str]:
    """Return the ids of the inputs that published runs have taken; all other inputs in the lake are new.

    Of Kaggle files, only the newest run counts, which took all current files: a file that was replaced and is current
    again is new again. For a load of events, an input that it must reload is new as well.

    :param job: ``EVENT_LOAD_JOB`` for the inputs of event loads; None for those of all other runs.
    """
    # The two halves of the last condition: inputs of feeds, exports and the API are immutable, so any run counts;
    # Kaggle files are a set of current versions, so only the run that read the newest set counts.
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
    """Return when the last run that published a catalogue finished; the start of 1970 before the first one."""
    statement = """
        select coalesce(max(finished_at), 'epoch') as finished_at from audit.run
        where result = 'published' and job <> :event_job
    """
    return fetch_rows(connection, statement, event_job=EVENT_LOAD_JOB)[0]["finished_at"]  # type: ignore[return-value]


def get_newness_bounds(connection: Connection) -> tuple[date, date] | None:
    """Return the oldest and newest month of the last published newness scores, or None before the first ones."""
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
    """Return whether a release date after the bounds has been reached, so that newness scores need new bounds."""
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
    """Return the current fit of the audio clusters, or None before the first one.

    :returns: the row of ``contracts.STAGED["cluster_fit"]`` and the rows of ``contracts.STAGED["dim_audio_cluster"]``.
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
    """Return the run whose state of the API's resources the last published run used, or None before the first one."""
    statement = """
        select memory_run_id from audit.run
        where result = 'published' and memory_run_id is not null
        order by finished_at desc
        limit 1
    """
    run_rows = fetch_rows(connection, statement)
    return str(run_rows[0]["memory_run_id"]) if run_rows else None


def get_latest_catalogue_state_id(connection: Connection) -> str | None:
    """Return the state that the last published catalogue left in the lake; None if it left none."""
    statement = """
        select catalogue_state_id from audit.run
        where result = 'published' and tracks_added is not null
        order by finished_at desc
        limit 1
    """
    run_rows = fetch_rows(connection, statement)
    state_id = run_rows[0]["catalogue_state_id"] if run_rows else None
    return None if state_id is None else str(state_id)


def list_match_decisions(connection: Connection) -> tuple[list[tuple[str, str, str, bool]], bool]:
    """Return the decisions about ids that a catalogue follows, and whether the published one was built with others.

    :returns: kind, first_id, second_id and is_match, sorted. That two artists are one is not among them, because only
        the marts follow it.
    """
    statement = """
        select kind, first_id, second_id, is_match
        from warehouse.match_decision
        where revoked_at is null and not (kind = 'artist' and is_match)
        order by kind, first_id, second_id
    """
    applied_statement = "select kind, first_id, second_id, is_match from warehouse.applied_match_decision"
    decisions, applied = (
        [(str(row["kind"]), str(row["first_id"]), str(row["second_id"]), bool(row["is_match"])) for row in rows]
        for rows in (fetch_rows(connection, statement), fetch_rows(connection, applied_statement))
    )
    return decisions, set(decisions) != set(applied)
