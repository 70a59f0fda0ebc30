"""bin/create-topics: create the missing topics of Kafka, check the others, and describe all."""

import os
import sys
from typing import Annotated

import typer

from etl.settings import read_settings
from etl.streams.topics import TopicDescription, create_topics, describe_topic, list_topics
from launch.command_line import run_command
from launch.console import Screen
from launch.environment import NO_WAREHOUSE_URL, get_state_dir
from launch.kafka import resolve_kafka_variables

_SHOWN_OPTIONS = ("cleanup.policy", "retention.ms", "message.timestamp.type")


def main(arguments: list[str]) -> int:
    """Run bin/create-topics; return its exit code."""
    return run_command("create-topics", create_and_describe, arguments)


def create_and_describe(
    replication_factor: Annotated[
        int, typer.Option(help="Copies of each new topic in the cluster; -1: the cluster's default.")
    ] = -1,
) -> int:
    """Create the missing topics of the Kafka of KAFKA_BOOTSTRAP_SERVERS, check the others, and describe all."""
    variables = resolve_kafka_variables(get_state_dir(), os.environ)
    kafka = read_settings({**os.environ, **variables, "WAREHOUSE_URL": NO_WAREHOUSE_URL}).require_kafka()
    created = create_topics(kafka, replication_factor)
    screen = Screen()
    for topic in list_topics(kafka):
        screen.print_line(format_description(describe_topic(kafka, topic.name), topic.name in created))
    return 0


def format_description(description: TopicDescription, is_new: bool) -> str:
    """Return a line about a topic."""
    options = ", ".join(f"{name} {description.options.get(name, '–')}" for name in _SHOWN_OPTIONS)
    state = "created" if is_new else "exists"
    partitions = f"{description.partition_count} partition{'' if description.partition_count == 1 else 's'}"
    return f"{description.name:<28} {state:<8} {partitions:<14} id {description.topic_id}  {options}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
