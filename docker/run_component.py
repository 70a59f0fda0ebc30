"""The entry point of containers: ``python docker/run_component.py NAME``.

``set-up`` creates the tables of the warehouse and of Airflow, then ends. ``first-start`` fills an empty warehouse as
``bin/run`` does, then ends. The names of Airflow's four components, of the dashboard, of Spark's two, of the streams'
two (``landing``, ``live``) and of the mock Spotify API run that component. Each gets the environment that ``bin/run``
gives its components: the keys and the web interface's password are created once, in STATE_DIR, which all containers
share. Without SPOTIPY_CLIENT_ID, Airflow's components use the mock API.
"""

import argparse
import os
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from etl.errors import EtlError
from launch import dashboard, mock_api
from launch.airflow_api import AirflowApi
from launch.airflow_components import COMPONENT_OPTIONS, Airflow
from launch.environment import build_environment, get_dashboard_port, get_state_dir, get_web_login
from launch.streams import build_environment as select_stream_variables

_SPARK_COMMANDS = {
    "spark-master": ["org.apache.spark.deploy.master.Master", "--host", "spark-master", "--port", "7077"],
    "spark-worker": [
        "org.apache.spark.deploy.worker.Worker",
        "--work-dir",
        "/tmp/spark-work",
        "spark://spark-master:7077",
    ],
}
_STREAM_MODULES = {"landing": "launch.run_landing", "live": "launch.run_live_queries"}
_SERVERS = ("dashboard", "mock-api")
_ALL_ADDRESSES = "0.0.0.0"
"""Inside a container: only the compose network reaches it, and the host where a port is published."""
_MOCK_API_PORT = 8899
_MOCK_API_URL = f"http://mock-api:{_MOCK_API_PORT}"
_API_URL = "http://api-server:8080"
_IMAGE_JARS = Path("/opt/spark-jars")


def main(arguments: list[str]) -> int:
    """Run the component; return only from those that end: 0, or 1 after an error message."""
    tasks: dict[str, Callable[[dict[str, str]], int]] = {"set-up": _set_up, "first-start": _start_first_runs}
    parser = argparse.ArgumentParser(prog="docker/run_component.py", description=__doc__.splitlines()[0])
    names = [*tasks, *COMPONENT_OPTIONS, *_SERVERS, *_SPARK_COMMANDS, *_STREAM_MODULES]
    parser.add_argument("name", choices=names)
    name = parser.parse_args(arguments).name
    if name in _SPARK_COMMANDS:
        _exec_command([_find_spark_class(), *_SPARK_COMMANDS[name]], dict(os.environ))
    if name in _SERVERS:
        _exec_server(name, dict(os.environ))
    environ = build_environment(get_state_dir(), None)
    if name in _STREAM_MODULES:
        _exec_command([sys.executable, "-m", _STREAM_MODULES[name]], select_stream_variables(environ, name))
    if mock_api.is_mock_api_needed(environ):
        environ = mock_api.set_mock_api_variables(environ, _MOCK_API_URL)
    try:
        if name in tasks:
            return tasks[name](environ)
        if name == "scheduler":
            _prepare_scheduling(environ)
        _exec_command([sys.executable, "-m", "airflow", name, *COMPONENT_OPTIONS[name]], environ)
        return 0
    except EtlError as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _exec_server(name: str, environ: dict[str, str]) -> None:
    """Become a server that gets no secret: its container has none."""
    state = get_state_dir()
    if name == "dashboard":
        command = dashboard.build_command(get_dashboard_port(), _ALL_ADDRESSES)
        _exec_command(command, dashboard.build_environment(state, environ))
    command = mock_api.build_command(state, environ, _MOCK_API_PORT, _ALL_ADDRESSES)
    _exec_command(command, mock_api.select_passed_variables(environ))


def _set_up(environ: dict[str, str]) -> int:
    from etl.load.migrate import migrate_warehouse
    from etl.settings import read_settings
    from etl.streams.topics import create_topics
    from launch.preconditions import check_settings, check_warehouse
    from launch.spark_jars import use_image_jars

    check_settings()
    settings = read_settings(environ)
    check_warehouse(environ["WAREHOUSE_URL"])
    migrate_warehouse(environ["WAREHOUSE_URL"])
    Airflow(get_state_dir(), environ, _make_api()).migrate_database()
    use_image_jars(_IMAGE_JARS, get_state_dir(), environ)
    if settings.kafka is not None:
        create_topics(settings.kafka)
    user, _ = get_web_login(get_state_dir())
    sys.stdout.write(f"Ready. The web interface's user is {user}, its password is in {get_state_dir()}/secrets.\n")
    return 0


def _start_first_runs(environ: dict[str, str]) -> int:
    from launch.first_start import run_first_start

    return run_first_start(environ, _make_api())


def _prepare_scheduling(environ: dict[str, str]) -> None:
    from launch.first_start import prepare_scheduling

    prepare_scheduling(environ, _make_api())


def _make_api() -> AirflowApi:
    return AirflowApi(_API_URL, *get_web_login(get_state_dir()))


def _exec_command(command: list[str], environ: dict[str, str]) -> None:
    os.umask(0o077)
    os.execvpe(command[0], command, environ)


def _find_spark_class() -> str:
    package = find_spec("pyspark")
    if package is None or package.origin is None:
        raise RuntimeError("pyspark is not installed in this image")
    return str(Path(package.origin).parent / "bin" / "spark-class")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
