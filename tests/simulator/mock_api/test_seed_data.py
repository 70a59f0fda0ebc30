"""The seed data: deterministic, complete, correct, and with all unusual values that Spotify returns."""

import json
import re
import sqlite3
from collections import Counter
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from etl.formats.contracts import ARTIST_ROW, AUDIO_FEATURES, TRACK_ROW
from simulator.mock_api import write_seed_data
from simulator.mock_api.scenario import Scenario
from simulator.mock_api.seed_data import SeedData
from simulator.mock_api.simulated_day import SimulatedDay
from simulator.mock_api.titles import get_base_title
from tests.simulator.mock_api.small_seed_data import make_small_rows

SPOTIFY_ID = re.compile(r"[0-9A-Za-z]{22}")
VERSION = re.compile(r"live|remix|acoustic|instrumental|demo", re.IGNORECASE)


def fetch_rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def dump_database(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


def read_playlists(path: Path) -> dict[str, list[tuple[str, str]]]:
    playlist_rows = fetch_rows(path, "select playlist_id, items from playlist")
    return {playlist_id: [(kind, item) for kind, item, *_ in json.loads(items)] for playlist_id, items in playlist_rows}


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stock") / "stock.sqlite"
    write_seed_data(*make_small_rows(2_000, real_playlists=40), path, seed=7)
    return path


def test_equal_rows_in_any_order_give_an_equal_stock(stock: Path, tmp_path: Path) -> None:
    tracks, artists = make_small_rows(2_000, real_playlists=40)
    other_path = tmp_path / "other.sqlite"
    shuffled = tracks.sample(frac=1, random_state=1).reset_index(drop=True)
    shuffled["artist_names"] = [np.array(names, dtype=object) for names in shuffled["artist_names"]]
    write_seed_data(shuffled, artists.sample(frac=1, random_state=2), other_path, seed=7)
    assert dump_database(other_path) == dump_database(stock)
    before = other_path.stat()
    write_seed_data(tracks, artists, other_path, seed=7)
    assert (other_path.stat().st_mtime_ns, other_path.stat().st_ino) == (before.st_mtime_ns, before.st_ino)
    write_seed_data(tracks, artists, other_path, seed=8)
    assert dump_database(other_path) != dump_database(stock)
    assert [file.name for file in tmp_path.iterdir()] == ["other.sqlite"]


def test_one_more_track_leaves_most_of_the_stock_as_it_was(stock: Path, tmp_path: Path) -> None:
    more = tmp_path / "more.sqlite"
    write_seed_data(*make_small_rows(2_001, real_playlists=40), more, seed=7)
    assert len(set(dump_database(stock)) - set(dump_database(more))) < 40


def test_every_track_of_the_catalogue_is_served_under_its_own_id(stock: Path) -> None:
    known = set(make_small_rows(2_000)[0]["track_id"])
    truth = dict(fetch_rows(stock, "select served_id, track_id from truth"))
    assert {served for served, track_id in truth.items() if served == track_id} == known
    assert set(truth) == {served for (served,) in fetch_rows(stock, "select track_id from track")}
    assert all(SPOTIFY_ID.fullmatch(served) for served in truth)
    assert set(truth.values()) - {None} == known


def test_rows_without_track_id_or_values_do_no_harm(tmp_path: Path) -> None:
    tracks, artists = make_small_rows(60)
    nothing: dict[str, Any] = dict.fromkeys(tracks.columns)
    odd = [
        nothing | {"name": "No id", "artist_names": ["A"]},
        nothing | {"track_id": "idonly0000000000000000", "name": None},
        nothing | {"track_id": "named00000000000000000", "name": "Nothing else", "popularity": float("nan")},
        nothing
        | {"track_id": "dated00000000000000000", "name": "Dated", "artist_names": [], "genres": np.array(["x"])},
    ]
    odd[2]["release_date"], odd[3]["release_date"] = pd.NaT, pd.Timestamp("1969-09-26")
    odd[3]["release_date_precision"] = "day"
    path = tmp_path / "stock.sqlite"
    both = pd.DataFrame([*tracks.to_dict("records"), *odd], columns=tracks.columns)
    write_seed_data(both, artists, path, seed=1)
    served = dict(fetch_rows(path, "select track_id, album_id from track"))
    assert "idonly0000000000000000" not in served and "named00000000000000000" in served
    dates = dict(fetch_rows(path, "select album_id, release_date from album"))
    assert dates[served["dated00000000000000000"]] == "1969-09-26"
    write_seed_data(tracks[:0], artists[:0], tmp_path / "empty.sqlite", seed=1)
    assert fetch_rows(tmp_path / "empty.sqlite", "select count(*) from track") == [(0,)]


def make_file_row(track_id: str, **values: Any) -> dict[str, Any]:
    nothing: dict[str, Any] = dict.fromkeys(TRACK_ROW.fieldNames())
    fields = {"track_id": track_id.ljust(22, "0"), "name": "Song", "artist_names": ["Nova"], "duration_ms": 200_000}
    return nothing | {"input_id": "in", "source": "tracks_1921_2020", "row_number": 1, "genres": []} | fields | values


DATED: list[dict[str, Any]] = [
    # One title and artist; one album by name; one by its id, with different dates in two files.
    make_file_row("a1", release_date=date(1923, 3, 29), release_date_precision="day"),
    make_file_row("a2", release_date=date(1924, 3, 29), release_date_precision="day", duration_ms=205_000),
    make_file_row("a3", release_date=date(1924, 1, 1), release_date_precision="year"),
    make_file_row("b1", album_name="First", release_date=date(1980, 5, 1), release_date_precision="month"),
    make_file_row("b2", album_name="First", release_date=date(1999, 1, 1), release_date_precision="year"),
    make_file_row("c1", album_id="c".ljust(22, "0"), release_date=date(2001, 2, 3), release_date_precision="day"),
    make_file_row("c2", album_id="c".ljust(22, "0"), release_date=date(2011, 2, 3), release_date_precision="day"),
    # One id in several files: the finest date, the album with an id, complete features, each group from a single row.
    make_file_row("d1", release_date=date(1970, 1, 1), release_date_precision="year", popularity=10, energy=0.1),
    make_file_row(
        "d1",
        **{"source": "playlist_songs", "name": "Song!", "popularity": 90, "album_id": "d".ljust(22, "0")},
        **{"album_name": "Best Of", "release_date": date(1971, 6, 7), "release_date_precision": "day"},
        **dict.fromkeys(AUDIO_FEATURES, 0.5),
    ),
    make_file_row("d1", source="tracks_by_genre", album_name="Other", explicit=True, popularity=50),
]


def test_each_track_is_told_as_the_files_tell_it(tmp_path: Path) -> None:
    path = tmp_path / "stock.sqlite"
    for order in (DATED, DATED[::-1]):
        tracks = pd.DataFrame(order, columns=TRACK_ROW.fieldNames())
        write_seed_data(tracks, pd.DataFrame(columns=ARTIST_ROW.fieldNames()), path, seed=1)
        stock = SeedData(path)
        tracks_by_id = SimulatedDay(stock, Scenario(), 0).read_tracks(row["track_id"] for row in DATED)
        stock.close()
        dates = {
            name.rstrip("0"): (track["album"]["release_date"], track["album"]["release_date_precision"])
            for name, track in tracks_by_id.items()
        }
        assert dates == {
            **{"a1": ("1923-03-29", "day"), "a2": ("1924-03-29", "day"), "a3": ("1924", "year")},
            **{"b1": ("1980-05", "month"), "b2": ("1999", "year")},
            **{"c1": ("2001-02-03", "day"), "c2": ("2011-02-03", "day"), "d1": ("1971-06-07", "day")},
        }
        first = tracks_by_id["d1".ljust(22, "0")]
        assert (first["name"], first["popularity"], first["explicit"]) == ("Song", 10, 1)
        assert (first["album"]["name"], first["album_id"]) == ("Best Of", "d".ljust(22, "0"))
        assert {first[feature] for feature in AUDIO_FEATURES} == {0.5}
        assert tracks_by_id["c1".ljust(22, "0")]["album_id"] == tracks_by_id["c2".ljust(22, "0")]["album_id"]


def test_a_part_of_what_is_on_playlists_has_further_ids_that_differ_a_little(stock: Path) -> None:
    query = """
        select served_id, a.name, b.name, a.duration_ms - b.duration_ms, a.isrc, b.isrc, a.album_id = b.album_id
        from truth t join track a on a.track_id = served_id join track b on b.track_id = t.track_id
        where served_id <> t.track_id
    """
    further = fetch_rows(stock, query)
    on_playlists = {item for items in read_playlists(stock).values() for kind, item in items if kind == "track"}
    fraction = sum(served in on_playlists for served, *_ in further) / len(on_playlists)
    assert 0.08 < fraction < 0.25, fraction
    with_isrc = [fact for fact in further if fact[5]]
    assert 0.3 < sum(a == b for *_, a, b, _ in with_isrc) / len(with_isrc) < 0.7
    for _, name, original, difference, _, _, is_same_album in further:
        assert abs(difference) <= 1_500 and not is_same_album
        assert VERSION.search(name.removeprefix(original)) is None
        assert get_base_title(name) == get_base_title(original), name
    assert len({name for _, name, *_ in further}) > len(further) / 2
    assert any("Remaster" in name for _, name, *_ in further)


def test_strangers_are_other_recordings(stock: Path) -> None:
    query = """
        select a.name, a.duration_ms, a.isrc, a.artist_ids
        from truth t join track a on a.track_id = t.served_id where t.track_id is %s
    """
    strangers, known = (
        fetch_rows(stock, query % "null"),
        fetch_rows(stock, query % "not null and served_id = t.track_id"),
    )
    assert len(strangers) > 20
    assert not {isrc for _, _, isrc, _ in strangers} & {isrc for _, _, isrc, _ in known}
    near = 0
    for name, length, _, artists in strangers:
        for other_title, other_length, _, other_artists in known:
            if get_base_title(name) == get_base_title(other_title) and set(artists.split()) & set(
                other_artists.split()
            ):
                near += 1
                assert abs(length - other_length) > 6_000 or VERSION.search(name), (name, other_title)
    assert near > 10


def test_no_isrc_means_two_recordings(stock: Path) -> None:
    actual = fetch_rows(
        stock, "select isrc, t.track_id from track a join truth t on served_id = a.track_id where isrc not null"
    )
    by_isrc: dict[str, set[str | None]] = {}
    for isrc, track_id in actual:
        assert re.fullmatch(r"[A-Z]{2}[A-Z0-9]{3}\d{7}", isrc)
        by_isrc.setdefault(isrc, set()).add(track_id)
    assert not [isrc for isrc, truths in by_isrc.items() if len(truths) > 1]
    assert 0.7 < len(actual) / fetch_rows(stock, "select count(*) from track")[0][0] < 0.95


def test_playlists_hold_everything_odd(stock: Path) -> None:
    library = json.loads(fetch_rows(stock, "select playlist_ids from library where place = 0")[0][0])
    first = read_playlists(stock)[library[0]]
    kinds = Counter(kind for kind, _ in first)
    assert len(first) >= 100 and kinds["local"] == 2 and kinds["episode"] == kinds["null"] == 1
    ids = [item for kind, item in first if kind == "track"]
    assert len(ids) > len(set(ids))
    facts = fetch_rows(stock, "select track_id, is_playable, linked_from, album_id from track")
    on_first = [fact for fact in facts if fact[0] in ids]
    assert any(not fact[1] for fact in on_first) and any(fact[2] for fact in on_first)
    dates = dict(fetch_rows(stock, "select album_id, release_date || '/' || release_date_precision from album"))
    assert {"0000/year", "1987/year", "2003-07/month", "2019-11-08/day"} <= {dates[fact[3]] for fact in on_first}
    names = dict(fetch_rows(stock, "select playlist_id, name from playlist"))
    assert names[library[2]] == "" and read_playlists(stock)[library[3]] == []


def test_real_playlists_are_dealt_and_strangers_own_the_rest(stock: Path) -> None:
    mine, others_ids = (
        json.loads(ids) for (ids,) in fetch_rows(stock, "select playlist_ids from library order by place")
    )
    names = dict(fetch_rows(stock, "select playlist_id, name from playlist"))
    # Copies have new ids; the third one's name is removed.
    assert {names[playlist_id] for playlist_id in mine} == {f"List {number} (made up)" for number in range(3)} | {""}
    assert len(mine) == 12 and all(SPOTIFY_ID.fullmatch(playlist_id) for playlist_id in mine)
    owners = dict(fetch_rows(stock, "select playlist_id, owner_id from playlist"))
    assert Counter(owners[playlist_id] for playlist_id in others_ids) == {
        **{"madeup_ben": 12, "madeup_ada": 1, "spotify": 1},
        **{"stranger_one": 2, "stranger_two": 1, "stranger_three": 1},
    }


def test_lengths_can_be_forced(tmp_path: Path) -> None:
    path = tmp_path / "stock.sqlite"
    write_seed_data(*make_small_rows(300), path, seed=1, account_count=1, playlist_count=50, playlist_length=100)
    library = json.loads(fetch_rows(path, "select playlist_ids from library")[0][0])
    assert [len(read_playlists(path)[playlist_id]) for playlist_id in library] == [100] * 50
