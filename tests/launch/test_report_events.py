"""The report's sections about listening, from a warehouse with events."""

from datetime import timedelta
from io import StringIO

from rich.console import Console

from etl import database
from etl.database import fetches
from launch.report.events import SECTIONS, print_events
from tests.load.event_frames import NOON, Delivery, SourcePlay, load_events


def print_event_report(url: str) -> list[list[str]]:
    """Return the printed report, as words by line."""
    out = Console(file=StringIO(), width=200)
    with database.connect(url) as connection:
        print_events(out, {name: database.query_sql(connection, f"queries/report/{name}") for name in SECTIONS})
    return [line.split() for line in out.file.getvalue().splitlines()]


def test_events_are_shown_by_source_with_those_that_came_late(warehouse_url: str) -> None:
    load_events(warehouse_url, "r1", Delivery("aa", (SourcePlay(NOON, seconds=7200), SourcePlay(NOON, "u2"))))
    load_events(
        warehouse_url,
        "r2",
        Delivery("bb", (SourcePlay(NOON - timedelta(days=1)), SourcePlay(NOON + timedelta(days=1)))),
    )
    timestamps = ["2026-11-01", "12:00", "2026-11-03", "12:00"]
    assert ["feed", "4", "4", "0.0%", "1", "2", "2", *timestamps] in print_event_report(warehouse_url)


def test_gaps_are_shown_and_how_long_the_open_ones_last(warehouse_url: str) -> None:
    with database.connect(warehouse_url) as connection:
        for hours in (2, 30):
            start = NOON + timedelta(hours=hours)
            fetches.record_gap(connection, "u[1]", start, start + timedelta(hours=hours), "r1")
        fetches.record_gap(connection, "u2", NOON, NOON + timedelta(hours=1), "r1")
        connection.exec_driver_sql("update audit.gap set closed_at = now() where user_id = 'u2'")
    printed = print_event_report(warehouse_url)
    assert ["u[1]", "2", "2", "32"] in printed
    assert ["u2", "1", "0"] in printed


def test_nothing_is_shown_where_nothing_happened(warehouse_url: str) -> None:
    assert print_event_report(warehouse_url) == []
