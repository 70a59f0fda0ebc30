"""A load that kills its own process at a named step: ``python -m tests.load.interrupted_load URL STEP``."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from etl.config import settings
from etl.load import load, loading, publish, staging
from etl.spark import session
from tests.load.star_frames import catalogue, frames, run

STEPS = (
    "before record_start",
    "after record_start",
    "after begin",
    "after 1 staged",
    "after 9 staged",
    "after stage",
    "after run_checks",
    "after merge dim_artist",
    "after merge dim_track",
    "after merge row_count",
    "before record_published",
    "after record_published",
)


def kill(moment: str, step: str) -> None:
    if moment == step:
        os.kill(os.getpid(), signal.SIGKILL)


def interrupted(function: Callable[..., Any], name: Callable[..., str], step: str) -> Callable[..., Any]:
    def call(*arguments: Any) -> Any:
        kill(f"before {name(*arguments)}", step)
        result = function(*arguments)
        kill(f"after {name(*arguments)}", step)
        return result

    return call


def main(url: str, step: str) -> None:
    staged: list[str] = []

    def count_staged(table: str, *_: Any) -> str:
        staged.append(table)
        return f"{len(staged) // 2} staged"

    loading.record_start = interrupted(loading.record_start, lambda *_: "record_start", step)
    loading.record_published = interrupted(loading.record_published, lambda *_: "record_published", step)
    loading.checks.run_checks = interrupted(loading.checks.run_checks, lambda *_: "run_checks", step)
    staging.begin = interrupted(staging.begin, lambda *_: "begin", step)
    staging.stage = interrupted(staging.stage, lambda *_: "stage", step)
    staging._stage_frame = interrupted(staging._stage_frame, count_staged, step)
    publish.merge = interrupted(publish.merge, lambda _, table: f"merge {table}", step)
    with TemporaryDirectory() as folder:
        chosen = settings({"STATE_DIR": str(Path(folder)), "WAREHOUSE_URL": url, "SPARK_MASTER": "local[2]"})
        with session(chosen, "interrupted") as spark:
            load(frames(spark, catalogue()), run(), url)


if __name__ == "__main__":
    main(*sys.argv[1:])
