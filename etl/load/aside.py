"""Tables of ``mart`` filled aside, then put in the place of those that readers have.

Readers see the old rows until the transaction commits and wait only while tables change places. Indexes and keys are
made of all rows at once. Comments and rights of a table go on to the one that follows it; views are bound to that.
"""

import re
import time
from collections.abc import Iterable

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from etl.errors import TryAgainError
from etl.warehouse import rows

GATE = "mart.definition"
"""Who holds this for reading keeps all tables in their place until the transaction ends: every role may."""

_SCHEMA = "mart_aside"
_ATTEMPTS = 600
_LOCK_NOT_AVAILABLE = "55P03"

_OPTIONS = """
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

_DEPENDENT = """
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

_VIEW = """
    select format(
        'create or replace view %s%s as ', oid::regclass, ' with (' || array_to_string(reloptions, ', ') || ')'
    ) as head, pg_get_viewdef(oid) as body
    from pg_class
    where oid = any(cast(:views as regclass[]))
"""


class Aside:
    """Empty copies of tables, filled by statements that name the tables themselves; part of one transaction."""

    def __init__(self, connection: Connection, names: Iterable[str]) -> None:
        """Make the copies, without keys and indexes.

        :param names: of tables of ``mart``.
        """
        self._connection = connection
        self._bare = set(names)
        self._names = sorted(self._bare)
        self._execute(f"create schema {_SCHEMA}")
        # Tables for the time of the build stand here, too: unlike temporary ones they can be read in parallel.
        self._execute(f"set local search_path = {_SCHEMA}")
        for name in self._names:
            self._execute(f"create table {_SCHEMA}.{name} (like mart.{name} including all excluding indexes)")
            self._all(_OPTIONS, name)

    def run(self, statements: str, is_of_all_rows: bool) -> None:
        """Run statements upon the copies.

        :param is_of_all_rows: they fill tables at once: these get their keys and indexes afterwards. Others need them
            before.
        """
        if not is_of_all_rows:
            self._finish(re.findall(r"\bmart\.(\w+)", statements))
        self._connection.exec_driver_sql(_renamed(statements, self._names), execution_options={"no_parameters": True})
        if is_of_all_rows:
            self._finish(re.findall(r"insert into mart\.(\w+)", statements))

    def put_in_place(self) -> None:
        """Let the copies be the tables.

        :raises TryAgainError: where somebody reads so long that the tables cannot change places.
        """
        self._finish(self._names)
        self._execute("set local search_path = pg_catalog")
        found = rows(self._connection, _DEPENDENT, tables=[f"mart.{name}" for name in self._names])
        held = {str(one["table_name"]).removeprefix("mart.") for one in found if not one["is_own_view"]}
        views = sorted({str(one["view_name"]) for one in found if one["is_own_view"]})
        moved = [name for name in self._names if name not in held]
        self._lock([GATE, *views, *(f"mart.{name}" for name in self._names)])
        for view in rows(self._connection, _VIEW, views=views):
            self._execute(str(view["head"] or "") + _renamed(str(view["body"]), moved))
        for name in held:
            self._refill(name)
        for name in moved:
            self._all(_RIGHTS_AND_COMMENT, name)
        if moved:
            self._execute("drop table " + ", ".join(f"mart.{name}" for name in moved))
        for name in moved:
            self._execute(f"alter table {_SCHEMA}.{name} set schema mart")
        self._execute(f"drop schema {_SCHEMA} cascade")
        self._execute("set local search_path to default")

    def _finish(self, names: Iterable[str]) -> None:
        for name in sorted(self._bare.intersection(names)):
            self._all(_KEYS_AND_INDEXES, name)
            self._execute(f"analyze {_SCHEMA}.{name}")
            self._bare.discard(name)

    def _refill(self, name: str) -> None:
        """For a table on which something of somebody else's stands, which would have to go with it."""
        self._execute(f"truncate mart.{name}")
        self._execute(f"insert into mart.{name} select * from {_SCHEMA}.{name}")  # noqa: S608 (names of ours)

    def _lock(self, relations: list[str]) -> None:
        """Take all locks or none, so that nobody who reads several tables waits for us while we wait for them."""
        self._execute("set local lock_timeout = '500ms'")
        for _ in range(_ATTEMPTS):
            try:
                with self._connection.begin_nested():
                    self._execute(f"lock table {', '.join(relations)} in access exclusive mode")
            except OperationalError as error:
                if getattr(error.orig, "pgcode", None) != _LOCK_NOT_AVAILABLE:
                    raise
                time.sleep(0.5)
            else:
                self._execute("set local lock_timeout = 0")
                return
        raise TryAgainError(
            "The marts were built, but somebody has been reading them for minutes without a pause: end what reads"
            " schema mart for so long, then build again."
        )

    def _all(self, query: str, name: str) -> None:
        for found in rows(self._connection, query, original=f"mart.{name}", place=f"{_SCHEMA}.{name}"):
            self._execute(str(found["statement"]))

    def _execute(self, statement: str) -> None:
        self._connection.exec_driver_sql(statement, execution_options={"no_parameters": True})


def _renamed(statements: str, names: Iterable[str]) -> str:
    return re.sub(rf"\bmart\.({'|'.join(names)})\b", rf"{_SCHEMA}.\1", statements)
