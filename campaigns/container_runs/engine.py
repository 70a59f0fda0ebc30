"""A container engine, Docker or Podman, and one compose project on it."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Any

from etl.settings import CHECKOUT

_LABEL = "com.docker.compose.project"
_SERVICE_LABEL = "com.docker.compose.service"
_HEALTH_CHECK_SECONDS = 10.0
_SOCKET_SECONDS = 30.0


@dataclass(frozen=True)
class Container:
    """The state of a container of a service; ``health`` is empty if it has no health check."""

    id: str
    service: str
    status: str
    health: str
    pid: int
    exit_code: int

    def is_ready(self) -> bool:
        """Return whether it is running, and healthy if it has a health check."""
        return self.status == "running" and self.health in ("", "healthy")


class Project:
    """A compose project of docker/compose.yaml, with its settings in a file outside of the checkout."""

    def __init__(self, engine: str, name: str, env_file: Path, environ: dict[str, str]) -> None:
        """Describe a project; nothing is started.

        :param engine: ``docker`` or ``podman``: the program for everything but compose.
        :param environ: of the compose command.
        """
        self.engine, self.name, self.env_file = engine, name, env_file
        self._environ = environ

    def compose(self, *arguments: str, profiles: Sequence[str] = (), checkout: Path = CHECKOUT) -> str:
        """Run a compose command; return its output.

        :raises RuntimeError: if it fails, with its output.
        """
        options = ["--project-name", self.name, "--env-file", str(self.env_file), "--ansi", "never"]
        options += [f"--profile={profile}" for profile in profiles]
        options += ["--file", str(checkout / "docker" / "compose.yaml")]
        return run_command(["docker", "compose", *options, *arguments], self._environ)

    def execute(self, service: str, *command: str, environ: dict[str, str] | None = None) -> str:
        """Run a command in the container of a service; return its output."""
        variables = [part for name, value in (environ or {}).items() for part in ("--env", f"{name}={value}")]
        return run_command([self.engine, "exec", *variables, self.find(service).id, *command])

    def find(self, service: str) -> Container:
        """Return the first container of a service.

        :raises RuntimeError: if it has none.
        """
        containers = [container for container in self.list_containers() if container.service == service]
        if not containers:
            raise RuntimeError(f"The service {service} has no container.")
        return containers[0]

    def list_containers(self) -> list[Container]:
        """Return all containers of the project, also ended ones."""
        ids = self._list_ids("ps", "--all")
        return [self._inspect(container_id) for container_id in ids]

    def list_leftovers(self) -> list[str]:
        """Return the ids of containers, and the names of volumes and networks, of the project."""
        return [
            *self._list_ids("ps", "--all"),
            *self._list_ids("volume", "ls"),
            *self._list_ids("network", "ls"),
        ]

    def kill(self, service: str) -> Container:
        """Kill the first process of a service's container as the kernel does when memory is short.

        The engine's own command would count as a stop that the operator wants.

        :returns: the container before that.
        """
        container = self.find(service)
        os.kill(container.pid, signal.SIGKILL)
        return container

    def wait_until_ready(self, services: Sequence[str], seconds: float, replaced: int | None = None) -> float:
        """Wait until all containers of some services are running and healthy; return the seconds.

        :param replaced: the id of a process that is to be gone.
        :raises RuntimeError: if that takes longer than ``seconds``.
        """
        started = time.monotonic()
        while True:
            containers = [container for container in self.list_containers() if container.service in services]
            unready = [c for c in containers if not c.is_ready() or c.pid == replaced]
            if containers and not unready:
                return time.monotonic() - started
            if time.monotonic() - started > seconds:
                raise RuntimeError(f"Not ready after {seconds:.0f} s: {unready or services}")
            time.sleep(1)

    def check_health(self) -> None:
        """Run the health checks of all running containers once, as Podman does by systemd's timers."""
        for container in self.list_containers():
            if container.status == "running" and container.health:
                subprocess.run([self.engine, "healthcheck", "run", container.id], capture_output=True, check=False)

    def _list_ids(self, *arguments: str) -> list[str]:
        output = run_command([self.engine, *arguments, "--quiet", "--filter", f"label={_LABEL}={self.name}"])
        return output.split()

    def _inspect(self, container_id: str) -> Container:
        details: dict[str, Any] = json.loads(run_command([self.engine, "inspect", container_id]))[0]
        state = details["State"]
        health = state.get("Health") or state.get("Healthcheck") or {}
        return Container(
            id=container_id,
            service=details["Config"]["Labels"][_SERVICE_LABEL],
            status=state["Status"],
            health=health.get("Status") or "",
            pid=state["Pid"],
            exit_code=state["ExitCode"],
        )


@contextmanager
def open_project(engine: str, name: str, env_file: Path) -> Iterator[Project]:
    """Open a project on an engine; with Podman, serve Docker's API and run the health checks meanwhile."""
    if engine == "docker":
        yield Project(engine, name, env_file, dict(os.environ))
        return
    with serve_podman_api() as address:
        project = Project(engine, name, env_file, {**os.environ, "DOCKER_HOST": address})
        with run_health_checks(project):
            yield project


@contextmanager
def serve_podman_api() -> Iterator[str]:
    """Serve the API of Docker, which its compose command needs, on a socket in a private folder."""
    folder = Path(tempfile.mkdtemp())
    socket = folder / "podman.sock"
    process = subprocess.Popen(["podman", "system", "service", "--time=0", f"unix://{socket}"])
    try:
        deadline = time.monotonic() + _SOCKET_SECONDS
        while not socket.exists():
            if time.monotonic() > deadline or process.poll() is not None:
                raise RuntimeError("podman system service does not start.")
            time.sleep(0.1)
        yield f"unix://{socket}"
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder)


@contextmanager
def run_health_checks(project: Project) -> Iterator[None]:
    """Run all health checks every few seconds: without systemd, Podman runs none by itself."""
    is_stopping = Event()

    def check_repeatedly() -> None:
        while not is_stopping.wait(_HEALTH_CHECK_SECONDS):
            # A container may end between two commands.
            with suppress(RuntimeError):
                project.check_health()

    thread = Thread(target=check_repeatedly)
    thread.start()
    try:
        yield
    finally:
        is_stopping.set()
        thread.join()


def run_command(command: Sequence[str], environ: dict[str, str] | None = None) -> str:
    """Run a command; return its output.

    :raises RuntimeError: if it fails, with the end of its output.
    """
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command[:6])} … failed: {(done.stdout + done.stderr)[-4000:]}")
    return done.stdout
