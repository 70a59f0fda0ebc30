"""Which tracks a service is to be asked for audio features, and what it was asked before."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, time, timedelta

from sqlalchemy import Connection

from etl.database.connection import fetch_rows

REPEAT_AFTER = timedelta(weeks=4)
"""How long after a request a track is requested again if the service did not know it."""


def list_tracks_for_service(
    connection: Connection,
    source: str,
    replaceable_sources: Sequence[str],
    reference_date: date,
    limit: int,
    is_mock: bool = False,
) -> list[str]:
    """Return the ids of the tracks to request from a service, the most urgent first.

    They are those without audio features, or with features of a source that the service precedes. A track that the
    service did not know is requested again after ``REPEAT_AFTER``, after all tracks that were never requested. Name-
    derived ids and those of the synthetic catalogue are left out.

    :param source: of the service's features; the kind of its requests in audit.refresh_state.
    :param replaceable_sources: the sources after it.
    :param is_mock: whether the service is the mock: it alone gets the ids of the mock Spotify API, and no others.
    """
    statement = """
        select t.track_id as id
        from warehouse.dim_track as t
        left join audit.refresh_state as r on r.kind = :kind and r.id = t.track_id
        where t.track_key > 0
            and t.merged_into_track_key = 0
            and not starts_with(t.track_id, 'name:')
            and t.source <> 'made_up'
            and (t.source = 'mock_api') = :is_mock
            and (t.audio_features_source is null or t.audio_features_source = any(:replaceable))
            and (r.asked_at is null or (r.asked_at < :asked_before and r.is_found is not true))
        order by r.asked_at nulls first, t.popularity desc nulls last, t.track_id
        limit :limit
    """
    rows = fetch_rows(
        connection,
        statement,
        kind=source,
        is_mock=is_mock,
        replaceable=list(replaceable_sources),
        asked_before=reference_date - REPEAT_AFTER,
        limit=limit,
    )
    return [str(row["id"]) for row in rows]


def select_tracks_never_requested(connection: Connection, source: str, track_ids: Collection[str]) -> list[str]:
    """Return the ids among some that the warehouse does not have and that a service was never asked for, sorted."""
    statement = """
        select n.id
        from unnest(cast(:track_ids as text[])) as n (id)
        where not exists (select from warehouse.dim_track as t where t.track_id = n.id)
            and not exists (select from audit.refresh_state as r where r.kind = :kind and r.id = n.id)
        order by n.id collate "C"
    """
    return [str(row["id"]) for row in fetch_rows(connection, statement, kind=source, track_ids=sorted(track_ids))]


def count_calls_on_day(connection: Connection, fetch_name: str, day: date, excluded_run_id: str) -> int:
    """Return the calls that other runs have made on a day (UTC), by the name of their fetch."""
    statement = """
        select coalesce(sum(cast(c.value as bigint)), 0) as calls
        from audit.fetch as f
        cross join lateral jsonb_each_text(f.calls) as c
        where f.part = :part and f.run_id <> :run_id and f.asked_at >= :day_start and f.asked_at < :day_end
    """
    start = datetime.combine(day, time())
    values = {"day_start": f"{start.isoformat()}Z", "day_end": f"{(start + timedelta(days=1)).isoformat()}Z"}
    row = fetch_rows(connection, statement, part=fetch_name, run_id=excluded_run_id, **values)[0]
    return int(str(row["calls"]))


def list_runs_with_fetch(connection: Connection, fetch_name: str) -> set[str]:
    """Return the ids of the runs whose fetch of this name has ended, so that its responses are in the lake."""
    rows = fetch_rows(connection, "select run_id from audit.fetch where part = :part", part=fetch_name)
    return {str(row["run_id"]) for row in rows}
