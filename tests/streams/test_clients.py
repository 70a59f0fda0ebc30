"""Errors of Kafka clients."""

import time

import pytest
from confluent_kafka import KafkaError

from etl.errors import ActionNeededError, TryAgainError
from etl.settings import read_settings
from etl.streams.clients import ErrorLog

KAFKA = read_settings({"WAREHOUSE_URL": "unused", "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"}).require_kafka()


def test_an_old_error_does_not_explain_a_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    errors = ErrorLog()
    errors.record(KafkaError(KafkaError._AUTHENTICATION))
    errors.record(KafkaError(KafkaError._TRANSPORT))
    assert isinstance(errors.explain_timeout(KAFKA), ActionNeededError)
    later = time.monotonic() + 60
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert isinstance(errors.explain_timeout(KAFKA), TryAgainError)
