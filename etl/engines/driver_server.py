"""The process that keeps one Java process of Spark for the steps of many tasks, one after the other.

    python -m etl.engines.driver_server < SPECIFICATION

It is started by ``shared_driver``, which also says what goes over the connection. Java ends together with this process:
after the idle time, when its address file is removed or replaced, when it has grown too large, and whenever a step does
not end in order: what such a step has left running must not write beside its next attempt.
"""

import hmac
import json
import logging
import select
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from py4j.java_gateway import JavaGateway, JavaObject
from pyspark import SparkConf
from pyspark.java_gateway import launch_gateway

log = logging.getLogger(__name__)

_POLL_SECONDS = 0.5
_GREETING_SECONDS = 5
_EXIT_SECONDS = 5
_MAX_IDLE_BYTES = 1 << 30
"""A Java process that has more memory when a step has ended is not kept: an idle process must not hold memory that
other steps need, and starting one takes little time beside work that needs as much. Steps with the synthetic catalogue
leave about half of it."""


@dataclass(frozen=True)
class Specification:
    """What a server is started with: the same fields as JSON."""

    listener: int
    address_file: str
    secret: str
    fingerprint: str
    options: dict[str, str]
    idle_seconds: float


class JavaProcess:
    """Java with Spark's gateway in it."""

    def __init__(self, options: dict[str, str]) -> None:
        configuration = SparkConf(loadDefaults=False)
        for name, value in options.items():
            configuration.set(name, value)
        self._gateway: JavaGateway = launch_gateway(configuration)  # type: ignore[no-untyped-call]
        self._process: subprocess.Popen[bytes] = self._gateway.proc
        # Java holds every object that a client has named until the client releases it. Steps end without doing so.
        server = JavaObject("GATEWAY_SERVER", self._gateway._gateway_client)
        self._names = server.getGateway().getBindings().keySet()
        self._own_names = self._gateway.jvm.java.util.ArrayList(self._names)
        self._own_names.add(self._names._target_id)
        self._own_names.add(self._own_names._target_id)

    def get_connection(self) -> dict[str, Any]:
        """Return what a client needs to connect to the gateway."""
        parameters = self._gateway.gateway_parameters
        return {"port": parameters.port, "secret": parameters.auth_token, "pid": self._process.pid}

    def get_exit_code(self) -> int | None:
        """Return the exit code; None while it runs."""
        return self._process.poll()

    def release_objects(self) -> None:
        """Release the objects of clients, which have all gone."""
        self._names.retainAll(self._own_names)

    def is_small(self) -> bool:
        """Return whether it may wait for the next step; it gives free memory back first if it has too much."""
        if self._measure_memory() > _MAX_IDLE_BYTES:
            self._gateway.jvm.java.lang.System.gc()
        size_bytes = self._measure_memory()
        if size_bytes <= _MAX_IDLE_BYTES:
            return True
        log.warning(
            "Java ends: it has %d MiB after a step, and may wait with %d.", size_bytes >> 20, _MAX_IDLE_BYTES >> 20
        )
        return False

    def _measure_memory(self) -> int:
        """Return the bytes of its heap, its classes and its compiled code."""
        memory = self._gateway.jvm.java.lang.management.ManagementFactory.getMemoryMXBean()
        return int(memory.getHeapMemoryUsage().getCommitted() + memory.getNonHeapMemoryUsage().getCommitted())

    def end(self) -> None:
        """End it as the end of its parent does, which lets it remove its files; kill it if that takes too long."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(_EXIT_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class DriverServer:
    """Lends a Java process to one client at a time."""

    def __init__(self, specification: Specification) -> None:
        self._specification = specification
        self._listener = socket.socket(fileno=specification.listener)
        self._address_file = Path(specification.address_file)
        self._address_id = self._get_address_id()
        self._java = JavaProcess(specification.options)

    def serve(self) -> None:
        """Serve clients until there is a reason to end."""
        try:
            while self._wait_for_client():
                connection = self._listener.accept()[0]
                with connection:
                    if not self._serve_client(connection):
                        return
        finally:
            self._java.end()
            if self._get_address_id() == self._address_id:
                self._address_file.unlink(missing_ok=True)

    def _wait_for_client(self) -> bool:
        """Return whether a client comes before this server has to end."""
        deadline = time.monotonic() + self._specification.idle_seconds
        while time.monotonic() < deadline and self._java.get_exit_code() is None:
            if self._get_address_id() != self._address_id:
                return False
            if _is_readable(self._listener):
                return True
        return False

    def _serve_client(self, connection: socket.socket) -> bool:
        """Lend Java to a client; return whether the server goes on."""
        connection.settimeout(_GREETING_SECONDS)
        greeting = _read_message(connection)
        if not hmac.compare_digest(str(greeting.get("secret")).encode(), self._specification.secret.encode()):
            return True  # any process of this machine can connect, and this one has not read the address file
        if self._specification.fingerprint not in greeting.get("fingerprints", ()):
            return False
        _send_message(connection, self._java.get_connection())
        while self._java.get_exit_code() is None:
            if _is_readable(connection):
                return self._is_released(connection)
        _send_message(connection, {"exit_code": self._java.get_exit_code()})
        return False

    def _is_released(self, connection: socket.socket) -> bool:
        """Return whether a client has ended its use in order and Java is fit for the next one."""
        if not _read_message(connection).get("is_released"):
            return False
        self._java.release_objects()
        return self._java.is_small()

    def _get_address_id(self) -> tuple[int, int] | None:
        try:
            status = self._address_file.stat()
        except FileNotFoundError:
            return None
        return status.st_ino, status.st_mtime_ns


def _is_readable(connection: socket.socket) -> bool:
    return bool(select.select([connection], [], [], _POLL_SECONDS)[0])


def _send_message(connection: socket.socket, message: dict[str, Any]) -> None:
    try:
        connection.sendall(json.dumps(message).encode() + b"\n")
    except OSError:
        return  # the client has gone, and its end of the connection shows that next


def _read_message(connection: socket.socket) -> dict[str, Any]:
    """Return a line of JSON; an empty message if the client has gone or sends something else."""
    try:
        message = json.loads(connection.makefile("rb").readline(65_536) or b"{}")
    except (OSError, ValueError, RecursionError):
        return {}
    return message if isinstance(message, dict) else {}


def main() -> None:
    """Serve by the specification on the standard input."""
    specification = Specification(**json.loads(sys.stdin.read()))
    DriverServer(specification).serve()


if __name__ == "__main__":
    main()
