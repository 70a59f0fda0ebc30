"""The short form of the benchmark ``bad_input``: every malformed row is counted, every malformed file rejected."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from campaigns.malformed_input.file_outcomes import run_in_subprocess
from campaigns.malformed_input.parsers import PARSERS
from campaigns.malformed_input.row_mutator import RowMutator
from etl.formats.kaggle.file_formats import FORMATS
from etl.formats.tabular import read_rows
from etl.jobs.account_import import read_export_lines
from etl.storage.inputs import ReceivedInput
from etl.storage.lake import Lake
from etl.transform import account_export
from etl.transform.account_export import extended
from etl.transform.kaggle import parse_rows
from etl.transform.validation import ValidationResult
from tests.parsed_histories import parse_extended_inputs

ROWS, FILES = 100, 50
TABLES = ("tracks_by_genre", "playlist_songs", "user_behavior")
EXPORTS = ("extended_export", "basic_export")


def parse_inputs(spark: SparkSession, received: Sequence[ReceivedInput], name: str) -> ValidationResult:
    if name in FORMATS:
        return parse_rows(read_rows(spark, received, FORMATS[name]), FORMATS[name])
    if name == extended.SOURCE:
        return parse_extended_inputs(spark, received)
    return account_export.parse_events(read_export_lines(spark, received), name)


@pytest.mark.parametrize("name", [*TABLES, *EXPORTS])
def test_each_malformed_row_is_accepted_or_rejected(spark: SparkSession, lake: Lake, tmp_path: Path, name: str) -> None:
    ((path, size),) = PARSERS[name].write_malformed_files(tmp_path, None, ROWS, RowMutator(1, hypothesis_count=500))
    received = PARSERS[name].receive_inputs(path, lake)
    assert sum(received_input.row_count for received_input in received) == size
    parsed = parse_inputs(spark, received, name)
    numbers = [row["row_number"] for row in parsed.rejected.select("row_number").collect()]
    assert 0 < len(numbers) == len(set(numbers)) < size
    assert parsed.accepted.count() + len(numbers) == size


@pytest.mark.parametrize("name", ["tracks_by_genre", "extended_export", "user_activity_2", "answers"])
def test_each_malformed_file_has_a_sentence(lake: Lake, name: str) -> None:
    outcomes, peak_mib = run_in_subprocess(name, lake.url, None, FILES, 1)
    assert len(outcomes) == FILES
    assert [(outcome.name, outcome.message) for outcome in outcomes if outcome.kind in ("crash", "hang")] == []
    assert {outcome.kind for outcome in outcomes} == {"kept", "rejected"}
    assert peak_mib < 1024
