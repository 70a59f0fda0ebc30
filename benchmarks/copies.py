"""Copies of tables as people save them: names and numbers read out of them, against the rows that were written.

    python -m benchmarks.copies [--files N] [--seed S] [--real FOLDER] [--verbose]

Each copy has some rows of a real file (``--real``, else ``shared/data/kaggle`` beside the checkout) that one of eight
encodings can write, with one of three delimiters, decimal points or commas, and with or without a byte order mark. It
is received and read as an import does it. A copy in an older encoding has a row at least that is not plain ASCII.
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

from etl.column_rules import rules_of
from etl.config import CHECKOUT
from etl.errors import EtlError
from etl.extract.kaggle import receive_file
from etl.formats import FORMATS, places
from etl.lake import Lake
from etl.tabular.frame import read_batches

ENCODINGS = ("utf-8", "utf-16", "cp1252", "iso-8859-15", "cp1250", "cp1254", "cp1251", "cp932")
DELIMITERS, DECIMALS = (",", ";", "\t"), (".", ",")
_SIZES = (2, 3, 5, 30, 30, 100, 300, 2_000)
_REAL_FILES = {"tracks_by_genre": "dataset.csv", "playlist_songs": "spotify_songs.csv", "top_2000s": "Spotify-2000.csv"}
_NAMES = {
    "tracks_by_genre": ("track_name", "artists", "album_name"),
    "playlist_songs": ("track_name", "track_artist", "track_album_name", "playlist_name"),
    "top_2000s": ("Title", "Artist"),
}
_RECEIVED_AT = datetime(2026, 11, 1, tzinfo=UTC)

Row = dict[str, str]


@dataclass(frozen=True)
class Copy:
    """How a copy is written."""

    format: str
    encoding: str
    delimiter: str
    decimal: str
    has_mark: bool

    def content(self, rows: Sequence[Row]) -> bytes:
        """The bytes of a copy of some rows."""
        text = io.StringIO(newline="")
        writer = csv.writer(text, delimiter=self.delimiter)
        rules = rules_of(FORMATS[self.format])
        writer.writerow(rules)
        for row in rows:
            writer.writerow(
                row[name].replace(".", self.decimal) if rule.is_number else row[name] for name, rule in rules.items()
            )
        if self.encoding == "utf-16":
            return (b"\xff\xfe" if self.has_mark else b"") + text.getvalue().encode("utf-16-le")
        return (b"\xef\xbb\xbf" if self.has_mark else b"") + text.getvalue().encode(self.encoding)


@dataclass(frozen=True)
class Outcome:
    """What came of a copy: names and numbers that differ from those written, and whether the note says "a guess"."""

    copy: Copy
    size: int
    wrong_names: tuple[tuple[str, str], ...] = ()
    wrong_numbers: int = 0
    is_named: bool = False
    refusal: str = ""


def real_rows(folder: Path) -> dict[str, list[Row]]:
    """The rows of the real files by format."""
    rows = {}
    for name, file in _REAL_FILES.items():
        with (folder / file).open(encoding="utf-8-sig", newline="") as source:
            reader = csv.reader(source, delimiter=";" if name == "top_2000s" else ",")
            at = places(next(reader), FORMATS[name])
            read = [
                {column: row[place] for column, place in zip(FORMATS[name].columns, at, strict=True)} for row in reader
            ]
        # Thousands with commas are a style of numbers of their own.
        rows[name] = [row for row in read if all(row[column] for column in _NAMES[name]) and "1," not in _length(row)]
    return rows


def _length(row: Row) -> str:
    return row.get("Length (Duration)", "")


class Copies:
    """Makes copies of rows, by chance."""

    def __init__(self, rows: dict[str, list[Row]], seed: int) -> None:
        self._chance = Random(seed)
        self._rows: dict[tuple[str, str], tuple[list[Row], list[Row]]] = {}
        for name, own in rows.items():
            for encoding in ENCODINGS:
                fit = [row for row in own if _is_writable(name, row, encoding)]
                accented = [row for row in fit if not "".join(row.values()).isascii()]
                if accented:
                    self._rows[name, encoding] = (fit, accented)

    def outcome(self, number: int, lake: Lake, folder: Path) -> Outcome:
        """Write, receive and read the next copy."""
        name, encoding = sorted(self._rows)[number % len(self._rows)]
        has_mark = encoding.startswith("utf") and self._chance.random() < 0.5
        copy = Copy(name, encoding, self._chance.choice(DELIMITERS), self._chance.choice(DECIMALS), has_mark)
        fit, accented = self._rows[name, encoding]
        size = self._chance.choice(_SIZES)
        rows = [self._chance.choice(accented), *self._chance.choices(fit, k=size - 1)]
        self._chance.shuffle(rows)
        path = folder / f"{number}.csv"
        path.write_bytes(copy.content(rows))
        try:
            return _compared(copy, rows, path, lake)
        except EtlError as error:
            return Outcome(copy, size, refusal=str(error))
        finally:
            path.unlink()


def _is_writable(name: str, row: Row, encoding: str) -> bool:
    """Whether an encoding can write a row and reads it back; Cyrillic and Japanese ones have rows in these letters."""
    text = "\n".join(row.values())
    try:
        if text.encode(encoding).decode(encoding) != text:
            return False
    except UnicodeError:
        return False
    own = "".join(row[column] for column in _NAMES[name])
    if encoding == "cp1251":
        return own.isascii() or any("\u0400" <= letter < "\u0500" for letter in own)
    return encoding != "cp932" or own.isascii() or any("\u3040" <= letter < "\ufb00" for letter in own)


def _compared(copy: Copy, rows: Sequence[Row], path: Path, lake: Lake) -> Outcome:
    received = receive_file(str(path), None, lake, _RECEIVED_AT)
    known = FORMATS[received.format]
    read = [one for batch in read_batches(received, known) for one in batch.select(list(known.columns)).to_pylist()]
    wrong = [
        (row[column], found[column])
        for row, found in zip(rows, read, strict=True)
        for column in _NAMES[copy.format]
        if unicodedata.normalize("NFC", row[column]) != found[column]
    ]
    numbers = [column for column, rule in rules_of(known).items() if rule.is_number]
    wrong_numbers = sum(
        float(row[column]) != _number(found[column])
        for row, found in zip(rows, read, strict=True)
        for column in numbers
    )
    return Outcome(copy, len(rows), tuple(wrong), wrong_numbers, bool(received.remarks))


def _number(text: str | None) -> float | None:
    try:
        return float(text or "")
    except ValueError:
        return None


def measured(rows: dict[str, list[Row]], files: int, seed: int) -> list[Outcome]:
    """What came of so many copies of some rows."""
    copies = Copies(rows, seed)
    with tempfile.TemporaryDirectory() as name:
        lake = Lake((Path(name) / "lake").as_uri())
        return [copies.outcome(number, lake, Path(name)) for number in range(files)]


def main() -> int:
    """:returns: 1 where a name or a number is wrong, or a copy is refused."""
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
    outcomes = measured(real_rows(options.real), options.files, options.seed)
    by_encoding = Counter(one.copy.encoding for one in outcomes)
    print(f"{len(outcomes)} copies, {sum(one.size for one in outcomes):,} rows, seed {options.seed}, of each encoding:")
    for encoding, size in by_encoding.items():
        own = [one for one in outcomes if one.copy.encoding == encoding]
        wrong = [one for one in own if one.wrong_names]
        named = sum(one.is_named for one in wrong)
        names = sum(len(one.wrong_names) for one in own)
        print(
            f"{encoding:<12} {size:>5} copies, {len(wrong)} with wrong names ({names} names; {named} of the copies say "
            f"that their encoding is a guess), {sum(one.wrong_numbers for one in own)} wrong numbers, "
            f"{sum(bool(one.refusal) for one in own)} refused"
        )
    for one in outcomes if options.verbose else ():
        if one.wrong_names or one.wrong_numbers or one.refusal:
            print(f"    {one.copy}, {one.size} rows: {one.wrong_names[:3]} {one.wrong_numbers} {one.refusal[:300]}")
    print(f"{time.monotonic() - began:.0f} s")
    return int(any(one.wrong_names or one.wrong_numbers or one.refusal for one in outcomes))


if __name__ == "__main__":
    sys.exit(main())
