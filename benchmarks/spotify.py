"""What a refresh asks of the Spotify API, how well it matches audio features, and what faults do to the star.

    python -m benchmarks.spotify [--only calls match faults] [--folder FOLDER] [--nights N]

All against the stand-in, over HTTP, in both quota modes. ``calls`` counts what one account's first fetch of 50
playlists of 100 tracks asks, and what a night without changes asks, beside the least that the mode allows. ``match``
publishes the accounts' playlists and compares with the stand-in's truth which recordings their audio features are of.
``faults`` goes through the same nights twice, without faults and with some of every kind, and compares the stars; the
last night has none. Waits are counted, not slept.
"""

import argparse
import atexit
import json
import os
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from importlib.metadata import version
from pathlib import Path

import requests

from etl import warehouse
from etl.config import CHECKOUT, Settings, settings
from etl.errors import ActionNeededError, EtlError
from etl.jobs import kaggle, refresh, spotify
from etl.load.migrate import migrate
from etl.simulate.spotify_api.stock import stock_path, write_stock
from launch import postgres
from launch.stand_in import stand_in

MODES = ("development", "extended")
_PLAYLISTS, _LENGTH, _PAGE = 50, 100, 50
_TRIES = 3
_REFRESHED_EVERY = 5
_QUIET = "has_usual_changes = false\npopularity_drift = 0\n"
_CHANGING = "popularity_drift = 0\n"
_FAULTS = """
[faults]
rate = {rate}
seed = 7
last_night = {last_night}
kinds = ["rate_limited", "rate_limited_long", "quota_exceeded", "forbidden", "not_found", "server_error", "cut_json",
    "invalid_json", "slow", "dropped", "expired_token", "no_new_refresh_token", "new_refresh_token"]
"""
_TABLES = {
    "tracks": """select t.track_id, r.track_id as recording, a.album_id, t.name, t.release_date, t.duration_ms,
        t.explicit, t.isrc, t.popularity, t.energy, t.tempo, t.audio_features_source, t.source
        from warehouse.dim_track as t join warehouse.dim_track as r on r.track_key = t.recording_key
        join warehouse.dim_album as a on a.album_key = t.album_key""",
    "artists": "select artist_id, name, popularity, followers, source from warehouse.dim_artist",
    "albums": "select album_id, name, album_type, release_date, source from warehouse.dim_album",
    "playlists": "select playlist_id, name, owner_id, snapshot_id from warehouse.dim_playlist",
    "memberships": """select p.playlist_id, t.track_id, f.occurrence, f.added_at from warehouse.fact_playlist_track as f
        join warehouse.dim_playlist as p using (playlist_key) join warehouse.dim_track as t using (track_key)
        where f.valid_to = 'infinity'""",
    "users": "select user_id, username, country, subscription_plan from warehouse.dim_user where is_current",
}


class Nights:
    """A warehouse, a lake and a stand-in of their own, and one refresh after the other."""

    def __init__(self, state: Path, base: str, url: str, calls: int) -> None:
        self.base = base
        self.longest_wait = 0.0
        self.settings = settings(
            {
                **os.environ,
                "STATE_DIR": str(state),
                "WAREHOUSE_URL": url,
                "SPOTIPY_CLIENT_ID": "stand-in",
                "SPOTIFY_API_URL": f"{base}/v1/",
                "SPOTIFY_ACCOUNTS_URL": base,
                "IS_STAND_IN": "true",
                "SPOTIFY_DAILY_CALLS": str(calls),
            }
        )
        migrate(url)

    def import_files(self, folder: Path | None) -> None:
        """Bring Kaggle's files in, or made-up ones, and give the stand-in what it serves."""
        chosen = replace(self.settings, kaggle_path=str(folder) if folder else None)
        for file in kaggle.find_files(None, chosen):
            kaggle.import_file(file, None, chosen, "import", datetime.now(UTC))
        spotify.stock_stand_in(self.settings)

    def fetch(self, number: int) -> dict[str, Counter[str]]:
        """Ask all accounts and the catalogue, each up to three times.

        :returns: good and refused calls by endpoint, as the stand-in counted them.
        """
        requests.put(f"{self.base}/stand-in/night", json={"number": number}, timeout=60)
        requests.delete(f"{self.base}/stand-in/calls", timeout=60)
        day, run_id = self._day(number), f"night.{number}"
        spotify.Api = partial(_API, sleep=self._waited)  # type: ignore[assignment, misc]
        for name in spotify.choose_accounts(day, self.settings):
            self._try(partial(spotify.fetch_account, name, run_id, self.settings))
        self._try(lambda is_last_try: spotify.fetch_catalogue(run_id, day, self.settings))
        counted = requests.get(f"{self.base}/stand-in/calls", timeout=60).json()
        return {endpoint: Counter(statuses) for endpoint, statuses in counted.items()}

    def refresh(self, number: int) -> None:
        """Publish what was fetched."""
        run_id = f"night.{number}"
        if refresh.plan_refresh(run_id, "benchmark", self._day(number), False, self.settings):
            refresh.transform_catalogue(run_id, self.settings)
            refresh.fit_clusters(run_id, self.settings)
            refresh.load_catalogue(run_id, self.settings)

    def star(self) -> dict[str, tuple[int, str]]:
        """Number and fingerprint of the rows that are current, by kind."""
        with warehouse.connect(self.settings.warehouse_url) as connection:
            found = {}
            for name, query in _TABLES.items():
                whole = "md5(coalesce(string_agg(r::text, '' order by r::text), ''))"
                statement = f"select count(*) as size, {whole} as print from ({query}) as r"  # noqa: S608
                row = warehouse.rows(connection, statement)[0]
                found[name] = (int(str(row["size"])), str(row["print"]))
        return found

    def _try(self, step: "partial[object] | object") -> None:
        for number in range(1, _TRIES + 1):
            try:
                step(is_last_try=number == _TRIES)  # type: ignore[operator]
                return
            except ActionNeededError as error:
                print(f"  {error}")
                return
            except EtlError as error:
                self.longest_wait = max(self.longest_wait, getattr(error, "retry_after_s", 0.0))

    def _waited(self, seconds: float) -> None:
        self.longest_wait = max(self.longest_wait, seconds)

    def _day(self, number: int) -> date:
        return datetime.now(UTC).date() + timedelta(days=number)


_API = spotify.Api


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=("calls", "match", "faults"), default=("calls", "match", "faults"))
    parser.add_argument("--folder", type=Path, help="of Kaggle files; else the made-up catalogue is served")
    parser.add_argument("--nights", type=int, default=20)
    parser.add_argument("--rate", type=float, default=0.02, help="of calls that meet a fault")
    options = parser.parse_args()
    print(f"spotipy {version('spotipy')}, pyspark {version('pyspark')}, against the stand-in")
    for mode in MODES:
        if "calls" in options.only:
            _calls(mode)
        if "match" in options.only:
            _match(mode, options.folder)
        if "faults" in options.only:
            _faults(mode, options.nights, options.rate)


@contextmanager
def _nights(mode: str, scenario: str, calls: int) -> Iterator[Nights]:
    # A process has one Spark, which keeps its scratch from its first session to its last: nothing goes before the end.
    with ExitStack() as stack:
        name = tempfile.mkdtemp()
        atexit.register(shutil.rmtree, name, ignore_errors=True)
        state = Path(name)
        (state / "scenario.toml").write_text(scenario, encoding="utf-8")
        server = postgres.start(state)
        stack.callback(postgres.remove, state)
        environ = {
            **os.environ,
            "STATE_DIR": name,
            "AIRFLOW_HOME": name,
            "CHECKOUT": str(CHECKOUT),
            "PYTHONPATH": str(CHECKOUT),
            "STAND_IN_MODE": mode,
            "STAND_IN_SCENARIO": str(state / "scenario.toml"),
        }
        base = stack.enter_context(stand_in(state, environ))
        yield Nights(state, base, server.url("loader", "warehouse"), calls)


def _calls(mode: str) -> None:
    with _nights(mode, _QUIET, calls=0) as nights:
        nights.import_files(None)
        _restock(nights.settings)
        first = nights.fetch(0)
        refresh_needed = first["playlist_items"]["200"]
        nights.refresh(0)
        second = nights.fetch(1)
    pages = _PLAYLISTS * -(-_LENGTH // _PAGE)
    print(f"{mode}: first refresh of {_PLAYLISTS} playlists x {_LENGTH} tracks: {_told(first)}")
    print(f"  pages of items {refresh_needed}, least possible {pages}, goal: equal")
    print(f"{mode}: a night without changes: {_told(second)}; goal: the pages of the list and the token")


def _restock(chosen: Settings) -> None:
    """One account with 50 playlists of 100 tracks, of the tracks that the stand-in has."""
    from etl.lake import Lake
    from etl.schemas import ARTIST_ROW, TRACK_ROW
    from etl.spark import session

    with session(chosen, "benchmark spotify") as spark:
        parsed = refresh.parse_files(spark, refresh.current_inputs(Lake(chosen.lake_url)))
        tracks = refresh.union(spark, parsed["track"], TRACK_ROW).toPandas()
        artists = refresh.union(spark, parsed["artist"], ARTIST_ROW).toPandas()
    write_stock(
        tracks, artists, stock_path(chosen.state_dir), spotify.STAND_IN_SEED, 1, _PLAYLISTS, playlist_length=_LENGTH
    )
    for name in ("ben",):
        (chosen.state_dir / "accounts" / "stand-in" / f"{name}.json").unlink()


def _told(calls: dict[str, Counter[str]]) -> str:
    words = [
        f"{endpoint} {sum(statuses.values())}" + (f" ({statuses['403']} refused)" if statuses["403"] else "")
        for endpoint, statuses in sorted(calls.items())
    ]
    return f"{sum(sum(statuses.values()) for statuses in calls.values())} calls: {', '.join(words)}"


def _match(mode: str, folder: Path | None) -> None:
    with _nights(mode, _QUIET, calls=0) as nights:
        nights.import_files(folder)
        nights.fetch(0)
        nights.refresh(0)
        with sqlite3.connect(stock_path(nights.settings.state_dir)) as stock:
            truth = dict(stock.execute("select served_id, track_id from truth"))
        with warehouse.connect(nights.settings.warehouse_url) as connection:
            rows = warehouse.rows(
                connection,
                "select track_id, recording_key, source, audio_features_source from warehouse.dim_track",
            )
    found = {str(row["track_id"]): row for row in rows}
    ours = [id_ for id_, row in found.items() if row["source"] == "api"]
    measured = [id_ for id_ in ours if found[id_]["audio_features_source"] not in (None, "api")]
    wanted = [
        id_
        for id_ in ours
        if truth.get(id_) in found and found[truth[id_]]["audio_features_source"] not in (None, "api")
    ]
    right = {
        id_
        for id_ in measured
        if truth.get(id_) in found and found[id_]["recording_key"] == found[truth[id_]]["recording_key"]
    }
    if not measured:
        api = sum(1 for id_ in ours if found[id_]["audio_features_source"] == "api")
        print(f"{mode}: audio features of {api} of {len(ours)} tracks came from the API itself: nothing to match")
        return
    recall, precision = len(right & set(wanted)) / len(wanted), len(right) / len(measured)
    print(
        f"{mode}: audio features by recording, {len(ours)} tracks of the API: recall {recall:.2%} of {len(wanted)},"
        f" goal >= 98 %; precision {precision:.2%} of {len(measured)}, goal >= 99.5 %"
    )


def _faults(mode: str, count: int, rate: float) -> None:
    stars, waits, met = [], [], 0
    for faults in ("", _FAULTS.format(rate=rate, last_night=count - 2)):
        with _nights(mode, _CHANGING + faults, calls=5_000) as nights:
            nights.import_files(None)
            for number in range(count):
                nights.fetch(number)
                if faults:
                    told = requests.get(f"{nights.base}/stand-in/faults", timeout=60).json()
                    met += len(told) if isinstance(told, list) else sum(told.values())
                if number % _REFRESHED_EVERY == _REFRESHED_EVERY - 1 or number == count - 1:
                    nights.refresh(number)
            stars.append(nights.star())
            waits.append(nights.longest_wait)
    equal = [name for name in stars[0] if stars[0][name] == stars[1][name]]
    print(
        f"{mode}: {met} faults over {count} nights: {len(equal)} of {len(stars[0])} parts of the star equal"
        f" ({json.dumps({name: [stars[0][name][0], stars[1][name][0]] for name in stars[0]})}); longest wait asked of a"
        f" worker or a task {waits[1]:.0f} s"
    )
    for name in stars[0].keys() - set(equal):
        print(f"  differs: {name}")


if __name__ == "__main__":
    main()
