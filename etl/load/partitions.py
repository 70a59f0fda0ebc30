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

from etl.database import connect, fetch_rows

FACT_TABLES = ("fact_event", "fact_spoken_event")
_WORK_MEM = "512MB"
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
    def partition_name(self) -> str:
        return f"{self.table}_{self.first_day:%Y_%m}"

    @property
    def time_bounds(self) -> tuple[str, str]:
        year, month = divmod(self.first_day.year * 12 + self.first_day.month, 12)
        return (f"{self.first_day:%Y-%m-%d} 00:00:00+00", f"{year:04}-{month + 1:02}-01 00:00:00+00")


def create_staging_partitions(connection: Connection, months: Iterable[Month]) -> None:
    """Make the staging tables of months.

    That their rows are of the month is checked as they come: the star takes a table that has been checked unread.
    """
    for month in months:
        lower_bound, upper_bound = month.time_bounds
        connection.execute(
            text(
                f"create table staging.{month.partition_name} partition of staging.{month.table} ("
                f" constraint {month.partition_name}_bounds check (event_time >= '{lower_bound}' and event_time < '{upper_bound}'))"
                f" for values from ('{lower_bound}') to ('{upper_bound}')"
            )
        )


def list_new_months(connection: Connection, months: Iterable[Month]) -> list[Month]:
    """Those that the star does not have yet."""
    published_names = {row["name"] for row in fetch_rows(connection, _PUBLISHED_PARTITIONS)}
    return [month for month in months if month.partition_name not in published_names]


def index_months(url: str, months: Iterable[Month]) -> None:
    """Give the staging tables of months what partitions of the star have; two indexes are made at a time.

    Rows that tell an event once more are removed where the unique index finds one, and counted.
    """
    steps = [
        partial(step, url, month) for month in months for step in (_create_primary_index, _create_secondary_indexes)
    ]
    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(step) for step in steps]:
            future.result()
    with _connect_for_indexing(url) as connection:
        for month in months:
            primary_key = f"{month.partition_name}_pkey"
            connection.execute(
                text(
                    f"alter table staging.{month.partition_name} add constraint {primary_key} primary key using index {primary_key}"
                )
            )


def drop_repeated_events(connection: Connection, month: Month) -> None:
    """Remove all but one of the staged rows that tell one event; counted in staging.arrival."""
    connection.execute(text(f"set local work_mem = '{_WORK_MEM}'"))
    connection.execute(
        text(f"""
            with repeated as (
                select event_id from staging.{month.partition_name} group by event_id having count(*) > 1
            ),

            numbered as (
                select s.ctid, row_number() over (partition by s.event_id order by s.input_key, s::text) as telling
                from staging.{month.partition_name} as s
                inner join repeated as r on r.event_id = s.event_id
            ),

            removed as (
                delete from staging.{month.partition_name} as s
                using numbered as n
                where n.ctid = s.ctid and n.telling > 1
                returning s.input_key, s.source, s.utc_date_key
            )

            {COUNT_REMOVED}
        """),  # noqa: S608 (the name of a table of ours)
        {"table_name": month.table},
    )


def drop_published_events(connection: Connection, month: Month) -> None:
    """Remove staged rows of events that the star has already; counted in staging.arrival."""
    connection.execute(text(f"analyze staging.{month.partition_name}"))
    connection.execute(
        text(f"""
            with removed as (
                delete from staging.{month.partition_name} as s
                using warehouse.{month.partition_name} as t
                where t.event_id = s.event_id
                    and t.event_time = s.event_time
                    and t.input_key not in (select input_key from staging.reloaded_input)
                    and t.event_id between (select event_id from staging.{month.partition_name} order by 1 limit 1)
                    and (select event_id from staging.{month.partition_name} order by 1 desc limit 1)
                returning s.input_key, s.source, s.utc_date_key
            )

            {COUNT_REMOVED}
        """),  # noqa: S608 (the name of a table of ours)
        {"table_name": month.table},
    )


def drop_previously_matched_plays(connection: Connection) -> None:
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


def insert_month(connection: Connection, month: Month) -> None:
    """Add the staged rows of a month that the star has."""
    connection.execute(
        text(
            f"insert into warehouse.{month.partition_name}"  # noqa: S608 (names of ours)
            f" select * from staging.{month.partition_name} order by event_id"
        )
    )


def attach_month(connection: Connection, month: Month) -> None:
    """Make the staged table of a month, indexed already, a partition of the star."""
    lower_bound, upper_bound = month.time_bounds
    for statement in (
        f"alter table staging.{month.table} detach partition staging.{month.partition_name}",
        f"alter table staging.{month.partition_name} set schema warehouse",
        f"alter table warehouse.{month.table} attach partition warehouse.{month.partition_name}"
        f" for values from ('{lower_bound}') to ('{upper_bound}')",
        f"alter table warehouse.{month.partition_name} drop constraint {month.partition_name}_bounds",
    ):
        connection.execute(text(statement))


_PUBLISHED_PARTITIONS = """
    select c.relname as name
    from pg_inherits as i
    inner join pg_class as c on c.oid = i.inhrelid
    where c.relnamespace = 'warehouse'::regnamespace
"""


@contextmanager
def _connect_for_indexing(url: str) -> Iterator[Connection]:
    """A connection of its own, which the next load ends should it outlive this one."""
    with connect(url) as connection:
        connection.execute(text("set local application_name = 'staging indexes'"))
        yield connection


def _create_primary_index(url: str, month: Month) -> None:
    create_index = (
        f"create unique index {month.partition_name}_pkey on staging.{month.partition_name} (event_id, event_time)"
    )
    try:
        _run_statement(url, create_index)
    except IntegrityError as error:
        if getattr(error.orig, "pgcode", None) != _UNIQUE_VIOLATION:
            raise
        with _connect_for_indexing(url) as connection:
            drop_repeated_events(connection, month)
        _run_statement(url, create_index)


def _create_secondary_indexes(url: str, month: Month) -> None:
    table = f"staging.{month.partition_name}"
    _run_statement(url, f"create index {month.partition_name}_user_key_idx on {table} (user_key, event_time)")
    _run_statement(url, f"create index {month.partition_name}_event_time_idx on {table} using brin (event_time)")


def _run_statement(url: str, statement: str) -> None:
    with _connect_for_indexing(url) as connection:
        connection.execute(text(f"set local maintenance_work_mem = '{_WORK_MEM}'"))
        connection.execute(text(statement))
