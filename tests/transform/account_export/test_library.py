"""Records of libraries and playlists: their rows, and the reasons of rejections."""

from typing import Any

from pyspark.sql import SparkSession

from etl.extract.account_export.export_fields import STORED_FIELDS
from etl.extract.account_export.export_records import encode_record
from etl.transform.account_export import parse_events, parse_playlists
from tests.exports import EPISODE_URI, TRACK_URI, Json
from tests.transform.account_export.test_plays import LINE, NOW

ARTIST_URI = "spotify:artist:0123456789abcdefghijKL"


def make_saved_item(**fields: Any) -> Json:
    return {"kind": "track", "track": "Song", "artist": "Singer", "uri": TRACK_URI, **fields}


def make_playlist_item(**fields: Any) -> Json:
    names = {"trackName": "Song", "artistName": "Singer", "trackUri": TRACK_URI}
    return {"kind": "track", "playlist": 1, **names, "addedDate": "2024-02-01", **fields}


def make_playlist_head(**fields: Any) -> Json:
    return {"kind": "playlist", "playlist": 1, "name": "Mine", "lastModifiedDate": "2024-03-01", **fields}


def make_lines(spark: SparkSession, format_name: str, files: dict[str, list[Json]]) -> Any:
    records = [(file, record) for file, file_records in files.items() for record in file_records]
    rows = [
        (number, "ada", "UTC", file, encode_record(record, STORED_FIELDS[format_name]), "i1", NOW)
        for number, (file, record) in enumerate(records, 1)
    ]
    return spark.createDataFrame(rows, LINE)


def test_a_library(spark: SparkSession) -> None:
    records = [
        make_saved_item(),
        make_saved_item(uri=None),
        {"kind": "artist", "name": "Singer", "uri": ARTIST_URI},
        {"kind": "artist", "name": "Nameless"},
    ]
    rows = parse_events(
        make_lines(spark, "library_export", {"YourLibrary.json": records}), "library_export"
    ).accepted.collect()
    reported = {(row.activity_type, row.track_id, row.track_name, row.artist_id, row.artist_name) for row in rows}
    assert reported == {
        ("LIKE", TRACK_URI[14:], "Song", None, "Singer"),
        ("LIKE", None, "Song", None, "Singer"),
        ("FOLLOW", None, None, ARTIST_URI[15:], "Singer"),
        ("FOLLOW", None, None, None, "Nameless"),
    }
    assert {(row.source, row.event_time.isoformat(), row.ms_played) for row in rows} == {
        ("library_export", NOW.replace(tzinfo=None).isoformat(), None)
    }
    assert len({row.identity for row in rows}) == 4


def test_what_is_rejected_of_a_library(spark: SparkSession) -> None:
    rejected_records = {
        "item is an episode": make_saved_item(uri=EPISODE_URI),
        "item is a local file": make_saved_item(uri="spotify:local:a:b:c:1"),
        "uri is no track": make_saved_item(uri=ARTIST_URI),
        "track is missing": make_saved_item(uri=None, track=" "),
        "artist is missing": make_saved_item(uri=None, artist=None),
        "uri is no artist": {"kind": "artist", "uri": TRACK_URI},
        "name is missing": {"kind": "artist", "name": ""},
        "record holds a list or an object": make_saved_item(track=[]),
    }
    actual = parse_events(
        make_lines(spark, "library_export", {"a.json": list(rejected_records.values())}), "library_export"
    )
    assert [row.reason for row in actual.rejected.orderBy("row_number").collect()] == list(rejected_records)
    assert actual.accepted.count() == 0


def test_playlists(spark: SparkSession) -> None:
    records = [
        make_playlist_head(),
        make_playlist_item(),
        make_playlist_item(trackUri=None, addedDate="1970-01-01"),
        make_playlist_head(playlist=2),
        make_playlist_item(playlist=2),
    ]
    uri = make_playlist_head(playlist=3, name=None, playlistUri="spotify:playlist:37i9dQZF1DX0XUsuxWHRQd")
    actual = parse_playlists(make_lines(spark, "playlist_export", {"b/Playlist1.json.gz": [*records, uri]}))
    lists = {row.occurrence: row for row in actual.playlists.where("name = 'Mine'").collect()}
    assert set(lists) == {1, 2} and {row.file_name for row in lists.values()} == {"Playlist1.json"}
    assert all(row.playlist_id.startswith("name:") for row in lists.values())
    (named,) = actual.playlists.where("name = ''").collect()
    assert (named.playlist_id, named.user_id, named.is_alone) == ("37i9dQZF1DX0XUsuxWHRQd", "ada", False)
    tracks = actual.tracks.orderBy("place").collect()
    assert [(row.track_id, str(row.added_at)[:10]) for row in tracks] == [
        (TRACK_URI[14:], "2024-02-01"),
        (None, "None"),
        (TRACK_URI[14:], "2024-02-01"),
    ]
    assert [row.playlist_id for row in tracks] == [lists[number].playlist_id for number in (1, 1, 2)]
    assert actual.counts.collect() == [("i1", 6, 0)] and actual.rejected.count() == 0


def test_playlists_that_several_exports_tell_stand_as_modified_last(spark: SparkSession) -> None:
    files = {
        "new/Playlist1.json": [
            make_playlist_head(lastModifiedDate="2024-05-01"),
            make_playlist_item(trackName="New", trackUri=None),
        ],
        "old/Playlist1.json": [make_playlist_head(), make_playlist_item(trackName="Old", trackUri=None)],
        "old/Playlist1 (1).json": [make_playlist_head(), make_playlist_item(trackName="Old", trackUri=None)],
    }
    actual = parse_playlists(make_lines(spark, "playlist_export", files))
    assert actual.playlists.count() == 1
    assert [row.track_name for row in actual.tracks.collect()] == ["New"]
    assert actual.counts.collect() == [("i1", 6, 4)]


def test_what_is_rejected_of_playlists(spark: SparkSession) -> None:
    rejected_records = {
        "item is an episode": make_playlist_item(kind="episode"),
        "item is an audiobook": make_playlist_item(kind="audiobook"),
        "item is a local file": make_playlist_item(kind="local track"),
        "item is no longer available": make_playlist_item(kind="nothing"),
        "trackUri is no track": make_playlist_item(trackUri="spotify:track:x"),
        "trackName is missing": make_playlist_item(trackUri=None, trackName=None),
        "artistName is missing": make_playlist_item(trackUri=None, artistName=""),
        "its playlist was rejected": make_playlist_item(playlist=2),
        "name is longer than 1000 characters": make_playlist_head(playlist=2, name="x" * 1001),
    }
    actual = parse_playlists(
        make_lines(spark, "playlist_export", {"a.json": [make_playlist_head(), *rejected_records.values()]})
    )
    assert [row.reason for row in actual.rejected.orderBy("row_number").collect()] == list(rejected_records)
    assert actual.counts.collect() == [("i1", 1, 0)]
