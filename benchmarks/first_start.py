"""A first start by its parts: the whole of bin/run by the clock, and the simulated listeners' parts by the processor.

    python -m benchmarks.first_start [--listeners N] [--days N] [--rounds N] [--only whole parts]

``whole``: ``bin/run`` without own data, with the packages and jars of the machine's STATE_DIR where it has them: the
seconds of each step as bin/run prints them, and the processor seconds of all processes but PostgreSQL. ``parts``:
simulation, load and marts of the listeners of a first start, and of 200 listeners of three days, in alternating rounds
after an uncounted one, in one process with fresh warehouses; the catalogue is synthetic, of the size of dataset.csv.
"""

import argparse
import os
import re
import shutil
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from sqlalchemy import text

from benchmarks._event_load_environment import LoadEnvironment
from benchmarks._fresh_warehouses import start_benchmark_server
from benchmarks._processor_time import ProcessorClock, Spent, find_server_pid
from benchmarks._rounds import Times
from benchmarks._running_product import RunningProduct
from etl.database import connect, fetch_rows
from etl.jobs import events, marts
from etl.settings import read_settings
from launch.run import FEED_DAYS
from launch.spark_jars import link_jars
from simulator.jobs import feed

_STEP_LINE = re.compile(r"^[✓✗] (?P<name>.+?)\s+(?P<seconds>[0-9.]+) s$", re.MULTILINE)
_END = datetime(2026, 9, 1, tzinfo=UTC)
_COMPLETE_TRACKS = """
    update warehouse.dim_track
    set duration_ms = 90000 + track_key * 7919 % 240000, primary_genre = 'genre ' || track_key % 114,
        release_date = date '1960-01-01' + track_key * 7919 % 24000, release_date_precision = 'day',
        release_date_source = 'made_up', newness_score = (track_key * 7919 % 24000) / 24000.0,
        danceability = track_key * 7 % 101 / 100.0, energy = track_key * 11 % 101 / 100.0,
        valence = track_key * 13 % 101 / 100.0, acousticness = track_key * 17 % 101 / 100.0,
        tempo = 60 + track_key % 120, audio_features_type = track_key % 8, audio_features_source = 'made_up'
    where track_key > 0
"""
"""Fields that listeners choose tracks by, and that marts count."""

_FORMER_SHAPE = (200, 3)
"""Listeners and days of the first start of earlier versions."""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    default = read_settings({"WAREHOUSE_URL": "postgresql://unused@127.0.0.1/none"}).simulated_listeners
    parser.add_argument("--listeners", type=int, default=default)
    parser.add_argument("--days", type=int, default=FEED_DAYS, help="of parts; those of whole are fixed")
    parser.add_argument("--rounds", type=int, default=5, help="of parts; whole is single")
    parser.add_argument("--only", nargs="+", default=["whole", "parts"], choices=["whole", "parts"])
    options = parser.parse_args()
    print(f"Airflow {version('apache-airflow')}, pyspark {version('pyspark')}, {os.cpu_count()} cores", flush=True)
    if "whole" in options.only:
        _measure_whole_start(options.listeners)
    if "parts" in options.only:
        _compare_parts(options)


def _measure_whole_start(listeners: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        state = Path(name) / "state"
        state.mkdir()
        link_jars(state)
        environ = {"KAGGLE_PATH": "", "SPOTIPY_CLIENT_ID": "", "SIMULATED_LISTENERS": str(listeners)}
        began = ProcessorClock().read()
        with RunningProduct(state, state, **environ) as product:
            product.wait_until_published()
            report = product.read_report()
        processor_seconds = ProcessorClock().read() - began
    steps = [(step["name"], float(step["seconds"])) for step in _STEP_LINE.finditer(report)]
    assert steps, f"bin/run has printed no step:\n{report[-3000:]}"
    for step_name, seconds in steps:
        print(f"first start, {step_name}: {seconds:.1f} s")
    total = sum(seconds for _, seconds in steps)
    print(
        f"first start with {listeners:,} listeners, single: {total:.0f} s by the clock, processor"
        f" {processor_seconds:.0f} s without PostgreSQL",
        flush=True,
    )


def _compare_parts(options: argparse.Namespace) -> None:
    shapes = {"now": (options.listeners, options.days), "formerly": _FORMER_SHAPE}
    measured: dict[str, list[dict[str, Spent]]] = {name: [] for name in shapes}
    sizes: dict[str, int] = {}
    with start_benchmark_server() as (server, folder):
        link_jars(folder)
        environment = LoadEnvironment(folder, server)
        clock = ProcessorClock(find_server_pid(server))
        for number in range(options.rounds + 1):
            for name in list(shapes)[:: 1 if number % 2 else -1]:
                spent, sizes[name] = _simulate_listeners(environment, clock, *shapes[name])
                if number:
                    measured[name].append(spent)
    for name, (listeners, days) in shapes.items():
        print(f"{name}: {listeners:,} listeners, {days:,} days, {sizes[name]:,} events, {options.rounds} rounds")
        for part in measured[name][0]:
            seconds = Times(tuple(spent[part].seconds for spent in measured[name]))
            processor = Times(tuple(spent[part].processor_seconds for spent in measured[name]))
            print(f"  {part}: {seconds}; processor {processor}", flush=True)


def _simulate_listeners(
    environment: LoadEnvironment, clock: ProcessorClock, listeners: int, days: int
) -> tuple[dict[str, Spent], int]:
    """Return what each part took, and the number of events in the star."""
    with environment.create_warehouse() as url:
        with connect(url) as connection:
            connection.execute(text(_COMPLETE_TRACKS))
        settings = environment.make_settings(url)
        parameters = feed.parse_parameters({"users": listeners, "hours": days * 24, "end": _END.isoformat()}, _END)
        spent = {
            "simulation": clock.measure(lambda: feed.simulate_feed("simulate", parameters, _END, settings)),
            "load": clock.measure(
                lambda: (events.plan_events("load", settings), events.load_events("load", _END.date(), settings))
            ),
            "marts": clock.measure(lambda: marts.build_marts("marts", marts.CHANGED, None, settings)),
        }
        with connect(url) as connection:
            size = int(str(fetch_rows(connection, "select count(*) as n from warehouse.fact_event")[0]["n"]))
    shutil.rmtree(environment.folder / "lake")
    return spent, size


if __name__ == "__main__":
    main()
