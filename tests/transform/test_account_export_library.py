"""Records of libraries and playlists: what becomes of each, and why some are rejected."""

from typing import Any

from pyspark.sql import SparkSession

from etl.extract.account_export.export_records import STORED_FIELDS, encode_record
from etl.transform.account_export import parse_events, parse_playlists
from tests.exports import EPISODE_URI, TRACK_URI, Json
from tests.transform.test_account_export import LINE, NOW

ARTIST_URI = "spotify:artist:0123456789abcdefghijKL"


def saved(**fields: Any) -> Json:
    return {"kind": "track", "track": "Song", "artist": "Singer", "uri": TRACK_URI, **fields}


def item(**fields: Any) -> Json:
    names = {"trackName": "Song", "artistName": "Singer", "trackUri": TRACK_URI}
    return {"kind": "track", "playlist": 1, **names, "addedDate": "2024-02-01", **fields}


def head(**fields: Any) -> Json:
    return {"kind": "playlist", "playlist": 1, "name": "Mine", "lastModifiedDate": "2024-03-01", **fields}


def lines(spark: SparkSession, format_name: str, files: dict[str, list[Json]]) -> Any:
    records = [(file, record) for file, found in files.items() for record in found]
    rows = [
        (number, "ada", "UTC", file, encode_record(record, STORED_FIELDS[format_name]), "i1", NOW)
        for number, (file, record) in enumerate(records, 1)
    ]
    return spark.createDataFrame(rows, LINE)


def test_a_library(spark: SparkSession) -> None:
    records = [
        saved(),
        saved(uri=None),
        {"kind": "artist", "name": "Singer", "uri": ARTIST_URI},
        {"kind": "artist", "name": "Nameless"},
    ]
    rows = parse_events(
        lines(spark, "library_export", {"YourLibrary.json": records}), "library_export"
    ).accepted.collect()
    told = {(row.activity_type, row.track_id, row.track_name, row.artist_id, row.artist_name) for row in rows}
    assert told == {
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
    refused = {
        "item is an episode": saved(uri=EPISODE_URI),
        "item is a local file": saved(uri="spotify:local:a:b:c:1"),
        "uri is no track": saved(uri=ARTIST_URI),
        "track is missing": saved(uri=None, track=" "),
        "artist is missing": saved(uri=None, artist=None),
        "uri is no artist": {"kind": "artist", "uri": TRACK_URI},
        "name is missing": {"kind": "artist", "name": ""},
        "record holds a list or an object": saved(track=[]),
    }
    found = parse_events(lines(spark, "library_export", {"a.json": list(refused.values())}), "library_export")
    assert [row.reason for row in found.rejected.orderBy("row_number").collect()] == list(refused)
    assert found.accepted.count() == 0


def test_playlists(spark: SparkSession) -> None:
    records = [head(), item(), item(trackUri=None, addedDate="1970-01-01"), head(playlist=2), item(playlist=2)]
    uri = head(playlist=3, name=None, playlistUri="spotify:playlist:37i9dQZF1DX0XUsuxWHRQd")
    found = parse_playlists(lines(spark, "playlist_export", {"b/Playlist1.json.gz": [*records, uri]}))
    lists = {row.occurrence: row for row in found.playlists.where("name = 'Mine'").collect()}
    assert set(lists) == {1, 2} and {row.file_name for row in lists.values()} == {"Playlist1.json"}
    assert all(row.playlist_id.startswith("name:") for row in lists.values())
    (named,) = found.playlists.where("name = ''").collect()
    assert (named.playlist_id, named.user_id, named.is_alone) == ("37i9dQZF1DX0XUsuxWHRQd", "ada", False)
    tracks = found.tracks.orderBy("place").collect()
    assert [(row.track_id, str(row.added_at)[:10]) for row in tracks] == [
        (TRACK_URI[14:], "2024-02-01"),
        (None, "None"),
        (TRACK_URI[14:], "2024-02-01"),
    ]
    assert [row.playlist_id for row in tracks] == [lists[number].playlist_id for number in (1, 1, 2)]
    assert found.counts.collect() == [("i1", 6, 0)] and found.rejected.count() == 0


def test_playlists_that_several_exports_tell_stand_as_modified_last(spark: SparkSession) -> None:
    files = {
        "new/Playlist1.json": [head(lastModifiedDate="2024-05-01"), item(trackName="New", trackUri=None)],
        "old/Playlist1.json": [head(), item(trackName="Old", trackUri=None)],
        "old/Playlist1 (1).json": [head(), item(trackName="Old", trackUri=None)],
    }
    found = parse_playlists(lines(spark, "playlist_export", files))
    assert found.playlists.count() == 1
    assert [row.track_name for row in found.tracks.collect()] == ["New"]
    assert found.counts.collect() == [("i1", 6, 4)]


def test_what_is_rejected_of_playlists(spark: SparkSession) -> None:
    refused = {
        "item is an episode": item(kind="episode"),
        "item is an audiobook": item(kind="audiobook"),
        "item is a local file": item(kind="local track"),
        "item is no longer available": item(kind="nothing"),
        "trackUri is no track": item(trackUri="spotify:track:x"),
        "trackName is missing": item(trackUri=None, trackName=None),
        "artistName is missing": item(trackUri=None, artistName=""),
        "its playlist was rejected": item(playlist=2),
        "name is longer than 1000 characters": head(playlist=2, name="x" * 1001),
    }
    found = parse_playlists(lines(spark, "playlist_export", {"a.json": [head(), *refused.values()]}))
    assert [row.reason for row in found.rejected.orderBy("row_number").collect()] == list(refused)
    assert found.counts.collect() == [("i1", 1, 0)]
