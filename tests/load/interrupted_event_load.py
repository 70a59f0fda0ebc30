"""A load of events that kills its own process: ``python -m tests.load.interrupted_event_load URL STEP``."""

import sys

from etl.load import event_load, partitions, play_matches, staging
from tests.load.event_frames import NOON, Delivery, SourcePlay, StepHooks, load_events, make_user_record
from tests.load.interrupted_load import _die_at, interrupt_at_step

DELIVERIES = (
    Delivery(
        "aa",
        (
            *(SourcePlay(NOON.replace(month=month, minute=minute), "u2") for month in (10, 11) for minute in (1, 2, 2)),
            SourcePlay(NOON, "u1"),
            SourcePlay(NOON, "u1", "episode", is_spoken=True),
        ),
        refused=("no user",),
    ),
    Delivery("bb", users=(make_user_record("u2", NOON, country="DE", timezone="Europe/Berlin"),)),
)
"""One month that the star has and one that it does not have; each contains one event twice."""

BEFORE = Delivery("00", (SourcePlay(NOON.replace(month=10, minute=1), "u2"), SourcePlay(NOON.replace(month=10), "u3")))

STEPS = (
    "after merge dim_user",
    "after members",
    "after stage_frames",
    "after drop_published_events",
    "after _run create unique index fact_event_2026_11_pkey",
    "after index_months",
    "after run_checks",
    "after stage matches",
    "after apply_matches",
    "after insert_month fact_event_2026_10",
    "after attach_month fact_event_2026_11",
    "after publish_events",
)


def main(url: str, step: str) -> None:
    """Load the deliveries until ``step``."""
    for owner, name in (
        (staging, "stage_frames"),
        (partitions, "drop_published_events"),
        (partitions, "index_months"),
        (play_matches, "apply_matches"),
        (event_load.checks, "run_checks"),
    ):
        setattr(owner, name, interrupt_at_step(getattr(owner, name), lambda *_, name=name: name, step))
    event_load.merge_table = interrupt_at_step(event_load.merge_table, lambda _, table, streams: f"merge {table}", step)
    play_matches.stage_matches = interrupt_at_step(play_matches.stage_matches, lambda *_: "stage matches", step)
    partitions._run_statement = interrupt_at_step(
        partitions._run_statement, lambda _, told: f"_run {told.partition(' on ')[0]}", step
    )
    for name in ("insert_month", "attach_month"):
        named = interrupt_at_step(
            getattr(partitions, name), lambda _, month, name=name: f"{name} {month.partition_name}", step
        )
        setattr(partitions, name, named)
    load_events(url, "r", *DELIVERIES, steps=StepHooks(lambda done: _die_at(f"after {done}", step)))


if __name__ == "__main__":
    main(*sys.argv[1:])
