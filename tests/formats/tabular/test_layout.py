"""Tables in files are read as they were written, with any delimiter, encoding and compression."""

import csv
import gc
import gzip
import io
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.errors import WrongFileError
from etl.formats.tabular import DELIMITERS, detect_layout, read_header, read_records
from etl.formats.tabular.layout import Layout

COLUMNS = ["first", "second", "third"]
_TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=12)
_ROWS = st.lists(st.lists(_TEXT, min_size=3, max_size=3), min_size=1, max_size=8)


def _write_rows(rows: list[list[str]], delimiter: str = ",", line_end: str = "\r\n") -> str:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator=line_end, quoting=csv.QUOTE_ALL).writerows([COLUMNS, *rows])
    return text.getvalue()


def _read_content(content: bytes) -> list[list[str]]:
    file = io.BytesIO(content)
    return list(read_records(file, detect_layout(file)))


@settings(max_examples=150, deadline=None)
@given(
    rows=_ROWS,
    delimiter=st.sampled_from(DELIMITERS),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    line_end=st.sampled_from(["\n", "\r\n"]),
)
def test_any_text_survives(rows: list[list[str]], delimiter: str, encoding: str, line_end: str) -> None:
    assert _read_content(_write_rows(rows, delimiter, line_end).encode(encoding)) == [COLUMNS, *rows]


@settings(max_examples=200, deadline=None)
@given(content=st.binary(max_size=300))
def test_any_bytes_are_read_or_refused_with_a_sentence(content: bytes) -> None:
    file = io.BytesIO(content)
    try:
        rows = list(read_records(file, detect_layout(file)))
    except WrongFileError as error:
        assert str(error).endswith((".", "?"))
    else:
        assert rows[0]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Beyoncé;Sigur Rós;Déjà vu – “naïve” café\n" * 20, "cp1252"),
        ("Кино;Группа крови;Звезда по имени Солнце\n" * 20, "cp1251"),
        ("宇多田ヒカル;桜流し;さくらドロップス\n" * 20, "cp932"),
    ],
)
def test_older_encodings_are_told(text: str, encoding: str) -> None:
    assert _read_content(("first;second;third\n" + text).encode(encoding))[1] == text.splitlines()[0].split(";")


UTF_8 = "first,second\n1,Beyoncé\n2,Sigur Rós\n3,Déjà vu\n4,plain\n".encode()


def test_one_byte_that_is_no_utf8_leaves_the_other_lines_as_they_are() -> None:
    rows = _read_content(UTF_8.replace("Rós".encode(), b"R\xf3s"))
    assert [row[1] for row in rows] == ["second", "Beyoncé", "Sigur R\udcf3s", "Déjà vu", "plain"]


@pytest.mark.parametrize("content", [UTF_8 + "5,Café".encode()[:-1], "a,b\n1,Café é".encode()[:-1]])
def test_a_file_that_ends_within_a_letter_breaks_off(content: bytes) -> None:
    with pytest.raises(WrongFileError, match="breaks off: it ends within a letter"):
        _read_content(content)


def test_a_header_of_another_encoding_than_its_rows_is_refused() -> None:
    with pytest.raises(WrongFileError, match="the header has letters that are no UTF-8"):
        _read_content(UTF_8.replace(b"second", b"zw\xf6lf"))


def test_a_letter_of_an_older_encoding_at_the_very_end_is_one() -> None:
    text = "a,b\n" + "1,Déjà vu – “naïve”\n" * 20 + "2,café"
    assert _read_content(text.encode("cp1252"))[-1] == ["2", "café"]


def test_a_zero_character_becomes_a_replacement() -> None:
    assert _read_content(_write_rows([["a\0b", "c", "d"]] * 30).encode())[1] == ["a\ufffdb", "c", "d"]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_control_characters_in_values_make_no_file_binary(line_end: str) -> None:
    rows = [["a\x01b", "\x1b[31m", "ünï"]] * 30
    assert _read_content(_write_rows(rows, line_end=line_end).encode())[1] == rows[0]


def test_blank_lines_are_no_records_and_a_last_line_needs_no_end() -> None:
    assert _read_content(b"a,b\n\n1,2\n\r\n3,4") == [["a", "b"], ["1", "2"], ["3", "4"]]


def test_repeated_names_in_a_header_are_told_apart() -> None:
    assert _read_content(b"a,a,a (2),\n1,2,3,4\n")[0] == ["a", "a (2)", "a (2) (2)", ""]


def test_a_header_of_very_many_equal_names_is_read_at_once() -> None:
    header = _read_content(b"a," * 50_000 + b"a\n" + b"1," * 50_000 + b"1\n")[0]
    assert len(set(header)) == 50_001 and header[-1] == "a (50001)"


def test_a_file_without_ends_of_lines_is_no_line_in_memory() -> None:
    bomb = gzip.compress(b"a,b\n" + b"0" * (40 << 20), compresslevel=1)
    with pytest.raises(WrongFileError, match="a line is longer than"):
        _read_content(bomb)


@pytest.mark.parametrize(
    ("method", "mark", "place", "value"),
    [
        (zipfile.ZIP_DEFLATED, b"PK\x01\x02", 10, b"\x0c"),  # declares bzip2
        (zipfile.ZIP_DEFLATED, b"PK\x05\x06", 16, b"\xff\xff\xff\x7f"),  # its member would start before the file
        (zipfile.ZIP_DEFLATED, b"PK\x03\x04", 45, b"\xff\xff\xff"),
        (zipfile.ZIP_BZIP2, b"PK\x03\x04", 45, b"\xff\xff\xff"),
        (zipfile.ZIP_LZMA, b"PK\x03\x04", 60, b"\xff\xff\xff"),
    ],
)
def test_a_broken_zip_file_is_told_as_one(tmp_path: Path, method: int, mark: bytes, place: int, value: bytes) -> None:
    path = tmp_path / "broken.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("inner.csv", "".join(f"a{number},b\n" for number in range(100)))
    whole = path.read_bytes()
    begin = whole.rindex(mark) + place
    path.write_bytes(whole[:begin] + value + whole[begin + len(value) :])
    with path.open("rb") as content, pytest.raises(WrongFileError, match="packed file is broken"):
        list(read_records(content, detect_layout(content)))


@pytest.mark.parametrize("end", [b'"', b'"\n', b'x,"', b'x,"y\n', b'"x\n\n'])
def test_an_open_quotation_at_the_end_is_noticed(end: bytes) -> None:
    with pytest.raises(WrongFileError, match="ends within a quotation"):
        _read_content(b"a,b\n1,2\n" + end)


_SHEET = """<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>
<row r="1"><c r="A1" t="inlineStr"><is><t>text</t></is></c><c r="B1" t="inlineStr"><is><t>number</t></is></c>
<c r="C1" t="inlineStr"><is><t>day</t></is></c></row>
<row r="2"><c r="A2" t="inlineStr"><is><t>None</t></is></c><c r="B2"><v>3</v></c><c r="C2" s="1"><v>43890</v></c></row>
<row r="4"><c r="A4" t="inlineStr"><is><t>NA</t></is></c><c r="B4"><v>0.5</v></c></row>
</sheetData></worksheet>"""

_WORKBOOK = {
    "[Content_Types].xml": """<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>""",
    "_rels/.rels": """<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
<Relationship Id="r1" Target="xl/workbook.xml"
 Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"/></Relationships>""",
    "xl/workbook.xml": """<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"
 xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">
<sheets><sheet name="Answers" sheetId="1" r:id="r1"/></sheets></workbook>""",
    "xl/_rels/workbook.xml.rels": """<Relationships
 xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
<Relationship Id="r1" Target="worksheets/sheet1.xml"
 Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet"/></Relationships>""",
    "xl/styles.xml": """<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">
<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>""",
    "xl/worksheets/sheet1.xml": _SHEET,
}


def test_a_workbook_reads_as_a_csv_of_it_would() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in _WORKBOOK.items():
            archive.writestr(name, content)
    assert _read_content(file.getvalue()) == [
        ["text", "number", "day"],
        ["None", "3", "2020-02-29"],
        ["NA", "0.5", ""],
    ]


def test_a_refused_header_leaves_nothing_that_reads_on(monkeypatch: pytest.MonkeyPatch) -> None:
    complaints: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", complaints.append)
    with pytest.raises(WrongFileError, match="header"), io.BytesIO(b"a,b\xff\n1,2\n3,4\n") as content:
        next(read_records(content, Layout("utf-8", ",")))
    with io.BytesIO(b"a,b\n1,2\n3,4\n") as content:
        assert read_header(content, Layout("utf-8", ",")) == ("a", "b")
    gc.collect()
    assert complaints == []
