"""After random nights of new, late, corrected and deleted events, the marts equal those of a full refresh.

More sequences: ``RANDOM_NIGHTS=200 pytest tests/marts/test_random_nights.py``.
"""

import os
from random import Random

import pytest
from sqlalchemy import text

from etl.database import connect
from tests.marts.listening import HOMES, TRACKS, fetch_mart_rows, fill_dimensions, insert_events, make_events, rebuild

SEQUENCES = int(os.environ.get("RANDOM_NIGHTS", "2"))
NIGHTS = 3

_CORRECTIONS = (
    "delete from warehouse.fact_event where user_key = :user and track_key = :track",
    "delete from warehouse.fact_event where date_key between :day and :day + 3",
    "update warehouse.fact_event set track_key = :track where user_key = :user and local_hour = :hour",
    "update warehouse.fact_event set artist_key = :artist where track_key = :track",
    "update warehouse.fact_event set country = :country, continent = :continent where user_key = :user",
    "update warehouse.dim_track set recording_key = :artist where track_key = :track and track_key > 4",
    "update warehouse.dim_track set audio_features_type = :artist where track_key = :track",
    "delete from warehouse.bridge_track_genre where track_key = :track",
    "insert into warehouse.exclusion (kind, id) values ('track', 't' || :track) on conflict do nothing",
    "insert into warehouse.exclusion (kind, id) values ('artist', 'a' || :artist) on conflict do nothing",
    "delete from warehouse.exclusion",
)


@pytest.mark.parametrize("seed", range(SEQUENCES))
def test_marts_after_random_nights_equal_a_full_refresh(warehouse_url: str, seed: int) -> None:
    chance = Random(f"nights {seed}")
    with connect(warehouse_url) as connection:
        fill_dimensions(connection)
        insert_events(connection, make_events(1000 * seed + 1, size=chance.choice([50, 400])))
    assert rebuild(warehouse_url)
    for night in range(NIGHTS):
        events = make_events(1000 * seed + 2 + night, days=chance.choice([3, 40, 80]), size=chance.choice([1, 30, 200]))
        with connect(warehouse_url) as connection:
            insert_events(connection, events)
            for statement in chance.sample(_CORRECTIONS, chance.randrange(4)):
                connection.execute(text(statement), _choose_parameters(chance, statement))
        assert not rebuild(warehouse_url)
    followed = fetch_mart_rows(warehouse_url)
    assert rebuild(warehouse_url, is_from_nothing=True)
    expected = fetch_mart_rows(warehouse_url)
    assert [name for name in expected if followed[name] != expected[name]] == []
    assert all(expected[name] for name in ("listener_count", "item_month", "item_year", "chart_top", "artist_week"))


def _choose_parameters(chance: Random, statement: str) -> dict[str, object]:
    country, continent, _ = chance.choice(HOMES)
    parameters: dict[str, object] = {
        "user": chance.randrange(1, 7),
        "track": chance.randrange(1, TRACKS + 1),
        "artist": chance.randrange(1, 5),
        "hour": chance.randrange(24),
        "day": 20260100 + chance.randrange(1, 28),
        "country": country,
        "continent": continent,
    }
    return {name: value for name, value in parameters.items() if f":{name}" in statement}
