"""A Java process of Spark that outlives a step: the next step finds its classes loaded and its code compiled.

Steps share the process alone. Each makes a SparkContext of its own in it, by its own options, and stops it at the end.
One step at a time uses it; a step that comes meanwhile starts its own Java, as does each one where this fails.

The address file in STATE_DIR/spark, readable by its owner alone, has the loopback port and the secret of a
``driver_server``. A client sends ``{"secret", "fingerprints"}`` and gets ``{"port", "secret", "pid"}`` of the gateway,
or the end of the connection if Java was started in another way than the client needs. It sends
``{"is_released": true}`` when its context is stopped. If the connection ends without that, the server ends Java.
"""

import fcntl
import hashlib
import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO

from py4j.clientserver import SHUTDOWN_FINALIZER_WORKER
from py4j.protocol import Py4JError
from pyspark import SparkContext
from pyspark.java_gateway import launch_gateway

from etl.passwords import generate_password
from etl.settings import CHECKOUT

log = logging.getLogger(__name__)
logging.getLogger("py4j.clientserver").setLevel(logging.WARNING)  # it reports each connection that a step closes

_LAUNCH_OPTIONS = re.compile(
    r"spark\.(master|submit\.deployMode|jars|jars\..*|driver\.(memory|extra.*|default.*)|hadoop\..*|yarn\..*|kubernetes\..*)"
)
"""Options that only the start of Java can set. All others are those of a context."""
_FOREIGN_VARIABLES = re.compile(r"_?AIRFLOW_.*|PYTEST_.*|_|PWD|OLDPWD|SHLVL|INVOCATION_ID|JOURNAL_STREAM")
"""Variables that differ from task to task, or of other programs: Java does not get them."""
_CONNECT_SECONDS = 5
_START_SECONDS = 120
_LOG_BYTES = 10 << 20
_LOG_LINES = 20


@dataclass(eq=False)
class SharedDriver:
    """The use of the shared Java process by one step; stands for the process in ``gateway.proc``."""

    pid: int
    log_file: Path
    _connection: socket.socket
    _lock: BinaryIO
    _log_start: int
    _exit_code: int | None = field(default=None, init=False)

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code of Java, as ``Popen.wait`` does.

        :raises subprocess.TimeoutExpired: if it still runs.
        """
        if self._exit_code is None:
            # A timeout of 0 would stand for a connection that never waits, and reports that by another error.
            self._connection.settimeout(None if timeout is None else max(timeout, 0.001))
            try:
                message = _read_message(self._connection)
            except TimeoutError:
                raise subprocess.TimeoutExpired("java", timeout or 0) from None
            # Without a message the server was killed, and Java with it.
            self._exit_code = message.get("exit_code", -signal.SIGKILL)
        return self._exit_code

    def kill(self) -> None:
        """Kill Java."""
        os.kill(self.pid, signal.SIGKILL)

    def release(self) -> None:
        """Give Java back, after its context was stopped."""
        try:
            self._connection.sendall(b'{"is_released": true}\n')
        except OSError:
            log.warning("Spark ended after the work was done.")
        self._leave()

    def discard(self) -> None:
        """Leave Java to its end, after a step that has failed; log what Java said during the step."""
        self._leave()
        try:
            with self.log_file.open("rb") as file:
                file.seek(self._log_start)
                lines = file.read().decode("utf-8", "replace").splitlines()[-_LOG_LINES:]
        except OSError:  # the failure of the step is what counts
            return
        if lines:
            log.warning("The last lines of %s:\n%s", self.log_file, "\n".join(lines))

    def _leave(self) -> None:
        gateway = SparkContext._gateway
        assert gateway is not None
        gateway.close()
        gateway._gateway_client.finalizer_deque.appendleft(SHUTDOWN_FINALIZER_WORKER)
        SparkContext._gateway = SparkContext._jvm = None
        self._connection.close()
        self._lock.close()


def attach_driver(
    state_dir: Path, options: Mapping[str, str], other_java_options: Iterable[str], idle_seconds: float
) -> SharedDriver | None:
    """Connect this process to the shared Java process, which is started if there is none that fits.

    The environment goes to Java: the caller hides its secrets from it.

    :param options: of the session.
    :param other_java_options: options for Java which a running process may have instead.
    :param idle_seconds: how long a new process waits for the next step.
    :returns: None if another step uses it, or it cannot be used; the reason is logged.
    """
    folder = state_dir / "spark"
    name = f"driver-{socket.gethostname()}"
    lock = (folder / f"{name}.lock").open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        log.info("Another step uses the shared Spark: this one starts its own.")
        lock.close()
        return None
    try:
        driver = _connect(folder / f"{name}.json", state_dir, options, other_java_options, idle_seconds, lock)
    except (OSError, ValueError, Py4JError) as error:
        log.warning("The shared Spark cannot be used (%s): this step starts its own.", error)
        driver = None
    if driver is None:
        lock.close()
    return driver


def _connect(
    address_file: Path,
    state_dir: Path,
    options: Mapping[str, str],
    other_java_options: Iterable[str],
    idle_seconds: float,
    lock: BinaryIO,
) -> SharedDriver | None:
    launch_options = {name: value for name, value in options.items() if _LAUNCH_OPTIONS.fullmatch(name)}
    environ = {name: value for name, value in os.environ.items() if not _FOREIGN_VARIABLES.fullmatch(name)}
    java_options = "spark.driver.extraJavaOptions"
    fingerprints = [
        _compute_fingerprint({**launch_options, java_options: value}, environ)
        for value in (launch_options[java_options], *other_java_options)
    ]
    log_file = _prepare_log(state_dir)
    log_start = log_file.stat().st_size
    contact = _greet_server(address_file, fingerprints)
    if contact is None:
        _start_server(address_file, log_file, fingerprints[0], launch_options, environ, idle_seconds)
        contact = _greet_server(address_file, fingerprints)
    if contact is None:
        log.warning("The shared Spark did not start (its log is %s): this step starts its own.", log_file)
        return None
    connection, reply = contact
    driver = SharedDriver(reply["pid"], log_file, connection, lock, log_start)
    _open_gateway(reply, driver)
    return driver


def _greet_server(address_file: Path, fingerprints: list[str]) -> tuple[socket.socket, dict[str, Any]] | None:
    """Return the connection to a server and its reply; None if there is no server that fits."""
    try:
        address = json.loads(address_file.read_bytes())
        connection = socket.create_connection(("127.0.0.1", address["port"]), _CONNECT_SECONDS)
    except (OSError, ValueError):
        return None
    try:
        connection.sendall(json.dumps({"secret": address["secret"], "fingerprints": fingerprints}).encode() + b"\n")
        connection.settimeout(_START_SECONDS)
        reply = _read_message(connection)
    except (OSError, ValueError):
        reply = {}
    if "port" in reply:
        return connection, reply
    connection.close()
    return None


def _start_server(
    address_file: Path,
    log_file: Path,
    fingerprint: str,
    options: Mapping[str, str],
    environ: Mapping[str, str],
    idle_seconds: float,
) -> None:
    """Start a server in a session of its own. Its listener is ready at once, and a client waits in its queue."""
    secret = generate_password()
    with socket.create_server(("127.0.0.1", 0)) as listener, log_file.open("ab") as output:
        draft = address_file.with_suffix(f".{os.getpid()}")
        draft.touch(0o600)
        draft.write_text(json.dumps({"port": listener.getsockname()[1], "secret": secret}), encoding="utf-8")
        draft.rename(address_file)
        specification = {
            "listener": listener.fileno(),
            "address_file": str(address_file),
            "secret": secret,
            "fingerprint": fingerprint,
            "options": dict(options),
            "idle_seconds": idle_seconds,
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "etl.engines.driver_server"],
            env=dict(environ),
            cwd=CHECKOUT,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            pass_fds=[listener.fileno()],
            start_new_session=True,
        )
        assert process.stdin is not None
        with process.stdin as stdin:
            stdin.write(json.dumps(specification).encode())


def _open_gateway(reply: Mapping[str, Any], driver: SharedDriver) -> None:
    """Make the gateway that Spark's next context uses."""
    variables = {"PYSPARK_GATEWAY_PORT": str(reply["port"]), "PYSPARK_GATEWAY_SECRET": reply["secret"]}
    os.environ.update(variables)
    try:
        gateway = launch_gateway()  # type: ignore[no-untyped-call]
    finally:
        for name in variables:
            del os.environ[name]
    gateway.proc = driver  # pyspark sets the process of its own Java there
    SparkContext._gateway, SparkContext._jvm = gateway, gateway.jvm


def _compute_fingerprint(options: Mapping[str, str], environ: Mapping[str, str]) -> str:
    """Return a hash of all that decides how Java starts."""
    content = [sorted(options.items()), sorted(environ.items()), sys.executable, version("pyspark"), str(CHECKOUT)]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _prepare_log(state_dir: Path) -> Path:
    """Return the path of the server's log; an old one that is long is emptied."""
    path = state_dir / "logs" / "spark-driver.log"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(0o600)
    if path.stat().st_size > _LOG_BYTES:
        os.truncate(path, 0)
    return path


def _read_message(connection: socket.socket) -> dict[str, Any]:
    """Return a line of JSON; an empty message if the connection has ended."""
    line = b""
    while not line.endswith(b"\n"):
        try:
            character = connection.recv(1)
        except ConnectionError:
            return {}
        if not character:
            return {}
        line += character
    message: dict[str, Any] = json.loads(line)
    return message
