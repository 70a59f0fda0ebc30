"""The members that events refer to: each is inserted once, in any order of events, and events find their keys."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import pyarrow as pa
from pyspark.sql.pandas.types import to_arrow_schema
from sqlalchemy import text

from etl.database import make_engine, read_sql
from etl.formats.contracts import EVENTS
from etl.load.event_load import EventLoad, open_event_load
from launch import postgres
from tests.conftest import copy_database
from tests.load.event_frames import Delivery, make_event_run
from tests.load.star_frames import select_rows

NAME_ONLY = {
    "track_id": None,
    "made_track": "name:t",
    "made_artist": "name:a",
    "track_name": "Song",
    "artist_name": "Nova",
}


def make_event_name(track_id: str | None = "t1", **values: Any) -> dict[str, Any]:
    return {"name_set": "things", "source": "feed", "track_id": track_id, "row_count": 1, **values}


@contextmanager
def load_names(url: str, run_id: str, *named: dict[str, Any]) -> Iterator[EventLoad]:
    """Open a load of events with these members, and publish the members."""
    rows = pa.Table.from_pylist(list(named), to_arrow_schema(EVENTS["event_named"]))
    with open_event_load(make_event_run(run_id, [Delivery(run_id)]), url) as load:
        assert load is not None
        load.stage_dimension_members({"event_named": rows})
        load.publish_dimension_members()
        yield load


def publish_names(url: str, run_id: str, *rows: dict[str, Any]) -> None:
    with load_names(url, run_id, *rows):
        pass


def insert_tracks(url: str, *tracks: dict[str, Any]) -> None:
    """Insert tracks of the catalogue, each with the key ``track_key`` and the alias of its id."""
    with make_engine(url).begin() as connection:
        for row in tracks:
            connection.execute(
                text(
                    "insert into warehouse.dim_track (track_key, recording_key, album_key, track_id, name, source)"
                    " values (:track_key, :recording_key, -1, :track_id, :name, 's')"
                ),
                {"recording_key": row["track_key"], **row},
            )
            insert_alias(connection, "spotify_id", row["track_id"], row["track_key"])


def insert_alias(connection: Any, kind: str, value: str, track_key: int) -> None:
    statement = "insert into warehouse.track_alias (alias_kind, alias_value, track_key, method, score)"
    values = {"kind": kind, "value": value, "track_key": track_key}
    connection.execute(text(f"{statement} values (:kind, :value, :track_key, 'id', 1)"), values)


def execute(url: str, statement: str) -> None:
    with make_engine(url).begin() as connection:
        connection.execute(text(statement))


def select_tuples(url: str, statement: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in select_rows(url, statement)]


TRACKS = (
    "select track_key, recording_key, track_id, name, source, is_inferred from warehouse.dim_track where track_key > 0"
)
ARTISTS = (
    "select artist_key, artist_id, name, source, is_inferred from warehouse.dim_artist where artist_key > 0 order by 1"
)
ALIASES = "select alias_kind, alias_value, track_key, method, score from warehouse.track_alias order by 1, 2, 3"
CREDITS = """
    select t.track_id, a.artist_id, b.position
    from warehouse.bridge_track_artist as b
    join warehouse.dim_track as t using (track_key)
    join warehouse.dim_artist as a using (artist_key)
    order by 1, 2
"""
MERGED = """
    select t.track_id, m.track_id as merged_into, t.recording_key
    from warehouse.dim_track as t
    left join warehouse.dim_track as m on m.track_key = t.merged_into_track_key and m.track_key > 0
    where t.track_key > 0
    order by 1
"""


def test_each_member_is_staged_once_with_what_says_most(warehouse_url: str) -> None:
    rows = (
        *({"name_set": "users", "user_id": "u1", "source": source} for source in ("feed", "basic_export")),
        {"name_set": "playlists", "playlist_id": "p1", "source": "feed"},
        {"name_set": "playlists", "playlist_id": "p1", "source": "api"},
        {"name_set": "playlists", "source": "feed"},
        {"name_set": "contexts", "platform": "ios", "subscription_plan": "free", "is_shuffle": True},
        *({"name_set": "months", "input_id": "i1", "row_count": count, "is_spoken": count == 3} for count in (2, 3)),
        {"name_set": "months", "input_id": "i2", "row_count": 7, "is_spoken": False},
        # A row with a name wins over a row without one, then a row with an artist, then the smaller name.
        make_event_name("t1", artist_id="a1", source="a"),
        make_event_name("t1", track_name="B", source="z", made_track="name:b"),
        make_event_name("t1", track_name="B", artist_id="a2", artist_name="Z", source="z", made_track="name:b"),
        make_event_name("t1", track_name="B", artist_id="a2", artist_name="Z", source="y"),
        make_event_name("t1", track_name="C", artist_id="a1", artist_name=None, source="a"),
        make_event_name("t1", track_name="D", artist_id="a2", artist_name="Y", source="b"),
        make_event_name("t2", track_name="A", source="a"),
        make_event_name("t2", track_name="Z", artist_id="a1", source="z"),
        make_event_name("t3", made_track="name:x", source="a"),
        make_event_name("t3", source="b"),
        make_event_name(**NAME_ONLY, source="basic_export"),
        make_event_name(None, artist_id="a2", artist_name="Y", source="a"),
        make_event_name(None, artist_id="a2", source="0"),
        make_event_name(None, source="feed"),
    )
    with load_names(warehouse_url, "r1", *rows) as load:
        staged = {
            name: [tuple(row) for row in load.connection.execute(text(f"select * from staging.{name} order by 1"))]
            for name in ("event_user", "event_artist", "event_track", "event_playlist", "event_context", "event_count")
        }
    assert staged["event_user"] == [("u1", "basic_export")]
    assert staged["event_artist"] == [
        ("a1", None, "a"),
        ("a2", "Y", "a"),
        ("name:a", "Nova", "basic_export"),
    ]
    assert staged["event_track"] == [
        ("name:t", "Song", "name:a", "basic_export"),
        ("t1", "B", "a2", "y"),
        ("t2", "Z", "a1", "z"),
        ("t3", None, None, "a"),
    ]
    assert staged["event_playlist"] == [("p1", "api")]
    assert staged["event_context"] == [("ios", None, None, True, None, None, "free")]
    assert staged["event_count"] == [("i1", 5, 0), ("i2", 7, 0)]


def test_new_artists_and_tracks_get_the_next_keys_in_the_order_of_ids(warehouse_url: str) -> None:
    rows = (
        make_event_name("t2", artist_id="a2"),
        make_event_name("t1", artist_id="a1", artist_name="Other"),
        make_event_name(**NAME_ONLY),
    )
    publish_names(warehouse_url, "r1", *rows)
    artists = [(1, "a1", "Other", "feed", True), (2, "a2", None, "feed", True)]
    inferred = [(3, "name:a", "Nova", "feed", True)]
    assert select_tuples(warehouse_url, ARTISTS) == artists + inferred
    assert sorted(select_tuples(warehouse_url, TRACKS)) == [
        (1, 1, "name:t", "Song", "feed", True),
        (2, 2, "t1", None, "feed", True),
        (3, 3, "t2", None, "feed", True),
    ]
    assert select_tuples(warehouse_url, ALIASES) == [
        ("name", "name:t", 1, "event", 1.0),
        ("spotify_id", "t1", 2, "event", 1.0),
        ("spotify_id", "t2", 3, "event", 1.0),
    ]
    assert select_tuples(warehouse_url, CREDITS) == [("name:t", "name:a", 1), ("t1", "a1", 1), ("t2", "a2", 1)]
    publish_names(warehouse_url, "r2", *rows, make_event_name("t0", artist_id="a0"))
    assert select_tuples(warehouse_url, ARTISTS) == [*artists, *inferred, (4, "a0", None, "feed", True)]
    assert sorted(select_tuples(warehouse_url, TRACKS))[3:] == [(4, 4, "t0", None, "feed", True)]
    assert len(select_tuples(warehouse_url, ALIASES)) == 4


def test_of_two_names_the_smaller_stays_and_the_catalogue_is_left_alone(warehouse_url: str) -> None:
    insert_tracks(warehouse_url, {"track_key": 7, "track_id": "c1", "name": "Z of the catalogue"})
    execute(
        warehouse_url,
        "insert into warehouse.dim_artist (artist_key, artist_id, name, source)"
        " values (5, 'ca', 'Z of the catalogue', 's')",
    )
    sources = [
        ("M", "Mm", "m"),
        (None, None, "a"),
        ("N", "Nn", "a"),
        ("K", "Kk", "z"),
        ("K", "Kk", "b"),
        ("K", "Kk", "c"),
    ]
    expected = [
        ("M", "Mm", "m"),
        ("M", "Mm", "m"),
        ("M", "Mm", "m"),
        ("K", "Kk", "z"),
        ("K", "Kk", "b"),
        ("K", "Kk", "b"),
    ]
    for number, (track, artist, source) in enumerate(sources):
        name_row = {"track_name": track, "artist_name": artist, "source": source}
        other_row = {"track_name": "Other", "artist_name": "Other", "source": "feed"}
        rows = (
            make_event_name("t1", artist_id="a1", **name_row),
            make_event_name("t2", artist_id="a2", **other_row),
            make_event_name("c1", artist_id="ca", **name_row),
        )
        publish_names(warehouse_url, f"r{number}", *rows)
        tracks = {row[2]: row[3:] for row in select_tuples(warehouse_url, TRACKS)}
        artists = {row[1]: row[2:] for row in select_tuples(warehouse_url, ARTISTS)}
        expected_row = expected[number]
        assert tracks == {
            "t1": (expected_row[0], expected_row[2], True),
            "t2": ("Other", "feed", True),
            "c1": ("Z of the catalogue", "s", False),
        }
        assert artists == {
            "a1": (expected_row[1], expected_row[2], True),
            "a2": ("Other", "feed", True),
            "ca": ("Z of the catalogue", "s", False),
        }
    assert ("c1", "ca", 1) not in select_tuples(warehouse_url, CREDITS)


def test_who_says_no_name_changes_nothing(warehouse_url: str) -> None:
    for number, source in enumerate("ma"):
        publish_names(warehouse_url, f"r{number}", make_event_name("t1", artist_id="a1", source=source))
    assert select_tuples(warehouse_url, ARTISTS) == [(1, "a1", None, "m", True)]
    assert select_tuples(warehouse_url, TRACKS) == [(1, 1, "t1", None, "m", True)]


def test_an_artist_that_is_found_by_name_keeps_the_name_that_is_said_with_its_id(warehouse_url: str) -> None:
    publish_names(warehouse_url, "r1", make_event_name("t1", artist_id="x1", artist_name="nova"))
    publish_names(warehouse_url, "r2", make_event_name(**{**NAME_ONLY, "artist_name": "NOVA"}))
    assert select_tuples(warehouse_url, ARTISTS) == [(1, "x1", "nova", "feed", True)]


def test_a_track_has_the_first_artist_that_an_event_says(warehouse_url: str) -> None:
    publish_names(warehouse_url, "r1", make_event_name("t1"), make_event_name("t2", artist_id="a2"))
    assert select_tuples(warehouse_url, CREDITS) == [("t2", "a2", 1)]
    publish_names(warehouse_url, "r2", make_event_name("t1", artist_id="a1"), make_event_name("t2", artist_id="a3"))
    assert select_tuples(warehouse_url, CREDITS) == [("t1", "a1", 1), ("t2", "a2", 1)]


def test_an_artist_without_an_id_is_the_known_one_of_that_folded_name_with_the_most_followers(
    warehouse_url: str,
) -> None:
    execute(
        warehouse_url,
        """
        insert into warehouse.dim_artist (artist_key, artist_id, made_id, name, followers, source) values
            (3, 'b1', 'name:a', 'The Nova', null, 's'), (4, 'b2', 'name:a', 'Nova', 10, 's'),
            (5, 'b3', 'name:a', 'Nóva', 60, 's'), (6, 'b4', 'name:a', 'Nova', 60, 's'),
            (7, 'b5', 'name:o', 'Nova', 90, 's'), (8, 'b6', null, 'NOVA', 90, 's'), (9, 'b7', null, 'other', 1, 's')
        """,
    )
    other_row = {**NAME_ONLY, "made_track": "name:u", "made_artist": "name:x", "artist_name": "Other"}
    rows = (
        make_event_name(**NAME_ONLY),
        make_event_name(**other_row),
        make_event_name("t1", artist_id="x1", artist_name="Nova"),
    )
    with load_names(warehouse_url, "r1", *rows) as load:
        keys = {row["artist_id"]: row["artist_key"] for row in load.fetch_dimension_keys()["artist"].to_pylist()}
    assert keys == {"name:a": 5, "name:x": 9, "x1": 10}
    assert ("name:t", "b3", 1) in select_tuples(warehouse_url, CREDITS)
    assert [row[1] for row in select_tuples(warehouse_url, ARTISTS)] == ["b1", "b2", "b3", "b4", "b5", "b6", "b7", "x1"]


NAMED_BY_EXPORTS = {"made_artist": "name:a", "artist_name": "Nova", "source": "extended_export"}


def test_a_track_that_nobody_knows_yet_has_the_artist_whose_name_an_event_says(warehouse_url: str) -> None:
    insert_tracks(warehouse_url, {"track_key": 7, "track_id": "c1", "name": "Known"})
    execute(
        warehouse_url,
        "insert into warehouse.dim_artist (artist_key, artist_id, name, source) values (5, 'ca', 'Nova Band', 's')",
    )
    execute(warehouse_url, "insert into warehouse.bridge_track_artist values (7, 5, 1)")
    publish_names(warehouse_url, "r1", make_event_name("c1", **NAMED_BY_EXPORTS))
    assert [row[1] for row in select_tuples(warehouse_url, ARTISTS)] == ["ca"]
    rows = (
        make_event_name("t1", **NAMED_BY_EXPORTS),
        make_event_name("t2", **NAMED_BY_EXPORTS),
        make_event_name("t2", artist_id="x1"),
    )
    with load_names(warehouse_url, "r2", *rows) as load:
        first = {row["track_id"]: row["first_artist_key"] for row in load.fetch_dimension_keys()["track"].to_pylist()}
    assert select_tuples(warehouse_url, CREDITS) == [("c1", "ca", 1), ("t1", "name:a", 1), ("t2", "x1", 1)]
    assert select_tuples(warehouse_url, ARTISTS)[1:] == [
        (6, "x1", None, "feed", True),
        (7, "name:a", "Nova", "extended_export", True),
    ]
    assert first == {"t1": 7, "t2": 6}


def test_who_names_the_artist_of_a_track_by_an_id_says_nothing_of_another_track(warehouse_url: str) -> None:
    publish_names(warehouse_url, "r1", *(make_event_name(name, **NAMED_BY_EXPORTS) for name in ("t1", "t2")))
    publish_names(warehouse_url, "r2", make_event_name("t1", artist_id="x1", artist_name="Nova and the Others"))
    assert select_tuples(warehouse_url, CREDITS) == [("t1", "x1", 1), ("t2", "name:a", 1)]


def test_a_name_means_an_artist_whom_the_same_load_names_by_an_id(warehouse_url: str) -> None:
    rows = (
        make_event_name(**NAME_ONLY),
        make_event_name("t1", artist_id="x1", artist_name="nova"),
        make_event_name("t2", **NAMED_BY_EXPORTS),
    )
    publish_names(warehouse_url, "r1", *rows)
    assert select_tuples(warehouse_url, CREDITS) == [("name:t", "x1", 1), ("t1", "x1", 1), ("t2", "x1", 1)]
    assert [row[1] for row in select_tuples(warehouse_url, ARTISTS)] == ["x1"]


def test_a_name_that_an_event_gives_an_id_means_that_track_from_then_on(warehouse_url: str) -> None:
    other_row = {
        "track_id": None,
        "made_track": "name:o",
        "made_artist": "name:a",
        "track_name": "O",
        "artist_name": "Nova",
    }
    publish_names(warehouse_url, "r1", make_event_name(**NAME_ONLY), make_event_name(**other_row))
    insert_tracks(warehouse_url, {"track_key": 70, "track_id": "c1", "name": "Song", "recording_key": 70})
    execute(warehouse_url, "update warehouse.dim_track set recording_key = 1 where track_id = 'c1'")
    assert select_tuples(warehouse_url, MERGED) == [("c1", None, 1), ("name:o", None, 1), ("name:t", None, 2)]
    both_names = make_event_name("c1", track_name="Song", made_track="name:t", artist_name="Nova", artist_id="a1")
    fresh = make_event_name("t9", track_name="New", made_track="name:n", artist_name="Nova", artist_id="a1")
    publish_names(warehouse_url, "r2", both_names, fresh)
    new = next(row[0] for row in select_tuples(warehouse_url, TRACKS) if row[2] == "t9")
    assert select_tuples(warehouse_url, ALIASES) == [
        ("name", "name:n", new, "event", 1.0),
        ("name", "name:o", 1, "event", 1.0),
        ("name", "name:t", 70, "event", 1.0),
        ("spotify_id", "c1", 70, "id", 1.0),
        ("spotify_id", "t9", new, "event", 1.0),
    ]
    # Its recording is that of the track that it refers to.
    assert select_tuples(warehouse_url, MERGED) == [
        ("c1", None, 1),
        ("name:o", None, 1),
        ("name:t", "c1", 1),
        ("t9", None, new),
    ]


NAMES = """
    select a.alias_value, t.track_id
    from warehouse.track_alias as a join warehouse.dim_track as t using (track_key)
    where a.alias_kind = 'name'
    order by 1
"""


def test_of_several_ids_that_events_give_a_name_the_smallest_wins_whichever_comes_first(
    embedded_server: postgres.Server, migrated_template: str
) -> None:
    id_rows = (make_event_name(track_id, track_name="Song", made_track="name:t") for track_id in ("c1", "t2", "old"))
    rows = (*id_rows, make_event_name(**NAME_ONLY))
    apart = ([[row] for row in order] for order in permutations(rows))
    for loads in ([rows], *apart):
        with copy_database(embedded_server, migrated_template) as url:
            insert_tracks(
                url,
                {"track_key": 70, "track_id": "b1", "name": "One"},
                {"track_key": 60, "track_id": "c1", "name": "Two"},
            )
            with make_engine(url).begin() as connection:
                insert_alias(connection, "linked_id", "old", 70)
                insert_alias(connection, "linked_id", "c1", 70)
            for number, load in enumerate(loads):
                publish_names(url, f"r{number}", *load)
            assert select_tuples(url, NAMES) == [("name:t", "b1")], loads
            assert [row for row in select_tuples(url, MERGED) if row[1]] in ([], [("name:t", "b1", 70)]), loads


def test_each_name_that_events_give_an_id_means_it_in_one_load_or_in_several(
    embedded_server: postgres.Server, migrated_template: str
) -> None:
    songs = [
        make_event_name("t1", track_name=name, made_track=name_id)
        for name, name_id in (("Song", "name:t"), ("Song II", "name:u"))
    ]
    nameless = make_event_name("t1", source="z")
    for loads in ([[*songs, nameless]], [songs[:1], songs[1:]], [[nameless], songs[::-1]]):
        with copy_database(embedded_server, migrated_template) as url:
            for number, rows in enumerate(loads):
                publish_names(url, f"r{number}", *rows)
            assert select_tuples(url, NAMES) == [("name:t", "t1"), ("name:u", "t1")], loads


def test_a_name_of_the_catalogue_stays_what_the_catalogue_says(warehouse_url: str) -> None:
    insert_tracks(
        warehouse_url,
        {"track_key": 70, "track_id": "c1", "name": "Song"},
        {"track_key": 80, "track_id": "c2", "name": "Song"},
    )
    with make_engine(warehouse_url).begin() as connection:
        insert_alias(connection, "name", "name:t", 80)
    with load_names(
        warehouse_url, "r1", make_event_name("c1", track_name="Song", made_track="name:t"), make_event_name(**NAME_ONLY)
    ) as load:
        keys = {row["track_id"]: row["track_key"] for row in load.fetch_dimension_keys()["track"].to_pylist()}
    assert keys == {"c1": 70, "name:t": 80}
    assert [row[2] for row in select_tuples(warehouse_url, ALIASES) if row[0] == "name"] == [80]
    assert {row[2] for row in select_tuples(warehouse_url, TRACKS)} == {"c1", "c2"}


def test_a_made_id_that_is_a_track_of_the_catalogue_stays_itself(warehouse_url: str) -> None:
    insert_tracks(
        warehouse_url,
        {"track_key": 70, "track_id": "name:t", "name": "Song"},
        {"track_key": 80, "track_id": "c1", "name": "Song"},
    )
    with make_engine(warehouse_url).begin() as connection:
        insert_alias(connection, "name", "name:t", 70)
    publish_names(warehouse_url, "r1", make_event_name("c1", track_name="Song", made_track="name:t"))
    assert select_tuples(warehouse_url, MERGED) == [("c1", None, 80), ("name:t", None, 70)]


def test_events_find_keys_by_id_by_name_and_by_a_linked_id(warehouse_url: str) -> None:
    insert_tracks(
        warehouse_url,
        {"track_key": 70, "track_id": "c1", "name": "One"},
        {"track_key": 80, "track_id": "c2", "name": "Two"},
    )
    execute(
        warehouse_url,
        """
        insert into warehouse.dim_artist (artist_key, artist_id, name, source)
        values (5, 'b1', 'X', 's'), (4, 'b2', 'Y', 's');
        insert into warehouse.bridge_track_artist (track_key, artist_key, position) values (70, 5, 1), (70, 4, 2)
        """,
    )
    with make_engine(warehouse_url).begin() as connection:
        insert_alias(connection, "linked_id", "old", 70)
        insert_alias(connection, "linked_id", "c2", 70)  # also a track itself, so it refers to itself
        insert_alias(connection, "isrc", "c2", 70)
        insert_alias(connection, "isrc", "new", 70)
    rows = (
        make_event_name("old"),
        make_event_name("c1"),
        make_event_name("c2"),
        make_event_name("new"),
        make_event_name(**NAME_ONLY),
    )
    with load_names(warehouse_url, "r1", *rows) as load:
        tracks = {row["track_id"]: tuple(row.values())[1:] for row in load.fetch_dimension_keys()["track"].to_pylist()}
        assert load.fetch_dimension_keys()["track"].num_rows == 5
    name_track, new = tracks.pop("name:t"), tracks.pop("new")
    assert tracks == {"c1": (70, 5), "c2": (80, -1), "old": (70, 5)}
    assert (name_track[0], new) == (81, (82, -1))
    assert name_track[1] == 6


def test_made_ids_are_looked_up_by_name(warehouse_url: str) -> None:
    rows = (
        make_event_name(**NAME_ONLY),
        make_event_name(**{**NAME_ONLY, "source": "basic_export"}),
        make_event_name(**{**NAME_ONLY, "made_artist": None, "artist_id": "a1"}),
        make_event_name(None, artist_name="Lux", made_artist="name:l"),
        make_event_name("t1", track_name="By id", artist_name="Nova", made_track="name:i"),
        make_event_name(None, track_name="Nothing"),
    )
    with load_names(warehouse_url, "r1", *rows) as load:
        ids = load.fetch_dimension_keys()["name_derived_id"].to_pylist()
    found_ids = {tuple(row[name] for name in ("track_name", "artist_name", "made_track", "made_artist")) for row in ids}
    assert found_ids == {("Song", "Nova", "name:t", "name:a"), (None, "Lux", None, "name:l")}
    assert len(ids) == 2


def test_users_are_looked_up_with_ends_that_every_clock_can_tell(warehouse_url: str) -> None:
    moved = datetime(2026, 11, 1, tzinfo=UTC)
    publish_names(warehouse_url, "r0", {"name_set": "users", "user_id": "u9", "source": "feed"})
    publish_names(warehouse_url, "r1", {"name_set": "users", "user_id": "u1", "source": "feed"})
    execute(
        warehouse_url,
        f"""
        update warehouse.dim_user set valid_to = '{moved.isoformat()}' where user_id = 'u1';
        insert into warehouse.dim_user (user_key, user_id, valid_from, valid_to, source, timezone)
        values (50, 'u1', '{moved.isoformat()}', 'infinity', 's', 'Asia/Tokyo')
        """,
    )
    with load_names(warehouse_url, "r2", {"name_set": "users", "user_id": "u1", "source": "feed"}) as load:
        users = load.fetch_dimension_keys()["user"].to_pylist()
    first, last = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
    versions = [(row["user_id"], row["valid_from"], row["valid_to"], row["home_timezone"]) for row in users]
    assert sorted(versions) == [("u1", first, moved, None), ("u1", moved, last, "Asia/Tokyo")]


def make_context(**values: Any) -> dict[str, Any]:
    return {"name_set": "contexts", **values}


def test_a_context_is_known_by_all_its_columns_and_those_of_others_are_not_looked_up(warehouse_url: str) -> None:
    first = (
        make_context(),
        make_context(platform="ios"),
        make_context(platform="ios", is_shuffle=False),
        make_context(is_offline=True),
    )
    publish_names(warehouse_url, "r1", *first)
    rows = (*first[:2], make_context(platform="ios", is_shuffle=True), make_context(platform="Not applicable"))
    with load_names(warehouse_url, "r2", *rows) as load:
        keys = (
            load.fetch_dimension_keys()["context"]
            .select(["platform", "is_shuffle", "is_offline", "context_key"])
            .to_pylist()
        )
    assert sorted(map(str, (tuple(row.values()) for row in keys))) == [
        "('Not applicable', None, None, None)",
        "('ios', None, None, 2)",
        "('ios', True, None, 5)",
        "(None, None, None, 4)",
    ]
    assert len(select_tuples(warehouse_url, "select from warehouse.dim_play_context where context_key > 0")) == 5


def test_the_contexts_of_years_are_not_compared_one_by_one(warehouse_url: str) -> None:
    execute(
        warehouse_url,
        """
        insert into warehouse.dim_play_context select g, 'app ' || g from generate_series(1, 20000) as g;
        insert into staging.event_context select 'app ' || g from generate_series(19001, 20500) as g;
        analyze warehouse.dim_play_context;
        analyze staging.event_context
        """,
    )
    for name in ("merge/dim_play_context", "queries/lookup/context"):
        plan = select_tuples(warehouse_url, "explain " + read_sql(name))
        assert not [line for (line,) in plan if "Nested Loop" in line], name
