"""What a first start takes in containers, and by ``bin/run --exit``: by the clock and of processors.

The processor time of both sides is that of control groups, which also count processes that have ended. It needs the
superuser. With Docker's driver for systemd, the group of the containers also has the services of the machine.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from campaigns.container_runs.engine import run_command
from campaigns.container_runs.images import PRODUCT_IMAGE
from etl.settings import CHECKOUT

_GROUPS = Path("/sys/fs/cgroup")
_IS_UNIFIED = (_GROUPS / "cgroup.controllers").exists()
"""Whether the kernel has one tree of control groups (version 2), or one for each controller."""

_ENTER_GROUP = 'echo $$ > "$0/cgroup.procs" && exec "$@"'


@dataclass(frozen=True)
class Cost:
    """What a start took, in seconds by the clock and of processors."""

    seconds: float
    processor_seconds: float

    def divide(self, other: "Cost") -> tuple[float, float]:
        """Return the ratios to another cost: of seconds, and of processor seconds."""
        return self.seconds / other.seconds, self.processor_seconds / other.processor_seconds

    def __str__(self) -> str:
        return f"{self.seconds:.0f} s, {self.processor_seconds:.0f} s of processors"


def measure_start(engine: str, start: Callable[[], None]) -> Cost:
    """Return what a start of containers takes."""
    group = _find_container_group(engine)
    processor_began, began = _read_processor_seconds(group), time.monotonic()
    start()
    return Cost(time.monotonic() - began, _read_processor_seconds(group) - processor_began)


def measure_bin_run(state: Path, settings: dict[str, str]) -> Cost:
    """Return what ``bin/run --exit`` takes in a new STATE_DIR, once its packages and jars are there.

    :param settings: of the containers: ports and the number of listeners.
    """
    environ = {
        **os.environ,
        "STATE_DIR": str(state),
        "PYTHONPATH": str(CHECKOUT),
        "AIRFLOW__API__PORT": settings["WEB_PORT"],
        "DASHBOARD_PORT": settings["DASHBOARD_PORT"],
        "SIMULATED_LISTENERS": settings["SIMULATED_LISTENERS"],
    }
    command = [str(CHECKOUT / "bin" / "run")]
    run_command([*command, "--help"], environ)  # makes the environment
    run_command([str(state / "venv" / "bin" / "python"), "-m", "launch.fetch_jars"], environ)
    group = (_GROUPS if _IS_UNIFIED else _GROUPS / "cpuacct") / f"campaign-{os.getpid()}"
    group.mkdir()
    began = time.monotonic()
    try:
        run_command(["sh", "-c", _ENTER_GROUP, str(group), *command, "--exit"], environ)
        return Cost(time.monotonic() - began, _read_processor_seconds(group))
    finally:
        subprocess.run(["rmdir", group], stderr=sys.stderr, check=False)  # a process that is left is a finding, too


def _find_container_group(engine: str) -> Path:
    """Return the control group that has those of all containers of an engine."""
    command = ["run", "--rm", "--cgroupns=host", "--entrypoint", "cat", PRODUCT_IMAGE, "/proc/self/cgroup"]
    for line in run_command([engine, *command]).splitlines():
        _, controllers, path = line.split(":", 2)
        if (_IS_UNIFIED and not controllers) or "cpuacct" in controllers.split(","):
            return (_GROUPS if _IS_UNIFIED else _GROUPS / "cpuacct") / path.lstrip("/").rpartition("/")[0]
    raise RuntimeError("A container has no control group that counts processor time.")


def _read_processor_seconds(group: Path) -> float:
    if _IS_UNIFIED:
        return int((group / "cpu.stat").read_text().split()[1]) / 1e6
    return int((group / "cpuacct.usage").read_text()) / 1e9
