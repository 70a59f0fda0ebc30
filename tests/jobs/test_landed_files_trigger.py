"""The trigger of loads: it fires when landed messages are worth a load, once for the same files."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.airflow

CHECKOUT = Path(__file__).resolve().parents[2]

_WATCH = """
import asyncio, contextlib, datetime, json
from dags.common import landed_files_trigger
from dags.common.assets import FEED_INPUTS
from etl.jobs import landed_inputs
from etl.storage.lake import Lake
from etl.storage.landed_files import LandedTopic
from etl.settings import read_settings
from tests.storage.test_landed_files import write_range

settings = read_settings()
landed = LandedTopic(settings.lake_url, "SpotifyWrapped", "id")
(watcher,) = FEED_INPUTS.watchers
landed_files_trigger._POLL_SECONDS = 0.01
landed_inputs.lock_landed_files = lambda _url: contextlib.nullcontext()
fired = []

async def watch():
    async for event in watcher.trigger.run():
        fired.append(event.payload["offset_count"])

async def play():
    task = asyncio.create_task(watch())
    counts = []
    async def step(action):
        action()
        await asyncio.sleep(0.4)
        counts.append(list(fired))
    await step(lambda: None)
    await step(lambda: write_range(landed, 0, 10))
    await step(lambda: write_range(landed, 10, 20))
    await step(lambda: write_range(landed, 20, 30))
    lake, now = Lake(settings.lake_url), datetime.datetime.now(datetime.UTC)
    await step(lambda: landed_inputs.register_landed_files(lake, "", now))
    await step(lambda: write_range(landed, 30, 60))
    task.cancel()
    print(json.dumps([watcher.trigger.serialize()[0], counts]))

asyncio.run(play())
"""


def test_the_trigger_fires_once_for_the_same_files(tmp_path: Path) -> None:
    environ = {
        **os.environ,
        "PYTHONPATH": str(CHECKOUT),
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "STATE_DIR": str(tmp_path),
        "WAREHOUSE_URL": "postgresql://unused@127.0.0.1:1/none",
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
        "LOAD_SECONDS": "3600",
        "LOAD_RECORDS": "20",
    }
    output = subprocess.run(
        [sys.executable, "-c", _WATCH], cwd=CHECKOUT, env=environ, capture_output=True, text=True, check=True
    ).stdout
    classpath, counts = json.loads(output.splitlines()[-1])
    assert classpath == "dags.common.landed_files_trigger.LandedFilesTrigger"
    assert counts == [[], [], [20], [20], [20], [20, 30]]
