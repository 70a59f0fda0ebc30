"""bin/dashboard alone: on a STATE_DIR that has nothing yet, and where its port is taken."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from etl.settings import CHECKOUT
from tests.processes import free_port, listening_addresses, marked

pytestmark = pytest.mark.postgres


def started(state: Path, port: int) -> "subprocess.Popen[str]":
    given = {name: value for name, value in os.environ.items() if not name.startswith("WAREHOUSE")}
    ours = {"STATE_DIR": str(state), "PYTHONPATH": str(CHECKOUT), "DASHBOARD_PORT": str(port)}
    return subprocess.Popen(
        [sys.executable, "-m", "launch.dashboard"],
        env={**given, **ours},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_it_needs_nothing_else_and_leaves_nothing(state: Path) -> None:
    port = free_port()
    process = started(state, port)
    assert process.stdout is not None
    assert f"http://127.0.0.1:{port}" in process.stdout.readline()
    assert requests.get(f"http://127.0.0.1:{port}/_stcore/health", timeout=10).ok
    assert listening_addresses(marked(state)) == {"127.0.0.1"}
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=120)
    assert process.returncode == 0
    assert not marked(state)


def test_a_port_that_is_taken_is_a_sentence(state: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taker:
        process = started(state, taker.getsockname()[1])
        said, _ = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "cannot be used for the dashboard" in said and "set DASHBOARD_PORT to another port" in said
    assert len(said.splitlines()) == 1
