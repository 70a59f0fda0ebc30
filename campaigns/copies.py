"""Copies of tables as people save them: names and numbers read out of them, against the rows that were written.

    python -m campaigns.copies [--files N] [--seed S] [--real FOLDER] [--verbose]

Each copy has some rows of a real file (``--real``, else ``shared/data/kaggle`` beside the checkout) that one of eight
encodings can represent, with one of three delimiters, decimal points or commas, and with or without a byte order mark.
It is received and read as an import does it. A copy in an older encoding has at least one row that is not plain ASCII.
"""

import argparse
import csv
import io
import sys
import tempfile
import time
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from etl.errors import EtlError
from etl.extract.kaggle import receive_file
from etl.formats.kaggle.column_rules import get_column_rules
from etl.formats.kaggle.file_formats import FORMATS, find_column_indexes
from etl.formats.tabular.spark_frame import read_batches
from etl.settings import CHECKOUT
from etl.storage.lake import Lake

ENCODINGS = ("utf-8", "utf-16", "cp1252", "iso-8859-15", "cp1250", "cp1254", "cp1251", "cp932")
DELIMITERS, DECIMALS = (",", ";", "\t"), (".", ",")
_ROW_COUNTS = (2, 3, 5, 30, 30, 100, 300, 2_000)
_REAL_FILES = {"tracks_by_genre": "dataset.csv", "playlist_songs": "spotify_songs.csv", "top_2000s": "Spotify-2000.csv"}
_NAME_COLUMNS = {
    "tracks_by_genre": ("track_name", "artists", "album_name"),
    "playlist_songs": ("track_name", "track_artist", "track_album_name", "playlist_name"),
    "top_2000s": ("Title", "Artist"),
}
_RECEIVED_AT = datetime(2026, 11, 1, tzinfo=UTC)

Row = dict[str, str]


@dataclass(frozen=True)
class CopyLayout:
    """The layout in which a copy is written."""

    format_name: str
    encoding: str
    delimiter: str
    decimal: str
    has_mark: bool

    def write_content(self, rows: Sequence[Row]) -> bytes:
        """Return the bytes of a copy of some rows."""
        text = io.StringIO(newline="")
        writer = csv.writer(text, delimiter=self.delimiter)
        rules = get_column_rules(FORMATS[self.format_name])
        writer.writerow(rules)
        for row in rows:
            writer.writerow(
                row[name].replace(".", self.decimal) if rule.is_number else row[name] for name, rule in rules.items()
            )
        if self.encoding == "utf-16":
            return (b"\xff\xfe" if self.has_mark else b"") + text.getvalue().encode("utf-16-le")
        return (b"\xef\xbb\xbf" if self.has_mark else b"") + text.getvalue().encode(self.encoding)


@dataclass(frozen=True)
class CopyOutcome:
    """A copy's outcome: names and numbers that differ from the written ones, and whether it has a "guess" remark."""

    copy: CopyLayout
    size: int
    wrong_names: tuple[tuple[str, str], ...] = ()
    wrong_numbers: int = 0
    has_guess_remark: bool = False
    rejection: str = ""


def read_real_rows(folder: Path) -> dict[str, list[Row]]:
    """Return the rows of the real files by format."""
    rows = {}
    for name, file in _REAL_FILES.items():
        with (folder / file).open(encoding="utf-8-sig", newline="") as source:
            reader = csv.reader(source, delimiter=";" if name == "top_2000s" else ",")
            positions = find_column_indexes(next(reader), FORMATS[name])
            rows_of_file = [
                {column: row[index] for column, index in zip(FORMATS[name].columns, positions, strict=True)}
                for row in reader
            ]
        # Numbers with thousands separators are a style of their own.
        rows[name] = [
            row
            for row in rows_of_file
            if all(row[column] for column in _NAME_COLUMNS[name]) and "1," not in _get_length(row)
        ]
    return rows


def _get_length(row: Row) -> str:
    return row.get("Length (Duration)", "")


class CopyGenerator:
    """Generator of copies of rows, by chance."""

    def __init__(self, rows: dict[str, list[Row]], seed: int) -> None:
        self._rng = Random(seed)
        self._rows: dict[tuple[str, str], tuple[list[Row], list[Row]]] = {}
        for name, rows_of_format in rows.items():
            for encoding in ENCODINGS:
                writable = [row for row in rows_of_format if _is_writable(name, row, encoding)]
                accented = [row for row in writable if not "".join(row.values()).isascii()]
                if accented:
                    self._rows[name, encoding] = (writable, accented)

    def read_copy(self, number: int, lake: Lake, folder: Path) -> CopyOutcome:
        """Write, receive and read the next copy."""
        name, encoding = sorted(self._rows)[number % len(self._rows)]
        has_mark = encoding.startswith("utf") and self._rng.random() < 0.5
        layout = CopyLayout(name, encoding, self._rng.choice(DELIMITERS), self._rng.choice(DECIMALS), has_mark)
        writable, accented = self._rows[name, encoding]
        size = self._rng.choice(_ROW_COUNTS)
        rows = [self._rng.choice(accented), *self._rng.choices(writable, k=size - 1)]
        self._rng.shuffle(rows)
        path = folder / f"{number}.csv"
        path.write_bytes(layout.write_content(rows))
        try:
            return _compare_copy(layout, rows, path, lake)
        except EtlError as error:
            return CopyOutcome(layout, size, rejection=str(error))
        finally:
            path.unlink()


def _is_writable(name: str, row: Row, encoding: str) -> bool:
    """Return whether an encoding represents a row; rows of Cyrillic and Japanese encodings contain these letters."""
    text = "\n".join(row.values())
    try:
        if text.encode(encoding).decode(encoding) != text:
            return False
    except UnicodeError:
        return False
    names = "".join(row[column] for column in _NAME_COLUMNS[name])
    if encoding == "cp1251":
        return names.isascii() or any("\u0400" <= letter < "\u0500" for letter in names)
    return encoding != "cp932" or names.isascii() or any("\u3040" <= letter < "\ufb00" for letter in names)


def _compare_copy(layout: CopyLayout, rows: Sequence[Row], path: Path, lake: Lake) -> CopyOutcome:
    received = receive_file(str(path), None, lake, _RECEIVED_AT)
    file_format = FORMATS[received.format]
    rows_read = [
        read_row
        for batch in read_batches(received, file_format)
        for read_row in batch.select(list(file_format.columns)).to_pylist()
    ]
    name_pairs = [
        (row[column], copied_row[column])
        for row, copied_row in zip(rows, rows_read, strict=True)
        for column in _NAME_COLUMNS[layout.format_name]
        if unicodedata.normalize("NFC", row[column]) != copied_row[column]
    ]
    numbers = [column for column, rule in get_column_rules(file_format).items() if rule.is_number]
    wrong_numbers = sum(
        float(row[column]) != _to_float(copied_row[column])
        for row, copied_row in zip(rows, rows_read, strict=True)
        for column in numbers
    )
    return CopyOutcome(layout, len(rows), tuple(name_pairs), wrong_numbers, bool(received.remarks))


def _to_float(text: str | None) -> float | None:
    try:
        return float(text or "")
    except ValueError:
        return None


def read_copies(rows: dict[str, list[Row]], files: int, seed: int) -> list[CopyOutcome]:
    """Return the outcomes of ``files`` copies of some rows."""
    copies = CopyGenerator(rows, seed)
    with tempfile.TemporaryDirectory() as name:
        lake = Lake((Path(name) / "lake").as_uri())
        return [copies.read_copy(number, lake, Path(name)) for number in range(files)]


def main() -> int:
    """Run the campaign.

    :returns: 1 if a name or a number is wrong, or a copy is rejected.
    """
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--files", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--real", type=Path, default=CHECKOUT.parent / "shared" / "data" / "kaggle")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    if not options.real.is_dir():
        print(f"The real Kaggle files are not here: {options.real}. Name their folder with --real.")
        return 1
    began = time.monotonic()
    outcomes = read_copies(read_real_rows(options.real), options.files, options.seed)
    by_encoding = Counter(outcome.copy.encoding for outcome in outcomes)
    print(
        f"{len(outcomes)} copies, {sum(outcome.size for outcome in outcomes):,} rows, seed {options.seed}, "
        "of each encoding:"
    )
    for encoding, size in by_encoding.items():
        own_outcomes = [outcome for outcome in outcomes if outcome.copy.encoding == encoding]
        with_wrong_names = [outcome for outcome in own_outcomes if outcome.wrong_names]
        guess_count = sum(outcome.has_guess_remark for outcome in with_wrong_names)
        names = sum(len(outcome.wrong_names) for outcome in own_outcomes)
        print(
            f"{encoding:<12} {size:>5} copies, {len(with_wrong_names)} with wrong names ({names} names; "
            f"{guess_count} of the copies say that their encoding is a guess), "
            f"{sum(outcome.wrong_numbers for outcome in own_outcomes)} wrong numbers, "
            f"{sum(bool(outcome.rejection) for outcome in own_outcomes)} rejected"
        )
    for outcome in outcomes if options.verbose else ():
        if outcome.wrong_names or outcome.wrong_numbers or outcome.rejection:
            wrong_values = f"{outcome.wrong_names[:3]} {outcome.wrong_numbers}"
            print(f"    {outcome.copy}, {outcome.size} rows: {wrong_values} {outcome.rejection[:300]}")
    print(f"{time.monotonic() - began:.0f} s")
    return int(any(outcome.wrong_names or outcome.wrong_numbers or outcome.rejection for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
