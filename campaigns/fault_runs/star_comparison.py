"""The star after some simulated days, by natural keys, and the differences of two stars."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from etl import database

StarRows = dict[str, Counter[str]]
"""Rows by kind, each as JSON, with the number of their occurrences."""

_MAX_SHOWN_ROWS = 5
_STAR_QUERIES = {
    "tracks": """select t.track_id, min(t.track_id) over (partition by t.recording_key) as recording, a.album_id,
        t.name, t.release_date, t.duration_ms, t.explicit, t.isrc, t.popularity, t.energy, t.tempo,
        t.audio_features_source, t.source
        from warehouse.dim_track as t
        join warehouse.dim_album as a on a.album_key = t.album_key""",
    "artists": "select artist_id, name, popularity, followers, source from warehouse.dim_artist",
    "credits": """select t.track_id, a.artist_id, b.position from warehouse.bridge_track_artist as b
        join warehouse.dim_track as t using (track_key) join warehouse.dim_artist as a using (artist_key)""",
    "albums": "select album_id, name, album_type, release_date, source from warehouse.dim_album",
    "aliases": """select x.alias_kind, x.alias_value, t.track_id, x.method, x.score from warehouse.track_alias as x
        join warehouse.dim_track as t using (track_key)""",
    "playlists": "select playlist_id, name, owner_id, snapshot_id from warehouse.dim_playlist",
    "memberships": """select p.playlist_id, t.track_id, f.occurrence, f.added_at from warehouse.fact_playlist_track as f
        join warehouse.dim_playlist as p using (playlist_key) join warehouse.dim_track as t using (track_key)
        where f.valid_to = 'infinity'""",
    "users": "select user_id, username, country, subscription_plan from warehouse.dim_user where is_current",
    # A follow begins with the first response that shows it, and simulated days with faults show it later.
    "likes and follows": """select u.user_id, coalesce(nullif(t.track_id, 'not applicable'), a.artist_id) as thing,
        case when e.source = 'saved_tracks' then e.event_time end as since, e.source from warehouse.fact_event as e
        join warehouse.dim_user as u using (user_key) join warehouse.dim_track as t using (track_key)
        join warehouse.dim_artist as a using (artist_key)""",
}
_OVERLAPS_QUERY = """
    select count(*) as n from (
        select f.valid_from < lag(f.valid_to) over (
            partition by f.playlist_key, f.track_key, f.occurrence order by f.valid_from
        ) as is_over
        from warehouse.fact_playlist_track as f
    ) as stay where is_over
"""


def read_star(connection: Connection) -> StarRows:
    """Return the current rows."""
    return {name: Counter(_read_json_rows(connection, query)) for name, query in _STAR_QUERIES.items()}


def count_overlaps(connection: Connection) -> int:
    """Return the number of tracks that have two overlapping intervals at one occurrence on a playlist."""
    return int(str(database.fetch_rows(connection, _OVERLAPS_QUERY)[0]["n"]))


@dataclass(frozen=True)
class AccountResources:
    """Resources of accounts: saved tracks and followed artists (user_id, resource id, since), and playlists by id."""

    events: set[tuple[str, str, datetime | None]]
    playlist_ids: set[str]


def find_unobservable_rows(
    expected: StarRows, actual: StarRows, final_resources: AccountResources
) -> dict[str, set[str]]:
    """Return rows, by part, that differ because their content existed only on simulated days whose calls failed.

    These are temporary names of resources, likes and follows that were removed again, and the state of a playlist
    before its deletion.

    :param final_resources: the resources of the accounts at the end.
    """
    missing = {name: set(rows - actual[name]) for name, rows in expected.items()}
    extra = {name: set(rows - expected[name]) for name, rows in actual.items()}
    unobservable = {
        "aliases": {row for row in missing["aliases"] if json.loads(row)["alias_kind"] == "name"},
        "likes and follows": {
            row for row in missing["likes and follows"] if _parse_event(row) not in final_resources.events
        },
    }
    for name in ("playlists", "memberships"):
        rows = missing[name] | extra[name]
        unobservable[name] = {row for row in rows if json.loads(row)["playlist_id"] not in final_resources.playlist_ids}
    return unobservable


def print_difference(name: str, missing: Counter[str], extra: Counter[str]) -> None:
    """Print the rows that differ: rows of the same id by the columns that differ."""
    missing_by_id, extra_by_id = (_index_by_id(rows) for rows in (missing, extra))
    print(f"  DIFFERS: {name}: with faults {missing.total()} rows are not there, {extra.total()} further ones are")
    columns: dict[str, list[str]] = defaultdict(list)
    for row_id in sorted(missing_by_id.keys() & extra_by_id.keys()):
        for column in missing_by_id[row_id]:
            if missing_by_id[row_id][column] != extra_by_id[row_id][column]:
                columns[column].append(
                    f"{row_id}: {missing_by_id[row_id][column]} became {extra_by_id[row_id][column]}"
                )
    columns["lacking"] = [str(missing_by_id[row_id]) for row_id in sorted(missing_by_id.keys() - extra_by_id.keys())]
    columns["further"] = [str(extra_by_id[row_id]) for row_id in sorted(extra_by_id.keys() - missing_by_id.keys())]
    for column, lines in columns.items():
        print(f"    {column}: {len(lines)}", *lines[:_MAX_SHOWN_ROWS], sep="\n      ")


def _index_by_id(rows: Counter[str]) -> dict[str, dict[str, Any]]:
    read = [json.loads(row) for row in rows]
    return {" ".join(str(value) for value in list(row.values())[:2]): row for row in read}


def _read_json_rows(connection: Connection, query: str) -> Iterator[str]:
    for row in database.fetch_rows(connection, f"select to_json(r)::text as r from ({query}) as r"):  # noqa: S608
        yield str(row["r"])


def _parse_event(row: str) -> tuple[str, str, datetime | None]:
    fields = json.loads(row)
    return fields["user_id"], fields["thing"], datetime.fromisoformat(fields["since"]) if fields["since"] else None
