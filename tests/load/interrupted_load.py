"""A load that kills its own process at a named step: ``python -m tests.load.interrupted_load URL STEP``.

The partitions are written in this process by the code that executors run: a frame replaces Spark's, so that a dozen
processes need no sessions, and the process ends exactly at the chosen step.
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import pyarrow as pa

from etl.load import frame_load, load_frames, publish, staging, staging_copy
from tests.load.star_frames import create_local_frames, make_catalogue, make_run

STEPS = (
    "before record_start",
    "after record_start",
    "after begin",
    "before commit of bridge_track_artist",
    "after 1 staged",
    "after 9 staged",
    "after stage",
    "after run_checks",
    "after merge dim_artist",
    "after merge dim_track",
    "after merge fact_playlist_track",
    "after merge user_record",
    "after merge dim_user",
    "after merge row_count",
    "before record_published",
    "after record_published",
)


def interrupt_at_step(function: Callable[..., Any], name: Callable[..., str], step: str) -> Callable[..., Any]:
    """Return the function with an exit before or after it, if ``step`` is that point."""

    def call_interrupted(*arguments: Any) -> Any:
        _die_at(f"before {name(*arguments)}", step)
        result = function(*arguments)
        _die_at(f"after {name(*arguments)}", step)
        return result

    return call_interrupted


def main(url: str, step: str) -> None:
    """Load the catalogue until ``step``."""
    calls: list[str] = []

    def name_step(table: str, *_: Any) -> str:
        calls.append(table)
        return f"{len(calls) // 2} staged"

    frame_load.record_start = interrupt_at_step(frame_load.record_start, lambda *_: "record_start", step)
    frame_load.record_published = interrupt_at_step(frame_load.record_published, lambda *_: "record_published", step)
    frame_load.checks.run_checks = interrupt_at_step(frame_load.checks.run_checks, lambda *_: "run_checks", step)
    staging.prepare_load = interrupt_at_step(staging.prepare_load, lambda *_: "begin", step)
    staging.stage_frames = interrupt_at_step(staging.stage_frames, lambda *_: "stage", step)
    staging._stage_frame = interrupt_at_step(staging._stage_frame, name_step, step)
    publish.merge_table = interrupt_at_step(publish.merge_table, lambda _, table, streams: f"merge {table}", step)
    if step.startswith("before commit of "):
        staging_copy.CopyTarget._copy_rows = _die_before_commit(
            staging_copy.CopyTarget._copy_rows, step.rsplit(" ", 1)[1]
        )  # type: ignore[method-assign]
    load_frames(create_local_frames(make_catalogue()), make_run(), url)


def _die_before_commit(write: Callable[..., int], table: str) -> Callable[..., int]:
    def write_and_die(target: staging_copy.CopyTarget, partition: int, batches: Any, schema: pa.Schema) -> int:
        def yield_and_die() -> Any:
            yield from batches
            if target.table == table:
                os.kill(os.getpid(), signal.SIGKILL)

        return write(target, partition, yield_and_die(), schema)

    return write_and_die


def _die_at(reached_step: str, step: str) -> None:
    if reached_step == step:
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(*sys.argv[1:])
