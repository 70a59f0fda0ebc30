"""The parameters of a simulation, and the ids that follow from them."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta

from etl.errors import ActionNeededError
from simulator.listeners import personalities
from simulator.listeners.habits import DEFAULTS, Habits

EARLIEST_START = datetime(2010, 1, 3, tzinfo=UTC)
"""The earliest start: most listeners signed up in the years before it, children at the age of five."""

LATEST_END = datetime(2100, 1, 1, tzinfo=UTC)
MAX_USERS = 10_000_000
INJECTED_ERROR_KINDS = ("duplicate", "late", "disorder", "unknown_track", "broken")


@dataclass(frozen=True)
class InjectedErrorRates:
    """Fractions of records with an injected error, by kind, each from 0 to 1."""

    duplicate: float = 0.0
    late: float = 0.0
    disorder: float = 0.0
    unknown_track: float = 0.0
    broken: float = 0.0

    def __post_init__(self) -> None:
        rates = asdict(self)
        if any(not 0 <= rate <= 1 for rate in rates.values()) or sum(rates.values()) > 1:
            raise ActionNeededError(
                f"Fractions of injected errors must lie between 0 and 1 and add up to at most 1, not {rates}."
            )

    @property
    def is_clean(self) -> bool:
        return not any(asdict(self).values())


@dataclass(frozen=True)
class Parameters:
    """A simulation: listeners 0 to ``users`` − 1 of a seed, in the interval from ``start`` to before ``end`` (UTC).

    ``records`` ends it earlier, after that many records (before errors are injected). Simulations that differ only in
    interval or number of listeners have the same listeners and, where the intervals overlap, the same events.
    """

    users: int
    start: datetime
    end: datetime
    seed: int = 1
    records: int | None = None
    schema_version: int = 2
    mix: Mapping[str, float] = field(default_factory=dict)
    free_share: float | None = None
    dirt: InjectedErrorRates = InjectedErrorRates()
    habits: Habits = DEFAULTS
    anomalous_share: float = 0.0
    """The fraction of listeners with an anomaly."""
    lookalike_share: float = 0.0
    """The fraction of the others whose harmless behaviour looks like one, to measure the precision of detectors."""
    growing_since: date | None = None
    """The day on which the service opens, for listeners who sign up, leave and change over time (``growth``); None:
    all have signed up long before, and stay as they are."""

    def __post_init__(self) -> None:
        if not 1 <= self.users <= MAX_USERS:
            raise ActionNeededError(f"There must be 1 to {MAX_USERS:,} listeners, not {self.users:,}.")
        if not EARLIEST_START <= self.start < self.end <= LATEST_END:
            raise ActionNeededError(
                f"The interval must begin on or after {EARLIEST_START:%Y-%m-%d} and end after that, by "
                f"{LATEST_END:%Y-%m-%d}: not {self.start:%Y-%m-%d %H:%M} to {self.end:%Y-%m-%d %H:%M}."
            )
        if self.schema_version not in (1, 2):
            raise ActionNeededError(f"The version of UserActivity is 1 or 2, not {self.schema_version}.")
        if self.records is not None and self.records < 1:
            raise ActionNeededError(f"The number of records must be 1 or more, not {self.records}.")
        if self.free_share is not None and not 0 <= self.free_share <= 1:
            raise ActionNeededError(f"The fraction of free plans must lie between 0 and 1, not {self.free_share}.")
        for name, fraction in (("anomalous", self.anomalous_share), ("lookalike", self.lookalike_share)):
            if not 0 <= fraction <= 1:
                raise ActionNeededError(f"The fraction of {name} listeners must lie between 0 and 1, not {fraction}.")
        if self.growing_since and not EARLIEST_START.date() <= self.growing_since <= LATEST_END.date():
            raise ActionNeededError(
                f"A population can grow since {EARLIEST_START:%Y-%m-%d} at the earliest and {LATEST_END:%Y-%m-%d} at "
                f"the latest, not since {self.growing_since}."
            )
        if not -(1 << 63) <= self.seed < 1 << 63:
            raise ActionNeededError("The seed must fit into 64 bits.")
        personalities.compute_weights(self.mix)

    @property
    def effective_habits(self) -> Habits:
        """Return the habits with the requested fraction of free plans."""
        return self.habits.set_free_fraction(self.free_share)

    def compute_population_id(self, catalogue_fingerprint: str) -> str:
        """Return the id in the names of listeners: equal for all simulations with the same listeners and events.

        :param catalogue_fingerprint: as ``track_library.compute_fingerprint`` returns it.
        """
        identity = {
            "seed": self.seed,
            "mix": personalities.compute_weights(self.mix),
            "habits": asdict(self.effective_habits),
            "catalogue": catalogue_fingerprint,
            **self._list_growth(),
        }
        return _hash_values(identity)[:8]

    def compute_input_id(self, catalogue_fingerprint: str, format_name: str) -> str:
        """Return the id of the simulation's input: the same simulation run twice is one input."""
        values = {name: value for name, value in asdict(self).items() if name != "growing_since"}
        return _hash_values(
            {**values, **self._list_growth(), "catalogue": catalogue_fingerprint, "format": format_name}
        )[:16]

    def _list_growth(self) -> dict[str, date]:
        """Return what identifies the growth: nothing without it, so that ids are those of earlier versions."""
        return {"growing_since": self.growing_since} if self.growing_since else {}


def resolve_interval(
    start: datetime | None, end: datetime | None, hours: float | None, now: datetime
) -> tuple[datetime, datetime]:
    """Return the interval that a form asks for.

    :param now: the end, cut to the hour, if neither end is given.
    :param hours: the length if one end or both are missing; None: 72.
    """
    length = timedelta(hours=72 if hours is None else hours)
    if start and end:
        return start, end
    if start:
        return start, start + length
    last_hour = end or now.replace(minute=0, second=0, microsecond=0)
    return last_hour - length, last_hour


def _hash_values(values: Mapping[str, object]) -> str:
    text = json.dumps(values, sort_keys=True, default=lambda value: value.isoformat())
    return hashlib.sha256(text.encode()).hexdigest()
