"""Calls of a refresh to the mock Spotify API beside the fewest possible; audio features matched, by the mock's truth.

    python -m benchmarks.spotify [--only calls match] [--folder FOLDER]

Both against the stand-in, over HTTP, in both quota modes. ``calls`` counts what one account's first fetch of 50
playlists of 100 tracks asks, and what a night without changes asks, beside the least that the mode allows. ``match``
publishes the accounts' playlists and compares with the stand-in's truth which recordings their audio features are of.
"""

import argparse
import sqlite3
from collections import Counter
from importlib.metadata import version
from pathlib import Path

from benchmarks._stand_in import MODES, nights
from etl import warehouse
from etl.config import Settings
from etl.jobs import refresh, stand_in
from etl.lake import Lake
from etl.schemas import ARTIST_ROW, MOCK_SOURCE, TRACK_ROW
from etl.simulate.spotify_api.stock import stock_path, write_stock

_PLAYLISTS, _LENGTH, _PAGE = 50, 100, 50
_QUIET = "has_usual_changes = false\npopularity_drift = 0\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=("calls", "match"), default=("calls", "match"))
    parser.add_argument("--folder", type=Path, help="of Kaggle files; else the made-up catalogue is served")
    options = parser.parse_args()
    print(f"spotipy {version('spotipy')}, pyspark {version('pyspark')}, against the mock API (docs/stand_in.md)")
    for mode in MODES:
        if "calls" in options.only:
            _calls(mode)
        if "match" in options.only:
            _match(mode, options.folder)


def _calls(mode: str) -> None:
    with nights(mode, _QUIET, calls=0) as here:
        here.import_files(None)
        _restock(here.settings)
        first = here.fetch(0)
        refresh_needed = first["playlist_items"]["200"]
        here.refresh(0)
        second = here.fetch(1)
    pages = _PLAYLISTS * -(-_LENGTH // _PAGE)
    print(f"{mode}: first refresh of {_PLAYLISTS} playlists x {_LENGTH} tracks: {_told(first)}")
    print(f"  pages of items {refresh_needed}, least possible {pages}, goal: equal")
    print(f"{mode}: a night without changes: {_told(second)}; goal: the pages of the list and the token")


def _restock(chosen: Settings) -> None:
    """One account with 50 playlists of 100 tracks, of the tracks that the stand-in has."""
    with refresh.session(chosen, "benchmark spotify") as spark:
        parsed = refresh.parse_files(spark, refresh.current_inputs(Lake(chosen.lake_url)))
        tracks = refresh.union(spark, parsed["track"], TRACK_ROW).toPandas()
        artists = refresh.union(spark, parsed["artist"], ARTIST_ROW).toPandas()
    write_stock(tracks, artists, stock_path(chosen.state_dir), stand_in.SEED, 1, _PLAYLISTS, playlist_length=_LENGTH)
    for name in ("ben",):
        (chosen.state_dir / "accounts" / "stand-in" / f"{name}.json").unlink()


def _told(calls: dict[str, Counter[str]]) -> str:
    words = [
        f"{endpoint} {sum(statuses.values())}" + (f" ({statuses['403']} refused)" if statuses["403"] else "")
        for endpoint, statuses in sorted(calls.items())
    ]
    return f"{sum(sum(statuses.values()) for statuses in calls.values())} calls: {', '.join(words)}"


def _match(mode: str, folder: Path | None) -> None:
    with nights(mode, _QUIET, calls=0) as here:
        here.import_files(folder)
        here.fetch(0)
        here.refresh(0)
        with sqlite3.connect(stock_path(here.settings.state_dir)) as stock:
            truth = dict(stock.execute("select served_id, track_id from truth"))
        with warehouse.connect(here.settings.warehouse_url) as connection:
            rows = warehouse.rows(
                connection,
                "select track_id, recording_key, source, audio_features_source from warehouse.dim_track",
            )
    found = {str(row["track_id"]): row for row in rows}
    ours = [id_ for id_, row in found.items() if row["source"] == MOCK_SOURCE]
    measured = [id_ for id_ in ours if found[id_]["audio_features_source"] not in (None, MOCK_SOURCE)]
    wanted = [
        id_
        for id_ in ours
        if truth.get(id_) in found and found[truth[id_]]["audio_features_source"] not in (None, MOCK_SOURCE)
    ]
    right = {
        id_
        for id_ in measured
        if truth.get(id_) in found and found[id_]["recording_key"] == found[truth[id_]]["recording_key"]
    }
    if not measured:
        api = sum(1 for id_ in ours if found[id_]["audio_features_source"] == MOCK_SOURCE)
        print(f"{mode}: audio features of {api} of {len(ours)} tracks came from the API itself: nothing to match")
        return
    recall, precision = len(right & set(wanted)) / len(wanted), len(right) / len(measured)
    print(
        f"{mode}: audio features by recording, {len(ours)} tracks of the API: recall {recall:.2%} of {len(wanted)},"
        f" goal >= 98 %; precision {precision:.2%} of {len(measured)}, goal >= 99.5 %"
    )


if __name__ == "__main__":
    main()
