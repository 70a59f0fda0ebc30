"""A failed precondition of a start leads to one message and exit code 1."""

import json
import os
import shutil
import socket
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from etl.errors import ActionNeededError, EtlError
from etl.settings import CHECKOUT
from etl.storage.inputs import ReceivedInput
from launch import bootstrap, postgres, preconditions
from launch.environment import get_api_port
from launch.instance_lock import lock_instance


def run_bin_run(state: Path, **environ: str) -> tuple[int, list[str]]:
    """Run bin/run after its set-up in a clean environment, and return its exit code and lines."""
    base = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AIRFLOW", "KAGGLE", "SPOTI", "STAND_IN", "WAREHOUSE"))
    }
    done = subprocess.run(
        [sys.executable, "-m", "launch.run", "--exit"],
        env={**base, "STATE_DIR": str(state), "PYTHONPATH": str(CHECKOUT), **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return done.returncode, done.stdout.splitlines()


def test_a_port_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, lines = run_bin_run(tmp_path, AIRFLOW__API__PORT=str(port))
    assert code == 1
    assert [f"Port {port} of 127.0.0.1" in line and "AIRFLOW__API__PORT" in line for line in lines] == [True]


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    code, lines = run_bin_run(tmp_path, KAGGLE_PATH=str(tmp_path / "nothing"))
    assert code == 1
    assert ["KAGGLE_PATH" in line and "does not exist" in line for line in lines] == [True]


def test_a_setting_that_cannot_be_right(tmp_path: Path) -> None:
    code, lines = run_bin_run(tmp_path, SPOTIPY_CLIENT_ID="no/id")
    assert code == 1
    assert ["SPOTIPY_CLIENT_ID" in line and "must be letters and digits" in line for line in lines] == [True]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("SPOTIPY_CLIENT_ID", "no/id", "must be letters and digits"),
        ("SPOTIFY_DAILY_CALLS", "many", "must be a whole number of 0 or more, not 'many'"),
        ("KEEP_DAYS", "-3", "must be a whole number of 1 or more, not '-3'"),
        ("AIRFLOW__API__PORT", "80000", "must be a whole number from 1 to 65535, not '80000'"),
        ("STAND_IN_MODE", "full", "must be one of development, extended, not 'full'"),
    ],
)
def test_each_setting_is_checked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str, message: str
) -> None:
    monkeypatch.setenv("STATE_DIR", str(tmp_path))
    monkeypatch.setenv(name, value)
    with pytest.raises(ActionNeededError) as error:
        preconditions.check_settings()
        get_api_port()
    assert name in str(error.value) and message in str(error.value)


def test_a_second_start_beside_the_first(tmp_path: Path) -> None:
    with lock_instance(tmp_path):
        code, lines = run_bin_run(tmp_path)
    assert code == 1
    assert [f"already running on {tmp_path} (process {os.getpid()})" in line for line in lines] == [True]


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**12, 10**12 - 10**8, 10**8))
    with pytest.raises(ActionNeededError, match=r"nearly full \(95 MiB free"):
        preconditions.check_disk(tmp_path)
    with pytest.raises(bootstrap.SetupError, match=r"needs 4 GiB .* 95 MiB are free"):
        bootstrap.make_state_dir(tmp_path / "new")


@pytest.mark.postgres
def test_a_server_that_cannot_be_reached_and_one_that_refuses_us(state: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with pytest.raises(EtlError, match=f"PostgreSQL at 127.0.0.1:{port}/warehouse cannot be reached"):
        preconditions.check_warehouse(f"postgresql://somebody:secret@127.0.0.1:{port}/warehouse")
    url = postgres.start_server(state).build_url("loader", "warehouse")
    preconditions.check_warehouse(url)
    with pytest.raises(EtlError, match="password authentication failed") as refusal:
        preconditions.check_warehouse(url.replace("loader:", "loader:not-this-"))
    assert "not-this-" not in str(refusal.value)


@pytest.mark.postgres
def test_a_server_that_is_too_old(monkeypatch: pytest.MonkeyPatch, state: Path) -> None:
    url = postgres.start_server(state, 16).build_url("loader", "warehouse")
    monkeypatch.setattr(preconditions, "_OLDEST_POSTGRESQL", 17)
    with pytest.raises(ActionNeededError, match="is version 16; WAREHOUSE_URL must name version 17 or newer"):
        preconditions.check_warehouse(url)


@pytest.mark.postgres
def test_a_lake_with_answers_of_spotify_is_not_mixed_with_those_of_the_stand_in(tmp_path: Path) -> None:
    manifest = tmp_path / "lake" / "api" / "a1" / "received.json"
    manifest.parent.mkdir(parents=True)
    columns: tuple[str, ...] = ()
    received = ReceivedInput(
        "a1", "api", "a.gz", "spotify_answers", "", "", columns, 1, 1, "2026-11-21T00:00:00+00:00", ""
    )
    manifest.write_text(json.dumps(asdict(received)), encoding="utf-8")
    (tmp_path / "lake" / "api" / "answered_by").write_text("Spotify", encoding="utf-8")
    try:
        code, lines = run_bin_run(tmp_path)
    finally:
        postgres.remove_servers(tmp_path)
    assert code == 1
    assert "The lake has responses of Spotify, and the settings name a stand-in" in lines[-1]
