"""Podcasts and audiobooks that both exports of a listener contain are loaded once."""

from datetime import timedelta
from typing import Any

import pytest

from tests.load.event_frames import NOON, Delivery, SourcePlay, load_events
from tests.load.star_frames import select_rows

COUNTED = "select input_id, rows_in, rows_loaded, rows_duplicate from audit.row_count order by run_id, input_id"


def make_spoken_play(source: str, second: int, name: str | None = "Episode", **fields: Any) -> SourcePlay:
    return SourcePlay(
        NOON + timedelta(seconds=second), source=source, track=f"{source} {name}", name=name, is_spoken=True, **fields
    )


EXTENDED = Delivery("aa", (make_spoken_play("extended_export", 0), make_spoken_play("extended_export", 3600)))
BASIC = Delivery(
    "bb",
    (
        make_spoken_play("basic_export", -40, "EPISODE"),
        make_spoken_play("basic_export", 3480),
        make_spoken_play("basic_export", 3479),
        make_spoken_play("basic_export", 0, "Another"),
        make_spoken_play("basic_export", 0, user="u2"),
    ),
)


@pytest.mark.parametrize(
    "loads", [((EXTENDED,), (BASIC,)), ((BASIC,), (EXTENDED,)), ((BASIC, EXTENDED),), ((BASIC,), (EXTENDED,), (BASIC,))]
)
def test_the_extended_export_tells_it(loads: tuple[tuple[Delivery, ...], ...], warehouse_url: str) -> None:
    for number, deliveries in enumerate(loads):
        load_events(warehouse_url, f"r{number}", *deliveries)
    rows = select_rows(
        warehouse_url, "select event_time, spoken_name, source from warehouse.fact_spoken_event order by 1, 2, 3"
    )
    seconds = [(round((row["event_time"] - NOON).total_seconds()), row["spoken_name"], row["source"]) for row in rows]
    assert seconds == [
        (0, "Another", "basic_export"),
        (0, "Episode", "basic_export"),
        (0, "Episode", "extended_export"),
        (3479, "Episode", "basic_export"),
        (3600, "Episode", "extended_export"),
    ]
    counts = select_rows(warehouse_url, COUNTED)
    assert all(row["rows_in"] == row["rows_loaded"] + row["rows_duplicate"] for row in counts)


def test_a_basic_export_that_comes_later_brings_duplicates(warehouse_url: str) -> None:
    load_events(warehouse_url, "r1", EXTENDED)
    load_events(warehouse_url, "r2", BASIC)
    assert [tuple(row.values()) for row in select_rows(warehouse_url, COUNTED)] == [("aa", 2, 2, 0), ("bb", 5, 3, 2)]
