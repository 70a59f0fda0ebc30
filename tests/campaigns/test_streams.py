"""Streams whose processes are killed while events arrive lose nothing and count nothing twice."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from etl.settings import CHECKOUT

VICTIMS = ("landing", "live jvm", "postgres", "broker")


@pytest.mark.crash
@pytest.mark.spark
@pytest.mark.timeout(1200)
def test_streams_that_are_killed_have_what_was_sent(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "campaigns.streams", "--kills", "1", "--kills-per-round", "4"]
    command += ["--events", "2000", "--poison", "60", "--pause-seconds", "3", "--victims", *VICTIMS]
    environ = {**os.environ, "PYTHONPATH": str(CHECKOUT), "TMPDIR": str(tmp_path)}
    done = subprocess.run(command, env=environ, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2000 events and 60 others: equal" in done.stdout


def test_a_campaign_that_is_ended_twice_cleans_up() -> None:
    script = """
import sys, time
from campaigns._termination import exit_in_order_on_sigterm
exit_in_order_on_sigterm()
try:
    print("ready", flush=True)
    time.sleep(60)
finally:
    print("cleaning", flush=True)
    sys.stdin.read()
    print("cleaned", flush=True)
"""
    campaign = subprocess.Popen(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert campaign.stdout is not None
    for line in ("ready", "cleaning"):
        assert campaign.stdout.readline().strip() == line
        campaign.terminate()
    assert campaign.communicate("", 30)[0].strip() == "cleaned" and campaign.returncode == 1
