"""Shadow tables of schema ``mart``: filled beside the tables that readers use, then swapped with them.

Readers see the old rows until the transaction commits, and wait only during the swap. Keys and indexes are built on the
complete rows. A shadow table takes over the comment and privileges of its original, and views are redefined on it.
"""

import re
from collections.abc import Iterable

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from etl.database import fetch_rows, get_sqlstate, retry_when_locked, run_statements
from etl.database.locks import LOCK_NOT_AVAILABLE
from etl.errors import TryAgainError

SWAP_LOCK_TABLE = "mart.definition"
"""A transaction that has read this table prevents a swap until it ends; every role may read it."""

_SHADOW_SCHEMA = "mart_aside"
_LOCK_ATTEMPTS = 600

_STORAGE_OPTIONS = """
    select format('alter table %s set (%s)', cast(:shadow as text), array_to_string(reloptions, ', ')) as statement
    from pg_class
    where oid = cast(:original as regclass) and reloptions is not null
"""

_KEYS_AND_INDEXES = """
    select format(
        'alter table %s add constraint %I %s', cast(:shadow as text), conname, pg_get_constraintdef(oid)
    ) as statement
    from pg_constraint
    where conrelid = cast(:original as regclass) and contype in ('p', 'u')
    union all
    select replace(pg_get_indexdef(i.indexrelid), ' ON ' || :original || ' ', ' ON ' || :shadow || ' ')
    from pg_index as i
    where i.indrelid = cast(:original as regclass)
        and not exists (select from pg_constraint as c where c.conindid = i.indexrelid)
"""

# Tables' privileges, those on single columns, and the comment. The owner's own privileges need no grant.
_PRIVILEGES_AND_COMMENT = """
    select format(
        'grant %s on %s to %s%s', a.privilege_type, cast(:shadow as text),
        case when a.grantee = 0 then 'public' else a.grantee::regrole::text end,
        case when a.is_grantable then ' with grant option' else '' end
    ) as statement
    from pg_class as c
    cross join lateral aclexplode(c.relacl) as a
    where c.oid = cast(:original as regclass) and a.grantee <> c.relowner
    union all
    select format(
        'grant %s (%I) on %s to %s%s', a.privilege_type, t.attname, cast(:shadow as text),
        case when a.grantee = 0 then 'public' else a.grantee::regrole::text end,
        case when a.is_grantable then ' with grant option' else '' end
    )
    from pg_attribute as t
    cross join lateral aclexplode(t.attacl) as a
    where t.attrelid = cast(:original as regclass)
    union all
    select format(
        'comment on table %s is %L', cast(:shadow as text), obj_description(cast(:original as regclass), 'pg_class')
    )
"""

# pg_depend has a row for each normal dependency: of a view by its rewrite rule, of anything else directly (then
# view_name is NULL). Own views are redefined; a table with any other dependent object must stay and is refilled.
_DEPENDENT_OBJECTS = """
    select distinct
        d.refobjid::regclass::text as table_name,
        v.oid::regclass::text as view_name,
        coalesce(v.relkind = 'v' and pg_has_role(v.relowner, 'usage'), false) as is_own_view
    from pg_depend as d
    left join pg_rewrite as r on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid
    left join pg_class as v on v.oid = r.ev_class
    where d.refclassid = 'pg_class'::regclass
        and d.deptype = 'n'
        and d.refobjid = any(cast(:tables as regclass[]))
"""

_VIEW_DEFINITIONS = """
    select format(
        'create or replace view %s%s as ', oid::regclass, ' with (' || array_to_string(reloptions, ', ') || ')'
    ) as head, pg_get_viewdef(oid) as body
    from pg_class
    where oid = any(cast(:views as regclass[]))
"""


_TEMPORARY_TABLE = re.compile(r"\bcreate temporary table (\w+)( \([^;]*\))? on commit drop\b")


class ShadowTables:
    """Empty copies of tables, filled by statements that name the originals, within one transaction."""

    def __init__(self, connection: Connection, names: Iterable[str]) -> None:
        """Create the copies, without keys and indexes.

        :param names: of tables of schema ``mart``.
        """
        self._connection = connection
        self._unindexed = set(names)
        self._names = sorted(self._unindexed)
        self._run_statement(f"create schema {_SHADOW_SCHEMA}")
        # Working tables of the build go here as well.
        self._run_statement(f"set local search_path = {_SHADOW_SCHEMA}")
        for name in self._names:
            self._run_statement(
                f"create table {_SHADOW_SCHEMA}.{name} (like mart.{name} including all excluding indexes)"
            )
            self._run_generated(_STORAGE_OPTIONS, name)

    def run_statements(self, statements: str, filled_at_once: Iterable[str] = ()) -> None:
        """Run statements on the copies instead of the originals, whose keys and indexes are built before.

        :param filled_at_once: tables whose keys and indexes are built after the statements that fill them: until then
            they are empty, whatever reads them.
        """
        names = set(re.findall(r"\bmart\.(\w+)", statements))
        filled_names = set(re.findall(r"insert into mart\.(\w+)", statements)).intersection(filled_at_once)
        self._build_indexes(names.difference(filled_at_once))
        run_statements(self._connection, _replace_schema(_share_with_workers(statements), self._names))
        self._build_indexes(filled_names)

    def swap_tables(self) -> None:
        """Replace the originals by the copies.

        :raises TryAgainError: if readers prevent the swap for minutes.
        """
        self._build_indexes(self._names)
        self._run_statement("set local search_path = pg_catalog")
        dependents = fetch_rows(self._connection, _DEPENDENT_OBJECTS, tables=[f"mart.{name}" for name in self._names])
        dependent_tables = {
            str(dependent["table_name"]).removeprefix("mart.")
            for dependent in dependents
            if not dependent["is_own_view"]
        }
        views = sorted({str(dependent["view_name"]) for dependent in dependents if dependent["is_own_view"]})
        swapped_tables = [name for name in self._names if name not in dependent_tables]
        self._lock_relations([SWAP_LOCK_TABLE, *views, *(f"mart.{name}" for name in self._names)])
        for view in fetch_rows(self._connection, _VIEW_DEFINITIONS, views=views):
            self._run_statement(str(view["head"] or "") + _replace_schema(str(view["body"]), swapped_tables))
        for name in dependent_tables:
            self._refill_table(name)
        for name in swapped_tables:
            self._run_generated(_PRIVILEGES_AND_COMMENT, name)
        if swapped_tables:
            self._run_statement("drop table " + ", ".join(f"mart.{name}" for name in swapped_tables))
        for name in swapped_tables:
            self._run_statement(f"alter table {_SHADOW_SCHEMA}.{name} set schema mart")
        self._run_statement(f"drop schema {_SHADOW_SCHEMA} cascade")
        self._run_statement("set local search_path to default")

    def _build_indexes(self, names: Iterable[str]) -> None:
        for name in sorted(self._unindexed.intersection(names)):
            self._run_generated(_KEYS_AND_INDEXES, name)
            self._run_statement(f"analyze {_SHADOW_SCHEMA}.{name}")
            self._unindexed.discard(name)

    def _refill_table(self, name: str) -> None:
        """Refill a table in place, because another user's view depends on it and would have to be dropped with it."""
        self._run_statement(f"truncate mart.{name}")
        self._run_statement(f"insert into mart.{name} select * from {_SHADOW_SCHEMA}.{name}")  # noqa: S608 (constant names)

    def _lock_relations(self, relations: list[str]) -> None:
        """Take all locks or none, which avoids deadlocks with readers of several tables."""
        self._run_statement("set local lock_timeout = '500ms'")
        try:
            retry_when_locked(lambda: self._lock_once(relations), _LOCK_ATTEMPTS, 0.5)
        except OperationalError as error:
            if get_sqlstate(error) != LOCK_NOT_AVAILABLE:
                raise
            raise TryAgainError(
                "The marts were built but not published: other sessions have read schema mart for minutes without a"
                " pause. End these sessions, then build again."
            ) from error
        self._run_statement("set local lock_timeout = 0")

    def _lock_once(self, relations: list[str]) -> None:
        with self._connection.begin_nested():
            self._run_statement(f"lock table {', '.join(relations)} in access exclusive mode")

    def _run_generated(self, query: str, name: str) -> None:
        for row in fetch_rows(self._connection, query, original=f"mart.{name}", shadow=f"{_SHADOW_SCHEMA}.{name}"):
            self._run_statement(str(row["statement"]))

    def _run_statement(self, statement: str) -> None:
        run_statements(self._connection, statement)


def _share_with_workers(statements: str) -> str:
    """Make working tables unlogged instead of temporary: parallel workers cannot read temporary tables."""
    statements = re.sub(r"\bcreate temporary view\b", "create view", statements)
    return _TEMPORARY_TABLE.sub(r"create unlogged table \1\2", statements)


def _replace_schema(statements: str, names: Iterable[str]) -> str:
    # A search path cannot do this: the statements name schema mart, and read tables of it that are not rebuilt.
    return re.sub(rf"\bmart\.({'|'.join(names)})\b", rf"{_SHADOW_SCHEMA}.\1", statements)
