"""A part that is kept up: started, waited for at its address, started again where it ends, ended."""

import time
from dataclasses import dataclass, field
from pathlib import Path

import requests

from etl.errors import ActionNeededError
from launch.processes import ChildProcess, end_process, read_last_line, start_process

_READY_SECONDS = 60
_MAX_RESTARTS, _RESTART_WINDOW_SECONDS = 5, 3600.0
"""How often in an hour one that ends by itself is started again: whatever ends it each time will not stop doing so. One
that ends now and then, as things do in months, always comes back."""


@dataclass(eq=False, repr=False)
class SupervisedProcess:
    """A part and how to start it; ``is_given_up`` once it has ended for good.

    ``name`` is its log's, ``what`` begins sentences about it. ``health_url`` answers once it is ready; without one,
    whoever starts it waits. ``after_restart`` and ``after_loss`` say what these mean to people.
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
        """Start it, and wait until it answers.

        :raises ActionNeededError: where it ends before, or does not answer in a minute.
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
        """Whether it has not ended."""
        return self._child.is_running()

    @property
    def last_log_line(self) -> str:
        """The end of its log, and where that is."""
        return f"{read_last_line(self._child.log) or 'it said nothing'} (log: {self._child.log})"

    @property
    def exit_code(self) -> int | None:
        """What it ended with; None while it runs."""
        return self._child.process.poll()

    def restart_if_ended(self) -> str | None:
        """Start it again where it has ended.

        :returns: a sentence where it had, once for each time; None where it runs, or is given up.
        """
        if self.has_given_up or self.is_running():
            return None
        ended_message = f"{self.display_name} had ended (exit code {self.exit_code})"
        now = time.monotonic()
        self._restart_times = [
            restart_time for restart_time in self._restart_times if now - restart_time < _RESTART_WINDOW_SECONDS
        ]
        if len(self._restart_times) == _MAX_RESTARTS:
            return self._give_up(f"{ended_message} again, and is not started any more: {self.last_log_line}.")
        self._restart_times.append(now)
        self._end_child()
        try:
            self.start()
        except ActionNeededError:
            return self._give_up(f"{ended_message} and could not be started again: {self.last_log_line}.")
        return f"{ended_message} and was started again. {self.after_restart}".rstrip()

    def stop(self) -> None:
        """End it and what it has left; nothing happens where it has ended."""
        self.has_given_up = True
        self._end_child()

    def _give_up(self, message: str) -> str:
        self.has_given_up = True
        return f"{message} {self.after_loss}".rstrip()

    def _end_child(self) -> None:
        end_process(self._child, self.grace_seconds)


def _is_answering(child: ChildProcess, url: str) -> bool:
    """Whether it answers before it ends and before our patience does."""
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
