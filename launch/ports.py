"""Free ports of 127.0.0.1."""

import os
import random
import socket
from collections.abc import Collection
from pathlib import Path

HOST = "127.0.0.1"


def choose_port(port_file: Path, excluded: Collection[int] = ()) -> int:
    """Return the port that ``port_file`` names if it is free, else another free port, recorded for the next start.

    :param excluded: ports that were chosen for another service, which does not listen yet.
    """
    if port_file.exists():
        recorded_port = int(port_file.read_text())
        if recorded_port not in excluded and is_port_free(recorded_port):
            return recorded_port
    # Below the range of ephemeral ports.
    candidates = random.sample(range(20_000, 32_000), 2_000)
    port = next(port for port in candidates if port not in excluded and is_port_free(port))
    draft = port_file.with_suffix(f".{os.getpid()}")
    draft.write_text(str(port))
    draft.replace(port_file)
    return port


def is_port_free(port: int) -> bool:
    """Return whether no process listens on a port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def is_port_open(port: int) -> bool:
    """Return whether a process accepts connections on a port; unlike ``is_port_free``, it never takes the port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0
