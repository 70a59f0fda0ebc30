"""A load of events that kills its own process: ``python -m tests.load.interrupted_event_load URL STEP``."""

import sys

from etl.load import events, matched, partitions, staging
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
    "after stage",
    "after drop_known",
    "after _run create unique index fact_event_2026_11_pkey",
    "after index",
    "after run_checks",
    "after stage matches",
    "after apply",
    "after add fact_event_2026_10",
    "after attach fact_event_2026_11",
    "after publish_events",
)


def main(url: str, step: str) -> None:
    """Load the deliveries until ``step``."""
    for place, name in (
        (staging, "stage"),
        (partitions, "drop_known"),
        (partitions, "index"),
        (matched, "apply"),
        (events.checks, "run_checks"),
    ):
        setattr(place, name, interrupted(getattr(place, name), lambda *_, name=name: name, step))
    events.merge = interrupted(events.merge, lambda _, table, streams: f"merge {table}", step)
    matched.stage = interrupted(matched.stage, lambda *_: "stage matches", step)
    partitions._run = interrupted(partitions._run, lambda _, told: f"_run {told.partition(' on ')[0]}", step)
    for name in ("add", "attach"):
        named = interrupted(getattr(partitions, name), lambda _, month, name=name: f"{name} {month.name}", step)
        setattr(partitions, name, named)
    load_events(url, "r", *DELIVERIES, steps=Steps(lambda done: _die_at(f"after {done}", step)))


if __name__ == "__main__":
    main(*sys.argv[1:])
