"""Plain names: changed days, playlist requests, listening contexts, injected errors."""

import re
from collections.abc import Iterator
from typing import Any

from alembic import op
from sqlalchemy import text

revision = "0002_plain_names"
down_revision = "0001_baseline"

_NAMES = {
    "circumstance": "listening_context",
    "circumstance_circumstance_key_seq": "listening_context_listening_context_key_seq",
    "circumstance_is_one": "listening_context_is_one",
    "circumstance_key": "listening_context_key",
    "circumstance_pkey": "listening_context_pkey",
    "dirt": "injected_error",
    "dirt_kind_known": "injected_error_kind_known",
    "dirt_pkey": "injected_error_pkey",
    "dirt_row_count_not_negative": "injected_error_row_count_not_negative",
    "first_told_at": "first_play_at",
    "guessed_artist": "name_matched_artist",
    "guessed_artist_pkey": "name_matched_artist_pkey",
    "most_playlist_wishes": "max_playlist_requests",
    "my_playlist_wish": "my_playlist_request",
    "playlist_wish": "playlist_request",
    "playlist_wish_is_an_id": "playlist_request_is_an_id",
    "playlist_wish_pkey": "playlist_request_pkey",
    "playlists_refused": "playlists_rejected",
    "read_my_playlist_wish": "read_my_playlist_request",
    "take_back_wish": "withdraw_playlist_request",
    "told_day": "personality_day",
    "told_day_pkey": "personality_day_pkey",
    "told_month": "personality_month",
    "told_month_pkey": "personality_month_pkey",
    "touch_day": "queue_changed_days",
    "touch_playlist": "queue_changed_playlists",
    "touch_track": "queue_changed_track",
    "touch_track_of_genre": "queue_tracks_of_changed_genres",
    "touched_before_update": "queue_before_update",
    "touched_by_delete": "queue_deleted",
    "touched_by_insert": "queue_inserted",
    "touched_by_update": "queue_updated",
    "touched_day": "changed_day",
    "touched_day_pkey": "changed_day_pkey",
    "touched_playlist": "changed_playlist",
    "touched_playlist_pkey": "changed_playlist_pkey",
    "touched_track": "changed_track",
    "touched_track_pkey": "changed_track_pkey",
    "wish_for_playlist": "request_playlist",
    "wished_at": "requested_at",
}
_WORD = re.compile(rf"\b(?:{'|'.join(sorted(_NAMES, key=len, reverse=True))})\b")
_SCHEMAS = ["staging", "warehouse", "mart", "audit", "simulation"]

_OBJECTS = """
    select 'rename constraint' as change, k.conname as name, format('table %s', k.conrelid::regclass) as place
    from pg_constraint as k inner join pg_namespace as n on n.oid = k.connamespace
    where n.nspname = any(:schemas) and k.conrelid <> 0 and k.conparentid = 0
    union all
    select 'trigger', t.tgname, format('on %s', t.tgrelid::regclass)
    from pg_trigger as t
    inner join pg_class as c on c.oid = t.tgrelid
    inner join pg_namespace as n on n.oid = c.relnamespace
    where n.nspname = any(:schemas) and not t.tgisinternal and t.tgparentid = 0
    union all
    select 'rename column', a.attname, format(
        '%s %s', case c.relkind when 'v' then 'view' else 'table' end, c.oid::regclass
    )
    from pg_attribute as a
    inner join pg_class as c on c.oid = a.attrelid
    inner join pg_namespace as n on n.oid = c.relnamespace
    where n.nspname = any(:schemas) and c.relkind in ('r', 'p', 'v') and not c.relispartition and not a.attisdropped
    union all
    select 'function', p.proname, p.oid::regprocedure::text
    from pg_proc as p inner join pg_namespace as n on n.oid = p.pronamespace where n.nspname = any(:schemas)
    union all
    select 'rename', c.relname, format(
        '%s %s', case c.relkind when 'v' then 'view' when 'S' then 'sequence' else 'table' end, c.oid::regclass
    )
    from pg_class as c inner join pg_namespace as n on n.oid = c.relnamespace
    where n.nspname = any(:schemas) and c.relkind in ('r', 'p', 'v', 'S')
"""
"""The objects with a name, relations last: constraints and indexes are named together with their relation."""

_NOT_NULL = """
    select c.oid::regclass::text as relation, k.conname, format('%s_%s_not_null', c.relname, a.attname) as new_name
    from pg_constraint as k
    inner join pg_class as c on c.oid = k.conrelid and c.relkind in ('r', 'p') and not c.relispartition
    inner join pg_namespace as n on n.oid = c.relnamespace
    inner join pg_attribute as a on a.attrelid = c.oid and a.attnum = k.conkey[1]
    where n.nspname = any(:schemas) and k.contype = 'n' and k.conname <> format('%s_%s_not_null', c.relname, a.attname)
"""
"""From PostgreSQL 18 on these constraints have names, made of those that table and column had."""

_OWN_ROWS = """
    select proname, split_part(split_part(prosrc, E'return query\\n', 2), E'\\nend', 1)
    from pg_proc
    where pronamespace = 'mart'::regnamespace and starts_with(proname, 'read_my_')
"""
"""The functions that the former views of own rows read, with the query of each view."""

_DEFINITIONS = """
    select pg_get_functiondef(p.oid) as definition
    from pg_proc as p inner join pg_namespace as n on n.oid = p.pronamespace where n.nspname = any(:schemas)
    union all
    select format(
        'create or replace view %s%s as %s', c.oid::regclass,
        coalesce(' with (' || array_to_string(c.reloptions, ', ') || ')', ''), pg_get_viewdef(c.oid)
    )
    from pg_class as c inner join pg_namespace as n on n.oid = c.relnamespace
    where n.nspname = any(:schemas) and c.relkind = 'v'
"""
"""Functions have names in their text, and views those that their own queries give: aliases of columns."""


def upgrade() -> None:
    """Rename the objects with former names, then define the functions and views that refer to them again."""
    for change, name, place in _rows(_OBJECTS):
        if name in _NAMES:
            _run(_rename(change, name, place))
    for relation, name, new_name in _rows(_NOT_NULL):
        if any(former_name in name for former_name in _NAMES):
            _run(f"alter table {relation} rename constraint {name} to {new_name}")
    for function, query in _rows(_OWN_ROWS):
        if _WORD.search(query):
            _run(f"create or replace view mart.{function.removeprefix('read_')} as {_replace_names(query)}")
            _run(f"drop function mart.{function}()")
    for (definition,) in _rows(_DEFINITIONS):
        if _WORD.search(definition):
            _run(_replace_names(definition))


def _rows(query: str) -> Iterator[tuple[Any, ...]]:
    parameters = {"schemas": _SCHEMAS} if ":schemas" in query else {}
    yield from [tuple(row) for row in op.get_bind().execute(text(query), parameters)]


def _run(statement: str) -> None:
    op.get_bind().exec_driver_sql(statement, execution_options={"no_parameters": True})


def _rename(change: str, name: str, place: str) -> str:
    """Return the statement that renames an object."""
    new_name = _NAMES[name]
    if change == "trigger":
        return f"alter trigger {name} {place} rename to {new_name}"
    if change == "function":
        return f"alter function {place} rename to {new_name}"
    if change == "rename":
        return f"alter {place} rename to {new_name}"
    return f"alter {place} {change} {name} to {new_name}"


def _replace_names(definition: str) -> str:
    return _WORD.sub(lambda word: _NAMES[word[0]], definition)
