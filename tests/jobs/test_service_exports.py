"""Histories of other services from the files to the star, and back: one play counts once, whoever reports it."""

import json
import zipfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from sqlalchemy import text

from etl import database
from etl.database.entity_partitions import DateRange
from etl.errors import ActionNeededError
from etl.jobs import account_import, erasure, events
from etl.jobs.history_export import FORMATS, export_history
from etl.load import load_frames
from etl.settings import Settings, read_settings
from tests.exports import AUDIO, TRACK_URI, make_play, write_export_folder
from tests.load.star_frames import create_local_frames, make_alias, make_catalogue, make_run, make_track, select_rows
from tests.service_exports import encode_lines, make_apple_row, make_listen, write_apple_table

pytestmark = [pytest.mark.timeout(900), pytest.mark.usefixtures("one_session")]

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
NOON = datetime(2024, 3, 1, 12, tzinfo=UTC)
SONG_ID = TRACK_URI.rsplit(":", 1)[-1]
ISRC_ID = "IsrcIsrcIsrcIsrcIsrc22"
PLAYS = """
    select
        e.event_time, e.started_at, e.ended_at, e.ms_played, e.is_skipped, e.device_type, e.country,
        t.track_id, t.name as track, a.name as artist, c.platform, c.reason_end
    from warehouse.fact_event as e
    join warehouse.dim_user as u on u.user_key = e.user_key
    join warehouse.dim_track as t on t.track_key = e.track_key
    join warehouse.dim_artist as a on a.artist_key = e.artist_key
    left join warehouse.dim_play_context as c on c.context_key = e.context_key
    where u.user_id = :user_id
    order by e.event_time, t.track_id
"""
SOURCES = "select source, count(*) as n from warehouse.fact_event group by source order by source"
COUNTS = "select source, rows_in, rows_loaded, rows_duplicate, rows_rejected from audit.row_count where run_id = :run"
SPOKEN = "select event_time, ms_played, spoken_id, spoken_name, show_name from warehouse.fact_spoken_event order by 1"


@pytest.fixture
def settings(tmp_path: Path, warehouse_url: str) -> Settings:
    return read_settings({"STATE_DIR": str(tmp_path / "state"), "WAREHOUSE_URL": warehouse_url})


def import_and_load(settings: Settings, path: Path, run_id: str, user: str = "ada") -> dict[str, Any]:
    """Import an export and load it; return what the import says."""
    imported = account_import.import_export(str(path), user, "Europe/Berlin", settings, NOW)
    if events.plan_events(run_id, settings):
        events.load_events(run_id, date(2026, 11, 1), settings)
    return imported


def write_listenbrainz_zip(path: Path, *listens: Any) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("user.json", '{"user_id": 1, "username": "ada"}\n')
        archive.writestr("listens/2024/3.jsonl", encode_lines(listens))
        archive.writestr("feedback.jsonl", '{"score": 1, "recording_msid": "x", "created": 1709294400}\n')
    return path


def load_catalogue(settings: Settings) -> None:
    staged = make_catalogue()
    staged["dim_track"].append(make_track(ISRC_ID, name="Found", isrc="USRC17607839"))
    staged["bridge_track_artist"].append({"track_id": ISRC_ID, "artist_id": "artist-x", "position": 1})
    staged["track_alias"] += [make_alias("isrc", "USRC17607839", ISRC_ID), make_alias("spotify_id", ISRC_ID, ISRC_ID)]
    load_frames(create_local_frames(staged), make_run(), settings.warehouse_url)


def test_plays_find_tracks_and_count_once_whoever_reports_them(settings: Settings, tmp_path: Path) -> None:
    load_catalogue(settings)
    hours = [NOON + timedelta(hours=number) for number in range(4)]
    listens = [
        make_listen("Singer", "Record", "Song", hours[0], spotify_id=f"https://open.spotify.com/track/{SONG_ID}"),
        make_listen("X", "One", "Not That", hours[1], isrc="us-rc1-76-07839"),
        make_listen("Other", "", "Alone", hours[2], duration_played=200),
        make_listen("Other", "", "Nothing", hours[3], isrc="USRC10000000", spotify_id="spotify:track:short"),
    ]
    zip_path = write_listenbrainz_zip(tmp_path / "listenbrainz.zip", *listens)
    imported = import_and_load(settings, zip_path, "listens")
    assert imported["files_left_out"] == ["feedback.jsonl", "user.json"]
    assert [
        (row["track_id"][:5], row["ms_played"]) for row in select_rows(settings.warehouse_url, PLAYS, user_id="ada")
    ] == [
        (SONG_ID[:5], None),
        (ISRC_ID[:5], None),
        ("name:", 200_000),
        ("name:", None),
    ]
    input_ids = [received["input_id"] for received in imported["inputs"]]
    assert account_import.count_identifiers(input_ids, settings) == {"id": 1, "isrc": 1, "name": 2}

    rows = [("Singer", "Song", hours[0]), ("OTHER", "Alone", hours[2])]
    rows += [("Other", "Alone", hours[2] + timedelta(seconds=32)), ("Singer", "Song", hours[1])]
    table = "".join(f"{artist},{title},{time:%d %b %Y %H:%M:%S}\n" for artist, title, time in rows)
    (tmp_path / "scrobbles.csv").write_text(table, encoding="utf-8")
    import_and_load(settings, tmp_path / "scrobbles.csv", "scrobbles")
    assert select_rows(settings.warehouse_url, COUNTS, run="scrobbles") == [
        {"source": "lastfm_export", "rows_in": 4, "rows_loaded": 1, "rows_duplicate": 3, "rows_rejected": 0}
    ]

    # The extended history gives the end: the computed start is 10 minutes after the true one, because of a pause.
    paused = make_play(ts=f"{hours[0] + timedelta(minutes=13):%Y-%m-%dT%H:%M:%SZ}", spotify_track_uri=TRACK_URI)
    export_folder = write_export_folder(tmp_path / "spotify", **{AUDIO: [paused]})
    import_and_load(settings, export_folder, "spotify")
    assert select_rows(settings.warehouse_url, SOURCES) == [
        {"source": "extended_export", "n": 1},
        {"source": "lastfm_export", "n": 1},
        {"source": "listenbrainz_export", "n": 3},
    ]
    rules = select_rows(settings.warehouse_url, "select rule from audit.event_match order by rule")
    assert [row["rule"] for row in rules] == [
        "one service twice, times 32 s apart",
        "start to time within 90 s",
        "time within a pause of 3 h",
        "time within a pause of 3 h",
    ]


def test_apple_nests_zip_files_and_names_artists_in_another_file(settings: Settings, tmp_path: Path) -> None:
    rows = [
        make_apple_row("", "Song", NOON),
        make_apple_row("", "Shared", NOON + timedelta(hours=1), **{"End Reason Type": "TRACK_SKIPPED_FORWARDS"}),
        make_apple_row("", "Song", NOON, **{"Event Type": "PLAY_START"}),
    ]
    daily = "Track Description,Date Played\nSinger - Song,20240301\nOne - Shared,20240301\nTwo - Shared,20240301\n"
    inner, middle, outer = (
        tmp_path / f"{name}.zip" for name in ("Apple Music Activity", "Apple_Media_Services", "all")
    )
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("Apple Music Play Activity.csv", write_apple_table(rows))
        archive.writestr("Apple Music - Play History Daily Tracks.csv", daily)
    for path, content in ((middle, inner), (outer, middle)):
        with zipfile.ZipFile(path, "w") as archive:
            archive.write(content, f"Apple_Media_Services/{content.name}")
    imported = import_and_load(settings, outer, "apple")
    assert imported["records_left_out"] == {"events of the player of the type PLAY_START": 1}
    lake = b"".join(path.read_bytes() for path in (tmp_path / "state").rglob("*.jsonl.gz"))
    assert lake and b"192.0.2.17" not in lake
    plays = select_rows(settings.warehouse_url, PLAYS, user_id="ada")
    assert [(play["track"], play["artist"], play["is_skipped"]) for play in plays] == [
        ("Song", "Singer", False),
        ("Unknown", "Unknown", True),
    ]
    assert plays[0]["started_at"] == NOON - timedelta(minutes=3) and plays[0]["ms_played"] == 180_000


@pytest.mark.parametrize("format_name", FORMATS)
def test_a_history_is_exported_and_imported_again(settings: Settings, tmp_path: Path, format_name: str) -> None:
    minutes = [f"{NOON + timedelta(minutes=10 * number):%Y-%m-%dT%H:%M:%SZ}" for number in range(7)]
    records = [
        make_play(ts=minutes[0], ms_played=179_123),
        make_play(ts=minutes[1], spotify_track_uri=None, platform="ios", reason_end="fwdbtn", skipped=True),
        make_play(ts=minutes[2], ms_played=0),
        make_play(ts=minutes[3], master_metadata_track_name='À "quote", ガ', spotify_track_uri=None),
        make_play(ts="2023-12-31T23:59:59Z", conn_country="US", platform="Partner google cast_voice"),
        make_play(
            ts=minutes[4],
            spotify_track_uri=None,
            master_metadata_track_name=None,
            master_metadata_album_artist_name=None,
            episode_name="E",
            episode_show_name="S",
            spotify_episode_uri="spotify:episode:abcdefghijKL0123456789",
        ),
    ]
    listens = [make_listen("Other", "", "Scrobbled", NOON + timedelta(days=40))]
    write_export_folder(tmp_path / "spotify", **{AUDIO: records, "listens.jsonl": encode_lines(listens)})
    import_and_load(settings, tmp_path / "spotify", "first")
    before = select_rows(settings.warehouse_url, PLAYS, user_id="ada")
    spoken = select_rows(settings.warehouse_url, SPOKEN)
    assert len(before) == 6 and len(spoken) == 1

    target = tmp_path / "exported"
    counts = export_history("ada", format_name, target, settings, DateRange())
    if format_name == "parquet":
        assert counts == {"plays": 7, "left out": 0}
        rows = pq.read_table(target / "plays.parquet").to_pylist()
        music = [row for row in rows if not row["spoken_id"]]
        names = ("event_time", "ms_played", "is_skipped", "device_type", "country", "platform", "reason_end")
        assert [[row[name] for name in names] for row in music] == [[row[name] for name in names] for row in before]
        return
    erasure.forget_user("ada", "forget", settings)
    assert select_rows(settings.warehouse_url, PLAYS, user_id="ada") == []
    import_and_load(settings, target, "again", user="ada-again")
    after = select_rows(settings.warehouse_url, PLAYS, user_id="ada-again")
    if format_name == "extended-history":
        assert counts == {"plays": 7, "left out": 0}
        assert after == before and select_rows(settings.warehouse_url, SPOKEN) == spoken
    else:
        assert counts == {"plays": 5, "left out": 2}  # a play of 0 ms, and a podcast
        names = ("event_time", "started_at", "ended_at", "ms_played", "track_id", "track", "artist", "device_type")
        counted = [play for play in before if play["ms_played"] != 0]
        assert [[play[name] for name in names] for play in after] == [
            [play[name] for name in names] for play in counted
        ]
        assert sorted(path.name for path in target.rglob("*.json*")) == [
            "12.jsonl",
            "3.jsonl",
            "4.jsonl",
            "export.json",
            "user.json",
        ]


def test_a_range_of_dates_is_exported_and_an_unknown_user_is_not(settings: Settings, tmp_path: Path) -> None:
    listens = [make_listen("A", "", "B", NOON + timedelta(days=number)) for number in range(3)]
    (tmp_path / "listens.jsonl").write_bytes(encode_lines(listens))
    import_and_load(settings, tmp_path / "listens.jsonl", "first")
    days = DateRange(date(2024, 3, 2), date(2024, 3, 2))
    assert export_history("ada", "listenbrainz", tmp_path / "out", settings, days)["plays"] == 1
    (line,) = (tmp_path / "out" / "listens" / "2024" / "3.jsonl").read_text().splitlines()
    listen = json.loads(line)
    assert listen["listened_at"] == int((NOON + timedelta(days=1)).timestamp())
    assert listen["track_metadata"]["track_name"] == "B"
    with pytest.raises(ActionNeededError, match="no user eve"):
        export_history("eve", "parquet", tmp_path / "out", settings, DateRange())
    assert (tmp_path / "out" / "user.json").exists()


def test_a_year_of_an_export_is_one_of_utc(settings: Settings, tmp_path: Path) -> None:
    records = [make_play(ts=f"2024-01-01T00:0{minute}:00Z", ms_played=60_000) for minute in (3, 6)]
    import_and_load(settings, write_export_folder(tmp_path / "spotify", **{AUDIO: records}), "first")
    with database.connect(settings.warehouse_url) as connection:
        connection.execute(text("alter role current_user set timezone to 'America/New_York'"))
    try:
        export_history("ada", "extended-history", tmp_path / "out", settings, DateRange())
    finally:
        with database.connect(settings.warehouse_url) as connection:
            connection.execute(text("alter role current_user reset timezone"))
    assert [path.name for path in (tmp_path / "out").glob("Streaming*")] == ["Streaming_History_Audio_2024_0.json"]


def test_an_import_for_a_user_of_a_feed_warns_of_double_plays(settings: Settings, tmp_path: Path) -> None:
    path = write_export_folder(tmp_path / "spotify", **{AUDIO: [make_play()]})
    import_and_load(settings, path, "first")
    assert account_import.find_feed_warning("ada", settings) is None
    with database.connect(settings.warehouse_url) as connection:
        connection.execute(text("update warehouse.fact_event set source = 'feed'"))
    imported = account_import.import_export(str(path), "ada", "Europe/Berlin", settings, NOW, "account_import.2")
    assert "events of a feed" in imported["warning"]
