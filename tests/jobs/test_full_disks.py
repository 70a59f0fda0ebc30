"""A full disk under PostgreSQL or the lake: a sentence, the published state as it was, and the next run ends well.

The disks are mounted in memory, which only the superuser may: as anybody else these tests are skipped.
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
from tests.load.star_frames import table

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser can mount a disk"),
    pytest.mark.postgres,
    pytest.mark.timeout(900),
]
_MEMBERS = {"warehouse.dim_user", "warehouse.dim_play_context", "warehouse.user_record"}
"""What events name is published before them."""


@dataclass
class Place:
    """A warehouse and a lake, each on a disk of its own."""

    server: postgres.Server
    disks: dict[str, SmallDisk]
    settings: Settings

    def copy(self, source: str, target: str) -> None:
        run_as_superuser(self.server, f"drop database if exists {target} with (force)")
        run_as_superuser(self.server, f"create database {target} template {source} owner loader")
        run_as_superuser(self.server, "checkpoint")  # what was written before needs no room later
        table(self.server.build_url("loader", target), "select 1 as one")  # nor does what it keeps on the first use

    def changed_since(self, name: str) -> set[str]:
        told = compare_warehouses(self.server.build_url("loader", name), self.settings.warehouse_url)
        return {*told.rows, *told.keys}


def _load_events(night: int, chosen: Settings) -> None:
    jobs.receive_feed(night, chosen)
    jobs.load_events(night, chosen)


JOBS: dict[str, Callable[[int, Settings], None]] = {
    "load_catalogue": jobs.load_catalogue,
    "load_events": _load_events,
    "build_marts": jobs.build_marts,
}
AFTER = dict(zip(JOBS, ["load_events", "build_marts", "finished"], strict=True))


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    """A database for each job, named for it, as it finds it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o711)  # PostgreSQL runs as somebody else
        with mount_small_disks({folder / "server": "3g", folder / "state": "200m"}) as mounted:
            server = postgres.start_server(folder / "server")
            try:
                yield _filled(folder, server, {path.name: disk for path, disk in mounted.items()})
            finally:
                postgres.remove_servers(folder / "server")


def _filled(folder: Path, server: postgres.Server, disks: dict[str, SmallDisk]) -> Place:
    environ = {"STATE_DIR": str(folder / "state"), "WAREHOUSE_URL": server.build_url("loader", "tried")}
    here = Place(server, disks, read_settings(environ))
    run_as_superuser(server, "create database tried owner loader")
    migrate_warehouse(here.settings.warehouse_url)
    for name, job in JOBS.items():
        here.copy("tried", name)
        job(0, here.settings)
    here.copy("tried", "finished")
    return here


@pytest.mark.parametrize("room_kib", [40, 2_000])
@pytest.mark.parametrize("name", JOBS)
def test_a_full_disk_of_postgresql(place: Place, name: str, room_kib: int) -> None:
    place.copy(name, "tried")
    full = pytest.raises(ActionNeededError, match="has a full disk: make room there")
    with place.disks["server"].fill_disk(room_kib << 10), full:
        JOBS[name](0, place.settings)
    postgres.restart_if_ended(place.server)
    changed = {one for one in place.changed_since(name) if one.startswith(("warehouse.", "mart."))}
    assert changed <= (_MEMBERS if name == "load_events" else set())
    JOBS[name](0, place.settings)
    assert place.changed_since(AFTER[name]) == set()


def test_a_full_disk_of_the_lake(place: Place) -> None:
    place.copy("finished", "tried")
    kept = Lake(place.settings.lake_url).inputs.find_inputs(["feed"])
    full = pytest.raises(ActionNeededError, match=r"The disk of .* is full: 0 MiB are free \(the lake")
    for room_kib in (0, 300):
        with place.disks["state"].fill_disk(room_kib << 10), full:
            _load_events(1, place.settings)
        assert Lake(place.settings.lake_url).inputs.find_inputs(["feed"]) == kept
    assert not {one for one in place.changed_since("finished") if one.startswith(("warehouse.", "mart."))}
    _load_events(1, place.settings)
    (found,) = table(place.settings.warehouse_url, "select count(*) as size from warehouse.fact_event")
    assert found["size"] == 2 * jobs.EVENT_COUNT
