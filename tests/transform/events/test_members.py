"""What events name: each thing once in its set, with how many events say so."""

from datetime import date
from typing import Any

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from etl.transform.events.dimension_members import (
    CONTEXT_COLUMNS,
    add_name_derived_ids,
    collect_members,
    has_members_without_id,
    merge_members,
)
from tests.transform.events.told import NOON, event_rows

NAMES = {"track_name": "The Song (Live)", "artist_name": "Nova"}
NO_IDS = {"track_id": None, "artist_id": None}


def sets(told: pa.Table, name: str, *columns: str) -> dict[tuple[Any, ...], int]:
    """The rows of a set, with how many events say each."""
    rows = [row for row in told.to_pylist() if row["name_set"] == name]
    found = {tuple(row[column] for column in columns): row["row_count"] for row in rows}
    assert len(found) == len(rows)
    return found


def test_each_set_has_its_own_columns_each_thing_once() -> None:
    rows = event_rows(
        {},
        {"event_time": NOON.replace(day=30, hour=23)},
        {"user_id": "u2", "source": "api", "playlist_id": "p1", "artist_name": "Nova"},
        {"input_id": "i2", "event_time": NOON.replace(month=12, day=1, hour=0), "platform": "ios"},
        {"spoken_id": "s1", "track_id": None, "artist_id": None},
        {"activity_type": "LIKE", "platform": "tv"},
    )
    told = collect_members(rows)
    assert sets(told, "users", "source", "user_id") == {("feed", "u1"): 5, ("api", "u2"): 1}
    assert sets(told, "playlists", "source", "playlist_id") == {("feed", None): 5, ("api", "p1"): 1}
    things = sets(told, "things", "source", "track_id", "track_name", "artist_id", "artist_name")
    assert things == {
        ("feed", "t1", None, "a1", None): 4,
        ("api", "t1", None, "a1", "Nova"): 1,
        ("feed", None, None, None, None): 1,
    }
    november, december = date(2026, 11, 1), date(2026, 12, 1)
    assert sets(told, "months", "input_id", "is_spoken", "first_day") == {
        ("in", False, november): 4,
        ("in", True, november): 1,
        ("i2", False, december): 1,
    }
    # How a play came about is told of plays alone.
    assert sets(told, "contexts", *CONTEXT_COLUMNS) == {(None,) * 7: 4, ("ios", *(None,) * 6): 1}
    assert {row["name_set"] for row in told.to_pylist()} == {"users", "months", "contexts", "things", "playlists"}
    assert not any(row["user_id"] for row in told.to_pylist() if row["name_set"] == "things")


def test_parts_are_told_together_each_thing_once() -> None:
    parts = [collect_members(event_rows({}, {})), collect_members(event_rows({}, {"user_id": "u2"}))]
    told = merge_members(parts)
    assert sets(told, "users", "source", "user_id") == {("feed", "u1"): 3, ("feed", "u2"): 1}
    assert sets(told, "months", "input_id", "is_spoken", "first_day") == {("in", False, date(2026, 11, 1)): 4}
    assert merge_members([]).num_rows == 0
    assert merge_members([]).schema == told.schema


@pytest.mark.parametrize(
    ("row", "is_alone"),
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
def test_an_id_is_made_of_names_where_there_is_none(row: dict[str, Any], is_alone: bool) -> None:
    assert has_members_without_id(collect_members(event_rows(row))) == is_alone


def test_made_ids_stand_beside_the_names_they_are_made_of(spark: SparkSession) -> None:
    rows = event_rows(
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
    told = add_name_derived_ids(collect_members(rows), spark)
    made = [row for row in told.to_pylist() if row["name_set"] == "things"]
    found = {
        tuple(row[name] for name in ("source", "track_id", "track_name", "artist_id", "artist_name")): (
            row["made_track"],
            row["made_artist"],
        )
        for row in made
    }
    assert len(found) == len(made) == 9
    track, artist = found["feed", None, "The Song (Live)", None, "Nova"]
    assert track.startswith("name:") and artist.startswith("name:") and track != artist
    assert found["feed", None, "the song - live", None, "NOVA"] == (track, artist)
    assert found["feed", None, "The Song (Live)", "a1", "Nova"] == (track, None)
    assert found["feed", "t1", "The Song (Live)", "a1", "Nova"] == (None, None)
    assert found["basic_export", "t1", "The Song (Live)", "a1", "Nova"] == (track, None)
    assert found["feed", "t1", "The Song (Live)", None, "Nova"] == (None, artist)
    assert found["feed", None, None, None, "Nova"] == (None, artist)
    assert found["feed", None, "Song", None, None] == (None, None)
    other, same_artist = found["feed", None, "Song", None, "Nova"]
    assert same_artist == artist and other.startswith("name:") and other != track
    others = [row for row in told.to_pylist() if row["name_set"] != "things"]
    assert others and not any(row["made_track"] or row["made_artist"] for row in others)
    assert sets(told, "users", "source", "user_id") == {("feed", "u1"): 8, ("basic_export", "u1"): 1}
