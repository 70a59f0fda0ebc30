"""What faults of the Spotify API do to the star, and to how long a worker waits.

    python -m benchmarks.faults [--modes MODE …] [--nights N] [--rate RATE] [--seed SEED] [--every N]

Goes through the same nights twice at the stand-in, without faults and with some of every kind, then through two more
without any in which everything of the catalogue is asked (before them the budget is small), and compares the stars.
What the nights brought is published after the first, every so many (``--every``), and the last two. A night is a line.

A recording is the same whichever of its ids came first: it is named here by its smallest. A name that something had
only in nights whose calls failed is in no answer, and cannot be an alias: such ones are counted apart.
"""

import argparse
import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

from sqlalchemy import Connection

from benchmarks._stand_in import MODES, Nights, Waits, nights
from etl import warehouse
from etl.extract.spotify.exchange import Limits
from etl.jobs.spotify import LONGEST_DELAY_S
from etl.simulate.spotify_api.scenario import FAULTS

_RATES = {"development": 0.25, "extended": 0.3}
_BUDGETS = {"development": 100, "extended": 40}
_CALM_NIGHTS = 2
_LAST_BUDGET = 5_000
_CHANGING = "popularity_drift = 0\n"
_FAULTS = """
[faults]
rate = {rate}
seed = {seed}
last_night = {last_night}
kinds = {kinds}
"""
_GOAL = 200
_SHOWN = 5
_TABLES = {
    "tracks": """select t.track_id, min(t.track_id) over (partition by t.recording_key) as recording, a.album_id,
        t.name, t.release_date, t.duration_ms, t.explicit, t.isrc, t.popularity, t.energy, t.tempo,
        t.audio_features_source, t.source
        from warehouse.dim_track as t
        join warehouse.dim_album as a on a.album_key = t.album_key""",
    "artists": "select artist_id, name, popularity, followers, source from warehouse.dim_artist",
    "credits": """select t.track_id, a.artist_id, b.position from warehouse.bridge_track_artist as b
        join warehouse.dim_track as t using (track_key) join warehouse.dim_artist as a using (artist_key)""",
    "albums": "select album_id, name, album_type, release_date, source from warehouse.dim_album",
    "aliases": """select x.alias_kind, x.alias_value, t.track_id, x.method, x.score from warehouse.track_alias as x
        join warehouse.dim_track as t using (track_key)""",
    "playlists": "select playlist_id, name, owner_id, snapshot_id from warehouse.dim_playlist",
    "memberships": """select p.playlist_id, t.track_id, f.occurrence, f.added_at from warehouse.fact_playlist_track as f
        join warehouse.dim_playlist as p using (playlist_key) join warehouse.dim_track as t using (track_key)
        where f.valid_to = 'infinity'""",
    "users": "select user_id, username, country, subscription_plan from warehouse.dim_user where is_current",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--modes", nargs="+", choices=MODES, default=MODES)
    parser.add_argument("--nights", type=int, default=20, help="with faults")
    parser.add_argument("--rate", type=float, help=f"of calls that meet a fault; else {_RATES}")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--every", type=int, default=10)
    options = parser.parse_args()
    print(f"spotipy {version('spotipy')}, pyspark {version('pyspark')}, against the stand-in", flush=True)
    for mode in options.modes:
        rate = _RATES[mode] if options.rate is None else options.rate
        faults = _FAULTS.format(rate=rate, seed=options.seed, last_night=options.nights - 1, kinds=list(FAULTS))
        expected, *_ = _lived(mode, _CHANGING, options.nights, options.every)
        found, met, waits = _lived(mode, _CHANGING + faults, options.nights, options.every)
        print(f"{mode}: {met.total()} faults over {options.nights} nights (goal: {_GOAL}), rate {rate}, seed", end=" ")
        print(f"{options.seed}: {', '.join(f'{kind} {met[kind]}' for kind in FAULTS)}")
        gone = {row for row in expected["aliases"] - found["aliases"] if json.loads(row)["alias_kind"] == "name"}
        expected["aliases"] = Counter({row: n for row, n in expected["aliases"].items() if row not in gone})
        equal = [name for name, part in expected.items() if found[name] == part]
        sizes = ", ".join(f"{name} {part.total()}" for name, part in expected.items())
        print(f"  {len(equal)} of {len(expected)} parts of the star equal ({sizes})")
        print(f"  names that were gone before they could be asked: {len(gone)}")
        for name in expected.keys() - set(equal):
            _tell(name, expected[name] - found[name], found[name] - expected[name])
        print(f"  {_told(waits)}", flush=True)


def _lived(mode: str, scenario: str, count: int, every: int) -> tuple[dict[str, Counter[str]], Counter[str], Waits]:
    """The star after some nights, the faults met by kind, and the longest waits."""
    met: Counter[str] = Counter()
    with nights(mode, scenario, calls=_BUDGETS[mode]) as here:
        here.import_files(None)
        for number in range(count + _CALM_NIGHTS):
            began, is_last = time.monotonic(), number >= count
            calls = here.fetch(number, _LAST_BUDGET if is_last else None)
            met += (new := here.faults())
            fetched = time.monotonic()
            if number % every == 0 or is_last:
                here.refresh(number)
            took = f"{fetched - began:.0f} s asking, {time.monotonic() - fetched:.0f} s publishing"
            asked = sum(statuses.total() for statuses in calls.values())
            kinds = ", ".join(f"{kind} {new[kind]}" for kind in sorted(new))
            print(
                f"  {mode}, night {number}: {asked} calls, {met.total()} faults so far ({kinds or 'none'}), {took}",
                flush=True,
            )
        return _star(here), met, here.waits


def _tell(name: str, lacking: Counter[str], further: Counter[str]) -> None:
    """Print the rows that differ: those of one id beside each other, by the columns in which they do."""
    there, here = (_by_id(rows) for rows in (lacking, further))
    print(f"  DIFFERS: {name}: with faults {len(lacking)} rows are not there, {len(further)} further ones are")
    columns: dict[str, list[str]] = defaultdict(list)
    for one in sorted(there.keys() & here.keys()):
        for column in there[one]:
            if there[one][column] != here[one][column]:
                columns[column].append(f"{one}: {there[one][column]} became {here[one][column]}")
    columns["lacking"] = [str(there[one]) for one in sorted(there.keys() - here.keys())]
    columns["further"] = [str(here[one]) for one in sorted(here.keys() - there.keys())]
    for column, told in columns.items():
        print(f"    {column}: {len(told)}", *told[:_SHOWN], sep="\n      ")


def _by_id(rows: Counter[str]) -> dict[str, dict[str, Any]]:
    read = [json.loads(row) for row in rows]
    return {" ".join(str(value) for value in list(row.values())[:2]): row for row in read}


def _star(here: Nights) -> dict[str, Counter[str]]:
    """The rows that are current, by kind, each as JSON."""
    with warehouse.connect(here.url) as connection:
        return {name: Counter(_as_json(connection, query)) for name, query in _TABLES.items()}


def _as_json(connection: Connection, query: str) -> Iterator[str]:
    for row in warehouse.rows(connection, f"select to_json(r)::text as r from ({query}) as r"):  # noqa: S608
        yield str(row["r"])


def _told(waits: Waits) -> str:
    limits = Limits()
    bounds = (limits.retry_after_each_s, limits.retry_after_all_s, LONGEST_DELAY_S)
    seen = (waits.once, waits.asked, waits.task)
    words = ("a worker at once", "all pauses asked for in a fetch", "a task before its next try")
    told = [f"{word} {wait:.0f} s (bound {bound:.0f})" for word, wait, bound in zip(words, seen, bounds, strict=True)]
    return f"longest wait: {', '.join(told)}"


if __name__ == "__main__":
    main()
