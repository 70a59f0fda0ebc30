"""Attacks by which a login resists its removal, or stops what all users need."""

from campaigns.attack_cases.attack import Attack, AttackContext, StatementOutcome
from etl.database import connect, fetch_rows

_READER_ROLES = ("analyst", "operator")
_TEMPORARY_LIMIT = "16MB"

_LIFT_TIMEOUTS = ("set statement_timeout = 0", "set idle_in_transaction_session_timeout = 0")
"""Statements that every login may run, and with which a patient attacker starts."""


def _set_temp_file_limit(context: AttackContext) -> None:
    """Lower the limit of temporary files, so that an attack reaches it soon."""
    with connect(context.admin_url) as connection:
        connection.exec_driver_sql(f"alter role {context.login} set temp_file_limit = '{_TEMPORARY_LIMIT}'")


def _check_temp_file_limit(context: AttackContext) -> str | None:
    rejected = [outcome for outcome in context.outcomes if outcome.code == "53400"]
    return None if rejected else f"no limit of temporary files was met: {_list_error_codes(context.outcomes)}"


def _check_connection_count(context: AttackContext) -> str | None:
    with connect(context.admin_url) as connection:
        statement = "select count(*)::int as size from pg_stat_activity where usename = :name"
        (count_row,) = fetch_rows(connection, statement, name=context.login)
    return f"one login has {count_row['size']} connections" if int(str(count_row["size"])) > 20 else None


def _check_request_count(context: AttackContext) -> str | None:
    with connect(context.admin_url) as connection:
        (count_row,) = fetch_rows(connection, "select count(*)::int as size from audit.playlist_request")
    return f"{count_row['size']} playlists are asked for" if int(str(count_row["size"])) > 200 else None


def _check_all_rejected(context: AttackContext) -> str | None:
    successful = [outcome.statement for outcome in context.outcomes if outcome.code is None]
    return f"was not refused: {successful}" if successful else None


def _check_role_privileges(context: AttackContext) -> str | None:
    with connect(context.admin_url) as connection:
        statement = "select has_table_privilege(:role, 'mart.my_login', 'select') as may"
        (privilege_row,) = fetch_rows(connection, statement, role=context.role)
    return None if privilege_row["may"] else f"nobody of {context.role} reads the views any more"


def _list_error_codes(outcomes: list[StatementOutcome]) -> list[str | None]:
    return [outcome.code for outcome in outcomes]


_LEFTOVERS = {
    "default privileges taken from everybody": ("alter default privileges revoke execute on functions from public",),
    "default privileges for another login": (
        "alter default privileges grant select on tables to {other}",
        "alter default privileges grant usage on sequences to {other}",
        "alter default privileges grant usage on types to {other} with grant option",
        "alter default privileges grant usage on schemas to {other}",
        "alter default privileges grant select on large objects to {other}",
    ),
    "own settings": (
        "alter role current_user set work_mem = '1GB'",
        "alter role {login} in database {database} set statement_timeout = 0",
        "alter role {login} reset all",
    ),
    "another password": ("alter role current_user password 'x'",),
    "prepared statements, a cursor and an ear": (
        "prepare mine as select 1",
        "begin",
        "declare mine cursor for select * from mart.definition",
        "fetch mine",
        "listen mine",
    ),
}
"""Objects of a login that remain, or stay open, in the warehouse itself."""

_LEFTOVERS_IN_OTHER_DATABASE = {
    "tables and what belongs to them": (
        "create table public.{name} (id serial primary key, words text, check (words <> ''))",
        "create index on public.{name} (words)",
        "create statistics public.{name}_statistics on id, words from public.{name}",
        "create view public.{name}_view as select * from public.{name}",
        "create materialized view public.{name}_copy as select * from public.{name}",
        "create rule {name}_rule as on delete to public.{name} do instead nothing",
        "comment on table public.{name} is 'mine'",
    ),
    "rights given to others": (
        "create table public.{name} (id integer, words text)",
        "grant select on public.{name} to {other} with grant option",
        "grant insert (words) on public.{name} to {other}",
        "grant all on public.{name} to public",
        "alter table public.{name} enable row level security",
        "create policy {name}_policy on public.{name} to {other} using (true)",
        "alter default privileges in schema public grant all on tables to {other}",
    ),
    "functions, types and operators": (
        "create function public.{name}(integer) returns integer language sql return $1",
        "create aggregate public.{name}_sum (integer) (sfunc = int4pl, stype = integer)",
        "create procedure public.{name}_go() language sql as 'select 1'",
        "create type public.{name}_kind as enum ('a')",
        "create domain public.{name}_text as text",
        'create collation public.{name}_order from "C"',
        "create text search configuration public.{name}_words (copy = simple)",
        "create conversion public.{name}_bytes for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8",
    ),
    "schemas and publications": (
        "create schema {name}",
        "create table {name}.mine (id integer)",
        "grant create on schema {name} to {other}",
        "create publication {name} for table {name}.mine",
    ),
    "large objects": (
        "select count(lo_create(0)) from generate_series(1, 3000)",
        "select lo_from_bytea(0, 'much')",
    ),
    "temporary objects": (
        "create temporary table mine (id integer)",
        "create function pg_temp.mine() returns integer language sql return 1",
        "begin",
        "declare mine cursor for select * from mine",
    ),
    "advisory locks": ("select pg_advisory_lock(n) from generate_series(1, 100) as n",),
    "a prepared transaction": (
        "begin",
        "create table public.{name} (id integer)",
        "prepare transaction '{name}'",
    ),
}

_OPEN_TRANSACTIONS = {
    "an open change of the own role": ("begin", "alter role current_user password 'x'"),
    "an open setting of the own role": ("begin", "alter role current_user set work_mem = '1MB'"),
    "an open grant to another login": ("begin", "alter default privileges grant select on tables to {other}"),
}


def _create_dependent_view(context: AttackContext) -> None:
    """Create a view of another login on an object of the attacker."""
    name = context.login.replace("-", "_")
    outcomes = [
        context.run_in_other_database(context.login_url, f"create table public.{name}_base (id integer primary key)"),
        context.run_in_other_database(context.login_url, f"grant all on public.{name}_base to public"),
        context.run_in_other_database(context.other_url, f"create view public.{name}_upon as table public.{name}_base"),
    ]
    assert not any(outcome.code for outcome in outcomes), outcomes


_REMOVAL_ATTACKS = (
    *(Attack(name, "removal", statements) for name, statements in _LEFTOVERS.items()),
    *(
        Attack(f"elsewhere {name}", "removal", leftover_statements, is_in_other_database=True)
        for name, leftover_statements in _LEFTOVERS_IN_OTHER_DATABASE.items()
    ),
    Attack(
        "elsewhere a view of another login",
        "removal",
        ("select 1",),
        is_in_other_database=True,
        prepare=_create_dependent_view,
    ),
    *(
        Attack(name, "removal", statements, sessions=2, is_repeated=True)
        for name, statements in _OPEN_TRANSACTIONS.items()
    ),
    *(
        Attack(f"elsewhere {name}", "removal", statements, sessions=2, is_repeated=True, is_in_other_database=True)
        for name, statements in _OPEN_TRANSACTIONS.items()
    ),
    Attack(
        "all that the group role may",
        "removal",
        (
            "drop owned by {role}",
            "revoke all on mart.my_login from {role}",
            "set role {role}",
            "drop owned by {role}",
            "revoke {role} from {login}",
            "alter role {role} password 'x'",
            "alter role {role} set statement_timeout = 1",
            "alter default privileges grant select on tables to {other}",
        ),
        find_violation=_check_role_privileges,
    ),
    Attack("sessions that come again", "removal", ("select pg_sleep(1)",), sessions=6, is_repeated=True),
    Attack("a loop without an end", "removal", ("do 'begin loop end loop; end'",), sessions=2),
    Attack("a sleep without an end", "removal", (*_LIFT_TIMEOUTS, "begin", "select pg_sleep(1e6)")),
)

_LOCK_STATEMENT = "lock table mart.definition in access share mode"

_BLOCKING_ATTACKS = (
    Attack("a lock held idle", "stop", (*_LIFT_TIMEOUTS, "begin", _LOCK_STATEMENT)),
    Attack("a lock held idle by all connections", "stop", (*_LIFT_TIMEOUTS, "begin", _LOCK_STATEMENT), sessions=12),
    Attack(
        "a lock taken again and again",
        "stop",
        (*_LIFT_TIMEOUTS, "begin", _LOCK_STATEMENT),
        sessions=4,
        is_repeated=True,
    ),
    Attack("a lock held by a query", "stop", (*_LIFT_TIMEOUTS, "select pg_sleep(1e6) from mart.definition")),
    Attack(
        "a lock held below a savepoint",
        "stop",
        (*_LIFT_TIMEOUTS, "begin", _LOCK_STATEMENT, "savepoint s", "select 1 / 0", "savepoint s"),
    ),
    Attack(
        "an idle repeatable read",
        "stop",
        (
            *_LIFT_TIMEOUTS,
            "begin isolation level repeatable read",
            "select * from mart.my_login",
            "select * from mart.definition",
        ),
    ),
    Attack(
        "an idle serializable read",
        "stop",
        (*_LIFT_TIMEOUTS, "begin isolation level serializable", "select count(*) from mart.event_wide"),
        _READER_ROLES,
    ),
    Attack(
        "an open cursor",
        "stop",
        (*_LIFT_TIMEOUTS, "begin", "declare mine cursor for select * from mart.definition", "fetch mine"),
    ),
    Attack(
        "all tables read in one transaction",
        "stop",
        (
            *_LIFT_TIMEOUTS,
            "begin",
            "do $$ declare r record; begin for r in select oid::regclass as name from pg_class where relkind in"
            " ('r', 'p', 'v') and relnamespace = any(array['mart', 'warehouse']::regnamespace[])"
            " and has_any_column_privilege(oid, 'select') loop"
            " begin execute format('lock table %s in access share mode', r.name);"
            " exception when insufficient_privilege then null; end; end loop; end $$",
        ),
        _READER_ROLES,
    ),
    Attack(
        "locks of the catalogue",
        "stop",
        (
            *_LIFT_TIMEOUTS,
            "begin",
            "lock table pg_class, pg_attribute, pg_index, pg_depend, pg_proc, pg_namespace, pg_type, pg_shdepend,"
            " pg_database in access share mode",
        ),
    ),
    Attack(
        "two locks against the order of the build",
        "stop",
        (
            *_LIFT_TIMEOUTS,
            "begin",
            "lock table mart.wrapped in access share mode",
            "select pg_sleep(3)",
            _LOCK_STATEMENT,
        ),
        _READER_ROLES,
        sessions=4,
        is_repeated=True,
    ),
    Attack("connections", "stop", ("select 1",), sessions=196, find_violation=_check_connection_count),
    Attack(
        "connections in transactions",
        "stop",
        (*_LIFT_TIMEOUTS, "begin", _LOCK_STATEMENT),
        sessions=60,
        find_violation=_check_connection_count,
    ),
    Attack("more and more connections", "stop", ("select pg_sleep(0.1)",), sessions=30, is_repeated=True),
    *(
        Attack(
            f"raise {level} without end",
            "stop",
            (*_LIFT_TIMEOUTS, f"do $$ begin loop raise {level} '%', 1; end loop; end $$"),
        )
        for level in ("log", "warning")
    ),
    Attack(
        "errors without end",
        "stop",
        (*_LIFT_TIMEOUTS, *["do $$ begin perform 1 / 0; end $$"] * 200),
        sessions=2,
        is_repeated=True,
    ),
    Attack(
        "temporary files",
        "stop",
        (
            "set work_mem = '64kB'",
            "select count(*) from (select g from generate_series(1, 3000000) as g order by g desc)",
        ),
        prepare=_set_temp_file_limit,
        find_violation=_check_temp_file_limit,
    ),
    Attack(
        "temporary files after the limit is lifted",
        "stop",
        (
            "set temp_file_limit = -1",
            "alter role current_user set temp_file_limit = -1",
            "alter role current_user reset temp_file_limit",
            "alter role current_user reset all",
            "begin",
            "declare mine cursor with hold for select repeat('x', 1000) from generate_series(1, 300000)",
            "commit",
        ),
        prepare=_set_temp_file_limit,
        find_violation=_check_temp_file_limit,
    ),
    Attack(
        "notifications that nobody fetches",
        "stop",
        (
            *_LIFT_TIMEOUTS,
            "listen mine",
            "do $$ begin for n in 1 .. 2000 loop execute format('notify mine, %L', repeat('x', 7000)); end loop;"
            " end $$",
            "begin",
            _LOCK_STATEMENT,
        ),
        sessions=2,
    ),
    Attack(
        "20,000 playlists asked for",
        "stop",
        ("select mart.request_playlist(left(md5(n::text), 22)) from generate_series(1, 20000) as n",),
        ("listener",),
        find_violation=_check_request_count,
    ),
    Attack(
        "20,000 playlists asked for, one by one",
        "stop",
        tuple(f"select mart.request_playlist('{number:022}')" for number in range(20_000)),
        ("listener",),
        sessions=12,
        find_violation=_check_request_count,
    ),
    Attack(
        "playlists asked for and taken back without end",
        "stop",
        (
            *_LIFT_TIMEOUTS,
            "do $$ begin loop perform mart.request_playlist(repeat('a', 22)); commit;"
            " perform mart.withdraw_playlist_request(repeat('a', 22)); commit; end loop; end $$",
        ),
        ("listener",),
        sessions=4,
        find_violation=_check_request_count,
    ),
    Attack(
        "a request that is taken back and never committed",
        "stop",
        (
            *_LIFT_TIMEOUTS,
            "select mart.request_playlist(repeat('b', 22))",
            "begin",
            "select mart.withdraw_playlist_request(repeat('b', 22))",
            _LOCK_STATEMENT,
        ),
        ("listener",),
    ),
    Attack(
        "locks and writes of the server that are shut",
        "stop",
        (
            "select pg_advisory_lock(20261121)",
            "select pg_advisory_xact_lock_shared(20261121)",
            "select pg_logical_emit_message(false, 'x', repeat('x', 1000000))",
            "select lo_create(0)",
            "select pg_notify('x', 'y')",
            "create temporary table mine (id integer)",
            "set log_min_messages = debug5",
            "set session_replication_role = replica",
            "set deadlock_timeout = '1h'",
            "alter role current_user connection limit -1",
        ),
        find_violation=_check_all_rejected,
    ),
    Attack(
        "an open change of the own role beside",
        "stop",
        (*_LIFT_TIMEOUTS, "begin", "alter role current_user password 'x'", _LOCK_STATEMENT),
    ),
    Attack(
        "transactions without end",
        "stop",
        (*_LIFT_TIMEOUTS, "do $$ begin loop perform pg_current_xact_id(); commit; end loop; end $$"),
    ),
    Attack("a busy loop", "stop", (*_LIFT_TIMEOUTS, "do 'begin loop end loop; end'"), sessions=3),
)

ATTACKS: tuple[Attack, ...] = _REMOVAL_ATTACKS + _BLOCKING_ATTACKS
