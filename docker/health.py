"""Check the health of a component: ``python docker/health.py PART`` exits with 0 if it is healthy, else 1.

PART is metadatabase, dag_processor, scheduler or triggerer, as the API server names them. A component is not healthy
while the API server does not respond: no task can run then. The streams' parts, landing and live, are healthy while
they write their progress, dashboard and mock-api while they respond, Spark's parts while they listen. It runs several
times a minute in each container, so it imports only what Python ships: the packages of the product would cost a second
of processor time each time.
"""

import json
import os
import socket
import sys
import time
import urllib.request
from pathlib import Path

_STREAMS = ("landing", "live")
_PAGES = {"dashboard": "http://127.0.0.1:8501/_stcore/health", "mock-api": "http://127.0.0.1:8899/stand-in/calls"}
_PORTS = {"spark-master": ("spark-master", 7077), "spark-worker": ("127.0.0.1", 8081)}
_MAX_PROGRESS_AGE_SECONDS = 120
_URL = "http://api-server:8080"
_TIMEOUT_SECONDS = 5


def main(component: str, url: str | None = None) -> int:
    """Check ``component``, at ``url`` instead of its own address; Airflow's parts by its API, which needs no login."""
    if component in _STREAMS:
        return check_progress(component)
    if component in _PORTS:
        status = check_port(*_PORTS[component])
    elif component in _PAGES:
        status = "unknown" if fetch(url or _PAGES[component]) is None else "healthy"
    else:
        status = parse_status(component, fetch(f"{(url or _URL).rstrip('/')}/api/v2/monitor/health"))
    sys.stdout.write(f"{component}: {status}\n")
    return 0 if status == "healthy" else 1


def fetch(url: str) -> bytes | None:
    """Return the content at an address, None without a successful response."""
    # The compose network is never reached through a proxy.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=_TIMEOUT_SECONDS) as response:
            return bytes(response.read())
    except OSError:
        return None


def parse_status(component: str, response: bytes | None) -> str:
    """Return the status of a part of Airflow, ``unknown`` if the API server did not respond or does not know it."""
    try:
        return str(json.loads(response or b"")[component]["status"])
    except (ValueError, KeyError, TypeError):
        return "unknown"


def check_port(host: str, port: int) -> str:
    """Return ``healthy`` if a port accepts connections, else ``unknown``."""
    try:
        with socket.create_connection((host, port), _TIMEOUT_SECONDS):
            return "healthy"
    except OSError:
        return "unknown"


def check_progress(name: str) -> int:
    """Return 0 if a process of the streams has written its progress in the last minutes, else 1."""
    file = Path(os.environ["STATE_DIR"]) / "streams" / f"{name}.progress"
    age_seconds = time.time() - file.stat().st_mtime if file.exists() else float("inf")
    sys.stdout.write(f"{name}: progress {age_seconds:.0f} s ago\n")
    return 0 if age_seconds < _MAX_PROGRESS_AGE_SECONDS else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
