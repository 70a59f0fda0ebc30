"""bin/simulate-feed: made-up listeners and what they do, as a feed in the lake."""

import argparse
import json
import os
import sys
from datetime import UTC, datetime

from etl.errors import EtlError
from etl.settings import read_settings
from launch.console import Screen
from launch.warehouse_client import resolve_warehouse_url
from simulator.jobs import feed
from simulator.listeners.parameters import INJECTED_ERROR_KINDS


def main(arguments: list[str]) -> int:
    """Make a feed.

    :returns: 0, or 1 where it did not come about.
    """
    form = vars(_build_parser().parse_args(arguments))
    now = datetime.now(UTC)
    screen = Screen()
    try:
        with resolve_warehouse_url() as url:
            settings = read_settings({**os.environ, "WAREHOUSE_URL": url})
            result = feed.simulate_feed(
                f"{feed.JOB}.{now:%Y%m%dT%H%M%S.%f}", feed.parse_parameters(form, now), now, settings
            )
    except EtlError as error:
        screen.print_error(str(error))
        return 1
    screen.print_line(f"Population {result['population']}:")
    for name in ("user_activity", "user"):
        screen.print_line(f"{name:<14} input {result[name]['input_id']}, {result[name]['row_count']:,} records")
    return 0


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bin/simulate-feed", description=__doc__)
    parser.add_argument("--users", type=int, default=200, help="how many listeners (200)")
    parser.add_argument("--start", help="where the interval begins, such as 2026-10-01T00:00, UTC")
    parser.add_argument("--end", help="where it ends; else --hours after its begin, or now")
    parser.add_argument("--hours", type=float, help="its length where an end is not given (72)")
    parser.add_argument("--records", type=int, help="end the feed after so many events")
    parser.add_argument("--seed", type=int, default=1, help="another seed makes other listeners (1)")
    parser.add_argument("--schema-version", type=int, choices=(1, 2), default=2, help="version of UserActivity (2)")
    parser.add_argument("--mix", type=json.loads, help='weights of personalities, such as {"ENLC": 2, "FTVU": 1}')
    parser.add_argument("--free-share", type=float, help="share of free plans; else as the survey says")
    for kind in INJECTED_ERROR_KINDS:
        parser.add_argument(f"--{kind.replace('_', '-')}", type=float, help=f"share of dirt of the kind {kind} (0)")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
