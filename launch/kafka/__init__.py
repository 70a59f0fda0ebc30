"""The embedded Kafka: one broker for each STATE_DIR, on loopback, with passwords from its first start.

    jars     Kafka's jars, fetched once
    storage  its settings, ports and data folder
    access   the settings and rights of its users
    broker   start and stop it

Users: ``admin`` (the broker's own) and ``warehouse`` (the product's streams: topics whose names begin with
SpotifyWrapped, consumer groups and transactions); their passwords are in STATE_DIR/secrets.
"""

from launch.kafka.access import resolve_kafka_variables
from launch.kafka.broker import Broker, run_embedded_broker
from launch.kafka.jars import link_jars, resolve_jars

__all__ = ["Broker", "link_jars", "resolve_jars", "resolve_kafka_variables", "run_embedded_broker"]
