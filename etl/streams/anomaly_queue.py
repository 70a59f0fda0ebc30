"""The queue of findings about users who may behave anomalously: a topic of Kafka, or an Azure Storage queue.

A finding is one message: a JSON object with the columns of mart.anomaly. Publish before the transaction that stores the
findings commits: a message may then come twice after a failure, but none is lost. Readers tell messages apart by
user_id, rule and window_start; of several the last one counts.
"""

import json
import logging
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Protocol

from azure.core.exceptions import AzureError, HttpResponseError, ResourceExistsError, ServiceRequestError
from azure.storage.queue import LinearRetry, QueueClient, TextBase64EncodePolicy
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from etl.errors import ActionNeededError, EtlError, TryAgainError
from etl.settings import KafkaSettings, Settings
from etl.streams.clients import REQUEST_SECONDS, ErrorLog, build_client_options

AZURE_QUEUE = "spotify-anomalies"
AZURE_API_VERSION = "2025-11-05"

_REFUSED = (401, 403)

# Each request would be a line of a task's log.
logging.getLogger("azure.core.pipeline.policies.http_logging_policy").setLevel(logging.WARNING)


class AnomalyQueue(Protocol):
    """A queue of findings."""

    def publish(self, findings: Iterable[Mapping[str, object]]) -> int:
        """Publish findings, and return their number once the queue has confirmed all of them.

        :param findings: the columns of mart.anomaly.
        :raises ActionNeededError: if the queue refuses the credentials, or does not exist.
        :raises TryAgainError: if it cannot be reached; some of the findings may be published.
        """
        ...


def open_anomaly_queue(settings: Settings) -> AnomalyQueue:
    """Return the Azure queue if its connection string is set, else the topic of Kafka.

    :raises ActionNeededError: if neither is set, or the connection string is not one.
    """
    if settings.anomaly_queue_connection_string:
        return AzureAnomalyQueue(settings.anomaly_queue_connection_string)
    return KafkaAnomalyQueue(settings.require_kafka())


class KafkaAnomalyQueue:
    """The topic of findings; the key of a message is the user's id."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka
        self._errors = ErrorLog()
        options = {
            "enable.idempotence": True,
            "delivery.timeout.ms": round(REQUEST_SECONDS * 1000),
            "topic.metadata.propagation.max.ms": 1000,  # A missing topic is reported at once.
        }
        self._producer = Producer(build_client_options(kafka, self._errors) | options)

    def publish(self, findings: Iterable[Mapping[str, object]]) -> int:
        """Publish findings, as ``AnomalyQueue.publish`` says."""
        failures: list[KafkaError] = []
        count = 0

        def record_delivery(error: KafkaError | None, _: Message) -> None:
            if error is not None:
                failures.append(error)

        try:
            for finding in findings:
                self._producer.produce(
                    self._kafka.anomaly_topic,
                    key=str(finding["user_id"]).encode(),
                    value=format_finding(finding).encode(),
                    on_delivery=record_delivery,
                )
                self._producer.poll(0)
                count += 1
            if self._producer.flush(2 * REQUEST_SECONDS):
                failures.append(KafkaError(KafkaError._TIMED_OUT))
        except (KafkaException, BufferError) as error:
            cause = error.args[0] if isinstance(error, KafkaException) else KafkaError(KafkaError._QUEUE_FULL)
            raise self._errors.explain(cause, self._kafka) from error
        if failures:
            raise self._errors.explain(failures[0], self._kafka)
        return count


class AzureAnomalyQueue:
    """A queue of Azure Storage; messages are encoded in Base64, as Azure Functions expect them."""

    def __init__(self, connection_string: str) -> None:
        try:
            self._client = QueueClient.from_connection_string(
                connection_string,
                AZURE_QUEUE,
                api_version=AZURE_API_VERSION,
                message_encode_policy=TextBase64EncodePolicy(),
                retry_policy=LinearRetry(backoff=1, retry_total=2),
                connection_timeout=REQUEST_SECONDS,
            )
        except ValueError as error:
            raise ActionNeededError(
                "ANOMALY_QUEUE_CONNECTION_STRING is no connection string of Azure Storage: copy it from the access keys"
                " of the storage account."
            ) from error
        self._has_queue = False

    def publish(self, findings: Iterable[Mapping[str, object]]) -> int:
        """Publish findings, as ``AnomalyQueue.publish`` says; the first call creates the queue if it is missing."""
        count = 0
        try:
            self._ensure_queue()
            for finding in findings:
                self._client.send_message(format_finding(finding))
                count += 1
        except AzureError as error:
            raise _explain_azure_error(error) from error
        return count

    def _ensure_queue(self) -> None:
        if self._has_queue:
            return
        with suppress(ResourceExistsError):
            self._client.create_queue()
        self._has_queue = True


def format_finding(finding: Mapping[str, object]) -> str:
    """Return a finding as a JSON object; timestamps in ISO 8601."""
    return json.dumps(
        {name: value.isoformat() if isinstance(value, datetime) else value for name, value in finding.items()}
    )


def _explain_azure_error(error: AzureError) -> EtlError:
    if isinstance(error, HttpResponseError) and error.status_code in _REFUSED:
        return ActionNeededError(
            "Azure Storage refuses the access key. Check ANOMALY_QUEUE_CONNECTION_STRING and the account's firewall."
        )
    reason = "cannot be reached" if isinstance(error, ServiceRequestError) else f"fails ({type(error).__name__})"
    return TryAgainError(f"The queue {AZURE_QUEUE} of Azure Storage {reason}.")
