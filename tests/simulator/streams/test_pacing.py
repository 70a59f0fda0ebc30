"""Paces with a clock of their own."""

import numpy as np
import pytest

from etl.errors import ActionNeededError
from simulator.streams.pacing import REAL_TIME, Pace, Pacer

DUE_MS = np.array([1_000_000, 1_000_500, 1_002_000, 1_060_000])


class Clock:
    """Seconds since 1970, as a test sets them."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __call__(self) -> float:
        return self.seconds


def test_real_time_sends_each_event_at_its_time() -> None:
    clock = Clock(1000.2)
    pacer = Pacer(REAL_TIME, 1_000_000, clock)
    assert pacer.count_due(DUE_MS, 0) == 1
    assert pacer.compute_wait(1_000_500) == pytest.approx(0.3)
    clock.seconds = 1002
    assert pacer.count_due(DUE_MS, 1) == 2
    assert pacer.count_due(DUE_MS, 3) == 0


def test_a_speed_shortens_the_time_between_events() -> None:
    clock = Clock(5000)
    pacer = Pacer(Pace(speed=10), 1_000_000, clock)
    assert pacer.count_due(DUE_MS, 0) == 1
    assert pacer.compute_wait(1_002_000) == pytest.approx(0.2)
    clock.seconds = 5000.25
    assert pacer.count_due(DUE_MS, 1) == 2
    clock.seconds = 5006
    assert pacer.count_due(DUE_MS, 3) == 1


def test_no_pace_sends_an_event_before_its_time() -> None:
    clock = Clock(1002)
    for pace in (Pace(speed=1000), Pace(rate=1000), Pace(is_full_speed=True)):
        clock.seconds = 1002
        pacer = Pacer(pace, 1_000_000, clock)
        clock.seconds = 1003
        assert pacer.count_due(DUE_MS, 0) == 3
        assert pacer.compute_wait(1_060_000) == pytest.approx(57)


def test_a_rate_counts_messages_from_the_start() -> None:
    clock = Clock(5000)
    pacer = Pacer(Pace(rate=2), 1_000_000, clock)
    assert pacer.count_due(DUE_MS, 0) == 0
    assert pacer.compute_wait(1_000_000) == pytest.approx(0.5)
    clock.seconds = 5001
    assert pacer.count_due(DUE_MS, 0) == 2
    pacer.record_sent(2)
    assert pacer.count_due(DUE_MS, 2) == 0
    assert pacer.compute_wait(1_002_000) == pytest.approx(0.5)


@pytest.mark.parametrize("values", [{"speed": 0}, {"rate": -1}, {"speed": 2, "rate": 3}, {"rate": float("nan")}])
def test_invalid_paces_are_rejected(values: dict[str, float]) -> None:
    with pytest.raises(ActionNeededError):
        Pace(**values)  # type: ignore[arg-type]
