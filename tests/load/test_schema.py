"""The schema of sql/schema, compared with that of a migrated warehouse of the last development version with data."""

import lzma
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from etl.database import SQL_FOLDER, connect, libpq_url, read_sql, run_statements
from etl.errors import ActionNeededError
from etl.load.migrate import is_migrated, migrate_warehouse
from etl.load.schema import creation_order
from launch import postgres
from tests.conftest import copy_database
from tests.load.event_frames import NOON, Delivery, SourcePlay, load_events
from tests.load.star_frames import select_rows

FORMER = Path(__file__).with_name("former_warehouse.sql.xz")
"""pg_dump of a warehouse at the last revision before the baseline: a small catalogue, events, built marts."""

FILLED_BY_THE_NEXT_BUILD = {
    "mart.artist_listener",
    "mart.chart_count",
    "mart.chart_top",
    "mart.listener_bin",
    "mart.listener_count",
}
"""Tables that a revision replaces by empty ones."""

LINES = {
    "audit.arrival": "(to_jsonb(t) - 'covered_days')::text",
    "audit.refresh_state": "(to_jsonb(t) - 'is_found')::text",
    "audit.run": "(to_jsonb(t) - 'catalogue_state_id')::text",
}
"""The rows of former tables to which a column was added, without it."""

SCHEMAS = "('staging', 'warehouse', 'mart', 'live', 'audit', 'simulation')"

IS_IN_THEM = f"""
    n.nspname in {SCHEMAS}
    -- Partitions come with the data, and what lies in a staging partition with a load.
    and not exists (select from pg_inherits as i where i.inhrelid = c.oid)
"""

CATALOGUE = {
    "schemas": f"""
        select nspname as name, obj_description(oid, 'pg_namespace') as comment,
            array(select item::text from unnest(nspacl) as item order by 1) as rights
        from pg_namespace where nspname in {SCHEMAS}
    """,
    "relations": f"""
        select
            format('%s.%s', n.nspname, c.relname) as name, c.relkind::text as kind,
            c.relpersistence::text as persistence, c.reloptions, c.relrowsecurity, c.relowner::regrole::text as owner,
            pg_get_partkeydef(c.oid) as partition_key,
            obj_description(c.oid, 'pg_class') as comment,
            array(select item::text from unnest(c.relacl) as item order by 1) as rights,
            case when c.relkind = 'v' then pg_get_viewdef(c.oid) end as definition
        from pg_class as c inner join pg_namespace as n on n.oid = c.relnamespace
        where {IS_IN_THEM} and c.relkind in ('r', 'p', 'v', 'm', 'S')
    """,
    "columns": f"""
        select
            format('%s.%s.%s', n.nspname, c.relname, a.attname) as name,
            -- Columns that were dropped leave their numbers.
            row_number() over (partition by c.oid order by a.attnum) as position,
            format_type(a.atttypid, a.atttypmod) as type, a.attnotnull as is_required,
            a.attcollation::regcollation::text as collation,
            a.attidentity::text as identity, a.attgenerated::text as generated, a.attstattarget as statistics_target,
            a.attstorage::text as storage, pg_get_expr(d.adbin, d.adrelid) as default_value,
            col_description(c.oid, a.attnum) as comment,
            array(select item::text from unnest(a.attacl) as item order by 1) as rights
        from pg_class as c
        inner join pg_namespace as n on n.oid = c.relnamespace
        inner join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        left join pg_attrdef as d on d.adrelid = c.oid and d.adnum = a.attnum
        where {IS_IN_THEM} and c.relkind in ('r', 'p', 'v', 'm')
    """,
    "constraints": f"""
        select
            format('%s.%s.%s', n.nspname, c.relname, k.conname) as name, pg_get_constraintdef(k.oid) as definition,
            k.convalidated, obj_description(k.oid, 'pg_constraint') as comment
        from pg_constraint as k
        inner join pg_class as c on c.oid = k.conrelid
        inner join pg_namespace as n on n.oid = c.relnamespace
        where {IS_IN_THEM}
    """,
    "indexes": f"""
        select format('%s.%s', n.nspname, x.relname) as name, pg_get_indexdef(x.oid) as definition, x.reloptions
        from pg_index as i
        inner join pg_class as x on x.oid = i.indexrelid
        inner join pg_class as c on c.oid = i.indrelid
        inner join pg_namespace as n on n.oid = c.relnamespace
        where {IS_IN_THEM}
    """,
    "statistics": f"""
        select s.stxname as name, pg_get_statisticsobjdef(s.oid) as definition
        from pg_statistic_ext as s inner join pg_namespace as n on n.oid = s.stxnamespace where n.nspname in {SCHEMAS}
    """,
    "functions": f"""
        select
            p.oid::regprocedure::text as name, pg_get_functiondef(p.oid) as definition,
            p.proowner::regrole::text as owner,
            obj_description(p.oid, 'pg_proc') as comment,
            array(select item::text from unnest(p.proacl) as item order by 1) as rights
        from pg_proc as p inner join pg_namespace as n on n.oid = p.pronamespace where n.nspname in {SCHEMAS}
    """,
    "triggers": f"""
        select format('%s.%s.%s', n.nspname, c.relname, t.tgname) as name, pg_get_triggerdef(t.oid) as definition,
            t.tgenabled::text as enabled
        from pg_trigger as t
        inner join pg_class as c on c.oid = t.tgrelid
        inner join pg_namespace as n on n.oid = c.relnamespace
        where {IS_IN_THEM} and not t.tgisinternal
    """,
    "types": f"""
        select
            t.oid::regtype::text as name,
            array(select enumlabel::text from pg_enum where enumtypid = t.oid order by enumsortorder) as labels,
            obj_description(t.oid, 'pg_type') as comment
        from pg_type as t inner join pg_namespace as n on n.oid = t.typnamespace
        where n.nspname in {SCHEMAS} and t.typtype in ('e', 'd')
    """,
}


_KINDS = "(?:schema|table|view|function|type)"

FROM_A_LATER_LOAD = Delivery(
    "cc", (SourcePlay(NOON + timedelta(days=40), "user-1", "track-A1", 60, artist="artist-x"),)
)


def describe_warehouse(url: str) -> dict[str, dict[str, str]]:
    """Return the objects of a warehouse by kind and name, each as a line from the system catalogue."""
    return {
        kind: {str(row["name"]): str(row) for row in select_rows(url, statement)}
        for kind, statement in CATALOGUE.items()
    }


@contextmanager
def restore_from_dump(server: postgres.Server, url: str) -> Iterator[str]:
    """Yield the URL of a copy of a warehouse without its rows, made from its dump.

    PostgreSQL prints an expression that it has printed and read before with fewer parentheses. Two warehouses are alike
    once both are dumped and restored, regardless of their history.
    """
    dump = [server.get_program_path("pg_dump"), "--schema-only", "--no-owner", libpq_url(url)]
    with copy_database(server, "template0") as copy_url:
        restore = [
            server.get_program_path("psql"),
            "--no-psqlrc",
            "--quiet",
            "--set=ON_ERROR_STOP=1",
            libpq_url(copy_url),
        ]
        statements = subprocess.run(dump, check=True, capture_output=True).stdout
        subprocess.run(restore, check=True, input=statements, stdout=subprocess.DEVNULL)
        yield copy_url


def find_differences(
    first: dict[str, dict[str, str]], second: dict[str, dict[str, str]]
) -> list[tuple[str | None, ...]]:
    """Return the two lines of each object that differs between two warehouses."""
    return [
        (lines.get(name), second[kind].get(name))
        for kind, lines in first.items()
        for name in sorted(lines.keys() | second[kind].keys())
        if lines.get(name) != second[kind].get(name)
    ]


def compute_table_checksums(url: str) -> dict[str, str]:
    """Return a checksum of the rows of each table, by name; the revision and the column that was added are omitted."""
    names = select_rows(
        url, f"select schemaname || '.' || tablename as name from pg_tables where schemaname in {SCHEMAS}"
    )
    statement = "select coalesce(md5(string_agg({1}, '|' order by {1})), '') as checksum from {0} as t"
    return {
        row["name"]: str(
            select_rows(url, statement.format(row["name"], LINES.get(row["name"], "t::text")))[0]["checksum"]
        )
        for row in names
        if row["name"] != "audit.schema_revision"
    }


@pytest.fixture
def former_url(empty_database_url: str) -> str:
    """Return a warehouse of the last development version, with data."""
    with connect(empty_database_url) as connection:
        run_statements(connection, "set local check_function_bodies = off")
        run_statements(connection, lzma.decompress(FORMER.read_bytes()).decode())
    return empty_database_url


def test_a_migrated_warehouse_has_the_schema_of_a_new_one(
    embedded_server: postgres.Server, former_url: str, warehouse_url: str
) -> None:
    assert is_migrated(warehouse_url) and not is_migrated(former_url)
    migrate_warehouse(former_url)
    assert is_migrated(former_url)
    with (
        restore_from_dump(embedded_server, former_url) as migrated,
        restore_from_dump(embedded_server, warehouse_url) as new,
    ):
        assert find_differences(describe_warehouse(migrated), describe_warehouse(new)) == []


def test_the_comparison_sees_a_difference_of_every_kind(warehouse_url: str) -> None:
    before = describe_warehouse(warehouse_url)
    assert all(before.values())
    with connect(warehouse_url) as connection:
        run_statements(
            connection,
            """
            comment on schema staging is 'Changed.';
            alter table mart.listener_count set (fillfactor = 70);
            alter table warehouse.dim_album alter column name set default 'x';
            alter table warehouse.dim_album drop constraint dim_album_album_id_key;
            drop index mart.audio_point_track_key_idx;
            drop statistics staging.dim_track_of_recording;
            revoke execute on function mart.quantile from public;
            alter function mart.quantile volatile;
            alter table warehouse.dim_track disable trigger queue_updated;
            alter type mart.counted_kind add value 'album';
            """,
        )
    after = describe_warehouse(warehouse_url)
    assert [kind for kind in CATALOGUE if before[kind] != after[kind]] == list(CATALOGUE)


def test_a_migration_keeps_all_rows_and_later_loads_add_to_them(former_url: str) -> None:
    before = compute_table_checksums(former_url)
    assert select_rows(former_url, "select count(*) as plays from warehouse.fact_event") == [{"plays": 4}]
    migrate_warehouse(former_url)
    # Tables may have been renamed, and new ones are empty.
    after = compute_table_checksums(former_url)
    checksums_before, checksums_after = (
        sorted(checksum for name, checksum in checksums.items() if checksum and name not in FILLED_BY_THE_NEXT_BUILD)
        for checksums in (before, after)
    )
    assert checksums_after == checksums_before
    arrivals = select_rows(former_url, "select covered_days @> first_event_time::date as is_covered from audit.arrival")
    assert arrivals and all(row["is_covered"] for row in arrivals), "an earlier load covers its days"
    load_events(former_url, "later", FROM_A_LATER_LOAD)
    assert select_rows(former_url, "select count(*) as plays from warehouse.fact_event") == [{"plays": 5}]


def test_a_warehouse_of_an_older_development_version_is_left_alone_with_a_way_out(former_url: str) -> None:
    select_rows(former_url, "update audit.schema_revision set version_num = '0019' returning 1")
    before = describe_warehouse(former_url)
    with pytest.raises(ActionNeededError, match=r"at revision 0019 .* check out commit bc0919d"):
        migrate_warehouse(former_url)
    assert describe_warehouse(former_url) == before
    assert select_rows(former_url, "select version_num from audit.schema_revision") == [{"version_num": "0019"}]


def test_a_new_warehouse_has_its_members_and_nothing_to_follow(warehouse_url: str) -> None:
    names = [name for name in compute_table_checksums(warehouse_url) if name.startswith("audit.")]
    assert names
    assert [name for name in names if select_rows(warehouse_url, f"select from {name} limit 1")] == []


def test_a_schema_file_creates_what_it_is_named_for_and_changes_nothing_else() -> None:
    for file in creation_order():
        name = file.removeprefix("schema/").replace("/", ".")
        statements = re.sub(r"--[^\n]*|\$\$.*?\$\$|'(?:[^']|'')*'", "", read_sql(file), flags=re.DOTALL).replace(
            '"', ""
        )
        assert re.findall(rf"^create (?:unlogged )?{_KINDS} ([\w.]+)", statements, re.MULTILINE) == [name]
        changed = re.findall(rf"^(?:insert into|alter {_KINDS}|comment on {_KINDS}) ([\w.]+)", statements, re.MULTILINE)
        assert {*changed} <= {name}
        described = re.findall(r"^comment on column ([\w.]+)\.\w+", statements, re.MULTILINE)
        assert {*described} <= {name}
    assert len(creation_order()) == len(list((SQL_FOLDER / "schema").rglob("*.sql")))
