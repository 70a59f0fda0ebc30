"""The entry point of containers: ``python docker/run_component.py NAME``.

``set-up`` creates the tables of the warehouse and of Airflow and fetches Spark's jars, then ends. The names of
Airflow's four components, of Spark's two and of the mock Spotify API run that component. Each gets the environment that
``bin/run`` gives its components: the keys and the web interface's password are created once, in STATE_DIR, which all
containers share. Without SPOTIPY_CLIENT_ID, Airflow's components use the mock API.
"""

import argparse
import os
import sys
from importlib.util import find_spec
from pathlib import Path

from etl.errors import EtlError
from launch.airflow_components import COMPONENT_OPTIONS, Airflow
from launch.environment import build_environment, get_api_url, get_state_dir, get_web_login
from launch.mock_api import build_command, is_mock_api_needed, select_passed_variables, set_mock_api_variables

_SPARK_COMMANDS = {
    "spark-master": ["org.apache.spark.deploy.master.Master", "--host", "spark-master", "--port", "7077"],
    "spark-worker": [
        "org.apache.spark.deploy.worker.Worker",
        "--work-dir",
        "/tmp/spark-work",
        "spark://spark-master:7077",
    ],
}
_MOCK_API = "stand-in"
_MOCK_API_PORT = 8899
"""On the loopback of the container that runs tasks: the container of the mock API shares its network."""


def main(arguments: list[str]) -> int:
    """Set up, or run the component; return only from ``set-up``: 0, or 1 after an error message."""
    parser = argparse.ArgumentParser(prog="docker/run_component.py", description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=["set-up", *COMPONENT_OPTIONS, *_SPARK_COMMANDS, _MOCK_API])
    name = parser.parse_args(arguments).name
    if name in _SPARK_COMMANDS:
        _exec_command([_find_spark_class(), *_SPARK_COMMANDS[name]], dict(os.environ))
    environ = build_environment(get_state_dir(), None)
    if name == _MOCK_API:
        _exec_command(build_command(get_state_dir(), environ, _MOCK_API_PORT), select_passed_variables(environ))
    if is_mock_api_needed(environ):
        environ = set_mock_api_variables(environ, f"http://127.0.0.1:{_MOCK_API_PORT}")
    if name in COMPONENT_OPTIONS:
        _exec_command([sys.executable, "-m", "airflow", name, *COMPONENT_OPTIONS[name]], environ)
    try:
        _set_up(environ)
    except EtlError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    user, _ = get_web_login(get_state_dir())
    sys.stdout.write(f"Ready. The web interface's user is {user}, its password is in {get_state_dir()}/secrets.\n")
    return 0


def _set_up(environ: dict[str, str]) -> None:
    from etl.load.migrate import migrate_warehouse
    from launch.airflow_api import AirflowApi
    from launch.preconditions import check_settings, check_warehouse
    from launch.spark_jars import resolve_jars
    from launch.spotify import ensure_spotify_pools

    check_settings()
    check_warehouse(environ["WAREHOUSE_URL"])
    migrate_warehouse(environ["WAREHOUSE_URL"])
    airflow = Airflow(get_state_dir(), environ, AirflowApi(get_api_url(), *get_web_login(get_state_dir())))
    airflow.migrate_database()
    ensure_spotify_pools(airflow, environ)
    resolve_jars(get_state_dir(), environ)


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
