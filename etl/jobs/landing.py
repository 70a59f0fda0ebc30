"""The process that lands the topic of events in the lake."""

from threading import Event

from etl.jobs.streamed_events import find_rejection_reasons
from etl.settings import KafkaSettings, Settings
from etl.streams import landing
from etl.streams.messages import RegistryAddress


def land_messages(settings: Settings, should_stop: Event) -> None:
    """Land the messages of the topic until the event is set.

    :raises ActionNeededError: if no Kafka is set, or if the operator must act first.
    """
    registry = get_registry_address(settings.require_kafka())
    landing.run_landing(settings, find_rejection_reasons, registry, should_stop)


def get_registry_address(kafka: KafkaSettings) -> RegistryAddress | None:
    """Return where the schemas of values in the Confluent wire format are; None if no registry is set."""
    if not kafka.schema_registry_url:
        return None
    return RegistryAddress(kafka.schema_registry_url, kafka.schema_registry_user_info)
