"""Months of events: filled, indexed and checked aside, then made partitions of the star.

A month that the star does not have yet comes as a whole table, last in the transaction, so that no reader waits. Into a
month that it has, rows are added: ids sort by time, so that the index grows where its newest entries are.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial

from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from etl.warehouse import connect, rows

TABLES = ("fact_event", "fact_spoken_event")
_MEMORY = "512MB"
_UNIQUE_VIOLATION = "23505"
COUNT_REMOVED = """
    insert into staging.arrival (table_name, input_key, source, utc_date_key, row_count)
    select :table_name, input_key, source, utc_date_key, -count(*)
    from removed
    group by input_key, source, utc_date_key
"""
"""The end of a statement that takes ``removed`` rows of the fact table ``:table_name`` from staging."""


@dataclass(frozen=True)
class Month:
    """A month of one fact table."""

    table: str
    first_day: date

    @property
    def name(self) -> str:
        return f"{self.table}_{self.first_day:%Y_%m}"

    @property
    def bounds(self) -> tuple[str, str]:
        year, month = divmod(self.first_day.year * 12 + self.first_day.month, 12)
        return (f"{self.first_day:%Y-%m-%d} 00:00:00+00", f"{year:04}-{month + 1:02}-01 00:00:00+00")


def make(connection: Connection, months: Iterable[Month]) -> None:
    """Make the staging tables of months.

    That their rows are of the month is checked as they come: the star takes a table that has been checked unread.
    """
    for one in months:
        first, last = one.bounds
        connection.execute(
            text(
                f"create table staging.{one.name} partition of staging.{one.table} ("
                f" constraint {one.name}_bounds check (event_time >= '{first}' and event_time < '{last}'))"
                f" for values from ('{first}') to ('{last}')"
            )
        )


def new_months(connection: Connection, months: Iterable[Month]) -> list[Month]:
    """Those that the star does not have yet."""
    known = {row["name"] for row in rows(connection, _PUBLISHED)}
    return [one for one in months if one.name not in known]


def index(url: str, months: Iterable[Month]) -> None:
    """Give the staging tables of months what partitions of the star have; two indexes are made at a time.

    Rows that tell an event once more are removed where the unique index finds one, and counted.
    """
    steps = [partial(step, url, one) for one in months for step in (_index_key, _index_others)]
    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(step) for step in steps]:
            future.result()
    with _aside(url) as connection:
        for one in months:
            key = f"{one.name}_pkey"
            connection.execute(
                text(f"alter table staging.{one.name} add constraint {key} primary key using index {key}")
            )


def drop_repeated(connection: Connection, month: Month) -> None:
    """Remove all but one of the staged rows that tell one event; counted in staging.arrival."""
    connection.execute(text(f"set local work_mem = '{_MEMORY}'"))
    connection.execute(
        text(f"""
            with repeated as (
                select event_id from staging.{month.name} group by event_id having count(*) > 1
            ),

            numbered as (
                select s.ctid, row_number() over (partition by s.event_id order by s.input_key, s::text) as telling
                from staging.{month.name} as s
                inner join repeated as r on r.event_id = s.event_id
            ),

            removed as (
                delete from staging.{month.name} as s
                using numbered as n
                where n.ctid = s.ctid and n.telling > 1
                returning s.input_key, s.source, s.utc_date_key
            )

            {COUNT_REMOVED}
        """),  # noqa: S608 (the name of a table of ours)
        {"table_name": month.table},
    )


def drop_known(connection: Connection, month: Month) -> None:
    """Remove staged rows of events that the star has already; counted in staging.arrival."""
    connection.execute(text(f"analyze staging.{month.name}"))
    connection.execute(
        text(f"""
            with removed as (
                delete from staging.{month.name} as s
                using warehouse.{month.name} as t
                where t.event_id = s.event_id
                    and t.event_time = s.event_time
                    and t.input_key not in (select input_key from staging.reloaded_input)
                    and t.event_id between (select event_id from staging.{month.name} order by 1 limit 1)
                    and (select event_id from staging.{month.name} order by 1 desc limit 1)
                returning s.input_key, s.source, s.utc_date_key
            )

            {COUNT_REMOVED}
        """),  # noqa: S608 (the name of a table of ours)
        {"table_name": month.table},
    )


def drop_matched_before(connection: Connection) -> None:
    """Remove staged rows of plays that were dropped for a better source's already; counted in staging.arrival."""
    connection.execute(
        text(f"""
            with removed as (
                delete from staging.fact_event as s
                using audit.dropped_event as t
                where t.event_id = s.event_id
                    and t.event_time = s.event_time
                    and t.input_key not in (select input_key from staging.reloaded_input)
                returning s.input_key, s.source, s.utc_date_key
            )

            {COUNT_REMOVED}
        """),  # noqa: S608 (a statement of ours)
        {"table_name": "fact_event"},
    )


def add(connection: Connection, month: Month) -> None:
    """Add the staged rows of a month that the star has."""
    connection.execute(
        text(f"insert into warehouse.{month.name} select * from staging.{month.name} order by event_id")  # noqa: S608
    )


def attach(connection: Connection, month: Month) -> None:
    """Make the staged table of a month, indexed already, a partition of the star."""
    first, last = month.bounds
    for statement in (
        f"alter table staging.{month.table} detach partition staging.{month.name}",
        f"alter table staging.{month.name} set schema warehouse",
        f"alter table warehouse.{month.table} attach partition warehouse.{month.name}"
        f" for values from ('{first}') to ('{last}')",
        f"alter table warehouse.{month.name} drop constraint {month.name}_bounds",
    ):
        connection.execute(text(statement))


_PUBLISHED = """
    select c.relname as name
    from pg_inherits as i
    inner join pg_class as c on c.oid = i.inhrelid
    where c.relnamespace = 'warehouse'::regnamespace
"""


@contextmanager
def _aside(url: str) -> Iterator[Connection]:
    """A connection of its own, which the next load ends should it outlive this one."""
    with connect(url) as connection:
        connection.execute(text("set local application_name = 'staging indexes'"))
        yield connection


def _index_key(url: str, month: Month) -> None:
    make = f"create unique index {month.name}_pkey on staging.{month.name} (event_id, event_time)"
    try:
        _run(url, make)
    except IntegrityError as error:
        if getattr(error.orig, "pgcode", None) != _UNIQUE_VIOLATION:
            raise
        with _aside(url) as connection:
            drop_repeated(connection, month)
        _run(url, make)


def _index_others(url: str, month: Month) -> None:
    table = f"staging.{month.name}"
    _run(url, f"create index {month.name}_user_key_idx on {table} (user_key, event_time)")
    _run(url, f"create index {month.name}_event_time_idx on {table} using brin (event_time)")


def _run(url: str, statement: str) -> None:
    with _aside(url) as connection:
        connection.execute(text(f"set local maintenance_work_mem = '{_MEMORY}'"))
        connection.execute(text(statement))
