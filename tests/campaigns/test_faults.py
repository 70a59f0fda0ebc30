"""The short form of the benchmark ``faults``: runs with faults of the API leave the same star as runs without."""

import re
import subprocess
import sys

import pytest

from etl.settings import CHECKOUT

LEAST_FAULTS = 20


@pytest.mark.spark
@pytest.mark.timeout(1800)
def test_nights_with_faults_leave_the_same_star() -> None:
    options = ["--modes", "extended", "--nights", "2", "--every", "2", "--rate", "0.3"]
    done = subprocess.run(
        [sys.executable, "-m", "campaigns.faults", *options], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    met = re.search(r"extended: (\d+) faults over 2 nights", done.stdout)
    assert met and int(met[1]) >= LEAST_FAULTS, done.stdout
    assert re.search(r"(\d+) of \1 parts of the star equal", done.stdout), done.stdout
