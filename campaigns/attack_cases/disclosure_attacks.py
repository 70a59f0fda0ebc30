"""Attacks that read hidden data: people, account names, and the size of small audiences."""

import json
from collections.abc import Callable

from campaigns.attack_cases.attack import Attack, AttackContext, StatementOutcome, run_statements
from etl.database import connect, fetch_rows

# ruff: noqa: S608 (no data in it)
_ALL_ROLES = ("analyst", "operator", "listener", "artist")
_ROW_LEVEL_ROLES = ("listener", "artist")
_READER_ROLES = ("analyst", "operator")

_PERSONAL_NAMES_QUERY = """
    select username as word from warehouse.dim_user where user_key > 0 and username is not null
    union
    select owner_id from warehouse.dim_playlist where owner_id is not null
    union
    select owner_id from audit.account_owner
    except
    select user_id from warehouse.dim_user
"""
"""Names of people and of accounts; a user_id replaces them."""

_USER_IDS_QUERY = "select user_id as word from warehouse.dim_user where user_key > 0"
_OTHER_USERS_QUERY = """
    select user_id as word from warehouse.dim_user
    where user_key > 0
        and user_id not in (select user_id from audit.login where login_name = :login and user_id is not null)
"""


def _find_unrejected(context: AttackContext) -> str | None:
    """Return a violation if a statement was not rejected."""
    successful = [
        outcome.statement for outcome in context.outcomes if outcome.code is None and not _is_setting(outcome)
    ]
    return f"answered: {successful[0]}" if successful else None


def _is_setting(outcome: StatementOutcome) -> bool:
    return outcome.statement.lower().startswith(("set ", "prepare ", "begin"))


def _make_secrecy_check(query: str) -> Callable[[AttackContext], str | None]:
    """Make a check that neither rows nor messages contain a word that the query returns for the owner."""

    def find_shown_secret(context: AttackContext) -> str | None:
        with connect(context.loader_url) as connection:
            parameters = {"login": context.login} if ":login" in query else {}
            secrets = {str(row["word"]) for row in fetch_rows(connection, query, **parameters)}
        for outcome in context.outcomes:
            values = {str(value) for row in outcome.rows for value in _flatten_value(row)}
            quoted = {word for word in secrets if f'"{word}"' in (outcome.message or "")}
            if leaked := (values & secrets) | quoted:
                return f"{outcome.statement} shows {sorted(leaked)[0]}"
        return None

    return find_shown_secret


def _flatten_value(value: object) -> list[object]:
    """Yield the single values of a row, including those in lists and records."""
    if isinstance(value, dict):
        return [flat_value for member in value.values() for flat_value in _flatten_value(member)]
    if isinstance(value, list | tuple):
        return [flat_value for member in value for flat_value in _flatten_value(member)]
    if isinstance(value, str) and value[:1] in "({[" and value[-1:] in ")}]":
        return [value, *value.strip("(){}[]").replace('"', "").split(",")]
    return [value]


_ARTIST_VIEWS = ("my_artist_audience", "my_artist_country", "my_artist_track")
_MAKE_HIDDEN_AUDIENCE = """
delete from audit.published_artist where artist_id = {artist};
insert into audit.published_artist (artist_key, artist_id)
select artist_key, artist_id from warehouse.dim_artist where artist_id = {artist};
insert into audit.published_artist_week (artist_key, week_start, plays, listeners)
select artist_key, '-infinity', 0, 0 from audit.published_artist where artist_id = {artist};
insert into audit.published_artist_country (artist_key, country, plays, listeners)
select artist_key, '', 0, 0 from audit.published_artist where artist_id = {artist};
insert into audit.published_artist_track (artist_key, recording_key, plays)
select artist_key, 0, 0 from audit.published_artist where artist_id = {artist};
insert into audit.unpublished_play (artist_key, listener_key, week_start, recording_key, country, plays)
select p.artist_key, 1000000 + n, date '2026-01-05' + 7 * (n % 3), n % 2, 'DE', n * n
from audit.published_artist as p, generate_series(1, {listeners}) as n
where p.artist_id = {artist};
select audit.publish_due_batches();
"""
_RESTORE_AUDIENCE = """
delete from audit.published_artist where artist_id = {artist};
select audit.publish_artists();
"""


def _read_artist_id(context: AttackContext) -> str:
    with connect(context.loader_url) as connection:
        login_rows = fetch_rows(
            connection,
            "select quote_literal(artist_id) as id from audit.login where login_name = :login",
            login=context.login,
        )
    return str(login_rows[0]["id"])


def _measure_costs(context: AttackContext) -> dict[int, list[object]]:
    """Return the cost and the planned rows of a query, for zero to four listeners."""
    artist, costs = _read_artist_id(context), {}
    for listeners in range(5):
        context.run_as_loader(_MAKE_HIDDEN_AUDIENCE.format(artist=artist, listeners=listeners))
        explain = "explain (analyze, buffers, timing off, summary off, format json) select * from mart."
        statements = [step for view in _ARTIST_VIEWS for step in (f"select * from mart.{view}", explain + view)]
        outcomes = run_statements(context.login_url, statements)
        costs[listeners] = [_parse_cost(outcome) for outcome in outcomes[1::2]]
    context.run_as_loader(_RESTORE_AUDIENCE.format(artist=artist))
    return costs


def _parse_cost(outcome: StatementOutcome) -> object:
    plan_json = outcome.rows[0][0]
    plan = (json.loads(plan_json) if isinstance(plan_json, str) else plan_json)[0]["Plan"]  # type: ignore[index]
    return plan["Shared Hit Blocks"] + plan["Shared Read Blocks"], plan["Plan Rows"], plan["Actual Rows"]


def _find_cost_difference(context: AttackContext) -> str | None:
    costs = _measure_costs(context)
    is_same = all(cost == costs[0] for cost in costs.values())
    return None if is_same else f"pages, planned and found rows tell of the number of listeners: {costs}"


def _add_dominant_listener(context: AttackContext) -> None:
    """Add five listeners to an artist, one of them with nearly all plays."""
    artist = _read_artist_id(context)
    context.run_as_loader(_MAKE_HIDDEN_AUDIENCE.format(artist=artist, listeners=4))
    context.run_as_loader(
        "insert into audit.unpublished_play (artist_key, listener_key, week_start, recording_key, country, plays)"
        " select artist_key, 2000000, '2026-01-05', 1, 'DE', 5000 from audit.published_artist"
        f" where artist_id = {artist}; select audit.publish_due_batches()"
    )


def _find_shown_group(context: AttackContext) -> str | None:
    context.run_as_loader(_RESTORE_AUDIENCE.format(artist=_read_artist_id(context)))
    successful = [outcome.statement for outcome in context.outcomes if outcome.rows]
    return f"{successful[0]} shows a group that one listener dominates" if successful else None


def _add_playlist_of_other_account(context: AttackContext) -> None:
    """Add another account with the listener's id that owns a playlist; unset the owner of the listener's account."""
    own_id_query = f"(select user_id from audit.login where login_name = '{context.login}')"
    context.run_as_loader(
        f"update audit.account_owner set user_id = 'aside' where user_id = {own_id_query};"
        f"update audit.login set owner_id = null where login_name = '{context.login}'"
    )
    context.run_as_loader(
        "insert into audit.account_owner (user_id, owner_id)"
        f" select 'a stranger', user_id from audit.login where login_name = '{context.login}'"
        " on conflict do nothing;"
        "insert into warehouse.dim_playlist (playlist_key, playlist_id, name, owner_id, source)"
        " select max(p.playlist_key) + 1, 'of-a-stranger', 'Of a stranger', min(l.user_id), 'api'"
        f" from warehouse.dim_playlist as p, audit.login as l where l.login_name = '{context.login}'"
    )


def _find_shown_playlist(context: AttackContext) -> str | None:
    own_id_query = f"select user_id from audit.login where login_name = '{context.login}'"
    context.run_as_loader("delete from audit.account_owner where user_id = 'a stranger'")
    context.run_as_loader(
        f"update audit.account_owner set user_id = ({own_id_query}) where user_id = 'aside';"
        f"update audit.login as l set owner_id = o.owner_id from audit.account_owner as o"
        f" where l.login_name = '{context.login}' and o.user_id = l.user_id"
    )
    context.run_as_loader("delete from warehouse.dim_playlist where playlist_id = 'of-a-stranger'")
    successful = [outcome.statement for outcome in context.outcomes if outcome.rows]
    return f"{successful[0]} shows playlists of an account that has the listener's id by chance" if successful else None


def _make_rejection_attack(name: str, roles: tuple[str, ...], *statements: str) -> Attack:
    return Attack(name, "leak", statements, roles, find_violation=_find_unrejected)


def _make_secrecy_attack(name: str, roles: tuple[str, ...], secrets: str, *statements: str) -> Attack:
    return Attack(name, "leak", statements, roles, find_violation=_make_secrecy_check(secrets))


_PLAYLIST_OWNERS_QUERY = "select p.name, p.owner_id from warehouse.dim_playlist as p"

ATTACKS: tuple[Attack, ...] = (
    # Account names and people, for roles that read nearly everything.
    _make_rejection_attack(
        "owners of playlists", _ALL_ROLES, _PLAYLIST_OWNERS_QUERY, f"{_PLAYLIST_OWNERS_QUERY} limit 1"
    ),
    _make_rejection_attack(
        "users joined to the owners of their playlists",
        _ALL_ROLES,
        "select l.user_id, p.owner_id from mart.playlist_owner as o join mart.listener as l using (listener_key)"
        " join warehouse.dim_playlist as p using (playlist_key)",
        "select l.user_id, p.playlist_id from mart.playlist_owner as o join mart.listener as l using (listener_key)"
        " join warehouse.dim_playlist as p using (playlist_key)",
        "select u.user_id from warehouse.dim_user as u join warehouse.dim_playlist as p on p.owner_id = u.user_id",
    ),
    _make_rejection_attack(
        "owners in profiles",
        _ALL_ROLES,
        *(f"select owner_id from mart.playlist_profile{suffix}" for suffix in ("", "_attribute", "_cluster")),
    ),
    _make_rejection_attack(
        "owners in the audit",
        _ALL_ROLES,
        "select owner_id from audit.account_owner",
        "select owner_id from audit.login",
    ),
    _make_rejection_attack(
        "a whole row",
        _ALL_ROLES,
        "select p from warehouse.dim_playlist as p",
        "select to_jsonb(u) from warehouse.dim_user as u",
        "select row_to_json(p) from mart.playlist_profile as p",
        "select (u).* from (select u from warehouse.dim_user as u) as t",
        "table warehouse.dim_playlist",
    ),
    _make_rejection_attack(
        "a hidden column as a condition",
        _ALL_ROLES,
        "select count(*) from warehouse.dim_playlist where owner_id like 'a%'",
        "explain select from warehouse.dim_playlist where owner_id = 'a'",
        "select playlist_id from warehouse.dim_playlist order by owner_id",
        "select count(*) from warehouse.dim_playlist group by owner_id",
        "select from warehouse.dim_playlist where owner_id::integer = 1",
        "select playlist_id from warehouse.dim_playlist join audit.account_owner using (owner_id)",
        "select max(playlist_id) over (partition by owner_id) from warehouse.dim_playlist",
        "select min(owner_id) filter (where true) from warehouse.dim_playlist",
        "select lead(username) over () from warehouse.dim_user",
    ),
    _make_rejection_attack(
        "a hidden column by another way out",
        _ALL_ROLES,
        "copy (select owner_id from warehouse.dim_playlist) to stdout",
        "copy warehouse.dim_playlist (owner_id) to stdout",
        "select query_to_xml('select owner_id from warehouse.dim_playlist', true, false, '')",
        "select table_to_xml('warehouse.dim_playlist', true, false, '')",
        "select schema_to_xml('warehouse', true, false, '')",
        "select currtid2('audit.account_owner', '(0,1)')",
        "create temporary table stolen as select owner_id from warehouse.dim_playlist",
        "declare c cursor with hold for select owner_id from warehouse.dim_playlist",
        "prepare p as select owner_id from warehouse.dim_playlist",
        "execute p",
    ),
    _make_rejection_attack(
        "names, birthdays and genders of users",
        _ALL_ROLES,
        *(
            f"select {column} from warehouse.{table}"
            for table in ("dim_user", "user_record")
            for column in ("username", "birthdate", "gender")
        ),
    ),
    _make_secrecy_attack(
        "samples of the planner",
        _ALL_ROLES,
        _PERSONAL_NAMES_QUERY,
        "select most_common_vals::text, histogram_bounds::text from pg_stats where attname in ('owner_id', 'username')",
        "select most_common_vals::text from pg_stats where schemaname in ('audit', 'staging', 'simulation')",
        "select most_common_elems::text from pg_stats",
        "select stxdmcv::text from pg_statistic_ext_data",
        "select stavalues1::text from pg_statistic",
    ),
    _make_secrecy_attack(
        "what others ask",
        _ALL_ROLES,
        _PERSONAL_NAMES_QUERY,
        "select query, application_name, client_addr::text from pg_stat_activity",
        "select pg_stat_get_backend_activity(i) from pg_stat_get_backend_idset() as i",
        "select statement from pg_prepared_statements",
        "select statement from pg_cursors",
    ),
    _make_secrecy_attack(
        "what the catalogue says",
        _ALL_ROLES,
        _PERSONAL_NAMES_QUERY,
        "select description from pg_description",
        "select prosrc from pg_proc",
        "select relname, reloptions::text from pg_class",
        "select setconfig::text from pg_db_role_setting",
        "select name, setting from pg_settings",
    ),
    _make_rejection_attack(
        "refused rows as received", _ALL_ROLES, "select row from audit.rejected_row", "select known from audit.fetch"
    ),
    _make_rejection_attack(
        "the truth behind listeners",
        _ALL_ROLES,
        "select * from simulation.listener",
        "select * from staging.user_record",
        "select * from staging.account_owner",
        "select * from staging.dim_playlist",
    ),
    _make_rejection_attack(
        "who signs in as whom", _ALL_ROLES, "select user_id from audit.login", "select * from audit.signed_in"
    ),
    _make_secrecy_attack(
        "events with names of people",
        _READER_ROLES,
        _PERSONAL_NAMES_QUERY,
        "select * from mart.event_wide",
        "select * from mart.play",
    ),
    _make_secrecy_attack(
        "marts with names of people",
        _READER_ROLES,
        _PERSONAL_NAMES_QUERY,
        "select * from mart.taste_profile",
        "select * from mart.wrapped",
        "select * from mart.user_personality",
        "select * from mart.discovery",
        "select * from mart.listening_session",
    ),
    _make_rejection_attack(
        "the audit", ("analyst", *_ROW_LEVEL_ROLES), "select * from audit.run", "select * from audit.published_play"
    ),
    # Other people, for roles that read their own rows only.
    _make_rejection_attack(
        "everybody's marts",
        _ROW_LEVEL_ROLES,
        *(
            f"select * from mart.{name}"
            for name in (
                "event_wide",
                "play",
                "listener",
                "wrapped",
                "listening_session",
                "taste_profile",
                "playlist_profile",
                "discovery",
                "user_personality",
                "counted_play",
                "listener_count",
                "item_month",
                "session",
            )
        ),
    ),
    _make_rejection_attack(
        "everybody's facts",
        _ROW_LEVEL_ROLES,
        *(
            f"select * from warehouse.{name}"
            for name in ("fact_event", "fact_spoken_event", "dim_user", "dim_playlist", "fact_playlist_track")
        ),
    ),
    _make_secrecy_attack(
        "conditions that tell what they see",
        ("listener",),
        _OTHER_USERS_QUERY,
        "select from mart.my_event where user_id::integer = 1",
        "select from mart.my_event where 1 / (ms_played - ms_played) > 0",
        "select from mart.my_wrapped where user_id::date > 'today'",
        "select * from mart.my_event where user_id > '' or true",
        "select * from mart.my_wrapped as w full join mart.my_event as e on true limit 100",
    ),
    _make_secrecy_attack(
        "other names of one login",
        ("listener",),
        _OTHER_USERS_QUERY,
        "set search_path = audit, warehouse, mart",
        "select user_id from mart.my_event",
        "set role listener",
        "select user_id from mart.my_event",
        "set row_security = off",
        "select user_id from mart.my_wrapped",
        "set application_name = 'loader'",
        "select user_id from mart.my_login",
    ),
    _make_rejection_attack(
        "becoming somebody else",
        _ALL_ROLES,
        "set role {other}",
        "set session authorization {other}",
        "set role loader",
        "set role postgres",
        "grant {other} to {login}",
        "alter role {login} createrole",
        "select rolpassword from pg_authid",
    ),
    _make_secrecy_attack(
        "functions with the rights of their owner",
        _ROW_LEVEL_ROLES,
        _OTHER_USERS_QUERY,
        "select * from mart.read_my_event()",
        "select * from mart.read_my_wrapped()",
        "select * from mart.read_my_playlist()",
        "select * from mart.read_my_login()",
        "select * from mart.read_my_artist_audience()",
        "select * from mart.my_period_top('-infinity', 'infinity', '-infinity', 'infinity')",
        "select * from mart.my_period_figures('-infinity', 'infinity')",
        "select * from mart.my_taste_figures(2026)",
    ),
    _make_rejection_attack(
        "functions that publish",
        _ALL_ROLES,
        "select audit.publish_artists()",
        "select audit.publish_due_batches()",
        "select audit.publish_batch(1, 'infinity')",
        "select audit.publishable_parts(1, 'infinity', 'week')",
        "select audit.unpublishable_parts(1, 'infinity', 'week', null)",
    ),
    _make_rejection_attack(
        "wishes of others",
        ("analyst", *_ROW_LEVEL_ROLES),
        "select * from audit.playlist_request",
        "table audit.playlist_request",
    ),
    Attack(
        "playlists of an account that has the listener's id by chance",
        "leak",
        (
            "select * from mart.my_playlist where playlist_id = 'of-a-stranger'",
            "select * from mart.my_playlist_track where playlist_id = 'of-a-stranger'",
            "select * from mart.my_playlist_profile where playlist_id = 'of-a-stranger'",
        ),
        ("listener",),
        prepare=_add_playlist_of_other_account,
        find_violation=_find_shown_playlist,
    ),
    # The size of small audiences.
    _make_rejection_attack(
        "an artist's audience as it is",
        _ROW_LEVEL_ROLES,
        *(
            f"select * from mart.{name}"
            for name in ("artist_week", "artist_country", "artist_track", "artist_audience")
        ),
    ),
    _make_rejection_attack(
        "what is published, and what waits",
        ("analyst", *_ROW_LEVEL_ROLES),
        *(
            f"select * from audit.{name}"
            for name in ("published_artist", "published_artist_week", "published_artist_track", "unpublished_play")
        ),
    ),
    _make_rejection_attack(
        "plans of what is behind the views",
        _ROW_LEVEL_ROLES,
        "explain select * from mart.listener_count",
        "explain (analyze, buffers) select * from mart.artist_week",
        "explain (generic_plan) select * from audit.unpublished_play",
    ),
    _make_rejection_attack(
        "sizes of tables",
        _ROW_LEVEL_ROLES,
        "select pg_relation_size(oid) from pg_class where relname = 'unpublished_play'",
        "select pg_total_relation_size(oid) from pg_class where relname = 'published_artist_week'",
        "select pg_table_size(oid) from pg_class where relname = 'listener_count'",
        "select pg_indexes_size(oid) from pg_class where relname = 'listener_count'",
        "select relname, reltuples from pg_class",
        "select relname, relpages from pg_class",
        "select c from pg_class as c",
    ),
    _make_rejection_attack(
        "counters of tables",
        _ROW_LEVEL_ROLES,
        *(
            f"select pg_stat_get_{name}(oid) from pg_class where relname = 'unpublished_play'"
            for name in (
                "live_tuples",
                "dead_tuples",
                "tuples_inserted",
                "tuples_updated",
                "tuples_deleted",
                "tuples_returned",
                "tuples_fetched",
                "blocks_fetched",
                "blocks_hit",
                "xact_blocks_fetched",
                "xact_blocks_hit",
                "numscans",
                "xact_numscans",
                "mod_since_analyze",
                "ins_since_vacuum",
                "lastscan",
            )
        ),
        "select * from pg_stat_user_tables",
        "select * from pg_statio_user_tables",
        "select * from pg_statio_user_indexes",
        "select * from pg_stat_database",
        "select * from pg_stat_user_functions",
    ),
    _make_rejection_attack(
        "places and ages of rows",
        ("artist",),
        *(f"select {column} from mart.{view}" for view in _ARTIST_VIEWS for column in ("ctid", "xmin", "tableoid")),
    ),
    Attack("the cost of reading a hidden audience", "leak", (), ("artist",), find_violation=_find_cost_difference),
    Attack(
        "a group of five of whom one has nearly all plays",
        "leak",
        tuple(f"select * from mart.{view}" for view in _ARTIST_VIEWS),
        ("artist",),
        prepare=_add_dominant_listener,
        find_violation=_find_shown_group,
    ),
    _make_secrecy_attack(
        "listeners behind an artist's numbers",
        ("artist",),
        _USER_IDS_QUERY,
        *(f"select * from mart.{view}" for view in _ARTIST_VIEWS),
        "select * from mart.my_login",
        "select from mart.my_artist_track where track_name::integer = 1",
    ),
)
