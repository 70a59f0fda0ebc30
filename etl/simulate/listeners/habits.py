"""What is asked of made-up listeners: who they are, when, on what and how they listen.

In: answers to the survey (rows of ``warehouse.survey_response``), or none. Out: ``Habits``, whose shares are found
again in the events. Where the survey says nothing, the defaults stand; docs/simulator.md lists them.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

Shares = dict[str, float]
_Answers = Mapping[str, object]
_Reader = Callable[[_Answers], str | None]

AGE_BANDS: dict[str, tuple[int, int]] = {
    "6-12": (6, 12),
    "12-20": (12, 20),
    "20-35": (20, 35),
    "35-60": (35, 60),
    "60+": (60, 85),
}
"""Years of age, the first inclusive and the last exclusive."""

GENDERS = ("Female", "Male", "Others")
PLANS = ("free", "premium")
TIME_SLOTS = ("Morning", "Afternoon", "Night")
DEVICES = ("MOBILE", "DESKTOP", "TABLET", "SMART_SPEAKER")

HOURS_OF_SLOT: dict[str, dict[int, float]] = {
    "Morning": {5: 3, 6: 8, 7: 14, 8: 18, 9: 18, 10: 17, 11: 15, 12: 7},
    "Afternoon": {11: 3, 12: 11, 13: 16, 14: 18, 15: 18, 16: 17, 17: 12, 18: 5},
    "Night": {0: 7, 1: 4, 2: 2, 3: 1, 4: 1, 5: 1, 17: 4, 18: 10, 19: 14, 20: 16, 21: 16, 22: 14, 23: 10},
}
"""What a time slot of the survey means in local hours: relative weights, which slope off at both ends."""

AGES_AS_OF = date(2026, 7, 1)
"""The day on which the age bands are those asked for; listeners grow older before and after it."""

GENRES_OF_ANSWER: dict[str, tuple[str, ...]] = {
    "melody": ("acoustic", "chill", "indian", "pop-film", "romance", "singer-songwriter", "songwriter", "soul"),
    "classical": ("classical", "new-age", "opera", "piano"),
    "pop": ("dance", "indie-pop", "pop", "power-pop", "synth-pop"),
    "rap": ("hip-hop", "r&b", "r-n-b", "rap", "trip-hop"),
    "electronic/dance": ("dubstep", "edm", "electro", "electronic", "house", "progressive-house", "techno", "trance"),
    "rock": ("alt-rock", "hard-rock", "j-rock", "punk-rock", "rock", "rock-n-roll"),
    "kpop": ("k-pop",),
}
"""What an answer to the question for the favourite genre means in a catalogue."""

ANY = "any"
"""A genre or mood that is asked for by nobody."""

GENRE_ANSWERS = (*GENRES_OF_ANSWER, ANY)

MOODS: dict[str, tuple[str, bool]] = {
    "relaxation": ("energy", False),
    "uplifting": ("valence", True),
    "sadness": ("valence", False),
    "social": ("danceability", True),
}
"""A mood, by the first word of its answer: the measure that its tracks have more of than most tracks (or less)."""

MOOD_ANSWERS = (*MOODS, ANY)

_DEVICE_OF_ANSWER = {
    "smartphone": "MOBILE",
    "wearable devices": "MOBILE",
    "computer or laptop": "DESKTOP",
    "tablet": "TABLET",
    "smart speakers or voice assistants": "SMART_SPEAKER",
}
_SURVEY_SLOTS = {slot.lower(): slot for slot in TIME_SLOTS}
_PRIOR_ANSWERS = 20


@dataclass(frozen=True)
class Habits:
    """Shares that are asked for. Those by age band hold for the listeners of that band."""

    age_bands: Shares
    genders: Mapping[str, Shares]
    plans: Mapping[str, Shares]
    time_slots: Mapping[str, Shares]
    devices: Shares
    skips: Shares
    """By plan: the share of plays that end in a skip."""
    genres: Mapping[str, Shares]
    """By age band: answers to the question for the favourite genre."""
    moods: Mapping[str, Shares]
    """By time slot: the moods that sessions have."""
    weekend: float = 1.25
    """Sessions on a Saturday or Sunday, to those on another day."""

    def overall(self, by_age_band: Mapping[str, Shares]) -> Shares:
        """The shares over all age bands."""
        total: dict[str, float] = defaultdict(float)
        for band, share in self.age_bands.items():
            for answer, part in by_age_band[band].items():
                total[answer] += share * part
        return dict(total)

    def hours(self) -> list[float]:
        """The share of plays that each local hour is asked to have."""
        slots = self.overall(self.time_slots)
        return [sum(slots[slot] * hour_shares(slot)[hour] for slot in TIME_SLOTS) for hour in range(24)]

    def skip_share(self) -> float:
        """The share of plays that end in a skip, over all plans."""
        plans = self.overall(self.plans)
        return sum(plans[plan] * self.skips[plan] for plan in PLANS)

    def asked(self) -> dict[str, Shares]:
        """All that is asked for, as plays are counted."""
        return {
            "age_band": dict(self.age_bands),
            "gender": self.overall(self.genders),
            "plan": self.overall(self.plans),
            "device": dict(self.devices),
            "hour": {str(hour): share for hour, share in enumerate(self.hours())},
            "skip": {"skip": self.skip_share()},
        }

    def with_free_share(self, free_share: float | None) -> "Habits":
        """The same with another share of free plans over all; None changes nothing."""
        if free_share is None:
            return self
        now = self.overall(self.plans)["free"]
        plans = {band: _shifted(shares["free"], now, free_share) for band, shares in self.plans.items()}
        return replace(self, plans={band: {"free": free, "premium": 1 - free} for band, free in plans.items()})


def hour_shares(slot: str) -> list[float]:
    """The share of each of the 24 hours in a time slot."""
    weights = HOURS_OF_SLOT[slot]
    return [weights.get(hour, 0.0) / sum(weights.values()) for hour in range(24)]


def _everywhere(shares: Shares) -> dict[str, Shares]:
    return {band: dict(shares) for band in AGE_BANDS}


DEFAULTS = Habits(
    age_bands={"6-12": 0.01, "12-20": 0.20, "20-35": 0.50, "35-60": 0.25, "60+": 0.04},
    genders=_everywhere({"Female": 0.5, "Male": 0.47, "Others": 0.03}),
    plans={
        "6-12": {"free": 0.5, "premium": 0.5},
        "12-20": {"free": 0.7, "premium": 0.3},
        "20-35": {"free": 0.55, "premium": 0.45},
        "35-60": {"free": 0.5, "premium": 0.5},
        "60+": {"free": 0.6, "premium": 0.4},
    },
    time_slots={
        "6-12": {"Morning": 0.3, "Afternoon": 0.6, "Night": 0.1},
        "12-20": {"Morning": 0.2, "Afternoon": 0.4, "Night": 0.4},
        "20-35": {"Morning": 0.2, "Afternoon": 0.3, "Night": 0.5},
        "35-60": {"Morning": 0.3, "Afternoon": 0.35, "Night": 0.35},
        "60+": {"Morning": 0.4, "Afternoon": 0.4, "Night": 0.2},
    },
    devices={"MOBILE": 0.64, "DESKTOP": 0.18, "TABLET": 0.06, "SMART_SPEAKER": 0.12},
    skips={"free": 0.12, "premium": 0.22},
    genres=_everywhere({answer: float(answer == ANY) for answer in GENRE_ANSWERS}),
    moods={slot: {answer: float(answer == ANY) for answer in MOOD_ANSWERS} for slot in TIME_SLOTS},
)
"""What stands where there is no survey."""


def from_survey(answers: Sequence[Mapping[str, object]]) -> Habits:
    """The habits that a survey tells of; the defaults where nobody answered.

    A band's own shares lean on those of all bands, as if 20 more had answered like everybody: one answer of a rare band
    says little.

    :param answers: rows of ``warehouse.survey_response``.
    """
    bands = Counter(band for row in answers if (band := str(row.get("age_band"))) in AGE_BANDS)
    if not bands:
        return DEFAULTS
    known = [row for row in answers if row.get("age_band") in AGE_BANDS]
    return Habits(
        age_bands={band: bands[band] / bands.total() for band in AGE_BANDS},
        genders=_by_band(known, _gender, DEFAULTS.genders),
        plans=_by_band(known, _plan, DEFAULTS.plans),
        time_slots=_by_band(known, _slot, DEFAULTS.time_slots),
        devices=_devices(known),
        skips=DEFAULTS.skips,
        genres=_by_band(known, _genre, DEFAULTS.genres),
        moods=_moods(known),
    )


def _gender(row: Mapping[str, object]) -> str | None:
    return answer if (answer := str(row.get("gender"))) in GENDERS else None


def _plan(row: Mapping[str, object]) -> str | None:
    answer = str(row.get("subscription_plan") or "").lower()
    return next((plan for plan in PLANS if answer.startswith(plan)), None)


def _genre(row: Mapping[str, object]) -> str | None:
    answer = str(row.get("favourite_genre") or "").lower()
    if not answer:
        return None
    return answer if answer in GENRES_OF_ANSWER else ANY


def _slot(row: Mapping[str, object]) -> str | None:
    return _SURVEY_SLOTS.get(str(row.get("time_slot")).lower())


def _by_band(rows: Sequence[_Answers], read: _Reader, defaults: Mapping[str, Shares]) -> dict[str, Shares]:
    answers = [(str(row["age_band"]), answer) for row in rows if (answer := read(row))]
    if not answers:
        return {band: dict(shares) for band, shares in defaults.items()}
    names = list(next(iter(defaults.values())))
    everybody = Counter(answer for _, answer in answers)
    found: dict[str, Shares] = {}
    for band in AGE_BANDS:
        own = Counter(answer for of_band, answer in answers if of_band == band)
        size = own.total() + _PRIOR_ANSWERS
        found[band] = {
            name: (own[name] + _PRIOR_ANSWERS * everybody[name] / everybody.total()) / size for name in names
        }
    return found


def _moods(rows: Iterable[_Answers]) -> dict[str, Shares]:
    """Each who answered counts once, shared by the moods named."""
    weights = {slot: dict.fromkeys(MOOD_ANSWERS, 0.0) for slot in TIME_SLOTS}
    for row in rows:
        slot, listed = _slot(row), row.get("moods")
        words = [str(answer).lower() for answer in (listed if isinstance(listed, list | tuple) else [])]
        named = [mood for mood in MOODS if any(word.startswith(mood) for word in words)]
        for mood in named if slot else ():
            weights[str(slot)][mood] += 1 / len(named)
    return {
        slot: {mood: weight / total for mood, weight in of_slot.items()} if (total := sum(of_slot.values())) else found
        for (slot, of_slot), found in zip(weights.items(), DEFAULTS.moods.values(), strict=True)
    }


def _devices(rows: Iterable[Mapping[str, object]]) -> Shares:
    """Each who answered counts once, shared by the devices named."""
    weights: dict[str, float] = defaultdict(float)
    for row in rows:
        listed = row.get("listening_devices")
        named = [
            device
            for answer in (listed if isinstance(listed, list | tuple) else [])
            if (device := _DEVICE_OF_ANSWER.get(str(answer).strip().lower()))
        ]
        for device in named:
            weights[device] += 1 / len(named)
    total = sum(weights.values())
    return {device: weights[device] / total for device in DEVICES} if total else dict(DEFAULTS.devices)


def _shifted(free: float, now: float, wanted: float) -> float:
    """A band's share of free plans once that of all bands has gone from ``now`` to ``wanted``."""
    return free * wanted / now if wanted <= now else 1 - (1 - free) * (1 - wanted) / (1 - now)
