"""The access of clients to the embedded broker: their settings, whether it responds, and what users may do."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from etl.errors import ActionNeededError
from launch.kafka.storage import CLIENT, MECHANISM, get_port_file
from launch.ports import HOST, is_port_open
from launch.secrets_store import get_secret


def build_variables(state: Path, port: int, user: str) -> dict[str, str]:
    """Return the KAFKA_* variables of clients of the embedded broker."""
    return {
        "KAFKA_BOOTSTRAP_SERVERS": f"{HOST}:{port}",
        "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
        "KAFKA_SASL_MECHANISM": MECHANISM,
        "KAFKA_SASL_USERNAME": user,
        "KAFKA_SASL_PASSWORD": get_secret(state, f"kafka-{user}"),
    }


def resolve_kafka_variables(state: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that a command adds to its environment to reach Kafka.

    :returns: those of the embedded broker if it runs; none if ``environ`` names another Kafka.
    :raises ActionNeededError: if there is no Kafka.
    """
    if environ.get("KAFKA_BOOTSTRAP_SERVERS"):
        return {}
    port_file = get_port_file(state)
    if port_file.exists() and is_port_open(port := int(port_file.read_text(encoding="utf-8"))):
        variables = build_variables(state, port, CLIENT)
        if is_responding(variables):
            return variables
    raise ActionNeededError("Kafka is not running: start bin/run --streams, or set KAFKA_BOOTSTRAP_SERVERS.")


def is_responding(variables: Mapping[str, str]) -> bool:
    """Return whether the broker that KAFKA_* variables name lets their user in within a second."""
    with suppress(KafkaException):
        return bool(_make_admin_client(variables).list_topics(timeout=1).brokers)
    return False


def grant_client_access(variables: Mapping[str, str], topic_prefix: str) -> None:
    """Let the streams' user use topics, consumer groups and transactions; repeating it changes nothing.

    It may change neither users, access rights nor the broker.

    :param variables: the KAFKA_* variables of the broker's own user.
    :param topic_prefix: how the names of its topics begin.
    """
    resources = (
        (ResourceType.TOPIC, topic_prefix, ResourcePatternType.PREFIXED),
        (ResourceType.GROUP, "*", ResourcePatternType.LITERAL),
        (ResourceType.TRANSACTIONAL_ID, "*", ResourcePatternType.LITERAL),
    )
    bindings = [
        AclBinding(kind, name, pattern, f"User:{CLIENT}", HOST, AclOperation.ALL, AclPermissionType.ALLOW)
        for kind, name, pattern in resources
    ]
    client = _make_admin_client(variables)  # the results of a client that no variable holds are lost
    for result in client.create_acls(bindings, request_timeout=10).values():
        result.result()


def _make_admin_client(variables: Mapping[str, str]) -> AdminClient:
    return AdminClient(
        {
            "bootstrap.servers": variables["KAFKA_BOOTSTRAP_SERVERS"],
            "security.protocol": variables["KAFKA_SECURITY_PROTOCOL"],
            "sasl.mechanism": variables["KAFKA_SASL_MECHANISM"],
            "sasl.username": variables["KAFKA_SASL_USERNAME"],
            "sasl.password": variables["KAFKA_SASL_PASSWORD"],
            "log_level": 0,
        }
    )
