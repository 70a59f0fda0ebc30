"""Imports of files: valid files are stored with a correct manifest, invalid files leave nothing and a clear message."""

import gzip
import http.server
import os
import re
import threading
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

import fsspec
import pytest

from campaigns.malformed_input.tables import read_table_rows
from etl.errors import ActionNeededError, TryAgainError, WrongFileError
from etl.extract.kaggle import receive_file, receive_files
from etl.extract.source_files import find_files
from etl.formats.kaggle.file_formats import FORMATS, FileFormat
from etl.jobs import kaggle
from etl.settings import read_settings
from etl.storage.lake import Lake

NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
ARTISTS = "id,followers,genres,name,popularity\n" + "0DheY5irMjBUeLybbCUEZ2,12.0,\"['pop']\",Someone,5\n" * 3


def _write_file(folder: Path, name: str, content: str | bytes) -> str:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def test_a_file_is_kept_as_it_is_with_a_note(tmp_path: Path, lake: Lake) -> None:
    received = receive_file(_write_file(tmp_path, "artists.csv", ARTISTS), None, lake, NOW)
    assert (received.format, received.origin, received.row_count) == ("artists_1921_2020", "kaggle", 3)
    assert received.columns == ("id", "followers", "genres", "name", "popularity")
    assert Path(received.url.removeprefix("file://")).read_bytes() == ARTISTS.encode()
    assert lake.inputs.find_inputs(["kaggle"]) == [received]


def test_the_same_bytes_again_are_the_same_input(tmp_path: Path, lake: Lake) -> None:
    path = _write_file(tmp_path, "artists.csv", ARTISTS)
    first = receive_file(path, None, lake, NOW)
    again = receive_file(path, "artists_1921_2020", lake, datetime(2027, 1, 1, tzinfo=UTC))
    assert again == first and len(lake.inputs.find_inputs(["kaggle"])) == 1


@pytest.mark.parametrize("name", ["artists.csv.gz", "artists.zip"])
def test_packed_files_are_read(tmp_path: Path, lake: Lake, name: str) -> None:
    path = tmp_path / name
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress(ARTISTS.encode()))
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("artists.csv", ARTISTS)
    assert receive_file(str(path), None, lake, NOW).row_count == 3


WRONG = {
    "empty": (b"", "the file is empty"),
    "blank": (b"\xef\xbb\xbf\r\n  \r\n", "the file is empty"),
    "header_only": (b"id,followers,genres,name,popularity\n", "a header but no rows"),
    "binary": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8, "is binary"),
    "html": (b"\n<!DOCTYPE html><html><title>Sign in</title></html>", "is a web page (HTML)"),
    "cut_in_row": (ARTISTS.encode()[:-3], "is cut: its last row has 4 of 5 fields"),
    "cut_in_quotation": (ARTISTS.encode()[:-15], "ends within a quotation"),
    "unknown": (b"a,b\n1,2\n", "its columns ('a', 'b') belong to no known format"),
    "nearly": (
        b"id,followers,name,popularity\n1,2,3,4\n",
        "Nearest is Spotify Dataset 1921-2020 (artists.csv), of which it has the columns "
        "'id', 'followers', 'name', 'popularity' and lacks 'genres'.",
    ),
    "cut_gzip": (gzip.compress(ARTISTS.encode())[:-9], "packed file is broken"),
    "cut_zip": (b"PK\x03\x04" + b"x" * 200, "packed file is broken"),
    "mixed_encoding": ("id,followers\n".encode("utf-16") + b"\x00", "begins as utf-16 but does not go on so"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_file_is_named_and_not_kept(tmp_path: Path, lake: Lake, case: str) -> None:
    content, sentence = WRONG[case]
    with pytest.raises(WrongFileError) as caught:
        receive_file(_write_file(tmp_path, f"{case}.csv", content), None, lake, NOW)
    assert str(caught.value).startswith(f"{case}.csv: ") and sentence in str(caught.value)
    assert lake.inputs.find_inputs(["kaggle"]) == [] and not (tmp_path / "lake").exists()


TRACKS = "\n".join(
    ",".join(f'"{field}"' for field in row)
    for row in [read_table_rows("tracks_by_genre", None)[0], *read_table_rows("tracks_by_genre", None)[1][:4]]
)


def _write_archive(folder: Path, members: dict[str, str | bytes], name: str = "archive.zip") -> str:
    with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    return str(folder / name)


def test_an_archive_brings_each_table_by_its_columns_and_names_what_it_leaves_out(tmp_path: Path, lake: Lake) -> None:
    members = {
        "data/artists.csv": ARTISTS,
        "dataset.csv": TRACKS,
        "dict_artists.json": '{"a": ["b"]}',
        "README": "Hi,\n",
    }
    path = _write_archive(tmp_path, {**members, "__MACOSX/._dataset.csv": b"\0"})
    arrival = receive_files(path, None, lake, NOW)
    assert [
        (received_input.name, received_input.format, received_input.row_count) for received_input in arrival.inputs
    ] == [
        ("artists.csv", "artists_1921_2020", 3),
        ("dataset.csv", "tracks_by_genre", 4),
    ]
    (left_out,) = arrival.inputs[0].remarks
    assert "skipped: README: its columns" in left_out and "dict_artists.json: the file is JSON" in left_out
    with lake.inputs.open_input(arrival.inputs[0]) as content:
        assert content.read() == ARTISTS.encode()
    assert receive_files(path, None, lake, NOW) == arrival
    (first, _) = receive_files(
        _write_archive(tmp_path, {"artists.csv": ARTISTS, "dataset.csv": TRACKS}), None, lake, NOW
    ).inputs
    assert not first.remarks


@pytest.mark.parametrize("aside", [".DS_Store", "data/__MACOSX/._dataset.csv", "data\\\\.hidden"])
def test_what_a_mac_adds_to_an_archive_of_one_table_is_no_file(tmp_path: Path, lake: Lake, aside: str) -> None:
    (received,) = receive_files(
        _write_archive(tmp_path, {"data/dataset.csv": TRACKS, aside: b"\0"}), None, lake, NOW
    ).inputs
    assert received.row_count == 4 and not received.remarks


def test_a_broken_table_of_an_archive_fails_it_and_the_others_are_imported(tmp_path: Path, lake: Lake) -> None:
    path = _write_archive(tmp_path, {"artists.csv": ARTISTS, "cut.csv": ARTISTS[:-3]})
    with pytest.raises(
        WrongFileError, match=r"archive\.zip: cut\.csv: the file is cut.* The others are imported: artists"
    ):
        receive_files(path, None, lake, NOW)
    assert [received_input.name for received_input in lake.inputs.find_inputs(["kaggle"])] == ["artists.csv"]


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        ({}, "the zip file holds no files"),
        ({"a.csv": "x,y\n1,2\n", "b.json": "[]"}, "a.csv: its columns ('x', 'y') belong to no known format.*JSON"),
        ({"../a.csv": ARTISTS, "b.csv": ARTISTS}, "a.csv: this path leads out of the zip file"),
        ({"a.csv": ARTISTS, "b.csv": b"0" * (8 << 20)}, "b.csv: this unpacks to more than 200 times its size"),
        ({"inner.zip": b"PK\x03\x04" + b"0" * 99}, "the packed file holds a zip file: unpack it"),
        ({"a.csv.gz": gzip.compress(ARTISTS.encode())}, "the packed file holds a gzip file: unpack it"),
    ],
)
def test_an_archive_that_cannot_be_used_is_named(
    tmp_path: Path, lake: Lake, members: dict[str, str | bytes], sentence: str
) -> None:
    with pytest.raises(
        WrongFileError, match=rf"(?s)^archive\.zip: .*{re.escape(sentence).replace(re.escape('.*'), '.*')}"
    ):
        receive_files(_write_archive(tmp_path, members), None, lake, NOW)
    assert lake.inputs.find_inputs(["kaggle"]) == []


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b'[{"ts": "2024"}]', "the file is JSON and no table"),
        (gzip.compress(b'{\n "a": 1}', mtime=0), "the file is JSON, packed, and no table"),
        (gzip.compress(gzip.compress(ARTISTS.encode(), mtime=0), mtime=0), "the packed file holds a gzip file"),
        (b"BZh91AY&SY" + b"0" * 50, "the file is a bzip2 file"),
        (gzip.compress(b"a.csv" + b"\0" * 252 + b"ustar" + b"\0" * 300, mtime=0), "the file is a tar archive, packed"),
        (b"PAR1" + b"0" * 50, "the file is Parquet"),
    ],
)
def test_what_is_no_table_is_named_as_what_it_is(tmp_path: Path, lake: Lake, content: bytes, sentence: str) -> None:
    with pytest.raises(WrongFileError, match=f"^odd: {sentence}"):
        receive_file(_write_file(tmp_path, "odd", content), None, lake, NOW)


def test_words_name_formats_that_a_user_can_have(tmp_path: Path, lake: Lake) -> None:
    with pytest.raises(WrongFileError) as caught:
        receive_file(_write_file(tmp_path, "a.csv", "artist_id,artist_name\n1,A\n"), None, lake, NOW)
    assert "'artist_id', 'artist_name'" in str(caught.value)
    assert "made" not in str(caught.value) and "publisher" not in str(caught.value)


def test_a_broken_workbook_is_refused(tmp_path: Path, lake: Lake) -> None:
    with zipfile.ZipFile(tmp_path / "survey.xlsx", "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
    with pytest.raises(WrongFileError, match=r"survey\.xlsx: the spreadsheet is broken"):
        receive_file(str(tmp_path / "survey.xlsx"), None, lake, NOW)


def test_a_chosen_format_must_fit(tmp_path: Path, lake: Lake) -> None:
    path = _write_file(tmp_path, "artists.csv", ARTISTS)
    with pytest.raises(WrongFileError, match=r"this is not Spotify Dataset 1921-2020 \(tracks\.csv\)"):
        receive_file(path, "tracks_1921_2020", lake, NOW)
    with pytest.raises(WrongFileError, match="there is no format 'nonsense'"):
        receive_file(path, "nonsense", lake, NOW)


@pytest.mark.parametrize("known", FORMATS.values(), ids=lambda known: known.name)
def test_each_format_is_recognised_whatever_the_case_and_the_index(
    tmp_path: Path, lake: Lake, known: FileFormat
) -> None:
    columns, rows = read_table_rows(known.name, None)
    header = ["", *(f" {name.upper()} " for name in columns)]
    content = "".join(f"{';'.join(row)}\r\n" for row in (header, ["7", *(field.replace(";", "") for field in rows[0])]))
    received = receive_file(_write_file(tmp_path, "file.csv", "\ufeff" + content), None, lake, NOW)
    assert (received.format, received.delimiter, received.row_count) == (known.name, ";", 1)


def test_a_folder_names_its_files_in_order(tmp_path: Path) -> None:
    for name in ("b.csv", "a.xlsx", ".hidden"):
        _write_file(tmp_path, name, "x")
    (tmp_path / "inner").mkdir()
    assert [Path(file).name for file in find_files(str(tmp_path))] == ["a.xlsx", "b.csv"]
    assert find_files(str(tmp_path / "b.csv")) == [str(tmp_path / "b.csv")]


def test_nothing_there_is_said(tmp_path: Path, lake: Lake) -> None:
    with pytest.raises(WrongFileError, match="no such file or folder"):
        find_files(str(tmp_path / "none"))
    with pytest.raises(WrongFileError, match="holds no files"):
        find_files(str(tmp_path))
    with pytest.raises(WrongFileError, match=r"gone\.csv: there is no such file"):
        receive_file(str(tmp_path / "gone.csv"), None, lake, NOW)


def test_what_has_no_end_is_not_read(tmp_path: Path, lake: Lake) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    for path in (str(tmp_path / "pipe.csv"), "/dev/zero", str(tmp_path)):
        with pytest.raises(WrongFileError, match="this is a folder, a pipe or a device, not a file"):
            receive_file(path, None, lake, NOW)
    with pytest.raises(WrongFileError, match="no such file or folder"):
        find_files(str(tmp_path / ("x" * 300)))


@pytest.mark.parametrize(
    "stem", ["a::b", "per%20cent", "*", "{a,b}", "[ab]", "new\nline", "_under", ".hidden", "é", "x" * 240]
)
def test_a_file_may_have_any_name(tmp_path: Path, lake: Lake, stem: str) -> None:
    received = receive_file(_write_file(tmp_path, f"{stem}.csv", ARTISTS.encode()), None, lake, NOW)
    assert received.name == f"{stem}.csv" and re.fullmatch(r"[A-Za-z0-9-][\w.-]{0,79}", received.url.rsplit("/", 1)[1])
    with fsspec.open(received.url) as by_url, lake.inputs.open_input(received) as by_note:
        assert by_url.read() == by_note.read() == ARTISTS.encode()


def test_a_name_that_is_no_text_is_shown_without_what_is_none(tmp_path: Path, lake: Lake) -> None:
    received = receive_file(_write_file(tmp_path, "\udcff.csv", ARTISTS.encode()), None, lake, NOW)
    assert received.name == "?.csv" and lake.inputs.find_inputs(["kaggle"]) == [received]


class _FileServer(http.server.BaseHTTPRequestHandler):
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        status = int(self.path.split("/")[1])
        self.send_response(status)
        self.end_headers()
        if status == 200:
            self.wfile.write(ARTISTS.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _FileServer) as answering:
        thread = threading.Thread(target=answering.serve_forever)
        thread.start()
        yield f"127.0.0.1:{answering.server_address[1]}"
        answering.shutdown()
        thread.join()


def test_a_url_is_downloaded(lake: Lake, server: str) -> None:
    received = receive_file(f"http://{server}/200/my%20artists.csv?token=secret", None, lake, NOW)
    assert (received.name, received.row_count) == ("my artists.csv", 3)


@pytest.mark.parametrize(
    ("status", "error"),
    [(404, ActionNeededError), (403, ActionNeededError), (429, TryAgainError), (503, TryAgainError)],
)
def test_a_refused_download_says_what_to_do_without_secrets(
    lake: Lake, server: str, status: int, error: type[Exception]
) -> None:
    with pytest.raises(error, match=f"/{status}/a.csv returned status {status}") as caught:
        receive_file(f"http://me:password@{server}/{status}/a.csv?token=secret", None, lake, NOW)
    assert "password" not in str(caught.value) and "secret" not in str(caught.value)


@pytest.mark.parametrize("login", ["me:password@", "password@", ":password@"])
def test_an_address_with_a_login_is_refused_without_it(login: str) -> None:
    with pytest.raises(WrongFileError, match="the address must not contain a user or a password") as caught:
        find_files(f"https://{login}example.org/a.csv?token=secret")
    assert "password@" not in str(caught.value) and "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://[", "http://host:port/a.csv", "http://host:99999/a.csv"])
def test_an_address_that_is_none_is_a_sentence(url: str) -> None:
    with pytest.raises(WrongFileError, match="The address cannot be read"):
        find_files(url)


def test_a_token_in_kaggle_path_goes_to_the_server_and_nowhere_else(
    tmp_path: Path, server: str, warehouse_url: str
) -> None:
    url = f"http://{server}/200/a.csv?token=secret"
    chosen = read_settings({"STATE_DIR": str(tmp_path), "WAREHOUSE_URL": warehouse_url, "KAGGLE_PATH": url})
    (found_file,) = kaggle.find_files(None, chosen)
    assert found_file == f"http://{server}/200/a.csv"
    _FileServer.asked.clear()
    brought = kaggle.import_file(found_file, None, chosen, "run", NOW)
    assert _FileServer.asked == ["/200/a.csv?token=secret"] and "secret" not in str(brought)
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and b"secret" in path.read_bytes()]


def test_an_unreachable_server_may_answer_later(lake: Lake) -> None:
    with pytest.raises(TryAgainError, match=r"http://127\.0\.0\.1:9/a\.csv cannot be reached"):
        receive_file("http://127.0.0.1:9/a.csv?token=secret", None, lake, NOW)
