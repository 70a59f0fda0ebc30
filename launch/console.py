"""What a person sees: one line a step with its seconds, a spinner while it lasts where there is a terminal."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field

from rich.console import Console
from rich.markup import escape


@dataclass
class Step:
    """How a step went."""

    is_successful: bool = True


@dataclass
class Screen:
    """The terminal, or the file that output goes to, and how long each step took."""

    console: Console = field(default_factory=lambda: _make_console())
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def show_step(self, text: str, has_spinner: bool = True) -> Iterator["Step"]:
        """Do a step: its line appears when it is done, with a cross where it raised or was marked as failed.

        :param has_spinner: False where the step shows its own progress.
        """
        step, started = Step(), time.monotonic()
        try:
            with self.console.status(escape(text)) if has_spinner and self.console.is_terminal else nullcontext():
                yield step
        except BaseException:
            step.is_successful = False
            raise
        finally:
            self.seconds[text] = time.monotonic() - started
            sign = "[green]✓[/]" if step.is_successful else "[red]✗[/]"
            self.console.print(f"{sign} {escape(text):<58} [dim]{self.seconds[text]:6.1f} s[/]")

    def print_line(self, text: str) -> None:
        """A line of its own."""
        self.console.print(escape(text), soft_wrap=True)

    def print_error(self, text: str) -> None:
        """The sentence that says what went wrong."""
        self.console.print(f"[red]✗[/] {escape(text)}", soft_wrap=True)


def _make_console() -> Console:
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 120  # a log has no width of its own
    return console
