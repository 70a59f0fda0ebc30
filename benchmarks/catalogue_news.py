"""Processor time of a refresh whose news are 500 tracks of the API, beside the first load and a refresh of all rows.

    python -m benchmarks.catalogue_news [--tracks N …] [--whole]

The catalogue is one synthetic file. Each refresh is a process with a Java process of its own, and its time includes
that of PostgreSQL. With two sizes, the last line compares the refreshes of both.
"""

import argparse
import csv
import json
import os
import random
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from uuid import uuid4

from benchmarks._fresh_warehouses import FreshWarehouses, start_benchmark_server
from benchmarks._processor_time import ProcessorClock, find_server_pid
from etl.extract.spotify.responses import ResponseStore
from etl.formats.api_responses import ApiResponse
from etl.formats.kaggle.file_formats import FORMATS
from etl.jobs import kaggle, refresh, refresh_plan
from etl.settings import CHECKOUT, Settings, read_settings
from etl.storage.lake import Lake
from launch.spark_jars import link_jars

_GOAL_OF_FIRST_LOAD = 0.1
_GOAL_OF_SIZES = 1.3
_REFRESHED_TRACKS = 500
_BATCH = 50
_DAY = datetime(2026, 11, 1, tzinfo=UTC)
_TRACKS_PER_ARTIST = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tracks", type=int, nargs="+", default=[100_000])
    parser.add_argument("--whole", action="store_true", help="also measure a refresh of all rows with such news")
    parser.add_argument("--refresh", metavar="RUN_ID", help="run one refresh, as this benchmark does itself")
    parser.add_argument("--server-pid", type=int)
    options = parser.parse_args()
    if options.refresh:
        _run_refresh(options.refresh, options.whole, options.server_pid)
        return
    print(f"pyspark {version('pyspark')}, {os.cpu_count()} processors, {_REFRESHED_TRACKS} refreshed tracks")
    with start_benchmark_server() as (server, folder):
        warehouses = FreshWarehouses(server)
        updates = {
            count: _measure_size(count, warehouses, folder / str(count), options.whole) for count in options.tracks
        }
    if len(updates) > 1:
        small, large = min(updates), max(updates)
        ratio = updates[large] / updates[small]
        print(f"{large:,} tracks / {small:,} tracks: {ratio:.2f}, goal <= {_GOAL_OF_SIZES}")


def _measure_size(track_count: int, warehouses: FreshWarehouses, folder: Path, has_whole: bool) -> float:
    """Print the processor seconds of the refreshes of one size; return those of the one that follows its news."""
    folder.mkdir()
    link_jars(folder)
    with warehouses.create_warehouse() as url:
        environ = {**os.environ, "PYTHONPATH": str(CHECKOUT), "STATE_DIR": str(folder), "WAREHOUSE_URL": url}
        environ |= {"SPARK_MASTER": "local[2]", "SPARK_IDLE_MINUTES": "0"}
        settings = read_settings(environ)
        _write_tracks(folder / "dataset.csv", track_count)
        kaggle.import_file(str(folder / "dataset.csv"), None, settings, "import", _DAY)
        pid = find_server_pid(warehouses.server)
        first = _time_refresh("first", environ, pid)
        _store_responses(settings, track_count, 1)
        _time_refresh("warm-up of the API's state", environ, pid)
        _store_responses(settings, track_count, 2)
        update = _time_refresh("update", environ, pid)
        line = f"{track_count:,} tracks: first load {first:.1f} s, news {update:.1f} s"
        line += f", news / first {update / first:.3f} goal <= {_GOAL_OF_FIRST_LOAD}"
        if has_whole:
            _store_responses(settings, track_count, 3)
            whole = _time_refresh("whole", environ, pid, "--whole")
            line += f"; all rows {whole:.1f} s, news / all rows {update / whole:.3f}"
        print(line, flush=True)
    return update


def _time_refresh(run_id: str, environ: dict[str, str], server_pid: int, *options: str) -> float:
    command = [sys.executable, "-m", "benchmarks.catalogue_news", "--refresh", run_id, *options]
    command += ["--server-pid", str(server_pid)]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{run_id} failed: {done.stderr[-3000:]}")
    measured = json.loads(done.stdout.splitlines()[-1])
    print(f"  {run_id}: {measured}", flush=True)
    return float(sum(measured["seconds"].values()))


def _run_refresh(run_id: str, is_whole: bool, server_pid: int) -> None:
    settings, clock = read_settings(), ProcessorClock(server_pid)
    seconds = {"start": round(ProcessorClock().read(), 2)}
    steps = {
        "plan": lambda: refresh_plan.plan_refresh(run_id, "nightly_refresh", date(2026, 11, 2), is_whole, settings),
        "transform": lambda: refresh.transform_catalogue(run_id, settings),
        "fit": lambda: refresh.fit_clusters(run_id, settings),
        "load": lambda: refresh.load_catalogue(run_id, settings),
    }
    for name, step in steps.items():
        seconds[name] = round(clock.measure(step).processor_seconds, 2)
    catalogue = Lake(settings.lake_url).checkpoints.read_document(run_id, "catalogue")
    print(json.dumps({"seconds": seconds, "follows_news": catalogue["updated_state_id"] is not None}))


def _write_tracks(path: Path, count: int) -> None:
    chance = random.Random(1)
    with path.open("w", newline="", encoding="utf-8") as target:
        writer = csv.DictWriter(target, FORMATS["tracks_by_genre"].columns)
        writer.writeheader()
        for number in range(count):
            features = ("danceability", "energy", "speechiness", "acousticness", "instrumentalness", "liveness")
            row: dict[str, object] = {name: round(chance.random(), 3) for name in (*features, "valence")}
            row |= {
                "track_id": _make_id(number),
                "artists": _make_artist_name(number),
                "track_name": _make_title(number),
            }
            row |= {"album_name": f"Album {number // 12}", "popularity": number % 100, "explicit": "False"}
            row |= {"duration_ms": 150_000 + chance.randrange(150_000), "loudness": -6.5, "key": 1, "mode": 1}
            writer.writerow(row | {"tempo": 90.5, "time_signature": 4, "track_genre": f"genre {number % 100}"})


def _store_responses(settings: Settings, track_count: int, night: int) -> None:
    """Store responses about tracks of the catalogue, each with a new popularity and the id of its artist."""
    numbers = random.Random(night).sample(range(track_count), _REFRESHED_TRACKS)
    store = ResponseStore(Lake(settings.lake_url), uuid4().hex, "account-benchmark")
    asked_at = (_DAY + timedelta(days=night)).isoformat(timespec="seconds")
    for begin in range(0, len(numbers), _BATCH):
        batch = numbers[begin : begin + _BATCH]
        body = {"tracks": [_make_track(number, night) for number in batch]}
        query = {"ids": ",".join(map(_make_id, batch))}
        response = ApiResponse(asked_at, "benchmark", "tracks", "tracks", query, 200, body)
        store.fetch_once(lambda _, response=response: response, begin)
    store.store_input(datetime.fromisoformat(asked_at))


def _make_track(number: int, night: int) -> dict[str, object]:
    artist = {"id": f"artist{number // _TRACKS_PER_ARTIST:016d}", "name": _make_artist_name(number)}
    album = {"id": f"album{number // 12:017d}", "name": f"Album {number // 12}", "album_type": "album"}
    album |= {"release_date": f"{1960 + number % 60}", "release_date_precision": "year"}
    return {
        **{"id": _make_id(number), "name": _make_title(number), "type": "track", "duration_ms": 200_000},
        **{"explicit": False, "artists": [artist], "album": album, "is_local": False, "popularity": night},
    }


def _make_id(number: int) -> str:
    return f"track{number:017d}"


def _make_artist_name(number: int) -> str:
    return f"Artist {number // _TRACKS_PER_ARTIST}"


def _make_title(number: int) -> str:
    return f"Song {number % 50_000} of the Day"


if __name__ == "__main__":
    main()
