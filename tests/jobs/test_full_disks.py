"""A full disk under PostgreSQL or the lake: a clear message, an unchanged published state, and a successful next run.

The disks are mounted in RAM, which requires root: for other users these tests are skipped.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from campaigns.concurrent_runs import spark_free_jobs as jobs
from campaigns.crash_runs.warehouse_comparison import compare_warehouses
from campaigns.full_disk_runs.small_disk import SmallDisk, mount_small_disks
from etl.errors import ActionNeededError
from etl.load.migrate import migrate_warehouse
from etl.settings import Settings, read_settings
from etl.storage.lake import Lake
from launch import postgres
from tests.conftest import run_as_superuser
from tests.load.star_frames import select_rows

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser can mount a disk"),
    pytest.mark.postgres,
    pytest.mark.timeout(900),
]
_DIMENSION_TABLES = {"warehouse.dim_user", "warehouse.dim_play_context", "warehouse.user_record"}
"""The tables of dimension members, which are published before the events."""


@dataclass
class SmallDiskEnvironment:
    """A warehouse and a lake, each on a separate disk."""

    server: postgres.Server
    disks: dict[str, SmallDisk]
    settings: Settings

    def copy(self, source: str, target: str) -> None:
        run_as_superuser(self.server, f"drop database if exists {target} with (force)")
        run_as_superuser(self.server, f"create database {target} template {source} owner loader")
        run_as_superuser(self.server, "checkpoint")  # earlier writes need no space later
        select_rows(
            self.server.build_url("loader", target), "select 1 as one"
        )  # nor do the catalogue caches of the first connection

    def changed_since(self, name: str) -> set[str]:
        differences = compare_warehouses(self.server.build_url("loader", name), self.settings.warehouse_url)
        return {*differences.rows, *differences.keys}


def _load_events(day_number: int, chosen: Settings) -> None:
    jobs.receive_feed(day_number, chosen)
    jobs.load_events(day_number, chosen)


JOBS: dict[str, Callable[[int, Settings], None]] = {
    "load_catalogue": jobs.load_catalogue,
    "load_events": _load_events,
    "build_marts": jobs.build_marts,
}
AFTER = dict(zip(JOBS, ["load_events", "build_marts", "finished"], strict=True))


@pytest.fixture(scope="module")
def environment() -> Iterator[SmallDiskEnvironment]:
    """Yield a database for each job, named after the job, in the state before it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o711)  # PostgreSQL runs as another user
        with mount_small_disks({folder / "server": "3g", folder / "state": "200m"}) as mounted:
            server = postgres.start_server(folder / "server")
            try:
                yield _fill_environment(folder, server, {path.name: disk for path, disk in mounted.items()})
            finally:
                postgres.remove_servers(folder / "server")


def _fill_environment(folder: Path, server: postgres.Server, disks: dict[str, SmallDisk]) -> SmallDiskEnvironment:
    environ = {"STATE_DIR": str(folder / "state"), "WAREHOUSE_URL": server.build_url("loader", "tried")}
    environment = SmallDiskEnvironment(server, disks, read_settings(environ))
    run_as_superuser(server, "create database tried owner loader")
    migrate_warehouse(environment.settings.warehouse_url)
    for name, job in JOBS.items():
        environment.copy("tried", name)
        job(0, environment.settings)
    environment.copy("tried", "finished")
    return environment


@pytest.mark.parametrize("room_kib", [40, 2_000])
@pytest.mark.parametrize("name", JOBS)
def test_a_full_disk_of_postgresql(environment: SmallDiskEnvironment, name: str, room_kib: int) -> None:
    environment.copy(name, "tried")
    full = pytest.raises(ActionNeededError, match="has a full disk: free some space there")
    with environment.disks["server"].fill_disk(room_kib << 10), full:
        JOBS[name](0, environment.settings)
    postgres.restart_if_ended(environment.server)
    changed_tables = {
        changed_table
        for changed_table in environment.changed_since(name)
        if changed_table.startswith(("warehouse.", "mart."))
    }
    assert changed_tables <= (_DIMENSION_TABLES if name == "load_events" else set())
    JOBS[name](0, environment.settings)
    assert environment.changed_since(AFTER[name]) == set()


def test_a_full_disk_of_the_lake(environment: SmallDiskEnvironment) -> None:
    environment.copy("finished", "tried")
    inputs_before = Lake(environment.settings.lake_url).inputs.find_inputs(["feed"])
    full = pytest.raises(ActionNeededError, match=r"The disk of .* is full: 0 MiB are free \(the lake")
    for room_kib in (0, 300):
        with environment.disks["state"].fill_disk(room_kib << 10), full:
            _load_events(1, environment.settings)
        assert Lake(environment.settings.lake_url).inputs.find_inputs(["feed"]) == inputs_before
    assert not {
        changed_table
        for changed_table in environment.changed_since("finished")
        if changed_table.startswith(("warehouse.", "mart."))
    }
    _load_events(1, environment.settings)
    (event_count,) = select_rows(
        environment.settings.warehouse_url, "select count(*) as size from warehouse.fact_event"
    )
    assert event_count["size"] == 2 * jobs.EVENT_COUNT
