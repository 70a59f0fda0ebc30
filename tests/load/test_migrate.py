"""Migrations: an empty database, one that is up to date, one that is older and has data."""

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from etl.database import connect, fetch_rows
from etl.formats.contracts import STAGED
from etl.load.migrate import migrate_warehouse
from etl.settings import CHECKOUT
from tests.load.star_frames import compute_checksums, select_rows

LATER = """
from alembic import op

revision = "later"
down_revision = "{head}"


def upgrade() -> None:
    op.execute("alter table warehouse.dim_artist add column country text not null default 'unknown'")
    op.execute("comment on column warehouse.dim_artist.country is 'A later column.'")
"""

TWO = """
from alembic import op

revision = "two"
down_revision = "{head}"


def upgrade() -> None:
    op.execute("alter table warehouse.dim_track add column further integer")
    op.execute("alter table warehouse.dim_artist add column further integer")
"""

_SCHEMAS = "('staging', 'warehouse', 'mart', 'live', 'audit', 'simulation')"


def test_all_schemas_are_there_and_every_table_and_column_has_a_comment(warehouse_url: str) -> None:
    rows = select_rows(warehouse_url, f"select nspname from pg_namespace where nspname in {_SCHEMAS}")
    assert len(rows) == 6
    silent = select_rows(
        warehouse_url,
        f"""
        select c.oid::regclass::text as table_name, a.attname as column_name
        from pg_class as c
        left join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        where c.relkind in ('r', 'v', 'p')
            and c.relnamespace in (select oid from pg_namespace where nspname in {_SCHEMAS})
            and (obj_description(c.oid, 'pg_class') is null or col_description(c.oid, a.attnum) is null)
        """,
    )
    assert silent == []


def test_staging_has_the_columns_that_frames_have(warehouse_url: str) -> None:
    rows = select_rows(
        warehouse_url,
        "select table_name, array_agg(column_name::text order by ordinal_position) as names"
        " from information_schema.columns join information_schema.tables using (table_schema, table_name)"
        " where table_schema = 'staging' and table_type = 'BASE TABLE' group by table_name",
    )
    expected = {name: schema.fieldNames() for name, schema in STAGED.items()}
    own = ("load", "part", "event_match")  # tables that the load writes itself
    assert {row["table_name"]: row["names"] for row in rows if row["table_name"] not in own} == expected


def test_dimensions_have_members_for_not_applicable_and_unknown(warehouse_url: str) -> None:
    for name in ("artist", "album", "track", "genre", "playlist", "date"):
        members = select_rows(
            warehouse_url, f"select {name}_key as key from warehouse.dim_{name} where {name}_key <= 0"
        )
        assert sorted(row["key"] for row in members) == [-1, 0], name


def test_days_from_1900_to_2100(warehouse_url: str) -> None:
    counted = (
        "select count(*) as days, min(date_key) as first, max(date_key) as last"
        " from warehouse.dim_date where date_key > 0"
    )
    assert select_rows(warehouse_url, counted) == [{"days": 73_414, "first": 19000101, "last": 21001231}]
    (day,) = select_rows(warehouse_url, "select * from warehouse.dim_date where date = date '2027-01-01'")
    assert (day["month_name"], day["day_name"], day["iso_year"], day["iso_week"], day["is_weekend"]) == (
        "January",
        "Friday",
        2026,
        53,
        False,
    )


def test_again_changes_nothing(warehouse_url: str) -> None:
    before = compute_checksums(warehouse_url)
    migrate_warehouse(warehouse_url)
    assert compute_checksums(warehouse_url) == before


def test_from_a_shell(empty_database_url: str) -> None:
    command = [sys.executable, "-m", "etl.load.migrate"]
    for url, code, words in ((empty_database_url, 0, ""), ("postgresql://me@127.0.0.1:1/none", 1, "cannot be reached")):
        environ = {**os.environ, "WAREHOUSE_URL": url}
        done = subprocess.run(command, env=environ, cwd=CHECKOUT, capture_output=True, text=True, check=False)
        assert (done.returncode, words in done.stderr) == (code, True), done.stderr
    assert select_rows(empty_database_url, "select version_num from audit.schema_revision")


def test_a_reader_of_what_a_migration_changes_is_never_refused(warehouse_url: str, tmp_path: Path) -> None:
    (head,) = select_rows(warehouse_url, "select version_num from audit.schema_revision")
    (tmp_path / "two.py").write_text(TWO.format(head=head["version_num"]), encoding="utf-8")
    waiting = "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    with ThreadPoolExecutor(1) as pool:
        with connect(warehouse_url) as reader:
            fetch_rows(reader, "select count(*) from warehouse.dim_artist")
            migration = pool.submit(migrate_warehouse, warehouse_url, further_revisions=tmp_path)
            while not select_rows(warehouse_url, f"select exists ({waiting}) as it")[0]["it"]:
                assert not migration.done()
            fetch_rows(reader, "select count(*) from warehouse.dim_track")
        migration.result(60)
    assert select_rows(warehouse_url, "select version_num from audit.schema_revision") == [{"version_num": "two"}]


def test_a_path_may_have_signs_that_mean_something_elsewhere(
    warehouse_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "100% of %(here)s"
    shutil.copytree(CHECKOUT / "etl" / "load" / "migrations", folder / "migrations")
    monkeypatch.setattr("etl.load.migrate._SCRIPTS", folder / "migrations")
    (head,) = select_rows(warehouse_url, "select version_num from audit.schema_revision")
    (folder / "later.py").write_text(LATER.format(head=head["version_num"]), encoding="utf-8")
    migrate_warehouse(warehouse_url, further_revisions=folder)
    assert select_rows(warehouse_url, "select version_num from audit.schema_revision") == [{"version_num": "later"}]


def test_an_older_warehouse_is_upgraded_in_place_with_its_data(warehouse_url: str, tmp_path: Path) -> None:
    artist = (
        "insert into warehouse.dim_artist (artist_key, artist_id, name, source) values (1, 'a', 'A', 's') returning 1"
    )
    select_rows(warehouse_url, artist)
    (head,) = select_rows(warehouse_url, "select version_num from audit.schema_revision")
    (tmp_path / "later.py").write_text(LATER.format(head=head["version_num"]), encoding="utf-8")
    migrate_warehouse(warehouse_url, further_revisions=tmp_path)
    rows = select_rows(warehouse_url, "select artist_id, name, country from warehouse.dim_artist where artist_key = 1")
    assert rows == [{"artist_id": "a", "name": "A", "country": "unknown"}]
    assert select_rows(warehouse_url, "select version_num from audit.schema_revision") == [{"version_num": "later"}]


def test_the_first_artist_of_a_track_stands_at_position_1(warehouse_url: str) -> None:
    members = (
        "insert into warehouse.dim_artist (artist_key, artist_id, name, source) values (1, 'a', 'A', 's');"
        "insert into warehouse.dim_track (track_key, album_key, recording_key, track_id, name, source)"
        " values (1, 0, 1, 't', 'T', 's')"
    )
    with connect(warehouse_url) as connection:
        connection.exec_driver_sql(members)
    with connect(warehouse_url) as connection, pytest.raises(IntegrityError, match="position_positive"):
        connection.exec_driver_sql("insert into warehouse.bridge_track_artist values (1, 1, 0)")
    with connect(warehouse_url) as connection:
        connection.exec_driver_sql("insert into warehouse.bridge_track_artist values (1, 1, 1)")
