"""Events whose artist nobody knows yet have the right one once somebody does, whichever comes first."""

from datetime import date
from typing import Any

from etl.load import load
from etl.schemas import STAGED
from tests.load.event_frames import NOON, Delivery, Told, load_events
from tests.load.star_frames import Rows, local_frames, run, table, track

EVENTS = """
    select t.track_id, a.artist_id, a.name
    from warehouse.fact_event as e
    join warehouse.dim_track as t using (track_key)
    join warehouse.dim_artist as a on a.artist_key = e.artist_key
    order by 1
"""


def artist(artist_id: str, made_id: str, name: str, **values: Any) -> dict[str, Any]:
    return {"artist_id": artist_id, "made_id": made_id, "name": name, "source": "api", **values}


def publish(url: str, run_id: str, artists: list[dict[str, Any]], *credits: tuple[str, str]) -> None:
    """A catalogue of artists and of tracks, each with its first artist."""
    staged: Rows = {
        "dim_artist": artists,
        "dim_track": [track(name, audio_features_type=None) for name, _ in credits],
        "track_alias": [
            {"alias_kind": "spotify_id", "alias_value": name, "track_id": name, "method": "id", "score": 1.0}
            for name, _ in credits
        ],
        "bridge_track_artist": [
            {"track_id": name, "artist_id": artist_id, "position": 1} for name, artist_id in credits
        ],
    }
    assert set(staged) <= set(STAGED)
    load(local_frames(staged), run(run_id, date(2026, 11, 2), inputs=()), url)


def told(url: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in table(url, EVENTS)]


def test_events_of_a_track_that_nobody_has_credited_get_its_artist_once_it_is_known(warehouse_url: str) -> None:
    plays = (Told(NOON, track="t1", artist=None), Told(NOON, "u2", "t2", artist=None))
    load_events(warehouse_url, "r1", Delivery("aa", plays))
    assert told(warehouse_url) == [("t1", "unknown", "Unknown"), ("t2", "unknown", "Unknown")]
    publish(warehouse_url, "c1", [artist("x1", "name:x", "X")], ("t1", "x1"))
    assert told(warehouse_url) == [("t1", "x1", "X"), ("t2", "unknown", "Unknown")]
    touched = table(
        warehouse_url, "select user_id, local_date from audit.touched_day join mart.listener using (listener_key)"
    )
    assert touched == [{"user_id": "u1", "local_date": NOON.date()}], "the marts follow"
    # An event may say it as well as a catalogue.
    load_events(warehouse_url, "r2", Delivery("bb", (Told(NOON, "u3", "t2", artist="y1", artist_name="Y"),)))
    assert told(warehouse_url) == [("t1", "x1", "X"), ("t2", "y1", "Y"), ("t2", "y1", "Y")]
    assert table(warehouse_url, "select * from audit.artistless_track") == []


def test_an_artist_of_whom_only_the_name_was_known_is_completed_under_the_same_key(warehouse_url: str) -> None:
    play = Told(NOON, track="t1", artist="name:n", artist_name="Nova")
    load_events(warehouse_url, "r1", Delivery("aa", (play,)))
    assert told(warehouse_url) == [("t1", "name:n", "Nova")]
    namesakes = [
        artist("x1", "name:n", "Nova", followers=5),
        artist("x2", "name:n", "NOVA", followers=9),
        artist("x3", "name:o", "Other"),
    ]
    publish(warehouse_url, "c1", namesakes, ("t1", "x2"))
    assert told(warehouse_url) == [("t1", "x2", "NOVA")]
    keys = table(
        warehouse_url, "select artist_key, artist_id, is_inferred from warehouse.dim_artist where artist_key > 0"
    )
    assert [tuple(row.values()) for row in keys] == [(1, "x2", False), (2, "x1", False), (3, "x3", False)]
    # Who comes later under that name is another one, and the name still means the one with the most followers.
    publish(warehouse_url, "c2", [*namesakes, artist("x4", "name:n", "Nova", followers=7)], ("t1", "x2"))
    load_events(warehouse_url, "r2", Delivery("bb", (Told(NOON, "u2", "t9", artist="name:n", artist_name="Nova"),)))
    assert told(warehouse_url) == [("t1", "x2", "NOVA"), ("t9", "x2", "NOVA")]


def test_an_artist_whom_the_catalogue_itself_knows_by_name_alone_stays(warehouse_url: str) -> None:
    made = artist("name:n", "name:n", "Nova")
    publish(warehouse_url, "c1", [made], ("t1", "name:n"))
    publish(warehouse_url, "c2", [made, artist("x1", "name:n", "Nova")], ("t1", "name:n"), ("t2", "x1"))
    found = table(
        warehouse_url, "select artist_key, artist_id from warehouse.dim_artist where artist_key > 0 order by 1"
    )
    assert [tuple(row.values()) for row in found] == [(1, "name:n"), (2, "x1")]
