"""Transactions of dead letters, with a producer that records its calls."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pyarrow as pa
import pytest

from etl.settings import read_settings
from etl.streams import dead_letters, landing
from etl.streams.dead_letters import DEAD_LETTER_SCHEMA, DeadLetterSender
from etl.streams.landing import LandingSession
from tests.streams.test_messages import RECEIVED_AT


def test_the_watch_expects_each_transaction_by_itself(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Fifty transactions may take fifty minutes, without a fault."""
    calls: list[str] = []
    producer = Mock()
    producer.begin_transaction = lambda: calls.append("begin")
    producer.commit_transaction = lambda _seconds: calls.append("commit")
    monkeypatch.setattr(dead_letters, "Producer", lambda _options: producer)
    monkeypatch.setattr(dead_letters, "_TRANSACTION_LETTERS", 2)
    contents: dict[str, Any] = {"key": b"k", "value": b"v", "schema_version": "2", "reason": "r"}
    rows = [{"partition": 3, "offset": offset, "timestamp": RECEIVED_AT, **contents} for offset in range(5)]
    environ = {"WAREHOUSE_URL": "postgresql://h/d", "STATE_DIR": str(tmp_path), "KAFKA_BOOTSTRAP_SERVERS": "h:1"}
    settings = read_settings(environ)
    session = LandingSession.__new__(LandingSession)  # without a consumer
    session._settings, session._kafka = settings, settings.require_kafka()
    session._sender = DeadLetterSender(settings.require_kafka(), "id")
    session._unsent = [SimpleNamespace(partition=3, next=5)]  # type: ignore[list-item]
    session._consumer, session._landed = Mock(), Mock()
    session._consumer.fetch_committed.return_value = {3: 0}
    session._landed.read_dead_letters.return_value = pa.Table.from_pylist(rows, DEAD_LETTER_SCHEMA)
    session._watch = Mock(expect_within=lambda seconds: calls.append(f"expect {seconds:.0f}"))
    session._send_dead_letters({3: 5})
    assert calls == [f"expect {landing._REQUESTS_SECONDS:.0f}", "begin", "commit"] * 3
