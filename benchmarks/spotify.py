"""Calls of a refresh to the mock Spotify API beside the fewest possible; audio features matched, by the mock's truth.

    python -m benchmarks.spotify [--only calls match] [--folder FOLDER]

Both parts run against the mock API, over HTTP, in both quota modes. ``calls`` counts the calls of one account's first
fetch of 50 playlists of 100 tracks, and those of a simulated day without changes, beside the minimum that the mode
allows. ``match`` publishes the accounts' playlists and compares the recordings of their audio features with the mock
API's truth.
"""

import argparse
import sqlite3
from collections import Counter
from importlib.metadata import version
from pathlib import Path

from benchmarks._refresh_series import MODES, open_refresh_series
from etl import database
from etl.formats.contracts import ARTIST_ROW, MOCK_SOURCE, TRACK_ROW
from etl.jobs import refresh, refresh_plan
from etl.jobs.catalogue.inputs import parse_files, union_accepted
from etl.settings import Settings
from etl.storage.lake import Lake
from simulator.jobs import mock_api
from simulator.mock_api.seed_data import get_seed_data_path, write_seed_data

_PLAYLIST_COUNT, _PLAYLIST_LENGTH, _PAGE_SIZE = 50, 100, 50
_QUIET_SCENARIO = "has_usual_changes = false\npopularity_drift = 0\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=("calls", "match"), default=("calls", "match"))
    parser.add_argument("--folder", type=Path, help="of Kaggle files; else the synthetic catalogue is served")
    options = parser.parse_args()
    print(f"spotipy {version('spotipy')}, pyspark {version('pyspark')}, against the mock API (docs/mock_api.md)")
    for mode in MODES:
        if "calls" in options.only:
            _count_calls(mode)
        if "match" in options.only:
            _measure_matching(mode, options.folder)


def _count_calls(mode: str) -> None:
    with open_refresh_series(mode, _QUIET_SCENARIO, daily_calls=0) as series:
        series.import_files(None)
        _replace_seed_data(series.settings)
        first_calls = series.fetch_day(0)
        refresh_needed = first_calls["playlist_items"]["200"]
        series.publish_day(0)
        second_calls = series.fetch_day(1)
    pages = _PLAYLIST_COUNT * -(-_PLAYLIST_LENGTH // _PAGE_SIZE)
    print(
        f"{mode}: first refresh of {_PLAYLIST_COUNT} playlists x {_PLAYLIST_LENGTH} tracks: "
        f"{_describe_calls(first_calls)}"
    )
    print(f"  pages of items {refresh_needed}, least possible {pages}, goal: equal")
    print(
        f"{mode}: a night without changes: {_describe_calls(second_calls)}; goal: the pages of the list and the token"
    )


def _replace_seed_data(series_settings: Settings) -> None:
    """Replace the seed data by one account with 50 playlists of 100 tracks each, of the mock API's tracks."""
    with refresh.open_session(series_settings, "benchmark spotify") as spark:
        parsed = parse_files(spark, refresh_plan.list_current_inputs(Lake(series_settings.lake_url)))
        tracks = union_accepted(spark, parsed["track"], TRACK_ROW).toPandas()
        artists = union_accepted(spark, parsed["artist"], ARTIST_ROW).toPandas()
    write_seed_data(
        tracks,
        artists,
        get_seed_data_path(series_settings.state_dir),
        mock_api.MOCK_API_SEED,
        1,
        _PLAYLIST_COUNT,
        playlist_length=_PLAYLIST_LENGTH,
    )
    for name in ("ben",):
        (series_settings.state_dir / "accounts" / "stand-in" / f"{name}.json").unlink()


def _describe_calls(calls: dict[str, Counter[str]]) -> str:
    texts = [
        f"{endpoint} {sum(statuses.values())}" + (f" ({statuses['403']} rejected)" if statuses["403"] else "")
        for endpoint, statuses in sorted(calls.items())
    ]
    return f"{sum(sum(statuses.values()) for statuses in calls.values())} calls: {', '.join(texts)}"


def _measure_matching(mode: str, folder: Path | None) -> None:
    with open_refresh_series(mode, _QUIET_SCENARIO, daily_calls=0) as series:
        series.import_files(folder)
        series.fetch_day(0)
        series.publish_day(0)
        with sqlite3.connect(get_seed_data_path(series.settings.state_dir)) as seed_data:
            truth = dict(seed_data.execute("select served_id, track_id from truth"))
        with database.connect(series.settings.warehouse_url) as connection:
            rows = database.fetch_rows(
                connection,
                "select track_id, recording_key, source, audio_features_source from warehouse.dim_track",
            )
    rows_by_track_id = {str(row["track_id"]): row for row in rows}
    api_track_ids = [track_id for track_id, row in rows_by_track_id.items() if row["source"] == MOCK_SOURCE]
    matched_ids = [
        track_id
        for track_id in api_track_ids
        if rows_by_track_id[track_id]["audio_features_source"] not in (None, MOCK_SOURCE)
    ]
    expected_ids = [
        track_id
        for track_id in api_track_ids
        if truth.get(track_id) in rows_by_track_id
        and rows_by_track_id[truth[track_id]]["audio_features_source"] not in (None, MOCK_SOURCE)
    ]
    correct_ids = {
        track_id
        for track_id in matched_ids
        if truth.get(track_id) in rows_by_track_id
        and rows_by_track_id[track_id]["recording_key"] == rows_by_track_id[truth[track_id]]["recording_key"]
    }
    if not matched_ids:
        api = sum(1 for track_id in api_track_ids if rows_by_track_id[track_id]["audio_features_source"] == MOCK_SOURCE)
        print(
            f"{mode}: audio features of {api} of {len(api_track_ids)} tracks came from the API itself: nothing to match"
        )
        return
    recall, precision = len(correct_ids & set(expected_ids)) / len(expected_ids), len(correct_ids) / len(matched_ids)
    print(
        f"{mode}: audio features by recording, {len(api_track_ids)} tracks of the API: recall {recall:.2%}"
        f" of {len(expected_ids)}, goal >= 98 %; precision {precision:.2%} of {len(matched_ids)}, goal >= 99.5 %"
    )


if __name__ == "__main__":
    main()
