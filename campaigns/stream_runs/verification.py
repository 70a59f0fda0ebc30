"""What the star, the live tables and the dead-letter topic have, beside what was sent."""

import json
import time
from collections import Counter
from datetime import UTC, date, datetime

from confluent_kafka import Consumer, TopicPartition

from campaigns.stream_runs.events import EventKey
from etl import database
from etl.jobs import events
from etl.jobs.live_agreement import check_agreement
from etl.settings import KafkaSettings, Settings
from etl.streams.clients import build_client_options

_LIVE_COUNTS = """
    select
        (extract(epoch from hour_start) * 1000)::bigint as hour_ms,
        user_id,
        track_id,
        activity_type,
        sum(events + late_events)::bigint as events
    from live.user_hour
    group by 1, 2, 3, 4
"""
_STAR_COUNTS = """
    select
        (extract(epoch from date_trunc('hour', e.event_time)) * 1000)::bigint as hour_ms,
        u.user_id,
        t.track_id,
        e.activity_type,
        count(*) as events
    from warehouse.fact_event as e
    inner join warehouse.dim_user as u on u.user_key = e.user_key
    inner join warehouse.dim_track as t on t.track_key = e.track_key
    group by 1, 2, 3, 4
"""
_REJECTED_COUNT = "select coalesce(sum(rows_rejected), 0)::bigint as messages from audit.row_count"
_LIVE_REJECTED_COUNT = "select coalesce(sum(rejected_messages), 0)::bigint as messages from live.progress"
_POLL_SECONDS = 1.0


def wait_until_caught_up(settings: Settings, message_count: int, timeout_seconds: float) -> bool:
    """Wait until landing and the live tables have so many messages; return False after the timeout."""
    deadline = time.monotonic() + timeout_seconds
    while time.monotonic() < deadline:
        if _count_live_messages(settings) >= message_count and _get_landing_lag(settings) == 0:
            return True
        time.sleep(_POLL_SECONDS)
    return False


def load_landed_messages(settings: Settings) -> None:
    """Load what is landed into the star."""
    run_id = f"campaign.{time.time_ns()}"
    if events.plan_events(run_id, settings):
        events.load_events(run_id, date.today(), settings)


def find_differences(settings: Settings, sent: Counter[EventKey], poison_count: int) -> list[str]:
    """Compare star, live tables, rejected rows and dead letters with what was sent; return a line a difference."""
    differences = []
    for name, query in (("star", _STAR_COUNTS), ("live tables", _LIVE_COUNTS)):
        counts = _count_events(settings, query)
        if counts != sent:
            differences.append(f"{name}: {(sent - counts).total()} events lost, {(counts - sent).total()} too many")
    for name, query in (("audit", _REJECTED_COUNT), ("live tables", _LIVE_REJECTED_COUNT)):
        count = _fetch_count(settings, query)
        if count != poison_count:
            differences.append(f"{name}: {count} messages rejected of {poison_count}")
    letters = _read_dead_letters(settings.require_kafka())
    if len(letters) != poison_count or len(set(letters)) != len(letters):
        differences.append(f"dead letters: {len(letters)}, {len(set(letters))} different ones, of {poison_count}")
    agreement = check_agreement(settings)
    if agreement.differences or not agreement.events_compared:
        differences.append(f"agreement: {agreement}")
    return differences


def _count_events(settings: Settings, query: str) -> Counter[EventKey]:
    with database.connect(settings.warehouse_url) as connection:
        rows = database.fetch_rows(connection, query)
    return Counter(
        {
            (int(str(row["hour_ms"])), str(row["user_id"]), str(row["track_id"]), str(row["activity_type"])): int(
                str(row["events"])
            )
            for row in rows
        }
    )


def _fetch_count(settings: Settings, query: str) -> int:
    with database.connect(settings.warehouse_url) as connection:
        return int(str(database.fetch_rows(connection, query)[0]["messages"]))


def _count_live_messages(settings: Settings) -> int:
    return _fetch_count(
        settings,
        "select coalesce(sum(accepted_events + rejected_messages), 0)::bigint as messages from live.progress",
    )


def _get_landing_lag(settings: Settings) -> int | None:
    """Return the lag of landing as of now; None if it is not known."""
    try:
        progress = json.loads((settings.state_dir / "streams" / "landing.progress").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    age = datetime.now(UTC) - datetime.fromisoformat(progress["updated_at"])
    has_all_partitions = len(progress["lag"]) == 7
    return sum(progress["lag"].values()) if has_all_partitions and age.total_seconds() < 10 else None


def _read_dead_letters(kafka: KafkaSettings) -> list[tuple[str, ...]]:
    """Return the origin of each committed dead letter."""
    options = {"group.id": "campaign", "isolation.level": "read_committed", "enable.partition.eof": True}
    consumer = Consumer(build_client_options(kafka) | options)
    consumer.assign([TopicPartition(kafka.dead_letter_topic, 0, 0)])
    letters = []
    try:
        while True:
            message = consumer.poll(30)
            if message is None or message.error():
                return letters
            headers = dict(message.headers() or [])
            letters.append((headers["topic"].decode(), headers["partition"].decode(), headers["offset"].decode()))
    finally:
        consumer.close()
