"""bin/test: linter, formatter, type checker and tests; with arguments pytest alone."""

import os
import subprocess
import sys

from etl.settings import CHECKOUT

_STATIC_CHECKS = (
    ("ruff", "check"),
    ("ruff", "format", "--check"),
    ("mypy",),
)
_FULL_SUITE_OPTIONS = ("--numprocesses=2", "--dist=loadfile", "--durations=25")
"""The whole suite waits as often as it computes, for Airflow most of all: two processes share its files."""
_PRODUCT_SETTINGS = (
    "AIRFLOW_",
    "CLUSTER_",
    "DASHBOARD_PORT",
    "FAILURE_NOTIFIER",
    "IS_STAND_IN",
    "KAGGLE_PATH",
    "KEEP_DAYS",
    "LAKE_URL",
    "PLAY_MIN_MS",
    "RECENTLY_PLAYED_CRON",
    "REFRESH_",
    "SESSION_GAP_MINUTES",
    "SIMULATED_LISTENERS",
    "SPARK_",
    "SPOTIFY_",
    "SPOTIPY_",
    "STAND_IN_",
    "WAREHOUSE_",
)


def main(arguments: list[str]) -> int:
    """Run the checks, all of them also where one fails.

    :returns: 0 where everything passed, else 1; with arguments pytest's own code.
    """
    # Tests choose their own settings: the caller's must not lead them to a real warehouse.
    environ = {name: value for name, value in os.environ.items() if not name.startswith(_PRODUCT_SETTINGS)}
    codes = [] if arguments else [_run_module(command, environ) for command in _STATIC_CHECKS]
    codes.append(_run_module(("pytest", *(arguments or _FULL_SUITE_OPTIONS)), environ))
    return codes[-1] if arguments else int(any(codes))


def _run_module(command: tuple[str, ...], environ: dict[str, str]) -> int:
    return subprocess.run([sys.executable, "-m", *command], cwd=CHECKOUT, env=environ, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
