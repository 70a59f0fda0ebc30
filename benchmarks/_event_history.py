"""A long history of events: copies of a loaded day in a star."""

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from sqlalchemy import text

from benchmarks._event_load_environment import FEED_START
from etl.database import connect, fetch_rows
from etl.load.partitions import Month

MILLION = 1_000_000


def grow_history(url: str, size: int, by_days: bool) -> None:
    """Copy the loaded day to earlier days or to further users, until the star has ``size`` more events."""
    with connect(url) as connection:
        day = int(str(fetch_rows(connection, "select count(*) as n from warehouse.fact_event")[0]["n"]))
    copies: dict[Month, list[int]] = {}
    for number in range(1, -(-size // day) + 1):
        first = (FEED_START - timedelta(days=number if by_days else 0)).date().replace(day=1)
        copies.setdefault(Month("fact_event", first), []).append(number)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda month: _grow_month(url, month, copies[month], by_days), copies))
    with connect(url) as connection:
        connection.execute(text("analyze warehouse.fact_event"))


def _grow_month(url: str, month: Month, numbers: list[int], by_days: bool) -> None:
    """Fill a month's shadow table with copies of the loaded day, and with the month's own rows; then attach it.

    Attaching a filled table fires no trigger: the copies are history, which the marts must not follow.
    """
    first, last = month.time_bounds
    with connect(url) as connection:
        connection.execute(text("set local maintenance_work_mem = '1GB'"))
        name, shadow_table = f"warehouse.{month.partition_name}", f"staging.{month.partition_name}"
        exists_already = bool(fetch_rows(connection, "select to_regclass(:name) is not null as it", name=name)[0]["it"])
        connection.execute(text(f"create table {shadow_table} (like warehouse.fact_event including constraints)"))
        columns = ", ".join(
            str(row["name"])
            for row in fetch_rows(
                connection,
                "select column_name as name from information_schema.columns where table_schema = 'warehouse'"
                " and table_name = 'fact_event' and column_name not in ('event_id', 'event_time', 'user_key')"
                " order by ordinal_position",
            )
        )
        if exists_already:
            connection.execute(text(f"insert into {shadow_table} select * from {name}"))  # noqa: S608
        for number in numbers:
            shift = f"interval '{number} days'" if by_days else "interval '0'"
            user_expression = "user_key" if by_days else f"user_key + {number * MILLION}"
            connection.execute(
                text(
                    f"insert into {shadow_table} (event_id, event_time, user_key, {columns})"  # noqa: S608
                    f" select (lpad(to_hex((extract(epoch from e.event_time - {shift}) * 1000)::bigint), 12, '0')"
                    f" || substr(md5(e.event_id::text || {number}), 1, 20))::uuid, e.event_time - {shift},"
                    f" {user_expression}, {columns} from warehouse.fact_event as e"
                    " where event_time >= :start and event_time < :end"
                ),
                {"start": FEED_START, "end": FEED_START + timedelta(days=1)},
            )
        if exists_already:
            connection.execute(text(f"drop table {name}"))
        connection.execute(text(f"alter table {shadow_table} set schema warehouse"))
        connection.execute(
            text(f"alter table warehouse.fact_event attach partition {name} for values from ('{first}') to ('{last}')")
        )
