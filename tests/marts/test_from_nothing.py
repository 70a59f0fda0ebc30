"""A full refresh builds shadow tables: readers continue, dependent objects stay, and an abort changes nothing."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from etl.database import connect, fetch_rows, lock_warehouse
from etl.errors import TryAgainError
from etl.load import table_swap
from etl.load.marts import build_marts
from etl.settings import CHECKOUT
from launch import postgres
from tests.conftest import copy_database
from tests.load.star_frames import select_rows
from tests.marts.listening import DEFINITION, fetch_mart_rows, fill_dimensions, insert_events, make_events, rebuild

_READ = "select count(*) as n from mart.wrapped_track"
_SHAPE = """
    select c.relname::text, c.relkind::text, obj_description(c.oid, 'pg_class') as comment, c.reloptions::text,
        (select array_agg(acl::text order by acl::text) from unnest(c.relacl) as acl) as rights,
        (select array_agg(pg_get_constraintdef(k.oid) order by k.conname) from pg_constraint as k
            where k.conrelid = c.oid) as constraints,
        (select array_agg(pg_get_indexdef(i.indexrelid) order by i.indexrelid::regclass::text) from pg_index as i
            where i.indrelid = c.oid) as indexes,
        (select array_agg((a.attname, a.atttypid, a.attnotnull, a.attacl, col_description(c.oid, a.attnum))::text
            order by a.attnum) from pg_attribute as a where a.attrelid = c.oid and a.attnum > 0) as columns
    from pg_class as c
    where c.relnamespace = 'mart'::regnamespace and c.relkind in ('r', 'v')
    order by 1
"""
_BUILD = """
import sys
from etl.load.marts import build_marts
from etl.database import lock_warehouse
from tests.marts.listening import DEFINITION
with lock_warehouse(sys.argv[1]) as connection:
    print("builds", flush=True)
    build_marts(connection, DEFINITION, is_full_refresh=sys.argv[2] == "nothing")
    connection.commit()
"""


@pytest.fixture(scope="module")
def built(embedded_server: postgres.Server, migrated_template: str) -> Iterator[str]:
    with copy_database(embedded_server, migrated_template) as url:
        with connect(url) as connection:
            fill_dimensions(connection)
            insert_events(connection, make_events(1))
        rebuild(url)
        yield url.rsplit("/", 1)[-1]


@pytest.fixture
def url(embedded_server: postgres.Server, built: str) -> Iterator[str]:
    with copy_database(embedded_server, built) as url:
        yield url


def test_readers_have_the_old_rows_until_the_new_ones_are_there(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = fetch_mart_rows(url)
    counts_seen = []
    swap_tables = table_swap.ShadowTables.swap_tables

    def read_first(self: table_swap.ShadowTables) -> None:
        with connect(url) as reader:
            reader.execute(text("set lock_timeout = '2s'"))
            counts_seen.extend(len(fetch_rows(reader, f"select * from mart.{name}")) for name in before)
        swap_tables(self)

    monkeypatch.setattr(table_swap.ShadowTables, "swap_tables", read_first)
    assert rebuild(url, is_from_nothing=True)
    assert counts_seen == [len(rows) for rows in before.values()]
    assert fetch_mart_rows(url) == before


def test_the_indexes_of_plays_are_built_when_all_are_there(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    build_indexes = table_swap.ShadowTables._build_indexes
    counts = []

    def count_first(self: table_swap.ShadowTables, names: Iterable[str]) -> None:
        if "counted_play" in self._unindexed.intersection(names):
            counts.append(fetch_rows(self._connection, "select count(*) as n from mart_aside.counted_play")[0]["n"])
        build_indexes(self, names)

    monkeypatch.setattr(table_swap.ShadowTables, "_build_indexes", count_first)
    assert rebuild(url, is_from_nothing=True)
    assert counts == [len(fetch_mart_rows(url)["counted_play"])] != [0], (
        "an index that is there before is twice as large"
    )


def test_who_reads_for_long_keeps_the_build_waiting_and_nobody_else(url: str) -> None:
    before = fetch_mart_rows(url)
    with ThreadPoolExecutor() as pool:
        with connect(url) as reader:
            fetch_rows(reader, _READ)
            building = pool.submit(rebuild, url, True)
            _wait_until(url, "select exists (select from pg_locks where not granted) as it")
            fetch_rows(reader, "select * from mart.session")
            with connect(url) as other_connection:
                other_connection.execute(text("set lock_timeout = '5s'"))
                fetch_rows(other_connection, _READ)
            assert not building.done()
        assert building.result(timeout=60)
    assert fetch_mart_rows(url) == before


def test_who_never_ends_is_named_and_the_marts_stay(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_swap, "_LOCK_ATTEMPTS", 2)
    before = fetch_mart_rows(url)
    with connect(url) as reader:
        fetch_rows(reader, _READ)
        with pytest.raises(TryAgainError, match="schema mart"):
            rebuild(url, is_from_nothing=True)
    assert fetch_mart_rows(url) == before


def test_tables_keep_their_rights_keys_words_and_what_others_have_built_on_them(url: str) -> None:
    with connect(url) as connection:
        connection.execute(text("create view warehouse.of_mine as select count(*) as n from mart.session"))
        connection.execute(text("alter table mart.listener_count set (fillfactor = 80)"))
        connection.execute(text("create materialized view warehouse.kept as select count(*) as n from mart.chart_top"))
    before, shape = fetch_mart_rows(url), select_rows(url, _SHAPE)
    assert rebuild(url, is_from_nothing=True)
    assert select_rows(url, _SHAPE) == shape
    assert {relation["relname"]: relation["reloptions"] for relation in shape}["listener_count"] == "{fillfactor=80}"
    assert fetch_mart_rows(url) == before
    assert select_rows(url, "select n from warehouse.of_mine") == [{"n": len(before["session"])}]
    with connect(url) as connection:
        connection.execute(text("refresh materialized view warehouse.kept"))
    assert select_rows(url, "select n from warehouse.kept") == [{"n": len(before["chart_top"])}]
    assert select_rows(url, "select nspname from pg_namespace where nspname = 'mart_aside'") == []


def test_two_builds_at_once_are_as_one(url: str) -> None:
    with connect(url) as connection:
        insert_events(connection, make_events(2, size=200))

    def build_once(is_from_nothing: bool) -> None:
        with lock_warehouse(url) as connection:
            build_marts(connection, DEFINITION, is_from_nothing)
            connection.commit()

    with ThreadPoolExecutor() as pool:
        for done in [pool.submit(build_once, True), pool.submit(build_once, False), pool.submit(build_once, True)]:
            done.result(timeout=300)
    rows = fetch_mart_rows(url)
    rebuild(url, is_from_nothing=True)
    assert fetch_mart_rows(url) == rows


@pytest.mark.parametrize("kind", ["queued", "nothing"])
def test_a_build_killed_at_any_moment_is_made_up_for(url: str, kind: str) -> None:
    chance = random.Random(kind)
    with connect(url) as connection:
        insert_events(connection, make_events(3, size=200))
    before, remaining = fetch_mart_rows(url), []
    for _ in range(3):
        with subprocess.Popen(
            [sys.executable, "-c", _BUILD, url, kind], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "builds\n"
            time.sleep(chance.uniform(0, 0.4))
            os.kill(process.pid, signal.SIGKILL)
        with lock_warehouse(url, wait_seconds=60):
            remaining.append(fetch_mart_rows(url))
    rebuild(url, is_from_nothing=kind == "nothing")
    rows = fetch_mart_rows(url)
    assert rows != before
    assert all(state in (before, rows) for state in remaining), "half a build is left"
    rebuild(url, is_from_nothing=True)
    assert fetch_mart_rows(url) == rows


def _wait_until(url: str, question: str) -> None:
    for _ in range(600):
        if select_rows(url, question) == [{"it": True}]:
            return
        time.sleep(0.1)
    raise AssertionError("it never came")
