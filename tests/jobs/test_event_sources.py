"""One play reported by two exports: the same star in any order."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from etl.database import make_engine
from etl.jobs import account_import, events
from etl.settings import Settings, read_settings
from tests.load.star_frames import select_rows

pytestmark = [pytest.mark.timeout(600), pytest.mark.usefixtures("one_session")]

NOON = datetime(2026, 10, 30, 12, tzinfo=UTC)
STAR = """
    select coalesce(t.name, t.track_id) as track, e.event_time, e.source
    from warehouse.fact_event as e
    join warehouse.dim_track as t using (track_key)
    order by e.event_id
"""


def make_extended_play(minute: float, title: str, seconds: int = 180) -> dict[str, Any]:
    stopped = NOON + timedelta(minutes=minute, seconds=seconds)
    return {
        "ts": f"{stopped:%Y-%m-%dT%H:%M:%SZ}",
        "ms_played": seconds * 1000,
        "conn_country": "DE",
        "platform": "ios",
        "master_metadata_track_name": title,
        "master_metadata_album_artist_name": "Band",
        "master_metadata_album_album_name": "Album",
        "spotify_track_uri": f"spotify:track:{title.lower():0>22}",
        "reason_start": "trackdone",
        "reason_end": "trackdone",
        "shuffle": False,
        "skipped": False,
        "offline": False,
        "incognito_mode": False,
    }


def make_basic_play(minute: float, title: str, seconds: int = 180) -> dict[str, Any]:
    ended = NOON + timedelta(minutes=minute, seconds=seconds)
    return {"endTime": f"{ended:%Y-%m-%d %H:%M}", "artistName": "Band", "trackName": title, "msPlayed": seconds * 1000}


EXPORTS = {
    "Streaming_History_Audio_2026_1.json": [
        make_extended_play(0, "One"),
        make_extended_play(4, "Two"),
        make_extended_play(50, "Two"),
    ],
    "Streaming_History_Audio_2026_2.json": [
        make_extended_play(4, "Two"),
        make_extended_play(50, "Two"),
        make_extended_play(90, "One"),
    ],
    "StreamingHistory_music_0.json": [
        make_basic_play(0, "One"),
        make_basic_play(4, "Two"),
        make_basic_play(20, "Three"),
        make_basic_play(90, "One"),
    ],
}
TRUTH = [("One", 0), ("Two", 4), ("Three", 20), ("Two", 50), ("One", 90)]


def import_and_load(settings: Settings, folder: Path, names: tuple[str, ...], run_id: str) -> None:
    for name in names:
        path = folder / name
        path.write_text(json.dumps(EXPORTS[name]), encoding="utf-8")
        account_import.import_export(str(path), "me", "Europe/Berlin", settings, datetime(2026, 11, 1, tzinfo=UTC))
    assert events.plan_events(run_id, settings)
    events.load_events(run_id, date(2026, 11, 21), settings)


@pytest.mark.parametrize(
    "order",
    [tuple((name,) for name in EXPORTS), tuple((name,) for name in reversed(EXPORTS)), (tuple(EXPORTS),)],
    ids=["best first", "best last", "at once"],
)
def test_every_order_gives_the_same_star(
    order: tuple[tuple[str, ...], ...], tmp_path: Path, warehouse_url: str
) -> None:
    settings = read_settings({"STATE_DIR": str(tmp_path / "state"), "WAREHOUSE_URL": warehouse_url})
    for number, names in enumerate(order):
        import_and_load(settings, tmp_path, names, f"run {number}")
    rows = select_rows(warehouse_url, STAR)
    assert [(row["track"], round((row["event_time"] - NOON).total_seconds() / 60)) for row in rows] == TRUTH
    assert [row["source"] for row in rows].count("basic_export") == 1
    matched = select_rows(warehouse_url, "select count(*) as size from audit.event_match")
    dropped = select_rows(
        warehouse_url, "select count(*) as size from audit.dropped_event where source = 'basic_export'"
    )
    assert matched == dropped == [{"size": 3}]
    counted = select_rows(
        warehouse_url,
        "select sum(rows_in) as told, sum(rows_loaded + rows_duplicate) as kept from audit.row_count",
    )
    assert counted == [{"told": 10, "kept": 10}]


def test_an_input_that_is_loaded_again_replaces_what_it_brought(
    tmp_path: Path, warehouse_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Simulate an upgrade: the earlier version counted the plays of a copied file, and gave some a wrong position."""
    settings = read_settings({"STATE_DIR": str(tmp_path / "state"), "WAREHOUSE_URL": warehouse_url})
    name = "StreamingHistory_music_0.json"
    monkeypatch.setitem(EXPORTS, name, [*EXPORTS[name], {**make_basic_play(5, "Four"), "msPlayed": -1}])
    import_and_load(settings, tmp_path, (name,), "first")
    assert len(select_rows(warehouse_url, STAR)) == 4
    with make_engine(warehouse_url).begin() as connection:
        for statement in AS_AN_EARLIER_VERSION_LEFT_IT:
            connection.execute(text(statement))
    assert len(select_rows(warehouse_url, STAR)) == 8
    import_and_load(settings, tmp_path, ("Streaming_History_Audio_2026_1.json",), "second")
    rows = select_rows(warehouse_url, STAR)
    minutes = [(row["track"], round((row["event_time"] - NOON).total_seconds() / 60)) for row in rows]
    assert minutes == TRUTH
    counts = "select rows_in, rows_loaded, rows_duplicate, rows_rejected from audit.row_count where source = '{}'"
    assert [tuple(row.values()) for row in select_rows(warehouse_url, counts.format("basic_export"))] == [(5, 2, 2, 1)]
    assert [tuple(row.values()) for row in select_rows(warehouse_url, counts.format("extended_export"))] == [
        (3, 3, 0, 0)
    ]
    assert select_rows(warehouse_url, "select count(*) as n from audit.rejected_row") == [{"n": 1}]
    assert select_rows(warehouse_url, "select from audit.reload_input") == []
    assert events.plan_events("third", settings) == 0


AS_AN_EARLIER_VERSION_LEFT_IT = (
    "create temporary table counted_twice as select * from warehouse.fact_event",
    "update counted_twice set event_id = overlay(event_id::text placing 'ffff' from 33)::uuid",
    "update counted_twice set event_time = event_time + interval '7 minutes'",
    "insert into warehouse.fact_event select * from counted_twice",
    "insert into audit.reload_input select input_id from audit.run_input",
)
