"""The checks of the streams, every few minutes: what Kafka, the lake and the live tables say about them."""

import json
import logging
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from etl import database
from etl.errors import ActionNeededError, EtlError, TryAgainError
from etl.jobs.live_agreement import check_agreement
from etl.load.live_agreement import MAX_DIFFERENCES
from etl.settings import KafkaSettings, Settings
from etl.storage.landed_files import LandedTopic
from etl.streams.lag import TopicOffsets, fetch_offsets
from etl.streams.topics import describe_topic
from etl.streams.watch_checks import (
    CheckResult,
    ConsumerState,
    History,
    check_consumer,
    check_dead_letters,
    check_topic,
)

log = logging.getLogger(__name__)

_HISTORY_LENGTH = 2
_LOADS_STAND_STILL_AFTER = timedelta(days=1)
_LANDING_FILE, _LIVE_FILE = "landing.progress", "live.progress"


def watch_streams(run_id: str, settings: Settings) -> dict[str, int]:
    """Run the checks, and record their results in audit.stream_check.

    :returns: the figure of each check.
    :raises ActionNeededError: if a check does not pass, with the messages of all such checks, or no Kafka is set.
    :raises TryAgainError: if only the checks of progress do not pass, or the warehouse does not respond to one.
    :raises EtlError: if Kafka or the warehouse cannot be reached.
    """
    kafka = settings.require_kafka()
    now = datetime.now(UTC)
    with database.connect(settings.warehouse_url) as connection:
        history = _read_history(database.list_stream_checks(connection, run_id, _HISTORY_LENGTH))
        progress = database.fetch_rows(connection, _LIVE_PROGRESS_QUERY)
    try:
        results = [
            CheckResult("kafka", True, 0, f"Kafka at {kafka.bootstrap_servers} responds."),
            *_check_topics(kafka, settings, progress, history, now),
        ]
    except EtlError as error:
        _record([CheckResult("kafka", False, 0, str(error))], run_id, now, settings)
        raise
    results.append(_check_agreement(settings, now))
    _record(results, run_id, now, settings)
    failed = [result for result in results if not result.is_passed]
    if failed:
        # A process may be starting just now: the next try finds out.
        is_temporary = all(
            result.check_name.endswith("_progress") or result.details.get("is_temporary", False) for result in failed
        )
        raise (TryAgainError if is_temporary else ActionNeededError)("\n".join(result.message for result in failed))
    return {result.check_name: result.value for result in results}


def _check_topics(
    kafka: KafkaSettings, settings: Settings, progress: list[dict[str, Any]], history: History, now: datetime
) -> list[CheckResult]:
    topic_id = describe_topic(kafka, kafka.topic).topic_id
    offsets = fetch_offsets(kafka, kafka.topic)
    dead_letter_end = fetch_offsets(kafka, kafka.dead_letter_topic)[0].end
    consumers = (
        _describe_landing(kafka, settings, topic_id, offsets),
        _describe_live_query(settings, progress),
    )
    return [
        check_topic(kafka.topic, topic_id, history),
        *(
            result
            for consumer in consumers
            for result in check_consumer(consumer, offsets, history, now, settings.lag_alert_messages)
        ),
        check_dead_letters(dead_letter_end, kafka.dead_letter_topic, history, settings.dead_letter_alert_messages),
    ]


def _describe_landing(
    kafka: KafkaSettings, settings: Settings, topic_id: str, offsets: dict[int, TopicOffsets]
) -> ConsumerState:
    landed = LandedTopic(settings.lake_url, kafka.topic, topic_id)
    next_offsets = {partition: landed.find_position(partition) for partition in offsets}
    document, active_at = _read_progress_file(settings.state_dir / "streams" / _LANDING_FILE)
    return ConsumerState(
        "landing",
        "landing",
        "STATE_DIR/logs/landing.log",
        {partition: position for partition, position in next_offsets.items() if position is not None},
        active_at,
        landed.count_lost_messages(),
        document.get("process_id"),
        document.get("last_error") or "",
    )


def _describe_live_query(settings: Settings, progress: list[dict[str, Any]]) -> ConsumerState:
    document, file_time = _read_progress_file(settings.state_dir / "streams" / _LIVE_FILE)
    # On another machine the file is missing, and the table is written by batches alone: an idle query writes none.
    written_at = max((row["updated_at"] for row in progress), default=None)
    times = [time for time in (file_time, written_at) if time is not None]
    return ConsumerState(
        "live",
        "live query",
        "STATE_DIR/logs/live.log",
        {row["partition"]: row["next_offset"] for row in progress},
        max(times, default=None),
        sum(row["lost_messages"] for row in progress),
        document.get("process_id"),
        document.get("last_error") or "",
    )


def _check_agreement(settings: Settings, now: datetime) -> CheckResult:
    try:
        result = check_agreement(settings)
    except EtlError as error:
        message = f"The live tables could not be compared with the star: {error}"
        return CheckResult("agreement", False, 0, message, {"is_temporary": isinstance(error, TryAgainError)})
    details = {"hours": result.hours_compared, "events": result.events_compared}
    if result.reason and result.loaded_at is not None and now - result.loaded_at > _LOADS_STAND_STILL_AFTER:
        message = (
            f"The live tables cannot be compared with the star: {result.reason} Messages were loaded last at"
            f" {result.loaded_at:%Y-%m-%d %H:%M} UTC. Look at the last runs of load_events."
        )
        return CheckResult("agreement", False, 0, message, details)
    if not result.differences:
        agreed = f"{result.events_compared:,} events of {result.hours_compared} closed hours agree with the star."
        return CheckResult("agreement", True, 0, result.reason or agreed, details)
    is_capped = result.differences >= MAX_DIFFERENCES
    count = f"{'At least ' if is_capped else ''}{result.differences:,}"
    message = (
        f"{count} counts of the live tables differ from the star, of {result.events_compared:,} events in"
        f" {result.hours_compared} closed hours. audit.live_difference has"
        f" {'the first of them' if is_capped else 'each'}. The star is right; docs/streams.md names known causes."
    )
    return CheckResult("agreement", False, result.differences, message, details)


def _read_progress_file(path: Path) -> tuple[dict[str, Any], datetime | None]:
    """Return the document that a process writes about its progress, and when; empty and None without the file."""
    try:
        text, written_at = path.read_text(encoding="utf-8"), datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except FileNotFoundError:
        return {}, None
    with suppress(json.JSONDecodeError):  # An empty file shows progress, too.
        return json.loads(text), written_at
    return {}, written_at


def _read_history(rows: list[dict[str, Any]]) -> History:
    history: dict[str, list[CheckResult]] = {}
    for row in rows:
        columns = {name: row[name] for name in ("check_name", "is_passed", "value", "message", "details")}
        history.setdefault(str(row["check_name"]), []).append(CheckResult(**columns))
    return history


def _record(results: list[CheckResult], run_id: str, checked_at: datetime, settings: Settings) -> None:
    """Log the results, write them to the audit, and delete those that are older than KEEP_DAYS."""
    for result in results:
        log.log(logging.INFO if result.is_passed else logging.ERROR, "%s: %s", result.check_name, result.message)
    with database.connect(settings.warehouse_url) as connection:
        database.record_stream_checks(connection, run_id, checked_at, [asdict(result) for result in results])
        database.delete_stream_checks(connection, checked_at - timedelta(days=settings.retention_days))


_LIVE_PROGRESS_QUERY = "select partition, next_offset, lost_messages, updated_at from live.progress"
