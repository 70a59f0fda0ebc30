"""Rows of several inputs as one Spark frame."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pyspark.errors import PythonException
from pyspark.sql import SparkSession

from etl.extract.kaggle import receive_file
from etl.formats.kaggle.file_formats import FORMATS
from etl.formats.tabular import read_rows
from etl.storage.inputs import ReceivedInput
from etl.storage.lake import Lake
from etl.transform.kaggle import parse_rows

KNOWN = FORMATS["artists_1921_2020"]
ID = "0DheY5irMjBUeLybbCUEZ2"


def _receive_text(lake: Lake, folder: Path, name: str, content: str, encoding: str = "utf-8") -> ReceivedInput:
    (folder / name).write_bytes(content.encode(encoding))
    return receive_file(str(folder / name), None, lake, datetime(2026, 1, 1, tzinfo=UTC))


def test_inputs_of_different_layouts_become_one_frame(spark: SparkSession, lake: Lake, tmp_path: Path) -> None:
    decomposed = "Beyonce\u0301"
    first = _receive_text(lake, tmp_path, "a.csv", f"id,followers,genres,name,popularity\n{ID},1,[],{decomposed},2\n")
    second_input = _receive_text(
        lake, tmp_path, "b.csv", f";Name;Genres;Followers;Popularity;ID\n0;Ü;[];3;4;{ID}\n", "utf-16"
    )
    rows = {row.input_id: row for row in read_rows(spark, [first, second_input], KNOWN).collect()}
    assert rows[first.input_id].name == "Beyonc\u00e9"
    row = rows[second_input.input_id]
    assert (row.row_number, row.name, row.followers, row.popularity) == (1, "Ü", "3", "4")
    assert (row.others, row.header) == (["0"], ["ID", "Followers", "Genres", "Name", "Popularity", ""])


def test_a_row_that_does_not_fit_the_header_is_rejected_as_it_is(
    spark: SparkSession, lake: Lake, tmp_path: Path
) -> None:
    good = f"{ID},1,[],A,2\n"
    content = f"id,followers,genres,name,popularity\n{good}{ID},1,[],A\n{ID},1,[],A,2,more\n{good}"
    received = _receive_text(lake, tmp_path, "a.csv", content)
    parsed = parse_rows(read_rows(spark, [received], KNOWN), KNOWN)
    assert [row.row_number for row in parsed.accepted.collect()] == [1, 4]
    assert [(row.row_number, row.reason, row.row) for row in parsed.rejected.collect()] == [
        (2, "row has more or fewer fields than the header", f'["{ID}","1","[]","A"]'),
        (3, "row has more or fewer fields than the header", f'["{ID}","1","[]","A","2","more"]'),
    ]


def test_a_row_of_another_encoding_than_its_file_is_rejected(spark: SparkSession, lake: Lake, tmp_path: Path) -> None:
    rows = [f"{ID},1,[],{name},2\n" for name in ("Björk", "Sigur Rós", "A", "Beyoncé")]
    content = "id,followers,genres,name,popularity\n" + "".join(rows)
    (tmp_path / "a.csv").write_bytes(content.encode().replace("Rós".encode(), b"R\xf3s"))
    received = receive_file(str(tmp_path / "a.csv"), None, lake, datetime(2026, 1, 1, tzinfo=UTC))
    parsed = parse_rows(read_rows(spark, [received], KNOWN), KNOWN)
    assert [row.name for row in parsed.accepted.collect()] == ["Björk", "A", "Beyoncé"]
    assert [(row.row_number, row.reason, row.row) for row in parsed.rejected.collect()] == [
        (2, "row has bytes that are no UTF-8", f'["{ID}","1","[]","Sigur R\ufffds","2"]')
    ]


def test_no_inputs_are_an_empty_frame(spark: SparkSession) -> None:
    assert read_rows(spark, [], KNOWN).count() == 0


def test_a_file_changed_in_the_lake_is_noticed(spark: SparkSession, lake: Lake, tmp_path: Path) -> None:
    received = _receive_text(lake, tmp_path, "a.csv", f"id,followers,genres,name,popularity\n{ID},1,[],A,2\n")
    with Path(received.url.removeprefix("file://")).open("a") as file:
        file.write(f"{ID},1,[],B,2\n")
    with pytest.raises(PythonException, match="has 2 rows, but had 1 when it was received"):
        read_rows(spark, [received], KNOWN).count()
