"""The truth about simulated listeners, which a stream and a load may write at the same time."""

from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa

from etl.database import connect, run_sql, run_statements
from etl.load.simulated_truth import write_truth
from tests.load.star_frames import select_rows
from tests.load.test_live_tables import wait_until_blocked

LISTENER = "'p', 1, 'ENLC', 0.5, 0.5, 0.5, 0.5"


def merge_staged_listeners(url: str) -> None:
    with connect(url) as connection:
        run_sql(connection, "merge/listener")


def test_a_load_and_a_stream_write_the_same_listener_at_the_same_time(warehouse_url: str) -> None:
    with connect(warehouse_url) as connection:
        run_statements(connection, f"insert into staging.listener values ('a', {LISTENER}), ('b', {LISTENER})")
    with ThreadPoolExecutor(1) as load:
        with connect(warehouse_url) as connection:
            run_statements(connection, f"insert into simulation.listener values ('b', {LISTENER})")
            merge = load.submit(merge_staged_listeners, warehouse_url)
            wait_until_blocked(warehouse_url)
        merge.result(60)
    assert len(select_rows(warehouse_url, "select from simulation.listener")) == 2


def test_a_stream_writes_in_the_order_of_a_load(warehouse_url: str) -> None:
    holidays = [{"holiday_date": f"2026-12-{day}", "country": country} for day in (26, 25) for country in ("FR", "DE")]
    schema = pa.schema([("holiday_date", pa.date32()), ("country", pa.string())])
    rows = pa.Table.from_pylist(holidays).cast(schema)
    for _ in range(2):
        write_truth({"holiday": rows}, warehouse_url)
    written = select_rows(warehouse_url, "select holiday_date::text, country from simulation.holiday order by ctid")
    assert written == sorted(holidays, key=lambda row: tuple(row.values()))
