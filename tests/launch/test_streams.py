"""The streams of a start: topics, processes with the settings that they need, and their end in order."""

import io
import json
import os
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console

from etl.engines.spark import KAFKA_COORDINATES
from etl.settings import CHECKOUT, read_settings
from etl.streams.topics import describe_topic
from launch import kafka
from launch.console import Screen
from launch.environment import STATE_MARKER
from launch.kafka import Broker
from launch.streams import Streams, build_environment, get_progress_path
from tests.processes import list_marked_processes

WORK = """
import json, os, signal, sys, time
name, progress, log = sys.argv[1:]
def stop(*_):
    open(log, "a").write(name + "\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
names = ("KAFKA_BOOTSTRAP_SERVERS", "KAFKA_SASL_USERNAME", "WAREHOUSE_URL", "AIRFLOW__CORE__FERNET_KEY")
open(log + "." + name, "w").write(json.dumps({n: os.environ.get(n) for n in names}))
open(progress, "w")
time.sleep(600)
"""


@pytest.fixture
def stop_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Replace the processes by small ones that record their end in the returned file."""
    log = tmp_path / "stopped"
    commands = {
        name: (f"The {name}", [sys.executable, "-c", WORK, name, str(get_progress_path(tmp_path, name)), str(log)], 5.0)
        for name in ("landing", "live")
    }
    monkeypatch.setattr("launch.streams.PROCESSES", commands)
    return log


@pytest.fixture(autouse=True)
def spark_jars(tmp_path: Path) -> None:
    """Record that Spark's jars for Kafka are there: no process here starts Spark, and tests use no network."""
    (tmp_path / "ivy-kafka").mkdir()
    (tmp_path / "ivy-kafka" / "resolved").write_text(",".join(KAFKA_COORDINATES))


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    fixed = {"AIRFLOW_HOME": str(tmp_path), "PYTHONPATH": str(CHECKOUT), STATE_MARKER: str(tmp_path)}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("KAFKA_")}
    return {**inherited, **fixed, "WAREHOUSE_URL": "postgresql://none", "AIRFLOW__CORE__FERNET_KEY": "hidden"}


def make_screen() -> tuple[Screen, io.StringIO]:
    output = io.StringIO()
    return Screen(Console(file=output, width=300, highlight=False)), output


def read_variables(stop_log: Path) -> list[dict[str, str]]:
    """Wait until both processes have recorded their environment, and return it."""
    paths = [Path(f"{stop_log}.{name}") for name in ("landing", "live")]
    deadline = time.monotonic() + 30
    while not all(path.exists() and path.read_text() for path in paths):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return [json.loads(path.read_text()) for path in paths]


def test_another_kafka_gets_topics_and_clients_but_no_broker(
    kafka_broker: Broker, environ: dict[str, str], stop_log: Path, tmp_path: Path
) -> None:
    screen, output = make_screen()
    streams = Streams(screen, tmp_path, {**environ, **kafka_broker.variables, "KAFKA_TOPIC": "SpotifyWrapped-other"})
    streams.start_kafka()
    kafka_settings = read_settings(streams.environ).require_kafka()
    assert describe_topic(kafka_settings, "SpotifyWrapped-other.dlq").partition_count == 1
    assert not (tmp_path / "kafka").exists() and len(streams.restarts) == 0
    streams.start_processes()
    for variables, warehouse_url in zip(read_variables(stop_log), (None, "postgresql://none"), strict=True):
        assert variables == {
            "KAFKA_BOOTSTRAP_SERVERS": kafka_broker.bootstrap_servers,
            "KAFKA_SASL_USERNAME": "warehouse",
            "WAREHOUSE_URL": warehouse_url,
            "AIRFLOW__CORE__FERNET_KEY": None,
        }
    assert [restart() for restart in streams.restarts] == [None, None]
    streams.print_address()
    assert kafka_broker.bootstrap_servers in output.getvalue() and "SpotifyWrapped-other.dlq" in output.getvalue()
    assert "password" not in output.getvalue(), "the operator of another Kafka knows where its password is"
    streams.stop()
    streams.stop()
    assert stop_log.read_text().split() == ["live", "landing"]
    assert not list_marked_processes(tmp_path)


@pytest.mark.spark
def test_the_embedded_broker_outlives_its_clients_and_is_named(
    environ: dict[str, str], stop_log: Path, tmp_path: Path
) -> None:
    kafka.link_jars(tmp_path)
    screen, output = make_screen()
    streams = Streams(screen, tmp_path, environ)
    try:
        streams.start_kafka()
        streams.start_processes()
        read_variables(stop_log)
        streams.print_address()
    finally:
        streams.stop()
    assert stop_log.read_text().split() == ["live", "landing"]
    assert not list_marked_processes(tmp_path)
    password = (tmp_path / "secrets" / "kafka-warehouse").read_text()
    assert f"user warehouse  password in {tmp_path / 'secrets' / 'kafka-warehouse'}" in output.getvalue()
    assert password not in output.getvalue() and streams.environ["KAFKA_SASL_PASSWORD"] == password


def test_the_processes_get_no_secrets_that_they_do_not_need() -> None:
    secrets = dict.fromkeys(
        ("AIRFLOW__CORE__FERNET_KEY", "AIRFLOW_METADATA_URL", "AIRFLOW_CONN_X", "SPOTIPY_CLIENT_SECRET"), "s"
    )
    settings = {"AIRFLOW_HOME": "/h", "LAKE_URL": "s3://l"}
    warehouse = {"WAREHOUSE_URL": "postgresql://w", "ANOMALY_QUEUE_CONNECTION_STRING": "c"}
    assert build_environment(secrets | settings | warehouse, "live") == settings | warehouse
    assert build_environment(secrets | settings | warehouse, "landing") == settings
