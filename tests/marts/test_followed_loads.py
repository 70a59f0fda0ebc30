"""What loads bring, drop and move is in the marts after the next build; and the step that builds them."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from etl.config import settings
from etl.errors import ActionNeededError
from etl.jobs.marts import build_marts
from etl.load.forget import forget
from etl.person import Person
from etl.warehouse import exclusive
from tests.load.event_frames import NOON, Delivery, Told, load_events, user
from tests.load.star_frames import table
from tests.marts.listening import held, rebuild

PLAY = Told(NOON, seconds=60)
FIRST = Delivery(
    "first",
    events=tuple(replace(PLAY, at=NOON + timedelta(hours=hour), track=f"track-{hour % 4}") for hour in range(0, 60, 5)),
)
LATE = Delivery(
    "late",
    events=(replace(PLAY, at=NOON - timedelta(days=40)), FIRST.events[0], replace(PLAY, user="u2", seconds=10)),
)
MATCHED = Delivery("matched", events=(replace(PLAY, at=NOON + timedelta(seconds=5), source="extended_export"),))
MOVED = Delivery(
    "moved", users=(user("u1", NOON - timedelta(days=90), country="JP", continent="Asia", timezone="Asia/Tokyo"),)
)
BOUGHT = Delivery("bought", users=(user("u1", NOON + timedelta(days=1), subscription_plan="premium"),))


@pytest.mark.parametrize("delivery", [LATE, MATCHED, MOVED, BOUGHT], ids=lambda one: one.input_id)
def test_a_load_leaves_behind_what_it_touched(warehouse_url: str, delivery: Delivery) -> None:
    load_events(warehouse_url, "r1", FIRST)
    assert rebuild(warehouse_url)
    before = held(warehouse_url)
    load_events(warehouse_url, "r2", delivery)
    assert table(warehouse_url, "select count(*) > 0 as is_touched from audit.touched_day") == [{"is_touched": True}]
    assert not rebuild(warehouse_url)
    followed = held(warehouse_url)
    assert followed != before
    rebuild(warehouse_url, is_from_nothing=True)
    assert held(warehouse_url) == followed


def test_who_is_forgotten_is_in_no_mart_and_in_no_count(warehouse_url: str) -> None:
    load_events(warehouse_url, "r1", FIRST, LATE)
    rebuild(warehouse_url)
    assert table(warehouse_url, "select plays from mart.wrapped where user_id = 'u1' and year = 0") == [{"plays": 13}]
    with exclusive(warehouse_url) as connection:
        forget(connection, Person(frozenset({"u1"})))
    left = {name: found for name, found in held(warehouse_url).items() if found}
    assert table(warehouse_url, "select * from mart.wrapped") == []
    rebuild(warehouse_url, is_from_nothing=True)
    assert {name: found for name, found in held(warehouse_url).items() if found} == left
    assert {"counted_play", "listener_count", "chart_count", "artist_week"}.isdisjoint(left)


def test_the_step_builds_once_and_says_where_there_is_nothing_to_do(warehouse_url: str, tmp_path: Path) -> None:
    load_events(warehouse_url, "r1", FIRST)
    here = settings({"WAREHOUSE_URL": warehouse_url, "STATE_DIR": str(tmp_path)})
    assert build_marts("b1", "touched", None, here)["counted_play"] == len(FIRST.events)
    assert build_marts("b2", "touched", None, here) == {}
    assert build_marts("b3", "since", NOON.date(), here)["counted_play"] > 0
    assert build_marts("b4", "from nothing", None, here)["counted_play"] > 0
    results = table(warehouse_url, "select run_id, result from audit.run where job = 'build_marts' order by run_id")
    assert [row["result"] for row in results] == ["published", "nothing_new", "published", "published"]
    with pytest.raises(ActionNeededError, match="first day"):
        build_marts("b5", "since", None, here)
