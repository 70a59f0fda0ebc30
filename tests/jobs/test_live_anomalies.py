"""The query for anomalies: the events that it reads, and its starts after a failure."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast
from unittest.mock import Mock

import pyarrow as pa
import pytest
from pyspark.sql import DataFrame

from etl.errors import ActionNeededError
from etl.jobs.live_anomalies import AnomalyQuery, _parse_batches
from etl.settings import read_settings
from etl.streams.messages import MESSAGE_SCHEMA
from tests.jobs.topic_events import encode_event, make_event

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


def test_an_event_of_a_wrong_clock_has_the_time_of_its_receipt(tmp_path: Path) -> None:
    rows = [
        {"partition": 3, "offset": 0, "timestamp": NOW, "value": encode_event(make_event(at)), "schema_version": "2"}
        for at in (NOW + timedelta(hours=20), NOW - timedelta(hours=1))
    ]
    batch = pa.RecordBatch.from_pylist(rows, schema=MESSAGE_SCHEMA)
    (parsed,) = _parse_batches([batch], None, tmp_path.as_uri())
    events = parsed.to_pylist()
    assert [event["event_time"] for event in events] == [NOW, NOW - timedelta(hours=1)]
    assert [event["ended_at"] - event["event_time"] for event in events] == [timedelta(milliseconds=60_000)] * 2


def test_a_failing_queue_delays_the_next_start_and_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr("etl.jobs.live_anomalies.time.monotonic", lambda: clock[0])
    query = AnomalyQuery(read_settings({"WAREHOUSE_URL": "unused"}), Mock(), "unused")
    starts: list[float] = []

    def start() -> None:
        starts.append(clock[0])
        query._query = Mock(isActive=False, exception=Mock(return_value=None))

    monkeypatch.setattr(query, "start", start)
    monkeypatch.setattr(query, "_write", Mock(side_effect=ActionNeededError("The key of the queue is wrong.")))
    start()
    for second in range(100, 110):
        clock[0] = float(second)
        if query._query is not None:
            with pytest.raises(ActionNeededError):
                query._write_batch(cast(DataFrame, None), 0)
        query.check()
    assert starts == [100, 101, 104, 109]
    assert query.last_error == "The query for anomalies has ended: The key of the queue is wrong."
    monkeypatch.setattr(query, "_write", Mock())
    query._write_batch(cast(DataFrame, None), 0)
    assert query.last_error == ""
