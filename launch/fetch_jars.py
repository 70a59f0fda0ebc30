"""Fetch Spark's jars into STATE_DIR where the tasks are not started by bin/run: python -m launch.fetch_jars.

Further arguments are Maven coordinates, such as org.apache.hadoop:hadoop-aws:3.4.2, of jars that all sessions use.
"""

import argparse
import os
import sys

from launch.console import Screen, report_errors
from launch.environment import get_state_dir
from launch.spark_jars import resolve_additional_jars, resolve_jars, resolve_kafka_jars


def main(arguments: list[str]) -> int:
    """Fetch the missing jars; return 0, or 1 after an error message."""
    parser = argparse.ArgumentParser(prog="python -m launch.fetch_jars", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("coordinates", nargs="*", help="Maven coordinates of further jars for all sessions")
    coordinates: list[str] = parser.parse_args(arguments).coordinates
    return report_errors(lambda: fetch_jars(coordinates))


def fetch_jars(coordinates: list[str]) -> int:
    """Fetch the missing jars of the product's sessions, also those of streams, and further ones; return 0.

    :raises EtlError: if they cannot be fetched.
    """
    screen, state = Screen(), get_state_dir()
    environ = {**os.environ, "AIRFLOW_HOME": str(state)}
    with screen.show_step("Spark's jars"):
        resolve_jars(state, environ)
    with screen.show_step("Spark's jars for Kafka"):
        resolve_kafka_jars(state, environ)
    if coordinates:
        with screen.show_step("Further jars"):
            resolve_additional_jars(state, environ, coordinates)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
