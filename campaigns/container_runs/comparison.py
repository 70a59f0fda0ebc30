"""The first start in containers beside that of ``bin/run --exit``, one after the other, by the clock and the processor.

The processor time of both sides is that of control groups, which also count processes that have ended. It needs the
superuser. With Docker's driver for systemd, the group of the containers also has the services of the machine.
"""

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from campaigns.container_runs import steps
from campaigns.container_runs.engine import run_command
from campaigns.container_runs.images import PRODUCT_IMAGE
from etl.settings import CHECKOUT

_MAX_RATIO = 1.5
_GROUPS = Path("/sys/fs/cgroup")
_IS_UNIFIED = (_GROUPS / "cgroup.controllers").exists()
"""Whether the kernel has one tree of control groups (version 2), or one for each controller."""

_ENTER_GROUP = 'echo $$ > "$0/cgroup.procs" && exec "$@"'


@dataclass(frozen=True)
class Cost:
    """What a start took, in seconds by the clock and of processors."""

    seconds: float
    processor_seconds: float

    def __str__(self) -> str:
        return f"{self.seconds:.0f} s, {self.processor_seconds:.0f} s of processors"


def compare_with_bin_run(campaign: steps.Campaign) -> str:
    """Start the project from nothing and remove it, then run ``bin/run --exit`` in a new STATE_DIR: same order of cost.

    The image is built, and the packages and jars of ``bin/run`` are fetched, before the clocks start.
    """
    steps.remove_project(campaign)
    containers = _measure_containers(campaign)
    steps.remove_project(campaign)
    with tempfile.TemporaryDirectory() as folder:
        bin_run = _measure_bin_run(Path(folder) / "state", campaign.settings)
    ratios = (containers.seconds / bin_run.seconds, containers.processor_seconds / bin_run.processor_seconds)
    finding = f"containers {containers}; bin/run {bin_run}; ratios {ratios[0]:.2f} and {ratios[1]:.2f}"
    steps.require(ratios[1] <= _MAX_RATIO, finding)
    return finding


def _measure_containers(campaign: steps.Campaign) -> Cost:
    group = _find_container_group(campaign.project.engine)
    processor_began, began = _read_processor_seconds(group), time.monotonic()
    campaign.start_services()
    return Cost(time.monotonic() - began, _read_processor_seconds(group) - processor_began)


def _measure_bin_run(state: Path, settings: dict[str, str]) -> Cost:
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
