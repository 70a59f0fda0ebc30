"""Imports of account exports into the lake: accepted, omitted and rejected content."""

import gzip
import json
import os
import re
import stat
import struct
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etl.errors import ActionNeededError, WrongFileError
from etl.extract.account_export import ReceivedExport, container, receive_export, services
from etl.extract.account_export.services import file_content
from etl.formats.contracts.events import EXPORT_LINE
from etl.storage.lake import Lake
from tests.exports import (
    AUDIO,
    TRACK_URI,
    VIDEO,
    encode_file,
    make_basic_play,
    make_old_play,
    make_play,
    write_export_folder,
    write_export_zip,
)
from tests.service_exports import (
    FIRST_TIME,
    encode_json,
    encode_lines,
    make_apple_row,
    make_listens,
    make_watch_record,
    write_apple_table,
)

CHECKOUT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 1, tzinfo=UTC)
PRIVATE = ("192.0.2.17", "ada.lovelace", "Mozilla", "ada@example.org")
BASIC = "StreamingHistory_music_0.json"


def receive_folder(path: Path | str, lake: Lake, user: str = "ada", timezone: str = "Europe/Berlin") -> ReceivedExport:
    return receive_export(str(path), user, timezone, lake, NOW)


def read_lines(export: ReceivedExport, place: int = 0) -> list[dict[str, Any]]:
    url = export.inputs[place].url.removeprefix("file://")
    return [json.loads(line) for line in gzip.decompress(Path(url).read_bytes()).splitlines()]


def read_bodies(export: ReceivedExport, place: int = 0) -> list[Any]:
    return [json.loads(line["body"]) for line in read_lines(export, place)]


def get_rejection(path: Path | str, lake: Lake, **listener: str) -> str:
    """Return the message of a rejection, and check that the lake stays empty."""
    with pytest.raises(ActionNeededError) as caught:
        receive_folder(path, lake, **listener)
    assert not lake.inputs.find_inputs(["account_export"])
    assert not list(Path(lake.url.removeprefix("file://")).rglob("*.gz"))
    return str(caught.value)


def test_a_zip_as_spotify_sends_it(tmp_path: Path, lake: Lake) -> None:
    top = "Spotify Extended Streaming History"
    path = write_export_zip(
        tmp_path / "my_spotify_data.zip",
        **{
            f"{top}/{AUDIO}": [make_play(), make_play(ts="2024-03-01T12:06:00Z")],
            f"{top}/{VIDEO}": [make_play(ts="2024-03-01T12:09:00Z")],
            f"{top}/ReadMeFirst_ExtendedStreamingHistory.pdf": b"%PDF-1.7 ada@example.org",
        },
    )
    export = receive_folder(path, lake)
    (received,) = export.inputs
    assert (received.format, received.origin, received.row_count) == ("extended_export", "account_export", 3)
    assert received.columns == tuple(EXPORT_LINE.fieldNames())
    assert export.skipped_files == [f"{top}/ReadMeFirst_ExtendedStreamingHistory.pdf"]
    assert [line["number"] for line in read_lines(export)] == [1, 2, 3]
    assert {line["file"] for line in read_lines(export)} == {f"{top}/{AUDIO}", f"{top}/{VIDEO}"}
    assert {(line["user_id"], line["timezone"]) for line in read_lines(export)} == {("ada", "Europe/Berlin")}
    assert lake.inputs.find_inputs(["account_export"]) == [received]


def test_each_format_becomes_one_input(tmp_path: Path, lake: Lake) -> None:
    podcast = {"endTime": "2024-03-01 13:00", "podcastName": "Show", "episodeName": "One", "msPlayed": 1}
    place = write_export_folder(
        tmp_path / "export",
        **{
            "endsong_0.json": [make_old_play()],
            AUDIO: [make_play()],
            "StreamingHistory0.json": [make_basic_play()],
            BASIC: [make_basic_play()],
            "StreamingHistory_podcast_0.json": [podcast],
        },
    )
    export = receive_folder(place, lake)
    assert [(received_input.format, received_input.row_count) for received_input in export.inputs] == [
        ("extended_export", 2),
        ("basic_export", 3),
    ]
    assert podcast in read_bodies(export, 1)


def test_a_single_file_is_told_by_its_content(tmp_path: Path, lake: Lake) -> None:
    path = tmp_path / "download.txt"
    path.write_bytes(encode_file([make_play()]))
    assert receive_folder(path, lake).inputs[0].format == "extended_export"


def test_a_renamed_file_among_others_is_told_by_its_content(tmp_path: Path, lake: Lake) -> None:
    place = write_export_folder(
        tmp_path / "export", **{"renamed.json": [make_basic_play()], "Playlist1.json": {"playlists": []}}
    )
    export = receive_folder(place, lake)
    assert export.files_read == ["renamed.json"] and export.skipped_files == ["Playlist1.json"]


def test_other_files_are_named_and_never_copied(tmp_path: Path, lake: Lake) -> None:
    others = {
        "Userdata.json": {"username": "ada.lovelace", "email": "ada@example.org"},
        "Identity.json": {"displayName": "ada.lovelace"},
        "SearchQueries.json": [{"searchTime": "2024-03-01T12:00:00Z[UTC]", "searchQuery": "ada@example.org"}],
        "Marquee.json": [{"artistName": "Singer", "segment": "Super Listeners"}],
        "TechnicalLog.json": {"endTime": "2024-03-01", "ip": "192.0.2.17"},
        "Broken.json": b"[{",
        "Empty.json": b"",
        "__MACOSX/._" + AUDIO: b"\x00\x05\x16\x07",
    }
    export = receive_folder(write_export_zip(tmp_path / "all.zip", **others, **{AUDIO: [make_play()]}), lake)
    assert export.files_read == [AUDIO]
    assert set(export.skipped_files) == set(others)
    stored_text = "".join(json.dumps(line) for line in read_lines(export))
    assert not [word for word in PRIVATE if word in stored_text]


def test_private_fields_do_not_enter(tmp_path: Path, lake: Lake) -> None:
    hidden = make_play(platform={"ip": "192.0.2.17"}, reason_end=["ada.lovelace"], eMail="ada@example.org")
    place = write_export_folder(
        tmp_path / "e", **{AUDIO: [make_old_play(), make_play(), hidden, ["192.0.2.17"], "ada.lovelace", None, 7]}
    )
    export = receive_folder(place, lake)
    stored_text = "".join(json.dumps(line) for line in read_lines(export))
    assert not [word for word in PRIVATE if word in stored_text]
    assert export.skipped_fields == ["eMail", "ip_addr", "ip_addr_decrypted", "user_agent_decrypted", "username"]
    assert read_bodies(export)[2]["platform"] == {} and read_bodies(export)[2]["reason_end"] == []
    assert read_bodies(export)[3:] == ["a list", "a text", "null", "a number"]


def test_audiobooks_of_the_account_data(tmp_path: Path, lake: Lake) -> None:
    record = {"endTime": "2024-03-01 13:00", "msPlayed": 1}
    book = record | {"audiobookName": "Novel", "chapterName": "One", "authorName": "A. Writer"}
    export = receive_folder(write_export_folder(tmp_path / "e", **{"StreamingHistory_audiobook_0.json": [book]}), lake)
    assert read_bodies(export) == [book] and export.skipped_fields == []


def test_fields_of_spoken_plays_are_known_by_other_names_too(tmp_path: Path, lake: Lake) -> None:
    record = {"endTime": "2024-03-01 13:00", "msPlayed": 1}
    basic = [
        record | {"audiobook_title": "Novel", "audiobook_chapter_title": "One", "author": "A. Writer"},
        record | {"showName": None, "podcastName": "Show", "episodeTitle": None},
        record | {"bookTitle": "Novel", "ip": "192.0.2.17"},
    ]
    extended = {"ts": "2024-03-01T12:00:00Z", "ms_played": 1, "chapterTitle": "One", "audiobookName": "Novel"}
    place = write_export_folder(tmp_path / "e", **{"StreamingHistory_audiobook_0.json": basic, AUDIO: [extended]})
    export = receive_folder(place, lake)
    assert read_bodies(export) == [
        {"ts": "2024-03-01T12:00:00Z", "ms_played": 1, "audiobook_title": "Novel", "audiobook_chapter_title": "One"}
    ]
    assert read_bodies(export, 1) == [
        record | {"audiobookName": "Novel", "chapterName": "One", "authorName": "A. Writer"},
        record | {"podcastName": "Show", "episodeName": None},
        record | {"audiobookName": "Novel"},
    ]
    assert export.skipped_fields == ["ip"]


def test_the_same_export_is_one_input_however_it_is_packed(tmp_path: Path, lake: Lake) -> None:
    files = {AUDIO: [make_play()], VIDEO: [make_play(ts="2024-03-01T13:00:00Z")]}
    zipped = receive_folder(
        write_export_zip(tmp_path / "a.zip", **{f"MyData/{name}": value for name, value in files.items()}), lake
    )
    again = receive_folder(write_export_folder(tmp_path / "unpacked", **files, **{"Userdata.json": {}}), lake)
    assert zipped.inputs == again.inputs and len(lake.inputs.find_inputs(["account_export"])) == 1


def test_another_listener_timezone_or_record_is_another_input(tmp_path: Path, lake: Lake) -> None:
    place = write_export_folder(tmp_path / "one", **{AUDIO: [make_play()]})
    other_folder = write_export_folder(tmp_path / "two", **{AUDIO: [make_play(ms_played=1)]})
    exports = [
        receive_folder(place, lake),
        receive_folder(place, lake, user="ben"),
        receive_folder(place, lake, timezone="UTC"),
        receive_folder(other_folder, lake),
    ]
    assert len({export.inputs[0].input_id for export in exports}) == 4


def test_odd_numbers_and_texts_are_kept_for_the_judge(tmp_path: Path, lake: Lake) -> None:
    odd = [
        b'[{"ms_played": %s, "ts": "2024-03-01T12:00:00Z"},' % (b"9" * 5000),
        b'{"ms_played": NaN}, {"ms_played": 1e999}, {"ms_played": -Infinity}, {"ms_played": "7"},',
        b'{"ms_played": 1, "platform": "\\ud83c \\u0000"}, {"ms_played": 1, "platform": "%s"}]' % (b"x" * 99_999),
    ]
    export = receive_folder(write_export_folder(tmp_path / "e", **{AUDIO: b"".join(odd)}), lake)
    stored_bodies = read_bodies(export)
    assert stored_bodies[0]["ms_played"] == "9" * 5000
    assert [record["ms_played"] for record in stored_bodies[1:5]] == ["NaN", "1e999", "-Infinity", "7"]
    assert stored_bodies[5]["platform"] == "\ud83c \u0000" and len(stored_bodies[6]["platform"]) == 10_000


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "utf-32"])
def test_marks_of_byte_order_do_no_harm(tmp_path: Path, lake: Lake, encoding: str) -> None:
    content = json.dumps([make_play(master_metadata_track_name="Ünïcode 歌")], ensure_ascii=False).encode(encoding)
    export = receive_folder(write_export_folder(tmp_path / "e", **{AUDIO: content, "Userdata.json": {}}), lake)
    assert read_bodies(export)[0]["master_metadata_track_name"] == "Ünïcode 歌"


REFUSED: dict[str, tuple[bytes | Any, str]] = {
    "cut": (encode_file([make_play(), make_play()])[:-300], "breaks off or is no JSON"),
    "empty": (b" \n", "the file is empty"),
    "no JSON": (b"<html>Sign in</html>", "breaks off or is no JSON"),
    "no list": ({"plays": [make_play()]}, "is no list of plays"),
    "a number": (b"7", "is no list of plays"),
    "other fields": ([{"when": 1, "what": 2}], "none of the fields of a streaming history (it has: what, when)"),
    "no objects": ([1, 2], "none of the fields of a streaming history (it has: none)"),
    "Latin-1": (json.dumps([make_play(platform="é")], ensure_ascii=False).encode("latin-1"), "is not UTF-8"),
    "deep": (b"[" * 200_000 + b"]" * 200_000, "nested too deeply"),
    "deep record": (b'[{"ms_played":' + b"[" * 99_999 + b"]" * 99_999 + b"}]", "nested too deeply"),
    "no plays": ([], "The export holds no plays"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_bad_file_refuses_the_whole_export(tmp_path: Path, lake: Lake, case: str) -> None:
    content, sentence = REFUSED[case]
    good = {} if case == "no plays" else {"endsong_0.json": [make_old_play()]}
    message = get_rejection(write_export_folder(tmp_path / "e", **{AUDIO: content}, **good), lake)
    assert sentence in message and message.count(AUDIO) == 1


def test_a_file_that_is_too_large(tmp_path: Path, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "MAX_FILE_BYTES", 1000)
    message = get_rejection(write_export_folder(tmp_path / "e", **{AUDIO: [make_play()] * 9}), lake)
    assert "is larger than" in message and message.count(AUDIO) == 1


def test_nothing_there(tmp_path: Path, lake: Lake) -> None:
    assert "no such file or folder" in get_rejection(tmp_path / "absent.zip", lake)
    assert "no such file or folder" in get_rejection("/dev/null", lake)
    assert "download it, signed in" in get_rejection("https://example.org/my_spotify_data.zip", lake)
    assert "holds a NUL" in get_rejection("a\0b", lake)
    (tmp_path / "empty").mkdir()
    assert "There is no streaming history here (there is: no files at all)" in get_rejection(tmp_path / "empty", lake)
    message = get_rejection(write_export_folder(tmp_path / "other", **{"Userdata.json": {}, "Follow.json": {}}), lake)
    assert "There is no streaming history here (there is: Follow.json, Userdata.json)" in message


@pytest.mark.parametrize(
    "name", ["/etc/Streaming_History_Audio.json", f"../{AUDIO}", f"a\\..\\..\\{AUDIO}", "C:/x.json"]
)
def test_paths_that_lead_out_of_a_zip(tmp_path: Path, lake: Lake, name: str) -> None:
    assert "leads out of the zip file" in get_rejection(
        write_export_zip(tmp_path / "a.zip", **{name: [make_play()]}), lake
    )


def test_links_are_not_followed(tmp_path: Path, lake: Lake) -> None:
    outside = write_export_folder(tmp_path / "outside", **{AUDIO: [make_play()]})
    for number, target in enumerate((outside, outside / AUDIO)):
        place = write_export_folder(tmp_path / f"e{number}", **{VIDEO: [make_play()]})
        (place / f"link{number}").symlink_to(target)
        assert f"link{number}: this is a link" in get_rejection(place, lake)
    link = zipfile.ZipInfo(AUDIO)
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "link.zip", "w") as archive:
        archive.writestr(link, str(outside / AUDIO))
    assert "this is a link, inside a zip file" in get_rejection(tmp_path / "link.zip", lake)


def test_what_is_no_regular_file_is_not_opened(tmp_path: Path, lake: Lake) -> None:
    place = write_export_folder(tmp_path / "e", **{AUDIO: [make_play()]})
    os.mkfifo(place / VIDEO)
    assert receive_folder(place, lake).files_read == [AUDIO]


def test_zip_bombs(tmp_path: Path, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = write_export_zip(tmp_path / "ratio.zip", **{AUDIO: b"[" + b" " * (8 << 20) + b"]"})
    assert "unpacks to more than 200 times its size" in get_rejection(bomb, lake)
    many = write_export_zip(tmp_path / "many.zip", **{f"{n}.json": b"[]" for n in range(2_001)})
    assert "more than 2000 files" in get_rejection(many, lake)
    assert "more than 2000 files" in get_rejection(
        write_export_folder(tmp_path / "f", **{f"{n}": b"" for n in range(2_001)}), lake
    )
    monkeypatch.setattr(container, "MAX_BYTES", 100)
    assert "would unpack to more than" in get_rejection(
        write_export_zip(tmp_path / "sum.zip", **{AUDIO: [make_play()]}), lake
    )


def test_a_list_of_members_without_end_is_not_read(tmp_path: Path, lake: Lake) -> None:
    whole = write_export_zip(tmp_path / "a.zip", **{AUDIO: [make_play()]}).read_bytes()
    place = whole.rfind(b"PK\x05\x06") + 12
    (tmp_path / "long.zip").write_bytes(whole[:place] + struct.pack("<I", 1 << 30) + whole[place + 4 :])
    assert "more than 2000 files" in get_rejection(tmp_path / "long.zip", lake)


def test_a_size_that_lies(tmp_path: Path, lake: Lake) -> None:
    whole = write_export_zip(tmp_path / "a.zip", **{AUDIO: [make_play()] * 50}).read_bytes()
    place = whole.rfind(b"PK\x01\x02") + 24
    (tmp_path / "lie.zip").write_bytes(whole[:place] + struct.pack("<I", 5000) + whole[place + 4 :])
    assert AUDIO in get_rejection(tmp_path / "lie.zip", lake)


def test_locked_cut_and_nested_zips(tmp_path: Path, lake: Lake) -> None:
    whole = write_export_zip(tmp_path / "a.zip", **{AUDIO: [make_play()]}).read_bytes()
    central = whole.rfind(b"PK\x01\x02")
    locked = bytearray(whole)
    locked[6] |= 1
    locked[central + 8] |= 1
    (tmp_path / "locked.zip").write_bytes(bytes(locked))
    assert "locked with a password" in get_rejection(tmp_path / "locked.zip", lake)
    (tmp_path / "cut.zip").write_bytes(whole[:-10])
    assert "broken or cut" in get_rejection(tmp_path / "cut.zip", lake)
    flipped = bytearray(whole)
    flipped[central - 20] ^= 0xFF
    (tmp_path / "flipped.zip").write_bytes(bytes(flipped))
    assert f"{AUDIO}: the zip file is broken here" in get_rejection(tmp_path / "flipped.zip", lake)
    deep = whole
    for name in ("c.zip", "b.zip", "a.zip", "deep.zip"):
        deep = write_export_zip(tmp_path / name, **{f"in-{name}": deep}).read_bytes()
    message = "in-deep.zip/in-a.zip/in-b.zip/in-c.zip: this is a zip file within the export"
    assert message in get_rejection(tmp_path / "deep.zip", lake)
    broken = write_export_folder(tmp_path / "broken", **{"data.zip": whole[:-10], AUDIO: [make_play()]})
    assert "data.zip: the zip file is broken or cut" in get_rejection(broken, lake)
    bad = write_export_zip(
        tmp_path / "bad.zip", **{"data.zip": write_export_zip(tmp_path / "b.zip", **{"../x.json": []}).read_bytes()}
    )
    assert "leads out of the zip file" in get_rejection(bad, lake)
    with pytest.warns(UserWarning), zipfile.ZipFile(tmp_path / "twice.zip", "w") as archive:
        archive.writestr(AUDIO, encode_file([make_play()]))
        archive.writestr(AUDIO, encode_file([make_play()]))
    assert "holds this name twice" in get_rejection(tmp_path / "twice.zip", lake)


def test_zips_within_a_folder_or_a_zip_are_read(tmp_path: Path, lake: Lake) -> None:
    extended = write_export_zip(
        tmp_path / "extended.zip", **{f"MyData/{AUDIO}": [make_play()], "MyData/a.pdf": b"%PDF"}
    )
    files = {"my_spotify_data.zip": extended.read_bytes(), BASIC: [make_basic_play()], "__MACOSX/._x.zip": b"\0"}
    for place in (write_export_folder(tmp_path / "f", **files), write_export_zip(tmp_path / "outer.zip", **files)):
        export = receive_folder(place, lake)
        assert [received_input.format for received_input in export.inputs] == ["extended_export", "basic_export"]
        assert export.files_read == [BASIC, f"my_spotify_data.zip/MyData/{AUDIO}"]
        assert export.skipped_files == ["__MACOSX/._x.zip", "my_spotify_data.zip/MyData/a.pdf"]


def test_zips_within_an_export_are_bounded(tmp_path: Path, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = write_export_zip(tmp_path / "i.zip", **{AUDIO: [make_play()], VIDEO: [make_play()]}).read_bytes()
    place = write_export_folder(tmp_path / "f", **{"a.zip": inner, "b.zip": inner})
    monkeypatch.setattr(container, "MAX_FILES", 3)
    assert "more than 3 files" in get_rejection(place, lake)
    monkeypatch.setattr(container, "MAX_FILE_BYTES", len(inner) - 1)
    assert "a.zip: this is a zip file within the export, and it is larger" in get_rejection(place, lake)
    monkeypatch.setattr(container, "MAX_FILE_BYTES", len(inner))
    monkeypatch.setattr(container, "MAX_NESTED_ZIP_BYTES", len(inner))
    assert "b.zip: this is a zip file within the export, and it is larger" in get_rejection(place, lake)


def test_files_compressed_by_gzip_are_read(tmp_path: Path, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = gzip.compress(encode_file([make_play()]))
    place = write_export_folder(
        tmp_path / "f", **{f"{AUDIO}.gz": whole, f"{BASIC}.gz": gzip.compress(encode_file([make_basic_play()]))}
    )
    for path in (place / f"{AUDIO}.gz", place, write_export_zip(tmp_path / "a.zip", **{f"{AUDIO}.gz": whole})):
        assert receive_folder(path, lake).inputs[0].format == "extended_export"
    assert len(lake.inputs.find_inputs(["account_export"])) == 2


@pytest.mark.parametrize("change", [lambda whole: whole[:-20], lambda whole: b"not" + whole, lambda whole: b"\x1f\x8b"])
def test_broken_gzip(tmp_path: Path, lake: Lake, change: Callable[[bytes], bytes]) -> None:
    place = write_export_folder(tmp_path / "f", **{f"{AUDIO}.gz": change(gzip.compress(encode_file([make_play()])))})
    assert f"{AUDIO}.gz: the compressed file is broken here" in get_rejection(place, lake)


def test_a_gzip_bomb(tmp_path: Path, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "MAX_FILE_BYTES", 1 << 20)
    place = write_export_folder(tmp_path / "f", **{f"{AUDIO}.gz": gzip.compress(b"[" + b" " * (8 << 20) + b"]")})
    assert "unpacks to more than 200 times" in get_rejection(place, lake)


@pytest.mark.parametrize("name", ["my_spotify_data.7z", "Streaming_History_Audio_2024.json.bz2", "MyData.tar.gz"])
def test_other_archives_are_named_as_what_they_are(tmp_path: Path, lake: Lake, name: str) -> None:
    place = write_export_folder(tmp_path / "f", **{name: b"?", AUDIO: [make_play()]})
    assert f"{name}: this is packed in a way that is not read. Unpack it" in get_rejection(place, lake)
    assert "this is packed in a way that is not read" in get_rejection(place / name, lake)


LIBRARY = {
    "tracks": [{"artist": "Singer", "album": "Record", "track": "Song", "uri": TRACK_URI}],
    "albums": [{"artist": "Singer", "album": "Record", "uri": "spotify:album:0123456789abcdefghijKL"}],
    "shows": [],
    "bannedTracks": [{"artist": "Noise", "album": "Noise", "track": "Noise", "uri": TRACK_URI}],
    "artists": [{"name": "Singer", "uri": "spotify:artist:0123456789abcdefghijKL"}],
    "bannedArtists": [],
}
PLAYLIST = {
    "name": "Mine",
    "lastModifiedDate": "2024-03-01",
    "collaborators": ["ada.lovelace"],
    "items": [
        {
            "track": {"trackName": "Song", "artistName": "Singer", "albumName": "Record", "trackUri": TRACK_URI},
            "episode": None,
            "audiobook": None,
            "localTrack": None,
            "addedDate": "2024-02-01",
            "addedBy": "ada.lovelace",
        },
        {"track": None, "episode": {"episodeName": "One", "showName": "Show", "episodeUri": "spotify:episode:1"}},
        {"track": None, "episode": None, "localTrack": {"uri": "spotify:local:a:b:c:1"}},
        {"track": None, "episode": None, "localTrack": None, "addedDate": "2024-02-02"},
    ],
    "description": "by ada.lovelace",
    "numberOfFollowers": 3,
}


def local(number: int, **fields: Any) -> dict[str, Any]:
    """Return a record with a date that a spreadsheet program has reformatted."""
    return make_basic_play(endTime=f"3/1/2024 {number % 24}:03", **fields)


def test_an_export_of_which_nearly_all_plays_would_be_rejected_fails(tmp_path: Path, lake: Lake) -> None:
    bad = write_export_folder(tmp_path / "f", **{BASIC: [local(number) for number in range(60)] + [make_basic_play()]})
    message = get_rejection(bad, lake)
    assert "Of 61 sampled plays, 60 would be rejected: endTime is no possible time (60)" in message
    assert f"the first is in {BASIC}" in message and "Nothing was imported" in message


@pytest.mark.parametrize(
    ("records", "reason"),
    [
        ([local(number) for number in range(5)], "endTime is no possible time (5)"),
        ([make_basic_play(msPlayed="3 min")] * 3 + [make_basic_play()] * 2, "msPlayed is no possible length (3)"),
        ([make_basic_play(trackName=None)] * 3, "trackName is missing (3)"),
        ([make_play(ts="1970-01-01T00:00:00Z")] * 3, "ts is no possible time (3)"),
        ([make_play(ts="2031-01-01T00:00:00Z")] * 3, "ts is no possible time (3)"),
        ([7, None, make_play()], "record is no object (2)"),
    ],
)
def test_an_export_of_which_most_plays_would_be_rejected_warns(
    tmp_path: Path, lake: Lake, records: list[Any], reason: str
) -> None:
    export = receive_folder(write_export_folder(tmp_path / "f", **{AUDIO: records}), lake)
    assert export.warning and reason in export.warning


def test_good_and_odd_plays_do_not_warn(tmp_path: Path, lake: Lake) -> None:
    spoken = [{"endTime": "2024-03-01 13:00", "podcastName": None, "episodeName": None, "msPlayed": "1"}]
    good = [make_basic_play(endTime="2024-03-01T12:03"), make_basic_play(msPlayed=5.0), local(1)]
    export = receive_folder(
        write_export_folder(tmp_path / "f", **{BASIC: spoken * 3 + good, AUDIO: [make_old_play(ms_played="0")]}), lake
    )
    assert export.warning is None


def test_of_many_plays_some_are_looked_at(tmp_path: Path, lake: Lake) -> None:
    records = [make_basic_play()] * 100 + [local(1)] * 3_200
    export = receive_folder(write_export_folder(tmp_path / "f", **{BASIC: records}), lake)
    assert "Of 300 sampled plays, 200 would be rejected" in str(export.warning)


def test_saved_tracks_and_followed_artists(tmp_path: Path, lake: Lake) -> None:
    export = receive_folder(write_export_folder(tmp_path / "f", **{"YourLibrary.json": LIBRARY}), lake)
    assert [(received_input.format, received_input.row_count) for received_input in export.inputs] == [
        ("library_export", 2)
    ]
    assert read_bodies(export) == [
        {"kind": "track", "track": "Song", "artist": "Singer", "album": "Record", "uri": TRACK_URI},
        {"kind": "artist", "name": "Singer", "uri": "spotify:artist:0123456789abcdefghijKL"},
    ]
    assert export.skipped_fields == ["albums", "bannedTracks"]


def test_playlists_lose_what_is_private(tmp_path: Path, lake: Lake) -> None:
    place = write_export_folder(tmp_path / "f", **{"Playlist1.json": {"playlists": [PLAYLIST]}, "b.json": {}})
    (place / "Playlist2.json").write_bytes(encode_file({"playlists": [{**PLAYLIST, "items": []}]}))
    export = receive_folder(place, lake)
    assert [(received_input.format, received_input.row_count) for received_input in export.inputs] == [
        ("playlist_export", 6)
    ]
    head = {"kind": "playlist", "playlist": 1, "name": "Mine", "playlistUri": None, "lastModifiedDate": "2024-03-01"}
    track = {"trackName": "Song", "artistName": "Singer", "albumName": "Record", "trackUri": TRACK_URI}
    assert read_bodies(export)[:2] == [head, {"kind": "track", "playlist": 1, **track, "addedDate": "2024-02-01"}]
    assert [body["kind"] for body in read_bodies(export)[2:]] == ["episode", "local track", "nothing", "playlist"]
    assert export.skipped_fields == ["addedBy", "collaborators", "description", "numberOfFollowers"]
    assert not [word for word in PRIVATE if word in json.dumps(read_lines(export))]


def test_a_library_is_told_by_its_content_and_stands_beside_plays(tmp_path: Path, lake: Lake) -> None:
    files = {
        AUDIO: [make_play()],
        "a.json": LIBRARY,
        "b.json": {"playlists": [PLAYLIST]},
        "Userdata.json": {"tracks": 7},
    }
    export = receive_folder(write_export_zip(tmp_path / "a.zip", **files), lake)
    assert [received_input.format for received_input in export.inputs] == [
        "extended_export",
        "library_export",
        "playlist_export",
    ]
    assert export.skipped_files == ["Userdata.json"]


def test_playlists_of_a_file_alone_say_so(tmp_path: Path, lake: Lake) -> None:
    place = write_export_folder(tmp_path / "f", **{"Playlist1.json": {"playlists": [PLAYLIST]}})
    assert read_bodies(receive_folder(place / "Playlist1.json", lake))[0]["is_alone"] is True


def test_a_broken_library_refuses_the_export_and_one_of_another_form_does_not(tmp_path: Path, lake: Lake) -> None:
    broken = write_export_folder(tmp_path / "f", **{"YourLibrary.json": b'{"tracks": [', AUDIO: [make_play()]})
    assert "YourLibrary.json: the file breaks off or is no JSON" in get_rejection(broken, lake)
    odd = {"YourLibrary.json": {"tracks": {}}, "Playlist1.json": {"playlists": [1]}, "Playlist2.json": []}
    export = receive_folder(write_export_folder(tmp_path / "g", **odd, **{AUDIO: [make_play()]}), lake)
    assert set(export.skipped_files) == set(odd)


@pytest.mark.parametrize(
    ("method", "changes", "sentence"),
    [
        (zipfile.ZIP_LZMA, {90: b"\xff\xff\xff"}, f"{AUDIO}: the zip file is broken here"),
        (zipfile.ZIP_BZIP2, {65: b"\xff\xff\xff"}, f"{AUDIO}: the zip file is broken here"),
        # A header whose UTF-8 flag is set, with a name that is not UTF-8; a member without a name.
        (zipfile.ZIP_DEFLATED, {7: b"\x08", 30: b"\xff"}, f"{AUDIO}: the zip file is broken here"),
        (zipfile.ZIP_DEFLATED, {-46: b"\0"}, "leads out of the zip file"),
    ],
)
def test_broken_members(tmp_path: Path, lake: Lake, method: int, changes: dict[int, bytes], sentence: str) -> None:
    """Check errors of changed bytes, at offsets in the member's header, or in its directory entry if negative."""
    path = tmp_path / "broken.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr(AUDIO, encode_file([make_play()] * 20))
    content = bytearray(path.read_bytes())
    directory = content.rindex(b"PK\x01\x02")
    for place, value in changes.items():
        begin = place if place > 0 else directory - place
        content[begin : begin + len(value)] = value
    path.write_bytes(content)
    assert sentence in get_rejection(path, lake)


@pytest.mark.parametrize("user", ["", " ", "a b", "ada/ben", "../x", "-x", "x" * 65, "ada\n", "a'; drop", "unknown"])
def test_a_user_that_is_none(tmp_path: Path, lake: Lake, user: str) -> None:
    place = write_export_folder(tmp_path / "e", **{AUDIO: [make_play()]})
    if user.strip() == "ada":
        assert receive_folder(place, lake, user=user).inputs
    else:
        assert "The user must be an id" in get_rejection(place, lake, user=user)


@pytest.mark.parametrize("zone", ["", "Berlin", "europe/berlin", "EST", "+01:00", "../../etc/passwd", "Factory"])
def test_a_timezone_that_is_none(tmp_path: Path, lake: Lake, zone: str) -> None:
    message = get_rejection(write_export_folder(tmp_path / "e", **{AUDIO: [make_play()]}), lake, timezone=zone)
    assert "The timezone must be an IANA name" in message
    assert zone not in ("Berlin", "europe/berlin") or "Did you mean Europe/Berlin" in message


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 10**6), junk=st.binary(max_size=3), cut=st.booleans())
def test_damage_gives_a_sentence_or_all_records(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, place: int, junk: bytes, cut: bool
) -> None:
    """Check that changed bytes in the JSON or zip file lead to a rejection or to all records, never to some."""
    lake = Lake(tmp_path_factory.mktemp("lake").as_uri())
    raw = encode_file([make_play(), make_old_play()])
    zipped = write_export_zip(tmp_path / "whole.zip", **{AUDIO: raw, VIDEO: [make_play()]}).read_bytes()
    for name, whole in (("damaged.json", raw), ("damaged.zip", zipped)):
        at = place % len(whole)
        damaged = whole[:at] + junk + (b"" if cut else whole[at + len(junk) :])
        (tmp_path / name).write_bytes(damaged)
        try:
            export = receive_folder(tmp_path / name, lake)
        except ActionNeededError as error:
            assert str(error)
        else:
            assert sum(received_input.row_count for received_input in export.inputs) >= 1


def test_a_name_that_no_file_can_have_is_said(tmp_path: Path, lake: Lake) -> None:
    assert "no file has so long a name" in get_rejection(tmp_path / ("x" * 300), lake)


def test_an_unreadable_folder_says_so(tmp_path: Path, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    place = write_export_folder(tmp_path / "e", **{AUDIO: [make_play()]})

    def denied(self: Path, *_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "open", denied)
    assert "cannot be read (Permission denied)" in get_rejection(place / AUDIO, lake)


def test_messages_in_the_paper_are_those_of_the_code() -> None:
    sources = " ".join(
        re.sub(r'"\s*\n\s*f?"', "", path.read_text(encoding="utf-8"))
        for folder in ("extract", "transform")
        for path in (
            *(CHECKOUT / "etl" / folder / "account_export").rglob("*.py"),
            CHECKOUT / "etl" / "formats" / "compression.py",
        )
    )
    paper = (CHECKOUT / "docs" / "exports.md").read_text(encoding="utf-8")
    messages = [quoted for line in paper.splitlines() for quoted in re.findall(r'^\| "([^"]+)"', line)]
    assert len(messages) > 15
    assert not [message for message in messages if message not in sources]


def test_errors_are_wrong_files(tmp_path: Path, lake: Lake) -> None:
    with pytest.raises(WrongFileError):
        receive_folder(tmp_path / "absent", lake)


def test_a_table_of_scrobbles_of_which_nearly_all_would_be_rejected_is_no_history(tmp_path: Path, lake: Lake) -> None:
    rows = "".join(f"Singer,Song {number},never\n" for number in range(30))
    (tmp_path / "scrobbles.csv").write_text(f"artist,track,date\n{rows}")
    message = get_rejection(tmp_path / "scrobbles.csv", lake)
    assert "30 would be rejected: time of the play is no date and time (30)" in message
    (tmp_path / "table.csv").write_text("a,b\n1,2\n")
    assert "no columns of artist, track and time (it has: a, b)" in get_rejection(tmp_path / "table.csv", lake)


def test_other_services_stand_beside_spotify_in_one_folder(tmp_path: Path, lake: Lake) -> None:
    files = {
        AUDIO: [make_play()],
        "listens/2024/3.jsonl": encode_lines(make_listens()),
        "watch-history.json": [make_watch_record("Band", "Song", FIRST_TIME)],
        "scrobbles.csv": b"artist,track,uts\nBand,Song,1709294400\n",
        "Apple Music Play Activity.csv": write_apple_table([make_apple_row("Band", "Song", FIRST_TIME)]),
        "Apple Music - Container Details.csv": b"Container,Artist\nA,B\n",
        "user.json": {"username": "ada"},
    }
    export = receive_folder(write_export_folder(tmp_path / "all", **files), lake)
    assert [(received.format, received.row_count) for received in export.inputs] == [
        ("extended_export", 1),
        ("apple_music_export", 1),
        ("listenbrainz_export", 8),
        ("lastfm_export", 1),
        ("youtube_music_export", 1),
    ]
    assert export.skipped_files == ["Apple Music - Container Details.csv", "user.json"]


def test_a_gzip_file_that_expands_too_much_is_rejected(tmp_path: Path, lake: Lake) -> None:
    for name in ("listens.jsonl.gz", "Streaming_History_Audio_0.json.gz"):
        (tmp_path / name).write_bytes(gzip.compress(b"{}\n" * (8 << 20), 9))
        assert "unpacks to more than 200 times" in get_rejection(tmp_path / name, lake)


def test_a_large_file_that_is_no_history_is_not_read(tmp_path: Path, lake: Lake, monkeypatch: Any) -> None:
    monkeypatch.setattr(services, "_MAX_UNEXPECTED_BYTES", 4096)
    scrobbles = "".join(f"Singer,Record,Song {number},{1_700_000_000 + 300 * number}\n" for number in range(300))
    table = f"artist,album,track,date\n{scrobbles}"
    folder = write_export_folder(
        tmp_path / "takeout", **{"places.csv": table.encode(), "scrobbles.csv": table.encode(), AUDIO: [make_play()]}
    )
    assert receive_folder(folder, lake).skipped_files == ["places.csv"]


def test_records_of_a_file_are_limited(tmp_path: Path, lake: Lake, monkeypatch: Any) -> None:
    monkeypatch.setattr(services, "MAX_PLAYS", 7)
    (tmp_path / "listens.jsonl").write_bytes(encode_lines(make_listens()))
    assert "more than 7 records" in get_rejection(tmp_path / "listens.jsonl", lake)
    monkeypatch.setattr(file_content, "_MAX_JSON_VALUES", 20)
    (tmp_path / "listens.json").write_bytes(encode_json(make_listens()))
    assert "more than 20 values" in get_rejection(tmp_path / "listens.json", lake)


def test_lines_are_read_in_batches(tmp_path: Path, lake: Lake, monkeypatch: Any) -> None:
    monkeypatch.setattr(file_content, "_BATCH_LINES", 2)
    monkeypatch.setattr(file_content, "_MAX_LINE_LENGTH", 2000)
    too_long = make_listens()[0] | {"padding": "x" * 5000}
    lines = encode_lines(["{}", "{}", "{}", too_long, *make_listens(), "{", "{"])
    (tmp_path / "listens.jsonl").write_bytes(lines)
    export = receive_folder(tmp_path / "listens.jsonl", lake)
    assert export.inputs[0].row_count == 14
    bodies = read_bodies(export)
    assert [body.get("problem") for body in bodies].count("line is no JSON") == 3
    assert sum("track" in body for body in bodies) == 8


def test_tables_without_names_are_histories_only_if_they_are_named_so(tmp_path: Path, lake: Lake) -> None:
    files = {"numbers.csv": b"Name,Date,Value,\na,b,c,d\n", "log.txt": b"a,b,2024-01-01 10:00\nc,d,2024-01-01 11:00\n"}
    export = receive_folder(write_export_folder(tmp_path / "folder", **files, **{AUDIO: [make_play()]}), lake)
    assert export.skipped_files == ["log.txt", "numbers.csv"]
    named = write_export_folder(
        tmp_path / "named", **{"scrobbles.csv": files["log.txt"], "lastfm.csv": files["numbers.csv"]}
    )
    export = receive_folder(named, lake)
    assert export.files_read == ["scrobbles.csv"] and export.inputs[0].row_count == 2
    (tmp_path / "numbers.csv").write_bytes(files["numbers.csv"])
    with pytest.raises(WrongFileError, match="no columns of artist"):
        receive_folder(tmp_path / "numbers.csv", lake)


@pytest.mark.parametrize(
    ("write_title", "count", "is_warned"),
    [
        (lambda song: f"Vous avez écouté {song}", 3, False),
        (lambda song: f"Kuunneltu {song}", 30, False),
        (lambda song: f"{song} を視聴しました", 30, False),
        (lambda song: f"Du hast {song} angehört", 30, False),
        (lambda song: f"观看了{song}", 30, False),
        (lambda song: f"Watched {song}", 30, False),
        (lambda song: song, 30, True),
    ],
)
def test_the_verb_of_any_language_is_no_part_of_a_title(
    tmp_path: Path, lake: Lake, write_title: Callable[[str], str], count: int, is_warned: bool
) -> None:
    songs = [f"{chr(65 + number % 26)} song {number} x{chr(97 + number % 26)}" for number in range(count)]
    records = [make_watch_record("Singer", "", FIRST_TIME, title=write_title(song)) for song in songs]
    removed = make_watch_record("Singer", "", FIRST_TIME, title=write_title("https://music.youtube.com/watch?v=A"))
    (tmp_path / "watch-history.json").write_bytes(encode_json([*records, removed]))
    export = receive_folder(tmp_path / "watch-history.json", lake)
    assert [body.get("track") or None for body in read_bodies(export)] == [*songs, None]
    assert ("no title has a verb" in (export.warning or "")) == is_warned
