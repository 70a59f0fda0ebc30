"""A child process that is restarted if it ends."""

import json
import time
from dataclasses import dataclass, field
from pathlib import Path

import requests

from etl.errors import ActionNeededError
from launch.processes import ChildProcess, end_process, read_last_line, start_process

_RESTART_WINDOW_SECONDS = 3600.0
"""Of a process without a progress file, the restarts within the window are counted: one that ends now and then is
always restarted."""
_LONGEST_DELAY_SECONDS = 60.0


@dataclass(eq=False, repr=False)
class SupervisedProcess:
    """A child process and how to start it; ``has_given_up`` is True once it is no longer restarted.

    ``name`` is the name of its log; ``display_name`` begins messages about it. ``health_url`` responds once it is
    ready; without one, it counts as ready at once. ``after_restart`` and ``after_loss`` end the messages, with the
    consequences.

    It is given up after ``max_restarts``: the cause persists. The first restart comes after ``first_delay_seconds``,
    each further one after twice the delay, up to a minute. The process writes ``progress_file`` after each cycle of its
    work, and no restart before that counts. The file may be a JSON object; one with a ``last_error`` is no progress.
    Neither is one that is written less than ``min_progress_seconds`` after the start: the work may be about to fail.
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
    first_delay_seconds: float = 0.0
    max_restarts: int = 5
    ready_seconds: float = 60.0
    progress_file: Path | None = None
    min_progress_seconds: float = 0.0
    has_given_up: bool = field(default=False, init=False)
    _restart_times: list[float] = field(default_factory=list, init=False)
    _restart_at: float | None = field(default=None, init=False)
    _ready_before: float | None = field(default=None, init=False)
    _ended_message: str = field(default="", init=False)
    _progress_seen: int | None = field(default=None, init=False)
    _started_at: float = field(default=0.0, init=False)
    _child: ChildProcess = field(init=False)

    def start(self) -> None:
        """Start it, and wait until it is ready.

        :raises ActionNeededError: if it ends before, or is not ready within ``ready_seconds``.
        """
        self._start_child()
        deadline = time.monotonic() + self.ready_seconds
        try:
            while not self.is_ready():
                if not self.is_running() or time.monotonic() > deadline:
                    raise ActionNeededError(f"{self.display_name} did not start: {self.last_log_line}")
                time.sleep(0.05)
        except BaseException:
            self._end_child()
            raise

    def is_running(self) -> bool:
        """Return whether it is running."""
        return self._child.is_running()

    def is_ready(self) -> bool:
        """Return whether it has become ready for its clients."""
        return self.health_url is None or (self.is_running() and _is_responding(self.health_url))

    @property
    def last_log_line(self) -> str:
        """Return the last line and the path of its log."""
        return f"{read_last_line(self._child.log) or 'no output'} (log: {self._child.log})"

    @property
    def exit_code(self) -> int | None:
        """Return its exit code; None while it runs."""
        return self._child.process.poll()

    def restart_if_ended(self) -> str | None:
        """Do the next step of a restart if it has ended; the caller repeats this every second, and never waits.

        :returns: a message about the step, once for each time; None if it runs, is starting or is given up.
        """
        now = time.monotonic()
        if self.has_given_up:
            return None
        if self._restart_at is not None:
            return self._restart(now) if now >= self._restart_at else None
        self._observe_progress()
        if not self.is_running():
            return self._plan_restart(f"{self.display_name} had ended (exit code {self.exit_code})", now)
        if self._ready_before is None:
            return None
        return self._report_restart(now)

    def stop(self) -> None:
        """Stop it and its children, if it runs."""
        self.has_given_up = True
        self._end_child()

    def _start_child(self) -> None:
        self._progress_seen = self._read_progress_time()
        self._started_at = time.monotonic()
        self._child = start_process(self.name, self.command, self.environ, self.state)

    def _plan_restart(self, ended_message: str, now: float) -> str | None:
        """Restart it at once or plan its restart for later, unless it has ended too often."""
        self._ready_before = None
        self._ended_message = ended_message
        self._restart_times = self._select_counted_restarts(now)
        if len(self._restart_times) >= self.max_restarts:
            self.has_given_up = True
            self._end_child()
            return (
                f"{ended_message} again, and is no longer restarted: {self.last_log_line}. {self.after_loss}".rstrip()
            )
        delay = min(self.first_delay_seconds * 2.0 ** len(self._restart_times), _LONGEST_DELAY_SECONDS)
        self._restart_times.append(now + delay)
        self._restart_at = now + delay
        if delay == 0:
            return self._restart(now)
        return f"{ended_message} and will be started again in {delay:.0f} s: {self.last_log_line}."

    def _select_counted_restarts(self, now: float) -> list[float]:
        if self.progress_file is not None:
            return self._restart_times
        return [restart for restart in self._restart_times if now - restart < _RESTART_WINDOW_SECONDS]

    def _restart(self, now: float) -> str | None:
        self._restart_at = None
        self._end_child()
        try:
            self._start_child()
        except OSError as error:
            return self._plan_restart(f"{self.display_name} could not be started again ({error.strerror})", now)
        self._ready_before = now + self.ready_seconds
        return self._report_restart(now)

    def _report_restart(self, now: float) -> str | None:
        """Return a message once a restarted process is ready; end one that does not become ready."""
        if self.is_ready():
            self._ready_before = None
            return f"{self._ended_message} and was started again. {self.after_restart}".rstrip()
        if self._ready_before is not None and now >= self._ready_before:
            self._child.process.kill()
            return self._plan_restart(f"{self.display_name} did not respond after its restart", now)
        return None

    def _observe_progress(self) -> None:
        written_at = self._read_progress_time()
        if self.progress_file is None or written_at is None or written_at == self._progress_seen:
            return
        self._progress_seen = written_at
        has_run_long = time.monotonic() - self._started_at >= self.min_progress_seconds
        if has_run_long and not _has_error(self.progress_file):
            self._restart_times = []

    def _read_progress_time(self) -> int | None:
        """Return when the process last wrote its progress file."""
        try:
            return self.progress_file.stat().st_mtime_ns if self.progress_file is not None else None
        except FileNotFoundError:
            return None

    def _end_child(self) -> None:
        end_process(self._child, self.grace_seconds)


def _has_error(progress_file: Path) -> bool:
    try:
        content = json.loads(progress_file.read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and bool(content.get("last_error"))


def _is_responding(url: str) -> bool:
    with requests.Session() as session:
        session.trust_env = False  # loopback must not go through a proxy
        try:
            return session.get(url, timeout=1).ok
        except requests.RequestException:
            return False
