"""What a container runs: ``python docker/part.py NAME``.

``set-up`` makes the tables of the warehouse and of Airflow and fetches Spark's jars, then ends. The names of Airflow's
four parts, of Spark's two and of the stand-in for Spotify's API become that part. Each is started with the environment
that ``bin/run`` gives its parts: keys and the password of the web interface are made once, in STATE_DIR, which all
containers share; where SPOTIPY_CLIENT_ID is not set, Airflow's parts ask the stand-in.
"""

import argparse
import os
import sys
from importlib.util import find_spec
from pathlib import Path

from etl.errors import EtlError
from launch.airflow_parts import PARTS, Airflow
from launch.environment import api_url, environment, login, state_dir
from launch.stand_in import asking_stand_in, command, is_needed, told

_SPARK = {
    "spark-master": ["org.apache.spark.deploy.master.Master", "--host", "spark-master", "--port", "7077"],
    "spark-worker": [
        "org.apache.spark.deploy.worker.Worker",
        "--work-dir",
        "/tmp/spark-work",
        "spark://spark-master:7077",
    ],
}
_STAND_IN = "stand-in"
_STAND_IN_PORT = 8899
"""On loopback of the container in which tasks run: the stand-in's container shares its network."""


def main(arguments: list[str]) -> int:
    """Set up, or become the part; returns only from ``set-up``: 0, or 1 after a sentence that says what is wrong."""
    parser = argparse.ArgumentParser(prog="docker/part.py", description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=["set-up", *PARTS, *_SPARK, _STAND_IN])
    name = parser.parse_args(arguments).name
    if name in _SPARK:
        _become([_spark_class(), *_SPARK[name]], dict(os.environ))
    environ = environment(state_dir(), None)
    if name == _STAND_IN:
        _become(command(state_dir(), environ, _STAND_IN_PORT), told(environ))
    if is_needed(environ):
        environ = asking_stand_in(environ, f"http://127.0.0.1:{_STAND_IN_PORT}")
    if name in PARTS:
        _become([sys.executable, "-m", "airflow", name, *PARTS[name]], environ)
    try:
        _set_up(environ)
    except EtlError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    user, _ = login(state_dir())
    sys.stdout.write(f"Ready. The web interface's user is {user}, its password is in {state_dir()}/secrets.\n")
    return 0


def _set_up(environ: dict[str, str]) -> None:
    from etl.load.migrate import migrate
    from launch.airflow_api import AirflowApi
    from launch.jars import resolve_jars
    from launch.preconditions import check_settings, check_warehouse
    from launch.spotify import keep_spotify_pools

    check_settings()
    check_warehouse(environ["WAREHOUSE_URL"])
    migrate(environ["WAREHOUSE_URL"])
    airflow = Airflow(state_dir(), environ, AirflowApi(api_url(), *login(state_dir())))
    airflow.migrate()
    keep_spotify_pools(airflow, environ)
    resolve_jars(state_dir(), environ)


def _become(command: list[str], environ: dict[str, str]) -> None:
    os.umask(0o077)
    os.execvpe(command[0], command, environ)


def _spark_class() -> str:
    package = find_spec("pyspark")
    if package is None or package.origin is None:
        raise RuntimeError("pyspark is not installed in this image")
    return str(Path(package.origin).parent / "bin" / "spark-class")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
