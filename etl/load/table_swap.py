"""Tables of ``mart`` filled aside, then put in the place of those that readers have.

Readers see the old rows until the transaction commits and wait only while tables change places. Indexes and keys are
made of all rows at once. Comments and rights of a table go on to the one that follows it; views are bound to that.
"""

import re
import time
from collections.abc import Iterable

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from etl.database import fetch_rows, run_statements
from etl.errors import TryAgainError

SWAP_LOCK_TABLE = "mart.definition"
"""Who holds this for reading keeps all tables in their place until the transaction ends: every role may."""

_SHADOW_SCHEMA = "mart_aside"
_LOCK_ATTEMPTS = 600
_LOCK_NOT_AVAILABLE = "55P03"

_STORAGE_OPTIONS = """
    select format('alter table %s set (%s)', cast(:place as text), array_to_string(reloptions, ', ')) as statement
    from pg_class
    where oid = cast(:original as regclass) and reloptions is not null
"""

_KEYS_AND_INDEXES = """
    select format(
        'alter table %s add constraint %I %s', cast(:place as text), conname, pg_get_constraintdef(oid)
    ) as statement
    from pg_constraint
    where conrelid = cast(:original as regclass) and contype in ('p', 'u')
    union all
    select replace(pg_get_indexdef(i.indexrelid), ' ON ' || :original || ' ', ' ON ' || :place || ' ')
    from pg_index as i
    where i.indrelid = cast(:original as regclass)
        and not exists (select from pg_constraint as c where c.conindid = i.indexrelid)
"""

_RIGHTS_AND_COMMENT = """
    select format(
        'grant %s on %s to %s%s', a.privilege_type, cast(:place as text),
        case when a.grantee = 0 then 'public' else a.grantee::regrole::text end,
        case when a.is_grantable then ' with grant option' else '' end
    ) as statement
    from pg_class as c
    cross join lateral aclexplode(c.relacl) as a
    where c.oid = cast(:original as regclass) and a.grantee <> c.relowner
    union all
    select format(
        'grant %s (%I) on %s to %s%s', a.privilege_type, t.attname, cast(:place as text),
        case when a.grantee = 0 then 'public' else a.grantee::regrole::text end,
        case when a.is_grantable then ' with grant option' else '' end
    )
    from pg_attribute as t
    cross join lateral aclexplode(t.attacl) as a
    where t.attrelid = cast(:original as regclass)
    union all
    select format(
        'comment on table %s is %L', cast(:place as text), obj_description(cast(:original as regclass), 'pg_class')
    )
"""

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


class ShadowTables:
    """Empty copies of tables, filled by statements that name the tables themselves; part of one transaction."""

    def __init__(self, connection: Connection, names: Iterable[str]) -> None:
        """Make the copies, without keys and indexes.

        :param names: of tables of ``mart``.
        """
        self._connection = connection
        self._unindexed = set(names)
        self._names = sorted(self._unindexed)
        self._run_statement(f"create schema {_SHADOW_SCHEMA}")
        # Tables for the time of the build stand here, too: unlike temporary ones they can be read in parallel.
        self._run_statement(f"set local search_path = {_SHADOW_SCHEMA}")
        for name in self._names:
            self._run_statement(
                f"create table {_SHADOW_SCHEMA}.{name} (like mart.{name} including all excluding indexes)"
            )
            self._run_generated(_STORAGE_OPTIONS, name)

    def run_statements(self, statements: str, is_full_refresh: bool) -> None:
        """Run statements upon the copies.

        :param is_of_all_rows: they fill tables at once: these get their keys and indexes afterwards. Others need them
            before.
        """
        if not is_full_refresh:
            self._build_indexes(re.findall(r"\bmart\.(\w+)", statements))
        run_statements(self._connection, _replace_schema(statements, self._names))
        if is_full_refresh:
            self._build_indexes(re.findall(r"insert into mart\.(\w+)", statements))

    def swap_tables(self) -> None:
        """Let the copies be the tables.

        :raises TryAgainError: where somebody reads so long that the tables cannot change places.
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
            self._run_generated(_RIGHTS_AND_COMMENT, name)
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
        """For a table on which something of somebody else's stands, which would have to go with it."""
        self._run_statement(f"truncate mart.{name}")
        self._run_statement(f"insert into mart.{name} select * from {_SHADOW_SCHEMA}.{name}")  # noqa: S608 (names of ours)

    def _lock_relations(self, relations: list[str]) -> None:
        """Take all locks or none, so that nobody who reads several tables waits for us while we wait for them."""
        self._run_statement("set local lock_timeout = '500ms'")
        for _ in range(_LOCK_ATTEMPTS):
            try:
                with self._connection.begin_nested():
                    self._run_statement(f"lock table {', '.join(relations)} in access exclusive mode")
            except OperationalError as error:
                if getattr(error.orig, "pgcode", None) != _LOCK_NOT_AVAILABLE:
                    raise
                time.sleep(0.5)
            else:
                self._run_statement("set local lock_timeout = 0")
                return
        raise TryAgainError(
            "The marts were built, but somebody has been reading them for minutes without a pause: end what reads"
            " schema mart for so long, then build again."
        )

    def _run_generated(self, query: str, name: str) -> None:
        for row in fetch_rows(self._connection, query, original=f"mart.{name}", place=f"{_SHADOW_SCHEMA}.{name}"):
            self._run_statement(str(row["statement"]))

    def _run_statement(self, statement: str) -> None:
        run_statements(self._connection, statement)


def _replace_schema(statements: str, names: Iterable[str]) -> str:
    return re.sub(rf"\bmart\.({'|'.join(names)})\b", rf"{_SHADOW_SCHEMA}.\1", statements)
