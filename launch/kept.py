"""A part that is kept up: started, waited for at its address, started again where it ends, ended."""

import time
from dataclasses import dataclass, field
from pathlib import Path

import requests

from etl.errors import ActionNeededError
from launch.processes import Part, end_part, last_line, start_part

_READY_SECONDS = 60
_RESTARTS, _RESTARTS_SECONDS = 5, 3600.0
"""How often in an hour one that ends by itself is started again: whatever ends it each time will not stop doing so. One
that ends now and then, as things do in months, always comes back."""


@dataclass(eq=False, repr=False)
class KeptPart:
    """A part and how to start it; ``is_given_up`` once it has ended for good.

    ``name`` is its log's, ``what`` begins sentences about it. ``health_url`` answers once it is ready; without one,
    whoever starts it waits. ``after_restart`` and ``after_loss`` say what these mean to people.
    """

    name: str
    what: str
    command: list[str]
    environ: dict[str, str]
    state: Path
    health_url: str | None = None
    grace_seconds: float = 3.0
    after_restart: str = ""
    after_loss: str = ""
    is_given_up: bool = field(default=False, init=False)
    _restarted_at: list[float] = field(default_factory=list, init=False)
    _part: Part = field(init=False)

    def start(self) -> None:
        """Start it, and wait until it answers.

        :raises ActionNeededError: where it ends before, or does not answer in a minute.
        """
        self._part = start_part(self.name, self.command, self.environ, self.state)
        try:
            if self.health_url is None or _answers(self._part, self.health_url):
                return
        except BaseException:
            self._end()
            raise
        self._end()
        raise ActionNeededError(f"{self.what} did not start: {self.last_words}")

    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._part.is_running()

    @property
    def last_words(self) -> str:
        """The end of its log, and where that is."""
        return f"{last_line(self._part.log) or 'it said nothing'} (log: {self._part.log})"

    @property
    def exit_code(self) -> int | None:
        """What it ended with; None while it runs."""
        return self._part.process.poll()

    def mend(self) -> str | None:
        """Start it again where it has ended.

        :returns: a sentence where it had, once for each time; None where it runs, or is given up.
        """
        if self.is_given_up or self.is_running():
            return None
        ended = f"{self.what} had ended (exit code {self.exit_code})"
        now = time.monotonic()
        self._restarted_at = [moment for moment in self._restarted_at if now - moment < _RESTARTS_SECONDS]
        if len(self._restarted_at) == _RESTARTS:
            return self._give_up(f"{ended} again, and is not started any more: {self.last_words}.")
        self._restarted_at.append(now)
        self._end()
        try:
            self.start()
        except ActionNeededError:
            return self._give_up(f"{ended} and could not be started again: {self.last_words}.")
        return f"{ended} and was started again. {self.after_restart}".rstrip()

    def stop(self) -> None:
        """End it and what it has left; nothing happens where it has ended."""
        self.is_given_up = True
        self._end()

    def _give_up(self, sentence: str) -> str:
        self.is_given_up = True
        return f"{sentence} {self.after_loss}".rstrip()

    def _end(self) -> None:
        end_part(self._part, self.grace_seconds)


def _answers(part: Part, url: str) -> bool:
    """Whether it answers before it ends and before our patience does."""
    deadline = time.monotonic() + _READY_SECONDS
    with requests.Session() as session:
        session.trust_env = False  # loopback must not go through a proxy
        while part.is_running() and time.monotonic() < deadline:
            try:
                if session.get(url, timeout=5).ok:
                    return True
            except requests.RequestException:
                pass
            time.sleep(0.05)
    return False
