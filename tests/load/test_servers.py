"""The same load on PostgreSQL servers other than the newest embedded one."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from etl import database
from etl.load import load_frames
from etl.load.migrate import migrate_warehouse
from launch import postgres
from launch.backup import write_backup
from launch.restore import restore_backup
from tests.conftest import run_as_superuser
from tests.load.star_frames import compute_checksums, create_frames, make_catalogue, make_run
from tests.processes import find_free_port

pytestmark = pytest.mark.postgres

MACHINES_OWN = Path("/usr/lib/postgresql/15/bin")


@pytest.fixture(scope="module")
def version_16(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    state = tmp_path_factory.mktemp("sixteen")
    server = postgres.start_server(state, 16)
    run_as_superuser(server, "create database other owner loader")
    yield server.build_url("loader", "other")
    postgres.remove_servers(state)


@pytest.fixture(scope="module")
def version_15(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield a server of the machine's own PostgreSQL 15, run as ``postgres`` if the tests run as root."""
    if not (MACHINES_OWN / "initdb").exists():
        pytest.skip(f"this machine has no PostgreSQL 15 of its own in {MACHINES_OWN}")
    folder = Path(subprocess.run(["mktemp", "-d"], capture_output=True, text=True, check=True).stdout.strip())
    (folder / "password").write_text("secret for a test")
    as_user: list[str] = []
    if os.geteuid() == 0:
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        shutil.chown(folder, "postgres")
        shutil.chown(folder / "password", "postgres")
    data, port = folder / "data", find_free_port()
    control = [*as_user, str(MACHINES_OWN / "pg_ctl"), "-D", str(data), "-w", "-s"]
    options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories="
    initdb_command = [
        str(MACHINES_OWN / "initdb"),
        "-D",
        str(data),
        "-U",
        "loader",
        "-A",
        "scram-sha-256",
        "-E",
        "UTF8",
    ]
    subprocess.run(
        [*as_user, *initdb_command, f"--pwfile={folder / 'password'}"], check=True, capture_output=True, cwd="/"
    )
    subprocess.run([*control, "-l", str(folder / "log"), "-o", options, "start"], check=True, cwd="/")
    yield f"postgresql://loader:secret%20for%20a%20test@127.0.0.1:{port}/postgres"
    subprocess.run([*control, "-m", "immediate", "stop"], check=True, cwd="/")
    shutil.rmtree(folder)


@pytest.mark.parametrize("version", [15, 16])
def test_a_load_on_another_version(
    version: int, request: pytest.FixtureRequest, spark: SparkSession, warehouse_url: str
) -> None:
    url = request.getfixturevalue(f"version_{version}")
    with database.connect(url) as connection:
        shown = database.fetch_rows(connection, "select current_setting('server_version_num')::int / 10000 as version")
    assert shown == [{"version": version}]
    migrate_warehouse(url)
    load_frames(create_frames(spark, make_catalogue()), make_run(), url)
    load_frames(create_frames(spark, make_catalogue()), make_run(), warehouse_url)
    assert compute_checksums(url) == compute_checksums(warehouse_url)


@pytest.mark.parametrize("version", [15, 16])
def test_a_backup_is_restored_on_another_version(
    version: int, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = request.getfixturevalue(f"version_{version}")
    migrate_warehouse(url)
    monkeypatch.setenv("WAREHOUSE_URL", url)
    with database.connect(url) as connection:
        connection.exec_driver_sql("create table warehouse.kept as select generate_series(1, 3) as n")
    write_backup(tmp_path / "backup")
    with database.connect(url) as connection:
        connection.exec_driver_sql("drop table warehouse.kept")
    restore_backup(tmp_path / "backup")
    with database.connect(url) as connection:
        assert database.fetch_rows(connection, "select array_agg(n order by n) as kept from warehouse.kept") == [
            {"kept": [1, 2, 3]}
        ]
        connection.exec_driver_sql("drop table warehouse.kept")
