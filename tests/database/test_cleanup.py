"""The rows that maintenance removes from the warehouse."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from etl.database import connect, sweep_warehouse
from etl.load import load_frames
from tests.load.event_frames import NOON, Delivery, SourcePlay, load_events
from tests.load.star_frames import INPUT, Rows, create_local_frames, make_catalogue, make_run, select_rows

SOON = datetime.now(UTC) + timedelta(days=1)
REJECTED = "select input_id, row_number from audit.rejected_row order by 1, 2"


def make_input_rows(input_id: str) -> Rows:
    """Return the rows of the catalogue in another version of the file."""
    staged = make_catalogue()
    for name in ("input_key", "rejected_row"):
        staged[name] = [{**row, "input_id": input_id} for row in staged[name]]
    return staged


def fetch_rejected(url: str) -> list[tuple[object, ...]]:
    return [tuple(row.values()) for row in select_rows(url, REJECTED)]


def test_refused_rows_of_a_file_go_once_a_refresh_no_longer_reads_it(warehouse_url: str) -> None:
    load_frames(create_local_frames(make_input_rows(INPUT.input_id)), make_run("r1"), warehouse_url)
    rows = fetch_rejected(warehouse_url)
    assert sweep_warehouse(warehouse_url, SOON) == 0
    load_frames(create_local_frames(make_input_rows(INPUT.input_id)), make_run("r2"), warehouse_url)
    assert fetch_rejected(warehouse_url) == rows and len(rows) == 2
    load_frames(
        create_local_frames(make_input_rows("newer")),
        make_run("r3", inputs=(replace(INPUT, input_id="newer"),)),
        warehouse_url,
    )
    assert sweep_warehouse(warehouse_url, SOON) == len(rows)
    assert fetch_rejected(warehouse_url) == [("newer", number) for _, number in rows]
    assert select_rows(warehouse_url, "select sum(rows_rejected)::int as n from audit.row_count") == [
        {"n": 3 * len(rows)}
    ]


def test_refused_rows_of_events_which_are_read_once_go_by_their_age(warehouse_url: str) -> None:
    load_frames(create_local_frames(make_catalogue()), make_run("r1"), warehouse_url)
    file_rows = fetch_rejected(warehouse_url)
    load_events(warehouse_url, "r2", Delivery("aa", (SourcePlay(NOON),), refused=("broken",)))
    assert sweep_warehouse(warehouse_url, datetime.now(UTC) - timedelta(days=1)) == 0
    assert sweep_warehouse(warehouse_url, SOON) == 1
    assert fetch_rejected(warehouse_url) == file_rows


def test_old_findings_about_users_go_and_the_others_are_scored_without_them(warehouse_url: str) -> None:
    now = datetime.now(UTC)
    ages = {"overlapping_plays": 40, "impossible_travel": 2}
    with connect(warehouse_url) as connection:
        connection.execute(
            text("""
                insert into mart.anomaly
                values (:user_id, :rule, :start, :end, 'reason', 0.5, 0.75, :end, 'stream')
            """),
            [
                {"user_id": user_id, "rule": rule, "start": now - timedelta(days=age + 1), "end": now - timedelta(age)}
                for user_id, rules in (("u1", ages), ("u2", {"overlapping_plays": 40}))
                for rule, age in rules.items()
            ],
        )
        connection.commit()
    assert sweep_warehouse(warehouse_url, now - timedelta(days=30)) == 2
    rows = select_rows(warehouse_url, "select user_id, rule, combined_score from mart.anomaly")
    assert [tuple(row.values()) for row in rows] == [("u1", "impossible_travel", 0.5)]
