"""The privileges of each role on each table and view: it reads those listed here, and writes to none."""

from collections.abc import Iterator

import psycopg2
import pytest
from psycopg2.extensions import connection as Connection

from etl.database import connect, libpq_url
from etl.load.migrate import migrate_warehouse
from launch import postgres
from tests.conftest import copy_database
from tests.sql.role_warehouse import KINDS, RoleWarehouse, create_role_warehouse, query

ANALYSTS = {"analyst", "operator"}

# Every table and view, with the roles that may read it. Add new ones here.
READERS: dict[str, tuple[set[str], str]] = {
    "warehouse": (
        ANALYSTS,
        """applied_match_decision bridge_track_artist bridge_track_genre dim_album dim_artist dim_audio_cluster dim_date
        dim_genre dim_play_context dim_playlist dim_track dim_user exclusion fact_artist_popularity fact_event
        fact_playlist_track fact_spoken_event fact_track_popularity match_decision survey_response track_alias
        user_record""",
    ),
    "mart": (
        ANALYSTS,
        """active_user_count active_users anomalous_day applied_artist_merge applied_exclusion applied_play_exclusion
        artist_audience artist_audience_country
        artist_place
        artist_audience_track artist_country catalogue_place artist_track artist_week
        audio_point audio_scale chart chart_top context_place item_month item_year listening_context
        counted_catalogue counted_play
        counted_track counted_track_genre current_artist_merge current_play_exclusion
        daily_engagement discovered_track discovery
        discovery_cell discovery_pool event_wide forecast forecast_accuracy forecast_champion forecast_refusal
        forecast_score
        forecast_series listened_days listener listener_bin listener_cluster
        listener_count listener_day listener_figure listener_personality listener_taste
        listener_year listener_year_count personality personality_day personality_month user_personality listening_event
        listening_session newness_scale play play_exclusion played_item spoken_play
        playlist_bin playlist_cluster playlist_figure playlist_profile
        playlist_profile_attribute playlist_profile_cluster profile profile_attribute profile_histogram
        profile_cluster profile_figure retention retention_count segment_user_count session taste_profile
        taste_profile_attribute taste_profile_cluster top_by_continent wrapped wrapped_artist wrapped_genre
        wrapped_track""",
    ),
    "live": (
        ANALYSTS,
        """active_minute artist_country artist_hour artist_track batch continent_hour progress published_artist_hour
        top_by_continent track""",
    ),
    "audit": (
        {"operator"},
        """account_owner arrival cluster_fit dropped_event event_match exported_playlist fetch forecast_run gap input
        live_difference name_matched_artist play_source published_artist published_artist_country published_artist_track
        published_artist_week published_play
        reconciliation refresh_state regrouped_track rejected_row reload_input row_count run run_input schema_revision
        stream_check
        changed_day changed_playlist changed_track track_name unpublished_play""",
    ),
    "staging": (
        set(),
        """account_owner album_key anomaly_episode arrival bridge_track_artist bridge_track_genre cluster_fit dim_album
        dim_artist
        dim_audio_cluster dim_playlist dim_track injected_error event_artist event_artist_key event_context event_count
        event_match event_named event_playlist event_track event_user exported_playlist exported_playlist_track
        fact_artist_popularity fact_event holiday outage
        fact_playlist_track fact_spoken_event fact_track_popularity input_key
        listener load match_decision part playlist_snapshot provider_features reconciliation recording_key
        refresh_state rejected_row
        reloaded_input retained_input survey_response track_alias user_record""",
    ),
    "simulation": (set(), "anomaly_episode holiday injected_error listener outage"),
}
SPECIAL: dict[str, set[str]] = {
    "audit.login": set(),
    "audit.signed_in": set(),
    # Its login names and notes may say who a listener is; mart.play_exclusion shows the rest.
    "warehouse.play_exclusion": set(),
    # The owner of a playlist reveals the name of an account.
    "mart.playlist_owner": set(),
    # A function of the profiles reads it with the privileges of the querying role; its rows are the same for all.
    "mart.attribute": {"analyst", "operator", "listener"},
    "mart.anomaly": {"operator"},
    "mart.definition": {"analyst", "operator", "listener", "artist"},
    "live.event_id_even": set(),
    "live.event_id_odd": set(),
    "live.user_hour": {"operator"},
    "live.active_listener": {"operator"},
    "live.top_by_user": {"operator"},
    "mart.my_live_top": {"listener"},
    "mart.my_artist_live_hour": {"artist"},
    "mart.my_login": {"analyst", "operator", "listener", "artist"},
    "mart.my_event": {"listener"},
    "mart.my_forecast": {"listener"},
    "mart.my_forecast_series": {"listener"},
    "mart.my_listening_session": {"listener"},
    "mart.my_play_exclusion": {"listener"},
    "mart.my_played_item": {"listener"},
    "mart.my_playlist": {"listener"},
    "mart.my_playlist_track": {"listener"},
    "audit.playlist_request": {"operator"},
    "mart.my_discovery": {"listener"},
    "mart.my_playlist_profile": {"listener"},
    "mart.my_playlist_profile_attribute": {"listener"},
    "mart.my_playlist_profile_cluster": {"listener"},
    "mart.my_playlist_request": {"listener"},
    "mart.my_taste_profile": {"listener"},
    "mart.my_taste_profile_attribute": {"listener"},
    "mart.my_taste_profile_cluster": {"listener"},
    "mart.my_wrapped": {"listener"},
    "mart.my_wrapped_artist": {"listener"},
    "mart.my_wrapped_genre": {"listener"},
    "mart.my_wrapped_track": {"listener"},
    "mart.my_user_personality": {"listener"},
    "mart.my_artist_audience": {"artist"},
    "mart.my_artist_country": {"artist"},
    "mart.my_artist_forecast": {"artist"},
    "mart.my_artist_track": {"artist"},
    # A partition is read only through its table.
    "warehouse.fact_event_2026_11": set(),
}
EXPECTED = SPECIAL | {f"{schema}.{name}": roles for schema, (roles, names) in READERS.items() for name in names.split()}
HIDDEN = {
    "warehouse.dim_user": {"username", "birthdate", "gender"},
    "warehouse.user_record": {"username", "birthdate", "gender"},
    "audit.rejected_row": {"row"},
    "audit.fetch": {"known"},
    "audit.account_owner": {"owner_id"},
    "warehouse.dim_playlist": {"owner_id"},
    "mart.playlist_profile": {"owner_id"},
    "mart.playlist_profile_attribute": {"owner_id"},
    "mart.playlist_profile_cluster": {"owner_id"},
}
PERSONAL = ("name", "birth", "gender", "mail", "phone", "address", "owner")
"""Parts of the names of columns that may identify a person."""


@pytest.fixture(scope="module")
def warehouse(embedded_server: postgres.Server, migrated_template: str) -> Iterator[RoleWarehouse]:
    with create_role_warehouse(embedded_server, migrated_template) as role_warehouse:
        yield role_warehouse


def is_allowed(connection: Connection, statement: str) -> bool:
    """Return whether a statement is permitted; any other error is an error of the test."""
    try:
        query(connection, statement)
    except psycopg2.errors.InsufficientPrivilege:
        return False
    except (psycopg2.errors.ObjectNotInPrerequisiteState, psycopg2.errors.WrongObjectType):
        return False  # a view that no role can write to
    return True


def list_relations(warehouse: RoleWarehouse) -> dict[str, list[str]]:
    """Return every table and view with its columns."""
    with connect(warehouse.url) as connection:
        rows = connection.exec_driver_sql(
            """
            select n.nspname || '.' || c.relname, array_agg(a.attname::text order by a.attnum)
            from pg_class as c
            join pg_namespace as n on n.oid = c.relnamespace
            join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
            where c.relkind in ('r', 'p', 'v', 'm')
                and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
            group by 1
            """
        ).all()
    return dict(rows)


def quote_name(name: str) -> str:
    return ".".join(f'"{part}"' for part in name.split("."))


def test_each_table_and_view_has_its_expectation(warehouse: RoleWarehouse) -> None:
    differing = list_relations(warehouse).keys() ^ EXPECTED.keys()
    assert not differing, f"READERS or SPECIAL must say who reads each table and view, and name no other: {differing}"


def test_a_column_that_says_who_somebody_is_is_hidden_or_known_to_be_harmless(warehouse: RoleWarehouse) -> None:
    suspicious = {
        (name, column)
        for name, columns in list_relations(warehouse).items()
        if EXPECTED.get(name, ANALYSTS) & ANALYSTS and not name.startswith("mart.my_")
        for column in columns
        if any(word in column for word in PERSONAL) and not column.endswith("_name") and column != "name"
    }
    hidden = {(name, column) for name, columns in HIDDEN.items() for column in columns}
    assert suspicious - hidden == {("warehouse.survey_response", "gender"), ("audit.track_name", "name_id")}


@pytest.mark.parametrize("kind", KINDS)
def test_a_role_reads_what_is_its_own_and_nothing_else(warehouse: RoleWarehouse, kind: str) -> None:
    connection = warehouse.enter(kind)
    wrong = []
    for name, columns in list_relations(warehouse).items():
        expected = set(columns) - HIDDEN.get(name, set()) if kind in EXPECTED.get(name, ()) else set()
        if is_allowed(connection, f"select * from {quote_name(name)} limit 0"):
            readable = set(columns)
        else:
            readable = {c for c in columns if is_allowed(connection, f'select "{c}" from {quote_name(name)} limit 0')}
        if readable != expected:
            wrong.append((name, readable ^ expected))
    connection.close()
    assert wrong == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_role_writes_nothing(warehouse: RoleWarehouse, kind: str) -> None:
    connection = warehouse.enter(kind)
    written = []
    for name, columns in list_relations(warehouse).items():
        for statement in (
            f"insert into {quote_name(name)} default values",
            f'update {quote_name(name)} set "{columns[0]}" = default where false',
            f"delete from {quote_name(name)} where false",
            f"truncate {quote_name(name)}",
            f"do 'begin lock table {quote_name(name)} in row share mode; end'",
            f"drop {'view' if name.startswith('mart.my_') else 'table'} {quote_name(name)}",
        ):
            if is_allowed(connection, statement):
                written.append(statement)
    connection.close()
    assert written == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_role_makes_nothing_and_becomes_nobody_else(warehouse: RoleWarehouse, kind: str) -> None:
    connection = warehouse.enter(kind)
    rejected = [
        *(f"create table {schema}.mine (a int)" for schema in (*READERS, "public")),
        "create temporary table mine (a int)",
        "create schema mine",
        "create function public.mine() returns int language sql return 1",
        "create function pg_temp.mine() returns int language sql return 1",
        "create role mine",
        "create database mine",
        *(f"set role {role}" for role in ("loader", "postgres", warehouse.names["other"])),
        "set session authorization loader",
        f"grant analyst to {warehouse.names['nobody']}",
        "copy (select 1) to program 'true'",
        "select pg_read_file('postgresql.conf')",
        "alter system set work_mem = '1GB'",
        "select rolpassword from pg_authid",
        "select pg_advisory_lock(20261121)",
        "select pg_try_advisory_xact_lock_shared(0, 0)",
        "select lo_create(0)",
        "select lo_from_bytea(0, 'much')",
        "select idx_tup_fetch from pg_stat_xact_user_tables",
        "select tup_returned from pg_stat_database",
        "select blks_hit from pg_stat_database",
        "select pg_stat_get_xact_blocks_fetched('mart.definition'::regclass)",
        "select hits from pg_stat_io",
        "select pg_logical_emit_message(false, 'x', repeat('x', 100))",
        "select pg_notify('x', 'y')",
        "set temp_file_limit = -1",
        "set log_min_messages = debug5",
        "alter role current_user connection limit -1",
        "alter role current_user set temp_file_limit = -1",
        "select login_control.end_session(pg_backend_pid())",
        "select * from login_control.sessions()",
        f"select login_control.limit_login('{warehouse.names['other']}')",
    ]
    assert [statement for statement in rejected if is_allowed(connection, statement)] == []
    connection.close()


_SIZES = (
    "select pg_relation_size('mart.listener_day'::regclass)",
    "select pg_total_relation_size('mart.listener_count'::regclass)",
    "select reltuples, relpages from pg_class",
    "select * from pg_class",
    "select n_live_tup from pg_stat_user_tables",
)
_COUNTERS = (
    "select pg_stat_get_xact_blocks_fetched('mart.listener_count'::regclass)",
    "select pg_stat_get_blocks_hit('mart.listener_count'::regclass)",
    "select heap_blks_read from pg_statio_user_tables",
    "select blks_hit, temp_bytes from pg_stat_database",
    "select n_tup_ins, n_tup_upd, n_tup_del from pg_stat_user_tables",
    "select n_tup_hot_upd from pg_stat_xact_user_tables",
    "select n_mod_since_analyze, n_ins_since_vacuum, n_dead_tup from pg_stat_user_tables",
    "select last_seq_scan from pg_stat_user_tables",
    "select calls from pg_stat_user_functions",
)


@pytest.mark.parametrize("kind", KINDS)
def test_sizes_of_tables_are_for_who_reads_every_play_and_counters_for_nobody(
    warehouse: RoleWarehouse, kind: str
) -> None:
    connection = warehouse.enter(kind)
    assert [it for it in _SIZES if is_allowed(connection, it)] == (list(_SIZES) if kind in ANALYSTS else [])
    assert [it for it in _COUNTERS if is_allowed(connection, it)] == []
    assert query(connection, "select relkind from pg_class where relname = 'my_login'") == [("v",)], "as tools ask"
    connection.close()


@pytest.mark.parametrize("kind", KINDS)
def test_wishes_are_a_listener_s(warehouse: RoleWarehouse, kind: str) -> None:
    connection = warehouse.enter(kind)
    functions = ("mart.request_playlist", "mart.withdraw_playlist_request")
    allowed = [name for name in functions if is_allowed(connection, f"select {name}('{22 * 'a'}')")]
    connection.close()
    assert allowed == (list(functions) if kind == "listener" else [])


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_else_s_figures_stand_in_the_catalogue(warehouse: RoleWarehouse, kind: str) -> None:
    warehouse.as_loader("analyze")
    connection = warehouse.enter(kind)
    columns_seen = {
        f"{s}.{t}.{c}" for s, t, c in query(connection, "select schemaname, tablename, attname from pg_stats")
    }
    ours = {name for name in columns_seen if name.split(".")[0] in READERS}
    allowed = {
        f"{name}.{column}"
        for name, columns in list_relations(warehouse).items()
        if kind in EXPECTED.get(name, ())
        for column in set(columns) - HIDDEN.get(name, set())
    }
    assert ours <= allowed
    loader = psycopg2.connect(libpq_url(warehouse.url))
    query(loader, "select 'a secret query'")
    assert not query(
        connection, "select from pg_stat_activity where query like '%a secret%' and pid <> pg_backend_pid()"
    )
    functions = query(
        connection,
        "select distinct n.nspname from pg_proc as p join pg_namespace as n on n.oid = p.pronamespace"
        " where n.nspname not in ('pg_catalog', 'information_schema') and has_function_privilege(p.oid, 'execute')",
    )
    assert functions == ([] if kind == "nobody" else [("mart",)])
    loader.close()
    connection.close()


def test_a_wrong_password_and_none_are_refused(warehouse: RoleWarehouse) -> None:
    for kind in KINDS:
        url = libpq_url(warehouse.url_of(kind))
        password = url.split(":")[2].split("@")[0]
        for credentials in (":wrong@", "@"):
            with pytest.raises(psycopg2.OperationalError, match="password"):
                psycopg2.connect(url.replace(f":{password}@", credentials))


def test_a_login_does_not_enter_another_warehouse_of_the_server(
    warehouse: RoleWarehouse, embedded_server: postgres.Server, migrated_template: str
) -> None:
    with copy_database(embedded_server, migrated_template) as url:
        migrate_warehouse(url)
        own_database, other_database = warehouse.url.rsplit("/", 1)[1], url.rsplit("/", 1)[1]
        for kind, database_name in (
            (kind, database_name)
            for kind in KINDS
            for database_name in (other_database, "postgres", "airflow", "template1")
        ):
            with pytest.raises(psycopg2.OperationalError, match="permission denied for database"):
                psycopg2.connect(libpq_url(warehouse.url_of(kind)).replace(own_database, database_name))
