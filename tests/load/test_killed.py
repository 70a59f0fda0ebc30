"""A load that is killed at any step and then run again leaves what an undisturbed one does."""

import signal
import subprocess
import sys

import pytest
from pyspark.sql import SparkSession

from etl.load import load
from launch import postgres
from tests.conftest import database
from tests.load.interrupted_load import STEPS
from tests.load.star_frames import catalogue, contents, frames, run, star


@pytest.mark.crash
def test_a_load_that_is_killed_anywhere_and_run_again_gives_the_same_rows_and_keys(
    spark: SparkSession, embedded_server: postgres.Server, migrated_template: str, warehouse_url: str
) -> None:
    empty = star(warehouse_url)
    staged = frames(spark, catalogue())
    load(staged, run(), warehouse_url)
    expected = contents(warehouse_url)
    for step in STEPS:
        with database(embedded_server, migrated_template) as url:
            program = [sys.executable, "-m", "tests.load.interrupted_load", url, step]
            killed = subprocess.run(program, check=False, capture_output=True, text=True)
            assert killed.returncode == -signal.SIGKILL, f"{step}: {killed.stderr}"
            assert star(url) == empty, f"{step}: readers see a half"
            load(staged, run(), url)
            assert contents(url) == expected, step
