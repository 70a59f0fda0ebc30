"""The report at the end of a start."""

from launch.console import Screen
from launch.dag_runs import RunResult


def print_report(screen: Screen, environ: dict[str, str], imported: RunResult, refreshed: RunResult) -> None:
    """Print what the start did."""
    for result in (imported, refreshed):
        screen.say(f"{result.dag_id}: {result.state} in {result.seconds:.0f} s")
        for task, reason in result.failures:
            screen.complain(f"{task}: {reason}")
