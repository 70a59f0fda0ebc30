"""The star after some nights, by natural keys, and how two of them differ."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from etl import warehouse

Star = dict[str, Counter[str]]
"""Rows by kind, each as JSON, with how often it stands there."""

_SHOWN = 5
_TABLES = {
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
    # An artist is followed since the first answer that shows it, and nights with faults show it later.
    "likes and follows": """select u.user_id, coalesce(nullif(t.track_id, 'not applicable'), a.artist_id) as thing,
        case when e.source = 'saved_tracks' then e.event_time end as since, e.source from warehouse.fact_event as e
        join warehouse.dim_user as u using (user_key) join warehouse.dim_track as t using (track_key)
        join warehouse.dim_artist as a using (artist_key)""",
}
_OVERLAPS = """
    select count(*) as n from (
        select f.valid_from < lag(f.valid_to) over (
            partition by f.playlist_key, f.track_key, f.occurrence order by f.valid_from
        ) as is_over
        from warehouse.fact_playlist_track as f
    ) as stay where is_over
"""


def star(connection: Connection) -> Star:
    """The rows that are current."""
    return {name: Counter(_as_json(connection, query)) for name, query in _TABLES.items()}


def overlap_count(connection: Connection) -> int:
    """How often a track stands twice in one place of a playlist at one time."""
    return int(str(warehouse.rows(connection, _OVERLAPS)[0]["n"]))


@dataclass(frozen=True)
class Things:
    """What accounts have: saved tracks and followed artists (user_id, thing, since), and playlists by their ids."""

    events: set[tuple[str, str, datetime | None]]
    playlist_ids: set[str]


def gone_unseen(expected: Star, found: Star, there: Things) -> dict[str, set[str]]:
    """Rows, by part, that differ because what they tell was there only on nights whose calls failed: names that a thing
    had then, likes and follows that were taken back, and what a playlist was before it was deleted.

    :param there: what the accounts have in the end.
    """
    lacking = {name: set(rows - found[name]) for name, rows in expected.items()}
    further = {name: set(rows - expected[name]) for name, rows in found.items()}
    gone = {
        "aliases": {row for row in lacking["aliases"] if json.loads(row)["alias_kind"] == "name"},
        "likes and follows": {row for row in lacking["likes and follows"] if _event(row) not in there.events},
    }
    for name in ("playlists", "memberships"):
        rows = lacking[name] | further[name]
        gone[name] = {row for row in rows if json.loads(row)["playlist_id"] not in there.playlist_ids}
    return gone


def tell(name: str, lacking: Counter[str], further: Counter[str]) -> None:
    """Print the rows that differ: those of one id beside each other, by the columns in which they do."""
    there, here = (_by_id(rows) for rows in (lacking, further))
    print(f"  DIFFERS: {name}: with faults {lacking.total()} rows are not there, {further.total()} further ones are")
    columns: dict[str, list[str]] = defaultdict(list)
    for one in sorted(there.keys() & here.keys()):
        for column in there[one]:
            if there[one][column] != here[one][column]:
                columns[column].append(f"{one}: {there[one][column]} became {here[one][column]}")
    columns["lacking"] = [str(there[one]) for one in sorted(there.keys() - here.keys())]
    columns["further"] = [str(here[one]) for one in sorted(here.keys() - there.keys())]
    for column, told in columns.items():
        print(f"    {column}: {len(told)}", *told[:_SHOWN], sep="\n      ")


def _by_id(rows: Counter[str]) -> dict[str, dict[str, Any]]:
    read = [json.loads(row) for row in rows]
    return {" ".join(str(value) for value in list(row.values())[:2]): row for row in read}


def _as_json(connection: Connection, query: str) -> Iterator[str]:
    for row in warehouse.rows(connection, f"select to_json(r)::text as r from ({query}) as r"):  # noqa: S608
        yield str(row["r"])


def _event(row: str) -> tuple[str, str, datetime | None]:
    said = json.loads(row)
    return said["user_id"], said["thing"], datetime.fromisoformat(said["since"]) if said["since"] else None
