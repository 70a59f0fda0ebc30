"""The star after injected faults of the mock Spotify API beside the star without them, and how long a worker waits.

    python -m campaigns.faults [--long] [--modes MODE …] [--nights N] [--rate RATE] [--seed SEED] [--every N]
        [--folder FOLDER]

The campaign runs the same simulated days twice against the mock API, with some faults of every kind and without, and
then two more without faults that fetch everything of the catalogue (before them the budget is small); the second comes
after denied access to playlists is forgotten. Then it compares the stars. Fetched resources are published after the
first day, after every ``--every`` days, and after the last two; likes and follows at the end. Each day prints a line.

The long form has 10,000 faults: more accounts, simulated days and faults a call, and faults that end a fetch are rarer
than the others. With ``--folder`` a stopped process leaves its state there, and the same command continues after the
last complete day; with another ``--nights`` it continues up to these. Remove the folder afterwards.

A recording is the same whichever of its ids comes first: the campaign names it by its smallest. No response shows
resources that existed only on simulated days whose calls failed. So temporary names, removed likes and follows, and the
state of a playlist before its deletion are counted separately.
"""

import argparse
import json
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks._refresh_series import MODES, LongestWaits, RefreshSeries, open_refresh_series
from campaigns._termination import exit_in_order_on_sigterm
from campaigns.fault_runs.forms import BASE_SCENARIO, LONG_FORM, SHORT_FORM, CampaignForm, make_fault_scenario
from campaigns.fault_runs.star_comparison import (
    AccountResources,
    StarRows,
    count_overlaps,
    find_unobservable_rows,
    print_difference,
    read_star,
)
from etl import database
from etl.extract.spotify.http_session import HttpLimits
from etl.extract.spotify.sync_state import DENIAL_MAX_AGE
from etl.jobs.fetch_outcomes import MAX_RETRY_DELAY_S
from launch import postgres
from simulator.mock_api.scenario import FAULT_KINDS, read_scenario
from simulator.mock_api.seed_data import SeedData, get_seed_data_path
from simulator.mock_api.simulated_day import SimulatedDay

_CALM_DAYS = {0: 5_000, DENIAL_MAX_AGE.days + 1: 1_000}
"""The two days without faults, by their distance from the last day with faults, and their calls: all known resources,
then those that the first day discovered."""


@dataclass
class SeriesProgress:
    """Progress of a series of simulated days, and its final state.

    ``met`` counts faults by kind, ``overlaps`` tracks with overlapping intervals at one occurrence on a playlist.
    """

    night_count: int = 0
    met: Counter[str] = field(default_factory=Counter)
    waits: LongestWaits = field(default_factory=LongestWaits)
    star: StarRows = field(default_factory=dict)
    overlaps: int = 0


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--long", action="store_true", help="10,000 faults")
    parser.add_argument("--modes", nargs="+", choices=MODES, default=MODES)
    parser.add_argument("--nights", type=int, help=f"with faults; else {SHORT_FORM.nights}, or {LONG_FORM.nights}")
    parser.add_argument(
        "--rate", type=float, help=f"of calls that meet a fault; else {SHORT_FORM.rate}, or {LONG_FORM.rate}"
    )
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--every", type=int, help=f"nights; else {SHORT_FORM.every}, or {LONG_FORM.every}")
    parser.add_argument("--folder", type=Path, help="where all stays, so that another start goes on")
    options = parser.parse_args()
    form = LONG_FORM if options.long else SHORT_FORM
    overrides = {name: getattr(options, name) for name in ("nights", "rate", "every")}
    form = replace(form, **{name: value for name, value in overrides.items() if value is not None})
    exit_in_order_on_sigterm()
    print(f"spotipy {version('spotipy')}, pyspark {version('pyspark')}, mock API (docs/mock_api.md)", flush=True)
    are_equal = True
    with nullcontext(options.folder) if options.folder else _create_temporary_folder() as folder:
        for mode in options.modes:
            are_equal &= _run_and_compare(mode, form, options.seed, folder)
    raise SystemExit(not are_equal)


@contextmanager
def _create_temporary_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        try:
            yield Path(name)
        finally:
            for state in Path(name).glob("*/with*"):
                postgres.remove_servers(state)


def _run_and_compare(mode: str, form: CampaignForm, seed: int, folder: Path) -> bool:
    """Return whether the simulated days of a mode end in the same star with and without faults; print the results."""
    faulty = _run_series(
        mode, form, BASE_SCENARIO + make_fault_scenario(form, seed), folder / mode / "with", folder / "stock"
    )
    expected = _run_series(mode, form, BASE_SCENARIO, folder / mode / "without", folder / "stock")
    fault_text = ", ".join(f"{kind} {faulty.met[kind]}" for kind in FAULT_KINDS)
    print(f"{mode}: {faulty.met.total()} faults over {form.nights} nights, rate {form.rate}, seed {seed}: {fault_text}")
    return _print_comparison(
        expected, faulty, _read_final_resources(folder / mode / "with", form.nights + max(_CALM_DAYS))
    )


def _run_series(mode: str, form: CampaignForm, scenario: str, folder: Path, seed_data_folder: Path) -> SeriesProgress:
    """Run some simulated days and two without faults after them, and return the progress.

    :param seed_data_folder: stores the mock API's seed data for other series.
    """
    progress_file = folder / "lived.json"
    progress = _read_progress(progress_file)
    if progress.star:
        return progress
    if seed_data_folder.exists() and not folder.exists():
        shutil.copytree(seed_data_folder, folder / get_seed_data_path(folder).parent.name)
    with open_refresh_series(
        mode, scenario, form.daily_calls_by_mode[mode], form.account_count, form.limits, folder
    ) as series:
        series.waits = progress.waits
        series.import_files(None)
        if not seed_data_folder.exists():
            shutil.copytree(get_seed_data_path(folder).parent, seed_data_folder)
        calm = {form.nights + days: calls for days, calls in _CALM_DAYS.items()}
        for number in (day_number for day_number in [*range(form.nights), *calm] if day_number >= progress.night_count):
            print(f"  {mode}, night {number}:", end=" ", flush=True)
            _run_day(
                series, progress, number, calm.get(number), is_published=number in calm or number % form.every == 0
            )
            progress.night_count = number + 1
            _write_progress(progress_file, progress)
        series.load_events(max(calm))
        with database.connect(series.url) as connection:
            progress.star, progress.overlaps = read_star(connection), count_overlaps(connection)
    _write_progress(progress_file, progress)
    postgres.remove_servers(folder)
    return progress


def _run_day(series: RefreshSeries, progress: SeriesProgress, day: int, budget: int | None, is_published: bool) -> None:
    """Run one day; ``budget`` is the number of catalogue calls, None for the usual number."""
    began = time.monotonic()
    counted = series.fetch_day(day, budget)
    progress.met += (new_faults := series.read_injected_faults())
    fetched = time.monotonic()
    if is_published:
        series.publish_day(day)
    time_text = f"{fetched - began:.0f} s asking, {time.monotonic() - fetched:.0f} s publishing"
    call_count = sum(statuses.total() for statuses in counted.values())
    kinds = ", ".join(f"{kind} {new_faults[kind]}" for kind in sorted(new_faults))
    print(f"{call_count} calls, {progress.met.total()} faults so far ({kinds or 'none'}), {time_text}", flush=True)


def _read_final_resources(state: Path, day_number: int) -> AccountResources:
    """Return the accounts' resources on a simulated day, as the mock API has them; the star may have more, from earlier
    days."""
    with closing(SeedData(get_seed_data_path(state))) as seed_data:
        day = SimulatedDay(seed_data, read_scenario(state / "scenario.toml"), day_number)
        accounts = seed_data.accounts.values()
        saved_tracks = {
            (account.account_id, track_id, datetime.fromisoformat(saved_at))
            for account in accounts
            for track_id, saved_at in day.list_saved_tracks(account)
        }
        followed = {
            (account.account_id, artist, None) for account in accounts for artist in day.list_followed_artists(account)
        }
        return AccountResources(
            saved_tracks | followed,
            {playlist_id for account in accounts for playlist_id in day.list_playlist_ids(account)},
        )


def _print_comparison(expected: SeriesProgress, faulty: SeriesProgress, final_resources: AccountResources) -> bool:
    """Print the comparison of the stars.

    :returns: whether they are equal.
    """
    both_series, unobservable = (expected, faulty), find_unobservable_rows(expected.star, faulty.star, final_resources)
    rows_by_part = {
        name: tuple(
            Counter(
                {
                    row: row_count
                    for row, row_count in series.star[name].items()
                    if row not in unobservable.get(name, ())
                }
            )
            for series in both_series
        )
        for name in expected.star
    }
    different = [name for name, (expected_rows, faulty_rows) in rows_by_part.items() if expected_rows != faulty_rows]
    sizes = ", ".join(f"{name} {expected_rows.total()}" for name, (expected_rows, _) in rows_by_part.items())
    print(
        f"  {len(rows_by_part) - len(different)} of {len(rows_by_part)} parts of the star equal ({sizes}), "
        "without the rows of:"
    )
    row_text = ", ".join(f"{len(rows)} of {name}" for name, rows in unobservable.items())
    print(f"  rows that differ for what was gone before it could be asked: {row_text}")
    print(f"  tracks twice in one place of a playlist: {expected.overlaps} without faults, {faulty.overlaps} with them")
    for name in different:
        expected_rows, faulty_rows = rows_by_part[name]
        print_difference(name, expected_rows - faulty_rows, faulty_rows - expected_rows)
    print(f"  {_describe_waits(faulty.waits)}", flush=True)
    return not different and not faulty.overlaps


def _read_progress(progress_file: Path) -> SeriesProgress:
    """Return the progress of a stopped process."""
    if not progress_file.exists():
        return SeriesProgress()
    document = json.loads(progress_file.read_text(encoding="utf-8"))
    stars = {name: Counter(rows) for name, rows in document["star"].items()}
    return SeriesProgress(
        **{**document, "met": Counter(document["met"]), "waits": LongestWaits(**document["waits"]), "star": stars}
    )


def _write_progress(progress_file: Path, progress: SeriesProgress) -> None:
    draft = progress_file.with_suffix(".part")
    draft.write_text(json.dumps({**vars(progress), "waits": vars(progress.waits)}), encoding="utf-8")
    draft.replace(progress_file)


def _describe_waits(waits: LongestWaits) -> str:
    limits = HttpLimits()
    bounds = (limits.retry_after_each_s, limits.retry_after_all_s, MAX_RETRY_DELAY_S)
    longest_waits = (waits.worker_s, waits.fetch_s, waits.task_s)
    labels = ("a worker at once", "all pauses asked for in a fetch", "a task before its next try")
    texts = [
        f"{word} {wait:.0f} s (bound {bound:.0f})"
        for word, wait, bound in zip(labels, longest_waits, bounds, strict=True)
    ]
    return f"longest wait: {', '.join(texts)}; longest try by the clock: {waits.real_s:.0f} s"


if __name__ == "__main__":
    main()
