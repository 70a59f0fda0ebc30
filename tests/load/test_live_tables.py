"""Batches of events in the live tables of a real PostgreSQL: written once, swept, published to artists, and erased."""

import time
import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import text

from etl.database import connect, lock_warehouse, run_statements
from etl.erasure.data_subject import DataSubject
from etl.erasure.warehouse import erase_data_subject
from etl.load.access.login_removal import erase_logins
from etl.load.live_agreement import LoadedMessages, compare_with_star
from etl.load.live_tables import Batch, LiveTables, OutdatedCheckpointError, PartitionCounts
from etl.load.marts import build_marts_as_defined
from etl.transform.events.live_counts import LIVE_EVENT, count_events
from tests.load.star_frames import select_rows

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
QUERY = str(uuid.UUID(int=1))


def make_event(at: datetime, **fields: Any) -> dict[str, Any]:
    return {
        "event_id": uuid.uuid4().bytes,
        "partition": 3,
        "event_time": at,
        "received_at": at,
        "user_id": "u1",
        "activity_type": "PLAY",
        "track_id": "track-1",
        "track_name": "Song",
        "artist_id": "artist-1",
        "artist_name": "Artist",
        "genre": "rock",
        "country": "DE",
        "ms_played": 60_000,
        **fields,
    }


def write_batch(
    url: str,
    batch_id: int,
    events: Sequence[Mapping[str, Any]],
    query_id: str = QUERY,
    generation: str = "v1-a",
    next_offset: int | None = None,
    rejected_messages: int = 0,
) -> bool:
    """Write the events of partition 3 as a batch; its next offset is ten for each batch, unless one is given."""
    tables = LiveTables(url, timedelta(minutes=10), timedelta(days=7), {3: "Europe"})
    newest = max((event["event_time"] for event in events), default=None)
    next_offset = next_offset or 10 * (batch_id + 1)
    counts = PartitionCounts(next_offset, next_offset - 1, len(events), rejected_messages, newest)
    rows = pa.Table.from_pylist(list(events), schema=LIVE_EVENT)

    def count(duplicates: Sequence[int], watermarks: Mapping[int, datetime | None]) -> dict[str, pa.Table]:
        new_rows = [index for index in range(len(rows)) if index not in duplicates]
        return count_events(rows.take(pa.array(new_rows, pa.int64())), watermarks, play_min_ms=30_000)

    try:
        return tables.write_batch(Batch(query_id, generation, batch_id, {3: counts}, rows["event_id"]), count)
    finally:
        tables.close()


def sum_events(url: str) -> list[dict[str, Any]]:
    return select_rows(
        url, "select sum(events)::int as events, sum(late_events)::int as late_events from live.user_hour"
    )


def test_a_batch_is_written_once(warehouse_url: str) -> None:
    events = [make_event(NOON), make_event(NOON, user_id="u2", track_id=None, artist_id=None)]
    assert write_batch(warehouse_url, 0, events)
    assert not write_batch(warehouse_url, 0, events)
    assert write_batch(warehouse_url, 1, [make_event(NOON - 2 * HOUR)])
    assert sum_events(warehouse_url) == [{"events": 2, "late_events": 1}]
    (progress,) = select_rows(warehouse_url, "select * from live.progress")
    assert (progress["accepted_events"], progress["duplicate_events"], progress["late_events"]) == (3, 0, 1)
    assert progress["watermark"] == NOON - timedelta(minutes=10)
    tracks = select_rows(warehouse_url, "select track_id, artist_id from live.track order by track_id")
    assert [tuple(row.values()) for row in tracks] == [("title:Artist - Song", "Artist"), ("track-1", "artist-1")]


def test_an_event_of_an_earlier_batch_is_a_duplicate_until_the_day_after(warehouse_url: str) -> None:
    repeated = make_event(NOON)
    write_batch(warehouse_url, 0, [repeated])
    write_batch(warehouse_url, 1, [make_event(NOON, user_id="u2"), repeated, make_event(NOON, user_id="u3")])
    assert select_rows(warehouse_url, "select user_id from live.user_hour order by 1") == [
        {"user_id": user_id} for user_id in ("u1", "u2", "u3")
    ]
    (progress,) = select_rows(warehouse_url, "select accepted_events, duplicate_events from live.progress")
    assert tuple(progress.values()) == (4, 1)
    for batch_id in (2, 3):
        pass_days(warehouse_url, 1)
        write_batch(warehouse_url, batch_id, [repeated, make_event(NOON, user_id=f"day {batch_id}")])
    assert select_rows(warehouse_url, "select duplicate_events from live.progress") == [{"duplicate_events": 2}]
    assert sum_events(warehouse_url) == [{"events": 6, "late_events": 0}]


def pass_days(url: str, days: int) -> None:
    """Make the batches as old as they are after days without one."""
    with connect(url) as connection:
        run_statements(
            connection,
            f"""
            update live.batch set
                committed_at = committed_at - interval '{days} day',
                id_turn_date = id_turn_date - {days}
            """,
        )


@pytest.mark.parametrize("days", [1, 2, 3, 4])
def test_duplicates_are_recognised_after_an_outage_of_days(warehouse_url: str, days: int) -> None:
    repeated = make_event(NOON)
    write_batch(warehouse_url, 0, [repeated])
    pass_days(warehouse_url, days)
    for batch_id in (1, 2):
        write_batch(warehouse_url, batch_id, [repeated])
    assert sum_events(warehouse_url) == [{"events": 1, "late_events": 0}]
    assert select_rows(warehouse_url, "select id_turn from live.batch order by batch_id") == [
        {"id_turn": turn} for turn in (0, 1, 1)
    ]


def test_old_ids_are_removed_once_no_session_reads_them(warehouse_url: str) -> None:
    write_batch(warehouse_url, 0, [make_event(NOON)])
    pass_days(warehouse_url, 1)
    with connect(warehouse_url) as connection:
        run_statements(connection, "select from live.event_id_odd")  # as pg_dump does
        assert write_batch(warehouse_url, 1, [make_event(NOON)])
    write_batch(warehouse_url, 2, [make_event(NOON)])
    assert select_rows(warehouse_url, "select id_turn from live.batch order by batch_id") == [
        {"id_turn": turn} for turn in (0, 0, 1)
    ]
    assert sum_events(warehouse_url) == [{"events": 3, "late_events": 0}]


def test_a_large_batch_of_duplicates_needs_neither_memory_nor_new_tables(warehouse_url: str) -> None:
    """A subquery of ``not in`` that exceeds work_mem is read once for each event: here for minutes."""
    with connect(warehouse_url) as connection:
        options = "set work_mem = '64kB'", "set statement_timeout = '20s'"
        database = connection.engine.url.database
        run_statements(connection, ";".join(f'alter database "{database}" {option}' for option in options))
    ids = pa.chunked_array([[uuid.uuid4().bytes for _ in range(60_000)]], LIVE_EVENT.field("event_id").type)
    tables = LiveTables(warehouse_url, timedelta(minutes=10), timedelta(days=7), {3: "Europe"})
    counts = {3: PartitionCounts(10, 9, len(ids), 0, NOON)}
    found: list[tuple[int, int]] = []

    def count(duplicates: Sequence[int], watermarks: Mapping[int, datetime | None]) -> dict[str, pa.Table]:
        assert tables._connection is not None
        new_tables = tables._connection.scalar(
            text("select count(*) from pg_class where relpersistence = 't' and xmin = pg_current_xact_id()::xid")
        )
        found.append((len(duplicates), new_tables))
        return count_events(LIVE_EVENT.empty_table(), watermarks, play_min_ms=30_000)

    for batch_id in range(2):
        assert tables.write_batch(Batch(QUERY, "v1-a", batch_id, counts, ids), count)
    tables.close()
    assert found[0][0] == 0
    assert found[1] == (len(ids), 0)


def test_a_listener_counts_once_in_a_minute_and_closed_minutes_need_no_listeners(warehouse_url: str) -> None:
    write_batch(warehouse_url, 0, [make_event(NOON), make_event(NOON)])
    write_batch(warehouse_url, 1, [make_event(NOON), make_event(NOON, user_id="u2")])
    minutes = "select minute_start, listeners, events::int, late_events::int from live.active_minute order by 1"
    assert [tuple(row.values()) for row in select_rows(warehouse_url, minutes)] == [(NOON, 2, 4, 0)]
    write_batch(warehouse_url, 2, [make_event(NOON + HOUR)])
    write_batch(warehouse_url, 3, [make_event(NOON)])
    assert [tuple(row.values()) for row in select_rows(warehouse_url, minutes)] == [
        (NOON, 2, 4, 1),
        (NOON + HOUR, 1, 1, 0),
    ]
    assert len(select_rows(warehouse_url, "select from live.active_listener")) == 1


def test_another_query_begins_again_and_a_checkpoint_without_its_tables_is_rejected(warehouse_url: str) -> None:
    write_batch(warehouse_url, 0, [make_event(NOON)])
    new_query = str(uuid.UUID(int=2))
    assert write_batch(warehouse_url, 0, [make_event(NOON, user_id="u2")], new_query, "v1-b")
    assert select_rows(warehouse_url, "select distinct user_id from live.user_hour") == [{"user_id": "u2"}]
    assert select_rows(warehouse_url, "select generation from live.progress") == [{"generation": "v1-b"}]
    for batch_id, query_id in ((2, new_query), (1, QUERY)):
        with pytest.raises(OutdatedCheckpointError, match="do not contain batch"):
            write_batch(warehouse_url, batch_id, [make_event(NOON)], query_id)
    assert sum_events(warehouse_url) == [{"events": 1, "late_events": 0}]


def test_a_query_without_messages_leaves_the_tables_of_another(warehouse_url: str) -> None:
    write_batch(warehouse_url, 0, [make_event(NOON)])
    tables = LiveTables(warehouse_url, timedelta(minutes=10), timedelta(days=7), {3: "Europe"})
    no_ids = LIVE_EVENT.empty_table()["event_id"]

    def count_none(_: Sequence[int], watermarks: Mapping[int, datetime | None]) -> dict[str, pa.Table]:
        return count_events(LIVE_EVENT.empty_table(), watermarks, play_min_ms=30_000)

    query_id = str(uuid.UUID(int=2))
    for batch_id in range(2):
        batch = Batch(query_id, "v1-b", batch_id, {3: PartitionCounts(batch_id)}, no_ids)
        assert not tables.write_batch(batch, count_none)
    assert sum_events(warehouse_url) == [{"events": 1, "late_events": 0}]
    rejected = PartitionCounts(3, last_offset=2, rejected_messages=1)
    assert tables.write_batch(Batch(query_id, "v1-b", 2, {3: rejected}, no_ids), count_none)
    tables.close()
    assert select_rows(warehouse_url, "select generation, next_offset from live.progress") == [
        {"generation": "v1-b", "next_offset": 3}
    ]


def test_lost_messages_are_counted_once(warehouse_url: str) -> None:
    write_batch(warehouse_url, 0, [make_event(NOON)])
    tables = LiveTables(warehouse_url, timedelta(0), timedelta(days=7), {3: "Europe"})
    assert [tables.record_lost_messages("v1-a", {3: offset}) for offset in (10, 14, 14)] == [{}, {3: 4}, {}]
    # The process ended before a batch passed the gap: the interrupted batch ends in it.
    write_batch(warehouse_url, 1, [make_event(NOON)], next_offset=12)
    assert tables.record_lost_messages("v1-a", {3: 14}) == {}
    tables.close()
    assert select_rows(warehouse_url, "select lost_messages, next_offset from live.progress") == [
        {"lost_messages": 4, "next_offset": 14}
    ]


def test_old_hours_are_removed(warehouse_url: str) -> None:
    write_batch(warehouse_url, 0, [make_event(NOON - timedelta(days=9), track_id="old"), make_event(NOON)])
    for batch_id in range(1, 3):
        write_batch(warehouse_url, batch_id, [make_event(NOON)])
    with connect(warehouse_url) as connection:
        run_statements(connection, "update live.batch set batch_id = batch_id + 997")
    write_batch(warehouse_url, 1000, [make_event(NOON)])
    for table in ("user_hour", "continent_hour", "artist_hour"):
        rows = select_rows(warehouse_url, f"select distinct hour_start from live.{table}")
        assert rows == [{"hour_start": NOON}], table
    assert select_rows(warehouse_url, "select track_id from live.track") == [{"track_id": "track-1"}]


def test_hours_beyond_the_retention_are_not_compared(warehouse_url: str) -> None:
    write_batch(warehouse_url, 0, [make_event(at) for at in (NOON - timedelta(days=9), NOON, NOON + 2 * HOUR)])
    loaded = LoadedMessages((), {0: 10}, (), {})
    result = compare_with_star(warehouse_url, loaded, timedelta(days=7), NOON)
    assert (result.hours_compared, result.differences, result.reason) == (1, 1, "")
    hours = select_rows(warehouse_url, "select hour_start from audit.live_difference")
    assert hours == [{"hour_start": NOON}]


@pytest.mark.parametrize(
    ("input_ids", "from_offsets", "differences"),
    [
        (("a", "b"), {}, []),
        (("b",), {}, [(5, 3)]),
        (("b",), {0: 10}, []),
        (("a",), {0: 10}, [(3, 2)]),
        (("a",), {0: 5}, []),  # within the first batch: nobody knows how many are before it
    ],
)
def test_rejected_messages_are_compared_from_an_offset_on(
    warehouse_url: str, input_ids: tuple[str, ...], from_offsets: dict[int, int], differences: list[tuple[int, int]]
) -> None:
    for batch_id, rejected_messages in enumerate((2, 3)):
        write_batch(warehouse_url, batch_id, [], rejected_messages=rejected_messages)
    with connect(warehouse_url) as connection:
        run_statements(
            connection,
            """
            insert into audit.run (run_id, job, started_at, finished_at, reference_date, result)
            values ('r', 'load_events', now(), now(), current_date, 'published');
            insert into audit.row_count (
                run_id, step, source, input_id, rows_in, rows_loaded, rows_duplicate, rows_rejected
            )
            values ('r', 's', 'feed', 'a', 2, 0, 0, 2), ('r', 's', 'feed', 'b', 3, 0, 0, 3)
            """,
        )
    loaded = LoadedMessages(input_ids, {0: 20}, input_ids, from_offsets)
    compare_with_star(warehouse_url, loaded, timedelta(days=7), NOON)
    rows = select_rows(
        warehouse_url,
        "select live_events::int, star_events::int from audit.live_difference where activity_type = 'REJECTED'",
    )
    assert [tuple(row.values()) for row in rows] == differences


def test_an_artist_sees_publishable_hours_once_they_are_final(warehouse_url: str) -> None:
    with connect(warehouse_url) as connection:
        run_statements(
            connection,
            "insert into audit.login (login_name, kind, artist_id) values ('a', 'artist', 'artist-1')",
        )
    plays = [make_event(NOON, user_id=f"u{number}") for number in range(7)]
    # Two listeners elsewhere are too few for a row, so the hour is not divided by country.
    plays += [make_event(NOON, user_id=f"v{number}", country="FR") for number in range(2)]
    few = [make_event(NOON + HOUR, user_id=f"u{number}") for number in range(4)]
    write_batch(warehouse_url, 0, plays + few)
    published = "select hour_start, divided_by, item_id, plays from live.published_artist_hour order by 2"
    assert select_rows(warehouse_url, published) == []
    write_batch(warehouse_url, 1, [make_event(NOON + 4 * HOUR)])
    expected = [(NOON, "nothing", "", 5), (NOON, "track", "track-1", 5)]
    assert [tuple(row.values()) for row in select_rows(warehouse_url, published)] == expected
    write_batch(warehouse_url, 2, [make_event(NOON, user_id=f"late{number}") for number in range(9)])
    write_batch(warehouse_url, 3, [make_event(NOON + 9 * HOUR)])
    assert [tuple(row.values()) for row in select_rows(warehouse_url, published)] == expected


def test_an_erased_user_leaves_the_live_tables(warehouse_url: str) -> None:
    own_title = {"track_id": None, "artist_id": None, "track_name": "A private recording"}
    write_batch(warehouse_url, 0, [make_event(NOON, user_id="erased", **own_title), make_event(NOON)])
    with connect(warehouse_url) as connection:
        run_statements(
            connection,
            "insert into audit.live_difference values (now(), now(), 1, 2, 'erased', '', 'PLAY', 'v1-a')",
        )
    with lock_warehouse(warehouse_url) as connection:
        erase_data_subject(connection, DataSubject(frozenset({"erased"})), build_marts_as_defined, erase_logins)
        connection.commit()
    tables = ("live.user_hour", "live.active_listener", "live.track", "live.continent_hour", "audit.live_difference")
    for table in tables:
        words = "strpos(t::text, 'erased') > 0 or strpos(t::text, 'private') > 0"
        assert select_rows(warehouse_url, f"select * from {table} as t where {words}") == [], table
    assert select_rows(warehouse_url, "select distinct user_id from live.user_hour") == [{"user_id": "u1"}]


def test_an_erasure_waits_for_the_batch_that_is_written(warehouse_url: str) -> None:
    """The batch has begun before the user was forgotten, so it writes the user's rows; the erasure must find them."""
    erasure = ThreadPoolExecutor(1)
    outcomes: list[Future[None]] = []

    def erase() -> None:
        with lock_warehouse(warehouse_url) as connection:
            erase_data_subject(connection, DataSubject(frozenset({"erased"})), build_marts_as_defined, erase_logins)

    def count(_: Sequence[int], watermarks: Mapping[int, datetime | None]) -> dict[str, pa.Table]:
        outcomes.append(erasure.submit(erase))
        wait_until_blocked(warehouse_url, "live.batch")
        return count_events(events, watermarks, play_min_ms=30_000)

    events = pa.Table.from_pylist([make_event(NOON, user_id="erased"), make_event(NOON)], schema=LIVE_EVENT)
    tables = LiveTables(warehouse_url, timedelta(minutes=10), timedelta(days=7), {3: "Europe"})
    counts = {3: PartitionCounts(10, 9, 2, 0, NOON)}
    with erasure:
        assert tables.write_batch(Batch(QUERY, "v1-a", 0, counts, events["event_id"]), count)
        outcomes[0].result(60)
    tables.close()
    assert select_rows(warehouse_url, "select distinct user_id from live.user_hour") == [{"user_id": "u1"}]


def wait_until_blocked(url: str, table: str | None = None) -> None:
    """Wait until a session waits for a lock on a table, or for the end of another transaction."""
    deadline = time.monotonic() + 60
    lock = "locktype = 'transactionid'" if table is None else f"relation = '{table}'::regclass"
    statement = f"select from pg_locks where {lock} and not granted"
    while not select_rows(url, statement):
        assert time.monotonic() < deadline
        time.sleep(0.01)
