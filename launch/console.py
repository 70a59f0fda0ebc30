"""Output for the operator: a line for each step with its seconds, and a spinner during the step on a terminal."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field

from rich.console import Console
from rich.markup import escape

from etl.errors import EtlError


@dataclass
class Step:
    """The outcome of a step, and its seconds if they are not those of its context."""

    is_successful: bool = True
    seconds: float | None = None


@dataclass
class Screen:
    """The terminal, or the file that output is written to, and the seconds of all steps of a name."""

    console: Console = field(default_factory=lambda: _make_console())
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def show_step(self, text: str, has_spinner: bool = True) -> Iterator["Step"]:
        """Time the context as a step, and print its line at the end, with a cross if it has failed.

        A step fails if it raises an error or is marked as failed.

        :param has_spinner: False if the step shows its own progress.
        """
        step, started = Step(), time.monotonic()
        try:
            with self.console.status(escape(text)) if has_spinner and self.console.is_terminal else nullcontext():
                yield step
        except BaseException:
            step.is_successful = False
            raise
        finally:
            seconds = time.monotonic() - started if step.seconds is None else step.seconds
            self.seconds[text] = self.seconds.get(text, 0.0) + seconds
            sign = "[green]✓[/]" if step.is_successful else "[red]✗[/]"
            self.console.print(f"{sign} {escape(text):<58} [dim]{seconds:6.1f} s[/]")

    def print_line(self, text: str) -> None:
        """Print a line."""
        self.console.print(escape(text), soft_wrap=True)

    def print_error(self, text: str) -> None:
        """Print the message of an error."""
        self.console.print(f"[red]✗[/] {escape(text)}", soft_wrap=True)


def report_errors(action: Callable[[], int]) -> int:
    """Run an action; print the message of an ``EtlError`` instead of its traceback.

    :returns: the action's exit code; 1 after an error.
    """
    try:
        return action()
    except EtlError as error:
        Screen().print_error(str(error))
        return 1


def _make_console() -> Console:
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 120  # a log has no width of its own
    return console
