"""Decisions reach the star with the catalogue, and tracks that only events report follow them, too."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from etl.database import connect, list_match_decisions
from etl.load import load_frames
from tests.load.event_frames import NOON, Delivery, SourcePlay, load_events
from tests.load.star_frames import create_local_frames, make_alias, make_run, make_track, select_rows
from tests.load.test_tracks_of_events import MEANT, X, select_tuples

Decision = tuple[str, str, bool]


def _publish(url: str, run_id: str, *decisions: Decision) -> None:
    """Publish two tracks of a catalogue, of which the second has the name "name:2"."""
    staged = {
        "dim_artist": [X],
        "dim_track": [{**make_track(track_id), "audio_features_type": None} for track_id in ("t1", "t2")],
        "track_alias": [
            *(make_alias("spotify_id", track_id, track_id) for track_id in ("t1", "t2")),
            make_alias("name", "name:2", "t2"),
        ],
        "bridge_track_artist": [{"track_id": row, "artist_id": "x", "position": 1} for row in ("t1", "t2")],
        "match_decision": [
            {"kind": "recording", "first_id": first, "second_id": second, "is_match": is_match}
            for first, second, is_match in decisions
        ],
    }
    load_frames(create_local_frames(staged), make_run(run_id, inputs=()), url)


def _load_events(url: str, user: str) -> None:
    """Load plays of ids that only events report: e1 and e2 of one name, e3 of the name of t2, e4 of another."""
    names = {"e1": "name:1", "e2": "name:1", "e3": "name:2", "e4": "name:4"}
    plays = tuple(
        SourcePlay(NOON + timedelta(hours=hour), user, track_id, name="Song", artist="x")
        for hour, track_id in enumerate(names)
    )
    load_events(url, f"events of {user}", Delivery(user, plays, names=names))


def _recordings(url: str) -> dict[str, str]:
    return {track_id: recording for track_id, _, recording in select_tuples(url, MEANT)}


CASES: dict[str, tuple[list[Decision], dict[str, str]]] = {
    "no decision": ([], {"e1": "e1", "e2": "e1", "e3": "t2", "e4": "e4"}),
    "one with a track of the catalogue": ([("e2", "t1", True)], {"e1": "t1", "e2": "t1", "e3": "t2", "e4": "e4"}),
    "two names are one": ([("e4", "e2", True)], {"e1": "e1", "e2": "e1", "e3": "t2", "e4": "e1"}),
    "not what the name means": ([("e3", "t2", False)], {"e1": "e1", "e2": "e1", "e3": "e3", "e4": "e4"}),
    "not those of the same name": ([("e1", "e2", False)], {"e1": "e1", "e2": "e2", "e3": "t2", "e4": "e4"}),
    "not the one but the other": (
        [("e3", "t2", False), ("e3", "t1", True), ("e4", "e3", True)],
        {"e1": "e1", "e2": "e1", "e3": "t1", "e4": "t1"},
    ),
}


@pytest.mark.parametrize(("decisions", "expected"), CASES.values(), ids=CASES.keys())
def test_tracks_of_events_follow_decisions_whichever_is_loaded_first(
    warehouse_url: str, decisions: list[Decision], expected: dict[str, str]
) -> None:
    catalogue = {"t1": "t1", "t2": "t2"}
    _publish(warehouse_url, "first")
    _load_events(warehouse_url, "u1")
    assert _recordings(warehouse_url) == catalogue | CASES["no decision"][1]
    _publish(warehouse_url, "decided", *decisions)
    assert _recordings(warehouse_url) == catalogue | expected
    with connect(warehouse_url) as connection:
        connection.execute(text("delete from audit.regrouped_track"))
    _load_events(warehouse_url, "u2")
    _publish(warehouse_url, "same", *decisions)
    assert _recordings(warehouse_url) == catalogue | expected
    assert select_rows(warehouse_url, "select from audit.regrouped_track") == [], "no track changes back and forth"
    _publish(warehouse_url, "undone")
    assert _recordings(warehouse_url) == catalogue | CASES["no decision"][1]


def test_changed_decisions_are_news_until_a_catalogue_was_published_with_them(warehouse_url: str) -> None:
    def list_decisions() -> tuple[list[tuple[str, str, str, bool]], bool]:
        with connect(warehouse_url) as connection:
            return list_match_decisions(connection)

    def execute(statement: str) -> None:
        with connect(warehouse_url) as connection:
            connection.execute(text(statement))

    _publish(warehouse_url, "first")
    assert list_decisions() == ([], False)
    execute("select mart.state_match('recording', 't2', 't1')")
    assert list_decisions() == ([("recording", "t2", "t1", True)], True)
    _publish(warehouse_url, "second", ("t2", "t1", True))
    assert list_decisions() == ([("recording", "t2", "t1", True)], False)
    execute("select mart.revoke_decision(1)")
    assert list_decisions() == ([], True)
    execute("select mart.state_difference('recording', 't2', 't1')")
    assert list_decisions() == ([("recording", "t2", "t1", False)], True)
    _publish(warehouse_url, "third", ("t2", "t1", False))
    assert list_decisions()[1] is False
