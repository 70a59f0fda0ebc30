"""Rounds of measurements in alternating order, and the comparison of two sides."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Times:
    """The seconds of one side in each round."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        return median(self.seconds)

    def __str__(self) -> str:
        return f"{self.median:.2f} s ({min(self.seconds):.2f} to {max(self.seconds):.2f})"


def measure_rounds(measurements: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, Times]:
    """Return the seconds of each measurement, by name.

    All are measured in each round, in turn forwards and backwards, so that no side always comes first or always follows
    the same other side. A round before the first warms caches and does not count.
    """
    times: dict[str, list[float]] = {name: [] for name in measurements}
    for number in range(rounds + 1):
        for name in list(measurements)[:: 1 if number % 2 else -1]:
            seconds = measurements[name]()
            if number:
                times[name].append(seconds)
    return {name: Times(tuple(seconds)) for name, seconds in times.items()}


def compare_times(ours: Times, theirs: Times) -> str:
    """Return the ratio of the medians (above 1 ours is faster), its range over all rounds, and what it shows."""
    ratio = theirs.median / ours.median
    lowest = min(theirs.seconds) / max(ours.seconds)
    highest = max(theirs.seconds) / min(ours.seconds)
    verdict = "ours faster" if lowest > 1 else "ours slower" if highest < 1 else "no difference beyond the spread"
    return f"ratio {ratio:.2f} ({lowest:.2f} to {highest:.2f}: {verdict})"


def time_call(work: Callable[[], object]) -> float:
    """Return the seconds of a call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
