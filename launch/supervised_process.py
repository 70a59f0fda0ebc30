"""A child process that is restarted if it ends."""

import time
from dataclasses import dataclass, field
from pathlib import Path

import requests

from etl.errors import ActionNeededError
from launch.processes import ChildProcess, end_process, read_last_line, start_process

_READY_SECONDS = 60
_MAX_RESTARTS, _RESTART_WINDOW_SECONDS = 5, 3600.0
"""Restarts within the window before a process is given up: the cause persists. A process that
ends now and then is always restarted."""


@dataclass(eq=False, repr=False)
class SupervisedProcess:
    """A child process and how to start it; ``has_given_up`` is True once it is no longer restarted.

    ``name`` is the name of its log; ``display_name`` begins messages about it. ``health_url`` responds once it is
    ready; without one, the caller waits. ``after_restart`` and ``after_loss`` end the messages, with the consequences.
    """

    name: str
    display_name: str
    command: list[str]
    environ: dict[str, str]
    state: Path
    health_url: str | None = None
    grace_seconds: float = 3.0
    after_restart: str = ""
    after_loss: str = ""
    has_given_up: bool = field(default=False, init=False)
    _restart_times: list[float] = field(default_factory=list, init=False)
    _child: ChildProcess = field(init=False)

    def start(self) -> None:
        """Start it, and wait until it responds.

        :raises ActionNeededError: if it ends before, or does not respond within a minute.
        """
        self._child = start_process(self.name, self.command, self.environ, self.state)
        try:
            if self.health_url is None or _is_answering(self._child, self.health_url):
                return
        except BaseException:
            self._end_child()
            raise
        self._end_child()
        raise ActionNeededError(f"{self.display_name} did not start: {self.last_log_line}")

    def is_running(self) -> bool:
        """Return whether it is running."""
        return self._child.is_running()

    @property
    def last_log_line(self) -> str:
        """Return the last line and the path of its log."""
        return f"{read_last_line(self._child.log) or 'no output'} (log: {self._child.log})"

    @property
    def exit_code(self) -> int | None:
        """Return its exit code; None while it runs."""
        return self._child.process.poll()

    def restart_if_ended(self) -> str | None:
        """Restart it if it has ended.

        :returns: a message if it had, once for each time; None if it runs or is given up.
        """
        if self.has_given_up or self.is_running():
            return None
        ended_message = f"{self.display_name} had ended (exit code {self.exit_code})"
        now = time.monotonic()
        self._restart_times = [
            restart_time for restart_time in self._restart_times if now - restart_time < _RESTART_WINDOW_SECONDS
        ]
        if len(self._restart_times) == _MAX_RESTARTS:
            return self._give_up(f"{ended_message} again, and is no longer restarted: {self.last_log_line}.")
        self._restart_times.append(now)
        self._end_child()
        try:
            self.start()
        except ActionNeededError:
            return self._give_up(f"{ended_message} and could not be started again: {self.last_log_line}.")
        return f"{ended_message} and was started again. {self.after_restart}".rstrip()

    def stop(self) -> None:
        """Stop it and its children, if it runs."""
        self.has_given_up = True
        self._end_child()

    def _give_up(self, message: str) -> str:
        self.has_given_up = True
        return f"{message} {self.after_loss}".rstrip()

    def _end_child(self) -> None:
        end_process(self._child, self.grace_seconds)


def _is_answering(child: ChildProcess, url: str) -> bool:
    """Return whether it responds before it ends and before the timeout."""
    deadline = time.monotonic() + _READY_SECONDS
    with requests.Session() as session:
        session.trust_env = False  # loopback must not go through a proxy
        while child.is_running() and time.monotonic() < deadline:
            try:
                if session.get(url, timeout=5).ok:
                    return True
            except requests.RequestException:
                pass
            time.sleep(0.05)
    return False
