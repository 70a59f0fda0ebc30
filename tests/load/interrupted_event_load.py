"""A load of events that kills its own process: ``python -m tests.load.interrupted_event_load URL STEP``."""

import sys

from etl.load import event_load, partitions, play_matches, staging
from tests.load.event_frames import NOON, Delivery, Steps, Told, load_events, user
from tests.load.interrupted_load import _die_at, interrupted

DELIVERIES = (
    Delivery(
        "aa",
        (
            *(Told(NOON.replace(month=month, minute=minute), "u2") for month in (10, 11) for minute in (1, 2, 2)),
            Told(NOON, "u1"),
            Told(NOON, "u1", "episode", is_spoken=True),
        ),
        refused=("no user",),
    ),
    Delivery("bb", users=(user("u2", NOON, country="DE", timezone="Europe/Berlin"),)),
)
"""A month that the star has and one that it has not; each tells one event twice."""

BEFORE = Delivery("00", (Told(NOON.replace(month=10, minute=1), "u2"), Told(NOON.replace(month=10), "u3")))

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
    for place, name in (
        (staging, "stage_frames"),
        (partitions, "drop_published_events"),
        (partitions, "index_months"),
        (play_matches, "apply_matches"),
        (event_load.checks, "run_checks"),
    ):
        setattr(place, name, interrupted(getattr(place, name), lambda *_, name=name: name, step))
    event_load.merge_table = interrupted(event_load.merge_table, lambda _, table, streams: f"merge {table}", step)
    play_matches.stage_matches = interrupted(play_matches.stage_matches, lambda *_: "stage matches", step)
    partitions._run_statement = interrupted(
        partitions._run_statement, lambda _, told: f"_run {told.partition(' on ')[0]}", step
    )
    for name in ("insert_month", "attach_month"):
        named = interrupted(
            getattr(partitions, name), lambda _, month, name=name: f"{name} {month.partition_name}", step
        )
        setattr(partitions, name, named)
    load_events(url, "r", *DELIVERIES, steps=Steps(lambda done: _die_at(f"after {done}", step)))


if __name__ == "__main__":
    main(*sys.argv[1:])
