"""A load that is killed at any step and then restarted leaves the same result as an undisturbed one."""

import signal
import subprocess
import sys

import pytest

from etl.load import load_frames
from launch import postgres
from tests.conftest import copy_database
from tests.load.interrupted_load import STEPS
from tests.load.star_frames import (
    compute_checksums,
    compute_star_checksums,
    create_local_frames,
    make_catalogue,
    make_run,
)


@pytest.fixture(scope="module")
def undisturbed(embedded_server: postgres.Server, migrated_template: str) -> dict[str, str]:
    with copy_database(embedded_server, migrated_template) as url:
        load_frames(create_local_frames(make_catalogue()), make_run(), url)
        return compute_checksums(url)


@pytest.mark.crash
@pytest.mark.parametrize("step", STEPS)
def test_a_load_that_is_killed_and_run_again_gives_the_same_rows_and_keys(
    step: str, warehouse_url: str, undisturbed: dict[str, str]
) -> None:
    empty = compute_star_checksums(warehouse_url)
    program = [sys.executable, "-m", "tests.load.interrupted_load", warehouse_url, step]
    killed = subprocess.run(program, check=False, capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert compute_star_checksums(warehouse_url) == empty, "readers see a half"
    load_frames(create_local_frames(make_catalogue()), make_run(), warehouse_url)
    assert compute_checksums(warehouse_url) == undisturbed
