"""Copies of tables: encodings, decimal commas, dates, quotation marks and shapes, each detected from the file."""

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from campaigns.copies import ENCODINGS, Row, read_copies, read_real_rows
from campaigns.malformed_input.tables import read_table_rows
from etl.errors import WrongFileError
from etl.extract.kaggle import receive_file
from etl.formats.kaggle.column_rules import get_column_rules
from etl.formats.kaggle.file_formats import FORMATS
from etl.formats.tabular.encodings import NonAsciiWords, get_display_name
from etl.formats.tabular.notation import detect_date_order, normalize_date, normalize_number
from etl.formats.tabular.spark_frame import read_batches
from etl.storage.inputs import ReceivedInput
from etl.storage.lake import Lake

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def make_rows(format_name: str, count: int, **values: Sequence[str] | str) -> list[Row]:
    """Return valid rows of a format; ``values`` replace fields by one value for all rows, or by one value each."""
    header, rows = read_table_rows(format_name, None)
    result = [dict(zip(header, rows[number % len(rows)], strict=True)) for number in range(count)]
    for number, row in enumerate(result):
        row |= {name: value if isinstance(value, str) else value[number] for name, value in values.items()}
    return result


def format_rows(rows: Sequence[Row], delimiter: str = ",") -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(rows[0])
    writer.writerows(row.values() for row in rows)
    return text.getvalue()


class ImportFolder:
    """A folder and a lake into which a test imports."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lake = Lake((folder / "lake").as_uri())

    def receive(self, content: str | bytes, name: str = "file.csv", encoding: str | None = None) -> ReceivedInput:
        (self.folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return receive_file(str(self.folder / name), None, self.lake, NOW, encoding)

    def read(self, received: ReceivedInput) -> list[dict[str, str]]:
        batches = read_batches(received, FORMATS[received.format])
        return [row for batch in batches for row in batch.to_pylist()]

    def column(self, content: str | bytes, name: str) -> list[str]:
        return [row[name] for row in self.read(self.receive(content))]


@pytest.fixture
def import_folder(tmp_path: Path) -> ImportFolder:
    return ImportFolder(tmp_path)


# Encodings

OWN_NAMES = {
    "cp1252": [
        "Déjà vu",
        "Noël à Paris",
        "Corazón de niña",
        "Coração",
        "Für Elise – live",
        "På väg hem",
        "Però",
        "Œuvre",
    ],
    "iso-8859-15": ["Le chœur des sœurs", "Œuvre", "Corazón", "Déjà vu", "Šuma"],
    "cp1250": ["Życie jest piękne", "Dvořák: Rusalka", "Láska je láska", "Szerelem nélkül, csend", "Petrović", "Wróć"],
    "cp1254": ["Aşk değil", "Işıklar sönünce", "Gözlerin güneş", "Şarkı söyle", "İstanbul"],
    "cp1251": ["Группа крови", "Звезда по имени Солнце", "Весна", "Люди и ночь"],
    "cp1253": ["Η αγάπη", "Θάλασσα πλατιά", "Τα τραγούδια μας"],
    "cp932": ["桜流し", "さくらドロップス", "アルバム"],
    "mac_roman": ["Beyoncé", "Déjà vu", "Coração selvagem", "Für immer"],
}


@pytest.mark.parametrize(
    ("encoding", "name"), [(encoding, name) for encoding, names in OWN_NAMES.items() for name in names]
)
def test_one_name_tells_an_older_encoding(import_folder: ImportFolder, encoding: str, name: str) -> None:
    if encoding in ("cp1250", "mac_roman", "iso-8859-15", "cp932", "cp1253"):  # rare encodings need more text
        names = OWN_NAMES[encoding]
    else:
        names = ["plain one", name, "plain two"]
    content = format_rows(make_rows("tracks_by_genre", len(names), track_name=names)).encode(encoding)
    received = import_folder.receive(content)
    assert [row["track_name"] for row in import_folder.read(received)] == names
    (remark,) = received.remarks
    assert get_display_name(received.encoding) in remark and "save the file as UTF-8" in remark


def test_a_tenth_of_accented_rows_is_enough(import_folder: ImportFolder) -> None:
    accented = OWN_NAMES["cp1252"]
    names = [accented[number % len(accented)] if number % 10 == 3 else f"Plain {number}" for number in range(200)]
    content = format_rows(make_rows("tracks_by_genre", 200, track_name=names)).encode("cp1252")
    assert import_folder.column(content, "track_name") == names


def test_unicode_needs_no_guess(import_folder: ImportFolder) -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le"):
        received = import_folder.receive(
            format_rows(make_rows("tracks_by_genre", 3, track_name="Déjà vu")).encode(encoding)
        )
        assert not received.remarks and {row["track_name"] for row in import_folder.read(received)} == {"Déjà vu"}


def test_a_near_rival_is_named() -> None:
    words = NonAsciiWords()
    words.add_lines("Nanã".encode("cp1252"))
    ranking = str(words.rank_encodings()[0])
    assert "would read" in ranking and "'Nanã'" in ranking and "'Nană'" in ranking


def test_a_chosen_encoding_is_taken_and_holds_for_the_same_bytes(import_folder: ImportFolder) -> None:
    content = format_rows(make_rows("tracks_by_genre", 2, track_name="Nană")).encode("cp1250")
    guessed = import_folder.receive(content)
    other_encoding = "cp1252" if guessed.encoding == "cp1250" else "cp1250"
    chosen = import_folder.receive(content, encoding=other_encoding)
    assert guessed.input_id != chosen.input_id and not chosen.remarks
    assert {row["track_name"] for row in import_folder.read(chosen)} == {
        "Nanã" if other_encoding == "cp1252" else "Nană"
    }
    assert import_folder.receive(content) == chosen
    assert import_folder.receive(content, name="other.csv").encoding == guessed.encoding
    agreed = import_folder.receive(content, name="other.csv", encoding=guessed.encoding)
    assert agreed.is_encoding_chosen and not agreed.remarks


def test_a_chosen_encoding_harms_no_unicode_file(import_folder: ImportFolder) -> None:
    content = format_rows(make_rows("tracks_by_genre", 2, track_name="Déjà vu"))
    assert import_folder.receive(content, encoding="cp1250").encoding == "utf-8"
    with pytest.raises(WrongFileError, match=r"the text is not EUC_JP throughout"):
        import_folder.receive(HEADER.encode() + make_artist("caf\xff").encode("latin-1") * 3, encoding="euc_jp")
    with pytest.raises(WrongFileError, match="there is no encoding 'klingon'"):
        import_folder.receive(content, encoding="klingon")


def test_a_file_that_was_read_wrongly_comes_again_as_another_input(import_folder: ImportFolder) -> None:
    content = format_rows(make_rows("tracks_by_genre", 2, track_name="Noël")).encode("cp1252")
    received = import_folder.receive(content)
    assert received.input_id != received.content_id
    plain = import_folder.receive(format_rows(make_rows("tracks_by_genre", 2)))
    assert plain.input_id == plain.content_id


def test_a_byte_that_is_no_letter_costs_its_row(import_folder: ImportFolder) -> None:
    names = [f"{OWN_NAMES['cp1252'][number % 7]} {number}" for number in range(200)]
    content = format_rows(make_rows("tracks_by_genre", 200, track_name=names)).encode("cp1252")
    rows = import_folder.read(import_folder.receive(content.replace(b"vu 7,", b"v\x81 7,")))
    assert rows[7]["problem"] == "row has bytes that are no text in the encoding of the file"
    assert rows[8]["track_name"] == names[8]


# Numbers and dates


@pytest.mark.parametrize("format_name", ["tracks_by_genre", "playlist_songs", "artists_1921_2020", "top_2000s"])
@pytest.mark.parametrize("delimiter", [";", "\t", ","])
def test_decimal_commas_are_read_in_every_format(import_folder: ImportFolder, format_name: str, delimiter: str) -> None:
    rows = make_rows(format_name, 5)
    numbers = [name for name, rule in get_column_rules(FORMATS[format_name]).items() if rule.is_number]
    if format_name == "top_2000s":
        rows = [row | {"Loudness (dB)": "-6.5", "Energy": "61.25", "Length (Duration)": "1412"} for row in rows]
    written = [row | {name: row[name].replace(".", ",") for name in numbers} for row in rows]
    received = import_folder.receive(format_rows(written, delimiter))
    read = import_folder.read(received)
    assert received.decimal == ","
    assert [[float(row[name]) for name in numbers] for row in read] == [
        [float(row[name]) for name in numbers] for row in rows
    ]
    assert read[0]["as_received"][: len(written[0])] == list(written[0].values())


@pytest.mark.parametrize(
    ("text", "decimal", "plain"),
    [
        *(("0,676", ".", "0.676"), ("-6,746", ",", "-6.746"), ("-6,746", ".", "-6746"), ("1,01e-06", ".", "1.01e-06")),
        *(("1.234.567", ".", "1234567"), ("1,234,567", ",", "1234567"), ("1.234,5", ".", "1234.5")),
        *(("1,234.5", ",", "1234.5"), ("230 666", ".", "230666"), ("230\u202f666,5", ",", "230666.5")),
        *(("230’666", ".", "230666"), ("1.412", ",", "1412"), ("1.412", ".", "1.412"), ("0.676", ",", "0.676")),
        *(("\u22126,746", ",", "-6.746"), ("3,04E\u22125", ".", "3.04E-5"), ("–14", ".", "-14")),
        *(("soon", ",", "soon"), ("", ",", ""), ("1,2,3", ".", "1,2,3"), (" 7 ", ",", "7"), ("-14", ".", "-14")),
    ],
)
def test_numbers_in_plain_writing(text: str, decimal: str, plain: str) -> None:
    assert normalize_number(text, decimal) == plain


def test_points_between_thousands_are_told_by_what_a_length_can_be(import_folder: ImportFolder) -> None:
    rows = make_rows("top_2000s", 300, **{"Loudness (dB)": "-7", "Beats Per Minute (BPM)": "120"})
    measures = ("Energy", "Danceability", "Liveness", "Valence", "Acousticness", "Speechiness")
    rows = [row | dict.fromkeys(measures, "50") for row in rows]
    rows[250]["Length (Duration)"] = "1.412"
    assert import_folder.column(format_rows(rows, ";"), "Length (Duration)")[249:251] == ["201", "1412"]


def test_thousands_of_a_duration_may_be_set_apart_by_anything(import_folder: ImportFolder) -> None:
    for written in ("230'666", "230’666", "230 666", "230\u00a0666", "230.666"):
        rows = make_rows("tracks_by_genre", 3, duration_ms=written)
        assert import_folder.column(format_rows(rows, ";"), "duration_ms") == ["230666"] * 3
    rows = make_rows("tracks_by_genre", 3, duration_ms="230\u00a0666")
    assert import_folder.column(format_rows(rows, ";").encode("cp1252"), "duration_ms") == ["230666"] * 3


def test_a_number_in_the_other_notation_is_told_by_its_column(import_folder: ImportFolder) -> None:
    rows = make_rows(
        "tracks_by_genre", 9, tempo=["87.917"] * 8 + ["120,123"], loudness=["-6.746"] * 8 + ["\u22127,001"]
    )
    read = import_folder.read(import_folder.receive(format_rows(rows, ";")))
    assert (read[8]["tempo"], read[8]["loudness"], read[0]["tempo"]) == ("120.123", "-7.001", "87.917")


def test_three_zeros_behind_a_point_are_thousands_of_followers(import_folder: ImportFolder) -> None:
    assert import_folder.column(
        format_rows(make_rows("artists_1921_2020", 2, followers=["1.000", "7"]), ";"), "followers"
    ) == [
        "1000",
        "7",
    ]


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        (["14.06.2019", "01.02.2020"], ["2019-06-14", "2020-02-01"]),
        (["6/14/2019", "1/2/2020"], ["2019-06-14", "2020-01-02"]),
        (["14-6-2019", "2019"], ["2019-06-14", "2019"]),
        (["2019/06/14", "2019.6.1"], ["2019-06-14", "2019-06-01"]),
        (["2019-06-14 00:00:00", "2019-06-14T00:00:00Z"], ["2019-06-14", "2019-06-14"]),
        (["06/2019", "2019-06"], ["2019-06", "2019-06"]),
        (["2019-06-14", "1999"], ["2019-06-14", "1999"]),
        (["14. 6. 2019", "2019. 06. 01."], ["2019-06-14", "2019-06-01"]),
        (["14/06/2019", "06/14/2020"], ["2019-06-14", "2020-06-14"]),
        (["05.05.2019", "2.2.2020"], ["2019-05-05", "2020-02-02"]),
        (["2.019", "2,001"], ["2019", "2001"]),
    ],
)
def test_dates_that_can_only_be_read_in_one_way(
    import_folder: ImportFolder, dates: list[str], expected: list[str]
) -> None:
    received = import_folder.receive(format_rows(make_rows("playlist_songs", 2, track_album_release_date=dates)))
    assert [row["track_album_release_date"] for row in import_folder.read(received)] == expected
    assert not received.remarks


@pytest.mark.parametrize("dates", [["05.06.2019", "01/02/2020"], ["5.6.2019", "1. 2. 2020"]])
def test_dates_that_nothing_decides_keep_their_years_and_are_named(
    import_folder: ImportFolder, dates: list[str]
) -> None:
    received = import_folder.receive(format_rows(make_rows("playlist_songs", 2, track_album_release_date=dates)))
    assert [row["track_album_release_date"] for row in import_folder.read(received)] == ["2019", "2020"]
    assert "track_album_release_date: 2 dates such as" in received.remarks[0]


def test_one_late_date_decides_for_the_whole_file() -> None:
    order, _ = detect_date_order([*["05.06.2019"] * 1_000, "31.01.2020"])
    assert order == "dmy" and normalize_date("05.06.2019", order) == "2019-06-05"


# Nearly every row rejected


def test_a_file_of_which_nearly_every_row_would_be_refused_is_not_imported(import_folder: ImportFolder) -> None:
    rows = make_rows("tracks_by_genre", 60, energy="loud", valence=["0.5"] * 59 + ["high"])
    rows[7]["energy"] = "0.5"
    with pytest.raises(WrongFileError) as caught:
        import_folder.receive(format_rows(rows))
    assert "file.csv: 59 of 60 rows would be rejected" in str(caught.value)
    assert "energy is not a number from 0 to 1 (59 rows, such as 'loud')" in str(caught.value)
    assert import_folder.lake.inputs.find_inputs(["kaggle"]) == []


def test_some_rows_that_would_be_refused_are_no_hindrance(import_folder: ImportFolder) -> None:
    rows = make_rows("tracks_by_genre", 10, energy=["loud"] * 5 + ["0.5"] * 5)
    assert import_folder.receive(format_rows(rows)).row_count == 10


# Quotation marks

HEADER = "id,followers,genres,name,popularity\n"


def make_artist(name: str, number: int = 1) -> str:
    return f"{number:022},1,[],{name},5\n"


@pytest.mark.parametrize(
    ("lines", "names"),
    [
        ([r'"Say \"Hi\" now"', "Plain"], ['Say "Hi" now', "Plain"]),
        ([r'"Say \"Hi, you\" now"', r'"\""', r'"C:\\dir, \\"'], ['Say "Hi, you" now', '"', r"C:\dir, " + "\\"]),
        ([r'"back\\\"quoted"', r"C:\dir"], [r"back\"quoted", r"C:\dir"]),
        (['"Say ""Hi"" now"', r'"C:\dir\"', r'"a\b, c"'], ['Say "Hi" now', "C:\\dir\\", r"a\b, c"]),
        ([r'"7\"" Mix, long"', r'"ends\\"'], [r"7\" Mix, long", r"ends\\"]),
        (['12" Mix', '"two\nlines"'], ['12" Mix', "two\nlines"]),
        ([r"Say \"Hi\" now", r'"a, \"b\""', r"AC\\DC", "back\\\\"], ['Say "Hi" now', 'a, "b"', "AC\\DC", "back\\"]),
        ([r"a\, \"b\"", r"\"Heroes\"", "two\\\nlines"], ['a, "b"', '"Heroes"', "two\nlines"]),
        ([r"12\" Mix", '"Say ""Hi"""', '"7"" Mix"', r"C:\\dir"], ['12" Mix', 'Say "Hi"', '7" Mix', r"C:\\dir"]),
    ],
)
def test_quotation_marks_are_read_as_their_writer_meant_them(
    import_folder: ImportFolder, lines: list[str], names: list[str]
) -> None:
    content = HEADER + "".join(make_artist(name, number) for number, name in enumerate(lines))
    assert import_folder.column(content, "name") == names


def test_a_row_whose_quotation_marks_do_not_tell_is_refused_with_its_text(import_folder: ImportFolder) -> None:
    content = HEADER + make_artist("A") + make_artist('"No "Bread""') + make_artist(r'"Say \"Hi\""') + make_artist("B")
    rows = import_folder.read(import_folder.receive(content))
    assert [row["name"] for row in rows] == ["A", None, 'Say "Hi"', "B"]
    assert rows[1]["problem"] == "row has quotation marks that do not tell where its fields end"
    assert rows[1]["others"] == [make_artist('"No "Bread""').rstrip("\n")]


def test_a_file_that_ends_within_a_backslash_quotation_breaks_off(import_folder: ImportFolder) -> None:
    with pytest.raises(WrongFileError, match="ends within a quotation"):
        import_folder.receive(HEADER + make_artist(r'"Say \"Hi\""') + '0000000000000000000001,1,[],"Say \\"Hi')


# Shapes


def test_row_names_of_r_stand_before_the_first_column(import_folder: ImportFolder) -> None:
    content = HEADER + "".join(f'"{number}",{make_artist("A", number)}' for number in range(1, 9))
    received = import_folder.receive(content)
    assert received.columns[0] == "" and import_folder.read(received)[0]["id"] == f"{1:022}"


@pytest.mark.parametrize("header", [HEADER, HEADER.replace("\n", ",\n")])
def test_a_delimiter_at_the_end_of_rows_is_no_field(import_folder: ImportFolder, header: str) -> None:
    content = header + "".join(make_artist("A", number).replace("\n", ",\n") for number in range(1, 9))
    assert import_folder.column(content, "popularity") == ["5"] * 8


def test_a_delimiter_at_the_end_of_the_header_alone_is_no_field(import_folder: ImportFolder) -> None:
    assert import_folder.column(HEADER.replace("\n", ",\n") + make_artist("A") * 8, "name") == ["A"] * 8


@pytest.mark.parametrize("header", [HEADER, HEADER.replace("\n", ",,\n"), HEADER.replace("\n", ",,,\n")])
def test_several_delimiters_at_the_end_of_rows_are_no_fields(import_folder: ImportFolder, header: str) -> None:
    assert import_folder.column(header + make_artist("A").replace("\n", ",,,\n") * 8, "name") == ["A"] * 8
    assert import_folder.column(header + make_artist("A") * 8, "name") == ["A"] * 8


def test_rows_of_another_width_than_the_header_are_refused(import_folder: ImportFolder) -> None:
    with pytest.raises(WrongFileError, match=r"8 of 8 rows would be rejected.*more or fewer fields than the header"):
        import_folder.receive(HEADER + make_artist("A").replace("\n", ",x,y\n") * 8)


@pytest.mark.parametrize("hint", ["sep=;\r\n", '"sep=;"\n'])
def test_a_line_that_tells_excel_the_delimiter_is_no_header(import_folder: ImportFolder, hint: str) -> None:
    content = format_rows(make_rows("artists_1921_2020", 2, name="Zaz"), ";")
    assert import_folder.column(hint + content, "name") == ["Zaz", "Zaz"]
    assert import_folder.column((hint + content).encode("utf-16"), "name") == ["Zaz", "Zaz"]


def test_rows_one_field_too_long_that_do_not_tell_are_refused_with_the_cure(import_folder: ImportFolder) -> None:
    with pytest.raises(WrongFileError, match=r"the rows have 6 fields and the header has 5 names: add the name"):
        import_folder.receive(HEADER + f"same,{make_artist('A')}" * 8)


# Hundreds of random copies


def make_rows_by_encoding() -> dict[str, list[Row]]:
    """Return rows of three formats with names in the letters of each encoding."""
    names = [name for own in OWN_NAMES.values() for name in own]
    texts = {"tracks_by_genre": "track_name", "playlist_songs": "track_name", "top_2000s": "Title"}
    rows = {
        format_name: [
            {**row, column: name} for row, name in zip(make_rows(format_name, len(names)), names, strict=True)
        ]
        for format_name, column in texts.items()
    }
    plain = {"Loudness (dB)": "-6.5", "Beats Per Minute (BPM)": "120.5", "Energy": "61.25"}
    return rows | {"top_2000s": [row | plain for row in rows["top_2000s"]]}


def test_copies_of_own_rows_have_no_wrong_number_and_no_wrong_name_unsaid() -> None:
    outcomes = read_copies(make_rows_by_encoding(), 64, 1)
    assert {outcome.copy.encoding for outcome in outcomes} == set(ENCODINGS)
    assert not [outcome for outcome in outcomes if outcome.rejection or outcome.wrong_numbers]
    assert not [
        outcome for outcome in outcomes if outcome.wrong_names and (not outcome.has_guess_remark or outcome.size > 5)
    ]


@pytest.mark.real_data
def test_copies_of_real_rows_have_no_wrong_name_unsaid(real_kaggle: Path) -> None:
    outcomes = read_copies(read_real_rows(real_kaggle), 60, 3)
    assert not [outcome for outcome in outcomes if outcome.rejection or outcome.wrong_numbers]
    assert not [outcome for outcome in outcomes if outcome.wrong_names and not outcome.has_guess_remark]
    assert sum(bool(outcome.wrong_names) for outcome in outcomes) <= 1
