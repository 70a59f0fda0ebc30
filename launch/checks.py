"""bin/test: linter, formatter, type checker and all tests; with a tier its tests; with other arguments pytest alone.

bin/test [unit | postgres | spark | airflow | browser] [ARGUMENTS OF PYTEST …]
"""

import os
import subprocess
import sys

from etl.settings import CHECKOUT

_STATIC_CHECKS = (
    ("ruff", "check"),
    ("ruff", "format", "--check"),
    ("mypy",),
)
TIERS = ("unit", "postgres", "spark", "airflow", "browser")
"""The tiers of the tests, from the lightest to the heaviest; tests/tiers.py assigns each test to its tier."""
_SHARED = ("--numprocesses=2", "--dist=loadfile", "--no-loadscope-reorder", "--durations=25")
"""Tests wait about as long as they compute, mostly for Airflow: two processes share the test files, in the order
of tests/tiers.py."""
_PRODUCT_SETTINGS = (
    "AIRFLOW_",
    "ANOMALY_QUEUE_CONNECTION_STRING",
    "AUDIO_FEATURE_PROVIDERS",
    "CLUSTER_",
    "DASHBOARD_PORT",
    "DEAD_LETTER_ALERT_MESSAGES",
    "FAILURE_NOTIFIER",
    "FORECAST_",
    "IS_STAND_IN",
    "KAFKA_",
    "KAGGLE_PATH",
    "KEEP_DAYS",
    "LAG_ALERT_MESSAGES",
    "LAKE_URL",
    "LANDING_",
    "LIVE_",
    "LOAD_",
    "PLAY_MIN_MS",
    "RECCOBEATS_",
    "RECENTLY_PLAYED_CRON",
    "REFRESH_",
    "SCHEMA_REGISTRY_",
    "SESSION_GAP_MINUTES",
    "SIMULATED_LISTENERS",
    "SPARK_",
    "SPOTIFY_",
    "SPOTIPY_",
    "STAND_IN_",
    "STREAMS",
    "TASTE_TEXT_",
    "WAREHOUSE_",
)


def main(arguments: list[str]) -> int:
    """Run all checks, even after one fails.

    :param arguments: a tier and arguments of pytest, both optional.
    :returns: 0 if everything passed, else 1; with arguments pytest's own code.
    """
    # Tests choose their own settings: settings of the shell must not direct them to a real warehouse.
    environ = {name: value for name, value in os.environ.items() if not name.startswith(_PRODUCT_SETTINGS)}
    codes = [] if arguments else [_run_module(command, environ) for command in _STATIC_CHECKS]
    codes.append(_run_module(("pytest", *pytest_arguments(arguments)), environ))
    return codes[-1] if arguments else int(any(codes))


def pytest_arguments(arguments: list[str]) -> list[str]:
    """Return the arguments of pytest: two processes share whole tiers, one process runs chosen tests."""
    if not arguments:
        return [*_SHARED]
    if arguments[0] not in TIERS:
        return arguments
    tier, *others = arguments
    return ["--tier", tier, *(others or _SHARED)]


def _run_module(command: tuple[str, ...], environ: dict[str, str]) -> int:
    return subprocess.run([sys.executable, "-m", *command], cwd=CHECKOUT, env=environ, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
