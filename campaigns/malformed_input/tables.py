"""Delimited tables for the campaign: valid ones, and well-formed ones with malformed rows."""

import csv
import gzip
import io
from collections.abc import Iterator
from functools import cache
from itertools import islice
from pathlib import Path

import python_calamine

from campaigns.malformed_input.row_mutator import RowMutator
from campaigns.malformed_input.synthetic_ids import RECEIVED_AT, make_id
from etl.extract import kaggle, source_files
from etl.formats.kaggle.file_formats import FORMATS
from etl.storage.inputs import ReceivedInput
from etl.storage.lake import Lake

_ROWS_PER_FILE = 10_000
_REAL_TABLES = {
    "tracks_by_genre": "dataset.csv",
    "playlist_songs": "spotify_songs.csv",
    "top_2000s": "Spotify-2000.csv",
    "user_behavior": "Spotify_data.xlsx",
}
_LAYOUTS = (
    ("utf-8", ",", "\n"),
    ("utf-8-sig", ";", "\r\n"),
    ("utf-16", "\t", "\n"),
    ("utf-8", "|", "\r\n"),
    ("utf-8", ",", "\r"),
)
Rows = tuple[list[str], list[list[str]]]


def receive_table(path: Path, lake: Lake) -> list[ReceivedInput]:
    """Receive each file at the path as a Kaggle import does."""
    arrivals = [kaggle.receive_files(file, None, lake, RECEIVED_AT) for file in source_files.find_files(str(path))]
    return [received for arrival in arrivals for received in arrival.inputs]


@cache
def read_table_rows(name: str, real: Path | None) -> Rows:
    """Return header and rows of a format."""
    path = real / "kaggle" / _REAL_TABLES[name] if real and name in _REAL_TABLES else None
    if path is None or not path.exists():
        header = list(FORMATS[name].columns)
        return header, [[_make_value(column, number) for column in header] for number in range(200)]
    if path.suffix == ".xlsx":
        sheet = python_calamine.CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
        return [str(cell) for cell in sheet[0]], [[str(cell) for cell in row] for row in sheet[1:]]
    with path.open(encoding="utf-8-sig", newline="") as file:
        delimiter = ";" if name == "top_2000s" else ","
        rows = list(islice(csv.reader(file, delimiter=delimiter), 20_001))
    return rows[0], rows[1:]


def _make_value(column: str, number: int) -> str:
    """Return a value that is typical of a column's name."""
    lower_name = column.lower()
    by_name = {
        "is_made_up": "true",
        "explicit": "False",
        "mode": "1",
        "key": str(number % 12),
        "time_signature": "4",
        "tempo": "120.5",
        "loudness": "-7.1",
        "followers": f"{number * 1000}.0",
        "genres": "['pop', \"children's music\"]",
        "artists": "['One', 'Two']",
        "artist_ids": f"{make_id(number)};{make_id(number + 1)}",
        "artist_names": "One;Two",
        "id_artists": f"['{make_id(number)}', '{make_id(number + 1)}']",
        "release_date": ("1999", "1999-12", "1999-12-31")[number % 3],
        "year": "1999",
        "duration_ms": str(180_000 + number),
        "length (duration)": "201",
        "premium_sub_willingness": "Yes",
        "music_recc_rating": "3",
    }
    if lower_name in by_name:
        return by_name[lower_name]
    if lower_name.endswith("id") and "name" not in lower_name:
        return make_id(number)
    if "popularity" in lower_name:
        return str(number % 100)
    if "date" in lower_name:
        return "2001-05-05"
    is_text_column = any(
        word in lower_name for word in ("name", "artist", "title", "genre", "pod", "age", "gender", "spotify", "music")
    )
    return f"{column} {number}" if is_text_column else "0.5"


def write_table(rows: Rows, encoding: str = "utf-8", delimiter: str = ",", line_end: str = "\n") -> bytes:
    """Return the bytes of a table."""
    text = io.StringIO(newline="")
    # The writer quotes line ends only if they are its own.
    quoting = csv.QUOTE_MINIMAL if line_end == "\r\n" else csv.QUOTE_ALL
    writer = csv.writer(text, delimiter=delimiter, lineterminator=line_end, quoting=quoting)
    writer.writerow(rows[0])
    writer.writerows(rows[1])
    return text.getvalue().encode(encoding, "replace")


def make_good_table(name: str, real: Path | None) -> bytes:
    """Return the bytes of a valid table of a format."""
    if real and name == "user_behavior":
        return (real / "kaggle" / _REAL_TABLES[name]).read_bytes()
    header, rows = read_table_rows(name, real)
    return write_table((header, rows[:100]))


def write_malformed_tables(
    name: str, folder: Path, real: Path | None, count: int, spoiler: RowMutator
) -> Iterator[tuple[Path, int]]:
    """Write tables with malformed rows, and yield each with its number of rows."""
    header, rows = read_table_rows(name, real)
    for number, begin in enumerate(range(0, count, _ROWS_PER_FILE)):
        size = min(_ROWS_PER_FILE, count - begin)
        # The last row is unchanged: a file whose last row is short counts as truncated.
        malformed_rows = [spoiler.mutate_row(spoiler.rng.choice(rows)) for _ in range(size - 1)] + [rows[0]]
        encoding, delimiter, line_end = _LAYOUTS[number % len(_LAYOUTS)]
        content = write_table((header, malformed_rows), encoding, delimiter, line_end)
        is_compressed = number % 4 == 3
        path = folder / f"{name}_{number}.csv{'.gz' if is_compressed else ''}"
        path.write_bytes(gzip.compress(content) if is_compressed else content)
        yield path, size
