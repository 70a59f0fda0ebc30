"""Dimension members of events: each once in its set, with its number of events."""

from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from etl.transform.events.dimension_members import (
    CONTEXT_COLUMNS,
    add_name_derived_ids,
    collect_members,
    merge_members,
)
from tests.transform.events.parsed_rows import NOON, make_event_rows

NAMES = {"track_name": "The Song (Live)", "artist_name": "Nova"}
NO_IDS = {"track_id": None, "artist_id": None}


def count_set_rows(members: pa.Table, name: str, *columns: str) -> dict[tuple[Any, ...], int]:
    """Return the rows of a set, with the number of events of each."""
    rows = [row for row in members.to_pylist() if row["name_set"] == name]
    actual = {tuple(row[column] for column in columns): row["row_count"] for row in rows}
    assert len(actual) == len(rows)
    return actual


def test_each_set_has_its_own_columns_each_thing_once() -> None:
    rows = make_event_rows(
        {},
        {"event_time": NOON.replace(day=30, hour=23)},
        {"user_id": "u2", "source": "api", "playlist_id": "p1", "artist_name": "Nova"},
        {"input_id": "i2", "event_time": NOON.replace(month=12, day=1, hour=0), "platform": "ios"},
        {"spoken_id": "s1", "track_id": None, "artist_id": None},
        {"activity_type": "LIKE", "platform": "tv"},
    )
    members = collect_members(rows)
    assert count_set_rows(members, "users", "source", "user_id") == {("feed", "u1"): 5, ("api", "u2"): 1}
    assert count_set_rows(members, "playlists", "source", "playlist_id") == {("feed", None): 5, ("api", "p1"): 1}
    resources = count_set_rows(members, "things", "source", "track_id", "track_name", "artist_id", "artist_name")
    assert resources == {
        ("feed", "t1", None, "a1", None): 4,
        ("api", "t1", None, "a1", "Nova"): 1,
        ("feed", None, None, None, None): 1,
    }
    november, december = date(2026, 11, 1), date(2026, 12, 1)
    assert count_set_rows(members, "months", "input_id", "is_spoken", "first_day") == {
        ("in", False, november): 4,
        ("in", True, november): 1,
        ("i2", False, december): 1,
    }
    # Only plays have a listening context.
    assert count_set_rows(members, "contexts", *CONTEXT_COLUMNS) == {(None,) * 7: 4, ("ios", *(None,) * 6): 1}
    assert {row["name_set"] for row in members.to_pylist()} == {"users", "months", "contexts", "things", "playlists"}
    assert not any(row["user_id"] for row in members.to_pylist() if row["name_set"] == "things")


def test_parts_are_told_together_each_thing_once() -> None:
    parts = [collect_members(make_event_rows({}, {})), collect_members(make_event_rows({}, {"user_id": "u2"}))]
    members = merge_members(parts)
    assert count_set_rows(members, "users", "source", "user_id") == {("feed", "u1"): 3, ("feed", "u2"): 1}
    assert count_set_rows(members, "months", "input_id", "is_spoken", "first_day") == {
        ("in", False, date(2026, 11, 1)): 4
    }
    assert merge_members([]).num_rows == 0
    assert merge_members([]).schema == members.schema


@pytest.mark.parametrize(
    ("row", "has_derived_id"),
    [
        ({}, False),
        (NAMES, False),
        ({**NAMES, **NO_IDS}, True),
        ({**NAMES, "source": "basic_export"}, True),
        ({**NAMES, "artist_name": None, "source": "basic_export"}, False),
        ({**NAMES, "track_name": None, "source": "basic_export"}, False),
        ({**NO_IDS, "artist_name": "Nova"}, True),
        ({**NO_IDS, "track_name": "Song"}, False),
        ({**NO_IDS, "artist_name": "Nova", "artist_id": "a1"}, False),
        ({**NAMES, **NO_IDS, "artist_id": "a1"}, True),
        ({**NAMES, **NO_IDS, "track_id": "t1"}, True),
    ],
)
def test_an_id_is_made_of_names_where_there_is_none(row: dict[str, Any], has_derived_id: bool) -> None:
    members = add_name_derived_ids(collect_members(make_event_rows(row))).to_pylist()
    assert any(member["made_track"] or member["made_artist"] for member in members) == has_derived_id


def test_made_ids_stand_beside_the_names_they_are_made_of() -> None:
    rows = make_event_rows(
        {**NAMES, **NO_IDS},
        {**NAMES, **NO_IDS, "track_name": "the song - live", "artist_name": "NOVA"},
        {**NAMES, **NO_IDS, "artist_id": "a1"},
        {**NAMES},
        {**NAMES, "source": "basic_export"},
        {**NO_IDS, "artist_name": "Nova"},
        {**NO_IDS, "track_name": "Song"},
        {**NO_IDS, "track_name": "Song", "artist_name": "Nova"},
        {**NAMES, "artist_id": None},
    )
    members = add_name_derived_ids(collect_members(rows))
    made = [row for row in members.to_pylist() if row["name_set"] == "things"]
    actual = {
        tuple(row[name] for name in ("source", "track_id", "track_name", "artist_id", "artist_name")): (
            row["made_track"],
            row["made_artist"],
        )
        for row in made
    }
    assert len(actual) == len(made) == 9
    track, artist = actual["feed", None, "The Song (Live)", None, "Nova"]
    assert track.startswith("name:") and artist.startswith("name:") and track != artist
    assert actual["feed", None, "the song - live", None, "NOVA"] == (track, artist)
    assert actual["feed", None, "The Song (Live)", "a1", "Nova"] == (track, None)
    assert actual["feed", "t1", "The Song (Live)", "a1", "Nova"] == (None, None)
    assert actual["basic_export", "t1", "The Song (Live)", "a1", "Nova"] == (track, None)
    assert actual["feed", "t1", "The Song (Live)", None, "Nova"] == (None, artist)
    assert actual["feed", None, None, None, "Nova"] == (None, artist)
    assert actual["feed", None, "Song", None, None] == (None, None)
    second, same_artist = actual["feed", None, "Song", None, "Nova"]
    assert same_artist == artist and second.startswith("name:") and second != track
    others = [row for row in members.to_pylist() if row["name_set"] != "things"]
    assert others and not any(row["made_track"] or row["made_artist"] for row in others)
    assert count_set_rows(members, "users", "source", "user_id") == {("feed", "u1"): 8, ("basic_export", "u1"): 1}
