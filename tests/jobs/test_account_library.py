"""Saved tracks, followed artists and playlists of account exports, from the files to the star."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from etl.extract.spotify.responses import ResponseStore
from etl.formats.api_responses import ApiResponse
from etl.jobs import account_import, erasure, events
from etl.load import load_frames
from etl.settings import Settings, read_settings
from etl.storage.lake import Lake
from tests.exports import Json, write_export_folder
from tests.jobs.test_forget import find_identifiers
from tests.load.star_frames import create_local_frames, make_run, select_rows

pytestmark = [pytest.mark.timeout(900), pytest.mark.usefixtures("one_session")]

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
CURRENT = """
    select p.name as playlist, coalesce(t.name, t.track_id) as track, f.occurrence, f.added_at::date::text as added_on
    from warehouse.fact_playlist_track as f
    join warehouse.dim_playlist as p using (playlist_key)
    join warehouse.dim_track as t using (track_key)
    where f.valid_to = 'infinity'
    order by 1, 2, 3
"""
SAVED = """
    select e.activity_type, t.track_id, a.name as artist, e.event_time, e.source, u.user_id
    from warehouse.fact_event as e
    join warehouse.dim_track as t using (track_key)
    join warehouse.dim_artist as a using (artist_key)
    join warehouse.dim_user as u using (user_key)
    order by e.activity_type, t.track_id, a.name
"""


@pytest.fixture
def settings(tmp_path: Path, warehouse_url: str) -> Settings:
    return read_settings({"STATE_DIR": str(tmp_path / "state"), "WAREHOUSE_URL": warehouse_url})


def make_track_uri(title: str) -> str:
    return f"spotify:track:{title.lower():0>22}"


def make_playlist_item(title: str, added: str | None = "2024-02-01", **fields: Any) -> Json:
    track = {
        "trackName": title,
        "artistName": "Band",
        "albumName": "Album",
        "trackUri": make_track_uri(title),
        **fields,
    }
    return {"track": track, "episode": None, "localTrack": None, "addedDate": added}


def make_playlist(name: str, *items: Json, **fields: Any) -> Json:
    return {"name": name, "lastModifiedDate": "2024-03-01", "collaborators": [], "items": list(items), **fields}


def make_playlist_file(*lists: Json) -> Json:
    return {"playlists": list(lists)}


def make_library_file(*titles: str, artists: tuple[str, ...] = ()) -> Json:
    return {
        "tracks": [
            {"artist": "Band", "album": "Album", "track": title, "uri": make_track_uri(title)} for title in titles
        ],
        "artists": [{"name": name, "uri": f"spotify:artist:{name.lower():0>22}"} for name in artists],
    }


def import_and_load(settings: Settings, path: Path, day: int, user: str = "me", **files: Json) -> dict[str, int]:
    """Import files as a folder, load them, and return the numbers of written rows."""
    export_folder = write_export_folder(
        path / f"export-{day}-{user}", **{f"{name}.json": value for name, value in files.items()}
    )
    (export_folder / "Userdata.json").write_text("{}", encoding="utf-8")
    account_import.import_export(str(export_folder), user, "Europe/Berlin", settings, NOW + timedelta(days=day))
    return load_events(settings, f"run {day} {len(user)}")


def load_events(settings: Settings, run_id: str) -> dict[str, int]:
    return events.load_events(run_id, date(2026, 11, 21), settings) if events.plan_events(run_id, settings) else {}


def fetch_playlist_items(settings: Settings) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in select_rows(settings.warehouse_url, CURRENT)]


def fetch_saved_events(settings: Settings) -> list[dict[str, Any]]:
    return select_rows(settings.warehouse_url, SAVED)


def test_playlists_come_into_the_star(settings: Settings, tmp_path: Path) -> None:
    unnamed = {"track": {"trackName": "Two", "artistName": "Other"}, "addedDate": "1970-01-01"}
    episode = {"track": None, "episode": {"episodeName": "E", "showName": "S", "episodeUri": "spotify:episode:1"}}
    written = import_and_load(
        settings,
        tmp_path,
        1,
        Playlist1=make_playlist_file(
            make_playlist("Mine", make_playlist_item("One"), make_playlist_item("One", "2024-02-05"), unnamed, episode)
        ),
        Playlist2=make_playlist_file(make_playlist("Mine", make_playlist_item("Three", None)), make_playlist("Empty")),
    )
    assert written["fact_playlist_track"] == 4 and set(written) == {"dim_playlist", "fact_playlist_track"}
    assert fetch_playlist_items(settings) == [
        ("Mine", "One", 1, "2024-02-01"),
        ("Mine", "One", 2, "2024-02-05"),
        ("Mine", "Three", 1, None),
        ("Mine", "Two", 1, None),
    ]
    lists = select_rows(
        settings.warehouse_url, "select * from warehouse.dim_playlist where playlist_key > 0 order by name"
    )
    assert [(row["name"], row["owner_id"], row["source"]) for row in lists] == [
        ("Empty", "me", "playlist_export"),
        *[("Mine", "me", "playlist_export")] * 2,
    ]
    (counts,) = select_rows(settings.warehouse_url, "select * from audit.row_count")
    assert [counts[f"rows_{name}"] for name in ("in", "loaded", "duplicate", "rejected")] == [8, 7, 0, 1]
    assert select_rows(settings.warehouse_url, "select reason from audit.rejected_row") == [
        {"reason": "item is an episode"}
    ]
    assert select_rows(settings.warehouse_url, "select user_id from warehouse.dim_user where user_key > 0") == [
        {"user_id": "me"}
    ]


def test_a_later_export_replaces_the_earlier_playlists_of_its_listener(settings: Settings, tmp_path: Path) -> None:
    first = make_playlist_file(
        make_playlist("Mine", make_playlist_item("One"), make_playlist_item("Two")),
        make_playlist("Gone", make_playlist_item("One")),
    )
    import_and_load(settings, tmp_path, 1, Playlist1=first)
    import_and_load(settings, tmp_path, 1, "other", Playlist1=first)
    before = select_rows(settings.warehouse_url, "select * from warehouse.fact_playlist_track order by 1, 2, 3, 4")
    assert import_and_load(settings, tmp_path, 2, Playlist1=first) == {}
    assert (
        select_rows(settings.warehouse_url, "select * from warehouse.fact_playlist_track order by 1, 2, 3, 4") == before
    )
    later = make_playlist("Mine", make_playlist_item("Two"), make_playlist_item("Three"), lastModifiedDate="2024-06-01")
    import_and_load(settings, tmp_path, 3, Playlist1=make_playlist_file(later))
    mine = [row["track"] for row in select_rows(settings.warehouse_url, OWN.format(user="me"))]
    assert mine == ["Three", "Two"]
    assert len(select_rows(settings.warehouse_url, OWN.format(user="other"))) == 3
    ended = select_rows(
        settings.warehouse_url, "select valid_to from warehouse.fact_playlist_track where valid_to < 'infinity'"
    )
    assert [row["valid_to"] for row in ended] == [NOW + timedelta(days=3)] * 2


OWN = CURRENT.replace("order by", "and p.owner_id = '{user}' order by")


def test_files_imported_one_by_one_keep_each_others_playlists(settings: Settings, tmp_path: Path) -> None:
    for number, names in enumerate((("A", "B"), ("C",)), 1):
        path = tmp_path / f"Playlist{number}.json"
        write_export_folder(
            tmp_path,
            **{path.name: make_playlist_file(*(make_playlist(name, make_playlist_item("One")) for name in names))},
        )
        account_import.import_export(str(path), "me", "UTC", settings, NOW + timedelta(days=number))
    write_export_folder(
        tmp_path / "later", **{"Playlist1.json": make_playlist_file(make_playlist("B", make_playlist_item("One")))}
    )
    account_import.import_export(str(tmp_path / "later"), "me", "UTC", settings, NOW + timedelta(days=9))
    load_events(settings, "r1")
    assert [row[0] for row in fetch_playlist_items(settings)] == ["B", "C"]


def test_copies_of_files_tell_nothing_twice(settings: Settings, tmp_path: Path) -> None:
    files = {
        "Playlist1": make_playlist_file(make_playlist("Mine", make_playlist_item("One"))),
        "YourLibrary": make_library_file("One"),
    }
    import_and_load(settings, tmp_path, 1, **files, **{f"{name} (1)": value for name, value in files.items()})
    assert (
        fetch_playlist_items(settings) == [("Mine", "One", 1, "2024-02-01")] and len(fetch_saved_events(settings)) == 1
    )
    counts = select_rows(
        settings.warehouse_url, "select rows_in, rows_loaded, rows_duplicate from audit.row_count order by 1"
    )
    assert [tuple(row.values()) for row in counts] == [(2, 1, 1), (4, 2, 2)]


def test_saved_tracks_and_followed_artists_are_dated_by_the_first_import(settings: Settings, tmp_path: Path) -> None:
    import_and_load(settings, tmp_path, 1, YourLibrary=make_library_file("One", "Two", artists=("Band",)))
    import_and_load(settings, tmp_path, 5, YourLibrary=make_library_file("One", "Three", artists=("Band", "Duo")))
    events = [
        (row["activity_type"], row["artist"], (row["event_time"] - NOW).days) for row in fetch_saved_events(settings)
    ]
    assert events == [
        *[("FOLLOW", "Band", 1), ("FOLLOW", "Duo", 5)],
        *[("LIKE", "Band", 1), ("LIKE", "Band", 1), ("LIKE", "Band", 5)],
    ]
    assert {(row["source"], row["user_id"]) for row in fetch_saved_events(settings)} == {("library_export", "me")}
    duplicates = select_rows(settings.warehouse_url, "select sum(rows_duplicate) as n from audit.row_count")
    assert duplicates == [{"n": 2}]


def store_saved_tracks(settings: Settings, *titles: str, artist: str = "Band") -> None:
    """Store API responses in which tracks were saved in May and an artist is followed."""
    artists = [{"id": f"{artist.lower():0>22}", "name": artist}]
    tracks = [
        {"id": make_track_uri(title)[14:], "name": title, "artists": artists, "duration_ms": 1000} for title in titles
    ]
    bodies = {
        "me": {"id": "my-name", "account_id": "me", "display_name": "Me"},
        "saved_tracks": {"items": [{"added_at": "2026-05-01T00:00:00Z", "track": track} for track in tracks]},
        "followed_artists": {"artists": {"items": artists}},
    }
    responses = ResponseStore(Lake(settings.lake_url), f"ask {titles}", "account-me")
    for endpoint, body in bodies.items():
        response = ApiResponse(NOW.isoformat(), "me", endpoint, f"/{endpoint}", {}, 200, body)
        responses.fetch_once(_return_response(endpoint, response))
    assert responses.store_input(NOW)


def _return_response(name: str, response: ApiResponse) -> Any:
    def return_response() -> ApiResponse:
        return response

    return_response.__name__ = name
    return return_response


@pytest.mark.parametrize("order", [("export", "api"), ("api", "export"), ("both",)], ids="-".join)
def test_what_the_api_says_of_saved_tracks_outranks_an_export(
    order: tuple[str, ...], settings: Settings, tmp_path: Path
) -> None:
    for name in order:
        if name != "export":
            store_saved_tracks(settings, "One")
        if name != "api":
            export_folder = write_export_folder(
                tmp_path / "e", **{"YourLibrary.json": make_library_file("One", "Two", artists=("Band",))}
            )
            account_import.import_export(str(export_folder), "me", "UTC", settings, NOW + timedelta(days=1))
        load_events(settings, name)
    store_saved_tracks(settings, "One", "Three")
    load_events(settings, "again")
    events = [(row["activity_type"], row["source"], row["event_time"].month) for row in fetch_saved_events(settings)]
    assert events == [
        ("FOLLOW", "followed_artists", 11),
        ("LIKE", "saved_tracks", 5),
        ("LIKE", "library_export", 11),
        ("LIKE", "saved_tracks", 5),
    ]
    wrong = "select from audit.row_count where rows_in <> rows_loaded + rows_duplicate + rows_rejected"
    assert select_rows(settings.warehouse_url, wrong) == []


API = CURRENT.replace("as added_on", "as added_on, p.playlist_id, p.owner_id, p.source")


def store_api_playlist(settings: Settings, run_id: str, name: str, *titles: str, day: int = 0) -> None:
    """Run a refresh in which the API has read a playlist."""
    seen_at, playlist_id = NOW + timedelta(days=day), "37i9dQZF1DX0XUsuxWHRQd"
    own = {"playlist_id": playlist_id, "name": name, "owner_id": "my-name", "snapshot_id": run_id, "source": "api"}
    frames: dict[str, list[dict[str, Any]]] = {
        "dim_playlist": [own],
        "playlist_snapshot": [{"playlist_id": playlist_id, "seen_at": seen_at}],
        "fact_playlist_track": [
            {"playlist_id": playlist_id, "track_id": make_track_uri(title)[14:], "occurrence": 1, "seen_at": seen_at}
            for title in titles
        ],
        "account_owner": [{"user_id": "me", "owner_id": "my-name"}],
    }
    load_frames(create_local_frames(frames), make_run(run_id, inputs=()), settings.warehouse_url)


@pytest.mark.parametrize(("is_export_first", "has_uri"), [(True, False), (True, True), (False, False)])
def test_what_the_api_has_read_of_a_playlist_outranks_an_export(
    is_export_first: bool, has_uri: bool, settings: Settings, tmp_path: Path
) -> None:
    import_and_load(settings, tmp_path, 1, YourLibrary=make_library_file("One", "Two", "Three"))
    fields = {"playlistUri": "spotify:playlist:37i9dQZF1DX0XUsuxWHRQd"} if has_uri else {}
    files = {
        "Playlist1": make_playlist_file(
            make_playlist("Mine", make_playlist_item("One"), **fields), make_playlist("Own", make_playlist_item("Two"))
        )
    }
    if is_export_first:
        import_and_load(settings, tmp_path, 2, **files)
        assert [row[:2] for row in fetch_playlist_items(settings)] == [("Mine", "One"), ("Own", "Two")]
        store_api_playlist(settings, "r1", "Mine", "Three")
    else:
        store_api_playlist(settings, "r1", "Mine", "Three")
        import_and_load(settings, tmp_path, 2, **files)
    rows = select_rows(settings.warehouse_url, API)
    assert [(row["playlist"], row["track"], row["owner_id"], row["source"]) for row in rows] == [
        ("Mine", "Three", "my-name", "api"),
        ("Own", "Two", "my-name", "playlist_export"),
    ]
    files["Playlist1"]["playlists"][0]["lastModifiedDate"] = "2024-07-01"
    import_and_load(settings, tmp_path, 3, **files)
    assert select_rows(settings.warehouse_url, API) == rows
    assert len(select_rows(settings.warehouse_url, "select from warehouse.fact_playlist_track")) == 2
    counts = select_rows(
        settings.warehouse_url, "select rows_duplicate as n from audit.row_count order by run_id desc limit 1"
    )
    assert counts == [{"n": 2}]


def test_a_playlist_of_somebody_else_of_the_same_name_is_another(settings: Settings, tmp_path: Path) -> None:
    import_and_load(settings, tmp_path, 1, YourLibrary=make_library_file("One", "Three"))
    import_and_load(
        settings, tmp_path, 2, "other", Playlist1=make_playlist_file(make_playlist("Mine", make_playlist_item("One")))
    )
    store_api_playlist(settings, "r1", "Mine", "Three")
    assert [row[:2] for row in fetch_playlist_items(settings)] == [("Mine", "One"), ("Mine", "Three")]


def test_whoever_is_forgotten_leaves_no_playlist_and_no_saved_track(settings: Settings, tmp_path: Path) -> None:
    user_id, secret = "listener-7f3a91", "Ondines Secret"
    own = {"track": {"trackName": f"{secret} Demo", "artistName": secret}, "addedDate": "2024-02-01"}
    files = {
        "YourLibrary": make_library_file("One"),
        "Playlist1": make_playlist_file(make_playlist(f"{secret} Mix", make_playlist_item("One"), own)),
    }
    import_and_load(
        settings, tmp_path, 1, "other", Playlist1=make_playlist_file(make_playlist("Mine", make_playlist_item("One")))
    )
    import_and_load(settings, tmp_path, 2, user_id, **files)
    gone = erasure.forget_user(user_id, "forget", settings)
    assert (gone["inputs"], gone["events"]) == (2, 1)
    assert find_identifiers(settings.warehouse_url, tmp_path / "state" / "lake", user_id, secret) == []
    assert fetch_playlist_items(settings) == [("Mine", "One", 1, "2024-02-01")]
