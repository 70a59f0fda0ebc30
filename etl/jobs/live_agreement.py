"""The check that the live tables agree with the star for closed hours; etl.load.live_agreement says how."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from etl.database import connect, fetch_rows
from etl.jobs.landed_inputs import compute_input_id
from etl.load.live_agreement import AgreementResult, LoadedMessages, compare_with_star
from etl.settings import Settings
from etl.storage.lake import Lake
from etl.storage.landed_files import LandedTopic, list_input_ranges
from etl.streams.topics import describe_topic

log = logging.getLogger(__name__)

_BATCH_RETENTION = timedelta(hours=20)
"""live.batch has the batches of the last day, with the number of rejected messages up to each."""

_LOADED_INPUTS = """
    select i.input_id, max(r.finished_at) as loaded_at
    from audit.run_input as i
    inner join audit.run as r on r.run_id = i.run_id
    where r.result = 'published' and i.origin = 'feed' and starts_with(i.name, :name)
    group by i.input_id
    order by loaded_at desc, i.input_id
"""
# An event may be dated a day after the load of its message, by a wrong clock.
_OLDEST_LOAD = """
    select date_trunc('day', max(watermark) - cast(:retention as interval), 'UTC') - interval '1 day' as loaded_at
    from live.progress
"""


def check_agreement(settings: Settings) -> AgreementResult:
    """Compare the live tables with the star, and store the differences in ``audit.live_difference``.

    :raises EtlError: if Kafka or the warehouse cannot be reached.
    """
    kafka = settings.require_kafka()
    topic_id = describe_topic(kafka, kafka.topic).topic_id
    retention = timedelta(days=settings.live.retention_days)
    with connect(settings.warehouse_url) as connection:
        inputs = fetch_rows(connection, _LOADED_INPUTS, name=f"{kafka.topic} of ")
        oldest_load = fetch_rows(connection, _OLDEST_LOAD, retention=retention)[0]["loaded_at"]
    now = datetime.now(UTC)
    loaded = _find_loaded_messages(settings, topic_id, inputs, oldest_load, now - _BATCH_RETENTION)
    result = compare_with_star(settings.warehouse_url, loaded, retention, now)
    log.info(
        "%d differences of the live tables from the star, of %d events in %d hours. %s",
        result.differences,
        result.events_compared,
        result.hours_compared,
        result.reason,
    )
    loaded_at: Any = inputs[0]["loaded_at"] if inputs else None
    return replace(result, loaded_at=loaded_at)


def _find_loaded_messages(
    settings: Settings,
    topic_id: str,
    inputs: Iterable[Mapping[str, Any]],
    oldest_load: Any,
    recent_from: datetime,
) -> LoadedMessages:
    """Return the messages of the inputs since a load; an older input is read only for a partition without any since.

    :param inputs: input_id and loaded_at, the newest first.
    :param oldest_load: the time of the load; None if the live tables have no events.
    :param recent_from: the rejected messages of inputs that were loaded since are compared, if not those of all inputs.
    """
    lake = Lake(settings.lake_url)
    partitions = LandedTopic(lake.url, settings.require_kafka().topic, topic_id).read_positions().keys()
    input_ids: list[str] = []
    recent_input_ids: list[str] = []
    next_offsets: dict[int, int] = {}
    first_offsets: dict[int, int] = {}
    recent_first_offsets: dict[int, int] = {}
    for row in inputs:
        if (oldest_load is None or row["loaded_at"] < oldest_load) and partitions <= next_offsets.keys():
            break
        input_id = str(row["input_id"])
        ranges = list_input_ranges(f"{lake.url}/feed/{input_id}")
        # The id contains that of the topic: a topic that was created again has inputs of the same name.
        if compute_input_id(topic_id, ranges) != input_id:
            continue
        input_ids.append(input_id)
        for offsets in ranges:
            next_offsets[offsets.partition] = max(next_offsets.get(offsets.partition, 0), offsets.next)
            first_offsets[offsets.partition] = min(first_offsets.get(offsets.partition, offsets.first), offsets.first)
        if row["loaded_at"] >= recent_from:
            recent_input_ids.append(input_id)
            recent_first_offsets = dict(first_offsets)
    if not any(first_offsets.values()):
        return LoadedMessages(tuple(input_ids), next_offsets, tuple(input_ids), {})
    # A partition without a recent input has no recent message.
    return LoadedMessages(tuple(input_ids), next_offsets, tuple(recent_input_ids), next_offsets | recent_first_offsets)
