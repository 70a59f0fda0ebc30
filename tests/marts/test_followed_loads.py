"""Changes of loads (new, dropped and moved events) are in the marts after the next build; and the step that builds
them.
"""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from etl.database import lock_warehouse
from etl.erasure.data_subject import DataSubject
from etl.erasure.warehouse import erase_data_subject
from etl.errors import ActionNeededError
from etl.jobs.marts import build_marts
from etl.load.access.login_removal import erase_logins
from etl.load.marts import build_marts_as_defined
from etl.settings import read_settings
from tests.load.event_frames import NOON, Delivery, SourcePlay, load_events, make_user_record
from tests.load.star_frames import select_rows
from tests.marts.listening import fetch_mart_rows, rebuild

PLAY = SourcePlay(NOON, seconds=60)
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
    "moved",
    users=(make_user_record("u1", NOON - timedelta(days=90), country="JP", continent="Asia", timezone="Asia/Tokyo"),),
)
BOUGHT = Delivery("bought", users=(make_user_record("u1", NOON + timedelta(days=1), subscription_plan="premium"),))


@pytest.mark.parametrize("delivery", [LATE, MATCHED, MOVED, BOUGHT], ids=lambda one: one.input_id)
def test_a_load_leaves_behind_what_it_touched(warehouse_url: str, delivery: Delivery) -> None:
    load_events(warehouse_url, "r1", FIRST)
    assert rebuild(warehouse_url)
    before = fetch_mart_rows(warehouse_url)
    load_events(warehouse_url, "r2", delivery)
    assert select_rows(warehouse_url, "select count(*) > 0 as is_touched from audit.changed_day") == [
        {"is_touched": True}
    ]
    assert not rebuild(warehouse_url)
    followed = fetch_mart_rows(warehouse_url)
    assert followed != before
    rebuild(warehouse_url, is_from_nothing=True)
    assert fetch_mart_rows(warehouse_url) == followed


def test_who_is_forgotten_is_in_no_mart_and_in_no_count(warehouse_url: str) -> None:
    load_events(warehouse_url, "r1", FIRST, LATE)
    rebuild(warehouse_url)
    assert select_rows(warehouse_url, "select plays from mart.wrapped where user_id = 'u1' and year = 0") == [
        {"plays": 13}
    ]
    with lock_warehouse(warehouse_url) as connection:
        erase_data_subject(connection, DataSubject(frozenset({"u1"})), build_marts_as_defined, erase_logins)
    remaining = {name: rows for name, rows in fetch_mart_rows(warehouse_url).items() if rows}
    assert select_rows(warehouse_url, "select * from mart.wrapped") == []
    rebuild(warehouse_url, is_from_nothing=True)
    assert {name: rows for name, rows in fetch_mart_rows(warehouse_url).items() if rows} == remaining
    assert {"counted_play", "listener_count", "item_month", "artist_week"}.isdisjoint(remaining)


def test_the_key_of_a_track_that_was_forgotten_may_be_anothers(warehouse_url: str) -> None:
    memo = replace(PLAY, user="u2", track="name:memo", name="Voice memo", artist="name:me", artist_name="Me")
    load_events(warehouse_url, "r1", FIRST)
    load_events(warehouse_url, "r2", Delivery("memo", (memo,)))
    rebuild(warehouse_url)
    with lock_warehouse(warehouse_url) as connection:
        erase_data_subject(connection, DataSubject(frozenset({"u2"})), build_marts_as_defined, erase_logins)
    known_query = "select track_key from warehouse.dim_track"
    for name in (
        "audio_point where recording_key",
        "counted_track where track_key",
        "artist_track where recording_key",
    ):
        assert select_rows(warehouse_url, f"select * from mart.{name} not in ({known_query})") == []
    keys = "select max(track_key) as track, max(artist_key) as artist from warehouse.bridge_track_artist"
    before = select_rows(warehouse_url, keys)
    new = replace(PLAY, user="u3", track="new", name="New", artist="artist-2", artist_name="Another")
    load_events(warehouse_url, "r3", Delivery("new", (new,)))
    assert select_rows(warehouse_url, keys) == [{name: key + 1 for name, key in before[0].items()}]
    rebuild(warehouse_url)
    followed = fetch_mart_rows(warehouse_url)
    rebuild(warehouse_url, is_from_nothing=True)
    assert fetch_mart_rows(warehouse_url) == followed


def test_no_table_or_view_names_who_is_forgotten(warehouse_url: str) -> None:
    user_id = "listener-7f3a91"
    plays = tuple(replace(play, user=user_id) for play in FIRST.events)
    load_events(
        warehouse_url, "r1", Delivery("first", plays, (make_user_record(user_id, NOON, username="Ondine"),)), LATE
    )
    rebuild(warehouse_url)
    with lock_warehouse(warehouse_url) as connection:
        connection.exec_driver_sql(_KNOWN_ELSEWHERE.format(who=user_id), execution_options={"no_parameters": True})
        connection.commit()
    before = list_tables_naming(warehouse_url, user_id)
    assert {
        "audit.account_owner",
        "audit.gap",
        "audit.login",
        "audit.playlist_request",
        "simulation.listener",
        "simulation.anomaly_episode",
        "mart.anomaly",
    } <= before
    assert {"warehouse.dim_user", "warehouse.user_record", "mart.event_wide", "mart.wrapped", "mart.play"} <= before
    assert {"mart.listening_session", "mart.user_personality", "mart.taste_profile", "mart.wrapped_track"} <= before
    with lock_warehouse(warehouse_url) as connection:
        erase_data_subject(connection, DataSubject(frozenset({user_id})), build_marts_as_defined, erase_logins)
    assert list_tables_naming(warehouse_url, user_id) == set()
    assert list_tables_naming(warehouse_url, "Ondine") == set()
    assert "mart.wrapped" in list_tables_naming(warehouse_url, "u1"), "another listener went, too"


_KNOWN_ELSEWHERE = """
insert into simulation.listener values ('{who}', 'p', 1, 'ENLC', 0.5, 0.5, 0.5, 0.5);
insert into simulation.anomaly_episode values ('{who}', 'sudden_change', '2026-11-01', '2026-11-02');
insert into mart.anomaly
values ('{who}', 'r', '2026-11-01', '2026-11-02', 'reason', 0.5, 0.5, '2026-11-02', 'stream');
insert into audit.login values ('ondine', 'listener', '{who}', '{who}', null);
insert into audit.account_owner values ('{who}', '{who}');
insert into audit.gap values ('{who}', '2026-11-01', '2026-11-02', '2026-11-02', 'r1', null);
insert into audit.playlist_request values ('{who}', '37i9dQZF1DXcBWIGoYBM5M');
"""


def list_tables_naming(url: str, word: str) -> set[str]:
    """Return the tables and views of all schemas with a row that contains a word."""
    relations = """
        select format('%s.%s', n.nspname, c.relname) as name
        from pg_class as c inner join pg_namespace as n on n.oid = c.relnamespace
        where n.nspname in ('staging', 'warehouse', 'mart', 'live', 'audit', 'simulation')
            and c.relkind in ('r', 'p', 'v')
            and not c.relispartition
    """
    statement = "select exists (select from {} as t where strpos(t::text, :word) > 0) as it"
    names = [str(row["name"]) for row in select_rows(url, relations)]
    return {name for name in names if select_rows(url, statement.format(name), word=word)[0]["it"]}


def test_the_step_builds_once_and_says_where_there_is_nothing_to_do(warehouse_url: str, tmp_path: Path) -> None:
    load_events(warehouse_url, "r1", FIRST)
    settings = read_settings({"WAREHOUSE_URL": warehouse_url, "STATE_DIR": str(tmp_path)})
    assert build_marts("b1", "changed", None, settings)["counted_play"] == len(FIRST.events)
    assert build_marts("b2", "changed", None, settings) == {}
    assert build_marts("b3", "since", NOON.date(), settings)["counted_play"] > 0
    assert build_marts("b4", "full_refresh", None, settings)["counted_play"] > 0
    results = select_rows(
        warehouse_url, "select run_id, result from audit.run where job = 'build_marts' order by run_id"
    )
    assert [row["result"] for row in results] == ["published", "nothing_new", "published", "published"]
    with pytest.raises(ActionNeededError, match="first day"):
        build_marts("b5", "since", None, settings)
