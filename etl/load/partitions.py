"""Monthly partitions of the fact tables: filled, indexed and checked in staging, then published.

A month that is new to the star is attached as a whole table, last in the transaction, so that no reader waits. Rows of
an existing month are inserted: event ids sort by time, so the index grows at its end.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial

from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from etl.database import connect, fetch_rows, get_sqlstate

FACT_TABLES = ("fact_event", "fact_spoken_event")
_WORK_MEM = "512MB"
_UNIQUE_VIOLATION = "23505"

COUNT_REMOVED = """
    insert into staging.arrival (table_name, input_key, source, utc_date_key, row_count)
    select :table_name, input_key, source, utc_date_key, -count(*)
    from removed
    group by input_key, source, utc_date_key
"""
"""The end of a statement whose CTE ``removed`` has deleted staged rows of the fact table ``:table_name``."""


@dataclass(frozen=True)
class Month:
    """A month of one fact table."""

    table: str
    first_day: date

    @property
    def partition_name(self) -> str:
        """Return the name of the partition, in staging and in the star."""
        return f"{self.table}_{self.first_day:%Y_%m}"

    @property
    def time_bounds(self) -> tuple[str, str]:
        """Return the first timestamp of the month and that of the next month, as SQL literals in UTC."""
        year, month = divmod(self.first_day.year * 12 + self.first_day.month, 12)
        return (f"{self.first_day:%Y-%m-%d} 00:00:00+00", f"{year:04}-{month + 1:02}-01 00:00:00+00")


def create_staging_partitions(connection: Connection, months: Iterable[Month]) -> None:
    """Create the staging partitions of months.

    A check constraint of the month's bounds is validated during the COPY. With it PostgreSQL attaches the table to the
    star without a scan.
    """
    for month in months:
        name, (lower_bound, upper_bound) = month.partition_name, month.time_bounds
        connection.execute(
            text(
                f"create table staging.{name} partition of staging.{month.table} ("
                f" constraint {name}_bounds check (event_time >= '{lower_bound}' and event_time < '{upper_bound}'))"
                f" for values from ('{lower_bound}') to ('{upper_bound}')"
            )
        )


def list_new_months(connection: Connection, months: Iterable[Month]) -> list[Month]:
    """Return the months that have no partition in the star yet."""
    published_names = {row["name"] for row in fetch_rows(connection, _PUBLISHED_PARTITIONS)}
    return [month for month in months if month.partition_name not in published_names]


def index_months(url: str, months: Iterable[Month]) -> None:
    """Create the primary key and indexes of the staging partitions of months, two indexes at a time.

    If the unique index finds a repeated event, repeated rows are removed and counted.
    """
    steps = [
        partial(step, url, month) for month in months for step in (_create_primary_index, _create_secondary_indexes)
    ]
    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(step) for step in steps]:
            future.result()
    with _connect_for_indexing(url) as connection:
        for month in months:
            name = month.partition_name
            connection.execute(
                text(f"alter table staging.{name} add constraint {name}_pkey primary key using index {name}_pkey")
            )


def drop_repeated_events(connection: Connection, month: Month) -> None:
    """Remove repeated staged rows of the same event, and count them in staging.arrival."""
    # ctid addresses single rows, since repeated rows may be equal. The order makes the remaining row independent of how
    # the rows were written: by input, then by the row's text, which differs whenever the rows do.
    connection.execute(text(f"set local work_mem = '{_WORK_MEM}'"))
    connection.execute(
        text(f"""
            with repeated as (
                select event_id from staging.{month.partition_name} group by event_id having count(*) > 1
            ),

            numbered as (
                select s.ctid, row_number() over (partition by s.event_id order by s.input_key, s::text) as occurrence
                from staging.{month.partition_name} as s
                inner join repeated as r on r.event_id = s.event_id
            ),

            removed as (
                delete from staging.{month.partition_name} as s
                using numbered as n
                where n.ctid = s.ctid and n.occurrence > 1
                returning s.input_key, s.source, s.utc_date_key
            )

            {COUNT_REMOVED}
        """),  # noqa: S608 (the name of a partition)
        {"table_name": month.table},
    )


def drop_published_events(connection: Connection, month: Month) -> None:
    """Remove staged rows of published events, and count them in staging.arrival."""
    # Event ids sort by time: the bounds of the staged ids keep the scan of the published index short.
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
        """),  # noqa: S608 (the name of a partition)
        {"table_name": month.table},
    )


def drop_previously_matched_plays(connection: Connection) -> None:
    """Remove staged rows of plays that an earlier load has dropped as duplicates, and count them in staging.arrival."""
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
        """),  # noqa: S608 (a constant)
        {"table_name": "fact_event"},
    )


def insert_month(connection: Connection, month: Month) -> None:
    """Insert the staged rows of a month that exists in the star."""
    connection.execute(
        text(
            f"insert into warehouse.{month.partition_name}"  # noqa: S608 (the name of a partition)
            f" select * from staging.{month.partition_name} order by event_id"
        )
    )


def attach_month(connection: Connection, month: Month) -> None:
    """Attach the indexed staging partition of a new month to the star."""
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
    """Open a connection that ``cleanup.clear_staging`` of the next load recognises and ends if this load dies."""
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
        if get_sqlstate(error) != _UNIQUE_VIOLATION:
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
