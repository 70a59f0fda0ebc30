"""The state between fetches from the Spotify API: audit.fetch, playlist requests, gaps and the stalest resources."""

import json
from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any, cast

from sqlalchemy import Connection, text

from etl.database.connection import fetch_rows


def read_sync_state(
    connection: Connection, account: str, fetch_name: str, excluded_run_id: str | None = None
) -> dict[str, Any] | None:
    """Return the sync state after the last fetch of an account, or None before the first one.

    :param fetch_name: the kind of fetch.
    :param excluded_run_id: a run whose own fetch does not count, so that its retry starts from the same state.
    """
    statement = """
        select known from audit.fetch
        where account = :account and part = :part and state in ('done', 'pending_quota')
            and run_id is distinct from cast(:besides_run as text)
        order by asked_at desc
        limit 1
    """
    fetches = fetch_rows(connection, statement, account=account, part=fetch_name, besides_run=excluded_run_id)
    return cast(dict[str, Any], fetches[0]["known"]) if fetches else None


def read_app_mode(connection: Connection) -> str | None:
    """Return the quota mode that the app had in the last catalogue fetch, or None before the first one."""
    statement = """
        select mode from audit.fetch
        where part = 'catalogue' and mode is not null
        order by asked_at desc
        limit 1
    """
    fetches = fetch_rows(connection, statement)
    return cast(str, fetches[0]["mode"]) if fetches else None


def list_requested_playlists(connection: Connection, user_id: str) -> tuple[str, ...]:
    """Return the ids of the playlists that a user has requested, the oldest requests up to the limit of a user."""
    statement = """
        select playlist_id
        from (
            select playlist_id
            from audit.playlist_request
            where user_id = :user_id
            order by requested_at, playlist_id
            limit mart.max_playlist_requests()
        ) as first
        order by playlist_id
    """
    return tuple(str(row["playlist_id"]) for row in fetch_rows(connection, statement, user_id=user_id))


def mark_playlist_requests_read(connection: Connection, user_id: str, playlist_ids: Collection[str]) -> None:
    """Mark playlist requests of a user as read by the user's own account.

    A request that another session is deleting is skipped instead of waited for.
    """
    statement = """
        update audit.playlist_request as w
        set read_at = now()
        from (
            select user_id, playlist_id
            from audit.playlist_request
            where user_id = :user_id and playlist_id = any(:playlist_ids) and read_at is null
            for update skip locked
        ) as n
        where w.user_id = n.user_id and w.playlist_id = n.playlist_id
    """
    connection.execute(text(statement), {"user_id": user_id, "playlist_ids": sorted(playlist_ids)})


def record_fetch(connection: Connection, **columns: object) -> None:
    """Write a row of audit.fetch, in place of an earlier one of the same run and kind of fetch.

    :param columns: values by column; mappings are stored as JSON.
    """
    values = {
        name: json.dumps(value, sort_keys=True) if isinstance(value, Mapping) else value
        for name, value in columns.items()
    }
    column_names = list(values)
    changes = ", ".join(f"{name} = excluded.{name}" for name in column_names if name not in ("run_id", "part"))
    statement = (
        f"insert into audit.fetch ({', '.join(column_names)}) values ({', '.join(f':{name}' for name in column_names)})"  # noqa: S608
        f" on conflict (run_id, part) do update set {changes}"
    )
    connection.execute(text(statement), values)


def find_newest_recent_play_time(connection: Connection, user_id: str) -> datetime | None:
    """Return the time of a user's newest play from the recently played endpoint; None if the user has none."""
    # The lateral join reads the end of each partition's (user_key, event_time) index instead of all plays.
    statement = """
        select max(newest.event_time) as event_time
        from warehouse.dim_user as u
        cross join lateral (
            select e.event_time
            from warehouse.fact_event as e
            where e.user_key = u.user_key and e.source = 'recently_played'
            order by e.event_time desc
            limit 1
        ) as newest
        where u.user_id = :user_id
    """
    return cast(datetime | None, fetch_rows(connection, statement, user_id=user_id)[0]["event_time"])


def record_gap(connection: Connection, user_id: str, gap_from: datetime, gap_to: datetime, run_id: str) -> None:
    """Write a row of audit.gap; a gap that begins at the same play is already recorded."""
    statement = """
        insert into audit.gap (user_id, gap_from, gap_to, found_at, run_id)
        values (:user_id, :gap_from, :gap_to, clock_timestamp(), :run_id)
        on conflict (user_id, gap_from) do nothing
    """
    values = {"user_id": user_id, "gap_from": gap_from, "gap_to": gap_to, "run_id": run_id}
    connection.execute(text(statement), values)


def list_tracks_without_feature_request(connection: Connection, track_ids: Collection[str]) -> list[str]:
    """Return the tracks whose audio features were never requested from the API.

    They are those of ``track_ids``, and tracks from the API or its playlists: an earlier run may have failed before it
    requested them.
    """
    statement = """
        select n.id
        from (
            select unnest(cast(:track_ids as text[])) as id
            union
            select track_id from warehouse.dim_track where source in ('api', 'mock_api')
            union
            select t.track_id
            from warehouse.dim_playlist as p
            inner join warehouse.fact_playlist_track as f on f.playlist_key = p.playlist_key
            inner join warehouse.dim_track as t on t.track_key = f.track_key
            where p.items_seen_at is not null and f.valid_to = 'infinity' and t.track_id not like 'name:%'
        ) as n
        where not exists (select from audit.refresh_state as r where r.kind = 'audio_features' and r.id = n.id)
        order by n.id
    """
    return [str(row["id"]) for row in fetch_rows(connection, statement, track_ids=sorted(track_ids))]


def list_stalest_tracks(connection: Connection, before: date, limit: int) -> list[str]:
    """Return the ids of the tracks requested longest ago, first those without a request; none since ``before``."""
    return _list_stalest(
        connection, "track", "select track_id as id from warehouse.dim_track where track_key > 0", before, limit
    )


def list_stalest_artists(connection: Connection, before: date, limit: int) -> list[str]:
    """Return the ids of artists, as ``list_stalest_tracks`` does for tracks."""
    return _list_stalest(
        connection, "artist", "select artist_id as id from warehouse.dim_artist where artist_key > 0", before, limit
    )


def _list_stalest(connection: Connection, kind: str, id_query: str, before: date, limit: int) -> list[str]:
    statement = f"""
        select n.id
        from ({id_query}) as n
        left join audit.refresh_state as r on r.kind = :kind and r.id = n.id
        where n.id not like 'name:%' and (r.asked_at is null or r.asked_at < :before)
        order by r.asked_at nulls first, n.id
        limit :limit
    """  # noqa: S608 (id_query is one of two constants above)
    return [str(row["id"]) for row in fetch_rows(connection, statement, kind=kind, before=before, limit=limit)]
