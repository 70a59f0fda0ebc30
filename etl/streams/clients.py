"""Options of Kafka clients, and messages for their errors."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from etl.errors import ActionNeededError, EtlError, TryAgainError
from etl.settings import KafkaSettings

REQUEST_SECONDS = 15.0
"""How long a request to Kafka may take."""

_RECENT_SECONDS = 2 * REQUEST_SECONDS

ClientOptions = dict[str, Any]
Result = TypeVar("Result")

_MISSING_TOPIC = "A topic is missing. bin/run --streams creates the topics; elsewhere run bin/create-topics."
_ACTION_NEEDED = {
    KafkaError._AUTHENTICATION: "Kafka refuses the user or the password. Check KAFKA_SASL_USERNAME and"
    " KAFKA_SASL_PASSWORD.",
    KafkaError.SASL_AUTHENTICATION_FAILED: "Kafka refuses the user or the password. Check KAFKA_SASL_USERNAME and"
    " KAFKA_SASL_PASSWORD.",
    KafkaError._SSL: "The TLS connection to Kafka fails. Check KAFKA_SECURITY_PROTOCOL and KAFKA_SSL_CA_LOCATION.",
    KafkaError.TOPIC_AUTHORIZATION_FAILED: "The Kafka user may not use the topic. Grant the rights of docs/streams.md.",
    KafkaError.UNKNOWN_TOPIC_OR_PART: _MISSING_TOPIC,
    KafkaError._UNKNOWN_TOPIC: _MISSING_TOPIC,
    KafkaError.GROUP_AUTHORIZATION_FAILED: "The Kafka user may not use the consumer group. Grant the rights of"
    " docs/streams.md.",
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: "The Kafka user may not do this on the cluster. Grant the rights of"
    " docs/streams.md.",
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED: "The Kafka user may not use transactions. Grant the rights of"
    " docs/streams.md.",
}


class ErrorLog:
    """The last error that a client reported in the background, such as a refused password.

    A request that fails for such a reason only times out; the reason reaches the client's ``error_cb``. An error is
    forgotten after a while, so that it does not explain later failures: the client repeats it for as long as it lasts.
    """

    def __init__(self) -> None:
        self._last: KafkaError | None = None
        self._recorded_at = 0.0

    @property
    def last(self) -> KafkaError | None:
        """Return the last error; None if it was long ago."""
        return self._last if time.monotonic() - self._recorded_at < _RECENT_SECONDS else None

    def record(self, error: KafkaError) -> None:
        """Record an error, unless it is less specific than the recorded one."""
        last = self.last
        if last is None or last.code() not in _ACTION_NEEDED or error.code() == last.code():
            self._last, self._recorded_at = error, time.monotonic()

    def explain(self, error: KafkaError, kafka: KafkaSettings) -> EtlError:
        """Return an error for the operator, for one that a request raised."""
        last = self.last
        causes = [error, *([last] if last else [])]
        known_cause = next((cause for cause in causes if cause.code() in _ACTION_NEEDED), None)
        if known_cause is not None:
            return ActionNeededError(f"{_ACTION_NEEDED[known_cause.code()]} ({kafka.bootstrap_servers})")
        details = ", ".join(dict.fromkeys(cause.str() for cause in causes))
        return TryAgainError(f"Kafka at {kafka.bootstrap_servers} does not respond as expected ({details}).")

    def explain_timeout(self, kafka: KafkaSettings) -> EtlError:
        """Return an error for the operator, for a request without a response."""
        return self.explain(KafkaError(KafkaError._TIMED_OUT), kafka)


def build_client_options(kafka: KafkaSettings, errors: ErrorLog | None = None) -> ClientOptions:
    """Return the options that every client of confluent_kafka needs.

    :param errors: receives the errors that the client reports in the background.
    """
    options: ClientOptions = {
        "bootstrap.servers": kafka.bootstrap_servers,
        "security.protocol": kafka.security_protocol,
        "log_level": 0,  # ``errors`` has them; the client would print one line for each attempt to connect
    }
    if errors is not None:
        options["error_cb"] = errors.record
    if kafka.security_protocol.startswith("SASL_"):
        options |= {
            "sasl.mechanism": kafka.sasl_mechanism,
            "sasl.username": kafka.sasl_username,
            "sasl.password": kafka.sasl_password,
        }
    if kafka.ssl_ca_location:
        options["ssl.ca.location"] = kafka.ssl_ca_location
    return options


def build_spark_options(kafka: KafkaSettings) -> dict[str, str]:
    """Return the same options for Spark's source and sink."""
    options = {
        "kafka.bootstrap.servers": kafka.bootstrap_servers,
        "kafka.security.protocol": kafka.security_protocol,
    }
    if kafka.security_protocol.startswith("SASL_"):
        options["kafka.sasl.mechanism"] = kafka.sasl_mechanism
        options["kafka.sasl.jaas.config"] = _build_jaas_config(kafka)
    if kafka.ssl_ca_location:
        options |= {"kafka.ssl.truststore.type": "PEM", "kafka.ssl.truststore.location": kafka.ssl_ca_location}
    return options


def run_request(kafka: KafkaSettings, request: Callable[[AdminClient], Result]) -> Result:
    """Run a request of an administration client and return its result.

    :raises EtlError: if Kafka cannot be reached or refuses the request.
    """
    errors = ErrorLog()
    client = AdminClient(build_client_options(kafka, errors))
    _wait_for_connection(client, errors, kafka)
    try:
        return request(client)
    except KafkaException as error:
        raise errors.explain(error.args[0], kafka) from error
    except TimeoutError as error:  # of a future
        raise errors.explain_timeout(kafka) from error


def _wait_for_connection(client: AdminClient, errors: ErrorLog, kafka: KafkaSettings) -> None:
    """Wait until Kafka responds, and raise an error as soon as it refuses the user."""
    deadline = time.monotonic() + REQUEST_SECONDS
    while True:
        try:
            client.list_topics(timeout=1)
            return
        except KafkaException as error:
            client.poll(0)  # calls ``errors.record``
            explanation = errors.explain(error.args[0], kafka)
            if isinstance(explanation, ActionNeededError) or time.monotonic() > deadline:
                raise explanation from error


def _build_jaas_config(kafka: KafkaSettings) -> str:
    is_plain = kafka.sasl_mechanism == "PLAIN"
    module = "plain.PlainLoginModule" if is_plain else "scram.ScramLoginModule"
    username, password = (
        value.replace("\\", "\\\\").replace('"', '\\"') for value in (kafka.sasl_username, kafka.sasl_password)
    )
    return f'org.apache.kafka.common.security.{module} required username="{username}" password="{password}";'
