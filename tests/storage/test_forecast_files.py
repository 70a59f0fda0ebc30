"""The folders of the forecasts' runs: removed whole, also under a program that writes into them."""

import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from etl.storage.forecast_files import ForecastFiles

SERIES = pa.table({"segment": ["listener-7f3a91"]})


@pytest.fixture
def files(tmp_path: Path) -> ForecastFiles:
    return ForecastFiles(tmp_path / "state", str(tmp_path / "lake"))


def find_files(tmp_path: Path) -> list[Path]:
    return [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_program_that_still_writes_brings_nothing_back(
    files: ForecastFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = files.write_request("r1", {"models_folder": None}, SERIES)
    remove_folder, failures = os.rmdir, []

    def write_and_remove(*arguments: Any, **options: Any) -> None:
        try:
            (folder / "forecasts.arrow").write_bytes(b"listener-7f3a91")
        except FileNotFoundError as error:
            failures.append(error)
        remove_folder(*arguments, **options)

    monkeypatch.setattr(os, "rmdir", write_and_remove)
    files.drop_all()
    assert failures and find_files(tmp_path) == []


def test_what_a_killed_removal_left_is_removed(files: ForecastFiles, tmp_path: Path) -> None:
    left = tmp_path / "state" / "forecasting" / "removed-by-a-killed-process"
    left.mkdir(parents=True)
    (left / "series.arrow").write_bytes(b"listener-7f3a91")
    files.drop_all()
    assert find_files(tmp_path) == []
