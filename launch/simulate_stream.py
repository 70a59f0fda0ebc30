"""bin/simulate-stream: simulated listeners' events, or the records of a feed, into the topic of events."""

import json
import os
import signal
import sys
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event
from types import FrameType
from typing import Annotated, Any

import typer

from etl.settings import Settings, read_settings
from launch.command_line import run_command
from launch.console import Screen
from launch.environment import NO_WAREHOUSE_URL, get_state_dir
from launch.kafka import resolve_kafka_variables
from launch.warehouse_client import resolve_warehouse_url
from simulator.jobs import stream
from simulator.streams.observer import Observer, Progress
from simulator.streams.pacing import FULL_SPEED, REAL_TIME
from simulator.streams.sending import SendOptions, StreamResult


def main(arguments: list[str]) -> int:
    """Run bin/simulate-stream; return its exit code."""
    return run_command("simulate-stream", simulate_stream, arguments)


def simulate_stream(
    users: Annotated[int, typer.Option(help="The number of listeners.")] = 200,
    start: Annotated[str | None, typer.Option(help="The begin in UTC, such as 2026-10-01T00:00; default: now.")] = None,
    hours: Annotated[float | None, typer.Option(help="The length of the interval; default: until Ctrl-C.")] = None,
    seed: Annotated[int, typer.Option(help="Another seed gives other listeners.")] = 1,
    mix: Annotated[
        Any,
        typer.Option(metavar="JSON", parser=json.loads, help='Weights of personalities, such as {"ENLC": 2}.'),
    ] = None,
    free_share: Annotated[
        float | None, typer.Option(help="The fraction of free plans; default: by the survey.")
    ] = None,
    anomalous_share: Annotated[
        float | None, typer.Option(help="The fraction of listeners who behave anomalously; default: 0.")
    ] = None,
    growing_since: Annotated[
        str | None,
        typer.Option(help="The day on which a service with a growing population opens, such as 2024-12-01."),
    ] = None,
    speed: Annotated[float | None, typer.Option(help="So many times as fast as real time.")] = None,
    rate: Annotated[float | None, typer.Option(help="So many messages a second.")] = None,
    full_speed: Annotated[bool, typer.Option("--full-speed", help="As fast as possible.")] = False,
    messages: Annotated[int | None, typer.Option(help="Stop after so many; the next start goes on.")] = None,
    duplicate: Annotated[float | None, typer.Option(help="The fraction of events that are sent twice.")] = None,
    late: Annotated[float | None, typer.Option(help="The fraction of events that are sent later.")] = None,
    late_minutes: Annotated[float | None, typer.Option(help="How much later at most; default: 60.")] = None,
    disorder: Annotated[float | None, typer.Option(help="The fraction of events that follow later ones.")] = None,
    unknown_track: Annotated[float | None, typer.Option(help="The fraction of plays of unknown tracks.")] = None,
    broken: Annotated[float | None, typer.Option(help="The fraction of events with invalid values.")] = None,
    undecodable: Annotated[float | None, typer.Option(help="The fraction of values that are no events.")] = None,
    replay: Annotated[
        str | None,
        typer.Option("--from", metavar="PATH", help="Send the records of an Avro file, or of the files of a folder."),
    ] = None,
    name: Annotated[str | None, typer.Option(help="The stream's name; default: by its parameters.")] = None,
    restart: Annotated[bool, typer.Option("--restart", help="Begin again, instead of going on.")] = False,
    commit_ms: Annotated[int, typer.Option(help="The time between two transactions, in ms.")] = 200,
) -> int:
    """Simulate listeners, and send their events to Kafka at the time of each, or faster.

    A stream that was stopped or killed goes on at the next start with the same parameters, without gaps or repeats.
    Faster than real time, the default interval is the last 72 hours. No event is sent before its own time.
    """
    form = {**locals(), "is_full_speed": full_speed, "is_restart": restart}
    screen, now = Screen(), datetime.now(UTC)
    pace = stream.parse_pace(form, REAL_TIME if replay is None else FULL_SPEED)
    options = SendOptions(pace, commit_ms=commit_ms, max_messages=messages)
    kafka_variables = resolve_kafka_variables(get_state_dir(), os.environ)
    with resolve_warehouse_url() if replay is None else nullcontext(NO_WAREHOUSE_URL) as url:
        settings = read_settings({**os.environ, **kafka_variables, "WAREHOUSE_URL": url})
        if replay is None:
            plan = stream.plan_listener_stream(form, pace, now, settings)
            stream.publish_truth(plan, now, settings)
        else:
            plan = stream.plan_replay(replay, form, pace, now)
    return _send(plan, settings, options, screen)


def _send(plan: stream.StreamPlan, settings: Settings, options: SendOptions, screen: Screen) -> int:
    kafka = settings.require_kafka()
    screen.print_line(f"Stream {plan.name} to the topic {kafka.topic} of {kafka.bootstrap_servers}; Ctrl-C stops it.")
    display = _Display(screen)
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, display.stop_on_signal)
    result = stream.send_stream(plan, kafka, options, Observer(display.report, display.show_progress, display.stop))
    display.end_line()
    if result is not None:
        _print_summary(result, screen)
    return 0


@dataclass
class _Display:
    """A line on a terminal that shows the progress, and lines for everything else."""

    screen: Screen
    stop: Event = field(default_factory=Event)
    _has_line: bool = False

    def report(self, text: str) -> None:
        """Print a line above the progress."""
        self.end_line()
        self.screen.print_line(text)

    def show_progress(self, progress: Progress) -> None:
        """Replace the line of the progress; without a terminal there is none."""
        if self.screen.console.is_terminal:
            sys.stdout.write(f"\r\x1b[K{format_progress(progress)}")
            sys.stdout.flush()
            self._has_line = True

    def end_line(self) -> None:
        """End the line of the progress."""
        if self._has_line:
            sys.stdout.write("\n")
            self._has_line = False

    def stop_on_signal(self, number: int, frame: FrameType | None) -> None:
        """Stop after the transaction in progress; a second signal ends the process at once."""
        self.stop.set()
        signal.signal(number, signal.SIG_DFL)


def format_progress(progress: Progress) -> str:
    """Return messages, messages a second, the stream's time and by how much it is late."""
    parts = [f"{progress.sent:,} messages", f"{progress.sent / max(progress.seconds, 0.001):,.0f} a second"]
    if progress.event_ms:
        parts.append(f"at {_format_time(progress.event_ms)}")
    if progress.behind_ms >= 1000:
        parts.append(f"behind by {progress.behind_ms / 1000:,.0f} s")
    return ", ".join(parts)


def _print_summary(result: StreamResult, screen: Screen) -> None:
    screen.print_line(f"Sent {format_progress(result.progress)}, in {result.transaction_count:,} transactions.")
    errors = {kind: count for kind, count in result.position.errors.items() if count}
    details = ", ".join(f"{kind} {count:,}" for kind, count in errors.items())
    screen.print_line(f"The stream has {result.position.sent:,} messages so far{': ' + details if details else ''}.")
    if result.undecodable_count:
        screen.print_line(f"{result.undecodable_count:,} records of the files could not be decoded and were not sent.")
    state = "complete" if result.position.is_complete else "not complete: the same command goes on"
    screen.print_line(f"It is {state}.")


def _format_time(epoch_ms: int) -> str:
    return f"{datetime.fromtimestamp(epoch_ms / 1000, UTC):%Y-%m-%d %H:%M:%S}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
