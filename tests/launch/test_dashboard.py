"""bin/dashboard on its own: with an empty STATE_DIR, and with its port in use."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from etl.settings import CHECKOUT
from tests.processes import find_free_port, list_listening_addresses, list_marked_processes

pytestmark = pytest.mark.postgres


def start_dashboard(state: Path, port: int) -> "subprocess.Popen[str]":
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
    port = find_free_port()
    process = start_dashboard(state, port)
    assert process.stdout is not None
    assert f"http://127.0.0.1:{port}" in process.stdout.readline()
    assert requests.get(f"http://127.0.0.1:{port}/_stcore/health", timeout=10).ok
    assert list_listening_addresses(list_marked_processes(state)) == {"127.0.0.1"}
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=120)
    assert process.returncode == 0
    assert not list_marked_processes(state)


def test_a_port_that_is_taken_is_a_sentence(state: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taker:
        process = start_dashboard(state, taker.getsockname()[1])
        printed, _ = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "cannot be used for the dashboard" in printed and "set DASHBOARD_PORT to another port" in printed
    assert len(printed.splitlines()) == 1
