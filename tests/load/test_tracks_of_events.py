"""Ids and names that turn out to refer to one track become that track, whichever is loaded first."""

from collections.abc import Callable
from datetime import date, timedelta
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import text

from etl.database import make_engine
from etl.load import load_frames, play_matches
from etl.transform.events.play_matching import SOURCES
from launch import postgres
from tests.conftest import copy_database
from tests.load.event_frames import NOON, Delivery, SourcePlay, load_events
from tests.load.star_frames import create_local_frames, make_alias, make_run, make_track, select_rows

MEANT = """
    select t.track_id, m.track_id as merged_into, r.track_id as recording
    from warehouse.dim_track as t
    join warehouse.dim_track as r on r.track_key = t.recording_key
    left join warehouse.dim_track as m on m.track_key = t.merged_into_track_key and m.track_key > 0
    where t.track_key > 0
    order by 1
"""
NAMES = """
    select a.alias_value, t.track_id
    from warehouse.track_alias as a join warehouse.dim_track as t using (track_key)
    where a.alias_kind = 'name'
    order by 1
"""
MEANS_NAME_1 = """
    update warehouse.{0} set {1} = (select track_key from warehouse.dim_track where track_id = 'name:1') where {2}
"""
X = {"artist_id": "x", "made_id": "name:x", "name": "X", "source": "api"}


def select_tuples(url: str, statement: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in select_rows(url, statement)]


def execute(url: str, statement: str) -> None:
    with make_engine(url).begin() as connection:
        connection.execute(text(statement))


def publish_tracks(url: str, run_id: str, tracks: list[dict[str, Any]], *aliases: dict[str, Any]) -> None:
    """Publish a catalogue of tracks of one artist; those with an id get an alias for it."""
    ids = [row["track_id"] for row in tracks]
    staged = {
        "dim_artist": [X],
        "dim_track": [{**row, "audio_features_type": None} for row in tracks],
        "track_alias": [*(make_alias("spotify_id", row, row) for row in ids if not row.startswith("name:")), *aliases],
        "bridge_track_artist": [{"track_id": row, "artist_id": "x", "position": 1} for row in ids],
    }
    load_frames(create_local_frames(staged), make_run(run_id, date(2026, 11, 2), inputs=()), url)


def make_delivery(user: str, track: str, **values: Any) -> Delivery:
    return Delivery(f"{user} {track}", (SourcePlay(NOON, user, track, **values),))


def test_what_means_a_made_id_means_what_that_one_turns_out_to_be(warehouse_url: str) -> None:
    load_events(warehouse_url, "r1", make_delivery("u1", "name:2", name="Song", artist="name:b", artist_name="B"))
    both_tracks = make_track("name:1"), make_track("name:3", recording_id="name:1")
    publish_tracks(
        warehouse_url,
        "c1",
        list(both_tracks),
        *(make_alias("name", name_id, "name:1") for name_id in ("name:1", "name:2")),
        make_alias("name", "name:3", "name:3"),
    )
    assert ("name:2", "name:1", "name:1") in select_tuples(warehouse_url, MEANT)
    # Another file replaces the file with that row, and gives the track an id.
    for run_id in ("c2", "c3"):
        publish_tracks(warehouse_url, run_id, [make_track("t")], make_alias("name", "name:1", "t"))
        assert select_tuples(warehouse_url, MEANT) == [
            ("name:1", "t", "t"),
            ("name:2", "t", "t"),
            ("name:3", None, "t"),
            ("t", None, "t"),
        ]
        assert select_tuples(warehouse_url, NAMES) == [("name:1", "t"), ("name:2", "t"), ("name:3", "name:3")]
        # Simulate the state after an earlier version.
        execute(warehouse_url, MEANS_NAME_1.format("dim_track", "merged_into_track_key", "track_id = 'name:2'"))
        execute(warehouse_url, MEANS_NAME_1.format("track_alias", "track_key", "alias_value = 'name:2'"))


Step = Callable[[str], object]
OF_OLD_ID: Step = lambda url: load_events(url, "old", make_delivery("u1", "old", artist=None))  # noqa: E731
OF_OLD_ID_AGAIN: Step = lambda url: load_events(url, "again", make_delivery("u2", "old", artist="name:x"))  # noqa: E731
LINKED: Step = lambda url: publish_tracks(url, "c", [make_track("new")], make_alias("linked_id", "old", "new"))  # noqa: E731
TRACK_OF_U3 = """
    select t.track_id
    from warehouse.fact_event as e
    join warehouse.dim_user as u using (user_key)
    join warehouse.dim_track as t using (track_key)
    where u.user_id = 'u3'
"""
PLAYED = """
    select u.user_id, r.track_id, a.artist_id
    from warehouse.fact_event as e
    join warehouse.dim_user as u using (user_key)
    join warehouse.dim_track as t using (track_key)
    join warehouse.dim_track as r on r.track_key = t.recording_key
    join warehouse.dim_artist as a on a.artist_key = e.artist_key
    order by 1, 2
"""


def test_an_id_that_is_linked_to_another_means_that_one_whichever_comes_first(
    embedded_server: postgres.Server, migrated_template: str
) -> None:
    for order in permutations((OF_OLD_ID, OF_OLD_ID_AGAIN, LINKED)):
        with copy_database(embedded_server, migrated_template) as url:
            for step in order:
                step(url)
            assert select_tuples(url, PLAYED) == [("u1", "new", "x"), ("u2", "new", "x")], order
            load_events(url, "later", make_delivery("u3", "old"))
            assert select_tuples(url, TRACK_OF_U3) == [("new",)], order


def test_an_id_that_was_linked_means_itself_once_a_source_tells_of_it(warehouse_url: str) -> None:
    for step in (OF_OLD_ID, LINKED):
        step(warehouse_url)
    assert select_tuples(warehouse_url, MEANT) == [("new", None, "new"), ("old", "new", "new")]
    assert select_rows(warehouse_url, "select count(*) as n from audit.changed_track") == [{"n": 1}], "the marts follow"
    for run_id in ("c2", "c3"):
        publish_tracks(
            warehouse_url, run_id, [make_track("new"), make_track("old")], make_alias("linked_id", "old", "new")
        )
        assert select_tuples(warehouse_url, MEANT) == [("new", None, "new"), ("old", None, "old")]
    load_events(warehouse_url, "r2", make_delivery("u2", "old"))
    assert [row[1] for row in select_tuples(warehouse_url, PLAYED)] == ["old", "old"]


def publish_tracks_step(run_id: str, *tracks: dict[str, Any]) -> Step:
    return lambda url: publish_tracks(url, run_id, list(tracks))


def load_plays_step(number: int, track_id: str, source: str) -> Step:
    plays = tuple(
        SourcePlay(NOON + timedelta(days=day, seconds=75 * number), "u1", track_id, 60, source) for day in (0, 3)
    )
    return lambda url: load_events(url, source, Delivery(source, plays))


EXTENDED, RECENT = load_plays_step(0, "a1", "extended_export"), load_plays_step(1, "a2", "recently_played")
ONE_RECORDING = publish_tracks_step("one", make_track("a1"), make_track("a2", recording_id="a1"))
TWO_RECORDINGS = publish_tracks_step("two", make_track("a1"), make_track("a2"))
STANDING = """
    select t.track_id from {0} as e join warehouse.dim_track as t using (track_key) where e.source <> 'feed' order by 1
"""


@pytest.mark.parametrize(
    ("orders", "standing", "dropped"),
    [
        (list(permutations((EXTENDED, RECENT, ONE_RECORDING))), ["a1", "a1"], ["a2", "a2"]),
        (
            [
                (ONE_RECORDING, EXTENDED, RECENT, TWO_RECORDINGS),
                (EXTENDED, ONE_RECORDING, RECENT, TWO_RECORDINGS),
                (ONE_RECORDING, EXTENDED, TWO_RECORDINGS, RECENT),
            ],
            ["a1", "a1", "a2", "a2"],
            [],
        ),
    ],
)
def test_plays_follow_what_is_one_recording_with_the_next_load(
    embedded_server: postgres.Server,
    migrated_template: str,
    orders: list[tuple[Step, ...]],
    standing: list[str],
    dropped: list[str],
) -> None:
    for order in orders:
        with copy_database(embedded_server, migrated_template) as url:
            for step in order:
                step(url)
            load_events(url, "next", make_delivery("u2", "a1"))
            assert [
                track_id for (track_id,) in select_tuples(url, STANDING.format("warehouse.fact_event"))
            ] == standing, order
            assert [
                track_id for (track_id,) in select_tuples(url, STANDING.format("audit.dropped_event"))
            ] == dropped, order
            assert len(select_tuples(url, "select from audit.event_match")) == len(dropped), order
            assert select_tuples(url, "select from audit.regrouped_track") == [], order


def test_who_tells_of_real_plays_is_noted_and_feeds_are_not_read(warehouse_url: str) -> None:
    for step in (EXTENDED, RECENT, ONE_RECORDING):
        step(warehouse_url)
    load_events(warehouse_url, "feed", Delivery("feed", (SourcePlay(NOON, "u1", "a1"), SourcePlay(NOON, "u2", "a2"))))
    sources = "select user_id, source from audit.play_source order by 2"
    assert select_tuples(warehouse_url, sources) == [("u1", "extended_export"), ("u1", "recently_played")]
    with make_engine(warehouse_url).connect() as connection:
        assert play_matches.list_matchable_plays(connection, SOURCES) == []
        connection.execute(text("insert into audit.regrouped_track select track_key from warehouse.dim_track"))
        assert len(play_matches.list_matchable_plays(connection, SOURCES)) == 4
        connection.execute(text("delete from audit.play_source where source = 'recently_played'"))
        assert play_matches.list_matchable_plays(connection, SOURCES) == []


RECORDINGS = """
    select t.track_id, r.track_id as recording
    from warehouse.dim_track as t
    join warehouse.dim_track as r on r.track_key = t.recording_key
    where t.track_key > 0
    order by 1
"""


def load_names_step(run_id: str, *tracks: tuple[str, str]) -> Step:
    """Return a load whose events identify tracks by an id and by a name."""
    plays = tuple(SourcePlay(NOON, f"u{number}", track) for number, (track, _) in enumerate(tracks))
    return lambda url: load_events(url, run_id, Delivery(run_id, plays, names=dict(tracks)))


def test_ids_of_one_name_that_events_alone_know_are_one_recording(warehouse_url: str) -> None:
    for step, recordings in (
        (load_names_step("r1", ("b", "name:1")), [("b", "b")]),
        (load_names_step("r2", ("a", "name:1"), ("z", "name:2")), [("a", "b"), ("b", "b"), ("z", "z")]),
        # Of two names the smaller counts; the other becomes a separate recording.
        (load_names_step("r3", ("b", "name:0"), ("y", "name:0")), [("a", "a"), ("b", "b"), ("y", "b"), ("z", "z")]),
        # The catalogue has one of them, and then the track of the name.
        (publish_tracks_step("c1", make_track("z")), [("a", "a"), ("b", "b"), ("y", "b"), ("z", "z")]),
        (
            lambda url: publish_tracks(url, "c2", [make_track("x")], make_alias("name", "name:0", "x")),
            [("a", "a"), ("b", "x"), ("x", "x"), ("y", "x"), ("z", "z")],
        ),
    ):
        step(warehouse_url)
        assert select_tuples(warehouse_url, RECORDINGS) == recordings
