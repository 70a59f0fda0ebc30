"""A Spark cluster on this machine: a standalone master and workers of one core each, started from the pyspark wheel."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pyspark

from tests.processes import find_free_port

_SPARK_CLASS = Path(pyspark.__file__).parent / "bin" / "spark-class"
_OPTIONS = ["--host", "127.0.0.1", "--webui-port", "0"]
_START_SECONDS = 120


@contextmanager
def start_cluster(folder: Path, worker_count: int) -> Iterator[str]:
    """Yield the URL of the master.

    :param folder: for logs and the workers' files.
    :raises TimeoutError: if a process does not start; the message has its log.
    """
    port = find_free_port()
    url = f"spark://127.0.0.1:{port}"
    resources = ["--cores", "1", "--memory", "1g", "--work-dir", str(folder / "work")]
    workers = [f"worker-{number}" for number in range(1, worker_count + 1)]
    with ExitStack() as stack:
        master = ["org.apache.spark.deploy.master.Master", *_OPTIONS, "--port", str(port)]
        stack.enter_context(_run_process(folder, "master", master))
        _wait_for(folder / "master.log", r"New state: ALIVE")
        for name in workers:
            worker = ["org.apache.spark.deploy.worker.Worker", *_OPTIONS, *resources, url]
            stack.enter_context(_run_process(folder, name, worker))
        for name in workers:
            _wait_for(folder / f"{name}.log", r"Successfully registered with master")
        yield url


@contextmanager
def _run_process(folder: Path, name: str, arguments: list[str]) -> Iterator[None]:
    environ = {**os.environ, "SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable}
    with (folder / f"{name}.log").open("w") as log:
        process = subprocess.Popen(
            [str(_SPARK_CLASS), *arguments], env=environ, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def _wait_for(log: Path, pattern: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not re.search(pattern, log.read_text()):
        if time.monotonic() > deadline:
            raise TimeoutError(log.read_text()[-2000:])
        time.sleep(0.3)
