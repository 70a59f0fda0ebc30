"""bin/import-history: an export into a warehouse without tables, and the output of the command."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

import etl.engines.spark
from launch import import_history
from launch.bootstrap import COMMANDS
from tests.exports import TRACK_URI, make_basic_play, write_export_folder, write_export_zip
from tests.load.star_frames import select_rows

pytestmark = pytest.mark.timeout(900)

BOOK = {"endTime": "2024-03-02 13:00", "audiobookName": "Novel", "chapterName": "One", "msPlayed": 1}
LIBRARY = {"tracks": [{"artist": "Singer", "album": "Record", "track": "Song", "uri": TRACK_URI}]}
ITEM = {"track": {"trackName": "Song", "artistName": "Singer", "trackUri": TRACK_URI}, "addedDate": "2024-02-01"}
FILES = {
    "MyData/StreamingHistory_music_0.json": [
        make_basic_play(),
        make_basic_play(endTime="2024-03-01 13:00", trackName=None),
    ],
    "MyData/StreamingHistory_audiobook_0.json": [BOOK],
    "MyData/YourLibrary.json": LIBRARY,
    "MyData/Playlist1.json": {"playlists": [{"name": "Mine", "items": [ITEM]}]},
    "MyData/Userdata.json": {},
}


@pytest.fixture
def place(tmp_path: Path, empty_database_url: str, spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> str:
    """Use an empty database as the warehouse, and the session of all tests."""

    @contextmanager
    def shared(*_: Any) -> Iterator[SparkSession]:
        yield spark

    monkeypatch.setattr(etl.engines.spark, "open_session", shared)
    monkeypatch.setattr(import_history, "resolve_jars", lambda *_: None)
    monkeypatch.setenv("STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("WAREHOUSE_URL", empty_database_url)
    return empty_database_url


def test_the_command_is_known() -> None:
    assert COMMANDS["import-history"] == ("launch.import_history", "requirements.txt", True)


def test_an_export_comes_into_a_warehouse_without_tables(
    place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(write_export_zip(tmp_path / "my_spotify_data.zip", **FILES)), "--user", "ada", "--timezone", "UTC"]
    assert import_history.main(arguments) == 0
    printed = capsys.readouterr().out
    for line in (
        "Files read       4",
        "Files left out   1: MyData/Userdata.json",
        "Plays            1",
        "Spoken           1 plays",
        "Playlists        1 with 1 tracks",
        "Saved tracks     1, and 0 followed artists",
        "Rejected         1; trackName is missing: 1",
    ):
        assert line in printed
    assert select_rows(place, "select spoken_name, show_name from warehouse.fact_spoken_event") == [
        {"spoken_name": "One", "show_name": "Novel"}
    ]
    assert import_history.main(arguments) == 0
    assert "Nothing new: the warehouse already has this export." in capsys.readouterr().out


def test_what_cannot_be_imported_says_why(
    tmp_path: Path, warehouse_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WAREHOUSE_URL", warehouse_url)
    monkeypatch.setenv("STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setattr(import_history, "resolve_jars", lambda *_: None)
    export = write_export_folder(tmp_path / "e", **FILES)
    for arguments, message in (
        ([str(tmp_path / "absent.zip"), "--user", "ada", "--timezone", "UTC"], "there is no such file or folder"),
        ([str(export), "--user", "a b", "--timezone", "UTC"], "The user must be an id"),
        ([str(export), "--user", "ada", "--timezone", "Berlin"], "The timezone must be an IANA name"),
    ):
        assert import_history.main(arguments) == 1
        assert message in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        import_history.main([str(export)])
    assert ended.value.code == 2
