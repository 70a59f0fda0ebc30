"""A large export of 150,000 plays in one load; a second, overlapping export adds only its new plays."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from etl.jobs import events
from etl.jobs.account_import import import_export
from etl.settings import Settings, read_settings
from tests.exports import AUDIO, make_play, write_export_folder
from tests.load.star_frames import select_rows

pytestmark = [pytest.mark.timeout(1200), pytest.mark.usefixtures("one_session")]

PLAYS, FURTHER, OVERLAPPING = 150_000, 2_000, 10_000
FIRST_END = datetime(2014, 1, 1, 12, tzinfo=UTC)
EVERY = timedelta(minutes=43)
"""Twelve years of plays, in every hour of the day and across every change of the clocks."""

ACCOUNT = """
select rows_in, rows_loaded, rows_duplicate, rows_rejected from audit.row_count
where run_id = :run and step = 'load_events' and source = 'extended_export'
"""
STAR = """
select count(*) as events, count(distinct event_id) as ids, sum(ms_played) as ms_played,
    count(distinct track_key) as tracks, min(ended_at) as first_end, max(ended_at) as last_end
from warehouse.fact_event
"""


def test_a_large_export_and_one_that_overlaps(tmp_path: Path, warehouse_url: str) -> None:
    settings = read_settings({"STATE_DIR": str(tmp_path / "state"), "WAREHOUSE_URL": warehouse_url})
    assert load_export(settings, tmp_path / "whole", "first", 0, PLAYS) == PLAYS
    assert load_export(settings, tmp_path / "later", "second", PLAYS - OVERLAPPING, PLAYS + FURTHER) == FURTHER
    assert select_rows(warehouse_url, ACCOUNT, run="first") == [make_row_counts(PLAYS, 0)]
    assert select_rows(warehouse_url, ACCOUNT, run="second") == [make_row_counts(FURTHER, OVERLAPPING)]
    (star,) = select_rows(warehouse_url, STAR)
    assert star == {
        "events": PLAYS + FURTHER,
        "ids": PLAYS + FURTHER,
        "ms_played": sum(30_000 + number % 1_000 for number in range(PLAYS + FURTHER)),
        "tracks": 3_000,
        "first_end": FIRST_END,
        "last_end": FIRST_END + EVERY * (PLAYS + FURTHER - 1),
    }


def load_export(settings: Settings, export_folder: Path, run_id: str, first: int, end: int) -> int:
    """Load an export with these plays, split into files as at Spotify, and return the number of events that it adds."""
    middle = (first + end) // 2
    files = {AUDIO: range(first, middle), AUDIO.replace("_0", "_1"): range(middle, end)}
    folder = write_export_folder(
        export_folder, **{name: [make_numbered_play(number) for number in numbers] for name, numbers in files.items()}
    )
    import_export(str(folder), "ada", "Europe/Berlin", settings, datetime(2026, 11, 1, tzinfo=UTC))
    assert events.plan_events(run_id, settings)
    return sum(events.load_events(run_id, date(2026, 11, 21), settings).values())


def make_numbered_play(number: int) -> dict[str, object]:
    end = FIRST_END + EVERY * number
    return make_play(
        ts=f"{end:%Y-%m-%dT%H:%M:%SZ}",
        ms_played=30_000 + number % 1_000,
        spotify_track_uri=f"spotify:track:{number % 3_000:022}",
        master_metadata_track_name=f"Song {number % 3_000}",
        offline_timestamp=int(end.timestamp()),
    )


def make_row_counts(loaded: int, duplicate: int) -> dict[str, int]:
    return {
        "rows_in": loaded + duplicate,
        "rows_loaded": loaded,
        "rows_duplicate": duplicate,
        "rows_rejected": 0,
    }
