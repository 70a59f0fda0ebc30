"""The containers, started and used as docker/README.md says: built, filled, killed, upgraded, backed up, removed.

    python -m campaigns.containers [--engine podman] [--stand-ins] [--certificate FILE] [--previous COMMIT]
        [--listeners N] [--steps STEP …] [--screenshots FOLDER]

The project has a name, volumes, ports and passwords of its own, so that it can run beside another one. ``--stand-ins``
makes the images of Debian, PostgreSQL and Kafka, for a machine that reaches Debian's mirror and no image registry.
``--previous`` starts with the image of an older commit, and upgrades it before everything else.
"""

import argparse
import secrets
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from campaigns._termination import exit_in_order_on_sigterm
from campaigns.container_runs import steps
from campaigns.container_runs.engine import open_project
from launch.ports import choose_port

_PASSWORDS = ("POSTGRES_PASSWORD", "WAREHOUSE_PASSWORD", "AIRFLOW_DATABASE_PASSWORD", "KAFKA_SASL_PASSWORD")
_PORTS = ("WEB_PORT", "POSTGRES_PORT", "DASHBOARD_PORT")
STEPS: dict[str, Callable[[steps.Campaign], str]] = {
    "build": steps.build_images,
    "start": steps.start_project,
    "upgrade": steps.upgrade_project,
    "refresh": steps.refresh_over_rest,
    "kill": steps.kill_each_container,
    "backup": steps.back_up_and_restore,
    "browser": steps.open_pages,
    "spark": steps.refresh_on_spark_cluster,
    "streams": steps.stream_events,
    "compare": steps.compare_with_bin_run,
    "down": steps.remove_project,
}
"""By name, in the order in which they run; each returns what it has found."""


def main() -> None:
    """Run the steps, and remove the project in any case."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--engine", choices=["docker", "podman"], default="docker")
    parser.add_argument("--stand-ins", action="store_true", help="make the images of Debian, PostgreSQL and Kafka")
    parser.add_argument("--certificate", type=Path, help="a PEM file that signs the connections of the build")
    parser.add_argument("--previous", metavar="COMMIT", help="start with the image of this commit")
    parser.add_argument("--listeners", type=int, default=50, help="simulated by the first start")
    parser.add_argument("--steps", nargs="+", choices=list(STEPS), default=list(STEPS))
    parser.add_argument("--screenshots", type=Path, help="a folder for screenshots of the pages")
    options = parser.parse_args()
    exit_in_order_on_sigterm()
    with tempfile.TemporaryDirectory() as folder:
        settings = _write_settings(Path(folder), options.listeners)
        name = f"warehouse-campaign-{secrets.token_hex(3)}"
        with open_project(options.engine, name, Path(folder) / "settings.env") as project:
            campaign = steps.Campaign(project, settings, Path(folder), options)
            try:
                for step in (step for step in STEPS if step in options.steps):
                    started = time.monotonic()
                    finding = STEPS[step](campaign)
                    print(f"{step:<10} {time.monotonic() - started:7.1f} s  {finding}", flush=True)
            finally:
                steps.remove_project(campaign)


def _write_settings(folder: Path, listeners: int) -> dict[str, str]:
    """Write the file of settings; return its content."""
    settings = {name: secrets.token_hex(24) for name in _PASSWORDS}
    for name in _PORTS:
        chosen = [int(settings[other]) for other in _PORTS if other in settings]
        settings[name] = str(choose_port(folder / name, chosen))
    settings["SIMULATED_LISTENERS"] = str(listeners)
    settings["KAGGLE_FOLDER"] = str(folder)
    settings["RECENTLY_PLAYED_CRON"] = "0 0 1 1 *"  # no scheduled run adds rows between two comparisons
    text = "".join(f"{name}={value}\n" for name, value in settings.items())
    (folder / "settings.env").write_text(text, encoding="utf-8")
    return settings


if __name__ == "__main__":
    main()
