"""Events with an unknown artist get the right one as soon as a source names it, in any order of loads."""

import hashlib
import random
import string
from collections.abc import Callable
from datetime import date
from itertools import permutations
from typing import Any

import pytest

from etl.formats.contracts import STAGED
from etl.load import load_frames
from launch import postgres
from tests.conftest import copy_database
from tests.load.event_frames import NOON, Delivery, SourcePlay, load_events
from tests.load.star_frames import Rows, create_local_frames, make_run, make_track, select_rows

EVENTS = """
    select t.track_id, a.artist_id, a.name
    from warehouse.fact_event as e
    join warehouse.dim_track as t using (track_key)
    join warehouse.dim_artist as a on a.artist_key = e.artist_key
    order by 1
"""


def make_artist(artist_id: str, name_id: str, name: str, **values: Any) -> dict[str, Any]:
    return {"artist_id": artist_id, "made_id": name_id, "name": name, "source": "api", **values}


def publish_catalogue(
    url: str, run_id: str, artists: list[dict[str, Any]], *credits: tuple[str, str], names: dict[str, str] | None = None
) -> None:
    """Publish artists and tracks, each track with its first artist; ``names`` maps name-derived ids to artist ids."""
    staged: Rows = {
        "dim_artist": artists,
        "dim_track": [make_track(name, audio_features_type=None) for name, _ in credits],
        "track_alias": [
            {"alias_kind": kind, "alias_value": value, "track_id": name, "method": "id", "score": 1.0}
            for kind, meant in (("spotify_id", {name: name for name, _ in credits}), ("name", names or {}))
            for value, name in meant.items()
        ],
        "bridge_track_artist": [
            {"track_id": name, "artist_id": artist_id, "position": 1} for name, artist_id in credits
        ],
    }
    assert set(staged) <= set(STAGED)
    load_frames(create_local_frames(staged), make_run(run_id, date(2026, 11, 2), inputs=()), url)


def list_name_matched_tracks(url: str) -> list[str]:
    query = "select track_id from audit.name_matched_artist join warehouse.dim_track using (track_key) order by 1"
    return [row["track_id"] for row in select_rows(url, query)]


def fetch_event_artists(url: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in select_rows(url, EVENTS)]


def test_events_of_a_track_that_nobody_has_credited_get_its_artist_once_it_is_known(warehouse_url: str) -> None:
    plays = (SourcePlay(NOON, track="t1", artist=None), SourcePlay(NOON, "u2", "t2", artist=None))
    load_events(warehouse_url, "r1", Delivery("aa", plays))
    assert fetch_event_artists(warehouse_url) == [("t1", "unknown", "Unknown"), ("t2", "unknown", "Unknown")]
    publish_catalogue(warehouse_url, "c1", [make_artist("x1", "name:x", "X")], ("t1", "x1"))
    assert fetch_event_artists(warehouse_url) == [("t1", "x1", "X"), ("t2", "unknown", "Unknown")]
    changed = select_rows(
        warehouse_url, "select user_id, local_date from audit.changed_day join mart.listener using (listener_key)"
    )
    assert changed == [{"user_id": "u1", "local_date": NOON.date()}], "the marts follow"
    # An event may name the artist as well as a catalogue.
    load_events(warehouse_url, "r2", Delivery("bb", (SourcePlay(NOON, "u3", "t2", artist="y1", artist_name="Y"),)))
    assert fetch_event_artists(warehouse_url) == [("t1", "x1", "X"), ("t2", "y1", "Y"), ("t2", "y1", "Y")]
    assert list_name_matched_tracks(warehouse_url) == ["t2"], "a catalogue may know better than an event"
    publish_catalogue(warehouse_url, "c2", [make_artist("z1", "name:z", "Z")], ("t2", "z1"))
    assert (
        fetch_event_artists(warehouse_url)[1:] == [("t2", "z1", "Z"), ("t2", "z1", "Z")]
        and list_name_matched_tracks(warehouse_url) == []
    )


NAMED = {"artist": "name:n", "artist_name": "Nova"}
NAMESAKES = [
    make_artist("x1", "name:n", "Nova", followers=5),
    make_artist("x2", "name:n", "NOVA", followers=9),
    make_artist("x3", "name:o", "Other"),
]


def make_delivery(user: str, track: str, **values: Any) -> Delivery:
    return Delivery(f"{user} {track}", (SourcePlay(NOON, user, track, **values),))


Step = Callable[[str], object]
SAYS_NAME: Step = lambda url: load_events(url, "says a name", make_delivery("u1", "t1", **NAMED))  # noqa: E731
SAYS_ID: Step = lambda url: load_events(url, "says an id", make_delivery("u2", "t1", artist="x1", artist_name="Nova"))  # noqa: E731
SAYS_ANOTHER_TRACK: Step = lambda url: load_events(  # noqa: E731
    url, "other", make_delivery("u3", "t2", artist="x1", artist_name="Nova")
)
NAMESAKES_COME: Step = lambda url: publish_catalogue(url, "namesakes", NAMESAKES, ("t9", "x2"))  # noqa: E731
CREDITED: Step = lambda url: publish_catalogue(url, "credits", NAMESAKES, ("t1", "x3"))  # noqa: E731


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ((SAYS_NAME,), {"t1": {"name:n"}}),
        # Another event gives an artist of that name with an id, for the same track or for another one.
        ((SAYS_NAME, SAYS_ID), {"t1": {"x1"}}),
        ((SAYS_NAME, SAYS_ANOTHER_TRACK), {"t1": {"x1"}, "t2": {"x1"}}),
        # The catalogue has artists of that name: the one with the most followers is chosen.
        ((SAYS_NAME, NAMESAKES_COME), {"t1": {"x2"}}),
        # The catalogue has the track: its artist applies, regardless of its events.
        ((SAYS_NAME, CREDITED), {"t1": {"x3"}}),
        ((SAYS_NAME, NAMESAKES_COME, CREDITED), {"t1": {"x3"}}),
        ((SAYS_NAME, SAYS_ANOTHER_TRACK, CREDITED), {"t1": {"x3"}, "t2": {"x1"}}),
    ],
)
def test_whatever_comes_first_events_have_the_artist_whom_all_together_mean(
    embedded_server: postgres.Server,
    migrated_template: str,
    steps: tuple[Step, ...],
    expected: dict[str, set[str]],
) -> None:
    for order in permutations(steps):
        with copy_database(embedded_server, migrated_template) as url:
            for step in order:
                step(url)
            artists_by_track: dict[str, set[str]] = {}
            for track_id, artist_id, _ in fetch_event_artists(url):
                artists_by_track.setdefault(track_id, set()).add(artist_id)
        assert artists_by_track == expected, order


def test_a_play_that_another_source_tells_better_gets_its_artist_too(warehouse_url: str) -> None:
    """Check a dropped event: otherwise it would return with the former artist if the better report were erased."""
    sources = ("extended_export", "basic_export")
    for name, values in (("t1", NAMED), ("t2", {"artist": "x3", "artist_name": "Other"})):
        plays = tuple(SourcePlay(NOON, "u1", name, source=source, **values) for source in sources)
        load_events(warehouse_url, f"r {name}", Delivery(f"aa {name}", plays))
    dropped = EVENTS.replace("warehouse.fact_event", "audit.dropped_event")
    read = lambda: [tuple(row.values())[:2] for row in select_rows(warehouse_url, dropped)]  # noqa: E731
    assert read() == [("t1", "name:n"), ("t2", "x3")]
    publish_catalogue(warehouse_url, "credits", NAMESAKES, ("t1", "x1"), ("t2", "x2"))
    assert read() == [("t1", "x1"), ("t2", "x3")], "an event that names its artist by an id keeps it"
    assert [row[:2] for row in fetch_event_artists(warehouse_url)] == read()


def test_an_artist_whom_the_catalogue_itself_knows_by_name_alone_stays(warehouse_url: str) -> None:
    nova = make_artist("name:n", "name:n", "Nova")
    publish_catalogue(warehouse_url, "c1", [nova], ("t1", "name:n"))
    load_events(warehouse_url, "r1", make_delivery("u1", "t5", **NAMED))
    assert fetch_event_artists(warehouse_url) == [("t5", "name:n", "Nova")]
    publish_catalogue(warehouse_url, "c2", [nova, make_artist("x1", "name:n", "Nova")], ("t1", "name:n"), ("t2", "x1"))
    rows = select_rows(
        warehouse_url, "select artist_key, artist_id from warehouse.dim_artist where artist_key > 0 order by 1"
    )
    assert [tuple(row.values()) for row in rows] == [(1, "name:n"), (2, "x1")]
    assert fetch_event_artists(warehouse_url) == [("t5", "x1", "Nova")]


def test_events_of_a_track_whose_artist_a_catalogue_knew_by_name_follow_it(warehouse_url: str) -> None:
    publish_catalogue(
        warehouse_url, "c1", [make_artist("name:n", "name:n", "Nova")], ("t1", "name:n"), ("t2", "name:n")
    )
    assert list_name_matched_tracks(warehouse_url) == [], "no event tells of these tracks"
    for source in ("extended_export", "basic_export"):
        load_events(warehouse_url, source, make_delivery("u1", "t1", artist=None, source=source))
    assert [row[:2] for row in fetch_event_artists(warehouse_url)] == [("t1", "name:n")] and list_name_matched_tracks(
        warehouse_url
    ) == ["t1"]
    publish_catalogue(warehouse_url, "c1 again", [make_artist("name:n", "name:n", "Nova")], ("t1", "name:n"))
    assert list_name_matched_tracks(warehouse_url) == ["t1"]
    publish_catalogue(warehouse_url, "c2", NAMESAKES, ("t1", "x1"), ("t2", "x1"))
    load_events(warehouse_url, "later", make_delivery("u2", "t1", artist=None))
    assert [row[:2] for row in fetch_event_artists(warehouse_url)] == [
        ("t1", "x1"),
        ("t1", "x1"),
    ] and list_name_matched_tracks(warehouse_url) == []
    dropped = select_rows(warehouse_url, EVENTS.replace("warehouse.fact_event", "audit.dropped_event"))
    assert [row["artist_id"] for row in dropped] == ["x1"]


@pytest.mark.parametrize("order", list(permutations(("by name", "namesake", "catalogue"))))
def test_a_play_told_by_name_has_the_artist_of_the_track_that_the_name_means(
    warehouse_url: str, order: tuple[str, ...]
) -> None:
    steps = {
        "by name": lambda url: load_events(url, "r1", make_delivery("u1", "name:s", **NAMED)),
        "namesake": lambda url: load_events(url, "r2", make_delivery("u2", "t2", artist="x2", artist_name="NOVA")),
        "catalogue": lambda url: publish_catalogue(url, "c1", NAMESAKES, ("t1", "x1"), names={"name:s": "t1"}),
    }
    for name in order:
        steps[name](warehouse_url)
    by_name = [row[1] for row in fetch_event_artists(warehouse_url) if row[0] != "t2"]
    assert by_name == ["x1"], "not the namesake who has more followers"


def test_a_name_means_whom_a_catalogue_knows_before_an_artist_of_the_mock_api(warehouse_url: str) -> None:
    mock = {"source": "mock_api", "followers": 9}
    artists = [
        make_artist("name:n", "name:n", "Nova", source="tracks_by_genre"),
        make_artist("m1", "name:n", "Nova", **mock),
        make_artist("m2", "name:o", "Other", **mock),
        make_artist("x1", "name:o", "Other"),
        make_artist("m3", "name:l", "Lux", **mock),
    ]
    publish_catalogue(warehouse_url, "c1", artists, ("t1", "name:n"))
    for index, (name_id, name) in enumerate((("name:n", "Nova"), ("name:o", "Other"), ("name:l", "Lux"))):
        load_events(warehouse_url, f"r{index}", make_delivery("u1", f"e{index}", artist=name_id, artist_name=name))
    assert [row[1] for row in fetch_event_artists(warehouse_url)] == ["name:n", "x1", "m3"]


@pytest.mark.parametrize("is_catalogue_first", [True, False])
def test_an_artist_whom_two_spellings_name_is_found_by_both(warehouse_url: str, is_catalogue_first: bool) -> None:
    artists = [
        make_artist("x1", "name:the nova", "The Nova", variant_made_id="name:nova"),
        make_artist("x2", "name:the lux", "The Lux"),
        make_artist("x3", "name:lux", "Lux", followers=1),
    ]
    says = [("t1", "name:nova", "Nova"), ("t2", "name:the nova", "the nova"), ("t3", "name:the lux", "The Lux")]
    says += [("t4", "name:lux", "Lux"), ("t5", "name:the change", "The Change")]
    events: Step = lambda url: load_events(  # noqa: E731
        url,
        "r1",
        Delivery(
            "aa",
            tuple(SourcePlay(NOON, "u1", track, artist=name_id, artist_name=name) for track, name_id, name in says),
        ),
    )
    catalogue: Step = lambda url: publish_catalogue(url, "c1", artists, ("t9", "x1"))  # noqa: E731
    for step in (catalogue, events) if is_catalogue_first else (events, catalogue):
        step(warehouse_url)
    assert [row[1] for row in fetch_event_artists(warehouse_url)] == ["x1", "x1", "x2", "x3", "name:the change"]


def make_name_id(*parts: str) -> str:
    return "name:" + hashlib.sha256("\1".join(parts).encode()).hexdigest()[:20]


def test_a_name_may_be_longer_than_an_index_takes(warehouse_url: str) -> None:
    long = "".join(random.Random(1).choices(string.ascii_letters, k=9_000))
    load_events(warehouse_url, "r1", make_delivery("u1", "t1", artist="x1", artist_name=long))
    assert fetch_event_artists(warehouse_url) == [("t1", "x1", long)]
