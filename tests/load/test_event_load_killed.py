"""A load of events that is killed at any step and then restarted leaves the same result as an undisturbed one."""

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from etl.database import lock_warehouse
from etl.errors import TryAgainError
from etl.load import partitions, staging
from launch import postgres
from tests.conftest import copy_database
from tests.load.event_frames import load_events, make_event_run
from tests.load.interrupted_event_load import BEFORE, DELIVERIES, STEPS
from tests.load.star_frames import compute_checksums, select_rows

FACTS = ("warehouse.fact_event", "warehouse.fact_spoken_event")


def fetch_events(url: str) -> list[dict[str, object]]:
    """Return the ids and inputs of visible events; their local times follow a new user record at once."""
    return [row for name in FACTS for row in select_rows(url, f"select event_id, input_key from {name} order by 1")]


@pytest.fixture(scope="module")
def undisturbed(embedded_server: postgres.Server, migrated_template: str) -> dict[str, str]:
    with copy_database(embedded_server, migrated_template) as url:
        load_events(url, "before", BEFORE)
        assert load_events(url, "r", *DELIVERIES) == {"fact_event": 4, "fact_spoken_event": 1}
        return compute_checksums(url)


@pytest.mark.crash
@pytest.mark.parametrize("step", STEPS)
def test_a_load_that_is_killed_and_run_again_gives_the_same_rows_and_keys(
    step: str, warehouse_url: str, undisturbed: dict[str, str]
) -> None:
    load_events(warehouse_url, "before", BEFORE)
    before = fetch_events(warehouse_url)
    program = [sys.executable, "-m", "tests.load.interrupted_event_load", warehouse_url, step]
    killed = subprocess.run(program, check=False, capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    is_published = step == "after publish_events"
    assert is_published or fetch_events(warehouse_url) == before, "readers see a half"
    assert bool(load_events(warehouse_url, "r", *DELIVERIES)) != is_published
    assert compute_checksums(warehouse_url) == undisturbed


@pytest.mark.crash
def test_an_index_that_outlives_its_load_does_not_keep_the_next_one_waiting(warehouse_url: str) -> None:
    failed: list[BaseException] = []

    def create_index() -> None:
        try:
            partitions._run_statement(warehouse_url, "lock table staging.fact_event; select pg_sleep(60)")
        except TryAgainError as error:
            failed.append(error)

    orphan = threading.Thread(target=create_index)
    orphan.start()
    sleeping = "select from pg_stat_activity where query like 'lock table%' and datname = current_database()"
    while not select_rows(warehouse_url, sleeping):
        time.sleep(0.05)
    started_at = time.monotonic()
    with lock_warehouse(warehouse_url) as connection:
        staging.prepare_load(connection, "next", make_event_run("next", ()), [])
    assert time.monotonic() - started_at < 15
    orphan.join()
    assert failed
