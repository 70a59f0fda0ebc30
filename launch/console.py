"""What a person sees: one line a step with its seconds, a spinner while it lasts where there is a terminal."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.markup import escape


@dataclass
class Screen:
    """The terminal, or the file that output goes to, and how long each step took."""

    console: Console = field(default_factory=lambda: _console())
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Do a step: its line appears when it is done, with a cross when it failed."""
        started = time.monotonic()
        try:
            if self.console.is_terminal:
                with self.console.status(escape(text)):
                    yield
            else:
                yield
        except BaseException:
            self._line("[red]✗[/]", text, time.monotonic() - started)
            raise
        self.seconds[text] = time.monotonic() - started
        self._line("[green]✓[/]", text, self.seconds[text])

    def say(self, text: str) -> None:
        """A line of its own."""
        self.console.print(escape(text), soft_wrap=True)

    def complain(self, text: str) -> None:
        """The sentence that says what went wrong."""
        self.console.print(f"[red]✗[/] {escape(text)}", soft_wrap=True)

    def _line(self, sign: str, text: str, seconds: float) -> None:
        self.console.print(f"{sign} {escape(text):<58} [dim]{seconds:6.1f} s[/]")


def _console() -> Console:
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 120  # a log has no width of its own
    return console
